// SPDX-License-Identifier: Apache-2.0
// What this process is to the system.

import Glibc

package enum ThisProcess {
    package static var id: Int32 { getpid() }
    package static var userID: UInt32 { geteuid() }

    package static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Files {
    /// Sets the time of a file to now, creating it empty; a failure shows as an old time.
    package static func touch(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        futimens(descriptor, nil)
        close(descriptor)
    }

    /// When a file was last written, in milliseconds since 1970; nil where it cannot be told.
    package static func modifiedMilliseconds(_ path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
    }
}

extension Files {
    /// The sizes of all files below a folder; what cannot be read counts nothing.
    package static func treeBytes(_ folder: String) -> Int64 {
        guard let names = try? list(folder) else { return 0 }
        return names.reduce(0) { sum, name in
            let path = "\(folder)/\(name)"
            return sum + (kind(of: path) == .directory ? treeBytes(path) : size(of: path) ?? 0)
        }
    }
}
