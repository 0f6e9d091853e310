// SPDX-License-Identifier: Apache-2.0
// What every reader of test reports answers, and the error it throws when the bytes cannot carry an answer.

package import Domain

/// What a report said, in the order in which it said it.
package struct ReportReading: Hashable, Sendable {
    /// One entry per test; ids are unique within a reading.
    package var results: [TestResult]
    /// Where the report contradicts itself, such as a `tests` attribute that differs from the cases counted.
    package var disagreements: [String]
    /// Failures that belong to no test: a reading with one of these is not green, whatever its results say.
    package var suiteProblems: [String]
    /// What was tolerated or left out while reading; harmless for the outcome of each test.
    package var notes: [String]
    /// The root element of an XML report, or the name of the format.
    package var root: String
    /// How many tests the report itself claims to hold, where it says so.
    package var declaredTests: Int?
    /// Properties with a number, of suites and of tests that passed.
    package var properties: [ReportProperty] = []

    package init(
        results: [TestResult] = [], disagreements: [String] = [], suiteProblems: [String] = [], notes: [String] = [],
        root: String = "", declaredTests: Int? = nil
    ) {
        self.results = results
        self.disagreements = disagreements
        self.suiteProblems = suiteProblems
        self.notes = notes
        self.root = root
        self.declaredTests = declaredTests
    }

    package var totals: Totals { Totals(results) }

    /// Whether the report by itself speaks for the revision: at least one test passed, none failed, and the suite
    /// had no problem of its own. Disagreements do not count here: the caller weighs them.
    package var isGreen: Bool {
        let totals = totals
        return totals.failing == 0 && suiteProblems.isEmpty && totals.passed + totals.flaky > 0
    }
}

/// A named value that a report gives beside its tests.
package struct ReportProperty: Hashable, Sendable {
    package var name: String
    /// A number with or without a unit, as the report has it.
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A report that cannot be trusted as a whole: where, what was found there, and what had been read by then.
package struct ReportDamage: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// No byte, or nothing but white space.
        case empty
        /// The report ends before it is complete.
        case truncated
        /// The bytes break the rules of the format.
        case malformed
        /// The bytes are not text in the encoding that the report claims.
        case encoding
        /// Entities that would expand beyond any honest use, or nest.
        case entityBomb
        /// A bound of `Limits` was reached.
        case limit
        /// A report of another kind; `format` names it where it is known.
        case foreign(root: String, format: String?)
    }
    package var kind: Kind
    /// Counted from 1.
    package var line: Int
    /// Counted from 1, in characters.
    package var column: Int
    /// What was found there, as a sentence fragment.
    package var found: String
    /// Everything that had been read before the damage; never a basis for a pass.
    package var reading: ReportReading

    package init(kind: Kind, line: Int, column: Int, found: String, reading: ReportReading = ReportReading()) {
        self.kind = kind
        self.line = line
        self.column = column
        self.found = found
        self.reading = reading
    }

    package var description: String {
        let place = "line \(line), column \(column)"
        return switch kind {
        case .empty: "reading the report: \(found); check that the tool wrote it"
        case .truncated: "reading the report: cut off at \(place): \(found); check that the tool ended by itself"
        case .malformed: "reading the report: malformed at \(place): \(found)"
        case .encoding: "reading the report: wrong encoding at \(place): \(found)"
        case .entityBomb: "reading the report: refused at \(place): \(found)"
        case .limit: "reading the report: refused at \(place): \(found)"
        case .foreign(let root, let format?):
            "reading the report: <\(root)> at \(place) is \(format), not JUnit; convert it or set `report.format`"
        case .foreign(let root, nil):
            "reading the report: <\(root)> at \(place) is no JUnit root; expected <testsuites> or <testsuite>"
        }
    }
}

/// A list of messages that stops growing and says how many more there were.
struct BoundedMessages {
    static let limit = 20
    private var kept: [String] = []
    private var more = 0

    mutating func add(_ message: @autoclosure () -> String) {
        if kept.count < Self.limit { kept.append(message()) } else { more += 1 }
    }

    var messages: [String] { more == 0 ? kept : kept + ["and \(more) more like these"] }
    var isEmpty: Bool { kept.isEmpty }
}
