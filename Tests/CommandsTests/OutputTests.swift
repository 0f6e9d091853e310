// SPDX-License-Identifier: Apache-2.0
// A result that could not be written is no success, and what is no file is not replaced by one.

import Domain
import Foundation
import Platform
import Synchronization
import Testing

@testable import Commands

struct OutputTests {
    private func version(to result: Int32, problems: String) async throws -> (code: ExitCode, error: String) {
        let file = try Descriptor.open(problems, O_WRONLY | O_CREAT)
        let code = await NightjarCommands.run(
            ["nightjar", "version"], output: .writing(to: result, problemsTo: file.number), workingDirectory: "/",
            environment: [:], now: { LoopFixture.now })
        return (code, try String(contentsOfFile: problems, encoding: .utf8))
    }

    @Test func `an output that takes nothing is said, with exit 5`() async throws {
        let fixture = LoopFixture()
        // Open for reading only: every write fails.
        let closed = try Descriptor.open("/dev/null", O_RDONLY)
        let result = try await version(to: closed.number, problems: "\(fixture.folder)/problems")
        #expect(result.code == .infrastructure)
        #expect(result.error.hasPrefix("nightjar: could not write to standard output: "))
    }

    @Test func `a reader that went away ends the output quietly`() async throws {
        signal(SIGPIPE, SIG_IGN)
        let fixture = LoopFixture()
        let write = try Descriptor.pipe().write
        let result = try await version(to: write.number, problems: "\(fixture.folder)/problems")
        #expect(result.code == .ok)
        #expect(result.error.isEmpty)
    }

    @Test func `a file is replaced, anything else stays what it is`() throws {
        let fixture = LoopFixture()
        try fixture.write("old", to: "page")
        let path = "\(fixture.folder)/page"
        try UserFile.write("new", to: path, shown: "page")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        let socket = "\(fixture.folder)/socket"
        let listener = try SocketListener.unix(path: socket)
        #expect(throws: CommandError.self) { try UserFile.write("new", to: socket, shown: "socket") }
        #expect(Files.kind(of: socket) == .other)
        #expect(throws: CommandError.self) { try UserFile.write("new", to: fixture.folder, shown: "folder") }
        withExtendedLifetime(listener) {}
    }
}
