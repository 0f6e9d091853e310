// SPDX-License-Identifier: Apache-2.0
// What is known about all loops right now, rendered once for everybody who looks.

import Domain
import Platform
import Reporting
import Synchronization

/// Which page a listener watches.
enum View: Hashable, Sendable {
    case overview
    case loop(String)
}

/// A piece of a page that is replaced as a whole when it changes.
struct Section: Sendable {
    var id: String
    var html: Markup
    /// The version of the board in which it got its present content.
    var version = 0
}

/// A loop as it was read, or why it could not be.
struct LoopState: Sendable {
    var loop: ServedLoop
    /// Its place in the order of the command line.
    var index: Int
    var reading: LoopReading?
    var problem: String?
}

struct Board: Sendable {
    /// Rises when a section of a view changes.
    var version: Int
    var at: Timestamp
    var loops: [LoopState]
    var views: [View: [Section]]

    func loop(_ name: String) -> LoopState? { loops.first { $0.loop.name == name } }
}

/// Which changes a listener wants.
struct EventOrder: Sendable {
    var view: View
    /// What its page shows; nil asks for everything.
    var version: Int?
}

/// Looks at the files, at most once in `look`, however many ask.
final class BoardKeeper: Sendable {
    private struct State {
        var board: Board?
        var readAt: ContinuousClock.Instant?
    }

    private let loops: [ServedLoop]
    private let options: ServerOptions
    private let state = Mutex(State())

    init(loops: [ServedLoop], options: ServerOptions) {
        self.loops = loops
        self.options = options
    }

    /// The board, read now or less than `look` ago. Blocks while it reads.
    func current() -> Board {
        state.withLock { state in
            let clock = ContinuousClock.now
            if let board = state.board, let readAt = state.readAt, clock - readAt < options.limits.look { return board }
            let board = look(before: state.board)
            state.board = board
            state.readAt = clock
            return board
        }
    }

    private func look(before: Board?) -> Board {
        let now = options.now()
        let states = loops.enumerated().map { index, loop in
            var state = LoopState(loop: loop, index: index)
            do {
                state.reading = try loop.read(now)
            } catch {
                state.problem = "\(error)"
            }
            return state
        }
        var board = Board(version: before?.version ?? 1, at: now, loops: states, views: [:])
        let views = Views(loops: states, now: now, limits: options.limits)
        var isNew = false
        for (view, sections) in views.all {
            let old = Dictionary(
                (before?.views[view] ?? []).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            board.views[view] = sections.map { section in
                var section = section
                if let same = old[section.id], Views.isSame(same.html, section.html) {
                    section.version = same.version
                } else {
                    section.version = board.version + (before == nil ? 0 : 1)
                    isNew = isNew || before != nil
                }
                return section
            }
        }
        if isNew { board.version += 1 }
        return board
    }
}
