// SPDX-License-Identifier: Apache-2.0
// The folder of one run: the contract between shepherd and daemon.
//
//     claim          who may run the command; locked (flock) by the shepherd as long as it lives
//     console.log    stdout and stderr, redacted; console.tail-0, -1 while more than half of the limit came
//     result.json    how it ended; written once, atomically, before the lock goes
//     shepherd.log   what a shepherd in trouble said; absent after a normal end

import Platform

package struct StageFolder: Hashable, Sendable {
    package var path: String

    package init(_ path: String) {
        self.path = path
    }

    package var claim: String { path + "/claim" }
    package var console: String { path + "/console.log" }
    package var result: String { path + "/result.json" }
    package var shepherdLog: String { path + "/shepherd.log" }

    func tail(_ number: Int) -> String { path + "/console.tail-\(number)" }
}

/// Words of a shepherd that did not claim: nothing ran.
package enum ShepherdExit {
    /// The result was written.
    package static let done: Int32 = 0
    /// The order was unreadable, or another had claimed.
    package static let nothingClaimed: Int32 = 75
    /// The disk is full or refuses: there would be no place for the result.
    package static let noPlaceForResult: Int32 = 73
}
