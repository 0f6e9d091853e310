// SPDX-License-Identifier: Apache-2.0
// Looks at the process tree twenty times a second: memory now, and which remote hosts it talks to.
//
// A connection that lives less than 50 ms may be missed; a sample that is costly stretches the interval so that
// sampling stays below a twentieth of one core.

import Glibc
import Platform

struct Sampler {
    static let interval: Int64 = 50_000_000
    static let mostHosts = 256
    private(set) var peakBytes: Int64 = 0
    private(set) var hosts: Set<String> = []
    private(set) var isComplete = true
    private(set) var next: Int64
    /// Sockets that were already looked for in the tree.
    private var examined: Set<UInt64> = []

    init(startingAt now: Int64) {
        next = now + Sampler.interval
    }

    mutating func sample(treeOf root: Int32) {
        let begun = SystemClock.monotonicNanoseconds
        let tree = ProcessTable.descendants(of: root)
        peakBytes = max(peakBytes, tree.reduce(0) { $0 + $1.residentBytes })
        noteHosts(of: tree)
        let now = SystemClock.monotonicNanoseconds
        next = now + max(Sampler.interval, 20 * (now - begun))
    }

    private mutating func noteHosts(of tree: [ProcessEntry]) {
        let connections = Connections.outgoing()
        let fresh = connections.filter { !examined.contains($0.inode) }
        // An inode number is used again after its socket is gone.
        examined = Set(connections.map(\.inode))
        guard !fresh.isEmpty else { return }
        let ours = tree.reduce(into: Set<UInt64>()) {
            $0.formUnion(ProcessTable.inodes(of: $1.pid, kind: "socket"))
        }
        for connection in fresh where ours.contains(connection.inode) {
            if hosts.count < Sampler.mostHosts {
                hosts.insert(connection.remote)
            } else {
                isComplete = false
            }
        }
    }
}
