// SPDX-License-Identifier: Apache-2.0
// The `--json` twin of what commands print.

import Foundation

package enum JSONText {
    /// Sorted keys, two-space indentation, no escaped slashes: stable to diff and to read.
    package static func pretty(_ value: some Encodable) throws -> String {
        try text(value, [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted])
    }

    /// One line, for JSON Lines.
    package static func line(_ value: some Encodable) throws -> String {
        try text(value, [.sortedKeys, .withoutEscapingSlashes])
    }

    private static func text(_ value: some Encodable, _ format: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = format
        return Printable.json(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
