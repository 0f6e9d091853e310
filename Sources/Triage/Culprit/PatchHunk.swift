// SPDX-License-Identifier: Apache-2.0
// Of what a commit changes the part that most likely brought a failure, by the same clues that commits are weighed with:
// lines that the stack names, files that it names, and words of the failing tests.

import Domain

/// The changes of one commit, as they are kept in the cycle folder.
package struct KeptPatch: Hashable, Sendable {
    /// Relative to the cycle folder.
    package var path: String
    package var text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

struct PatchHunk: Hashable {
    struct Line: Hashable {
        var number: Int
        var text: Substring
        var isChanged: Bool { text.hasPrefix("+") || text.hasPrefix("-") }

        /// Blank, or a comment.
        var isIdle: Bool {
            let text = text.dropFirst().drop(while: \.isWhitespace)
            return text.isEmpty || ["#", "//", "/*", "* ", "-- "].contains { text.hasPrefix($0) }
        }
    }
    /// The file after the change; before it, where it is gone.
    var file: String
    /// The lines of the new file.
    var range: ClosedRange<Int>
    /// Changed lines and those around them, each with its number in the patch, counted from 1.
    var lines: [Line]
    /// The part of `lines` that is cited.
    private var cited: Range<Int> = 0..<0
    private var path = ""

    private static let citedLines = 8
    private static let citedBytes = 160
    private static let shown = 100

    /// What it does: the file and line, what goes and what comes.
    var words: String {
        let changed = lines[cited].filter(\.isChanged)
        let gone = changed.first { $0.text.hasPrefix("-") && !$0.isIdle }
        let new = changed.first { $0.text.hasPrefix("+") && !$0.isIdle }
        let parts = [
            gone.map { "loses \(PatchHunk.quoted($0.text))" }, new.map { "gets \(PatchHunk.quoted($0.text))" },
        ]
        let said = parts.compactMap(\.self).joined(separator: " and ")
        return said.isEmpty ? "it changes \(file):\(line)" : "\(file):\(line) \(said)"
    }

    /// Where the cited part begins in the file after the change.
    private var line: Int { max(1, range.lowerBound + lines[..<cited.lowerBound].count { !$0.text.hasPrefix("-") }) }

    var reference: EvidenceReference {
        let part = lines[cited]
        return EvidenceReference(
            path: path, lines: [part.first?.number ?? 1, part.last?.number ?? 1],
            excerpt: part.map { PatchHunk.cut($0.text, PatchHunk.citedBytes) }.joined(separator: "\n"))
    }

    static func likeliest(in patch: KeptPatch, failing: [TestResult]) -> PatchHunk? {
        let clues = CulpritClues(failing)
        var best: (score: Double, hunk: PatchHunk)?
        for hunk in read(patch.text) {
            let score = hunk.score(clues)
            if score > best?.score ?? -1 { best = (score, hunk) }
        }
        guard var hunk = best?.hunk else { return nil }
        hunk.path = patch.path
        hunk.cite(clues)
        return hunk
    }

    // MARK: - How telling

    private func score(_ clues: CulpritClues) -> Double {
        let changed = lines.filter(\.isChanged)
        var score = 1.0
        let own = clues.frames.filter { CulpritClues.isSame(file, $0.file) }
        if !own.isEmpty { score += 8 }
        let near = range.lowerBound - 3...range.upperBound + 3
        if own.contains(where: { $0.line.map(near.contains) ?? false }) { score += 20 }
        let shared = changed.reduce(into: Set<String>()) { $0.formUnion(FileChange.words(in: $1.text.utf8)) }
            .intersection(clues.words)
        score += 2 * Double(min(shared.count, 4))
        if FileKind.isDocumentation(file) || changed.allSatisfy(\.isIdle) { score *= 0.05 }
        if FileKind.isTest(file), !clues.isTestFile(file) { score *= 0.2 }
        return score
    }

    /// From the first changed line that shares a word with the failure, or else the first that does something.
    private mutating func cite(_ clues: CulpritClues) {
        let changed = lines.indices.filter { lines[$0].isChanged && !lines[$0].isIdle }
        let telling = changed.first { !FileChange.words(in: lines[$0].text.utf8).isDisjoint(with: clues.words) }
        let chosen = telling ?? changed.first ?? 0
        // The whole run of changed lines around it, as far as it fits: what goes stands before what comes.
        var first = chosen
        while first > 0, chosen - first < PatchHunk.citedLines / 2, lines[first - 1].isChanged {
            first -= 1
        }
        var end = chosen + 1
        while end < lines.count, end - first < PatchHunk.citedLines, lines[end].isChanged { end += 1 }
        cited = first..<min(end, lines.count)
    }

    private static func quoted(_ line: Substring) -> String {
        let text = line.dropFirst().drop(while: \.isWhitespace)
        return "`\(text.prefix(shown))\(text.count > shown ? "…" : "")`"
    }

    /// At most so many bytes, of whole characters.
    private static func cut(_ text: Substring, _ bytes: Int) -> String {
        guard text.utf8.count > bytes else { return String(text) }
        var end = text.startIndex
        var used = 0
        while end < text.endIndex {
            used += text[end].utf8.count
            if used > bytes { break }
            end = text.index(after: end)
        }
        return String(text[..<end])
    }

    // MARK: - Reading

    /// All hunks of a patch as git prints it.
    static func read(_ text: String) -> [PatchHunk] {
        var found: [PatchHunk] = []
        var file = ""
        var left = (old: 0, new: 0)
        for (index, bytes) in text.utf8.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let line = Substring(bytes)
            if left.old > 0 || left.new > 0, !found.isEmpty {
                if line.hasPrefix("\\") { continue }
                found[found.count - 1].lines.append(Line(number: index + 1, text: line))
                if !line.hasPrefix("+") { left.old -= 1 }
                if !line.hasPrefix("-") { left.new -= 1 }
            } else if line.hasPrefix("--- "), let name = name(line, "a/") {
                file = name
            } else if line.hasPrefix("+++ "), let name = name(line, "b/") {
                file = name
            } else if line.hasPrefix("@@ "), let hunk = counts(line) {
                left = (hunk.old, hunk.new)
                found.append(PatchHunk(file: file, range: hunk.start...(hunk.start + max(0, hunk.new - 1))))
            }
        }
        return found.filter { $0.lines.contains(where: \.isChanged) }
    }

    init(file: String, range: ClosedRange<Int>, lines: [Line] = []) {
        self.file = file
        self.range = range
        self.lines = lines
    }

    /// Nil of `/dev/null`.
    private static func name(_ line: Substring, _ prefix: String) -> String? {
        let name = line.dropFirst(4).filter { $0 != "\"" && $0 != "\t" }
        return name.hasPrefix(prefix) ? String(name.dropFirst(2)) : nil
    }

    /// `@@ -12,2 +12,3 @@`: counts that are left out are 1.
    private static func counts(_ line: Substring) -> (start: Int, old: Int, new: Int)? {
        let parts = line.prefix(200).split(separator: " ", maxSplits: 3)
        guard parts.count >= 3, parts[1].hasPrefix("-"), parts[2].hasPrefix("+") else { return nil }
        let old = parts[1].dropFirst().split(separator: ",").map { Int($0) }
        let new = parts[2].dropFirst().split(separator: ",").map { Int($0) }
        guard let first = new.first, let start = first, (0..<1 << 40).contains(start) else { return nil }
        let counted = { (numbers: [Int?]) -> Int? in
            numbers.count > 1 ? numbers[1].flatMap { (0..<1 << 40).contains($0) ? $0 : nil } : 1
        }
        guard let before = counted(old), let after = counted(new) else { return nil }
        return (start, before, after)
    }
}
