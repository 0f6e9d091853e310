// SPDX-License-Identifier: Apache-2.0
// What `nightjar verify` found.

/// Something that is not as it was sealed.
package struct VerificationFinding: Codable, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// A file has other bytes than its sum says.
        case changed
        /// A file is listed and not there.
        case missing
        /// A file is there and not listed.
        case extra
        /// A file could not be read.
        case unreadable
        /// A sealed file that is not in its format: SHA256SUMS, previous, journal, cycle.json.
        case malformed
        /// A cycle names another hash than the one before it has.
        case chainBroken
        /// A number without folder or tombstone.
        case gap
        /// A cycle that should be sealed is not.
        case unsealed
        /// The journal and the folders say different things.
        case journalDisagrees
        /// The journal cannot be read, or its lines are not the ones that were covered.
        case journalDamaged
        /// The index says another thing than a sealed cycle.
        case indexDisagrees
        /// A tombstone that cannot be read, or says another thing than the journal.
        case tombstone
    }
    package var kind: Kind
    package var cycle: Int?
    /// Relative to the loop's folder.
    package var path: String
    package var text: String

    package var description: String { "\(path): \(text)" }
}

package struct VerificationReport: Codable, Hashable, Sendable {
    /// Cycle folders whose every byte is as it was sealed.
    package var intact = 0
    /// Sealed cycle folders that were looked at.
    package var cycles = 0
    package var files = 0
    package var bytes: Int64 = 0
    package var tombstones = 0
    package var journalEntries = 0
    /// The newest sealed cycle and its hash: compare it with what was sent out with reports.
    package var newestCycle: Int?
    package var newestHash: String?
    package var findings: [VerificationFinding] = []
    /// What is no fault and good to know, such as a cycle that is still running.
    package var notes: [String] = []

    package init() {}

    package var isIntact: Bool { findings.isEmpty }
}
