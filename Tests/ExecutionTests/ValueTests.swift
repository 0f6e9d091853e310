// SPDX-License-Identifier: Apache-2.0
// Placeholders, the safe environment and secrets.

import Domain
import Execution
import Platform
import TestSupport
import Testing

@Suite struct PlaceholderTests {
    private let values = Placeholders(
        ["revision": "abc", "report": "/r/x.xml"], lists: ["tests": ["t 1", "t2"], "none": []])

    @Test func `values fill words and lists become arguments`() throws {
        #expect(
            try values.fill(["x", "--xml={report}", "{tests}", "{none}", "{revision}-{revision}"])
                == ["x", "--xml=/r/x.xml", "t 1", "t2", "abc-abc"])
    }

    @Test(arguments: [
        ("{{revision}}", "{revision}"), ("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"),
        ("${HOME}/{revision}", "${HOME}/abc"),
        ("{{", "{"), ("{", "{"), ("}", "}"), ("{}", "{}"), ("a{1..3}", "a{1..3}"), ("", ""),
    ])
    func `what is no placeholder stays`(_ word: String, _ expected: String) throws {
        #expect(try values.fill(word) == expected)
    }

    @Test func `an unknown placeholder names itself and the known ones`() {
        let error = #expect(throws: PlaceholderError.self) { try values.fill(["a", "{revison}"]) }
        #expect(
            error?.description
                == "unknown placeholder {revison}; known here: {none}, {report}, {revision}, {tests}; write {{ for a brace"
        )
        #expect(throws: PlaceholderError.listInsideWord("tests", word: "-k={tests}")) { try values.fill("-k={tests}") }
    }

    @Test func `a value with braces is not filled again`() throws {
        #expect(try Placeholders(["a": "{b}", "b": "x"]).fill("{a}") == "{b}")
    }
}

@Suite struct EnvironmentTests {
    @Test func `only the safe names and the listed ones pass`() {
        let environment = SafeEnvironment.make(
            from: ["PATH": "/p", "LC_ALL": "C", "AWS_SECRET_ACCESS_KEY": "x", "MINE": "1", "HOME": "/h"],
            passing: ["MINE"], adding: ["HOME": "/other"])
        #expect(environment == ["PATH": "/p", "LC_ALL": "C", "MINE": "1", "HOME": "/other"])
        #expect(SafeEnvironment.make(from: [:])["PATH"]?.contains("/usr/bin") == true)
    }
}

@Suite struct SecretTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func `secrets come from file, environment and command, fresh each time, and all stay needles`() async throws {
        try folder.write("token", "first-value\n")
        let store = SecretStore(
            [
                "A": .file(folder("token")), "B": .environment("B_SOURCE"),
                "C": .command(["sh", "-c", "echo from-command"]),
            ],
            environment: ["PATH": "/usr/bin:/bin", "B_SOURCE": "from-env"])
        #expect(try await store.fetch(["A", "B", "C"]) == ["A": "first-value", "B": "from-env", "C": "from-command"])
        try folder.write("token", "second-value")
        #expect(try await store.fetch("A") == "second-value")
        #expect(store.needles == ["first-value", "from-command", "from-env", "second-value"])
        #expect("\(store)" == "secrets A, B, C")
    }

    @Test func `a secret that cannot be had is named, never shown`() async throws {
        try folder.write("empty", "\n")
        let store = SecretStore(
            [
                "E": .file(folder("empty")), "M": .file(folder("missing")), "V": .environment("V"),
                "F": .command(["sh", "-c", "echo half-a-secret; exit 4"]),
            ],
            environment: ["PATH": "/usr/bin:/bin"])
        for name in ["E", "M", "V", "F", "unknown"] {
            let error = await #expect(throws: SecretError.self) { try await store.fetch(name) }
            #expect(error?.name == name)
            #expect(error?.description.contains("half-a-secret") == false)
        }
        #expect(store.needles == ["half-a-secret"])
    }
}

@Suite struct EvidenceSafetyTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test func `no file of a run holds a secret, whatever the command does with it`() async throws {
        let secret = "s3cr3t/value+with=signs"
        let script = """
            echo "raw $TOKEN"; printf '%s' "$TOKEN" | base64; printf 'ab%s' "$TOKEN" | base64
            printf '%s' "$TOKEN" | od -An -tx1 | tr -d ' \\n'; echo
            printf '%s' "$TOKEN" | base64 | base64
            printf 's3cr3t/val'; sleep 0.4; echo 'ue+with=signs'
            setsid sh -c 'sleep 1021' "$TOKEN" &
            """
        let result = await (try CommandRunner.forTests()).run(
            .shell(script, in: folder, needles: [secret], environment: ["TOKEN": secret]))
        #expect(result.succeeded)
        #expect(result.leftovers.count >= 1)
        for name in try Files.list(folder("run")) {
            let text = try folder.read("run/" + name)
            for form in [
                secret, "czNjcjN0L3ZhbHVlK3dpdGg9c2lnbnM", "7333637233742f76616c7565", "s3cr3t/val", "ue+with=signs",
            ] {
                #expect(!text.contains(form), "\(name) holds \(form)")
            }
        }
        let lines = try folder.read("run/console.log").split(separator: "\n")
        #expect(lines.first == "raw [REDACTED]")
        #expect(lines.filter { $0.contains("[REDACTED]") }.count == 6)
    }

    @Test func `a full disk loses output and neither the command nor its result`() async throws {
        let mount = folder("small")
        try Files.createDirectories(mount)
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        let mounted = try await HelperCommand.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], environment: environment, timeout: .seconds(10))
        // Without the right to mount there is nothing to test.
        guard mounted.succeeded else { return }
        let spec = CommandSpec.shell(
            "head -c 4000000 /dev/zero | tr '\\\\0' x; touch \(folder("finished"))", in: folder, name: "small/run",
            outputLimit: 64 << 20)
        let result = await (try CommandRunner.forTests()).run(spec)
        let unmounted = try await HelperCommand.run(
            ["umount", mount], environment: environment, timeout: .seconds(10))
        #expect(unmounted.succeeded)
        #expect(result.outcome == .exited)
        #expect(result.exit == 0)
        #expect(Files.exists(folder("finished")))
        #expect(result.consoleDroppedBytes > 2_000_000)
        #expect(result.consoleDroppedBytes + result.consoleBytes == 4_000_000)
        #expect(result.notes.contains { $0.contains("No space left on device") })
    }
}
