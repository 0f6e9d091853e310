// SPDX-License-Identifier: Apache-2.0
// What the staging service remembers: sessions, threads, messages. And the queue that the culprit commit breaks.

internal import Synchronization

/// The memory of the service, shared by its connections.
final class DemoStore: Sendable {
    let release: DemoRelease
    private let state = Mutex(State())

    private struct State {
        var users: [String: String] = [:]
        var messages: [String: [DemoJSON]] = [:]
        var posted = 0
        var waiting: [(thread: String, message: DemoJSON)] = []
    }

    init(release: DemoRelease) {
        self.release = release
    }

    /// A new token for `user`, or nil where the password is wrong.
    func login(user: String, password: String) -> String? {
        guard !user.isEmpty, password == "staging" else { return nil }
        return state.withLock { state in
            let token = "token-\(state.users.count + 1)-\(UInt64.random(in: 0 ... .max))"
            state.users[token] = user
            return token
        }
    }

    func user(of token: String) -> String? {
        state.withLock { $0.users[token] }
    }

    func hasThread(_ id: String) -> Bool {
        guard id.hasPrefix("t-"), let number = Int(id.dropFirst(2)) else { return false }
        return (1...release.threads).contains(number)
    }

    /// One page of the thread list, from 1; nil past the last.
    func page(_ number: Int) -> DemoJSON? {
        let pages = (release.threads + release.pageSize - 1) / release.pageSize
        guard (1...pages).contains(number) else { return nil }
        let first = (number - 1) * release.pageSize + 1
        let ids = first...min(release.threads, first + release.pageSize - 1)
        return [
            "page": .number(number), "pages": .number(pages), "total": .number(release.threads),
            "threads": .array(ids.map { ["id": .string("t-\($0)"), "title": .string("Thread \($0)")] }),
        ]
    }

    func messages(in thread: String) -> [DemoJSON] {
        state.withLock { $0.messages[thread] ?? [] }
    }

    /// Takes a message and delivers what is due. Returns its id and how many messages wait now.
    func post(_ text: String, to thread: String) -> (id: String, waiting: Int) {
        state.withLock { state in
            state.posted += 1
            let id = "m-\(state.posted)"
            state.waiting.append((thread, ["id": .string(id), "text": .string(text)]))
            if release.delivery.isDue(waiting: state.waiting.count) {
                for (thread, message) in state.waiting { state.messages[thread, default: []].append(message) }
                state.waiting = []
            }
            return (id, state.waiting.count)
        }
    }
}

extension DemoRelease.Delivery {
    /// Whether what waits goes out now.
    func isDue(waiting: Int) -> Bool {
        switch self {
        case .immediate: true
        case .batched(let size): waiting >= size
        }
    }
}
