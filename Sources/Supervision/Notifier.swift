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
    private var pingProblem = false
    private var memoryProblem = false
    private var deliveries: [Task<Void, Never>] = []

    /// Failures of the surroundings in a row after which somebody should look.
    private static let troublesome = 4

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
                secrets: { try await context.secrets.fetch($0) })
        }
        self.delivery = delivery
        courier = Courier(
            spool, attempt: { await delivery().attempt($0, $1) }, say: context.say, now: context.now)
    }

    /// Decides what is to be told now, spools it, and lets the courier go on its way.
    func look(_ memory: LoopMemory, approval: Approval?) async {
        let notify = context.settings.current.notify
        ping(notify, memory)
        guard !notify.receivers.isEmpty else { return }
        let now = context.now()
        let situation = await situation(memory, approval)
        do {
            var told = try spool.memory()
            let before = told
            let notices = NotificationPolicy(notify.paging).decide(situation, &told, at: now, quietUntil: quiet(now))
            if told != before { try spool.add(notices, for: notify.receivers, remembering: told) }
            for notice in notices {
                context.say(
                    LogLine(.act, "notify", "\(notice.level.rawValue) \(notice.kind.rawValue): \(notice.title)"))
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
    func close(_ memory: LoopMemory, approval: Approval?, within limit: Duration) async {
        await look(memory, approval: approval)
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
        switch outcome {
        case .delivered:
            if pingProblem { context.say(LogLine(.ok, "deadman", "takes pings again")) }
            pingProblem = false
        case .later(let problem, _), .refused(let problem):
            if !pingProblem { context.say(LogLine(.warn, "deadman", "\(problem); tried again")) }
            pingProblem = true
        }
    }

    // MARK: - The situation

    private func situation(_ memory: LoopMemory, _ approval: Approval?) async -> Situation {
        let settings = context.settings.current
        let past = await context.history.cycles()
        // Read once for each cycle: a loop that waits costs nothing.
        if newest?.cycle != past.last?.cycle {
            newest = past.last.flatMap { try? CycleReader(context.layout).record($0.cycle) }
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
        situation.incidents = memory.incidents
        for incident in memory.incidents {
            situation.priorities[incident.id] =
                settings.suites.filter { incident.suites.contains($0.name) }.map(\.priority).min()
        }
        situation.valueAtRisk = record?.value.atRisk ?? 0
        situation.valueUnit = record?.value.unit ?? ""
        situation.doubtfulInARow = past.reversed().prefix { [.unproven, .interrupted].contains($0.verdict) }.count
        situation.approval = approval
        if memory.infrastructureFailures >= Notifier.troublesome {
            situation.troubles["infrastructure"] =
                "\(memory.infrastructureFailures) failures of the surroundings in a row >= \(Notifier.troublesome)"
        }
        situation.next = next(memory, approval, settings, wanted: record?.revision.wanted)
        return situation
    }

    /// A way back that was to be gone and was not. One that the settings do not allow is no surprise.
    private func restoreProblem(_ record: CycleRecord, _ settings: LoopSettings) -> String? {
        guard settings.remedy.allow.contains(.rollback) else { return nil }
        let last = record.actions.last { $0.kind == .rollback }
        guard let last, last.outcome == .failed || last.outcome == .skipped else { return nil }
        return last.because
    }

    private func next(
        _ memory: LoopMemory, _ approval: Approval?, _ settings: LoopSettings, wanted: Revision?
    ) -> String {
        if let approval { return "Nightjar waits for an answer until \(approval.deadline.wholeSeconds)" }
        if let pause = memory.pause {
            let until = pause.until.map { " until \($0.wholeSeconds)" } ?? ""
            return "Nightjar is paused by \(pause.owner)\(until): \(pause.reason)"
        }
        let every = Wording.span(settings.schedule.every)
        if let bad = memory.knownBad.last, bad.revision == wanted {
            return
                "Nightjar waits for a revision newer than \(bad.revision.short), which is known-bad; it looks every \(every)"
        }
        return switch settings.mode {
        case .operate: "Nightjar deploys and tests the newest revision again, within \(every)"
        case .verify: "Nightjar tests the next revision that somebody deploys; it looks every \(every)"
        case .observe: "Nightjar tests what is live again, within \(every); it deploys nothing"
        }
    }
}
