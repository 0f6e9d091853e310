// SPDX-License-Identifier: Apache-2.0
// Texts that people read are compared with files in `Fixtures`. `NIGHTJAR_RECORD=1 swift test` writes them anew; the
// difference is then read by a person before it is committed.

import Foundation
import Testing

enum Snapshot {
    static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)")
        if ProcessInfo.processInfo.environment["NIGHTJAR_RECORD"] == "1" {
            try? Data(text.utf8).write(to: url)
            return
        }
        let known = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        guard known != text else { return }
        let pairs = zip(lines(known) + [""], lines(text) + [""])
        let first = pairs.enumerated().first { $0.element.0 != $0.element.1 }
        Issue.record(
            """
            \(name) differs\(first.map { " at line \($0.offset + 1)\n  known: \($0.element.0)\n  now:   \($0.element.1)" } ?? "")
            """, sourceLocation: sourceLocation)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
