// SPDX-License-Identifier: Apache-2.0
// Test Anything Protocol, versions 12 to 14, with subtests.

import Domain

/// Reads TAP as it arrives.
///
/// Each test point is a result; points of a subtest are named `parent > child` and stand before their parent. Bailing
/// out, a missing plan and a plan that differs from what ran are suite problems. A failed `# TODO` is no failure.
package struct TAPReader {
    /// The points of one level of indentation since its parent point.
    struct Level {
        var results: [TestResult] = []
        var numbers: Set<Int> = []
        var points = 0
        var plan: (first: Int, last: Int)?
        /// Whether the plan came behind points: then no more may follow.
        var isClosed = false
        var problems: [String] = []
    }
    private var lines = LineSplitter(limit: LineSplitter.consoleLimit)
    private var levels = [Level()]
    private var problems = BoundedMessages()
    private var notes = BoundedMessages()
    private var isBailedOut = false
    private var isStream = false
    /// The indentation of the diagnostics block that is open, and its text.
    private var blockIndent: Int?
    private var block = BoundedText(limit: Limits.detailsBytes)
    private var total = 0
    private var identities = UniqueNames()
    /// Names of points that opened a `{ … }` block, innermost last.
    private var blockParents: [(level: Int, name: String)] = []

    /// A level is four columns; whatever is indented further belongs to this one.
    private static let maximumLevel = 32

    package init() {}

    package mutating func push(_ bytes: ArraySlice<UInt8>) throws(ReportDamage) {
        for line in lines.push(bytes) { try take(line) }
    }

    package mutating func finish() throws(ReportDamage) -> ReportReading {
        if let line = lines.finish() { try take(line) }
        endBlock()
        guard isStream else {
            let found = lines.count == 0 ? "it is empty" : "it holds no line of TAP"
            throw ReportDamage(kind: .empty, line: 1, column: 1, found: found)
        }
        if levels.count > 1 {
            notes.add("points of a subtest without a parent point")
            fold(into: 0, parent: "(unfinished)")
        }
        if !isBailedOut { checkPlan(levels[0], "the report", isTop: true) }
        return reading()
    }

    package static func read(_ bytes: [UInt8]) throws(ReportDamage) -> ReportReading {
        var reader = TAPReader()
        try reader.push(bytes[...])
        return try reader.finish()
    }

    private func reading() -> ReportReading {
        var identities = identities
        var results = levels[0].results
        for index in results.indices { results[index].id = identities.unique(results[index].id) }
        return ReportReading(
            results: results, suiteProblems: problems.messages, notes: notes.messages, root: "tap",
            declaredTests: levels[0].plan.map { $0.last - $0.first + 1 })
    }

    // MARK: Lines

    private mutating func take(_ bytes: [UInt8]) throws(ReportDamage) {
        if isBailedOut { return }
        let indent = bytes.prefix { $0 == 0x20 }.count
        let text = String(decoding: bytes.dropFirst(indent), as: UTF8.self)
        if takeBlock(text, indent) { return }
        let level = min(indent / 4, Self.maximumLevel)
        let line = TAPLine.parse(Substring(TAPLine.trimmed(text[...])))
        if case .other = line { return }
        if case .version = line {
            isStream = true
            return
        }
        if case .blockEnd = line {
            closeBlock(level)
            return
        }
        while levels.count <= level { levels.append(Level()) }
        switch line {
        case .point(let point): try take(point, level)
        case .plan(let first, let last, let reason): take(first, last, reason, level)
        case .bailOut(let reason):
            isStream = true
            isBailedOut = true
            fold(into: 0, parent: "(unfinished)")
            problems.add("bailed out: \(BoundedText.shortened(reason, to: Limits.messageBytes))")
        case .subtest, .version, .blockEnd, .other: break
        }
    }

    private mutating func take(_ first: Int, _ last: Int, _ reason: String, _ level: Int) {
        isStream = true
        let isPossible = first >= 0 && last < Int.max && (first <= last || (first, last) == (1, 0))
        guard levels[level].plan == nil, isPossible else {
            notes.add("a second or impossible plan was ignored")
            return
        }
        levels[level].plan = (first, last)
        levels[level].isClosed = levels[level].points > 0
        if last == 0 && level == 0 { notes.add("the plan is empty: \(reason)") }
    }

    private mutating func take(_ point: TAPLine.Point, _ level: Int) throws(ReportDamage) {
        isStream = true
        total += 1
        guard total <= Limits.testsPerSuite else {
            let found = "more than \(Limits.testsPerSuite) tests"
            throw ReportDamage(kind: .limit, line: lines.count, column: 1, found: found, reading: reading())
        }
        let name = point.name.isEmpty ? "test \(point.number ?? levels[level].points + 1)" : point.name
        fold(into: level, parent: name)
        levels[level].points += 1
        if levels[level].isClosed { levels[level].problems.append("\"\(name)\" came after the closing plan") }
        let number = point.number ?? levels[level].points
        if !levels[level].numbers.insert(number).inserted { levels[level].problems.append("number \(number) twice") }
        var result = TestResult(id: BoundedText.shortened(name, to: Limits.messageBytes), outcome: point.outcome)
        result.durationSeconds = point.seconds
        if point.isSkip || point.isTodo {
            result.message = (point.isTodo ? "todo: " : "") + BoundedText.shortened(point.reason, to: 1000)
        }
        levels[level].results.append(result)
        if point.opensBlock { blockParents.append((level, name)) }
    }

    // MARK: Subtests

    /// Ends all levels below `level` as subtests of `parent`.
    private mutating func fold(into level: Int, parent: String) {
        while levels.count > level + 1 {
            let child = levels.removeLast()
            let name = levels.count == level + 1 ? parent : "(unfinished)"
            checkPlan(child, "subtest \"\(name)\"", isTop: false)
            for var result in child.results {
                result.id = BoundedText.shortened("\(name) > \(result.id)", to: Limits.messageBytes)
                levels[levels.count - 1].results.append(result)
            }
        }
    }

    private mutating func closeBlock(_ level: Int) {
        guard let last = blockParents.last, last.level == level else { return }
        blockParents.removeLast()
        fold(into: level, parent: last.name)
    }

    private mutating func checkPlan(_ level: Level, _ what: String, isTop: Bool) {
        for problem in level.problems.prefix(3) { problems.add("\(what): \(problem)") }
        guard let plan = level.plan else {
            if isTop { problems.add("\(what) has no plan: it may have been cut off") }
            return
        }
        let planned = max(0, plan.last - plan.first + 1)
        if planned != level.points {
            problems.add("\(what): planned \(planned), ran \(level.points)")
        } else if let stray = level.numbers.min(by: <), stray < plan.first {
            problems.add("\(what): number \(stray) is outside of the plan \(plan.first)..\(plan.last)")
        } else if let stray = level.numbers.max(by: <), stray > plan.last {
            problems.add("\(what): number \(stray) is outside of the plan \(plan.first)..\(plan.last)")
        }
    }

    // MARK: Diagnostics

    /// Whether the line belongs to a block `---` … `...` behind a point.
    private mutating func takeBlock(_ text: String, _ indent: Int) -> Bool {
        if let blockIndent {
            if indent < blockIndent && !text.isEmpty {
                // The block was never closed: the line is TAP again.
                endBlock()
                return false
            }
            if indent == blockIndent && text == "..." {
                endBlock()
            } else {
                block.append(text + "\n")
                takeDuration(text)
            }
            return true
        }
        guard text == "---", indent % 4 != 0, let last = levels.indices.last(where: { $0 <= indent / 4 }),
            !levels[last].results.isEmpty
        else { return false }
        blockIndent = indent
        block.removeAll()
        return true
    }

    private mutating func takeDuration(_ text: String) {
        guard text.hasPrefix("duration_ms:"), let last = levels.indices.last(where: { !levels[$0].results.isEmpty })
        else { return }
        let milliseconds = ReportedSeconds.parse(String(text.dropFirst("duration_ms:".count)))
        let index = levels[last].results.count - 1
        levels[last].results[index].durationSeconds = milliseconds.map { $0 / 1000 }
    }

    private mutating func endBlock() {
        guard let indent = blockIndent else { return }
        blockIndent = nil
        guard let level = levels.indices.last(where: { $0 <= indent / 4 }), var result = levels[level].results.popLast()
        else { return }
        if result.outcome.isFailure && !block.isEmpty {
            result.details = block.text
            result.message = JUnitBuilder.firstLine(block.text)
        }
        levels[level].results.append(result)
    }
}
