// SPDX-License-Identifier: Apache-2.0
// What the kernel added up about children that have ended, and durations as people write them.

import Glibc

struct ResourceReading {
    var cpuSeconds: Double
    /// The largest single process; for a child that never grew, what its parent had when it was started.
    var largestBytes: Int64

    static func ofChildren() -> ResourceReading {
        var usage = rusage()
        // RUSAGE_CHILDREN is not imported with a usable type.
        _ = getrusage(__rusage_who_t(-1), &usage)
        let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return ResourceReading(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), largestBytes: Int64(usage.ru_maxrss) * 1024)
    }
}

enum DurationText {
    /// `250ms`, `30s`, `90s`, `2m`, `4h`: the largest unit that divides it.
    static func of(milliseconds: Int64) -> String {
        if milliseconds % 1000 != 0 || milliseconds == 0 { return "\(milliseconds)ms" }
        let seconds = milliseconds / 1000
        if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }
}
