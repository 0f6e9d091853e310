// SPDX-License-Identifier: Apache-2.0
// Values for the tests: a loop in a temporary folder, records with every field set, seeded chance.

import Domain
import Evidence
import Foundation

/// A loop's state in a folder of its own, removed with the object.
final class TemporaryLoop: Sendable {
    let layout: EvidenceLayout
    var root: String { layout.root }

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("evidence-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        layout = EvidenceLayout(root: folder.path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: layout.root)
    }

    func put(_ text: String, at path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
    func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }
}

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

/// Runs a program on a thread of its own and returns its exit status and output.
func run(_ command: [String], in folder: String) async throws -> (status: Int32, output: String) {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = command
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            do {
                try process.run()
            } catch {
                return continuation.resume(throwing: error)
            }
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            continuation.resume(returning: (process.terminationStatus, String(decoding: output, as: UTF8.self)))
        }
    }
}

enum Samples {
    static let start = Timestamp(milliseconds: 1_795_228_267_250)
    static let good = Revision("4f2a9c1d00000000000000000000000000000000")
    static let bad = Revision("9e1b7a3300000000000000000000000000000000")

    static func at(_ seconds: Int) -> Timestamp { start + .seconds(seconds) }

    static let failure = TestResult(
        id: "tests.chat::test \"x\"\u{1B}[31m", outcome: .failed, durationSeconds: 0.125,
        message: "expected 200\n\tgot 503",
        type: "AssertionError", details: "line 1\u{0}\u{7F}\u{85}end", file: "tests/chat.py", line: 12,
        selector: "tests/chat.py::test_x", retries: 2, fromConsole: false)

    static func tests(_ count: Int) -> [TestResult] {
        (0..<count).map { TestResult(id: "suite::test_\($0)", outcome: .passed, durationSeconds: Double($0) / 8) } + [
            failure
        ]
    }

    static let diagnosis = Diagnosis(
        category: .codeRegression, component: "chat", summary: "the chat answers 503 since 9e1b7a3", grade: .proven,
        culprit: Culprit(commit: bad, subject: "Use one pool", author: "Ada", files: ["chat.py"], probability: 0.97),
        candidates: [Culprit(commit: good, subject: "Before", probability: 0.03)], recommendedAction: .rollback,
        runbook: "restart-dependency",
        whys: [
            Why(
                n: 1, question: "What failed?", answer: "one test", confidence: 1,
                evidence: [
                    EvidenceReference(path: "test-1-chat/console.log", lines: [3, 4], bytes: [10, 20], excerpt: "503")
                ])
        ], ruledOut: [RuledOut(category: .network, because: "all other hosts answer")])

    static let incident = Incident(
        id: "INC-57", signature: "AssertionError chat", title: "chat answers 503", tests: [failure.id],
        suites: ["chat"],
        firstSeen: start, firstCycle: 7, timesSeen: 3, diagnosis: diagnosis)

    static func testStage(_ cycle: Int, revision: Revision = good, tests: [TestResult]) -> StageRecord {
        let run = StageRun(
            cycle: cycle, kind: .test, purpose: .cycle, subject: "chat", attempt: 1, revision: revision)
        let failing = tests.filter { $0.outcome.isFailure }
        return StageRecord(
            run: run, outcome: failing.isEmpty ? .succeeded : .failed,
            summary: "\(failing.count) of \(tests.count) failed",
            startedAt: at(cycle * 600 + 60), endedAt: at(cycle * 600 + 90), durationSeconds: 30,
            commands: [
                CommandRecord(
                    role: "main", command: ["pytest", "tests"], exit: 1, startedAt: at(cycle * 600 + 60),
                    durationSeconds: 29.5, resources: ResourceUse(cpuSeconds: 4.25, peakMemoryBytes: 1 << 27),
                    hosts: ["10.0.0.7:443"], leftovers: [Leftover(pid: 77, command: "sleep", ended: true)],
                    log: run.folder + "/console.log", logBytes: 12, logDroppedBytes: 0)
            ],
            suite: SuiteReading(
                totals: Totals(tests), notPassed: failing, testsFile: run.folder + "/tests.jsonl",
                reports: [run.folder + "/report.xml"], cut: ["slow"]))
    }

    static func stabilizeStage(_ cycle: Int) -> StageRecord {
        let run = StageRun(cycle: cycle, kind: .stabilize, purpose: .cycle, attempt: 1, revision: good)
        let sample = ProbeSample(
            check: "health", at: at(30), ok: false, finding: "status 503, expected 200", milliseconds: 12.5)
        return StageRecord(
            run: run, outcome: .succeeded, summary: "steady 30s >= 30s", startedAt: at(10), endedAt: at(50),
            durationSeconds: 40, limitHit: "timeout 10m",
            live: LiveReading(
                revision: good, answers: [LiveReading.Answer(revision: good, count: 20)], asked: 20,
                services: [ServiceState(name: "api", wanted: good, live: good, commit: good.id, trafficPercent: 100)],
                problem: "slow"),
            services: [ServiceState(name: "api")],
            probes: ProbeSummary(
                rounds: 9, goodInARow: 6, steadySeconds: 30, failures: [sample], file: run.folder + "/probes.jsonl"),
            infrastructure: false, recovery: "adopted")
    }

    /// A document with every optional field set somewhere.
    static func record(
        _ cycle: Int, verdict: Verdict = .failing, revision: Revision = good, tests: [TestResult] = tests(3)
    ) -> CycleRecord {
        let stage = testStage(cycle, revision: revision, tests: tests)
        let reason = Reason(
            rule: "test-failed", verdict: .failing, text: "1 failing > 0", subject: "chat", evidence: "test-1-chat")
        let experiment = Experiment(
            number: 1, kind: .rerun, question: "does it fail again?", revision: revision,
            tests: [Experiment.Selection(suite: "chat", only: [failure.id])], times: 3, plannedDeploys: 1)
        var record = CycleRecord(
            loop: "staging", cycle: cycle, mode: .operate, startedAt: at(cycle * 600), endedAt: at(cycle * 600 + 100),
            durationSeconds: 100.5, trigger: .revision,
            revision: RevisionRecord(
                wanted: revision, subject: "Use one pool", author: "Ada", ref: "main", live: revision, previous: good,
                lastGreen: good),
            verdict: verdict, recommendation: verdict == .healthy ? .ship : .hold, reasons: [reason],
            value: ValueRecord(unit: "USD/month", total: 120_000, protected: 0, atRisk: 120_000),
            stages: [stabilizeStage(cycle), stage],
            suites: [
                SuiteRecord(
                    name: "chat", priority: 0, blocking: true, value: 120_000, status: .failed, totals: Totals(tests),
                    notPassed: [failure], testsFile: "test-1-chat/tests.jsonl",
                    authenticity: Authenticity(status: .doubtful, reasons: [reason], baseline: "2/5"),
                    durationSeconds: 30, stage: "test-1-chat", because: "1 failed")
            ],
            capabilities: [
                CapabilityRecord(
                    name: "streaming", suite: "chat", value: 1, status: .notRun, totals: Totals(),
                    steps: [StepRecord(name: "sent", status: .passed, test: "chat::sent", position: 1)])
            ],
            incidents: [incident],
            experiments: [ExperimentRecord(experiment: experiment, stages: ["rerun-1-chat"], result: "3/3 fail")],
            actions: [ActionRecord(kind: .rollback, name: good.id, outcome: .succeeded, because: "proven regression")],
            environment: EnvironmentRecord(
                serving: good, services: [ServiceState(name: "api")], state: .restored,
                fingerprint: FingerprintRecord(
                    before: fingerprint(.before, "1"), after: fingerprint(.after, "2"),
                    changed: fingerprint(.after, "2").changes(since: fingerprint(.before, "1")))),
            writtenBy: "nightjar 0.1.0", settingsHash: "abc")
        (record.suites[0].testSeconds, record.suites[0].slowestSeconds) = (31.5, 30)
        record.suites[0].slowestTest = failure.id
        fill(&record)
        return record
    }

    /// What is there only where it is configured or asked for.
    private static func fill(_ record: inout CycleRecord) {
        var target = TargetRecord(
            TargetSettings(name: "latency", limit: 100, unit: "ms", isFloor: true, source: .tests("*"), blocking: true),
            values: [85, 90], evidence: "test-1-chat.target-1/console.log")
        target.because = "two answers"
        (target.failedSamples, target.failure, target.warmup) = (1, "status 503", 3)
        target.interval = TargetInterval(low: 84, high: 90, confidence: 0.95)
        var change = TargetChange(finding: .worse, cycle: 1, before: 110)
        (change.worseByPercent, change.probability, change.superiority) = (22.7, 0.001, 0.04)
        (change.test, change.samplesBefore, change.because) = ("Mann-Whitney, exact", 20, "far off")
        target.sinceGreen = change
        target.trend = TargetTrend(
            cycles: 12, fromCycle: 1, slopePerCycle: -1.5, probability: 0.002, cyclesToLimit: 6)
        record.requests = [
            RequestRecord(
                .operatorRequested(
                    OperatorRequest(
                        verb: .approve, by: "ann", argument: "INC-1",
                        answer: ApprovalWords(subject: .rollback, reason: "it is night"))), at: record.startedAt)
        ].compactMap { $0 }
        record.requests?[0].uid = 1000
        record.requests?[0].answer = "INC-1 rollback is approved"
        record.targets = [target]
        record.stages[1].targets = [target]
        record.readiness = ReadinessRecord(
            ReadinessSettings(components: [.init(name: "chat", suites: ["chat"])]), suites: record.suites,
            capabilities: [], targets: [])
    }

    static func fingerprint(_ moment: Fingerprint.Moment, _ value: String) -> Fingerprint {
        Fingerprint(
            moment: moment, at: Timestamp(milliseconds: 1_795_262_400_000), path: "fingerprint-\(moment.rawValue).json",
            entries: [
                Fingerprint.Entry(.disk, "/", "1 GiB free", isProblem: false),
                Fingerprint.Entry(.file, "/etc/a/b.json", value), Fingerprint.Entry(.command, "schema", "7"),
            ],
            stall: Fingerprint.Stall(cpu: 1, memory: 2, io: 3, stolen: 4))
    }

    static let settings = LoopSettings(
        name: "staging", mode: .operate, environment: "staging", stateDirectory: "/s", baseDirectory: "/b",
        triage: TriageSettings(experiments: [.rerun, .baseline, .bisect], burnIn: nil))

    /// The same with everything left out that may be empty.
    static func lean(_ cycle: Int, verdict: Verdict = .failing, tests: [TestResult]) -> CycleRecord {
        var record = record(cycle, verdict: verdict, tests: tests)
        record.stages.removeFirst()
        record.stages[0].commands = []
        (record.reasons, record.suites, record.capabilities) = ([], [], [])
        (record.incidents, record.experiments, record.actions) = ([], [], [])
        return record
    }

    /// One entry of every kind.
    static let journal: [JournalEntry] = {
        var memory = LoopMemory()
        memory.cycle = 7
        memory.lastVerdict = .failing
        memory.lastGreen = good
        memory.knownBad = [LoopMemory.KnownBad(revision: bad, cycle: 6, because: "proven")]
        memory.incidents = [incident]
        memory.rollbacks = [LoopMemory.RollbackSpent(incident: "INC-57", count: 1)]
        memory.sealedHash = String(repeating: "a", count: 64)
        let events: [Event] = [
            .daemonStarted(DaemonStarted(pid: 42, host: "night", version: "0.1.0")),
            .settingsAdopted(SettingsAdopted(policy: LoopPolicy(settings), hash: "abc", path: "/etc/nightjar.json5")),
            .windowChanged(WindowChanged(isOpen: true, until: at(3600))),
            .memoryCarried(memory),
            .workSeen(
                WorkSeen(
                    trigger: .revision, wanted: bad, subject: "Use one pool", author: "Ada", ref: "main",
                    commitsAfterGreen: 3, live: good, containsKnownBad: [bad])),
            .workUnavailable(WorkUnavailable(trigger: .schedule, reason: "git fetch failed", source: "git")),
            .stageEnded(testStage(7, tests: tests(1))),
            .triageAnswered(TriageAnswered(cycle: 7, incidents: [incident])),
            .timerFired(TimerID(name: .nextLook, serial: 4)),
            .pauseRequested(PauseRequested(owner: "ada", reason: "release", until: at(60))),
            .operatorRequested(OperatorRequest(verb: .acknowledge, by: "ada", argument: "INC-57")),
            .stopRequested(StopRequested(now: false, by: "SIGTERM")),
            .cycleSealed(CycleSealed(cycle: 7, sha256: String(repeating: "b", count: 64), verdict: .failing)),
        ]
        return events.enumerated().map { index, event in
            JournalEntry(sequence: index + 1, at: at(index), cycle: 7, event: event)
        }
    }()

    /// A loop with `count` sealed cycles, each with a journal, a console log and tests.
    static func seal(
        _ count: Int, in loop: TemporaryLoop, tests: [TestResult] = tests(1),
        verdict: (Int) -> Verdict = { _ in .failing }
    ) async throws {
        let (journal, _) = try await Journal.open(loop.layout)
        let writer = CycleWriter(loop.layout)
        for cycle in 1...count {
            let record = lean(cycle, verdict: verdict(cycle), tests: tests)
            try await journal.append(
                .timerFired(TimerID(name: .nextLook, serial: cycle)), at: record.startedAt, cycle: cycle, durable: false
            )
            let folder = try await writer.createStage(record.stages[0].run)
            try loop.put("hello world\n", at: folder + "/console.log")
            try TestsFile.write(tests, to: folder + "/tests.jsonl")
            try await writer.writeDocument(record)
            let sealed = try await writer.seal(cycle)
            let fact = CycleSealed(cycle: cycle, sha256: sealed.sha256, verdict: record.verdict)
            try await journal.append(.cycleSealed(fact), at: record.endedAt, cycle: cycle, durable: true)
            try await writer.publish(record, sealed)
        }
        await journal.close()
    }
}
