// SPDX-License-Identifier: Apache-2.0
// The command line that runs only some tests.

package import Domain

/// Fills `{tests}`, `{testNames}` and `{testsRegex}` of a `select` command.
package enum Selection {
    /// One test to select.
    package struct Test: Hashable, Sendable {
        package var id: String
        /// How the tool names it, where known (a pytest node id).
        package var selector: String?

        package init(id: String, selector: String? = nil) {
            self.id = id
            self.selector = selector
        }

        package init(_ result: TestResult) { self.init(id: result.id, selector: result.selector) }
    }

    /// The arguments with placeholders filled, in the order of `tests` and without repetition.
    ///
    /// - `{tests}` as a whole argument becomes one argument per test (its selector, or its id); within an argument the
    ///   tests are joined by spaces.
    /// - `{testNames}` becomes `a or b`: bare names without parameters, as pytest's `-k` takes them.
    /// - `{testsRegex}` becomes `^(a|b)$` with everything escaped; for `go test` the names of top-level tests, because
    ///   `-run` takes patterns apart at slashes.
    package static func arguments(
        _ template: [String], for tests: [Test], format: ConsoleFormat = .none
    ) -> [String] {
        let selectors = unique(tests.map { selector($0, format) })
        let names = unique(tests.map { bareName($0, format) })
        let regex = "^(" + names.map(escaped).joined(separator: "|") + ")$"
        return template.flatMap { argument -> [String] in
            if argument == "{tests}" { return selectors }
            let filled = replace("{tests}", in: argument, by: selectors.joined(separator: " "))
            let named = replace("{testNames}", in: filled, by: names.joined(separator: " or "))
            return [replace("{testsRegex}", in: named, by: regex)]
        }
    }

    /// The kernel takes no argument of 128 KiB or more (MAX_ARG_STRLEN), whatever all of them may have.
    package static let longestArgument = (128 << 10) - 1
    /// All arguments and the environment share a quarter of the stack's limit, usually 2 MiB: the half of it leaves room.
    package static let allArguments = 1 << 20

    /// How many of the first of `tests` one command line holds; 0 where not even one fits.
    package static func fitting(
        _ template: [String], for tests: [Test], format: ConsoleFormat = .none,
        longest: Int = Selection.longestArgument, all: Int = Selection.allArguments
    ) -> Int {
        func fits(_ count: Int) -> Bool {
            let filled = arguments(template, for: Array(tests.prefix(count)), format: format)
            // Each is ended by a zero and pointed to.
            return filled.allSatisfy { $0.utf8.count <= longest } && filled.reduce(0) { $0 + $1.utf8.count + 9 } <= all
        }
        if fits(tests.count) { return tests.count }
        // More tests never make a line shorter.
        var (most, tooMany) = (0, tests.count)
        while tooMany - most > 1 {
            let middle = (most + tooMany) / 2
            if fits(middle) { most = middle } else { tooMany = middle }
        }
        return most
    }

    /// Why a test cannot or must not be put onto the command line: names come from reports, and a tool would take one that
    /// begins with a dash for an option.
    package static func refusal(_ template: [String], _ test: Test, format: ConsoleFormat = .none) -> String? {
        func isUsed(_ placeholder: String) -> Bool { template.contains { $0.contains(placeholder) } }
        let names =
            (isUsed("{tests}") ? [selector(test, format)] : [])
            + (isUsed("{testNames}") ? [bareName(test, format)] : [])
        if let name = names.first(where: { $0.hasPrefix("-") }) {
            return "\(name) begins with - and could be taken for an option"
        }
        return fitting(template, for: [test], format: format) == 1 ? nil : "its name does not fit onto a command line"
    }

    private static func selector(_ test: Test, _ format: ConsoleFormat) -> String {
        if let selector = test.selector { return selector }
        if format == .pytest { return TestIdentity.pytestNodeID(reportID: withoutNumber(test.id)) ?? test.id }
        return withoutNumber(test.id)
    }

    /// The last name without parameters; of a Go test the part before the first slash.
    private static func bareName(_ test: Test, _ format: ConsoleFormat) -> String {
        let full = withoutNumber(format == .pytest ? test.selector ?? test.id : test.id)
        let head = full[..<(format == .pytest ? full.firstIndex(of: "[") ?? full.endIndex : full.endIndex)]
        let name = head.ranges(of: "::").last.map { head[$0.upperBound...] } ?? head
        return String(format == .goTestJSON ? name.prefix { $0 != "/" } : name)
    }

    /// Cuts the ` #2` that a reader appended.
    private static func withoutNumber(_ id: String) -> String {
        guard let hash = id.lastIndex(of: "#"), hash > id.startIndex else { return id }
        let digits = id[id.index(after: hash)...]
        let space = id.index(before: hash)
        guard id[space] == " ", Int(digits).map({ $0 > 1 }) ?? false else { return id }
        return String(id[..<space])
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private static func escaped(_ name: String) -> String {
        name.map { "\\^$.|?*+()[]{}".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    private static func replace(_ placeholder: String, in text: String, by value: String) -> String {
        text.split(separator: placeholder, omittingEmptySubsequences: false).joined(separator: value)
    }
}
