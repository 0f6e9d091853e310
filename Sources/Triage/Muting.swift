// SPDX-License-Identifier: Apache-2.0
// Everything passes, and a commit since the last green revision changed what the tests check in a way that may keep a
// failure from being seen: it is taken back alone, and the suites run once more. Where they fail then, their pass proved
// nothing.

import Domain

/// Lines in files of tests, and of what runs them, with which a failing check is no longer seen.
package enum MutingLine {
    /// The first part must stand in the line; of the others one must, where there are any.
    private static let added: [[String]] = [
        ["except:"], ["except exception"], ["except baseexception"], ["except", "assertionerror"], ["suppress("],
        ["catch (", "error", "exception", "throwable", "(e)", "(_)", "(...)"], ["catch {"], [".catch("], ["rescue"],
        ["recover()"], ["try?"], ["|| true"], ["|| :"], ["set +e"], ["exit 0"], ["exit(0"], ["skip("], [".skip"],
        ["skipif"], ["skipunless"], ["skiptest"], ["@skip"], ["xfail"],
        ["expectedfailure"], ["withknownissue"], ["deselect"], ["-k", "not "], ["--ignore"], ["collect_ignore"],
        ["__test__"], ["makereport"],
        ["pytest_collection_modifyitems"], ["pytest_pyfunc_call"], ["force_result"], ["force_exception"],
        ["outcome", "passed"], ["continue-on-error"], ["allow_failure"], ["disabled("], ["@disabled"], ["@ignore"],
        ["#[ignore"], [".only("], ["xit("], ["xdescribe("], [".todo("],
    ]
    private static let checks = [
        "assert", "expect(", "#expect", "#require", "raise_for_status", "should(", "t.error", "t.fatal", "require.",
        "verify(", "fail(",
    ]

    /// Whether an added line may keep a failure from being seen.
    package static func isMuting(_ line: String) -> Bool {
        let text = line.lowercased().drop { $0 == " " || $0 == "\t" }
        guard !["#", "//", "/*", "*"].contains(where: { text.hasPrefix($0) && !text.hasPrefix("#[") }) else {
            return false
        }
        return added.contains { parts in
            text.contains(parts[0]) && (parts.count == 1 || parts.dropFirst().contains { text.contains($0) })
        }
    }

    /// Whether a line checks something.
    package static func isCheck(_ line: String) -> Bool {
        let text = line.lowercased()
        return checks.contains { text.contains($0) }
    }

    /// Whether a file holds tests, what they share, or what runs them.
    package static func mayStand(in path: String) -> Bool { FileKind.isTest(path) || Paths.runsTests(path) }
}

enum Muting {
    /// More commits than these are not tried in one cycle.
    private static let commitsTried = 3
    /// Of what failed when everything ran, so many tests are run again before it counts.
    private static let testsConfirmed = 6

    /// Once with all suites; what fails then twice more, so that luck condemns nothing.
    static func experiment(_ accounts: [Account], _ facts: TriageCase) -> Experiment? {
        guard accounts.isEmpty, facts.burnIn != nil, Investigator.may(.revert, facts),
            facts.doubts.allSatisfy({ $0.verdict == .healthy || $0.rule == Reason.checksMuted })
        else { return nil }
        let whole = facts.suites.filter { $0.status == .passed && $0.totals.executed > 0 }
        let seconds = whole.reduce(0) { $0 + ($1.durationSeconds ?? 0) }
        guard !whole.isEmpty, seconds < facts.allowance.seconds else { return nil }
        let suspects = facts.commits.filter { commit in
            commit.changes.contains { $0.mutes != nil } && facts.irrevertible[commit.revision] == nil
        }
        for commit in suspects.suffix(commitsTried) {
            let done = facts.experiments.filter { $0.experiment.reverting == commit.revision }
            if let first = done.first {
                let failing = failing(in: first.experiment.number, facts)
                guard done.count == 1, !failing.isEmpty else { continue }
                return experiment(commit, failing, times: 2, facts)
            }
            return experiment(commit, whole.map { Experiment.Selection(suite: $0.name, only: []) }, times: 1, facts)
        }
        return nil
    }

    private static func experiment(
        _ commit: CommitInfo, _ tests: [Experiment.Selection], times: Int, _ facts: TriageCase
    ) -> Experiment {
        let change = commit.changes.first { $0.mutes != nil }
        let line = change?.mutes.map { ": \($0)" } ?? ""
        let what = "\(commit.revision.short) may keep failures from being seen (\(change?.path ?? "")\(line))"
        let asks = times == 1 ? "do the suites pass without it?" : "do they fail each time without it?"
        return Experiment(
            number: facts.allowance.nextNumber, kind: .revert, question: "\(what): \(asks)",
            revision: Revision("revert-of-\(commit.revision.id)"), tests: tests, times: times, plannedDeploys: 1,
            reverting: commit.revision)
    }

    private static func failing(in number: Int, _ facts: TriageCase) -> [Experiment.Selection] {
        var left = testsConfirmed
        var found: [Experiment.Selection] = []
        for record in facts.records where record.run.experiment == number && record.run.kind == .test {
            let failing = (record.suite?.notPassed ?? []).filter {
                $0.outcome.isFailure && !facts.quarantined.contains($0.id)
            }
            guard let suite = record.run.subject, !failing.isEmpty, left > 0 else { continue }
            found.append(Experiment.Selection(suite: suite, only: failing.prefix(left).map(\.id)))
            left -= found[found.count - 1].only.count
        }
        return found
    }

    // MARK: - What came of it

    /// What a suite's pass hid, and since which commit.
    static func incident(_ doubt: Reason, _ facts: TriageCase) -> Incident {
        let suite = doubt.subject ?? ""
        var incident = Incident(
            id: "", signature: "evidence: \(doubt.rule) \(suite)", title: doubt.text, tests: [], suites: [suite],
            firstSeen: facts.openedAt, firstCycle: facts.cycle)
        var diagnosis = Diagnosis(
            category: .fakeEvidence, component: "tests", summary: "the pass proves nothing: \(doubt.text)",
            grade: .likely, recommendedAction: .rejectReport, whys: Whys.unknown(facts), grounds: "rule \(doubt.rule)")
        let found = HiddenFailures.of(suite: suite, experiments: facts.experiments, records: facts.records)
            .compactMap { hidden -> (commit: CommitInfo, tests: [TestResult], shown: StageRecord)? in
                let tests = hidden.tests.filter { !facts.quarantined.contains($0.id) }
                let commit = facts.commits.first { $0.revision == hidden.commit }
                return tests.isEmpty ? nil : commit.map { ($0, tests, hidden.shown) }
            }
        if let (commit, tests, shown) = found.first {
            incident.tests = tests.map(\.id)
            diagnosis.culprit = Diagnosing.blame(commit, Elimination.probability)
            diagnosis.summary = "\(Whys.named(commit)): \(doubt.text)"
            answer(&diagnosis.whys, suite, commit, tests[0], shown, facts)
        }
        incident.diagnosis = diagnosis
        return incident
    }

    private static func answer(
        _ whys: inout [Why], _ suite: String, _ commit: CommitInfo, _ test: TestResult, _ shown: StageRecord,
        _ facts: TriageCase
    ) {
        let seen = facts.reference(test.id, in: shown.run.folder) ?? facts.consoles[shown.run.folder]
        let listed = Whys.listed(commit, facts)
        let change = commit.changes.first { $0.mutes != nil }
        let file = change?.path ?? "a file of the tests"
        let line = change?.mutes.map { ": \($0)" } ?? ""
        let answers: [(String, Double, EvidenceReference?)] = [
            ("\(suite) passes, and its pass proves nothing", 0.9, seen),
            ("\(test.id) fails without \(commit.revision.short): \(test.message ?? test.outcome.rawValue)", 0.9, seen),
            ("\(file) keeps failures from being seen\(line)", 0.8, listed),
            ("likely commit \(Whys.named(commit)): with it alone taken back the tests fail", 0.8, listed),
            ("what the tests check was changed, and nothing but the tests looks at that", 0.6, listed),
        ]
        for (index, answer) in answers.enumerated() {
            guard let evidence = answer.2 else { continue }
            whys[index] = Why(
                n: index + 1, question: Whys.questions[index], answer: answer.0, confidence: answer.1,
                evidence: [evidence])
        }
    }
}
