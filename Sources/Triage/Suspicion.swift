// SPDX-License-Identifier: Apache-2.0
// Failures that share a signature, and what has been observed about them on each revision.

import Domain

/// What is asked of a revision: the answer is pass or fail.
enum Predicate: Hashable, Sendable {
    case deploys
    case getsStable
    /// Tests by suite.
    case passes([Experiment.Selection])
    /// A suite runs whole and its evidence can carry a pass.
    case proves(suite: String)
    /// A performance target is met, measured after its suite ran whole.
    case meets(target: String, suite: String)
}

/// What was seen on one revision.
struct Observation: Hashable, Sendable {
    var passes = 0
    var fails = 0
    /// Set where the revision could not be brought to the point of being asked.
    var untestable = false

    var isFailing: Bool { fails > 0 && passes == 0 }
    var isPassing: Bool { passes > 0 && fails == 0 }
    var isMixed: Bool { passes > 0 && fails > 0 }
}

/// One incident in the making.
struct Suspicion: Hashable, Sendable {
    var signature: String
    /// The signature that it shares with others that behave differently.
    private(set) var sharedSignature: String?
    var title: String
    var predicate: Predicate
    var results: [TestResult] = []
    var suites: [String] = []
    var isMass = false
    /// Fails beside other tests and was never seen to fail without them: only runs of that kind tell.
    var needsCompany = false
    /// Suites that ran up to the first failure: where something is deployed for it they are run again in that order, or
    /// what they did to a service, or used up of a limit, is not asked.
    var before: [String] = []
    var isRepeated: Bool {
        switch predicate {
        case .passes, .meets: true
        case .deploys, .getsStable, .proves: false
        }
    }
    /// May be the sum of all that ran before it: only runs in the order of the pass tell.
    var isInOrder: Bool { needsCompany && !before.isEmpty }
    var family: String { sharedSignature ?? signature }
    var hangs: Bool { results.contains { $0.outcome == .timedOut } }

    /// What the records say about the predicate on `revision`.
    func observation(on revision: Revision, in records: some Sequence<StageRecord>) -> Observation {
        let plain = records.lazy.filter { $0.run.revision == revision && !Suspicion.isOfMixture($0) }
        return observation(plain)
    }

    /// What the records of some experiments say, on whatever revision they ran.
    func observation(ofExperiments numbers: Set<Int>, in records: some Sequence<StageRecord>) -> Observation {
        observation(records.lazy.filter { $0.run.experiment.map(numbers.contains) ?? false })
    }

    /// Tests of one revision on the code of another, and a revision made for the experiment: they say nothing about a
    /// revision of the history.
    private static func isOfMixture(_ record: StageRecord) -> Bool {
        record.run.testsRevision != nil || record.run.purpose == .crossed || record.run.purpose == .revert
    }

    private func observation(_ records: some Sequence<StageRecord>) -> Observation {
        var seen = Observation()
        for record in records {
            switch (predicate, record.run.kind) {
            case (.deploys, .deploy):
                noteStage(record, &seen)
            case (.getsStable, .stabilize) where record.run.purpose != .recheck:
                noteStage(record, &seen)
            case (.passes(let selections), .test):
                note(record, selections, &seen)
            case (.proves(let suite), .test) where record.run.subject == suite && record.run.only == nil:
                if Suspicion.isDoubtful(record) {
                    seen.fails += 1
                } else if record.outcome == .succeeded || (record.suite?.totals.failing ?? 0) > 0 {
                    seen.passes += 1
                } else if record.run.experiment != nil {
                    seen.untestable = true
                }
            case (.meets(let target, let suite), .test) where record.run.subject == suite && record.run.only == nil:
                switch record.targets?.first(where: { $0.name == target })?.status {
                case .met: seen.passes += 1
                case .missed: seen.fails += 1
                case .notMeasured, nil: if record.run.experiment != nil { seen.untestable = true }
                }
            case (.passes, .deploy), (.passes, .stabilize), (.getsStable, .deploy), (.proves, .deploy),
                (.proves, .stabilize), (.meets, .deploy), (.meets, .stabilize):
                if !Suspicion.succeeded(record), record.run.experiment != nil { seen.untestable = true }
            default:
                break
            }
        }
        return seen
    }

    /// A stage whose answer is no counts against the revision; one that was refused, cut off or lost says nothing.
    private func noteStage(_ record: StageRecord, _ seen: inout Observation) {
        if Suspicion.succeeded(record) {
            seen.passes += 1
        } else if [.failed, .timedOut].contains(record.outcome), !record.infrastructure {
            seen.fails += 1
        } else if record.run.experiment != nil {
            seen.untestable = true
        }
    }

    private static func succeeded(_ record: StageRecord) -> Bool {
        if record.outcome == .succeeded { return true }
        return record.run.kind == .deploy && record.outcome == .lost
            && record.live?.revision?.names(record.run.revision) == true
    }

    /// One run of a suite: a test of this suspicion fails, or each that was run passes. Anything else says nothing, and
    /// of an experiment it is remembered, so that the same is not asked again.
    private func note(_ record: StageRecord, _ selections: [Experiment.Selection], _ seen: inout Observation) {
        guard let selection = selections.first(where: { $0.suite == record.run.subject }) else { return }
        let asked = record.run.only.map { only in selection.only.filter(only.contains) } ?? selection.only
        guard !asked.isEmpty, isInOrder ? record.run.only == nil : !needsCompany || !isAlone(record) else { return }
        let listed = record.suite?.notPassed.filter { asked.contains($0.id) } ?? []
        if listed.contains(where: \.outcome.isFailure) {
            seen.fails += 1
        } else if listed.isEmpty, let suite = record.suite, suite.totals.passed > 0, isWhole(record, suite) {
            seen.passes += 1
        } else if record.run.experiment != nil {
            seen.untestable = true
        }
    }

    /// Whether nothing ran but tests of this suspicion.
    func isAlone(_ record: StageRecord) -> Bool {
        guard let only = record.run.only else { return false }
        return only.allSatisfy { id in results.contains { $0.id == id } }
    }

    /// Whether all that was to run did: a test that is not there at a revision does not pass on it.
    private func isWhole(_ record: StageRecord, _ suite: SuiteReading) -> Bool {
        guard let only = record.run.only else { return record.outcome == .succeeded || suite.doubts.isEmpty }
        return suite.totals.tests >= only.count
    }

    private static func isDoubtful(_ record: StageRecord) -> Bool {
        guard let suite = record.suite else { return false }
        return !suite.doubts.isEmpty || suite.authenticity.reasons.contains { $0.verdict != .healthy }
    }
}

extension Suspicion {
    /// More than this share of at least `massMinimum` tests failing at once is a suspicion of the environment.
    private static let massShare = 0.8
    private static let massMinimum = 5

    /// The suspicions of a case: a failed deployment or proof stands alone; otherwise failures by signature.
    static func all(in facts: TriageCase) -> [Suspicion] {
        let pass = facts.current.filter { $0.run.revision == facts.wanted && $0.run.experiment == nil }
        if let deploy = pass.last(where: { $0.run.kind == .deploy }), deploy.outcome != .succeeded,
            deploy.live?.revision?.names(facts.wanted) != true
        {
            return [
                Suspicion(
                    signature: "deploy: \(Signature.normalized(deploy.summary))",
                    title: "deploy failed: \(deploy.summary)", predicate: .deploys)
            ]
        }
        let stabilizing = pass.last { $0.run.kind == .stabilize && $0.run.purpose != .recheck }
        if let stable = stabilizing, stable.outcome != .succeeded {
            let last = stable.probes?.failures.last
            let title = last.map { "\($0.check): \($0.finding)" } ?? stable.summary
            return [
                Suspicion(
                    signature: "stabilize: \(Signature.normalized(title))", title: "not stable: \(title)",
                    predicate: .getsStable)
            ]
        }
        let failing = failures(facts)
        let executed = facts.suites.reduce(0) { $0 + $1.totals.executed }
        if executed >= massMinimum, Double(failing.count) > massShare * Double(executed) {
            var mass = Suspicion(
                signature: "mass failure", title: "mass failure: \(failing.count) of \(executed) tests fail",
                predicate: .passes([]), isMass: true)
            for failure in failing { mass.add(failure.result, of: failure.suite) }
            return [mass.inOrder(facts).underLoad(facts)]
        }
        var found: [Suspicion] = []
        for failure in failing {
            let signature = Signature.of(failure.result)
            if let index = found.firstIndex(where: { $0.signature == signature }) {
                found[index].add(failure.result, of: failure.suite)
            } else {
                var suspicion = Suspicion(signature: signature, title: title(failure.result), predicate: .passes([]))
                suspicion.add(failure.result, of: failure.suite)
                found.append(suspicion)
            }
        }
        if found.isEmpty {
            let doubtful = doubtful(facts)
            return doubtful.isEmpty ? missedTargets(facts) : doubtful
        }
        return found.map { $0.inOrder(facts) }.flatMap { $0.split(by: facts) }
            .map { $0.inCompany(facts).underLoad(facts) }
    }

    /// No test failed, and still a suite's evidence is not one of a pass: the first such suite stands for all.
    private static func doubtful(_ facts: TriageCase) -> [Suspicion] {
        guard
            let doubt = facts.doubts.first(where: { doubt in
                doubt.subject != nil && doubt.rule != "infrastructure" && doubt.verdict != .healthy
                    // No revision of the history can be asked about it.
                    && doubt.rule != Reason.checksMuted
                    && !Conclusions.notOfEvidence.contains(doubt.rule)
            }),
            let suite = doubt.subject
        else { return [] }
        let others = facts.doubts.filter { $0.rule == doubt.rule && $0.subject != suite }.compactMap(\.subject)
        return [
            Suspicion(
                signature: "evidence: \(doubt.rule) \(suite)", title: "\(suite): \(doubt.text)",
                predicate: .proves(suite: suite), suites: [suite] + others)
        ]
    }

    /// Failures that look the same and behave differently on some revision have two causes: they are two suspicions.
    /// The first keeps the signature.
    private func split(by facts: TriageCase) -> [Suspicion] {
        guard results.count > 1, case .passes(let selections) = predicate else { return [self] }
        var parts: [(marks: [Revision: Character], suspicion: Suspicion)] = []
        for selection in selections {
            for id in selection.only {
                guard let result = results.first(where: { $0.id == id }) else { continue }
                var one = Suspicion(signature: signature, title: Suspicion.title(result), predicate: .passes([]))
                (one.needsCompany, one.before) = (needsCompany, before)
                one.add(result, of: selection.suite)
                let marks = one.marks(facts)
                if let index = parts.firstIndex(where: { Suspicion.agree($0.marks, marks) }) {
                    parts[index].suspicion.add(result, of: selection.suite)
                    parts[index].marks.merge(marks) { old, _ in old }
                } else {
                    one.sharedSignature = signature
                    if !parts.isEmpty { one.signature += " (\(id))" }
                    parts.append((marks, one))
                }
            }
        }
        return parts.map(\.suspicion)
    }

    /// What each revision that was asked said, deployed for it: fails, passes, or both; and the wanted one as the cycle
    /// had deployed it. A test that was asked in one of the two only is no other than one that was asked in both.
    private func marks(_ facts: TriageCase) -> [Revision: Character] {
        var marks: [Revision: Character] = [:]
        func note(_ key: Revision, _ seen: Observation) {
            if seen.isFailing { marks[key] = "f" }
            if seen.isPassing { marks[key] = "p" }
            if seen.isMixed { marks[key] = "m" }
        }
        let asked = facts.records.filter { $0.run.experiment != nil }
        let deployed = asked.filter(\.run.purpose.isDeployedExperiment)
        for revision in Set(deployed.map(\.run.revision)) {
            note(revision, observation(on: revision, in: deployed))
        }
        let undisturbed = asked.filter { !$0.run.purpose.isDeployedExperiment }
        note(Revision("undisturbed"), observation(on: facts.wanted, in: undisturbed))
        return marks
    }

    private static func agree(_ one: [Revision: Character], _ other: [Revision: Character]) -> Bool {
        one.allSatisfy { revision, mark in other[revision].map { $0 == mark } ?? true }
    }

    /// What fails in the deciding runs, and what failed in an earlier attempt of the same suite. What everybody knows
    /// of is no question.
    private static func failures(_ facts: TriageCase) -> [(suite: String, result: TestResult)] {
        var found: [(suite: String, result: TestResult)] = []
        func add(_ suite: String, _ results: [TestResult]) {
            for result in results where result.outcome.isFailure && !facts.quarantined.contains(result.id) {
                if !found.contains(where: { $0.suite == suite && $0.result.id == result.id }) {
                    found.append((suite, result))
                }
            }
        }
        for suite in facts.suites { add(suite.name, suite.notPassed) }
        for record in facts.current where record.run.kind == .test && record.run.only == nil {
            guard record.run.revision == facts.wanted, record.run.experiment == nil, let name = record.run.subject
            else { continue }
            add(name, record.suite?.notPassed ?? [])
        }
        // Passed in the pass and failed when tried more often.
        for record in facts.current where record.run.purpose == .burnIn {
            if let name = record.run.subject { add(name, record.suite?.notPassed ?? []) }
        }
        return found
    }

    private static func title(_ result: TestResult) -> String {
        let what = result.outcome == .timedOut ? "cut at its limit" : (result.message ?? result.outcome.rawValue)
        let line = what.split(whereSeparator: \.isNewline).first.map(String.init) ?? what
        return "\(result.id): \(line.count > 100 ? line.prefix(99) + "…" : line[...])"
    }

    private mutating func add(_ result: TestResult, of suite: String) {
        results.append(result)
        if !suites.contains(suite) { suites.append(suite) }
        guard case .passes(var selections) = predicate else { return }
        if let index = selections.firstIndex(where: { $0.suite == suite }) {
            selections[index].only.append(result.id)
        } else {
            selections.append(Experiment.Selection(suite: suite, only: [result.id]))
        }
        predicate = .passes(selections)
    }

    /// A few tests that stand for all: of each suite in turn the one that tells soonest, those that hang last. A suite whose
    /// evidence is doubted is run whole.
    func representatives(_ count: Int, deployed: Bool = false) -> [Experiment.Selection] {
        if deployed, !before.isEmpty { return before.map { Experiment.Selection(suite: $0, only: []) } }
        if case .proves(let suite) = predicate { return [Experiment.Selection(suite: suite, only: [])] }
        if case .meets(_, let suite) = predicate { return [Experiment.Selection(suite: suite, only: [])] }
        guard case .passes(let all) = predicate else { return [] }
        if needsCompany { return all.map { Experiment.Selection(suite: $0.suite, only: []) } }
        let cost: (String) -> Double = { id in
            guard let result = results.first(where: { $0.id == id }) else { return 0 }
            return result.outcome == .timedOut ? 1e6 : result.durationSeconds ?? 0
        }
        var left = isMass ? 2 * count : count
        var queues = all.map {
            ($0.suite, $0.only.enumerated().sorted { (cost($0.1), $0.0) < (cost($1.1), $1.0) }.map(\.1)[...])
        }
        var chosen = all.map { Experiment.Selection(suite: $0.suite, only: []) }
        while left > 0, queues.contains(where: { !$0.1.isEmpty }) {
            for index in queues.indices where left > 0 {
                guard let id = queues[index].1.popFirst() else { continue }
                chosen[index].only.append(id)
                left -= 1
            }
        }
        return chosen.filter { !$0.only.isEmpty }
    }
}
