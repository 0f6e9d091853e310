// SPDX-License-Identifier: Apache-2.0
// What the loop remembers and sees around a failure: each test's past, what the logs say, how the surroundings differ.
// Values only; the evidence room of the supervisor fills them in.

package import Domain

/// What one test did in earlier cycles.
package struct TestHistory: Hashable, Sendable {
    /// Runs on record, and how many of them failed.
    package var runs: Int
    package var failures: Int
    /// Revisions on which it ran at least twice, and on how many of those it both passed and failed.
    package var repeatedRevisions: Int
    package var mixedRevisions: Int
    /// Failures per run on revisions that are otherwise green: the estimate and its 95 % interval.
    package var flakeRate: Double
    package var flakeRateLow: Double
    package var flakeRateHigh: Double
    package var lastPassed: Revision?
    package var usualSeconds: Double?

    package init(
        runs: Int, failures: Int, repeatedRevisions: Int = 0, mixedRevisions: Int = 0, flakeRate: Double = 0,
        flakeRateLow: Double = 0, flakeRateHigh: Double = 1, lastPassed: Revision? = nil, usualSeconds: Double? = nil
    ) {
        self.runs = runs
        self.failures = failures
        self.repeatedRevisions = repeatedRevisions
        self.mixedRevisions = mixedRevisions
        self.flakeRate = flakeRate
        self.flakeRateLow = flakeRateLow
        self.flakeRateHigh = flakeRateHigh
        self.lastPassed = lastPassed
        self.usualSeconds = usualSeconds
    }
}

/// A kind of log line that is new, or more frequent than when the loop was last green.
package struct LogFinding: Hashable, Sendable {
    /// The service or stage that wrote it.
    package var source: String
    /// The line with its variable parts replaced by `<*>`.
    package var template: String
    /// `error`, `warn` …, where the line names one.
    package var level: String?
    package var count: Int
    /// How often it stood in the logs of the last green cycle; nil where there are none to compare with.
    package var countAtGreen: Int?
    package var reference: EvidenceReference

    package init(
        source: String, template: String, level: String? = nil, count: Int, countAtGreen: Int? = nil,
        reference: EvidenceReference
    ) {
        self.source = source
        self.template = template
        self.level = level
        self.count = count
        self.countAtGreen = countAtGreen
        self.reference = reference
    }
}

/// Something that was looked at in the surroundings: a disk, a certificate, a clock, a name, a configuration file.
package struct SurroundingFact: Hashable, Sendable {
    package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case disk, inodes, memory, descriptors, load, clock, certificate, name, address, file, health
    }
    package var kind: Kind
    /// The path, host or check that was looked at.
    package var subject: String
    /// In words, with value and unit.
    package var value: String
    /// What it was when the loop was last green; nil where it was not looked at then.
    package var valueAtGreen: String?
    /// Whether this is a problem by itself (a full disk, an expired certificate); nil where only a change would tell.
    package var isProblem: Bool?
    package var reference: EvidenceReference

    package init(
        kind: Kind, subject: String, value: String, valueAtGreen: String? = nil, isProblem: Bool? = nil,
        reference: EvidenceReference
    ) {
        self.kind = kind
        self.subject = subject
        self.value = value
        self.valueAtGreen = valueAtGreen
        self.isProblem = isProblem
        self.reference = reference
    }
}

/// What a commit changed in one file, as far as it tells about failures.
package struct FileChange: Hashable, Sendable {
    package var path: String
    package var added: Int
    package var removed: Int
    /// First and last line of each hunk in the new file.
    package var hunks: [ClosedRange<Int>]
    /// Names that occur in the changed lines, lowercased, without duplicates.
    package var words: Set<String>
    /// Nothing but comments and what is printed or logged was changed.
    package var isOnlySaid: Bool
    /// Of a file of tests: the line that may keep a failing check from being seen.
    package var mutes: String?

    package init(
        path: String, added: Int, removed: Int, hunks: [ClosedRange<Int>] = [], words: Set<String> = [],
        isOnlySaid: Bool = false, mutes: String? = nil
    ) {
        self.mutes = mutes
        self.isOnlySaid = isOnlySaid
        self.path = path
        self.added = added
        self.removed = removed
        self.hunks = hunks
        self.words = words
    }

    /// Names in a text, lowercased: cut at what is no letter or digit, and where a small letter meets a large one. Names
    /// of less than four letters say nothing.
    package static func words(in text: some Sequence<UInt8>) -> Set<String> {
        var found: Set<String> = []
        var word: [UInt8] = []
        var hasLetter = false
        var previousIsSmall = false
        func close() {
            if word.count >= 4, word.count <= 40, hasLetter { found.insert(String(decoding: word, as: UTF8.self)) }
            word.removeAll(keepingCapacity: true)
            hasLetter = false
        }
        for byte in text {
            let isLarge = (65...90).contains(byte)
            let isSmall = (97...122).contains(byte)
            let isNumber = (48...57).contains(byte)
            if !isLarge && !isSmall && !isNumber || isLarge && previousIsSmall { close() }
            if isLarge || isSmall || isNumber { word.append(isLarge ? byte + 32 : byte) }
            hasLetter = hasLetter || isLarge || isSmall
            previousIsSmall = isSmall
        }
        close()
        return found
    }
}
