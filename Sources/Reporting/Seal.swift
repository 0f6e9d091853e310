// SPDX-License-Identifier: Apache-2.0
// The newest hash of the chain goes out with every report: whoever keeps it can tell later whether anything up to that cycle
// was changed or dropped, for each cycle's sums name the hash of the one before.

/// The newest sealed cycle that a report is about, and the SHA-256 of its SHA256SUMS.
package struct Seal: Codable, Hashable, Sendable {
    package var cycle: Int
    package var sha256: String

    package init(cycle: Int, sha256: String) {
        self.cycle = cycle
        self.sha256 = sha256
    }

    static func words(_ cycle: Int) -> String {
        "Seal of #\(cycle) and all before it (sha256sum of its SHA256SUMS):"
    }

    /// `Seal of #214 and all before it (sha256sum of its SHA256SUMS): 4f0c…`
    var line: String { "\(Seal.words(cycle)) \(sha256)" }
}
