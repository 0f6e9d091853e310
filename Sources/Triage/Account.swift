// SPDX-License-Identifier: Apache-2.0
// Everything that is known about one suspicion, read from the records once: what rules, experiments and conclusions ask.

import Domain

struct Account {
    let suspicion: Suspicion
    let facts: TriageCase
    /// On the wanted revision, whatever was done between the runs.
    let here: Observation
    /// On the wanted revision as the cycle had deployed it, one run after another: true where it failed.
    let undisturbed: [Bool]
    /// Tests of the same pass, this suspicion's and others', that failed in it and have passed ever since.
    let healedTests: Int
    /// On the wanted revision, deployed once more for it.
    let again: Observation
    /// On the last green revision, deployed for it.
    let green: Observation
    /// Of a stage that failed: how often it has succeeded since, on the same revision and to the end.
    private let stagePasses: Int
    /// What is wrong with the last green revision, deployed now, whatever was asked of it.
    let groundFault: String?
    let search: Search
    /// What answers instead of the deployed revision.
    let wrong: String?
    /// The culprit that an earlier cycle has proven and the wanted revision still contains.
    let known: (incident: Incident, commit: CommitInfo)?

    /// Revisions that answered instead of the deployed one.
    let stale: Set<Revision>

    /// Messages of what else fails on the last green revision too: until it is shown otherwise that has one cause.
    let besides: [TestResult]

    init(_ suspicion: Suspicion, _ facts: TriageCase, among all: [Suspicion] = []) {
        self.suspicion = suspicion
        self.facts = facts
        let deployed = Suspicion.afterDeployments(facts)
        here = suspicion.observation(on: facts.wanted, in: facts.current)
        undisturbed = Account.undisturbed(suspicion, facts)
        healedTests = all.filter { other in
            let runs = Account.undisturbed(other, facts)
            guard other.isRepeated, runs.first == true, let pass = runs.firstIndex(of: false) else { return false }
            return !runs[pass...].contains(true)
        }.reduce(0) { $0 + $1.results.count }
        let onceMore = suspicion.observation(on: facts.wanted, in: deployed)
        // What comes and goes may pass a few times by luck: then that it does says nothing about the deployment.
        let failures = undisturbed.count { $0 }
        let rate = RateInterval.jeffreys(
            RunCounts(fails: failures, passes: undisturbed.count - failures), confidence: 0.8
        ).low
        let mayBeLuck =
            undisturbed.contains(true) && undisturbed.contains(false) && onceMore.isPassing
            && Numbers.power(1 - rate, onceMore.passes) > 0.05
        wrong = suspicion.wrongRevision(facts)
        // A redeployment is tested whole: what fails after it came back, whatever a few tests alone said before.
        let cameBack =
            onceMore.isPassing && undisturbed.first == true
            && facts.current.contains { $0.run.kind == .deploy && $0.run.purpose == .redeploy }
        var again = cameBack ? Observation(fails: 1) : mayBeLuck ? Observation() : onceMore
        let trailing = Account.passesSinceFailure(suspicion, facts)
        if wrong == nil, trailing > 0 { again = Observation(passes: trailing) }
        stagePasses = wrong == nil ? trailing : 0
        let ground = Ground.fault(suspicion, facts)
        let onGreen = facts.lastGreen.map { suspicion.observation(on: $0, in: deployed) } ?? Observation()
        green = ground == nil ? onGreen : Observation(fails: 1)
        groundFault = ground
        self.again = again
        let failsOnGreen = green.isFailing && !suspicion.isMass
        besides =
            failsOnGreen
            ? all.filter { other in
                other.signature != suspicion.signature
                    && facts.lastGreen.map { other.observation(on: $0, in: deployed).isFailing } ?? false
            }.flatMap(\.results) : []
        stale = wrong == nil ? [] : suspicion.staleRevisions(facts)
        known = Conclusions.known(suspicion, facts)
        var isMixed = false
        if suspicion.isRepeated { isMixed = undisturbed.contains(true) && undisturbed.contains(false) }
        let counts = RunCounts(
            fails: undisturbed.dropFirst().count { $0 }, passes: undisturbed.dropFirst().count { !$0 })
        // What the cycle's own deployment showed may have been the surroundings: then it tells nothing about commits.
        search = Search(
            suspicion, facts,
            undisturbed: wrong != nil ? RunCounts(fails: 2) : suspicion.mayBeSurroundings ? nil : counts,
            isLuck: isMixed, trivial: stale)
    }

    private static func undisturbed(_ suspicion: Suspicion, _ facts: TriageCase) -> [Bool] {
        facts.current.filter { !$0.run.purpose.isDeployedExperiment }.compactMap { record in
            let seen = suspicion.observation(on: facts.wanted, in: [record])
            return seen.fails > 0 ? true : seen.passes > 0 ? false : nil
        }
    }

    // MARK: - How it behaves

    /// A failure after a pass, nothing having been deployed between.
    var comesAndGoes: Bool {
        guard suspicion.isRepeated else { return false }
        guard let pass = undisturbed.firstIndex(of: false) else { return again.isMixed }
        return undisturbed[pass...].contains(true) || again.isMixed
    }

    private static func passesSinceFailure(_ suspicion: Suspicion, _ facts: TriageCase) -> Int {
        guard suspicion.predicate == .deploys || suspicion.predicate == .getsStable else { return 0 }
        let seen = facts.current.map { suspicion.observation(on: facts.wanted, in: [$0]) }.filter { $0.runs > 0 }
        guard let last = seen.lastIndex(where: { $0.fails > 0 }) else { return 0 }
        return seen[(last + 1)...].count
    }

    /// Failed at first, and passed ever since.
    var healed: Bool {
        if stagePasses > 0 { return suspicion.predicate == .deploys }
        guard suspicion.isRepeated else { return false }
        return undisturbed.first == true && undisturbed.contains(false) && !comesAndGoes
    }

    /// Passes on the last green revision, or fails there so much less often than here that luck is no explanation: one in
    /// twenty by Fisher's exact test.
    var passesOnGreen: Bool {
        if green.isPassing { return true }
        guard green.isMixed, here.fails > 0 else { return false }
        let comparison = OutcomeComparison(
            here: RunCounts(fails: here.fails, passes: here.passes),
            there: RunCounts(fails: green.fails, passes: green.passes))
        return comparison.fisher < 0.05
    }

    /// `fails 2/2 on last green 41ab7d0 now too`.
    var wordsOfGreen: String {
        let name = facts.lastGreen?.short ?? "last green"
        return groundFault.map { "last green \(name) \($0)" } ?? "\(green.words) on last green \(name) now too"
    }

    var isOfTests: Bool { if case .passes = suspicion.predicate { true } else { false } }

    /// About tests or about a target: it can be run again where it is, and may come and go.
    var isRepeated: Bool { suspicion.isRepeated }

    var wasRedeployed: Bool {
        facts.records.contains { $0.run.kind == .deploy && $0.run.purpose == .redeploy }
    }

    /// A test whose source changed since the last green revision: its pass there is one of another test.
    var changedTest: String? {
        let changed = facts.commits.flatMap(\.files)
        return suspicion.results.lazy.compactMap { result in
            changed.first { Paths.isSource($0, of: result) }
        }.first
    }

    /// What was seen in the experiments of a kind, on whatever revision they ran.
    func observation(of kind: Experiment.Kind, where fits: (Experiment) -> Bool = { _ in true }) -> Observation {
        let numbers = Set(
            facts.experiments.filter { $0.experiment.kind == kind && fits($0.experiment) }.map(\.experiment.number))
        return suspicion.observation(ofExperiments: numbers, in: facts.records)
    }

    // MARK: - Whom it may be about

    /// The commit that is confirmed. A wrong revision must have been seen on another revision that contains it, too: what is
    /// left over from one deployment looks just like a commit that only one revision has.
    var culprit: CommitInfo? {
        guard let found = search.culprit?.commit, groundFault == nil, stagePasses == 0 else { return nil }
        if wrong != nil, found.revision == facts.wanted { return nil }
        return found
    }

    /// The commit that is likely by elimination, where no experiment can confirm one.
    var eliminated: Elimination.Found? { Elimination.ofWrongRevision(self) }

    /// Whether a revision that is not what kept answering was deployed and did answer.
    var hasControl: Bool {
        guard let bayes = search.bayes else { return false }
        return bayes.suspects.contains { bayes.counts(on: $0).passes > 0 }
    }

    var suspects: [CommitInfo] { culprit.map { [$0] } ?? search.suspects }

    /// How many experiments have asked about a revision.
    func asked(_ revision: Revision) -> Int {
        facts.experiments.count { $0.experiment.revision == revision && $0.experiment.kind == .bisect }
    }

    /// Comes and goes, often enough to be searched for, where nothing says that it always did.
    var isNewFlake: Bool {
        guard comesAndGoes, known == nil, !suspicion.isMass, green.fails == 0, !green.untestable else { return false }
        let histories = suspicion.results.flatMap { result in
            suspicion.suites.compactMap { facts.history[TriageCase.historyKey(result.id, of: $0)] }
        }
        if histories.contains(where: { $0.mixedRevisions > 0 }) { return false }
        return Double(here.fails) >= 0.1 * Double(here.runs)
    }

    /// The revision that a commit was made on; nil where that is none of those that were asked about.
    func parent(of commit: CommitInfo) -> Revision? {
        guard let index = facts.commits.firstIndex(of: commit) else { return nil }
        if index == 0 { return facts.greenIsParent ? facts.lastGreen : nil }
        return facts.commits[index - 1].revision
    }

    var parentOfCulprit: Observation {
        guard let culprit, let parent = parent(of: culprit) else { return Observation() }
        return suspicion.observation(on: parent, in: Suspicion.afterDeployments(facts))
    }

    var atCulprit: Observation {
        guard let culprit else { return Observation() }
        return suspicion.observation(on: culprit.revision, in: facts.records)
    }

    /// Passes before the culprit are too many for luck at the rate since it: one in fifty.
    var isBeyondLuck: Bool {
        guard culprit != nil else { return false }
        // The lower end: that it was noticed at all makes the rate look higher than it is.
        let rate = RateInterval.jeffreys(RunCounts(fails: here.fails, passes: here.passes), confidence: 0.8).low
        return Numbers.power(1 - rate, max(parentOfCulprit.passes, green.passes)) <= 0.02
    }

    /// On the wanted revision with the culprit alone taken back.
    var taken: Observation { observation(of: .revert) { $0.reverting == culprit?.revision } }

    /// Fails there at least twice, passes at the parent, and comes back without fail.
    var isProven: Bool {
        guard culprit != nil, atCulprit.isFailing, parentOfCulprit.isPassing, atCulprit.fails >= 2 else { return false }
        return !taken.isFailing
    }
}

/// What paths say about what a file is for.
enum Paths {
    static func isConfiguration(_ path: String) -> Bool {
        let lowered = path.lowercased()
        let endings = [".json", ".json5", ".yaml", ".yml", ".toml", ".ini", ".env", ".properties", ".conf", ".cfg"]
        return endings.contains { lowered.hasSuffix($0) }
    }

    static func isMigration(_ path: String) -> Bool {
        let parts = path.lowercased().split(separator: "/")
        return parts.contains { $0.hasPrefix("migration") || $0 == "migrate" } || path.lowercased().hasSuffix(".sql")
    }

    static func isOfDeployment(_ path: String) -> Bool {
        let parts = path.lowercased().split(separator: "/").map(String.init)
        let folders: Set = [
            "deploy", "deployment", "ops", "helm", "charts", "k8s", "kubernetes", "terraform", "ansible",
        ]
        guard let name = parts.last else { return false }
        return parts.dropLast().contains(where: folders.contains) || name.hasPrefix("dockerfile")
            || name.hasPrefix("deploy")
            || name.hasPrefix("docker-compose") || name == "procfile"
    }

    /// Whether a file decides how tests are run and what their run says, and holds none itself.
    static func runsTests(_ path: String) -> Bool {
        let parts = path.lowercased().split(separator: "/").map(String.init)
        guard let name = parts.last else { return false }
        let names: Set = [
            "makefile", "justfile", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "package.json",
            "noxfile.py",
            "conftest.py", "jest.config.js", "build.gradle", "pom.xml", "jenkinsfile", ".gitlab-ci.yml",
        ]
        if names.contains(name) || parts.contains(".github") { return true }
        let isScript = [".sh", ".bash", ".mk", ".ps1", ".bat"].contains(where: name.hasSuffix)
        return isScript && !isOfDeployment(path)
    }

    /// Whether `path` is where a test stands: by the file its report names, or by the module in its id.
    static func isSource(_ path: String, of test: TestResult) -> Bool {
        if let file = test.file { return path == file || path.hasSuffix("/" + file) || file.hasSuffix("/" + path) }
        guard FileKind.isTest(path), let dot = path.lastIndex(of: "."), let module = module(of: test.id) else {
            return false
        }
        let dotted = path[..<dot].split(separator: "/").joined(separator: ".")
        return dotted == module || dotted.hasSuffix("." + module) || module.hasSuffix("." + dotted)
            || module.hasPrefix(dotted + ".")
    }

    /// `tests.e2e.test_auth` of `tests.e2e.test_auth::test_login[1]`; `tests/test_auth.py` becomes `tests.test_auth`.
    private static func module(of id: String) -> String? {
        guard let end = id.firstRange(of: "::")?.lowerBound else { return nil }
        var name = id[..<end]
        if name.contains("/"), let dot = name.lastIndex(of: ".") { name = name[..<dot] }
        let module = name.split(separator: "/").joined(separator: ".")
        return module.isEmpty ? nil : module
    }
}
