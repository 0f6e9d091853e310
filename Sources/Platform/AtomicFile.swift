// SPDX-License-Identifier: Apache-2.0
// Replacing a file so that readers see the old bytes or the new ones, and a crash leaves one of both.

import Glibc
import Synchronization

package enum AtomicFile {
    private static let counter = Atomic<Int>(0)

    /// Writes `bytes` to a file beside `path` and renames it over `path`.
    ///
    /// - Parameter durable: also survives a loss of power: the file is synced before the rename, the folder after it.
    package static func write(_ bytes: [UInt8], to path: String, durable: Bool) throws(SystemError) {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = "\(path).\(getpid())-\(number).tmp"
        do throws(SystemError) {
            let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
            try file.writeAll(bytes, path: temporary)
            if durable { try file.synchronize(path: temporary) }
            try Files.rename(temporary, to: path)
        } catch {
            _ = unlink(temporary)
            throw error
        }
        if durable { try Files.synchronizeDirectory(Files.parent(of: path)) }
    }
}
