// SPDX-License-Identifier: Apache-2.0
// How a running command is ended: SIGTERM to its group, a grace period, SIGKILL to its group.

import Glibc
import Platform

struct StopLadder {
    /// How long after SIGKILL a process may still be there: in the kernel, waiting for a device.
    private static let afterKill: Int64 = 10_000_000_000

    let cause: RunOutcome
    private let killAt: Int64
    private var hasKilled = false

    /// Takes the first step: asks. A stopped process is woken to hear it.
    init(cause: RunOutcome, grace: Int64, group: Int32) {
        self.cause = cause
        killAt = SystemClock.monotonicNanoseconds + max(0, grace)
        kill(-group, SIGTERM)
        kill(-group, SIGCONT)
    }

    /// When `climb` has something to do.
    var nextStep: Int64 { hasKilled ? killAt + StopLadder.afterKill : killAt }

    func isExhausted(at now: Int64) -> Bool {
        hasKilled && now >= killAt + StopLadder.afterKill
    }

    /// Kills the group once the grace period is over.
    mutating func climb(at now: Int64, group: Int32) {
        guard !hasKilled, now >= killAt else { return }
        kill(-group, SIGKILL)
        hasKilled = true
    }
}
