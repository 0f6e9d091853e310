// SPDX-License-Identifier: Apache-2.0
// What can go wrong with a socket, and the deadlines that socket calls keep.

internal import Glibc

/// Why a socket call did not do what was asked.
package enum SocketError: Error, Hashable, Sendable {
    /// A system call failed; `code` is its errno.
    case system(operation: String, target: String, code: Int32)
    /// The deadline passed first.
    case timedOut(operation: String, target: String)
    /// This side or the other one ended the connection before the call could finish.
    case closed(operation: String, target: String)
    /// The resolver has no address for the host.
    case unresolved(host: String, reason: String)
    /// The path of a Unix socket cannot be used.
    case badPath(path: String, reason: String)
}

extension SocketError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let operation, let target, let code):
            "cannot \(operation) \(target): \(String(cString: strerror(code)))"
        case .timedOut(let operation, let target):
            "cannot \(operation) \(target): the deadline passed"
        case .closed(let operation, let target):
            "cannot \(operation) \(target): the connection is closed"
        case .unresolved(let host, let reason):
            "cannot resolve the host \(host): \(reason)"
        case .badPath(let path, let reason):
            "cannot use the socket path \(path): \(reason)"
        }
    }
}

/// A point in time after which a socket call gives up. Taken from the monotonic clock, so a step of the wall clock does
/// not move it.
package struct SocketDeadline: Sendable {
    private let instant: ContinuousClock.Instant?

    /// No deadline: the call waits until something happens.
    package static let never = SocketDeadline(instant: nil)

    /// The deadline `duration` from now.
    package static func after(_ duration: Duration) -> SocketDeadline {
        SocketDeadline(instant: ContinuousClock.now + duration)
    }

    private init(instant: ContinuousClock.Instant?) {
        self.instant = instant
    }

    /// The time left, zero when it has passed, nil when there is no deadline.
    package var remaining: Duration? {
        instant.map { max(.zero, $0 - ContinuousClock.now) }
    }

    package var isPast: Bool {
        remaining == .zero
    }

    /// The earlier of this deadline and the one `duration` from now.
    package func atMost(_ duration: Duration) -> SocketDeadline {
        guard let remaining, remaining <= duration else { return .after(duration) }
        return self
    }

    /// The time left as `poll` takes it: milliseconds rounded up, -1 for ever, at most an hour at a time.
    var pollMilliseconds: Int32 {
        guard let remaining else { return -1 }
        guard remaining < .seconds(3600) else { return 3_600_000 }
        let (seconds, attoseconds) = remaining.components
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
