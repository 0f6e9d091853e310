// SPDX-License-Identifier: Apache-2.0
// Shell-style patterns over test names.

/// `*` matches any text (also `/` and `:`), `?` one character, `[abc]`, `[a-z]`, `[!a]` one of a set; case counts.
package enum Glob {
    /// Whether all of `text` matches.
    ///
    /// On a mismatch only the last `*` takes one more character: earlier ones need not be tried again, so the time is
    /// at most the product of both lengths (R. Cox, "Glob Matching Can Be Simple And Fast Too").
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let pattern = Array(pattern.unicodeScalars)
        let text = Array(text.unicodeScalars)
        var (at, place) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while place < text.count {
            if at < pattern.count, pattern[at] == "*" {
                star = (at, place)
                at += 1
            } else if at < pattern.count, let next = single(pattern, at, text[place]) {
                at = next
                place += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (at, place) = (last.pattern + 1, last.text + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == "*" }
    }

    /// The index behind the element at `at` where it matches `scalar`, or nil.
    private static func single(_ pattern: [Unicode.Scalar], _ at: Int, _ scalar: Unicode.Scalar) -> Int? {
        switch pattern[at] {
        case "?": return at + 1
        case "[":
            if let (isMatch, next) = set(pattern, at, scalar) { return isMatch ? next : nil }
            return scalar == "[" ? at + 1 : nil
        default: return pattern[at] == scalar ? at + 1 : nil
        }
    }

    /// Reads the set at `at`; nil where it has no end, so that `[` stands for itself.
    private static func set(_ pattern: [Unicode.Scalar], _ at: Int, _ scalar: Unicode.Scalar) -> (Bool, Int)? {
        var at = at + 1
        let isNegated = at < pattern.count && (pattern[at] == "!" || pattern[at] == "^")
        if isNegated { at += 1 }
        let start = at
        var isMatch = false
        while at < pattern.count {
            // A bracket in first place is a member.
            if pattern[at] == "]" && at > start { return (isMatch != isNegated, at + 1) }
            if at + 2 < pattern.count, pattern[at + 1] == "-", pattern[at + 2] != "]" {
                if pattern[at] <= scalar && scalar <= pattern[at + 2] { isMatch = true }
                at += 3
            } else {
                if pattern[at] == scalar { isMatch = true }
                at += 1
            }
        }
        return nil
    }
}
