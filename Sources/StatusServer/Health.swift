// SPDX-License-Identifier: Apache-2.0
// Whether each loop is alive and moving, whatever its verdict.

import Domain
import Reporting

/// The same rule as `nightjar status --check`: a daemon holds the loop, and its supervisor has answered lately.
struct Health: Codable, Hashable, Sendable {
    var loop: String
    var isAlive: Bool
    var isMoving: Bool
    /// Why, in one line.
    var reason: String

    init(_ state: LoopState, at now: Timestamp, patience: Duration) {
        loop = state.loop.name
        guard let reading = state.reading else {
            (isAlive, isMoving) = (false, false)
            reason = "unknown: \(state.problem ?? "its state cannot be read")"
            return
        }
        isAlive = reading.status.daemon.alive
        guard let sign = reading.lastSignOfLife else {
            isMoving = false
            reason = isAlive ? "starting: no sign of life yet" : "not running: no daemon has run here"
            return
        }
        let age = now.since(sign)
        isMoving = isAlive && age <= patience
        let word = isMoving ? "moving" : isAlive ? "stuck" : "not running"
        let seconds = max(0, age.milliseconds / 1000)
        reason = "\(word), last sign of life \(seconds)s ago (limit \(patience.milliseconds / 1000)s)"
    }
}

enum HealthAnswers {
    /// `/healthz`: 200 while every loop moves, or the one that `loop` names; else 503. Loops are named only to those who
    /// may see them.
    static func health(_ board: Board, loop: String?, patience: Duration, isTrusted: Bool) -> HTTPResponse {
        let states = board.loops.filter { loop == nil || $0.loop.name == loop }
        guard !states.isEmpty else { return .plain(404, "there is no such loop") }
        let found = states.map { Health($0, at: board.at, patience: patience) }
        let isFine = found.allSatisfy(\.isMoving)
        guard isTrusted else { return .plain(isFine ? 200 : 503, isFine ? "ok" : "not moving").shared() }
        let lines = found.map { Printable.line("\($0.loop): \($0.reason)", columns: 400) }
        return .plain(isFine ? 200 : 503, lines.joined(separator: "\n")).shared()
    }

    /// `/readyz`: whether this server can read what it serves.
    static func readiness(_ board: Board, isTrusted: Bool) -> HTTPResponse {
        let bad = board.loops.filter { $0.reading == nil }
        guard !bad.isEmpty else { return .plain(200, "ready").shared() }
        guard isTrusted else { return .plain(503, "not ready").shared() }
        let lines = bad.map { Printable.line("\($0.loop.name): \($0.problem ?? "cannot be read")", columns: 400) }
        return .plain(503, lines.joined(separator: "\n")).shared()
    }
}
