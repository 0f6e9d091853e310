// SPDX-License-Identifier: Apache-2.0
// Ids that are unique within a report: the costliest step of reading a large one, so names are looked up by their bytes.

/// Gives each name of one report its own id: the second `a` becomes `a #2`.
///
/// Names of ASCII are equal where their bytes are, and live in an open-addressed table under a seeded hash (after
/// wyhash: multiply to 128 bits, fold). Two spellings of one Unicode text are equal without that, so the first name with
/// another character moves everything into a dictionary; so does a crowd in the table, which honest names never make.
struct UniqueNames {
    /// Upper half: of the hash. Lower half: number of the entry, counted from 1; 0 for a free slot.
    private var slots = [UInt64](repeating: 0, count: 1 << 10)
    private var entries: [Entry] = []
    private var others: [String: Int]?
    private let seed = UInt64.random(in: .min ... .max)

    private struct Entry {
        var name: String
        var hash: UInt64
        var count: Int
    }

    /// Slots that are looked at before a table counts as crowded; at most half of all are taken.
    private static let longestProbe = 128
    private static let lowerHalf: UInt64 = 0xFFFF_FFFF

    mutating func unique(_ name: String) -> String {
        var number = count(of: name, adding: 1)
        if number == 1 { return name }
        while count(of: "\(name) #\(number)", adding: 0) > 0 { number += 1 }
        _ = count(of: name, adding: number - count(of: name, adding: 0))
        let id = "\(name) #\(number)"
        _ = count(of: id, adding: 1)
        return id
    }

    /// How often the name was counted, after adding to it.
    private mutating func count(of name: String, adding number: Int) -> Int {
        if others == nil, let hash = hash(name), let index = entry(name, hash) {
            entries[index].count += number
            return entries[index].count
        }
        if others == nil { moveToDictionary() }
        let count = (others?[name] ?? 0) + number
        others?[name] = count
        return count
    }

    private mutating func moveToDictionary() {
        others = Dictionary(entries.map { ($0.name, $0.count) }, uniquingKeysWith: { $1 })
        entries = []
        slots = []
    }

    /// The entry of a name, new where there was none; nil where the table is crowded.
    private mutating func entry(_ name: String, _ hash: UInt64) -> Int? {
        if 2 * entries.count >= slots.count { grow() }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        for _ in 0..<Self.longestProbe {
            let slot = slots[at]
            if slot == 0 {
                entries.append(Entry(name: name, hash: hash, count: 0))
                slots[at] = hash & ~Self.lowerHalf | UInt64(entries.count)
                return entries.count - 1
            }
            if (slot ^ hash) & ~Self.lowerHalf == 0 {
                let index = Int(slot & Self.lowerHalf) - 1
                if entries[index].name == name { return index }
            }
            at = (at + 1) & mask
        }
        return nil
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: 4 * slots.count)
        let mask = larger.count - 1
        for (index, entry) in entries.enumerated() {
            var at = Int(truncatingIfNeeded: entry.hash) & mask
            while larger[at] != 0 { at = (at + 1) & mask }
            larger[at] = entry.hash & ~Self.lowerHalf | UInt64(index + 1)
        }
        slots = larger
    }

    /// Nil for a name that is not all ASCII.
    private func hash(_ name: String) -> UInt64? {
        name.utf8.withContiguousStorageIfAvailable { bytes -> UInt64? in
            guard let base = bytes.baseAddress else { return seed }
            let raw = UnsafeRawPointer(base)
            var state = seed ^ UInt64(bytes.count)
            var seen: UInt64 = 0
            var at = 0
            while at &+ 8 <= bytes.count {
                let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                seen |= word
                state = Self.fold(state ^ word)
                at &+= 8
            }
            var rest: UInt64 = 0
            while at < bytes.count {
                rest = rest << 8 | UInt64(bytes[at])
                at &+= 1
            }
            seen |= rest
            return seen & 0x8080_8080_8080_8080 == 0 ? Self.fold(state ^ rest) : nil
        } ?? nil
    }

    private static func fold(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low
    }
}
