// SPDX-License-Identifier: Apache-2.0
// How often a fix must pass before it counts.

import Domain

/// A failure that comes and goes passes by luck; so many passes in a row are no luck.
package enum CleanPasses {
    /// The smallest k with (1 - p)^k <= 1 - confidence: were the failure still there, k passes in a row would come at most
    /// that often. 1 for a failure that comes each time; nil where more than `Limits.cleanPasses` are needed, or nothing
    /// failed.
    package static func needed(failures: Int, runs: Int, confidence: Double) -> Int? {
        guard failures > 0, runs >= failures, confidence < 1 else { return nil }
        if failures == runs { return 1 }
        let passRate = 1 - Double(failures) / Double(runs)
        var luck = 1.0
        for count in 1...Limits.cleanPasses {
            luck *= passRate
            if luck <= 1 - confidence { return count }
        }
        return nil
    }
}
