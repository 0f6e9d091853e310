// SPDX-License-Identifier: Apache-2.0
// The report over a window: each figure from cycles whose times and values are known.

import Domain
import Testing

@testable import Reporting

@Suite struct WindowReportTests {
    /// Healthy at 02:20, failing and rolled back at 03:13, healthy again at 04:00.
    private var night: [CycleRecord] {
        var last = Night.healthy
        last.cycle = 215
        (last.startedAt, last.endedAt) = (Night.time("03:50:00"), Night.time("04:00:00"))
        last.suites = Night.suites.map { suite in
            var suite = suite
            (suite.status, suite.totals, suite.notPassed) = (.passed, Night.totals(passed: 25), [])
            return suite
        }
        last.value = ValueRecord(unit: "USD/month", total: 240_000, protected: 240_000, atRisk: 0)
        return [Night.healthy, Night.failing, last]
    }

    private func report(_ records: [CycleRecord]) throws -> WindowReport {
        try #require(WindowReport(records, from: Night.time("02:00:00"), to: Night.time("05:00:00")))
    }

    @Test func `a window without cycles has no report`() {
        #expect(WindowReport([], from: Night.time("02:00:00"), to: Night.time("05:00:00")) == nil)
    }

    @Test func `each cycle of the window that a page names leads to its page, and no other number does`() throws {
        var records = night
        records[1].incidents[0].title = "issue #213 &#214; #99 </a>"
        let html = try report(records).html(linkBase: "../")
        #expect(html.contains("href=\"../cycles/000213/report.html\""))
        // In the text of a table, and with what stands around it still escaped.
        #expect(html.contains("#99 &lt;/a&gt;") && html.contains("&amp;<a href="), "\(html)")
        let before = try #require(html.firstRange(of: "Before and after"))
        let delivery = try #require(html.firstRange(of: ">Delivery<"))
        #expect(html[before.upperBound..<delivery.lowerBound].contains("cycles/000213/report.html"))
    }

    @Test func `the newest cycle says ship or hold`() throws {
        #expect(try report(night).recommendation == .ship)
        let held = try report(Array(night.prefix(2)))
        #expect(held.recommendation == .hold)
        #expect(held.sentence.hasPrefix("Hold 9f3c1e2: the newest cycle is failing"))
    }

    @Test func `the area at risk is value times the time until the next cycle has ended`() throws {
        let exposure = try report(night).exposure
        // 160,000 from 03:13:41 to 04:00:00, nothing from 02:20 to 03:13:41 and from 04:00 to 05:00.
        let hours = (46.0 * 60 + 19) / 3600
        #expect(abs(exposure.valueHours - 160_000 * hours) < 1e-6)
        #expect(abs(exposure.hours - 160.0 / 60) < 1e-9)
        #expect(exposure.now == 0 && exposure.most == 160_000)
    }

    @Test func `delivery counts what was deployed and what it needed`() throws {
        let delivery = try report(night).delivery
        // The third cycle deployed the revision of the first again; the rollback does not count.
        #expect(delivery.deployments == 2)
        #expect((delivery.changes, delivery.failedChanges) == (2, 1))
        #expect(delivery.deploymentsPerDay == nil)
        let week = try #require(
            WindowReport(night, from: Night.time("02:00:00", day: "2026-11-14"), to: Night.time("02:00:00")))
        #expect(abs((week.delivery.deploymentsPerDay ?? 0) - 2.0 / 7) < 1e-9)
    }

    @Test func `an incident is open until something shows the contrary`() throws {
        let open = try report(Array(night.prefix(2))).incidents
        #expect(open.map(\.isResolved) == [false])
        #expect(open[0].restoredBy == "rolled back in #214")
        // The loop itself closes it after two sound cycles.
        #expect(try report(night).incidents.map(\.isResolved) == [false])
        var two = night + [night[2]]
        two[3].cycle = 216
        #expect(try report(two).incidents.map(\.isResolved) == [true])
        // A cycle that proves nothing resolves nothing.
        two[2].verdict = .unproven
        #expect(try report(two).incidents.map(\.isResolved) == [false])
    }

    @Test func `what fails again was not restored`() throws {
        var again = Night.failing
        again.cycle = 216
        (again.startedAt, again.endedAt) = (Night.time("04:10:00"), Night.time("04:20:00"))
        #expect(try report(night).incidents[0].restoredBy != nil)
        again.environment.state = .unknown
        let open = try report(night + [again]).incidents[0]
        #expect(open.secondsToRestore == nil && open.restoredBy == nil && !open.isResolved)
    }

    @Test func `one bad revision that is deployed ten times is one change that failed once`() throws {
        let bad = (0..<10).map { index in
            var record = Night.failing
            record.cycle = 300 + index
            return record
        }
        let delivery = try report([Night.healthy] + bad).delivery
        #expect((delivery.deployments, delivery.changes, delivery.failedChanges) == (2, 2, 1))
        #expect(delivery.changeFailureRate == 50)
    }

    @Test func `an interrupted cycle says nothing`() throws {
        var cut = Night.failing
        (cut.cycle, cut.verdict) = (216, .interrupted)
        (cut.startedAt, cut.endedAt) = (Night.time("04:10:00"), Night.time("04:20:00"))
        cut.value = ValueRecord(unit: "USD/month", total: 240_000, protected: 0, atRisk: 240_000)
        let report = try report(night + [cut])
        #expect(report.recommendation == .ship && report.exposure.now == 0 && report.exposure.most == 160_000)
        #expect(report.value.atRisk == 0 && report.lastCycle == 216)
        #expect(report.sentence.contains("the newest cycle that was not interrupted is healthy"))
    }

    @Test func `cycles to success count from the first bad one to the next good one`() {
        let (ended, open) = WindowFigures.stretches([.healthy, .failing, .unproven, .healthy, .healthy, .degraded])
        #expect(ended == [3] && open == 1)
        #expect(WindowFigures.stretches([]).ended.isEmpty)
        #expect(WindowFigures.median([4, 1, 3, 2]) == 2 && WindowFigures.median([]) == nil)
    }

    @Test func `before and after are those of the first and last cycle that ran the suite`() throws {
        let suite = try #require(try report(Array(night.dropFirst())).suites.first { $0.suite == "authentication" })
        #expect((suite.firstCycle, suite.firstPassRate) == (214, 96))
        #expect((suite.lastCycle, suite.lastPassRate) == (215, 100))
        let gone = try report(Array(night.dropFirst())).risksEliminated
        #expect(gone.contains("authentication: 96 % -> 100 %, 120,000 USD/month protected again"))
    }

    @Test func `the report as people read it`() throws {
        let report = try report(night)
        Snapshot.expect(report.text(columns: 80), "window-80.txt")
        Snapshot.expect(report.markdown, "window.md")
        Snapshot.expect(report.html(linkBase: "state/staging/"), "window.html")
    }
}
