// SPDX-License-Identifier: Apache-2.0
// Times, revisions, folder names, patterns and the journal's line format.

import Foundation
import Testing

@testable import Domain

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

struct MomentTests {
    @Test func `a time of another day has its date`() throws {
        let now = try #require(Timestamp("2026-11-21T23:59:00Z"))
        #expect((now + .seconds(30)).moment(at: now) == "23:59Z")
        #expect((now + .seconds(60)).moment(at: now) == "2026-11-22 00:00Z")
    }
}

struct SuiteOrderTests {
    @Test func `suites run by priority and as they stand`() {
        let suites = [("d", 2), ("a", 1), ("e", 2), ("b", 0), ("c", 1)]
        #expect(suites.inRunOrder(\.1).map(\.0) == ["b", "a", "c", "d", "e"])
    }
}

struct TimestampTests {
    @Test func `times are written and read as Foundation does`() throws {
        var random = SeededGenerator(seed: 3339)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        // From the year 1 to the year 9999.
        let edges: [Int64] = [0, -1, 1, 951_782_400_000, 4_107_542_399_999, -62_135_596_800_000, 253_402_300_799_999]
        let some = (0..<2000).map { _ in Int64.random(in: -12_219_292_800_000...253_402_300_799_999, using: &random) }
        for milliseconds in edges + some {
            let time = Timestamp(milliseconds: milliseconds)
            #expect(Timestamp(time.description) == time, "\(milliseconds)")
            guard milliseconds >= -12_219_292_800_000 else { continue }
            let date = try style.parse(time.description)
            #expect(Int64((date.timeIntervalSince1970 * 1000).rounded()) == milliseconds, "\(milliseconds)")
        }
    }

    @Test(arguments: [
        ("2026-11-21T02:31:07Z", "2026-11-21T02:31:07.000Z"), ("2026-11-21t02:31:07.25z", "2026-11-21T02:31:07.250Z"),
        ("2026-11-21 02:31:07.123456789Z", "2026-11-21T02:31:07.123Z"),
        ("2026-11-21T02:31:07+02:00", "2026-11-21T00:31:07.000Z"),
        ("2026-01-01T00:00:00-00:30", "2026-01-01T00:30:00.000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
    ])
    func `forms of RFC 3339`(_ text: String, _ expected: String) {
        #expect(Timestamp(text)?.description == expected)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T02:31:07", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-32T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T02:60:00Z", "2026-11-21T02:31:07.Z", "2026-11-21T02:31:07Zx",
        "2026-11-21T02:31:07+24:00", "26-11-21T02:31:07Z", "２026-11-21T02:31:07Z", "+026-11-21T02:31:07Z",
    ])
    func `anything else is no time`(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `a day that its month does not have is no time`() {
        #expect(Timestamp("2026-02-30T00:00:00Z") == nil)
        #expect(Timestamp("2028-02-29T00:00:00Z") != nil)
    }
}

struct NameTests {
    @Test func `only commit ids have abbreviations`() {
        #expect(!Revision("2026.11.2").names(Revision("2026.11.21")))
    }

    @Test func `an abbreviation names its commit, from seven characters on`() {
        let full = Revision("4f2a9c1d00000000000000000000000000000000")
        #expect(full.names(Revision("4f2a9c1")))
        #expect(Revision("4f2a9c1").names(full))
        #expect(!full.names(Revision("4f2a9c")))
        #expect(!full.names(Revision("9e1b7a3")))
        #expect(full.short == "4f2a9c1")
        #expect(Revision("release-2026.11").short == "release-2026.11")
        #expect(!Revision("").names(full))
    }

    @Test(arguments: [
        "../../etc/passwd", "a/b", "", ".", "..", "a b\n\u{1B}[2J", "ümläut", String(repeating: "x", count: 500),
    ])
    func `a folder name is safe whatever the subject`(_ subject: String) {
        let run = StageRun(
            cycle: 1, kind: .test, purpose: .cycle, subject: subject, attempt: 1, revision: Revision("r"))
        #expect(!run.folder.contains("/"))
        #expect(run.folder.hasPrefix("test-1-"))
        #expect(run.folder.utf8.count <= 80)
        #expect(run.folder.utf8.allSatisfy { (33...126).contains($0) })
        #expect(![".", ".."].contains(StageRun.fileName(subject)))
    }

    @Test(arguments: [
        ("*", "", true), ("*", "anything", true), ("", "", true), ("", "a", false), ("a?c", "abc", true),
        ("a?c", "ac", false), ("*test_023*", "s::test_023[x]", true), ("a*b*c", "a--b--c", true),
        ("a*b*c", "a--c--b", false), ("**a", "bba", true), ("?", "é", true),
        ("migrations/**", "migrations/1/up.sql", true),
        ("a*", "b", false), ("*a", "ab", false), ("a*a", "a", false), ("[a]", "a", false),
    ])
    func `patterns`(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(Glob.matches(pattern, text) == matches)
    }

    @Test func `a hostile pattern costs no more than the product of the lengths`() {
        let text = String(repeating: "a", count: 2000)
        let pattern = String(repeating: "a*", count: 200) + "b"
        let clock = ContinuousClock()
        let took = clock.measure { #expect(!Glob.matches(pattern, text)) }
        #expect(took < .seconds(20))
    }
}

struct EventCodingTests {
    private static let time = Timestamp(milliseconds: 1_795_228_267_250)
    private static let revision = Revision("4f2a9c1d00000000000000000000000000000000")

    static var all: [Event] {
        let run = StageRun(
            cycle: 3, kind: .test, purpose: .rerun, subject: "login", attempt: 2, revision: revision, only: ["a", "b"],
            experiment: 1)
        let record = StageRecord(
            run: run, outcome: .failed, summary: "1 of 2 \"fail\" /now/", startedAt: time, endedAt: time,
            durationSeconds: 1.5, live: LiveReading(revision: revision, asked: 3),
            suite: SuiteReading(totals: Totals([TestResult(id: "a", outcome: .failed)])), infrastructure: true)
        let experiment = Experiment(
            number: 1, kind: .bisect, question: "?", revision: revision,
            tests: [Experiment.Selection(suite: "login", only: ["a"])], times: 2, plannedDeploys: 1)
        var incident = Incident(
            id: "INC-1", signature: "s", title: "t", tests: ["a"], suites: ["login"], firstSeen: time, firstCycle: 1)
        incident.diagnosis = Diagnosis(
            category: .codeRegression, summary: "s", grade: .proven,
            culprit: Culprit(commit: revision, subject: "s", probability: 0.9), recommendedAction: .rollback)
        var memory = LoopMemory()
        memory.cycle = 7
        memory.incidents = [incident]
        memory.greenCycles = ["INC-1": 1]
        memory.knownBad = [LoopMemory.KnownBad(revision: revision, cycle: 1, because: "b")]
        let policy = LoopPolicy(
            LoopSettings(name: "l", mode: .operate, environment: "e", stateDirectory: "s", baseDirectory: "."))
        memory.policy = policy
        return [
            .daemonStarted(DaemonStarted(pid: 1, host: "h", version: "1", cycles: 2, green: revision)),
            .settingsAdopted(SettingsAdopted(policy: policy, hash: "h", path: "p")), .memoryCarried(memory),
            .windowChanged(WindowChanged(isOpen: true, until: time)),
            .windowChanged(WindowChanged(isOpen: false, until: nil)),
            .workSeen(WorkSeen(trigger: .again, wanted: revision, live: revision, containsKnownBad: [revision])),
            .workUnavailable(WorkUnavailable(trigger: .once, reason: "r", source: "disk")), .stageEnded(record),
            .triageAnswered(TriageAnswered(cycle: 3, experiment: experiment)),
            .triageAnswered(TriageAnswered(cycle: 3, incidents: [incident])),
            .timerFired(TimerID(name: .backOff, serial: 4)),
            .pauseRequested(PauseRequested(owner: "o", reason: "r", until: time)),
            .operatorRequested(OperatorRequest(verb: .acknowledge, by: "b", argument: "INC-1")),
            .stopRequested(StopRequested(now: true, by: "b")),
            .cycleSealed(CycleSealed(cycle: 3, sha256: "x", verdict: .degraded)),
        ]
    }

    @Test(arguments: EventCodingTests.all)
    func `an event of each kind is read as it was written`(_ event: Event) throws {
        let entry = JournalEntry(sequence: 9, at: Self.time, cycle: 41, event: event)
        let data = try JSONEncoder().encode(entry)
        #expect(try JSONDecoder().decode(JournalEntry.self, from: data) == entry)
        #expect(!data.contains(10))
    }

    @Test func `an unknown kind stops the reader, an unknown key does not`() throws {
        let line =
            #"{"seq":1,"at":"2026-11-21T02:31:07Z","cycle":1,"kind":"KIND","name":"backOff","serial":2,"new":[1]}"#
        let known = line.replacingOccurrences(of: "KIND", with: "timerFired")
        let entry = try JSONDecoder().decode(JournalEntry.self, from: Data(known.utf8))
        #expect(entry.event == .timerFired(TimerID(name: .backOff, serial: 2)))
        #expect(throws: UnknownEventKind.self) {
            try JSONDecoder().decode(JournalEntry.self, from: Data(line.utf8))
        }
    }
}
