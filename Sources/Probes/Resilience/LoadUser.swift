// SPDX-License-Identifier: Apache-2.0
// One user under load: sends without waiting for answers, takes what comes, and knows what is not its own.

internal import Platform
internal import WebSocket

/// Marks that say whose message it is: `nj3kx9u12n7z` is the seventh of user 12.
struct LoadMarks: Sendable {
    /// New for every load, so that nothing older is taken for it.
    var run: String
    /// Users with the same account may see each other's messages; user `n` has account `n % accounts`.
    var accounts: Int

    func mark(_ user: Int, _ number: Int) -> String { "\(run)u\(user)n\(number)z" }

    /// The users whose marks a text carries.
    func users(in text: String) -> [Int] {
        text.ranges(of: run + "u").compactMap { range in
            Int(text[range.upperBound...].prefix { $0.isASCII && $0.isNumber })
        }
    }

    /// Whether a text carries the mark of somebody with another account.
    func isForeign(_ text: String, to user: Int) -> Bool {
        users(in: text).contains { $0 % accounts != user % accounts }
    }
}

/// Lives on the thread of its worker.
final class LoadUser {
    /// A message that went out so little after its moment is measured from when it went out: that much is our own clock.
    private static let punctual = Duration.milliseconds(2)

    private let client: ScenarioClient
    private let marks: LoadMarks
    let number: Int
    private var count = 0
    private var pending: [(mark: String, since: ContinuousClock.Instant)] = []
    /// How its connection ended; nil while it is open.
    private(set) var ending: ConnectionEnding?
    private(set) var tally = LoadTally()

    init(_ client: ScenarioClient, number: Int, _ marks: LoadMarks) {
        self.client = client
        self.number = number
        self.marks = marks
    }

    private var contract: ResilienceContract { client.contract }
    var isWaiting: Bool { ending == nil && !pending.isEmpty }

    func watch(with poll: SocketPoll, tag: Int) { client.connection.watch(with: poll, tag: UInt64(tag)) }
    func forget(by poll: SocketPoll) { client.connection.forget(by: poll) }

    /// Sends the message that was planned for a moment.
    func speak(planned: ContinuousClock.Instant) {
        guard ending == nil else { return }
        count += 1
        let mark = marks.mark(number, count)
        client.variables.values["unique"] = .string(mark)
        let now = ContinuousClock.now
        pending.append((mark, now - planned > Self.punctual ? planned : now))
        do {
            if let send = contract.echo?.send {
                try client.say(send)
            } else {
                try client.connection.ping(Array(mark.utf8), deadline: client.soon)
            }
            tally.sent += 1
        } catch {
            pending.removeLast()
            end(.dropped("\(error)"))
        }
    }

    /// Takes what has come, without waiting.
    func listen() {
        while ending == nil {
            do {
                switch try client.connection.receive(deadline: .after(.zero)) {
                case .text(let text): take(text)
                case .pong(let payload): answered { $0 == String(decoding: payload, as: UTF8.self) }
                case .closed(let reason): end(.closed(reason))
                case .binary, .ping: continue
                }
            } catch WebSocketError.socket(.timedOut) {
                return
            } catch {
                end(.dropped("\(error)"))
            }
        }
    }

    private func take(_ text: String) {
        let message = ScenarioClient.message(text, prefixDigits: contract.prefixDigits)
        for reply in ScenarioClient.replies(to: message, contract, client.variables) { try? client.say(text: reply) }
        if let echo = contract.echo?.expect {
            let isAnswer = answered { mark in
                client.variables.values["unique"] = .string(mark)
                return echo.accepts(message, client.variables)
            }
            if isAnswer { return }
        }
        if contract.rateLimit?.answer?.accepts(message, client.variables) == true, !pending.isEmpty {
            pending.removeFirst()
            tally.limited += 1
        } else if marks.isForeign(text, to: number) {
            tally.foreign += 1
        }
    }

    @discardableResult
    private func answered(_ isIt: (String) -> Bool) -> Bool {
        guard let index = pending.firstIndex(where: { isIt($0.mark) }) else { return false }
        tally.trips.append(milliseconds(since: pending.remove(at: index).since))
        return true
    }

    private func end(_ how: ConnectionEnding) {
        ending = how
        tally.dropped += 1
        giveUp()
        client.connection.end()
    }

    /// What has no answer now never gets one.
    func giveUp() {
        tally.unanswered += pending.count
        pending = []
    }
}
