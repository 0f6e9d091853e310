// SPDX-License-Identifier: Apache-2.0
// A world for the simulator: a repository that grows, commits that break tests, an environment that serves a revision,
// and everything that goes wrong around them. Only what the world really is decides what the invariants expect.

import Domain

@testable import Engine

/// How often things go wrong: once in so many times; 0 is never.
struct Mishaps {
    var deployFails = 40
    var deployLost = 40
    var deployRefused = 60
    var couldNotRun = 60
    var neverRan = 40
    var wrongRevision = 60
    var notStable = 60
    var testLost = 80
    var othersDeploy = 150
    var lookFails = 60
    var operatorSpeaks = 60
    var crash = 80
    var stop = 300
    /// The wall clock is set, by up to two hours either way.
    var clockJumps = 0

    static let none = Mishaps(
        deployFails: 0, deployLost: 0, deployRefused: 0, couldNotRun: 0, neverRan: 0, wrongRevision: 0, notStable: 0,
        testLost: 0, othersDeploy: 0, lookFails: 0, operatorSpeaks: 0, crash: 0, stop: 0, clockJumps: 0)
}

struct World {
    var random: SeededGenerator
    var mishaps: Mishaps
    /// The first-parent history; the last one is the head.
    var commits: [Revision] = []
    private var places: [Revision: Int] = [:]
    /// Tests that fail on every revision from `from` up to (not including) `to`.
    var breakages: [(test: String, suite: String, from: Int, to: Int)] = []
    /// Tests that fail once in so many runs, on every revision.
    var flaky: [String: Int] = [:]
    var live: Revision?
    /// Others deployed since the machine last deployed or looked.
    var othersMoved = false
    /// Deployments whose command ran, by cycle.
    var deployed: [Int: Int] = [:]
    /// What each run came to: asked again after a crash, it is the same.
    var results: [StageRun: StageRecord] = [:]

    /// Commits that mend others, and the tests that they cure.
    private(set) var cures: [Revision: Set<String>] = [:]

    static let tests = ["login": 8, "chat": 6, "extras": 4]

    init(seed: UInt64, mishaps: Mishaps) {
        random = SeededGenerator(seed: seed)
        self.mishaps = mishaps
        commit(breaking: false)
        live = head
    }

    var head: Revision { commits[commits.count - 1] }

    mutating func commit(breaking: Bool) {
        let index = commits.count
        let id = String(index + 1, radix: 16)
        // Abbreviations must tell commits apart, as those of git do.
        let prefix = String(repeating: "0", count: 7 - id.utf8.count) + id
        commits.append(Revision(prefix + String(repeating: "ab", count: 17).prefix(33)))
        places[head] = index
        for open in breakages.indices where breakages[open].to == Int.max && random.once(in: 3) {
            breakages[open].to = index
        }
        if breaking {
            let suite = ["login", "chat", "extras"].randomElement(using: &random) ?? "login"
            let test = "\(suite)-\(Int.random(in: 0..<(World.tests[suite] ?? 1), using: &random))"
            breakages.append((test, suite, index, Int.max))
        }
        if breakages.count > 40 { breakages.removeFirst(20) }
    }

    func index(_ revision: Revision) -> Int { places[revision] ?? 0 }

    /// Tests of a suite that fail on a revision whatever the weather.
    func broken(_ suite: String, on revision: Revision) -> [String] {
        let at = index(revision)
        let broken = Set(breakages.filter { $0.suite == suite && $0.from <= at && at < $0.to }.map(\.test))
        return broken.subtracting(cures[revision] ?? []).sorted()
    }

    mutating func happens(_ times: Int) -> Bool { times > 0 && random.once(in: times) }

    // MARK: - Runs

    /// Does what the run says, once: the same run asked for again has happened already.
    mutating func perform(_ run: StageRun, at now: Timestamp) -> StageRecord {
        if let done = results[run] { return done }
        if happens(mishaps.othersDeploy) {
            live = Revision("feedbee0000000000000000000000000000000000")
            othersMoved = true
        }
        let record: StageRecord
        switch run.kind {
        case .deploy: record = deploy(run, now)
        case .stabilize: record = stabilize(run, now)
        case .test: record = test(run, now)
        case .remedy: record = run.purpose == .fix ? role(run, now) : Samples.record(run, .succeeded, at: now)
        }
        results[run] = record
        return record
    }

    private mutating func deploy(_ run: StageRun, _ now: Timestamp) -> StageRecord {
        if happens(mishaps.neverRan) { return Samples.record(run, .neverRan, at: now) }
        if happens(mishaps.deployRefused) { return Samples.record(run, .refused, "freeze", at: now) }
        if happens(mishaps.couldNotRun) { return Samples.record(run, .couldNotRun, at: now, infrastructure: true) }
        deployed[run.cycle, default: 0] += 1
        if happens(mishaps.deployFails) {
            var record = Samples.record(run, .failed, "exit 1", at: now)
            othersMoved = false
            if random.once(in: 2) {
                if random.once(in: 2) { live = run.revision }
                record.leftLive = Samples.record(run, .failed, at: now, live: .some(live)).live
            }
            return record
        }
        othersMoved = false
        if happens(mishaps.deployLost) {
            if random.once(in: 2) { live = run.revision }
            let seen: Revision? = random.once(in: 3) ? nil : live
            return Samples.record(run, .lost, at: now, live: .some(seen))
        }
        if !happens(mishaps.wrongRevision) { live = run.revision }
        return Samples.record(run, .succeeded, at: now)
    }

    /// A role, the audit or the commit; the commit cures half of the time.
    private mutating func role(_ run: StageRun, _ now: Timestamp) -> StageRecord {
        if happens(mishaps.neverRan) { return Samples.record(run, .neverRan, at: now) }
        if happens(mishaps.testLost) { return Samples.record(run, .lost, at: now) }
        if happens(mishaps.deployFails) { return Samples.record(run, .failed, "refused", at: now) }
        var record = Samples.record(run, .succeeded, at: now)
        var reading = RoleReading(step: run.subject ?? "")
        if run.subject == FixStep.commit {
            let id = "f" + String(1000 + cures.count) + "ab" + String(repeating: "c", count: 33)
            let revision = Revision(String(id.prefix(40)))
            places[revision] = index(run.revision)
            let all = ["login", "chat", "extras"].flatMap { broken($0, on: run.revision) }
            cures[revision] = random.once(in: 2) ? Set(all) : []
            reading.revision = revision
            reading.branch = "nightjar/fix"
        }
        if run.subject == Role.approve.rawValue {
            reading.decision = RoleDecision.allCases.randomElement(using: &random)
        }
        record.role = reading
        return record
    }

    private mutating func stabilize(_ run: StageRun, _ now: Timestamp) -> StageRecord {
        if happens(mishaps.testLost) { return Samples.record(run, .lost, at: now) }
        othersMoved = false
        if happens(mishaps.notStable) { return Samples.record(run, .failed, "503", at: now, live: .some(live)) }
        return Samples.record(run, live == run.revision ? .succeeded : .failed, at: now, live: .some(live))
    }

    private mutating func test(_ run: StageRun, _ now: Timestamp) -> StageRecord {
        if happens(mishaps.testLost) { return Samples.record(run, .lost, at: now) }
        if happens(mishaps.couldNotRun) { return Samples.record(run, .couldNotRun, at: now, infrastructure: true) }
        let suite = run.subject ?? ""
        let all = (0..<(World.tests[suite] ?? 0)).map { "\(suite)-\($0)" }
        let chosen = run.only ?? all
        var failing = live.map { broken(suite, on: $0) } ?? []
        for test in chosen {
            if let rate = flaky[test], random.once(in: rate), !failing.contains(test) { failing.append(test) }
        }
        let notPassed = failing.filter(chosen.contains).map {
            TestResult(id: $0, outcome: .failed, message: "no \($0)", type: "AssertionError")
        }
        var totals = Totals(notPassed)
        totals.tests = chosen.count
        totals.passed = chosen.count - notPassed.count
        return Samples.record(
            run, notPassed.isEmpty ? .succeeded : .failed, at: now,
            suite: SuiteReading(totals: totals, notPassed: notPassed))
    }
}
