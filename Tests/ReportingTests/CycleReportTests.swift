// SPDX-License-Identifier: Apache-2.0
// What a report of a cycle computes, and what it cannot be made to say.

import Domain
import Testing

@testable import Reporting

@Suite struct CycleReportTests {
    private func report(_ record: CycleRecord, _ previous: CycleRecord? = nil) -> CycleReport {
        CycleReport(record, ReportContext(previous: previous))
    }

    @Test func `what is not quite all is not called all, what is not quite nothing not nothing`() {
        #expect(Numbers.percent(100) == "100 %")
        #expect(Numbers.percent(99.999) == "99.9 %")
        #expect(Numbers.percent(0) == "0 %")
        #expect(Numbers.percent(0.001) == "<0.1 %")
        #expect(Numbers.percent(100.0 * 230 / 550) == "41.8 %")
        #expect(Numbers.percent(.nan) == "unknown")
    }

    @Test func `the value at risk is shown as the sum that it is`() throws {
        let formula = try #require(report(Night.failing).valueFormula)
        #expect(formula.contains("authentication 120,000 + exports 40,000 = 160,000"))
        #expect(formula.contains("240,000 - 160,000 = 80,000 (33.3 %)"))
    }

    @Test func `changes are told from the cycle before, and only from it`() throws {
        #expect(report(Night.failing).changes == nil)
        let changes = try #require(report(Night.failing, Night.healthy).changes?.map(\.text))
        #expect(changes.contains("verdict healthy -> failing"))
        #expect(changes.contains("revision 41ab7d0 -> 9f3c1e2 \"Pool the stream hub\""))
        #expect(changes.contains("incident INC-57: streaming chat times out"))
        #expect(changes.contains("at risk 0 -> 160,000 USD/month"))
    }

    @Test func `a suite that lost tests or went missing is a change for the worse`() throws {
        var (before, now) = (Night.healthy, Night.healthy)
        now.suites[0].totals = Night.totals(passed: 3)
        before.suites.append(Night.suites[1])
        let worse = try #require(report(now, before).changes).filter { $0.direction == .worse }.map(\.text)
        #expect(worse == ["suite websocket has 3 tests, before 5", "suite authentication is gone"])
    }

    @Test func `before and after within a cycle wins over the cycle before`() throws {
        var record = Night.failing
        record.suites[1].stage = "reverify-1-authentication"
        record.stages[3].suite = SuiteReading(totals: Night.totals(passed: 20, failed: 5))
        let row = try #require(report(record, Night.healthy).beforeAfter.first { $0.suite == "authentication" })
        #expect(row.source == "test-1-authentication")
        #expect(row.before?.passRate == 80)
        let other = try #require(report(record, Night.healthy).beforeAfter.first { $0.suite == "websocket" })
        #expect(other.source == "#213")
    }

    @Test func `standings follow from the rules`() {
        func standing(_ change: (inout SuiteRecord) -> Void, _ reasons: [Reason] = []) -> Standing? {
            var record = Night.failing
            change(&record.suites[1])
            record.reasons = reasons
            return SignOff.suites(record).first { $0.suite == "authentication" }?.standing
        }
        func reason(_ rule: String) -> Reason {
            Reason(rule: rule, verdict: .degraded, text: "…", subject: "authentication")
        }
        let failing = Reason(rule: "test-failed", verdict: .failing, text: "…", subject: "authentication")
        #expect(
            standing {
                $0.status = .passed; $0.totals = Night.totals(passed: 25)
            } == .approved)
        #expect(standing { _ in } == .rejected)
        #expect(standing({ _ in }, [reason("quarantine")]) == .conditional)
        #expect(standing({ _ in }, [reason("quarantine"), failing]) == .rejected)
        #expect(standing({ $0.blocking = false }, [reason("test-failed")]) == .conditional)
        #expect(standing { $0.status = .notRun } == .rejected)
        #expect(standing { $0.status = .unproven } == .rejected)
        for (skipped, notRun) in [(1, 0), (0, 1)] {
            #expect(
                standing {
                    $0.status = .passed; $0.totals = Night.totals(passed: 24, skipped: skipped, notRun: notRun)
                } == .conditional)
        }
        // A suite that is called passed while a test of it failed is not approved by its name.
        #expect(standing { $0.status = .passed } != .approved)
    }

    @Test func `what told nothing is a condition, each reason once, and its value is not plainly protected`() throws {
        var record = Night.healthy
        #expect(report(record).summary.value == "all 80,000 USD/month protected")
        record.suites[0].totals = Night.totals(passed: 2, skipped: 4)
        record.suites[0].notPassed = [
            TestResult(id: "a", outcome: .skipped, message: "needs a login"),
            TestResult(id: "b", outcome: .skipped, message: "needs a proxy"),
            TestResult(id: "c", outcome: .skipped, message: "needs a proxy"),
        ]
        let found = try #require(SignOff.suites(record).first)
        #expect(found.standing == .conditional)
        #expect(
            found.prerequisites == [
                "2 tests skipped: needs a proxy", "1 test skipped: needs a login", "1 more test skipped or not run",
            ])
        #expect(SignOff.phases(record)[2].standing == .conditional)
        // As the loop records it: neither protected nor at risk.
        #expect(SignOff.conditional(record) == ["websocket"])
        record.value = ValueRecord(unit: "USD/month", total: 80_000, protected: 0, atRisk: 0, conditional: 80_000)
        #expect(report(record).summary.value == "0 of 80,000 USD/month protected, 80,000 on conditions, 0 at risk")
        #expect(report(record).valueFormula?.contains("80,000 - 0 - 80,000 on conditions = 0 (0 %)") == true)
        let window = try #require(WindowReport([record], from: record.startedAt, to: record.endedAt))
        #expect(window.sentence.contains("0 of 80,000 USD/month protected (0 %), 80,000 on conditions"))
        #expect(window.figures.first?.remark.hasSuffix("80,000 on conditions") == true)
    }

    @Test func `a healthy cycle whose suites passed on conditions is approved on these conditions, and says which`() {
        var record = Night.healthy
        #expect(SignOff.phases(record)[3].standing == .approved)
        record.suites[0].totals = Night.totals(passed: 1, skipped: 9)
        record.suites[0].notPassed = (1...9).map {
            TestResult(id: "t\($0)", outcome: .skipped, message: "needs a login")
        }
        let approval = SignOff.phases(record)[3]
        #expect(approval.standing == .conditional)
        #expect(approval.what == "healthy: ship; missing: websocket (9 tests skipped: needs a login)")
        for text in [MarkdownReport.text(record), HTMLReport.text(record)] {
            #expect(!text.contains("APPROVED | final") && text.contains("needs a login"))
        }
        // What does not ship is not approved on any conditions.
        record.recommendation = .hold
        #expect(SignOff.phases(record)[3].standing == .rejected)
    }

    @Test func `a capability is judged by its own tests, and is no plain pass where some told nothing`() {
        var record = Night.healthy
        let whole = CapabilityRecord(
            name: "login", suite: "websocket", value: 1000, status: .passed, totals: Night.totals(passed: 5))
        var part = whole
        (part.name, part.totals) = ("export", Night.totals(passed: 1, skipped: 9))
        record.capabilities = [whole, part]
        #expect(record.capabilities.map(\.isConditional) == [false, true])
        #expect(MarkdownReport.text(record).contains("| 1,000 on conditions |"))
        #expect(HTMLReport.text(record).contains("1,000 on conditions"))
        let risks = report(record).risksLeft
        #expect(risks.contains { $0.hasPrefix("capability export: passed on conditions, 1/10 passed") }, "\(risks)")
        #expect(!risks.contains { $0.contains("capability login") })
        #expect(TextReport(record).text.contains("capability export: passed on conditions"))
    }

    @Test func `the hash of the chain goes out with every report`() throws {
        let hash = String(repeating: "4f", count: 32)
        let context = ReportContext(seal: hash)
        for text in [MarkdownReport.text(Night.failing, context), HTMLReport.text(Night.failing, context)] {
            #expect(text.contains(hash) && text.contains("Seal of #214 and all before it"))
        }
        let record = Night.failing
        let window = try #require(
            WindowReport(
                [record], from: record.startedAt, to: record.endedAt, seal: Seal(cycle: 214, sha256: hash)))
        for text in [window.markdown, window.html(), window.text(columns: 200)] {
            #expect(text.contains(hash) && text.contains("Seal of #214"))
        }
    }

    @Test func `nobody reviewed what no review is recorded of`() throws {
        let phases = SignOff.phases(Night.healthy)
        #expect(phases.map(\.phase) == ["implementation", "review", "execution", "final approval"])
        #expect(phases[1].standing == .notRecorded)
        #expect(phases[3].standing == .approved)
        #expect(SignOff.phases(Night.failing)[3].standing == .rejected)
    }

    @Test func `links lead into the cycle folder or nowhere`() {
        #expect(
            HTML.link("test-1/console.log", base: "")
                == "<a href=\"test-1/console.log\"><code>test-1/console.log</code></a>")
        for path in ["../x", "/etc/passwd", "a/../b", "", "a//b", "./a"] {
            #expect(!HTML.link(path, base: "").contains("href"), "\(path)")
            #expect(!Markdown.link(path, base: "").contains("]("), "\(path)")
        }
        #expect(HTML.link("javascript:alert(1)", base: "").contains("href=\"javascript%3Aalert%281%29\""))
    }

    @Test func `a healthy cycle asks for nothing but to ship`() {
        let actions = report(Night.healthy).nextActions
        #expect(actions.first?.command == "nightjar gate 41ab7d0")
        #expect(!actions.contains { $0.command?.contains("ack") == true })
        let bad = report(Night.failing).nextActions.compactMap(\.command)
        #expect(bad.starts(with: ["nightjar why INC-57", "nightjar ack INC-57"]) || bad.contains("git revert 9f3c1e2"))
        #expect(!bad.contains { $0.contains("gate") })
    }

    @Test func `margins are told with the right sign`() {
        let target = TargetSettings(name: "t", limit: 100, unit: "ms", source: .tests("*"))
        let met = TargetRecord(target, values: [85], evidence: nil)
        #expect(met.comparison == "85 ms <= 100 ms" && met.margin == "15 % better" && met.basis == nil)
        let missed = TargetRecord(target, values: [120, 110], evidence: nil)
        #expect(missed.comparison == "120 ms > 100 ms" && missed.margin == "20 % worse" && missed.basis == "p95 of 2")
        let silent = TargetRecord(target, values: [], evidence: nil)
        #expect(silent.comparison == "no value was reported" && silent.margin == nil)
    }
}
