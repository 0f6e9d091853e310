// SPDX-License-Identifier: Apache-2.0
// Tells people. Looks at the loop every few seconds from outside, so that no receiver ever holds the loop up; what is
// decided is on disk before it is sent, so that a crash neither loses a page nor sends it twice.

import Domain
import Engine
import Evidence
import Notifications
import Platform

actor Notifier {
    private let context: LoopContext
    private let spool: Spool
    private let courier: Courier
    /// By the settings in force.
    private let delivery: @Sendable () -> Delivery
    private let host: String
    private var lastPing: Timestamp?
    private var newest: CycleRecord?
    /// What the newest pings met, where one after another was not taken.
    private var pingProblems: (count: Int, words: String)?
    /// Of the newest cycles, as far as `newest`.
    private var doubtfulInARow = 0
    private var memoryProblem = false
    private var deliveries: [Task<Void, Never>] = []
    private var ended: String?

    /// Failures of the surroundings in a row after which somebody should look.
    private static let troublesome = 4
    /// Pings in a row that were not taken, after which somebody should look.
    private static let pingsMissed = 3
    /// Cycles that are looked at for a row of doubtful ones.
    private static let rowLength = 20

    typealias Question = (approval: Approval, cycle: CycleProgress)

    init(_ context: LoopContext, secretEnvironment: [String: String], host: String) {
        self.context = context
        self.host = host
        spool = Spool("\(context.layout.root)/notify")
        // What arrived just before a crash is not sent again.
        do { try spool.sweep() } catch { context.say(LogLine(.warn, "notify", "\(error)")) }
        let delivery: @Sendable () -> Delivery = {
            Delivery(
                environment: context.environment, secretEnvironment: secretEnvironment,
                workingDirectory: context.settings.current.baseDirectory,
                secrets: { try await context.secrets.fetch($0) }, now: context.now)
        }
        self.delivery = delivery
        courier = Courier(
            spool, attempt: { await delivery().attempt($0, $1) }, say: context.say, now: context.now)
    }

    /// Decides what is to be told now, spools it, and lets the courier go on its way.
    func look(_ memory: LoopMemory, question: Question?) async {
        let notify = context.settings.current.notify
        ping(notify, memory)
        guard !notify.receivers.isEmpty else { return }
        let now = context.now()
        let situation = await situation(memory, question)
        do {
            var told = try spool.memory()
            let before = told
            let policy = NotificationPolicy(notify.paging)
            let notices = policy.decide(situation, &told, at: now, quietUntil: quiet(now))
            if told != before { try spool.add(notices, for: notify.receivers, remembering: told) }
            for notice in notices {
                let held = policy.held(notice, situation, at: now)
                let text = "\(notice.level.rawValue) \(notice.kind.rawValue): \(notice.title)\(held)"
                context.say(LogLine(.act, "notify", text))
            }
            memoryProblem = false
        } catch {
            if !memoryProblem { context.say(LogLine(.warn, "notify", "\(error); what is to be told waits")) }
            memoryProblem = true
        }
        deliveries.append(Task { [courier] in await courier.deliver(notify.receivers) })
        if deliveries.count > 8 { deliveries.removeFirst() }
    }

    /// The last look of a loop that ends: what was decided is brought away, within `limit`.
    ///
    /// - Parameter ended: why it ends, where nobody asked it to.
    func close(
        _ memory: LoopMemory, question: Question?, because ended: String? = nil, within limit: Duration
    ) async {
        self.ended = ended
        await look(memory, question: question)
        guard await !Notifier.wait(for: deliveries, atMost: limit) else { return }
        context.say(
            LogLine(.hold, "notify", "\(spool.count()) notices are not delivered yet: the next start goes on with them")
        )
    }

    /// Whether all tasks ended within `limit`. Those that did not are left behind: a task group would wait for them.
    static func wait(for tasks: [Task<Void, Never>], atMost limit: Duration) async -> Bool {
        let (answers, answer) = AsyncStream.makeStream(of: Bool.self)
        Task {
            for task in tasks { await task.value }
            answer.yield(true)
        }
        let clock = Task {
            try? await Task.sleep(for: limit)
            answer.yield(false)
        }
        defer { clock.cancel() }
        for await allEnded in answers { return allEnded }
        return false
    }

    private func quiet(_ now: Timestamp) -> Timestamp? {
        guard let window = context.settings.current.notify.paging.quietHours,
            let state = WindowCalendar(window)?.state(at: now), state.isOpen
        else { return nil }
        return state.until
    }

    // MARK: - The sign of life

    private func ping(_ notify: NotifySettings, _ memory: LoopMemory) {
        guard let deadman = notify.deadman else { return }
        let now = context.now()
        if let lastPing, now.since(lastPing) < deadman.every { return }
        lastPing = now
        // Whoever is asked may be slow: the loop's clockwork does not wait for the answer.
        let seal = memory.sealedHash
        Task { [delivery] in heard(await delivery().ping(deadman.url, seal: seal)) }
    }

    private func heard(_ outcome: DeliveryOutcome) {
        var standing = DeadmanStanding(context.layout) ?? DeadmanStanding()
        defer { standing.write(context.layout) }
        switch outcome {
        case .delivered:
            (standing.takenAt, standing.problem) = (context.now(), nil)
            if pingProblems != nil { context.say(LogLine(.ok, "deadman", "takes pings again")) }
            pingProblems = nil
        case .later(let problem, _), .refused(let problem):
            standing.problem = problem
            if pingProblems == nil { context.say(LogLine(.warn, "deadman", "\(problem); tried again")) }
            pingProblems = ((pingProblems?.count ?? 0) + 1, problem)
        }
    }

    // MARK: - The situation

    private func situation(_ memory: LoopMemory, _ question: Question?) async -> Situation {
        let settings = context.settings.current
        let past = await context.history.cycles()
        // Read once for each cycle: a loop that waits costs nothing.
        if newest?.cycle != past.last?.cycle {
            newest = past.last.flatMap { try? CycleReader(context.layout).record($0.cycle) }
            doubtfulInARow = doubtful(past)
        }
        let record = newest
        var situation = Situation(loop: settings.name, host: host, cycle: record?.cycle, verdict: record?.verdict)
        situation.wanted = record?.revision.wanted
        situation.subject = record?.revision.subject
        situation.serving = record?.environment.serving
        situation.lastGreen = memory.lastGreen
        situation.environment = record?.environment.state ?? .unknown
        situation.failingSince = past.reversed().prefix { $0.verdict == .failing }.last?.endedAt
        situation.restoreProblem = record.flatMap { restoreProblem($0, settings) }
        situation.provesRevision = memory.policy?.provesRevision ?? true
        situation.leftBehind = record.flatMap(Notifier.leftBehind)
        situation.ended = ended
        situation.fails = (record?.reasons ?? []).filter { $0.verdict == .failing }.map(\.text)
        situation.incidents = memory.incidents
        for incident in memory.incidents {
            situation.priorities[incident.id] =
                settings.suites.filter { incident.suites.contains($0.name) }.map(\.priority).min()
        }
        situation.valueAtRisk = record?.value.atRisk ?? 0
        situation.valueUnit = record?.value.unit ?? ""
        situation.doubtfulInARow = doubtfulInARow
        if let question { describe(question, memory, settings, &situation) }
        situation.troubles = await troubles(memory, settings)
        situation.next = next(memory, question?.approval, settings, wanted: situation.wanted)
        return situation
    }

    /// In the middle of a cycle the newest sealed one is of the past: what is asked about is what is live now.
    private func describe(
        _ question: Question, _ memory: LoopMemory, _ settings: LoopSettings, _ situation: inout Situation
    ) {
        let cycle = question.cycle
        let judgement = VerdictRules.judge(cycle, at: context.now())
        situation.approval = question.approval
        situation.isUnderWay = true
        situation.cycle = cycle.number
        situation.verdict = judgement.verdict
        situation.wanted = cycle.wanted
        situation.subject = cycle.work.subject
        situation.serving = memory.serving
        situation.environment = Notifier.environment(memory.serving, of: cycle)
        situation.leftBehind = nil
        situation.restoreProblem = nil
        let failed = cycle.records.first { $0.outcome != .succeeded }?.endedAt
        if judgement.verdict == .failing { situation.failingSince = situation.failingSince ?? failed }
        situation.fails = judgement.reasons.filter { $0.verdict == .failing }.map(\.text)
        situation.valueAtRisk = CycleDocument.value(judgement.suites, settings.valueUnit).atRisk
        situation.valueUnit = settings.valueUnit
    }

    /// The last green revision is as good as restored; what an experiment left is neither this nor what is wanted.
    private static func environment(_ serving: Revision?, of cycle: CycleProgress) -> EnvironmentRecord.State {
        guard let serving else { return .unknown }
        if serving.names(cycle.wanted) { return .asWanted }
        return cycle.lastGreen.map { serving.names($0) } == true ? .restored : .unknown
    }

    /// What a cycle left in the environment: after a way back that failed, or without one after what an experiment, a fix or
    /// an aborted deployment did. Nil where others deployed meanwhile: that is theirs.
    static func leftBehind(_ record: CycleRecord) -> String? {
        guard record.mode == .operate, record.environment.state == .unknown,
            !record.reasons.contains(where: { ["superseded", "revision-not-read"].contains($0.rule) }),
            let last = record.stages.last(where: {
                $0.run.kind == .deploy && ![.refused, .neverRan, .couldNotRun].contains($0.outcome)
            })
        else { return nil }
        let serving = record.environment.serving
        let left = serving.map { "staging is left at \($0.short)" } ?? "what staging runs is unknown"
        switch last.run.purpose {
        case .restore, .rollback: return "NOT restored to \(last.run.revision.short): \(left)"
        case .fix: return "NOT restored after a fix: \(left)"
        case let purpose where purpose.isDeployedExperiment: return "NOT restored after an experiment: \(left)"
        default: return serving == nil && last.outcome != .succeeded ? "NOT restored: \(left)" : nil
        }
    }

    /// Cycles in a row, up to the newest, that proved nothing. What was stopped by people counts neither way.
    private func doubtful(_ past: [CycleSummary]) -> Int {
        var count = 0
        for brief in past.suffix(Notifier.rowLength).reversed() {
            switch brief.verdict {
            case .unproven:
                count += 1
            case .interrupted:
                let record = try? CycleReader(context.layout).record(brief.cycle)
                if record?.reasons.contains(where: { $0.rule == "superseded" }) == true { count += 1 }
            case .healthy, .degraded, .failing:
                return count
            }
        }
        return count
    }

    private func troubles(_ memory: LoopMemory, _ settings: LoopSettings) async -> [String: String] {
        var troubles: [String: String] = [:]
        if memory.infrastructureFailures >= Notifier.troublesome {
            troubles["infrastructure"] =
                "\(memory.infrastructureFailures) failures of the surroundings in a row >= \(Notifier.troublesome)"
        }
        for (receiver, problem) in await courier.troubles
        where settings.notify.receivers.contains(where: { $0.name == receiver }) {
            troubles["receiver-\(receiver)"] = "\(receiver) did not get a message; \(problem)"
        }
        if let pings = pingProblems, pings.count >= Notifier.pingsMissed {
            troubles["deadman"] =
                "the dead-man's ping is not taken, \(pings.words): somebody may be called for nothing"
        }
        return troubles
    }

    /// A way back that was to be gone and was not. One that the settings do not allow is no surprise.
    private func restoreProblem(_ record: CycleRecord, _ settings: LoopSettings) -> String? {
        guard settings.remedy.allow.contains(.rollback) else { return nil }
        let last = record.actions.last { $0.kind == .rollback }
        guard let last, last.outcome == .failed || last.outcome == .skipped else { return nil }
        guard last.outcome == .failed else { return last.because }
        let target = last.name.map { " to \(Revision($0).short)" } ?? ""
        let why = last.result.map { ": " + ($0.hasPrefix("rollback: ") ? String($0.dropFirst(10)) : $0) } ?? ""
        return "the rollback\(target) failed\(why)"
    }

    private func next(
        _ memory: LoopMemory, _ approval: Approval?, _ settings: LoopSettings, wanted: Revision?
    ) -> String {
        if let approval {
            let otherwise =
                settings.remedy.atDeadline == .abort
                ? "it ends the cycle and puts back what experiments moved" : "it goes on without it"
            return "Nightjar waits for an answer until \(approval.deadline.wholeSeconds), or for a newer revision; "
                + "without an answer \(otherwise)"
        }
        if let pause = memory.pause {
            let until = pause.until.map { " until \($0.wholeSeconds)" } ?? ""
            return "Nightjar is paused by \(pause.owner)\(until): \(pause.reason)"
        }
        let every = Wording.span(settings.schedule.every)
        if let bad = memory.knownBad.last, bad.revision == wanted {
            return
                "Nightjar waits for a revision newer than \(bad.revision.short), which is known-bad; it looks every \(every)"
        }
        if let aborted = memory.aborted, aborted.revision == wanted {
            return
                "Nightjar waits for a revision newer than \(aborted.revision.short), whose cycle was aborted; it looks every \(every)"
        }
        return switch settings.mode {
        case .operate: "Nightjar deploys and tests the newest revision again, within \(every)"
        case .verify: "Nightjar tests the next revision that somebody deploys; it looks every \(every)"
        case .observe: "Nightjar tests what is live again, within \(every); it deploys nothing"
        }
    }
}
