// SPDX-License-Identifier: Apache-2.0
// Revisions by number. The history index names a revision once, and its runs by a small number.

import Domain

/// Revisions by number, in the order of first appearance. Open addressing: a dictionary of strings would take longer
/// than everything else.
struct RevisionTable: Sendable {
    private var slots: [Int32] = Array(repeating: -1, count: 1024)
    private(set) var hashes: [UInt64] = []
    /// The packed revisions, one behind the other, and where each one ends.
    private(set) var texts: [UInt8] = []
    private(set) var ends: [Int32] = []

    var count: Int { hashes.count }

    init() {}

    /// As a file has them; nil where the parts do not fit each other.
    init?(hashes: [UInt64], texts: [UInt8], ends: [Int32]) {
        guard hashes.count == ends.count, ends.last.map(Int.init) ?? 0 == texts.count,
            zip(ends, ends.dropFirst()).allSatisfy({ $0 < $1 }), ends.first ?? 1 > 0
        else { return nil }
        self.hashes = hashes
        self.texts = texts
        self.ends = ends
        var size = 1024
        while size < hashes.count * 2 { size *= 2 }
        place(size)
    }

    mutating func number(of packed: UnsafeRawBufferPointer) -> Int32 {
        let hash = RevisionTable.hash(packed)
        if let last = hashes.last, last == hash { return Int32(hashes.count - 1) }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            if hashes[Int(slots[slot])] == hash { return slots[slot] }
            slot = (slot + 1) & (slots.count - 1)
        }
        let number = Int32(hashes.count)
        slots[slot] = number
        hashes.append(hash)
        texts.append(contentsOf: packed)
        ends.append(Int32(texts.count))
        if hashes.count * 2 > slots.count { place(slots.count * 4) }
        return number
    }

    func revision(_ number: Int32) -> Revision {
        let index = Int(number)
        let start = index == 0 ? 0 : Int(ends[index - 1])
        return PackedRevision.revision(texts[start..<Int(ends[index])])
    }

    /// Gives every revision its place among `size` slots, a power of two.
    private mutating func place(_ size: Int) {
        slots = Array(repeating: -1, count: size)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = Int32(number)
        }
    }

    /// A commit id is a hash already; everything else is made one.
    private static func hash(_ packed: UnsafeRawBufferPointer) -> UInt64 {
        guard packed.count == 21 else { return HistoryFormat.hash(packed) }
        return HistoryFormat.mixed(packed.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            ^ packed.loadUnaligned(fromByteOffset: 13, as: UInt64.self)
    }
}
