// SPDX-License-Identifier: Apache-2.0
// A system call that failed: what was attempted, on what, and why.

import CShims
import Glibc

/// The failure of a system call.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    package var code: Int32
    /// A verb in the infinitive: `open`, `sync`.
    package var attempted: String
    /// The file, process or address concerned.
    package var path: String

    package init(code: Int32, attempted: String, path: String) {
        self.code = code
        self.attempted = attempted
        self.path = path
    }

    /// The failure of the call that was just made.
    static func last(_ attempted: String, _ path: String) -> SystemError {
        SystemError(code: errno, attempted: attempted, path: path)
    }

    package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    package var alreadyExists: Bool { code == EEXIST }

    package var description: String {
        "could not \(attempted) \(path): \(SystemError.text(code)) (errno \(code))"
    }

    /// What the C library says about `code`.
    package static func text(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        nj_error_text(code, &buffer, Int32(buffer.count))
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Repeats a call that a signal interrupted.
func uninterrupted<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
