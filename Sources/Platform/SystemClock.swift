// SPDX-License-Identifier: Apache-2.0
// The two clocks of the kernel that this program uses.

import Glibc

package enum SystemClock {
    /// The wall clock, in milliseconds since 1970-01-01T00:00:00Z. It may jump.
    package static var wallMilliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds since boot, counting suspended time; never goes back.
    package static var monotonicNanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
