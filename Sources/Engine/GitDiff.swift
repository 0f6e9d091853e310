// SPDX-License-Identifier: Apache-2.0
// What a change consists of, read from git's own words (`diff-tree --raw -z`, `--numstat -z`, `-p`), all without renames:
// a file that moves is one that goes and one that comes.

/// One file of a change.
package struct FileChange: Hashable, Sendable {
    package var path: String
    /// `A`, `M`, `D` or `T` (another type).
    package var status: Character
    /// Six octal digits; `000000` where there is no file.
    package var oldMode: String
    package var newMode: String
    /// Nil for a binary file.
    package var added: Int?
    package var removed: Int?
    package var addedLines: [String]

    package init(
        path: String, status: Character, oldMode: String = "100644", newMode: String = "100644", added: Int? = 0,
        removed: Int? = 0, addedLines: [String] = []
    ) {
        self.path = path
        self.status = status
        self.oldMode = oldMode
        self.newMode = newMode
        self.added = added
        self.removed = removed
        self.addedLines = addedLines
    }
}

package enum GitDiff {
    /// The three views must be of the same two trees. Nil where they do not fit together.
    package static func read(raw: [UInt8], numstat: [UInt8], patch: [UInt8]) -> [FileChange]? {
        guard var changes = entries(raw) else { return nil }
        let counts = fields(numstat)
        guard counts.count == changes.count else { return nil }
        for (index, field) in counts.enumerated() {
            let parts = field.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, String(parts[2]) == changes[index].path else { return nil }
            changes[index].added = Int(parts[0])
            changes[index].removed = Int(parts[1])
        }
        let sections = addedLines(patch)
        // A file of another type has two sections; no rule looks at its lines.
        guard !changes.contains(where: { $0.status == "T" }) else { return changes }
        guard sections.count == changes.count else { return nil }
        for index in changes.indices { changes[index].addedLines = sections[index] }
        return changes
    }

    private static func fields(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `:100644 100755 <id> <id> M` NUL path NUL
    private static func entries(_ raw: [UInt8]) -> [FileChange]? {
        let all = fields(raw)
        guard all.count.isMultiple(of: 2) else { return nil }
        var changes: [FileChange] = []
        for index in stride(from: 0, to: all.count, by: 2) {
            let parts = all[index].split(separator: " ")
            guard parts.count == 5, parts[0].hasPrefix(":"), let status = parts[4].first else { return nil }
            changes.append(
                FileChange(
                    path: all[index + 1], status: status, oldMode: String(parts[0].dropFirst()),
                    newMode: String(parts[1])))
        }
        return changes
    }

    /// The added lines of each file, in order. Lines are counted by the hunk's head, so that text which looks like a head
    /// of its own is text.
    private static func addedLines(_ patch: [UInt8]) -> [[String]] {
        var sections: [[String]] = []
        var old = 0
        var new = 0
        for line in patch.split(separator: 10, omittingEmptySubsequences: false) {
            if old > 0 || new > 0 {
                switch line.first {
                case UInt8(ascii: "+"):
                    new -= 1
                    sections[sections.count - 1].append(String(decoding: line.dropFirst(), as: UTF8.self))
                case UInt8(ascii: "-"): old -= 1
                case UInt8(ascii: "\\"): break
                default:
                    old -= 1
                    new -= 1
                }
                continue
            }
            let text = String(decoding: line.prefix(200), as: UTF8.self)
            if text.hasPrefix("diff --git ") {
                sections.append([])
            } else if text.hasPrefix("@@ "), !sections.isEmpty {
                let parts = text.split(separator: " ")
                guard parts.count >= 3 else { continue }
                old = count(parts[1])
                new = count(parts[2])
            }
        }
        return sections
    }

    /// `-12,3` is 3 lines, `+7` is one.
    private static func count(_ range: Substring) -> Int {
        let parts = range.dropFirst().split(separator: ",")
        return parts.count == 2 ? Int(parts[1]) ?? 0 : 1
    }
}
