// SPDX-License-Identifier: Apache-2.0
// A file that this user may not see is another matter than one that is not there.

import Foundation
import Platform

enum Access {
    /// Throws where the system keeps this user out of `path`: a folder that is to be entered, and listed where
    /// `listing` says so. What is not there is no problem here.
    static func check(_ path: String, listing: Bool = false) throws(CommandError) {
        if access(path, listing ? R_OK | X_OK : X_OK) == 0 { return }
        if let error = denied(path, errno) { throw error }
    }

    /// Nil for another failure than missing rights.
    static func denied(_ path: String, _ code: Int32) -> CommandError? {
        guard code == EACCES || code == EPERM else { return nil }
        return .unavailable(
            "\(path): \(SystemError.text(code)); run this as the user that runs the loop, or as root")
    }
}
