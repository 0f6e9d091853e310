// SPDX-License-Identifier: Apache-2.0
// What commands do to those who run them: one test for each sin.

import Domain
import Execution
import Platform
import TestSupport
import Testing

@Suite struct SinTests {
    let folder: TemporaryFolder
    let runner: CommandRunner

    init() throws {
        folder = try TemporaryFolder()
        runner = try .forTests()
    }

    @Test func `an exit status arrives as it was`() async throws {
        let result = await runner.run(.shell("echo out; echo err >&2; exit 7", in: folder))
        #expect(result.outcome == .exited)
        #expect(result.exit == 7)
        #expect(!result.succeeded)
        #expect(try folder.read("run/console.log") == "out\nerr\n")
        #expect(result.consoleSHA256 == SHA256.hex(of: Array("out\nerr\n".utf8)))
        #expect(result.consoleBytes == 8)
        #expect(result.recovery == nil)
        #expect(try Files.list(folder("run")) == ["claim", "console.log", "result.json"])
    }

    @Test func `a command that ignores SIGTERM is killed after its grace`() async throws {
        let result = await runner.run(
            .shell(
                "trap '' TERM; echo ready; while :; do sleep 0.05; done", in: folder, timeout: .milliseconds(300),
                grace: .milliseconds(200)))
        #expect(result.outcome == .timedOut)
        #expect(result.limitHit == "timeout 300ms")
        #expect(result.signal == 9)
        #expect(result.exit == nil)
        #expect(survivors(folder).isEmpty)
    }

    @Test func `exit 0 after SIGTERM is no pass`() async throws {
        let result = await runner.run(
            .shell("trap 'exit 0' TERM; while :; do sleep 0.05; done", in: folder, timeout: .milliseconds(300)))
        #expect(result.outcome == .timedOut)
        #expect(!result.succeeded)
    }

    @Test func `what escapes with setsid and a double fork is ended and reported`() async throws {
        let result = await runner.run(
            .shell(
                """
                setsid sleep 1000 >/dev/null 2>&1 &
                (setsid sh -c 'trap "" TERM HUP; touch ready; while :; do sleep 1; done' >/dev/null 2>&1 &)
                until test -e ready; do sleep 0.01; done; sleep 300
                """,
                in: folder, timeout: .milliseconds(1000), grace: .milliseconds(200)))
        #expect(result.outcome == .timedOut)
        #expect(survivors(folder).isEmpty)
        #expect(result.leftovers.contains { $0.command.contains("sleep 1000") && $0.ended })
    }

    @Test func `a test that leaves a process behind passes and the process is ended`() async throws {
        let result = await runner.run(.shell("setsid sleep 1002 & exit 0", in: folder))
        #expect(result.succeeded)
        #expect(result.leftovers.map(\.command) == ["sleep 1002"])
        #expect(result.leftovers.map(\.ended) == [true])
        #expect(survivors(folder).isEmpty)
    }

    @Test func `a deploy may leave a service behind`() async throws {
        let result = await runner.run(
            .shell("setsid sleep 1003 >/dev/null 2>&1 & exit 0", in: folder, leavesServices: true))
        #expect(result.succeeded)
        #expect(result.leftovers.map(\.ended) == [false])
        #expect(result.notes.isEmpty)
        let services = survivors(folder)
        #expect(services.count == 1)
        for service in services { try Pidfd(service.pid).send(9) }
    }

    @Test func `a service that holds the output is noted and does not hold the run`() async throws {
        let result = await runner.run(.shell("echo up; setsid sleep 1004 & exit 0", in: folder, leavesServices: true))
        #expect(result.succeeded)
        #expect(result.durationSeconds < 10)
        #expect(result.notes.contains { $0.contains("still write to the command's output") })
        for service in survivors(folder) { try Pidfd(service.pid).send(9) }
    }

    @Test func `a silent hang hits the idle limit`() async throws {
        let result = await runner.run(
            .shell("echo begun; sleep 1005", in: folder, idleTimeout: .milliseconds(300)))
        #expect(result.outcome == .idleTimedOut)
        #expect(result.limitHit == "idleTimeout 300ms")
        #expect(try folder.read("run/console.log") == "begun\n")
    }

    @Test func `a hang that prints hits the total limit and not the idle one`() async throws {
        let result = await runner.run(
            .shell(
                "while :; do echo alive; sleep 0.02; done", in: folder, timeout: .milliseconds(900),
                idleTimeout: .milliseconds(700)))
        #expect(result.outcome == .timedOut)
    }

    @Test func `death by a signal of its own is told apart`() async throws {
        let result = await runner.run(.shell("kill -SEGV $$", in: folder))
        #expect(result.outcome == .signaled)
        #expect(result.signal == 11)
    }

    @Test func `a program that does not exist could not start`() async throws {
        var spec = CommandSpec.shell("", in: folder)
        spec.argv = ["./no-such-program", "x"]
        let result = await runner.run(spec)
        #expect(result.outcome == .couldNotStart)
        #expect(result.notes.first == "could not start ./no-such-program: No such file or directory (errno 2)")
    }

    @Test func `a working directory that does not exist is named`() async throws {
        var spec = CommandSpec.shell("true", in: folder)
        spec.workingDirectory = folder("nowhere")
        let result = await runner.run(spec)
        #expect(result.outcome == .couldNotStart)
        #expect(result.notes.first?.contains("enter the working directory \(folder("nowhere"))") == true)
    }

    @Test func `without input a command reads an end at once`() async throws {
        let result = await runner.run(.shell("cat; echo done", in: folder))
        #expect(result.succeeded)
        #expect(try folder.read("run/console.log") == "done\n")
    }

    @Test func `input arrives whole`() async throws {
        let input = Array(repeating: UInt8(ascii: "x"), count: 300_000)
        let result = await runner.run(.shell("wc -c", in: folder, standardInput: input))
        #expect(result.succeeded)
        #expect(try folder.read("run/console.log") == "300000\n")
    }

    @Test func `the command gets its environment, the cookie and nothing else`() async throws {
        let result = await runner.run(.shell("env | sort", in: folder, environment: ["GREETING": "a b"]))
        #expect(result.succeeded)
        let names = try folder.read("run/console.log").split(separator: "\n").map { $0.prefix { $0 != "=" } }
        #expect(names == ["GREETING", "NIGHTJAR_STAGE", "PATH", "PWD"])
    }

    @Test func `signals are as a new process expects them`() async throws {
        let result = await runner.run(.shell("grep -E 'Sig(Ign|Blk)' /proc/self/status", in: folder))
        #expect(result.succeeded)
        #expect(try folder.read("run/console.log") == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
    }

    @Test func `binary output is kept byte for byte`() async throws {
        let result = await runner.run(
            .shell("i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i+1)); done", in: folder))
        #expect(result.succeeded)
        #expect(try Files.read(folder("run/console.log"), limit: 1000) == Array(0...255))
    }

    @Test func `a flood keeps its head and tail and says what is missing`() async throws {
        let result = await runner.run(
            .shell(
                "echo first; head -c 300000000 /dev/zero | tr '\\0' 'y'; echo; echo last", in: folder,
                outputLimit: 1 << 20))
        #expect(result.succeeded)
        let log = try folder.read("run/console.log")
        #expect(log.hasPrefix("first\nyyy"))
        #expect(log.hasSuffix("yyy\nlast\n"))
        #expect(result.consoleDroppedBytes == 300_000_012 - (1 << 20))
        #expect(log.contains("[nightjar: \(result.consoleDroppedBytes) bytes of output left out here]"))
        #expect(result.consoleSHA256 == SHA256.hex(of: Array(log.utf8)))
        #expect(result.consoleBytes == Int64(log.utf8.count))
        #expect(try Files.list(folder("run")) == ["claim", "console.log", "result.json"])
    }
}
