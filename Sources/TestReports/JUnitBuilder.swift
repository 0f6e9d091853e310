// SPDX-License-Identifier: Apache-2.0
// From tags and text of a JUnit report to results.

import Domain

/// Follows the elements of one report and collects its tests.
struct JUnitBuilder: XMLHandler {
    enum Kind {
        case suites, suite, testCase
        case error, failure, skipped
        case flaky, rerun
        /// Captured output: its text is not the failure's text.
        case output
        case other

        /// Which child decides what became of a case; the highest wins.
        var rank: Int {
            switch self {
            case .error: 4
            case .failure: 3
            case .skipped: 2
            case .flaky, .rerun: 1
            default: 0
            }
        }
    }

    /// Counters of one open `<testsuite>` or `<testsuites>`.
    struct Suite {
        var label: String
        var declared: [Counter: Int]
        var direct = Totals()
        var all = Totals()
    }
    /// Room is made for at most so many tests before they have been seen.
    private static let believedTests = 1 << 17

    enum Counter { case tests, failures, errors, skipped }

    /// An open `<testcase>`: its result stands in `results` already, and counts once the element has ended.
    struct Case {
        var index: Int
        var rank = 0
        var problems = 0
    }

    private(set) var results: [TestResult] = []
    private var disagreements = BoundedMessages()
    private var suiteProblems = BoundedMessages()
    private var root = ""
    private var declaredTests: Int?
    private var declaredBySuites: Int? = 0
    /// With the index of the test that each belongs to.
    private var properties: [(property: ReportProperty, test: Int?)] = []
    /// More are no measurements.
    private static let propertiesKept = 20_000
    private static let propertyBytes = 200
    private var identities = UniqueNames()
    private var kinds: [Kind] = []
    private var suites: [Suite] = []
    private var cases: [Case] = []
    private var scratch: [UInt8] = []
    /// The depth of the element whose text is being kept, and of the output inside it that is not.
    private var captureDepth: Int?
    private var outputDepth: Int?
    private var captured = BoundedText(limit: Limits.detailsBytes)
    private var problemMessage = ""

    var wantsText: Bool { captureDepth != nil && outputDepth == nil }

    func reading() -> ReportReading {
        var ended = results
        for open in cases.reversed() { ended.remove(at: open.index) }
        var reading = ReportReading(
            results: ended, disagreements: disagreements.messages, suiteProblems: suiteProblems.messages, root: root,
            declaredTests: declaredTests ?? declaredBySuites)
        // What a test measured before it failed says nothing about what works.
        let open = Set(cases.map(\.index))
        reading.properties = properties.filter { entry in
            entry.test.map { !open.contains($0) && [.passed, .flaky].contains(results[$0].outcome) } ?? true
        }.map(\.property)
        return reading
    }

    // MARK: Elements

    mutating func start(_ tag: borrowing XMLTag) throws(XMLProblem) {
        let kind = Self.kind(tag)
        if kinds.isEmpty { try startRoot(tag, kind) }
        switch kind {
        case .suites, .suite: startSuite(tag, kind)
        case .testCase:
            guard results.count < Limits.testsPerSuite else {
                let found = "more than \(Limits.testsPerSuite) tests"
                throw XMLProblem(kind: .limit, offset: tag.offset, found: found)
            }
            cases.append(Case(index: results.count))
            results.append(makeResult(tag))
        case .error, .failure, .skipped, .flaky, .rerun: startProblem(tag, kind)
        case .output: if captureDepth != nil && outputDepth == nil { outputDepth = kinds.count }
        case .other: if tag.isNamed("property") { addProperty(tag) }
        }
        kinds.append(kind)
    }

    mutating func text(_ bytes: Slice<Bytes>) { captured.append(bytes) }

    mutating func end() {
        guard let kind = kinds.popLast() else { return }
        if outputDepth == kinds.count { outputDepth = nil }
        if captureDepth == kinds.count { endCapture(kind) }
        switch kind {
        case .suites, .suite: endSuite(isRoot: kinds.isEmpty)
        case .testCase: endCase()
        default: break
        }
    }

    private static func kind(_ tag: borrowing XMLTag) -> Kind {
        if tag.isNamed("testcase") { return .testCase }
        if tag.isNamed("failure") { return .failure }
        if tag.isNamed("skipped") { return .skipped }
        if tag.isNamed("error") { return .error }
        if tag.isNamed("system-out") || tag.isNamed("system-err") { return .output }
        if tag.isNamed("testsuite") { return .suite }
        if tag.isNamed("testsuites") { return .suites }
        if tag.isNamed("flakyFailure") || tag.isNamed("flakyError") { return .flaky }
        if tag.isNamed("rerunFailure") || tag.isNamed("rerunError") { return .rerun }
        return .other
    }

    private mutating func startRoot(_ tag: borrowing XMLTag, _ kind: Kind) throws(XMLProblem) {
        root = tag.fullName
        switch kind {
        case .suites, .suite, .testCase: return
        default:
            let format = ForeignFormat.name(ofRoot: tag.localName)
            throw XMLProblem(kind: .foreign(root: root, format: format), offset: tag.offset, found: "<\(root)>")
        }
    }

    // MARK: Cases

    private mutating func makeResult(_ tag: borrowing XMLTag) -> TestResult {
        scratch.removeAll(keepingCapacity: true)
        var classIndex: Int?
        var nameIndex: Int?
        var result = TestResult(id: "", outcome: .passed)
        for (index, attribute) in tag.attributes.enumerated() {
            if tag.isAttribute(attribute, "name") {
                nameIndex = index
            } else if tag.isAttribute(attribute, "classname") {
                classIndex = index
            } else if tag.isAttribute(attribute, "class") && classIndex == nil {
                classIndex = index
            } else if tag.isAttribute(attribute, "time") {
                result.durationSeconds = tag.seconds(attribute)
            } else if tag.isAttribute(attribute, "file") {
                result.file = BoundedText.shortened(tag.value(attribute), to: Limits.messageBytes)
            } else if tag.isAttribute(attribute, "line") {
                result.line = Int(tag.value(attribute))
            }
        }
        if let classIndex { tag.append(tag.attributes[classIndex], to: &scratch) }
        if !scratch.isEmpty {
            scratch.append(UInt8(ascii: ":"))
            scratch.append(UInt8(ascii: ":"))
        }
        if let nameIndex { tag.append(tag.attributes[nameIndex], to: &scratch) }
        if scratch.isEmpty { scratch.append(contentsOf: "(unnamed)".utf8) }
        let name = String(decoding: scratch, as: UTF8.self)
        result.id = identities.unique(BoundedText.shortened(name, to: Limits.messageBytes))
        return result
    }

    private mutating func endCase() {
        guard let done = cases.popLast() else { return }
        let outcome: TestOutcome =
            switch done.rank {
            case 4: .errored
            case 3: .failed
            case 2: .skipped
            case 1: .flaky
            default: .passed
            }
        if outcome != .passed { results[done.index].outcome = outcome }
        if let last = suites.indices.last {
            suites[last].direct.add(outcome)
            suites[last].all.add(outcome)
        }
    }

    /// Only numbers are kept: anything else is about the surroundings of the run.
    private mutating func addProperty(_ tag: borrowing XMLTag) {
        guard properties.count < Self.propertiesKept, let name = tag.text(of: "name"),
            let value = tag.text(of: "value"),
            name.utf8.count <= Self.propertyBytes, value.utf8.count <= Self.propertyBytes, Measure(value) != nil
        else { return }
        properties.append((ReportProperty(name: name, value: value), cases.last?.index))
    }

    // MARK: What went wrong

    private mutating func startProblem(_ tag: borrowing XMLTag, _ kind: Kind) {
        switch kinds.last {
        case .testCase:
            guard let last = cases.indices.last else { return }
            let index = cases[last].index
            if kind == .flaky || kind == .rerun {
                results[index].retries = (results[index].retries ?? 0) + 1
            }
            guard kind.rank >= cases[last].rank else { return }
            if kind.rank > cases[last].rank {
                cases[last].rank = kind.rank
                cases[last].problems = 0
                results[index].details = nil
                results[index].message = tag.text(of: "message").map(Self.headline)
                results[index].type = tag.text(of: "type").map(Self.headline)
            }
            cases[last].problems += 1
        case .suite, .suites:
            guard kind == .error || kind == .failure else { return }
            problemMessage = tag.text(of: "message") ?? ""
        default: return
        }
        captureDepth = kinds.count
        captured.removeAll()
    }

    private mutating func endCapture(_ kind: Kind) {
        captureDepth = nil
        guard kinds.last == .testCase, let index = cases.last?.index else {
            endSuiteProblem(kind)
            return
        }
        if captured.isEmpty { return }
        let text = captured.text
        if text.allSatisfy(\.isWhitespace) { return }
        if results[index].message?.isEmpty ?? true { results[index].message = Self.firstLine(text) }
        if let before = results[index].details {
            // One limit holds for all of a case's failures together.
            var joined = BoundedText(limit: Limits.detailsBytes)
            joined.append(before + "\n\n")
            joined.append(text)
            results[index].details = joined.text
        } else {
            results[index].details = text
        }
    }

    private mutating func endSuiteProblem(_ kind: Kind) {
        let word = kind == .error ? "an error" : "a failure"
        let label = suites.last?.label ?? "the report"
        let message = problemMessage.isEmpty ? Self.firstLine(captured.text) : Self.headline(problemMessage)
        suiteProblems.add("\(label) reports \(word) outside of any test: \(message)")
    }

    private static func headline(_ text: String) -> String {
        BoundedText.shortened(text, to: Limits.messageBytes)
    }

    static func firstLine(_ text: String) -> String {
        let line = text.drop(while: \.isWhitespace).prefix { !$0.isNewline }
        return headline(String(line))
    }

    // MARK: Suites

    private mutating func startSuite(_ tag: borrowing XMLTag, _ kind: Kind) {
        var declared: [Counter: Int] = [:]
        var name = ""
        for attribute in tag.attributes {
            if tag.isAttribute(attribute, "tests") {
                declared[.tests] = Int(tag.value(attribute))
            } else if tag.isAttribute(attribute, "failures") {
                declared[.failures] = Int(tag.value(attribute))
            } else if tag.isAttribute(attribute, "errors") {
                declared[.errors] = Int(tag.value(attribute))
            } else if tag.isAttribute(attribute, "skipped") {
                declared[.skipped] = Int(tag.value(attribute))
            } else if tag.isAttribute(attribute, "name") {
                name = BoundedText.shortened(tag.value(attribute), to: 200)
            }
        }
        let element = kind == .suite ? "testsuite" : "testsuites"
        suites.append(Suite(label: "<\(element)> \"\(name)\" (line \(tag.line))", declared: declared))
        if let tests = declared[.tests], results.isEmpty {
            // Growing step by step would copy everything several times over. A claim is not worth more than this.
            results.reserveCapacity(min(max(0, tests), Self.believedTests))
        }
        if kinds.isEmpty { declaredTests = declared[.tests] }
        if kinds.count == 1 { declaredBySuites = declared[.tests].flatMap { sum(declaredBySuites, $0) } }
    }

    private func sum(_ left: Int?, _ right: Int) -> Int? {
        guard let left else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : sum
    }

    private mutating func endSuite(isRoot: Bool) {
        guard let suite = suites.popLast() else { return }
        if let last = suites.indices.last { suites[last].all = suites[last].all + suite.all }
        compare(suite, .tests, "tests") { $0.tests }
        compare(suite, .skipped, "skipped") { $0.skipped }
        // Tools put errors among failures and the other way round; only the sum is comparable.
        if suite.declared[.failures] != nil || suite.declared[.errors] != nil {
            compare(suite, .failures, "failures and errors") { $0.failing }
            let declared = sum(suite.declared[.failures] ?? 0, suite.declared[.errors] ?? 0) ?? 0
            // Counters and cases often differ by a few; that failures are counted and none is listed reads like a pass.
            if declared > 0, suite.all.tests > 0, suite.all.failing == 0 {
                suiteProblems.add("\(suite.label) counts \(declared) failures and errors and lists none")
            }
        }
    }

    /// A suite's counters may speak of its own cases or of those of nested suites too.
    private mutating func compare(_ suite: Suite, _ counter: Counter, _ word: String, _ count: (Totals) -> Int) {
        var declared = suite.declared[counter]
        if counter == .failures {
            declared = sum(suite.declared[.failures] ?? 0, suite.declared[.errors] ?? 0)
        }
        guard let declared, declared != count(suite.all), declared != count(suite.direct) else { return }
        disagreements.add("\(suite.label) says \(declared) \(word), its cases are \(count(suite.all))")
    }
}
