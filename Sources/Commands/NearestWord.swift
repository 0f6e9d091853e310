// SPDX-License-Identifier: Apache-2.0
// The known word that a mistyped one most likely was.

enum NearestWord {
    /// `; did you mean 'status'?`, or nothing where no word is near.
    static func hint(_ word: String, among known: [String]) -> String {
        nearest(word, among: known).map { "; did you mean '\($0)'?" } ?? ""
    }

    static func nearest(_ word: String, among known: [String]) -> String? {
        guard word.utf8.count <= 40 else { return nil }
        let limit = max(1, word.filter { $0 != "-" }.count / 3)
        let ranked = known.map { (word: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
        guard let best = ranked.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
        if best.distance <= limit { return best.word }
        let completions = known.filter { $0.hasPrefix(word) && word.count >= 3 }
        return completions.count == 1 ? completions[0] : nil
    }

    /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbors.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
