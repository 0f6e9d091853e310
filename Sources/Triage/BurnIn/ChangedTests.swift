// SPDX-License-Identifier: Apache-2.0
// Which tests that have passed are new, or run source that changed since the last green revision. Such a test has been
// seen to pass once; how often it does nobody knows yet.

import Domain

/// A test that one pass says too little about.
package struct ChangedTest: Hashable, Sendable {
    package var suite: String
    package var id: String
    package var seconds: Double

    package init(suite: String, id: String, seconds: Double) {
        self.suite = suite
        self.id = id
        self.seconds = seconds
    }
}

/// A changed file of tests, or of what they share, as it is at the wanted revision.
package struct ChangedSource: Sendable {
    package var path: String
    package var lines: [Substring]
    /// Lines that differ from the last green revision, counted from 1.
    package var changed: [ClosedRange<Int>]

    package init(path: String, text: String, changed: [ClosedRange<Int>]) {
        self.path = path
        self.changed = changed
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}

package enum ChangedTests {
    /// Whether `path` is the file that a test stands in, by the test's id.
    package static func isSource(_ path: String, of test: ChangedTest) -> Bool {
        Paths.isSource(path, of: TestResult(id: test.id, outcome: .passed))
    }

    /// - passed: tests of the deciding pass that passed, by suite.
    /// - sources: changed files that hold tests or serve them.
    /// - failing: ids of the tests that did not pass.
    /// - readable: the text of every file of tests, by path, where a changed helper may be mentioned.
    package static func find(
        _ passed: [ChangedTest], _ sources: [ChangedSource], readable: [ChangedSource], failing: Set<String> = []
    ) -> [ChangedTest] {
        let asked = Set(failing.map(name))
        var found: Set<ChangedTest> = []
        for source in sources {
            let own = passed.filter { isSource(source.path, of: $0) }
            let regions = own.compactMap { test in
                SourceBlock.ofTest(named: name(of: test.id), in: source.lines).map { (test, $0) }
            }
            var helpers: Set<String> = []
            var isUnclear = false
            for range in source.changed {
                let hit = regions.filter { $0.1.overlaps(range) }
                found.formUnion(hit.map(\.0))
                for line in range where !hit.contains(where: { $0.1.contains(line) }) {
                    switch SourceBlock.meaning(of: line, in: source.lines) {
                    case .nothing: break
                    // A test that failed is asked about already.
                    case .named(let name): if !asked.contains(name) { helpers.insert(name) }
                    case .unclear: isUnclear = true
                    }
                }
            }
            // A test that cannot be found in its file may be any of it.
            if !source.changed.isEmpty { found.formUnion(own.filter { test in !regions.contains { $0.0 == test } }) }
            let mentioning = mentions(helpers, passed, readable, source)
            found.formUnion(mentioning)
            // What changed and no test names concerns every test beside it.
            if isUnclear || (!helpers.isEmpty && mentioning.isEmpty) { found.formUnion(own) }
        }
        return found.sorted { ($0.seconds, $0.suite, $0.id) < ($1.seconds, $1.suite, $1.id) }
    }

    /// Tests whose own lines name a helper that changed: in its file, or in any file where the helper is one that tests
    /// share.
    private static func mentions(
        _ helpers: Set<String>, _ passed: [ChangedTest], _ readable: [ChangedSource], _ source: ChangedSource
    ) -> [ChangedTest] {
        guard !helpers.isEmpty else { return [] }
        let holdsTests = passed.contains { isSource(source.path, of: $0) }
        let files = holdsTests ? [source] : readable
        return files.flatMap { file in
            passed.filter { test in
                guard isSource(file.path, of: test),
                    let region = SourceBlock.ofTest(named: name(of: test.id), in: file.lines)
                else { return false }
                return file.lines[(region.lowerBound - 1)...(region.upperBound - 1)].contains { line in
                    SourceBlock.names(in: line).contains { helpers.contains(String($0)) }
                }
            }
        }
    }

    /// `test_agent_executes` of `tests.e2e.test_pipeline::test_agent_executes[triage]`.
    static func name(of id: String) -> String {
        let last = id.ranges(of: "::").last.map { id[$0.upperBound...] } ?? id[...]
        let plain = last.prefix { !"[(/ ".contains($0) }
        return String(plain.split(separator: ".").last ?? plain)
    }
}
