// SPDX-License-Identifier: Apache-2.0
// Who did what, and what targets say, in every kind of report.

import Domain
import Testing

@testable import Reporting

struct AuditTrailTests {
    private static let start = Night.failing.startedAt

    private func request(_ event: Event, answer: String? = nil, after seconds: Int) -> RequestRecord? {
        var request = RequestRecord(event, at: Self.start + .seconds(Int64(seconds)))
        request?.answer = answer
        return request
    }

    private func record() -> CycleRecord {
        var record = Night.failing
        let approve = OperatorRequest(
            verb: .approve, by: "ann", argument: "INC-57", answer: ApprovalWords(subject: .rollback, reason: "night"))
        record.requests = [
            request(.operatorRequested(approve), answer: "INC-57 rollback is approved", after: 900),
            request(
                .pauseRequested(
                    PauseRequested(owner: "bob", reason: "load test", until: Self.start + .seconds(7200))), after: 950),
            request(.operatorRequested(OperatorRequest(verb: .abort, by: "eve", argument: "wrong branch")), after: 990),
        ].compactMap { $0 }
        var permit = CommandRecord(
            role: "permit", command: ["./may-deploy.sh"], exit: 75, startedAt: Self.start, durationSeconds: 1)
        permit.log = "deploy-1.permit/console.log"
        record.stages[0].commands.append(permit)
        var review = RoleReading(step: "review")
        (review.decision, review.summary) = (.reject, "the test was weakened")
        review.reasons = ["assert removed"]
        review.audit = [
            AuditRecord(rule: "tests-unchanged", passed: false, finding: "tests/a.py changed", evidence: "a.patch"),
            AuditRecord(rule: "size", passed: true, finding: "12 lines <= 200"),
        ]
        let run = StageRun(
            cycle: record.cycle, kind: .remedy, purpose: .fix, subject: "review", attempt: 1,
            revision: record.revision.wanted)
        var stage = StageRecord(
            run: run, outcome: .succeeded, summary: "reviewed", startedAt: Self.start + .seconds(500),
            endedAt: Self.start + .seconds(510), durationSeconds: 10,
            commands: [
                CommandRecord(
                    role: "main", command: ["./review.sh"], exit: 0, startedAt: Self.start, durationSeconds: 10)
            ])
        stage.role = review
        record.stages.append(stage)
        return record
    }

    @Test func `requests, permits, roles and rules stand in the order of their times`() throws {
        let trail = CycleReport(record(), ReportContext()).auditTrail
        #expect(
            trail.map(\.who) == [
                "permit: ./may-deploy.sh", "role review: review.sh", "audit rule", "audit rule", "ann", "bob", "eve",
            ])
        #expect(trail.map(\.result) == ["not now", "reject", "fail", "pass", "done", "done", "done"])
        #expect(trail[1].detail == "the test was weakened; assert removed" && trail[1].tone == .doubt)
        #expect(trail[2].tone == .bad && trail[2].evidence == ["a.patch"])
        #expect(trail[4].what == "approve INC-57 rollback")
        #expect(trail[4].detail == "because: night; INC-57 rollback is approved")
        #expect(trail[5].what.hasPrefix("pause until ") && trail[5].detail == "because: load test")
        #expect(trail[6].detail == "because: wrong branch")
    }

    @Test func `both reports have the audit, and say where nobody did anything`() {
        let (html, markdown) = (HTMLReport.text(record()), MarkdownReport.text(record()))
        for words in ["Audit: who did what", "tests/a.py changed", "because: load test", "role review"] {
            #expect(html.contains(words) && markdown.replacing("\\", with: "").contains(words), "\(words)")
        }
        #expect(HTMLReport.text(Night.healthy).contains("Nobody asked for anything"))
        #expect(MarkdownReport.text(Night.healthy).contains("Nobody asked for anything"))
    }

    @Test func `every log of every command is linked`() {
        let record = record()
        let logs = record.stages.flatMap(\.commands).compactMap(\.log)
        #expect(logs.contains("deploy-1.permit/console.log"))
        let html = HTMLReport.text(record)
        for log in logs { #expect(html.contains("<a href=\"\(log)\">"), "\(log)") }
    }
}

struct TargetReportTests {
    private func target() -> TargetRecord {
        let settings = TargetSettings(name: "API response", limit: 100, unit: "ms", source: .property("p"))
        var target = TargetRecord(
            settings, values: (1...40).map { 50 + Double($0) }, failed: ["status 503"], evidence: "t/samples.jsonl")
        target.interval = TargetInterval(low: 84, high: nil, confidence: 0.95)
        var change = TargetChange(finding: .worse, cycle: 41, before: 70)
        (change.worseByPercent, change.probability) = (23, 0.0009)
        target.sinceGreen = change
        target.trend = TargetTrend(cycles: 12, fromCycle: 30, slopePerCycle: 1.2, probability: 0.002, cyclesToLimit: 6)
        return target
    }

    @Test func `what got worse and where it goes stands in every report, among the risks and next actions`() {
        var record = Night.healthy
        record.targets = [target()]
        let regression = "23 % worse than last green #41 (p &lt; 0.001)"
        let trend = "reaches the limit in about 6 cycles: rises 1.2 ms per cycle since #30 (p = 0.002)"
        let html = HTMLReport.text(record)
        let markdown = MarkdownReport.text(record).replacing("\\", with: "").replacing("&lt;", with: "<")
        let text = TextReport(record, columns: 200).text
        for page in [html, markdown, text] {
            let isPlain = page != html
            #expect(page.contains(isPlain ? regression.replacing("&lt;", with: "<") : regression))
            #expect(page.contains(trend) && page.contains("95 % CI from 84 ms, open above"))
            #expect(page.contains("1 sample failed: status 503"))
        }
        let report = CycleReport(record, ReportContext())
        #expect(report.risksLeft.contains("target API response \(trend)"))
        #expect(report.nextActions.contains { $0.command == "nightjar show 41" })
        #expect(report.nextActions.contains { $0.command == "nightjar report --cycles 30..\(record.cycle)" })
    }

    @Test func `rounding does not make a miss look like the limit`() {
        let settings = TargetSettings(name: "t", limit: 400, unit: "ms", source: .tests("*"))
        #expect(TargetRecord(settings, values: [400.04], evidence: nil).comparison == "400.04 ms > 400.0 ms")
        #expect(TargetRecord(settings, values: [326.643], evidence: nil).comparison == "326.6 ms <= 400 ms")
        #expect(
            Numbers.measure(0.0003) == "0.0003" && Numbers.measure(12.3456) == "12.35"
                && Numbers.measure(99.95) == "99.95")
        #expect(Numbers.measure(-0.25) == "-0.25" && Numbers.measure(1234567) == "1,234,567")
    }

    @Test func `failed samples rank last, and where the percentile is one of them nothing was measured`() {
        let settings = TargetSettings(name: "t", limit: 100, unit: "ms", source: .tests("*"))
        let one = TargetRecord(settings, values: (1...19).map(Double.init), failed: ["x"], evidence: nil)
        #expect(one.measured == 19 && one.status == .met && one.samples == 19 && one.failedSamples == 1)
        let two = TargetRecord(settings, values: (1...18).map(Double.init), failed: ["status 503", "y"], evidence: nil)
        #expect(two.status == .notMeasured && two.measured == nil)
        #expect(two.because == "2 of 20 samples failed, the first with: status 503")
        var floor = settings
        floor.isFloor = true
        // 95 % are at least the second smallest of twenty; with a failed one that is the smallest.
        let values = (81...100).map(Double.init)
        #expect(TargetRecord(floor, values: values, evidence: nil).measured == 82)
        #expect(TargetRecord(floor, values: Array(values.dropFirst()), failed: ["x"], evidence: nil).measured == 82)
    }

    @Test func `the chart of a distribution shows limit, percentile and interval, and words across no bar`() throws {
        let chart = SVGChart.distribution(target())
        #expect(chart.contains("limit 100 ms") && chart.contains("p95 89 ms") && chart.contains("class=\"band\""))
        #expect(chart.contains("40 values, 89 ms &lt;= 100 ms, 95 % CI from 84 ms, open above"))
        let words = chart.matches(of: /<text [^>]*y="([0-9.]+)"/).compactMap { Double($0.1) }
        let bars = chart.matches(of: /<rect class="(?:good|bad)" [^>]*y="([0-9.]+)" [^>]*height="([0-9.]+)"/)
        let tops = bars.compactMap { Double($0.1) }
        let highest = try #require(tops.min())
        let lowest = try #require(
            bars.compactMap { match in Double(match.1).flatMap { y in Double(match.2).map { y + $0 } } }.max())
        #expect(words.count == 4 && words.allSatisfy { $0 < highest || $0 > lowest + 9 })
        // One value many times over has no width, and is drawn all the same.
        let settings = TargetSettings(name: "t", limit: 5, unit: "", source: .tests("*"))
        #expect(
            SVGChart.distribution(TargetRecord(settings, values: [5, 5, 5], evidence: nil)).contains("class=\"good\""))
    }
}
