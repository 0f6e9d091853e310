// SPDX-License-Identifier: Apache-2.0
// A file that only grows, by whole records: a record is there completely or not at all.

import Glibc
import Synchronization

/// An append-only file.
///
/// A disk that fills up in the middle of a record gives a short write without an error (measured on tmpfs), so the
/// file is cut back to its last whole record. A failed sync loses pages silently and the next one answers "fine"
/// (measured on ext4), so after one the file refuses everything.
package final class AppendFile: Sendable {
    package let path: String
    private let descriptor: Descriptor
    private let state: Mutex<State>

    private struct State {
        var end: Int64
        var failure: SystemError?
    }

    /// Opens `path` for appending, creating it with mode 0600.
    package init(_ path: String) throws(SystemError) {
        let descriptor = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND)
        guard let size = descriptor.size else { throw .last("measure", path) }
        self.path = path
        self.descriptor = descriptor
        state = Mutex(State(end: size))
    }

    /// Bytes in whole records.
    package var size: Int64 { state.withLock { $0.end } }

    /// Whether the file is still the one that `path` names: log rotation moves it away.
    package var isInPlace: Bool { descriptor.isNamed(path) }

    /// Whether it can still be found, under whatever name.
    package var hasName: Bool { descriptor.hasName }

    /// Appends one record. On a failure nothing of it remains.
    package func append(_ bytes: [UInt8]) throws(SystemError) {
        try state.withLock { (state: inout State) throws(SystemError) in
            if let failure = state.failure { throw failure }
            do throws(SystemError) {
                try descriptor.writeAll(bytes, path: path)
                state.end += Int64(bytes.count)
            } catch {
                guard ftruncate(descriptor.number, off_t(state.end)) == 0 else {
                    let failure = SystemError.last("cut back a torn record of", path)
                    state.failure = failure
                    throw failure
                }
                throw error
            }
        }
    }
}
