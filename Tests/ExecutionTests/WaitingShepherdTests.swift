// SPDX-License-Identifier: Apache-2.0
// The next shepherd is started before its order is known: whatever becomes of it, each command runs once.

import Domain
import Execution
import Platform
import TestSupport
import Testing

@Suite struct WaitingShepherdTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// A program in front of nightjar that counts its starts. The first one that is to wait for its order (on a socket)
    /// does something else.
    private func program(firstInAdvance words: String = ":") async throws -> String {
        let path = folder("program")
        let script = """
            #!/bin/sh
            n=1
            until mkdir \(folder("start"))-$n 2> /dev/null; do n=$((n + 1)); done
            if [ -S /dev/stdin ] && mkdir \(folder("once")) 2> /dev/null; then \(words); fi
            exec \(Nightjar.path) "$@"

            """
        // Written by a child: a descriptor of ours that a concurrent spawn inherits would make the kernel refuse it as busy.
        let written = try await HelperCommand.run(
            ["/bin/sh", "-c", "cat > \(path) && chmod 700 \(path)"], environment: [:],
            standardInput: Array(script.utf8), timeout: .seconds(20))
        #expect(written.exit == 0)
        return path
    }

    private var starts: Int {
        ((try? Files.list(folder.path)) ?? []).filter { $0.hasPrefix("start-") }.count
    }

    private var runs: Int {
        (try? folder.read("count"))?.split(separator: "\n").count ?? 0
    }

    /// Three commands in turn, each of which must run once, with at least `expected` starts in all.
    private func threeRuns(_ runner: CommandRunner, starts expected: Int, standardInput: [UInt8] = []) async {
        for number in 1...3 {
            let result = await runner.run(
                .shell(
                    "cat > /dev/null; echo ran >> \(folder("count"))", in: folder, name: "run-\(number)",
                    standardInput: standardInput))
            #expect(result.succeeded)
            #expect(await eventually { starts > number })
        }
        #expect(runs == 3)
        // One that waited longer than its patience, on a busy machine, was dismissed and costs one more.
        #expect(await eventually { starts >= expected })
    }

    @Test func `one start for each command, and one in advance`() async throws {
        await threeRuns(try CommandRunner(executablePath: await program()), starts: 4)
    }

    @Test func `one that ends before its order comes costs a start and no run`() async throws {
        await threeRuns(try CommandRunner(executablePath: await program(firstInAdvance: "exit 1")), starts: 5)
    }

    @Test func `one that ends with an order in its hands costs a start and no run`() async throws {
        let words = "cat > /dev/null; kill -9 $$"
        await threeRuns(try CommandRunner(executablePath: await program(firstInAdvance: words)), starts: 5)
    }

    @Test func `an order that is too large to be handed over at once waits for nobody`() async throws {
        let input = [UInt8](repeating: 65, count: 1 << 20)
        await threeRuns(try CommandRunner(executablePath: await program()), starts: 4, standardInput: input)
    }

    @Test func `one that gets no order is dismissed`() async throws {
        let words = "cat > /dev/null; echo dismissed > \(folder("dismissed")); exit 0"
        let runner = try CommandRunner(executablePath: await program(firstInAdvance: words))
        #expect(await runner.run(.shell("exit 0", in: folder)).succeeded)
        #expect(await eventually { Files.exists(folder("dismissed")) })
        #expect(starts == 2)
    }

    /// A shepherd that waited says when its result is written; by then it must have let go of all that others wait for.
    @Test func `runs that keep each other out follow each other without a gap`() async throws {
        let runner = try CommandRunner.forTests()
        for number in 1...20 {
            var spec = CommandSpec.shell("echo \(number)", in: folder, name: "run-\(number)")
            spec.lock = folder("lock")
            let result = await runner.run(spec)
            #expect(result.succeeded && result.recovery == nil, "\(number): \(result.notes)")
            #expect(try FileLock.isHeld(folder("run-\(number)/claim")) == false)
            #expect(try Files.list(folder("run-\(number)")) == ["claim", "console.log", "result.json"])
        }
    }
}
