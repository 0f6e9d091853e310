// SPDX-License-Identifier: Apache-2.0
// From what was observed to what is said of one suspicion: category, grade, culprit, action. What the evidence does not
// carry is unknown, and then the one check that would tell is named.

import Domain

struct Diagnosing {
    /// An explanation at least this likely is said to be; what no experiment asked about needs more.
    static let likely = 0.8
    static let likelyUnasked = 0.9
    static let possible = 0.5

    let account: Account
    let hypotheses: Hypotheses
    private let signs: Signs
    private var facts: TriageCase { account.facts }
    private var suspicion: Suspicion { account.suspicion }

    init(_ account: Account) {
        self.account = account
        signs = Signs(account)
        hypotheses = Hypotheses(account, signs)
    }

    var diagnosis: Diagnosis {
        if let known = account.known { return knownCulprit(known.incident, known.commit) }
        let category = category
        let grade = grade(category)
        let culprit = blamed(category)
        let component = Components(account, category).component
        let runbook = facts.runbook.first {
            $0.categories.contains(category) && grade != .unknown && (component != nil || $0.needsComponent != true)
        }?.name
        return Diagnosis(
            category: category, component: component, summary: summary(category, component), grade: grade,
            culprit: culprit, candidates: culprit == nil ? candidates(category) : [],
            recommendedAction: action(category, grade, hasRunbook: runbook != nil), runbook: runbook,
            whys: Whys(account, signs).answers(category, compared), ruledOut: hypotheses.ruledOut(facts.rules),
            hypotheses: hypotheses.records, check: category == .unknown ? NextCheck(account).words : nil,
            statistics: statistics, grounds: grounds(category, grade))
    }

    // MARK: - Category and grade

    private var category: Category {
        // What is proven to answer, or to prove nothing, is no matter of weighing.
        if account.wrong != nil { return .wrongRevision }
        if case .proves = suspicion.predicate { return .fakeEvidence }
        let best = hypotheses.best
        return best.probability >= Diagnosing.possible ? best.category : .unknown
    }

    private func grade(_ category: Category) -> Grade {
        if category == .unknown { return .unknown }
        let isOfCommit = Conclusions.ofCommits.contains(category) || isExhausting(category)
        if account.isProven, isOfCommit { return .proven }
        if account.wrong != nil { return .likely }
        let probability = hypotheses.probability(category)
        // A commit is suspected firmly only where the revision before it passes, now.
        if isOfCommit, case .proves = suspicion.predicate { return hasAsked ? .likely : .possible }
        if isOfCommit, !account.passesOnGreen { return .possible }
        return probability >= (hasAsked ? Diagnosing.likely : Diagnosing.likelyUnasked) ? .likely : .possible
    }

    /// A commit that uses a resource up.
    private func isExhausting(_ category: Category) -> Bool {
        category == .resourceExhaustion && account.culprit != nil
    }

    /// Whether an experiment asked about it.
    var hasAsked: Bool {
        account.again.runs > 0 || account.green.runs > 0 || account.comesAndGoes || account.healed
    }

    // MARK: - Whom, and what to do

    private func blamed(_ category: Category) -> Culprit? {
        if category == .wrongRevision, let found = account.eliminated {
            return Diagnosing.blame(found.commit, Elimination.probability)
        }
        guard Conclusions.canBlame(category), let culprit = account.culprit else { return nil }
        return Diagnosing.blame(culprit, account.search.culprit?.probability ?? 0.8)
    }

    private func candidates(_ category: Category) -> [Culprit] {
        guard Conclusions.ofCommits.contains(category) || [.unknown, .flakyTest].contains(category),
            !account.again.isPassing,
            !signs.signs.contains(.failsOnGreen)
        else { return [] }
        let floor = 0.02 / Double(max(1, account.search.ranked.count))
        return account.search.ranked.prefix(50).filter { $0.probability > floor }
            .map { Diagnosing.blame($0.commit, $0.probability) }
    }

    static func blame(_ commit: CommitInfo, _ probability: Double) -> Culprit {
        Culprit(
            commit: commit.revision, subject: commit.subject, author: commit.author, files: commit.files,
            probability: Numbers.rounded(probability, 4))
    }

    private func action(_ category: Category, _ grade: Grade, hasRunbook: Bool) -> RemedyKind {
        switch category {
        case .unknown,
            .environmentDown where !hasRunbook && !account.again.isPassing:
            return .none
        case .wrongRevision:
            if account.culprit != nil || account.eliminated != nil { return .rollback }
            // Other revisions are deployed and answer: something that belongs to this one's deployment was left over.
            return account.hasControl && hasRunbook ? .runbook : .redeploy
        case .resourceExhaustion where isExhausting(category) && account.passesOnGreen:
            return .rollback
        case .fakeEvidence: return .rejectReport
        case .flakyTest: return signs.signs.contains(.culpritTestsOnly) ? .fixTest : .rerun
        case .testDefect: return grade == .possible ? .none : .fixTest
        case .codeRegression, .configChange, .performanceRegression, .deployFailure:
            // The last green revision passes now: going back there helps.
            if account.passesOnGreen, !account.again.isPassing { return .rollback }
            return hasRunbook ? .runbook : .none
        case .dependencyDown, .environmentDown, .resourceExhaustion, .expiredCredential, .dataState, .network,
            .transient:
            // It is over: whether everything passes is what a whole pass says.
            if account.healed, account.isOfTests { return .rerun }
            if hasRunbook { return .runbook }
            // What was seen is the experiment's selection; only a whole pass makes a verdict.
            return account.again.isPassing && !account.wasRedeployed ? .redeploy : .none
        }
    }

    // MARK: - Words

    /// What the experiments came to, side by side.
    private var compared: String {
        let wanted = facts.wanted.short
        let green = facts.lastGreen?.short ?? "last green"
        if let culprit = account.culprit, let parent = account.parent(of: culprit) {
            let at = account.atCulprit
            let before = account.parentOfCulprit
            let taken = account.taken
            let without = taken.runs == 0 ? "" : "; with it alone taken back \(taken.words)"
            return
                "fails \(at.fails)/\(at.runs) on \(culprit.revision.short), its parent \(parent.short) passes \(before.passes)/\(before.runs)\(without)"
        }
        if let culprit = account.culprit {
            let at = account.atCulprit
            return
                "fails \(at.fails)/\(at.runs) on \(culprit.revision.short); last green \(green), which is not its parent, passes \(account.green.passes)/\(account.green.runs) now"
        }
        if account.wrong != nil {
            let deploys = facts.records.count { $0.run.kind == .deploy && $0.outcome == .succeeded }
            let kept = account.stale.map(\.short).sorted().joined(separator: ", ")
            return "\(deploys) \(deploys == 1 ? "deployment" : "deployments") succeeded, and \(kept) keeps answering"
        }
        if account.again.isPassing {
            return
                "\(wanted) failed, and deployed once more it passes \(account.again.passes)/\(account.again.runs): not brought by a commit"
        }
        if account.comesAndGoes || account.healed {
            let runs = account.here.runs
            return
                "fails \(account.here.fails)/\(runs) and passes \(account.here.passes)/\(runs) on \(wanted): not deterministic"
        }
        if account.passesOnGreen {
            return
                "fails \(account.here.fails)/\(account.here.runs) on \(wanted), passes \(account.green.passes)/\(account.green.runs) on \(green) now"
        }
        if account.green.isFailing {
            let ground = account.wordsOfGreen
            guard let changed = account.changedTest else { return "\(ground): not brought by the new commits" }
            return "\(ground); but \(changed) changed since \(green), so it is no witness of what was before"
        }
        return account.here.runs > 1 ? "fails \(account.here.fails)/\(account.here.runs) on \(wanted)" : ""
    }

    private func summary(_ category: Category, _ component: String?) -> String {
        if let wrong = account.wrong {
            if let found = account.eliminated {
                let files = found.files.joined(separator: ", ")
                return "\(wrong); likely since \(named(found.commit)), which changed \(files): \(found.because)"
            }
            if account.culprit == nil, account.hasControl {
                return
                    "\(wrong); other revisions are deployed and answer, so it is what is left of this one's deployment"
            }
            return account.culprit.map { "\(wrong); since \(named($0)): \(compared)" } ?? wrong
        }
        if let culprit = account.culprit, Conclusions.ofCommits.contains(category) || isExhausting(category) {
            return "\(named(culprit)): \(compared)"
        }
        if category == .unknown {
            let two = hypotheses.ranked.filter { $0.category != .unknown }.prefix(2)
                .map { "\($0.category.rawValue) \(Numbers.percent($0.probability))" }
            let known = compared.isEmpty ? suspicion.title : compared
            return
                "\(known); unknown why, at best \(two.joined(separator: " or ")): the check that would tell is to \(NextCheck(account).words)"
        }
        let ailing = suspicion.ailing(facts)
        var said = compared.isEmpty ? suspicion.title : compared
        if account.passesOnGreen, !account.again.isPassing {
            said +=
                account.suspects.isEmpty
                ? ": which commits lie between is not known" : ": one of \(account.suspects.count) commits"
        }
        let words = telling(category).map { "\($0); " } ?? ""
        if let silent = ailing.unreachable.first, ailing.unreachable.count == 1 {
            return "\(silent) was down (unreachable); \(words)\(said)"
        }
        if let unwell = ailing.component { return "\(unwell) was not well; \(words)\(said)" }
        return telling(category).map { "\($0); \(said)" } ?? said
    }

    /// The words that spoke for a category, as they stand in the failure.
    private func telling(_ category: Category) -> String? {
        guard Conclusions.ofSurroundings.contains(category) else { return nil }
        return hypotheses.ranked.first { $0.category == category }?.because.first {
            $0.weight >= 1.5 && $0.says.contains("(\"")
        }?.says
    }

    private func named(_ commit: CommitInfo) -> String { "\(commit.revision.short) \"\(commit.subject)\"" }

    private var statistics: String? {
        if let figures = suspicion.figures(facts) { return figures }
        guard account.isOfTests, account.here.runs > 0 else { return nil }
        var parts = ["fails \(account.here.fails)/\(account.here.runs) here"]
        if account.green.runs > 0 { parts.append("\(account.green.fails)/\(account.green.runs) on last green") }
        if let culprit = account.culprit, culprit.revision != facts.wanted {
            parts.append("\(account.atCulprit.fails)/\(account.atCulprit.runs) on \(culprit.revision.short)")
        }
        let judgement = FlakeJudgement(
            here: RunCounts(fails: account.here.fails, passes: account.here.passes),
            there: RunCounts(fails: account.green.fails, passes: account.green.passes),
            flakeRate: suspicion.flakeRate(facts))
        if account.here.passes == 0 {
            parts.append("p(flake) = \(Numbers.percent(judgement.flaky))")
        } else {
            let rate = RateInterval.jeffreys(RunCounts(fails: account.here.fails, passes: account.here.passes))
            parts.append("rate \(Numbers.percent(rate.low)) to \(Numbers.percent(rate.high)) at 95 %")
        }
        return parts.joined(separator: ", ")
    }

    // MARK: - Known from before

    private func knownCulprit(_ incident: Incident, _ commit: CommitInfo) -> Diagnosis {
        let proof = "proven in cycle \(incident.firstCycle), and still contained in \(facts.wanted.short)"
        let category = incident.diagnosis?.category ?? .codeRegression
        let action: RemedyKind
        switch category {
        case .testDefect: action = .fixTest
        case .fakeEvidence: action = .rejectReport
        default: action = .rollback
        }
        return Diagnosis(
            category: category, component: incident.diagnosis?.component, summary: "\(named(commit)): \(proof)",
            grade: .likely, culprit: Diagnosing.blame(commit, 0.9), recommendedAction: action,
            whys: Whys(account, signs).known(commit, proof), statistics: statistics,
            grounds: "\(commit.revision.short) was proven in #\(incident.firstCycle) and is still contained")
    }
}
