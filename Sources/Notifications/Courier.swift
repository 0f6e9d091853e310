// SPDX-License-Identifier: Apache-2.0
// Brings what waits in the spool to its receivers, each at its own pace: one that is down holds up nobody else.

package import Domain

/// Delivers the spool of one loop.
package actor Courier {
    private let spool: Spool
    private let attempt: @Sendable (Notice, ReceiverSettings) async -> DeliveryOutcome
    private let say: @Sendable (LogLine) -> Void
    private let now: @Sendable () -> Timestamp
    private let jitter: @Sendable () -> Double
    private var busy: Set<String> = []
    /// Receivers that were complained about: one line at the first failure, one when they answer again.
    private var complained: Set<String> = []
    /// What is over and could not be written down, with what became of it, by the keys of the notices. It still waits on
    /// disk, and is not sent again.
    private var unnoted: [String: (item: SpooledNotice, outcome: String)] = [:]
    /// Pauses that could not be written down, by the keys of the notices.
    private var unwritten: [String: SpooledNotice] = [:]
    private var isSpoolStuck = false
    /// Receivers that lost a message, and how, until they take one again.
    package private(set) var troubles: [String: String]

    /// A notice that could not be delivered for so long is given up: it says what was, not what is.
    static let givesUpAfter = Duration.seconds(3 * 86_400)
    static let longestPause = Duration.seconds(600)

    /// - Parameters:
    ///   - attempt: tries once.
    ///   - jitter: a number between 0 and 1.
    package init(
        _ spool: Spool, attempt: @escaping @Sendable (Notice, ReceiverSettings) async -> DeliveryOutcome,
        say: @escaping @Sendable (LogLine) -> Void, now: @escaping @Sendable () -> Timestamp,
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.spool = spool
        troubles = spool.troubles()
        self.attempt = attempt
        self.say = say
        self.now = now
        self.jitter = jitter
    }

    /// Tries everything that is due, in order for each receiver, and returns when that is done.
    package func deliver(_ receivers: [ReceiverSettings]) async {
        noteAgain()
        let items = ((try? spool.items()) ?? []).filter { unnoted[$0.key] == nil }.map { unwritten[$0.key] ?? $0 }
        await withTaskGroup(of: Void.self) { group in
            for receiver in receivers where !busy.contains(receiver.name) {
                let own = items.filter { $0.receiver == receiver.name }
                guard !own.isEmpty else { continue }
                busy.insert(receiver.name)
                group.addTask { await self.deliver(own, to: receiver) }
            }
        }
        drop(items, besides: receivers)
    }

    /// What waits for a receiver that the configuration no longer has.
    private func drop(_ items: [SpooledNotice], besides receivers: [ReceiverSettings]) {
        for item in items where !receivers.contains(where: { $0.name == item.receiver }) {
            finish(item, "dropped: the configuration has no receiver of that name")
        }
    }

    // MARK: - What is over

    /// Notes that nothing is to be sent any more. A disk that takes no note must not make the receiver get it again and
    /// again: until it takes one, the notice is remembered here.
    private func finish(_ item: SpooledNotice, _ outcome: String) {
        unwritten[item.key] = nil
        do {
            try spool.finish(item, outcome, at: now())
        } catch {
            unnoted[item.key] = (item, outcome)
            complainOfSpool(error)
        }
    }

    private func noteAgain() {
        for (key, over) in unnoted {
            do {
                try spool.finish(over.item, over.outcome, at: now())
                unnoted[key] = nil
            } catch {
                return
            }
        }
        if isSpoolStuck, unwritten.isEmpty {
            isSpoolStuck = false
            say(LogLine(.ok, "notify", "what was delivered can be noted again"))
        }
    }

    private func complainOfSpool(_ error: any Error) {
        guard !isSpoolStuck else { return }
        isSpoolStuck = true
        let text =
            "\(error); what was delivered is remembered until it can be noted, and not sent again by this process"
        say(LogLine(.warn, "notify", text))
    }

    // MARK: - One receiver

    private func deliver(_ items: [SpooledNotice], to receiver: ReceiverSettings) async {
        defer { busy.remove(receiver.name) }
        let items = dropOvertaken(items)
        // What a person must act upon waits for nothing that may wait.
        var left = items.filter { $0.notice.level == .page } + items.filter { $0.notice.level < .page }
        while !left.isEmpty {
            let item = left.removeFirst()
            if item.nextAttempt > now() {
                // Held until quiet hours are over, which holds up nothing else.
                if item.attempts == 0 { continue }
                // An order is kept: what follows waits for what could not be delivered.
                return
            }
            switch await deliver(item, to: receiver) {
            case .arrived: overtake(items, by: item)
            case .over: break
            case .waits: return
            }
        }
    }

    /// What newer news of the same thing replaces, now that both can be sent: after an outage of the receiver the end of it
    /// would come before its beginning. Only what is as loud, or says that it is over, replaces anything.
    private func dropOvertaken(_ items: [SpooledNotice]) -> [SpooledNotice] {
        func isDue(_ item: SpooledNotice) -> Bool { item.attempts > 0 || item.nextAttempt <= now() }
        return items.filter { item in
            guard isDue(item) else { return true }
            let newer = items.last { other in
                other.notice.key == item.notice.key && other.notice.sequence > item.notice.sequence
                    && isDue(other) && (other.notice.kind == .resolved || other.notice.level >= item.notice.level)
            }
            guard let newer else { return true }
            finish(item, "overtaken by \(newer.notice.id)")
            return false
        }
    }

    /// What was decided earlier about the same thing, and would come after newer news of it.
    private func overtake(_ items: [SpooledNotice], by newer: SpooledNotice) {
        for older in items where older.notice.key == newer.notice.key && older.key != newer.key {
            guard older.nextAttempt > now(), older.notice.sequence < newer.notice.sequence else { continue }
            finish(older, "overtaken by \(newer.notice.id)")
        }
    }

    private enum Attempt {
        case arrived
        /// It did not arrive and never will.
        case over
        /// It is tried again, and what follows it waits.
        case waits
    }

    private func deliver(_ item: SpooledNotice, to receiver: ReceiverSettings) async -> Attempt {
        var item = item
        item.attempts += 1
        switch await attempt(item.notice, receiver) {
        case .delivered:
            finish(item, Spool.delivered)
            troubles[receiver.name] = nil
            if complained.remove(receiver.name) != nil {
                say(LogLine(.ok, "notify", "\(receiver.name) answers again"))
            }
            say(LogLine(.going, "notify", "\(receiver.name): \(item.notice.kind.rawValue) \(item.notice.key)"))
            return .arrived
        case .refused(let problem):
            finish(item, "refused: \(problem)")
            troubles[receiver.name] = "refused: \(problem) (\(item.notice.id))"
            say(LogLine(.warn, "notify", "\(receiver.name) refused \(item.notice.key): \(problem); not tried again"))
            return .over
        case .later(let problem, let asked):
            putBack(item, problem, asked, receiver)
            return .waits
        }
    }

    private func putBack(
        _ item: SpooledNotice, _ problem: String, _ asked: Duration?, _ receiver: ReceiverSettings
    ) {
        var item = item
        item.problem = problem
        if now().since(item.notice.at) > Courier.givesUpAfter {
            finish(item, "given up: \(problem)")
            troubles[receiver.name] = "given up: \(problem) (\(item.notice.id))"
            say(LogLine(.warn, "notify", "\(receiver.name): \(item.notice.key) given up after 3 days: \(problem)"))
            return
        }
        let pause = max(Courier.pause(attempts: item.attempts, jitter: jitter()), asked ?? .zero)
        item.nextAttempt = now() + pause
        do {
            try spool.put(item)
            unwritten[item.key] = nil
        } catch {
            unwritten[item.key] = item
            complainOfSpool(error)
        }
        if complained.insert(receiver.name).inserted {
            say(
                LogLine(
                    .warn, "notify", "\(receiver.name): \(problem); spooled, next try in \(pause.milliseconds / 1000)s")
            )
        }
    }

    /// 5 s doubling to 10 min, between half and the whole of it ("equal jitter").
    static func pause(attempts: Int, jitter: Double) -> Duration {
        let doubled = 5_000 * Int64(1 << min(max(0, attempts - 1), 8))
        let whole = min(doubled, longestPause.milliseconds)
        return .milliseconds(whole / 2 + Int64(Double(whole / 2) * jitter))
    }
}
