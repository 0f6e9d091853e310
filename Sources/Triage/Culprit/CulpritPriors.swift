// SPDX-License-Identifier: Apache-2.0
// How suspicious each commit is before anything was run: what it changed, beside what the failing tests say.

package import Domain

/// A commit's weight, and what it rests on.
package struct CulpritPrior: Hashable, Sendable {
    /// Relative to the other commits of the search; above 0.
    package var weight: Double
    /// What spoke for and against it, in words, the strongest first.
    package var because: [String]

    package init(weight: Double, because: [String]) {
        self.weight = weight
        self.because = because
    }
}

/// Each factor multiplies a commit's weight: it is a likelihood ratio. A floor keeps every commit in the search, because a
/// commit that looks innocent is what a person would overlook too. The stack, the changed files and the words of the
/// message are what bug localization finds most telling (Wen, Wu and Cheung, "Locus: Locating Bugs from Software Changes",
/// ASE 2016); the sizes of the factors are ours.
package enum CulpritPriors {
    /// This share of the probability is spread evenly, whatever the factors say.
    static let floor = 0.2

    package static func weights(_ commits: [CommitInfo], failing: [TestResult]) -> [Double] {
        priors(commits, failing: failing).map(\.weight)
    }

    /// The priors of all commits, in their order; the weights add up to 1.
    package static func priors(_ commits: [CommitInfo], failing: [TestResult]) -> [CulpritPrior] {
        let clues = CulpritClues(failing)
        let rarity = Rarity(commits, clues)
        let judged = commits.map { judge($0, clues, rarity) }
        let sum = judged.reduce(0) { $0 + $1.weight }
        return judged.map { prior in
            CulpritPrior(
                weight: (1 - floor) * prior.weight / sum + floor / Double(commits.count), because: prior.because)
        }
    }

    private static func judge(_ commit: CommitInfo, _ clues: CulpritClues, _ rarity: Rarity) -> CulpritPrior {
        var factors: [(factor: Double, words: String)] = []
        if let kind = kindFactor(commit, clues) { factors.append(kind) }
        if let stack = stackFactor(commit, clues) { factors.append(stack) }
        if let words = wordFactor(commit, clues, rarity) { factors.append(words) }
        let lines = commit.changes.reduce(0) { $0 + $1.added + $1.removed }
        if lines > 0 {
            // Twice the weight for sixteen times the lines: large changes break more, but not in proportion.
            factors.append((RealMath.exp(0.25 * RealMath.log(1 + Double(min(lines, 4000)))), "\(lines) lines"))
        } else if commit.changes.isEmpty {
            let guess = 20 * Double(min(commit.files.count, 200))
            factors.append((RealMath.exp(0.25 * RealMath.log(1 + guess)), ""))
        }
        let telling = factors.filter { !$0.words.isEmpty }.sorted { abs($0.factor - 1) > abs($1.factor - 1) }
        return CulpritPrior(
            weight: factors.reduce(1) { $0 * $1.factor }, because: telling.map(\.words))
    }

    /// What kinds of files alone a commit touches.
    private static func kindFactor(_ commit: CommitInfo, _ clues: CulpritClues) -> (factor: Double, words: String)? {
        let files = commit.files
        if files.isEmpty { return (0.05, "changes no file") }
        let own = files.first { clues.isTestFile($0) }
        if let own { return (3, "changes the failing test's file \(own)") }
        if files.allSatisfy(FileKind.isDocumentation) { return (0.02, "documentation only") }
        if files.allSatisfy({ FileKind.isTest($0) || FileKind.isDocumentation($0) }) {
            return (0.1, "other tests only")
        }
        return nil
    }

    /// Files and lines that the failing tests' stacks name. The innermost frame counts most, but any counts.
    private static func stackFactor(_ commit: CommitInfo, _ clues: CulpritClues) -> (factor: Double, words: String)? {
        for frame in clues.frames {
            guard let change = commit.changes.first(where: { CulpritClues.isSame($0.path, frame.file) }),
                let line = frame.line
            else { continue }
            if change.hunks.contains(where: { line >= $0.lowerBound - 3 && line <= $0.upperBound + 3 }) {
                return (20, "changes \(change.path) at line \(line), which the stack names")
            }
        }
        let paths = commit.files + commit.changes.map(\.path)
        for frame in clues.frames {
            if let path = paths.first(where: { CulpritClues.isSame($0, frame.file) }) {
                return (8, "changes \(path), which the stack names")
            }
        }
        return nil
    }

    /// Words of the tests' names and messages that occur in changed lines, in paths or in the subject, the rarer among
    /// the commits the more telling.
    private static func wordFactor(
        _ commit: CommitInfo, _ clues: CulpritClues, _ rarity: Rarity
    ) -> (factor: Double, words: String)? {
        let own = CulpritClues.words(ofCommit: commit)
        var shared: [(word: String, bits: Double)] = []
        for word in clues.words where own.contains(word) {
            let bits = rarity.bits(word)
            if bits > 0 { shared.append((word, bits)) }
        }
        shared.sort { $0.bits == $1.bits ? $0.word < $1.word : $0.bits > $1.bits }
        guard !shared.isEmpty else { return nil }
        // At most three words count, half a bit for each bit of rarity: words of one change are not independent.
        let bits = min(4, shared.prefix(3).reduce(0) { $0 + $1.bits } * 0.5)
        let names = shared.prefix(3).map(\.word).joined(separator: ", ")
        return (RealMath.exp(bits * RealMath.lnTwo), "shares the words \(names)")
    }

    /// How rare each clue is among the commits.
    private struct Rarity {
        private var commits: [String: Int] = [:]
        private let count: Int

        init(_ all: [CommitInfo], _ clues: CulpritClues) {
            count = all.count
            for commit in all {
                for word in CulpritClues.words(ofCommit: commit).intersection(clues.words) {
                    commits[word, default: 0] += 1
                }
            }
        }

        func bits(_ word: String) -> Double {
            let holding = commits[word] ?? 0
            return RealMath.log(Double(count + 1) / Double(holding + 1)) / RealMath.lnTwo
        }
    }
}
