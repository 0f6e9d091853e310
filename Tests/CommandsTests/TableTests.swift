// SPDX-License-Identifier: Apache-2.0
// Help, completions and manual, all from the one table.

import Commands
import Foundation
import Testing

@Suite struct TableTests {
    private let fixture = LoopFixture()

    @Test func `help of the program and of every command stays within 80 columns`() async {
        let program = await fixture.run()
        #expect(program.code == .ok)
        let names = program.output.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { Int($0) == nil }
        #expect(names.count >= 25)
        for name in names {
            let help = await fixture.run("help", name)
            #expect(help.code == .ok, "\(name)")
            let flag = await fixture.run(name, "--help")
            #expect(flag.output == help.output, "\(name)")
            // An example may be as long as the line that somebody types.
            let lines = help.output.split(separator: "\n").filter { !$0.hasPrefix("  nightjar ") }
            #expect(lines.allSatisfy { $0.count <= 80 }, "\(name)")
            #expect(help.output.contains("exit codes"), "\(name)")
        }
        #expect(program.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func `an unknown command names the nearest one`() async {
        let result = await fixture.run("stauts")
        #expect(result.code == .usage)
        #expect(result.error == "nightjar: unknown command 'stauts'; did you mean 'status'?\nhint: nightjar help\n")
        #expect(await fixture.run("--config", "x").code == .usage)
        #expect(await fixture.run("help", "shwo").error.contains("did you mean 'show'?"))
    }

    @Test func `a question keeps its mark in the help`() async {
        let help = await fixture.run("help", "verify").output
        #expect(help.contains("sealed?\n"))
        #expect(!help.contains("?."))
    }

    @Test func `check refuses a time zone that run would refuse`() async throws {
        try fixture.write(Self.configuration(zone: "Europe/Berlinn"), to: "nightjar.json5")
        let refused = await fixture.run("check")
        #expect(refused.code == .usage)
        #expect(refused.error.contains("schedule.window.timeZone: found \"Europe/Berlinn\""))
        try fixture.write(Self.configuration(zone: "Europe/Berlin"), to: "nightjar.json5")
        #expect(await fixture.run("check").code == .ok)
    }

    @Test func `several problems are counted, and each line begins with its place`() async throws {
        try fixture.write("{ loop: { name: \"a b\", mode: \"observ\" }, suites: [] }", to: "nightjar.json5")
        let lines = await fixture.run("check").error.split(separator: "\n")
        #expect(lines.first == "nightjar: \(lines.count - 1) problems in the configuration")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("nightjar.json5:1:") })
    }

    @Test func `a revision is not asked for where nothing is deployed`() async throws {
        try fixture.write(Self.configuration(zone: "UTC"), to: "nightjar.json5")
        let result = await fixture.run("once", "--revision", "v1")
        #expect(result.code == .usage)
        #expect(result.error.contains("--revision needs mode operate"))
    }

    private static func configuration(zone: String) -> String {
        """
        { loop: { name: "a", mode: "observe" }, repository: { path: "." },
          schedule: { window: { from: "22:00", to: "06:00", timeZone: "\(zone)" } },
          suites: [{ name: "s", command: ["pytest", "--junitxml={report}"] }] }
        """
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `completions are valid where the shell is installed`(shell: String)
        async throws
    {
        let script = await fixture.run("completions", shell)
        #expect(script.code == .ok)
        #expect(script.output.contains("status") && script.output.contains("--") || shell == "fish")
        let folders = ["/bin", "/usr/bin", "/usr/local/bin"]
        guard let path = folders.map({ "\($0)/\(shell)" }).first(where: FileManager.default.isExecutableFile) else {
            return
        }
        try fixture.write(script.output, to: "script")
        let file = "\(fixture.folder)/script"
        let status = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = ["-n", file]
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(returning: -1) }
        }
        #expect(status == 0)
    }

    @Test func `bash completes commands and options`() async throws {
        let script = await fixture.run("completions", "bash")
        let probe = """
            \(script.output)
            COMP_WORDS=(nightjar sta); COMP_CWORD=1; _nightjar; echo "${COMPREPLY[@]}"
            COMP_WORDS=(nightjar cycles --verdict fai); COMP_CWORD=3; _nightjar; echo "${COMPREPLY[@]}"
            COMP_WORDS=(nightjar tail --fol); COMP_CWORD=2; _nightjar; echo "${COMPREPLY[@]}"
            """
        try fixture.write(probe, to: "probe")
        let file = "\(fixture.folder)/probe"
        let text = await withCheckedContinuation { (continuation: CheckedContinuation<String, Never>) in
            Thread.detachNewThread {
                let process = Process()
                let pipe = Pipe()
                process.executableURL = URL(fileURLWithPath: "/bin/bash")
                process.arguments = ["--norc", file]
                process.standardOutput = pipe
                guard (try? process.run()) != nil else { return continuation.resume(returning: "") }
                let bytes = ((try? pipe.fileHandleForReading.readToEnd()) ?? nil) ?? Data()
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
        #expect(text == "status\nfailing\n--follow\n")
    }

    @Test func `the manual in docs is the table`() async throws {
        let manual = await fixture.run("help", "--manual")
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let page = root.appending(path: "docs/cli.md")
        if ProcessInfo.processInfo.environment["NIGHTJAR_RECORD"] == "1" {
            try FileManager.default.createDirectory(
                at: page.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(manual.output.utf8).write(to: page)
        }
        #expect(try String(contentsOf: page, encoding: .utf8) == manual.output)
    }
}
