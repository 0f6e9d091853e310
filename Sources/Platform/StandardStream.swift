// SPDX-License-Identifier: Apache-2.0
// Writes to descriptors that this process was started with, and says what went wrong.

import Glibc

package enum StandardStream {
    /// Writes all of `bytes` to the open descriptor `number`, which stays open. Waits where another program has made it
    /// non-blocking.
    package static func write(_ bytes: [UInt8], to number: Int32, name: String) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes { buffer in
                uninterrupted { Glibc.write(number, buffer.baseAddress?.advanced(by: done), buffer.count - done) }
            }
            if wrote > 0 {
                done += wrote
                continue
            }
            let failure = SystemError.last("write to", name)
            guard wrote < 0, failure.code == EAGAIN else { throw failure }
            var waiting = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            _ = uninterrupted { poll(&waiting, 1, -1) }
        }
    }
}

extension SystemError {
    /// Whether whoever read has gone away.
    package var isReaderGone: Bool { code == EPIPE }
}
