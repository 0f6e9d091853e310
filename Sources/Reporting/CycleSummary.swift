// SPDX-License-Identifier: Apache-2.0
// What every report of a cycle says, as plain rows; the three renderers only lay it out. The strings here are raw:
// each renderer escapes them for its own medium.

package import Domain

struct CycleSummary: Sendable {
    struct StageRow: Sendable {
        var mark: LogLine.Mark
        var folder: String
        var duration: String
        var text: String
    }

    struct SuiteRow: Sendable {
        var mark: LogLine.Mark
        var priority: String
        var name: String
        var totals: String
        var duration: String
        var value: String
        var trust: String
    }

    struct TestRow: Sendable {
        var id: String
        var suite: String
        var outcome: String
        var place: String?
        var message: String?
        var details: String?
        var isFailure: Bool
    }

    let record: CycleRecord

    init(_ record: CycleRecord) {
        self.record = record
    }

    var title: String { "\(record.loop) #\(record.cycle)" }
    var verdict: String { record.verdict.rawValue.uppercased() }
    var recommendation: String { record.recommendation.rawValue.uppercased() }

    /// `2026-11-21T02:31:07Z to 03:13Z, 42m34s, operate, trigger: revision`
    var times: String {
        let end = record.endedAt.wholeSeconds
        let sameDay = end.prefix(10) == record.startedAt.wholeSeconds.prefix(10)
        return "\(record.startedAt.wholeSeconds) to \(sameDay ? String(end.dropFirst(11)) : end), "
            + "\(Durations.text(seconds: record.durationSeconds)), \(record.mode.rawValue), "
            + "trigger \(record.trigger.rawValue)"
    }

    /// `9f3c1e2 "Pool the stream hub" by Ann (main)`
    var wanted: String {
        let revision = record.revision
        var text = revision.wanted.short
        if let subject = revision.subject { text += " \"\(subject)\"" }
        if let author = revision.author { text += " by \(author)" }
        if let ref = revision.ref { text += " (\(ref))" }
        return text
    }

    /// `live 9f3c1e2, before 41ab7d0, last green 41ab7d0`
    var otherRevisions: String {
        let revision = record.revision
        return [
            "live \(revision.live?.short ?? "unknown")", revision.previous.map { "before \($0.short)" },
            revision.lastGreen.map { "last green \($0.short)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }

    /// Nil where no suite has a value.
    var value: String? {
        let value = record.value
        guard value.total > 0 else { return nil }
        let unit = value.unit.isEmpty ? "" : " " + value.unit
        let total = Numbers.grouped(value.total)
        // What it did not come to is neither protected nor at risk.
        if record.verdict == .interrupted {
            return "\(Numbers.grouped(value.protected)) of \(total)\(unit) proven before it was interrupted"
        }
        let condition = SignOff.conditions(value.conditional)
        if value.protected == value.total { return "all \(total)\(unit) protected\(condition)" }
        return "\(Numbers.grouped(value.protected)) of \(total)\(unit) protected\(condition), "
            + "\(Numbers.grouped(value.atRisk)) at risk"
    }

    /// `41ab7d0 (restored)`
    var environment: String {
        let state = record.environment
        let serving = state.serving?.short ?? "unknown revision"
        let words =
            switch state.state {
            case .asWanted: "as wanted"
            case .restored: "restored"
            case .unknown: "not proven"
            }
        let services = state.services.map { service in
            let share = service.trafficPercent.map { " \(Numbers.grouped($0)) %" } ?? ""
            let revision = service.live?.short ?? service.wanted.map { "\($0.short) as deployed" } ?? "unknown"
            return "\(service.name) \(revision)\(share)"
        }
        return "\(serving) (\(words))" + (services.isEmpty ? "" : ": " + services.joined(separator: ", "))
    }

    /// The reasons that carry the verdict first.
    var reasons: [Reason] {
        record.reasons.enumerated().sorted { left, right in
            left.element.verdict.severity != right.element.verdict.severity
                ? left.element.verdict.severity > right.element.verdict.severity : left.offset < right.offset
        }.map(\.element)
    }

    var stages: [StageRow] {
        record.stages.map { stage in
            let limit = stage.limitHit.map { ", limit \($0)" } ?? ""
            let text = stage.summary.isEmpty ? stage.outcome.words : stage.summary
            return StageRow(
                mark: stage.outcome.mark, folder: stage.run.folder,
                duration: Durations.text(seconds: stage.durationSeconds), text: text + limit)
        }
    }

    /// By priority, and in the order of the record where that is equal.
    var suitesByImportance: [SuiteRecord] {
        record.suites.inRunOrder(\.priority)
    }

    var suites: [SuiteRow] {
        suitesByImportance.map { suite in
            SuiteRow(
                mark: suite.status.mark, priority: "P\(suite.priority)", name: suite.name,
                totals: CycleSummary.words(suite.totals, because: suite.because),
                duration: suite.durationSeconds.map { Durations.text(seconds: $0) } ?? "-",
                value: suite.value.map { Numbers.grouped($0) } ?? "-", trust: CycleSummary.trust(suite.authenticity))
        }
    }

    /// Every test that did not pass, failures before the rest.
    var notPassed: [TestRow] {
        let rows = record.suites.flatMap { suite in
            suite.notPassed.map { test in
                let time = test.durationSeconds.map { " after \(Durations.text(seconds: $0))" } ?? ""
                let place = test.file.map { file in test.line.map { "\(file):\($0)" } ?? file }
                let whole = [test.type, test.message].compactMap { $0 }.joined(separator: ": ")
                let message = Printable.line(whole, columns: Printable.columnsPerLine)
                return TestRow(
                    id: test.id, suite: suite.name, outcome: test.outcome.words + time, place: place,
                    message: message.isEmpty ? nil : message, details: test.details,
                    isFailure: test.outcome.isFailure)
            }
        }
        return rows.filter(\.isFailure) + rows.filter { !$0.isFailure }
    }

    /// `24/25 passed, 1 failed, 2 skipped`; why nothing ran where nothing did.
    static func words(_ totals: Totals, because: String? = nil) -> String {
        guard totals.tests > 0 else { return because ?? "no tests" }
        var parts = ["\(Numbers.grouped(totals.passed))/\(Numbers.grouped(totals.tests)) passed"]
        let others = [
            (totals.failed, "failed"), (totals.errored, "errored"), (totals.timedOut, "timed out"),
            (totals.flaky, "flaky"), (totals.skipped, "skipped"), (totals.notRun, "not run"),
        ]
        parts += others.filter { $0.0 > 0 }.map { "\(Numbers.grouped($0.0)) \($0.1)" }
        let executed = totals.executed
        if executed > 0, executed < totals.tests {
            let ran = totals.passed
            parts.append(
                "\(Numbers.grouped(ran)) of \(Numbers.grouped(executed)) executed: "
                    + Numbers.percent(100 * Double(ran) / Double(executed)))
        }
        return parts.joined(separator: ", ") + (because.map { "; \($0)" } ?? "")
    }

    private static func trust(_ authenticity: Authenticity?) -> String {
        guard let authenticity else { return "" }
        let learning = authenticity.baseline.map { ", baseline \($0)" } ?? ""
        return authenticity.status.rawValue + learning
    }
}

extension Incident {
    /// `open, 1 test, seen 3 times since #214`
    package var standing: String {
        let others = joined.map { $0.isEmpty ? "" : ", also announced as \(Plurals.list($0, limit: 8))" } ?? ""
        return "\(state.rawValue), \(history)\(others)"
    }

    /// `1 test, seen 3 times since #214`
    package var history: String {
        "\(Plurals.count(tests.count, "test")), seen \(Plurals.count(timesSeen, "time")) since #\(firstCycle)"
    }
}

extension Diagnosis {
    /// `proven: code-regression in messages`
    package var headline: String {
        if category == .unknown { return "cause unknown" }
        return "\(grade == .unknown ? "not proven" : grade.rawValue): \(category.rawValue)"
            + (component.map { " in \($0)" } ?? "")
    }

    /// What its grade rests on, and how the tests behave: `likely by 93 % >= 80 %; fails 4/4 here`.
    package var figures: String? {
        let parts = [grounds.flatMap { $0.isEmpty ? nil : "\(grade.rawValue) by \($0)" }, statistics].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}

extension Culprit {
    /// `9f3c1e2 "Pool the stream hub" by Ann, 0.998: messages.py`
    package var words: String {
        let by = author.map { " by \($0)" } ?? ""
        let place = files.isEmpty ? "" : ": " + files.prefix(5).joined(separator: ", ")
        return "\(commit.short) \"\(subject)\"\(by), \(Numbers.probability(probability))\(place)"
    }
}

extension EvidenceReference {
    /// `test-1-auth/console.log:12-14`
    package var place: String {
        if let lines, let first = lines.first {
            let last = lines.last ?? first
            return "\(path):\(first)" + (last == first ? "" : "-\(last)")
        }
        if let bytes, let first = bytes.first { return "\(path) bytes \(first)..<\(bytes.last ?? first)" }
        return path
    }

    /// `#3 commits.txt:1`: the place, with the cycle whose folder it is in where that is another one.
    func place(of diagnosis: Diagnosis) -> String { diagnosis.cycle.map { "#\($0) \(place)" } ?? place }
}

extension Experiment {
    /// `experiment 2 baseline on 41ab7d0`
    package var words: String { "\(kind.rawValue) \(number) on \(revision.short)" }
}

extension ActionRecord {
    package var words: String {
        "\(kind.rawValue)\(name.map { " \(Revision($0).short)" } ?? "") \(outcome.rawValue)"
    }

    /// Why, who allowed it, where it is, and what came of it.
    package var account: String {
        let word = approvedBy.map { "approved by \($0)" + (approvedBecause.map { ": \($0)" } ?? "") }
        return [because, word, branch.map { "branch \($0)" }, result].compactMap { $0 }.joined(separator: "; ")
    }
}
