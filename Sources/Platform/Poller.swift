// SPDX-License-Identifier: Apache-2.0
// Waits for many descriptors at once, on one thread: epoll(7), level-triggered.

import CShims
import Glibc

package final class Poller: Sendable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let reading = Interest(rawValue: UInt32(NJ_READABLE))
        package static let writing = Interest(rawValue: UInt32(NJ_WRITABLE))
    }

    /// A descriptor that can go on.
    package struct Ready: Sendable {
        /// What `watch` was told.
        package var token: UInt64
        package var isReadable: Bool
        package var isWritable: Bool
        /// Error or hang-up in both directions.
        package var isGone: Bool
    }

    private let descriptor: Descriptor

    package init() throws(SystemError) {
        let number = nj_poller_create()
        guard number >= 0 else { throw .last("create", "an epoll descriptor") }
        descriptor = Descriptor(owning: number)
    }

    /// Watches a descriptor; `token` comes back with its events.
    package func watch(_ file: Descriptor, _ interest: Interest, token: UInt64) throws(SystemError) {
        guard nj_poller_watch(descriptor.number, file.number, interest.rawValue, token, 1) == 0 else {
            throw .last("watch", "descriptor \(file.number)")
        }
    }

    /// Changes what a watched descriptor is watched for.
    package func change(_ file: Descriptor, _ interest: Interest, token: UInt64) {
        _ = nj_poller_watch(descriptor.number, file.number, interest.rawValue, token, 0)
    }

    package func forget(_ file: Descriptor) {
        _ = nj_poller_forget(descriptor.number, file.number)
    }

    /// Waits until something is ready or `milliseconds` have passed; nil waits for ever. Empty when the time is over or a
    /// signal came.
    package func wait(milliseconds: Int?) throws(SystemError) -> [Ready] {
        var found = [nj_ready](repeating: nj_ready(), count: 256)
        let limit = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        let count = nj_poller_wait(descriptor.number, &found, Int32(found.count), limit)
        guard count >= 0 else { throw .last("wait for", "descriptors") }
        return found.prefix(Int(count)).map { ready in
            Ready(
                token: ready.token, isReadable: ready.events & UInt32(NJ_READABLE) != 0,
                isWritable: ready.events & UInt32(NJ_WRITABLE) != 0, isGone: ready.events & UInt32(NJ_GONE) != 0)
        }
    }
}
