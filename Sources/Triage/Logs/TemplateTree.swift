// SPDX-License-Identifier: Apache-2.0
// Groups masked lines into templates with a tree of fixed depth: Drain (He, Zhu, Zheng, Lyu: "Drain: An Online Log
// Parsing Approach with Fixed Depth Tree", ICWS 2017). The layers are source, number of words, first and second word;
// in a leaf the most similar template takes the line, and the words that differ become `<*>`.
//
// Two things are other than in the paper. Masks come first, so that the first words may not be numbers. And two lines
// that differ in a word of outcome (`succeeded`, `failed`) are never one template, however similar they are.

/// Templates by number, in the order in which they were first seen.
struct TemplateTree {
    private var templates: [[Word]] = []
    private var leaves: [UInt64: [Int32]] = [:]
    private let limit: Int

    private typealias Word = [UInt8]
    /// Share of words that must agree.
    private static let similarity = (needed: 7, of: 10)
    /// Words of a line that are looked at.
    private static let wordLimit = 64
    /// Templates of a leaf that are compared, newest first.
    private static let leafLimit = 128
    private static let star: Word = Array("<*>".utf8)

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { templates.count }

    func text(_ template: Int32) -> String {
        String(decoding: Array(templates[Int(template)].joined(separator: [32])), as: UTF8.self)
    }

    /// The template of a masked line of one source; nil where there is no room for a new one.
    mutating func place(_ masked: Bytes, source: Int) -> (template: Int32, isNew: Bool)? {
        var words: [Word] = []
        for word in masked.split(separator: 32, maxSplits: TemplateTree.wordLimit) {
            guard words.count < TemplateTree.wordLimit else { break }
            words.append(Word(word))
        }
        let key = TemplateTree.key(words, source)
        if let found = mostSimilar(words, leaves[key] ?? []) {
            for index in words.indices where templates[Int(found)][index] != words[index] {
                templates[Int(found)][index] = TemplateTree.star
            }
            return (found, false)
        }
        guard templates.count < limit else { return nil }
        let number = Int32(templates.count)
        templates.append(words)
        leaves[key, default: []].append(number)
        return (number, true)
    }

    private func mostSimilar(_ words: [Word], _ candidates: [Int32]) -> Int32? {
        var best: (template: Int32, same: Int)?
        for candidate in candidates.suffix(TemplateTree.leafLimit).reversed() {
            let template = templates[Int(candidate)]
            guard template.count == words.count else { continue }
            var same = 0
            var isOther = false
            for (one, other) in zip(template, words) {
                if one == other {
                    same += 1
                } else if one != TemplateTree.star, Outcomes.has(one) || Outcomes.has(other) {
                    isOther = true
                    break
                }
            }
            if isOther { continue }
            if same == words.count { return candidate }
            if same > best?.same ?? -1 { best = (candidate, same) }
        }
        guard let best,
            best.same * TemplateTree.similarity.of >= words.count * TemplateTree.similarity.needed
        else { return nil }
        return best.template
    }

    private static func key(_ words: [Word], _ source: Int) -> UInt64 {
        var key = UInt64(source) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(words.count)
        for word in words.prefix(2) {
            let isVariable = word.contains(UInt8(ascii: "*"))
            key = word.withUnsafeBufferPointer { bytes in
                guard !isVariable, let base = bytes.baseAddress else { return (key ^ 42) &* 0x0100_0000_01b3 }
                return LineMask.hash(base, bytes.count, seed: key)
            }
        }
        return key
    }
}

/// Words that say how something went: lines that differ in one of them are about different things.
enum Outcomes {
    private static let words: Set<String> = [
        "ok", "success", "succeeded", "successful", "successfully", "passed", "pass", "done", "completed", "complete",
        "ready", "healthy", "up", "connected", "accepted", "started", "listening", "granted", "valid", "found",
        "fail", "failed", "failing", "failure", "error", "errors", "fatal", "exception", "panic", "crash", "crashed",
        "refused", "denied", "rejected", "timeout", "timed", "expired", "invalid", "missing", "lost", "closed", "reset",
        "aborted", "abort", "killed", "unavailable", "unhealthy", "unreachable", "down", "degraded", "broken",
        "corrupt", "corrupted", "unknown", "unexpected", "not", "no", "cannot", "can't", "without", "never", "exceeded",
        "exhausted", "full", "stopped", "stopping", "exiting", "warn", "warning", "info", "debug", "skipped", "retry",
        "retrying", "disconnected", "forbidden", "unauthorized", "null", "none", "nan", "true", "false",
    ]

    static func has(_ word: [UInt8]) -> Bool {
        guard word.count <= 16 else { return false }
        var trimmed = word[...]
        while let last = trimmed.last, !isLetter(last) { trimmed.removeLast() }
        while let first = trimmed.first, !isLetter(first) { trimmed.removeFirst() }
        guard trimmed.count >= 2 else { return false }
        return words.contains(String(decoding: trimmed.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }, as: UTF8.self))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
    }
}
