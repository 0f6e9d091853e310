// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: where, what was found, what is allowed, and the likeliest way out.

/// One mistake in a configuration file.
package struct ConfigurationProblem: Hashable, Sendable {
    /// `suites[2].timeout`; empty for the file as a whole.
    package var path: String
    package var file: String
    package var line: Int
    package var column: Int
    /// `unknown key`, `missing`, or a sentence about values that do not go together.
    package var what: String?
    /// The value as written; never one of a key that may hold a secret.
    package var found: String?
    package var allowed: String?
    /// `did you mean testTimeout?`
    package var hint: String?

    package init(
        path: String, file: String, line: Int, column: Int, what: String? = nil, found: String? = nil,
        allowed: String? = nil, hint: String? = nil
    ) {
        self.path = path
        self.file = file
        self.line = line
        self.column = column
        self.what = what
        self.found = found
        self.allowed = allowed
        self.hint = hint
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// One line: `nightjar.json5:14:9  suites[0].testTimout: unknown key; did you mean testTimeout?`
    package var description: String {
        let parts = [what, found.map { "found \($0)" }, allowed.map { "allowed: \($0)" }].compactMap(\.self)
        let subject = path.isEmpty ? "" : path + ": "
        return "\(file):\(line):\(column)  \(subject)\(parts.joined(separator: ", "))" + (hint.map { "; \($0)" } ?? "")
    }
}

/// Everything wrong with one file, in file order.
package struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [ConfigurationProblem]

    package init(_ problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// One line per problem.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// The known word nearest to a mistyped one; nil where none is near enough to be meant.
func nearest(to word: String, among known: [String]) -> String? {
    let typed = Array(word.lowercased().unicodeScalars.prefix(64))
    let ranked = known.map { (name: $0, distance: editDistance(typed, Array($0.lowercased().unicodeScalars))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, min(typed.count, best.name.count) / 3) ? best.name : nil
}

/// Edits between two words: insert, delete, replace, swap of neighbors (optimal string alignment).
func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            let same = left[row] == right[column]
            var cost = min(previous[column] + (same ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = min(cost, beforePrevious[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
