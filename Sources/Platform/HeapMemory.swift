// SPDX-License-Identifier: Apache-2.0
// Keeps the heap of a process that runs for weeks from growing with what it once needed.

import CShims

package enum HeapMemory {
    /// glibc gives threads heaps of their own, and what is free in one serves no other; and it keeps large blocks for the
    /// next time. Called once, at the start.
    package static func staySmall() { nj_malloc_stay_small() }

    /// Returns what is free to the system.
    package static func giveBack() { nj_malloc_give_back() }
}
