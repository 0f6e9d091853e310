// SPDX-License-Identifier: Apache-2.0
// The spine from end to end: configuration, supervisor, shepherds, journal and sealed evidence of a loop that observes.

import Domain
import Engine
import Evidence
import Execution
import Platform
import TestSupport
import Testing

@testable import Configuration
@testable import Supervision

@Suite struct LoopStoryTests {
    private let loop: LoopFixture

    init() throws {
        loop = try LoopFixture()
    }

    @Test(.timeLimit(.minutes(5)))
    func `a cycle whose tests pass is healthy, sealed and listed`() async throws {
        let suites = LoopFixture.suite("api", "printf '1..2\\\\nok 1 - a\\\\nok 2 - b\\\\n'")
        let host = try await loop.open(try loop.settings("suites: [\(suites)]"), cycles: 1)
        #expect(await host.run() == .cycles(.healthy))
        let record = try #require(try CycleReader(loop.layout).latestRecord())
        #expect(record.cycle == 1 && record.verdict == .healthy && record.recommendation == .ship)
        #expect(record.suites.first?.totals.passed == 2)
        let report = try Verifier(loop.layout).verify()
        #expect(report.isIntact && report.intact == 1, "\(report.findings)")
        #expect(try loop.folder.read("state/\(loop.name)/cycles/000001/report.md").contains("healthy"))
        #expect(try loop.folder.read("state/\(loop.name)/cycle.log").contains("#1"))
        #expect(loop.ears.sealed.map(\.cycle) == [1])
    }

    @Test(.timeLimit(.minutes(5)))
    func `a test that fails again when it is tried again makes the cycle failing, with an incident`() async throws {
        let suites = LoopFixture.suite("api", "printf '1..2\\\\nok 1 - a\\\\nnot ok 2 - b\\\\n'; exit 1")
        let host = try await loop.open(try loop.settings("suites: [\(suites)]"), cycles: 1)
        #expect(await host.run() == .cycles(.failing))
        let record = try #require(try CycleReader(loop.layout).latestRecord())
        #expect(record.recommendation == .hold)
        #expect(record.suites.first?.notPassed.map(\.id) == ["b"])
        #expect(record.incidents.map(\.id) == ["INC-1"])
        // The next start remembers it.
        let again = try await loop.open(try loop.settings("suites: [\(suites)]"), cycles: 1)
        #expect(await again.run() == .cycles(.failing))
        #expect(try CycleReader(loop.layout).latestRecord()?.incidents.first?.timesSeen == 2)
        let report = try Verifier(loop.layout).verify()
        #expect(report.isIntact && report.intact == 2, "\(report.findings)")
    }

    @Test(.timeLimit(.minutes(5)))
    func `a stop during a test ends the test and leaves an interrupted cycle`() async throws {
        let suites = LoopFixture.suite("api", "touch \(loop.folder("begun")); exec sleep 300")
        let host = try await loop.open(try loop.settings("suites: [\(suites)]"))
        let running = Task { await host.run() }
        #expect(await eventually { loop.exists("begun") })
        host.supervisor.tell(.stopRequested(StopRequested(now: false, by: "test")))
        #expect(await running.value == .done)
        let record = try #require(try CycleReader(loop.layout).latestRecord())
        #expect(record.verdict == .interrupted && record.recommendation == .hold)
        #expect(record.stages.last?.outcome == .stopped)
    }

    @Test(.timeLimit(.minutes(5)))
    func `a search by hand knows the tests of the last sound run`() async throws {
        let loaded = try loop.settings(
            "suites: [\(LoopFixture.suite("api", "printf '1..2\\\\nok 1 - a\\\\nok 2 - b\\\\n'"))]")
        func find(_ test: String, suite: String? = nil) async throws -> [String] {
            let runner = try CommandRunner(executablePath: Nightjar.path)
            let context = Bisection.context(loop.start(loaded), runner, say: { _ in })
            let request = BisectionRequest(good: "a", bad: "b", tests: [test], suite: suite)
            return try await BisectionTest.find(request, context, BisectionPast()).map(\.id)
        }
        // Nothing is known yet: any name may be right.
        #expect(try await find("nosuchtest") == ["nosuchtest"])
        #expect(await (try loop.open(loaded, cycles: 1)).run() == .cycles(.healthy))
        #expect(try await find("a") == ["a"])
        await #expect(throws: BisectionError.self) { try await find("nosuchtest") }
        #expect(try await find("nosuchtest", suite: "api") == ["nosuchtest"])
    }
}
