// SPDX-License-Identifier: Apache-2.0
// The section of what must not change during the tests.

import Domain
import Testing

@testable import Configuration

struct FingerprintSectionTests {
    @Test func `files, disks and commands are read, with paths from the file's folder`() throws {
        let text = minimal(
            """
            fingerprint: { files: ["settings.json", "/etc/hosts"], disks: ["data"],
                           commands: { schema: ["./schema.sh"], flags: { shell: "cat flags", timeout: "3s" } } }
            """)
        let settings = try loaded(text).settings.fingerprint
        #expect(settings.files == ["/srv/app/settings.json", "/etc/hosts"])
        #expect(settings.disks == ["/srv/app/data"])
        #expect(settings.commands.map(\.name) == ["schema", "flags"])
        #expect(settings.commands.map(\.command.timeout) == [.seconds(10), .seconds(3)])
        #expect(settings.commands.map(\.command.isShell) == [false, true])
    }

    @Test func `without the section nothing more is looked at`() throws {
        #expect(try loaded(minimal()).settings.fingerprint == FingerprintSettings())
    }

    @Test func `mistakes are told with their place`() {
        let found = problems(minimal("fingerprint: { file: [\"a\"], commands: { x: 7 } }"))
        #expect(found.contains { $0.contains("fingerprint.file") && $0.contains("files") })
        #expect(found.contains { $0.contains("fingerprint.commands.x") })
    }
}
