// SPDX-License-Identifier: Apache-2.0
// Reads what `git log --raw --patch --unified=0` prints: which lines of which files each commit changed, and the words
// that stand in them. The text may be cut anywhere; what is whole before the cut counts.

import Domain
import Triage

struct PatchReader {
    /// What `Repository.changes` has git print: a mark, the commit's id, the files, the patch.
    static let commitMark: UInt8 = 1
    /// A generated file has more lines than words that say something.
    private static let wordBytesPerFile = 64 << 10
    private static let wordsPerFile = 2000

    private(set) var changes: [Revision: [FileChange]] = [:]
    private var commit: Revision?
    private var paths: [String] = []
    private var files: [FileChange] = []
    /// Lines of the current hunk that are still to come.
    private var removedLeft = 0
    private var addedLeft = 0
    private var changedText: [UInt8] = []
    private var doesMore = false
    /// Whether the file holds tests, or runs them.
    private var isOfTests = false
    /// The first added line that may keep a failure from being seen, and the last check that was removed.
    private var muting: String?
    private var removedCheck: String?
    private var checksLeft = 0

    /// - isWhole: whether `text` is all that git had to say. Otherwise the last commit is left out.
    static func read(_ text: [UInt8], isWhole: Bool) -> [Revision: [FileChange]] {
        var reader = PatchReader()
        for line in text.split(separator: 10, omittingEmptySubsequences: true) { reader.take(line) }
        if isWhole { reader.closeCommit() }
        return reader.changes
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        guard let first = line.first else { return }
        // Within a hunk every line belongs to it, whatever it looks like.
        if removedLeft > 0 || addedLeft > 0 {
            if first == UInt8(ascii: "-"), removedLeft > 0 {
                removedLeft -= 1
                return takeChanged(line)
            }
            if first == UInt8(ascii: "+"), addedLeft > 0 {
                addedLeft -= 1
                return takeChanged(line)
            }
            if first == UInt8(ascii: "\\") { return }
            removedLeft = 0
            addedLeft = 0
        }
        if first == PatchReader.commitMark {
            closeCommit()
            commit = Revision(String(decoding: line.dropFirst(), as: UTF8.self))
        } else if first == UInt8(ascii: ":") {
            if let tab = line.lastIndex(of: 9) { paths.append(PatchReader.path(line[(tab + 1)...])) }
        } else if line.starts(with: "diff --git ".utf8) {
            closeFile()
            // Patches come in the order of the list above them, which has each path alone on its line.
            let path = files.count < paths.count ? paths[files.count] : ""
            files.append(FileChange(path: path, added: 0, removed: 0))
            isOfTests = MutingLine.mayStand(in: path)
        } else if line.starts(with: "@@ ".utf8), !files.isEmpty {
            takeHunk(line)
        }
    }

    /// Whether a changed line does nothing but say something.
    private static func isSaying(_ line: ArraySlice<UInt8>) -> Bool {
        let text = line.dropFirst().drop { $0 == 32 || $0 == 9 }
        if text.isEmpty { return true }
        // What comes after the words may do more than say them.
        if text.contains(where: { ";|&>`".utf8.contains($0) }) { return text.first == UInt8(ascii: "#") }
        return saying.contains { text.starts(with: $0.utf8) }
    }

    private static let saying = [
        "#", "//", "echo ", "echo\t", "print(", "printf ", "puts ", "say ", "console.log(", "log.debug(", "log.info(",
        "logger.debug(", "logger.info(", "logging.info(", "logging.debug(", "fmt.Println(", "fmt.Printf(",
    ]

    private mutating func takeChanged(_ line: ArraySlice<UInt8>) {
        if !PatchReader.isSaying(line) { doesMore = true }
        if isOfTests { takeCheck(line) }
        if changedText.count < PatchReader.wordBytesPerFile {
            changedText += line.dropFirst().prefix(500)
            changedText.append(10)
        }
    }

    private mutating func takeCheck(_ line: ArraySlice<UInt8>) {
        let isAdded = line.first == UInt8(ascii: "+")
        let text = String(decoding: line.dropFirst().prefix(500), as: UTF8.self)
        if isAdded, muting == nil, MutingLine.isMuting(text) { muting = text }
        guard MutingLine.isCheck(text) else { return }
        checksLeft += isAdded ? 1 : -1
        if !isAdded { removedCheck = text }
    }

    /// The line by which the file may hide a failure: one that was added, or a check that is gone for none.
    private mutating func closeChecks() -> String? {
        let line = muting ?? (checksLeft < 0 ? removedCheck.map { "without \($0)" } : nil)
        (muting, removedCheck, checksLeft) = (nil, nil, 0)
        return line.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    }

    /// `@@ -12,2 +12,3 @@ func name(`: counts that are left out are 1.
    private mutating func takeHunk(_ line: ArraySlice<UInt8>) {
        let parts = line.prefix(200).split(separator: 32, maxSplits: 4).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count >= 4, parts[1].hasPrefix("-"), parts[2].hasPrefix("+"),
            let old = PatchReader.range(parts[1]), let new = PatchReader.range(parts[2])
        else { return }
        removedLeft = old.count
        addedLeft = new.count
        files[files.count - 1].removed += old.count
        files[files.count - 1].added += new.count
        files[files.count - 1].hunks.append(new.start...(new.start + max(0, new.count - 1)))
        if parts.count > 4 { changedText += Array((parts[4] + "\n").utf8) }
    }

    private static func range(_ text: String) -> (start: Int, count: Int)? {
        let numbers = text.dropFirst().split(separator: ",").map { Int($0) }
        guard let first = numbers.first, let start = first, start >= 0, start < 1 << 40 else { return nil }
        guard numbers.count > 1 else { return (start, 1) }
        guard let count = numbers[1], count >= 0, count < 1 << 40 else { return nil }
        return (start, count)
    }

    private mutating func closeFile() {
        guard !files.isEmpty else { return }
        files[files.count - 1].isOnlySaid = !changedText.isEmpty && !doesMore
        doesMore = false
        files[files.count - 1].mutes = closeChecks()
        if !changedText.isEmpty {
            let words = FileChange.words(in: changedText)
            files[files.count - 1].words =
                words.count > PatchReader.wordsPerFile
                ? Set(words.sorted().prefix(PatchReader.wordsPerFile)) : words
        }
        changedText = []
        removedLeft = 0
        addedLeft = 0
    }

    private mutating func closeCommit() {
        closeFile()
        if let commit { changes[commit] = files }
        commit = nil
        paths = []
        files = []
    }

    /// A path as git prints it: in quotes and with escapes where it holds a character that needs them.
    static func path(_ printed: ArraySlice<UInt8>) -> String {
        guard printed.count >= 2, printed.first == UInt8(ascii: "\""), printed.last == UInt8(ascii: "\"") else {
            return String(decoding: printed, as: UTF8.self)
        }
        let escapes: [UInt8: UInt8] = [97: 7, 98: 8, 116: 9, 110: 10, 118: 11, 102: 12, 114: 13]
        var bytes: [UInt8] = []
        var rest = printed.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            let digits = ([next] + rest.prefix(2)).prefix { (48...55).contains($0) }
            if digits.count == 3 {
                rest = rest.dropFirst(2)
                bytes.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 48) }))
            } else {
                bytes.append(escapes[next] ?? next)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
