// SPDX-License-Identifier: Apache-2.0
// Tests that fail with everybody's knowledge: by name, with an owner, a reason and an end.

package import Domain

/// The quarantine in force at one moment.
package struct Quarantine: Sendable {
    private let entries: [QuarantineEntry]

    /// Keeps the entries that have not ended: an entry ends at 09:00 UTC of the next working day after its date, so
    /// that it never ends in the middle of a night.
    package init(_ entries: [QuarantineEntry], at now: Timestamp) {
        self.entries = entries.filter { entry in Quarantine.end(of: entry).map { now < $0 } ?? false }
    }

    package func entry(for test: String) -> QuarantineEntry? {
        entries.first { Glob.matches($0.test, test) }
    }

    /// When the entry stops to count; nil where its date is none.
    package static func end(of entry: QuarantineEntry) -> Timestamp? {
        guard let day = Timestamp("\(entry.until)T00:00:00Z") else { return nil }
        let dayLength: Int64 = 86_400_000
        var next = day.milliseconds + dayLength
        // 1970-01-01 was a Thursday: (days + 4) % 7 is 0 on Sunday and 6 on Saturday.
        while [0, 6].contains((next / dayLength + 4) % 7) { next += dayLength }
        return Timestamp(milliseconds: next + 9 * 3_600_000)
    }
}
