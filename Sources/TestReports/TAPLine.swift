// SPDX-License-Identifier: Apache-2.0
// One line of the Test Anything Protocol, versions 12 to 14.
// https://testanything.org/tap-version-14-specification.html

import Domain

/// What a line of TAP says, without its indentation.
enum TAPLine {
    struct Point {
        var isOK: Bool
        var number: Int?
        var name: String
        var isSkip = false
        var isTodo = false
        /// The directive's explanation.
        var reason = ""
        var seconds: Double?
        /// The point opens a block `{ … }` of its own subtests.
        var opensBlock = false

        /// A failed to-do is expected to fail and no failure; a to-do that passes is a pass.
        var outcome: TestOutcome {
            if isSkip { return .skipped }
            if isTodo { return isOK ? .passed : .skipped }
            return isOK ? .passed : .failed
        }
    }
    case version
    case point(Point)
    case plan(first: Int, last: Int, reason: String)
    case bailOut(reason: String)
    case subtest(name: String)
    case blockEnd
    case other

    static func parse(_ text: Substring) -> TAPLine {
        if text == "}" { return .blockEnd }
        if text.hasPrefix("# Subtest") {
            let name = text.dropFirst("# Subtest".count).drop { $0 == ":" || $0 == " " }
            return .subtest(name: String(name))
        }
        if text.lowercased().hasPrefix("tap version ") { return .version }
        if text.prefix(9).lowercased() == "bail out!" {
            return .bailOut(reason: String(text.dropFirst(9).drop { $0 == " " }))
        }
        if let plan = plan(text) { return plan }
        return point(text).map(TAPLine.point) ?? .other
    }

    private static func plan(_ text: Substring) -> TAPLine? {
        guard let dots = text.firstRange(of: ".."), let first = Int(text[..<dots.lowerBound]) else { return nil }
        let digits = text[dots.upperBound...].prefix { $0.isASCII && $0.isNumber }
        guard let last = Int(digits) else { return nil }
        let rest = text[digits.endIndex...].drop { $0 == " " || $0 == "\t" }
        guard rest.isEmpty || rest.hasPrefix("#") else { return nil }
        return .plan(first: first, last: last, reason: String(rest.dropFirst().drop { $0 == " " }))
    }

    private static func point(_ text: Substring) -> Point? {
        let isOK = !text.hasPrefix("not ok")
        guard !isOK || text.hasPrefix("ok") else { return nil }
        var rest = text.dropFirst(isOK ? 2 : 6)
        // `okay` and `ok-ish` are prose.
        guard rest.isEmpty || rest.first == " " || rest.first == "\t" else { return nil }
        rest = rest.drop { $0 == " " || $0 == "\t" }
        var point = Point(isOK: isOK, name: "")
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        if !digits.isEmpty {
            // A number beyond Int is no number that a plan could hold.
            point.number = Int(digits) ?? Int.max
            rest = rest.dropFirst(digits.count).drop { $0 == " " || $0 == "\t" }
        }
        if rest.hasPrefix("- ") || rest == "-" { rest = rest.dropFirst().drop { $0 == " " } }
        if rest.hasSuffix("{") && (rest.count == 1 || rest.dropLast().last == " ") {
            point.opensBlock = true
            rest = rest.dropLast()
        }
        let (name, directive) = split(rest)
        point.name = name
        point.read(directive: directive)
        return point
    }

    /// Cuts at the first `#` that is not escaped and follows white space or nothing.
    private static func split(_ text: Substring) -> (name: String, directive: Substring) {
        var name = ""
        var isEscaped = false
        for index in text.indices {
            let character = text[index]
            if isEscaped {
                name.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "#" && (name.isEmpty || name.last == " " || name.last == "\t") {
                return (trimmed(name[...]), text[text.index(after: index)...])
            } else {
                name.append(character)
            }
        }
        return (trimmed(name[...]), "")
    }

    static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

extension TAPLine.Point {
    /// `SKIP reason`, `skipped on …`, `TODO reason`, `time=12.3ms`; anything else is part of the prose.
    fileprivate mutating func read(directive: Substring) {
        let text = TAPLine.trimmed(directive)
        let word = text.prefix { !$0.isWhitespace && $0 != ":" }
        let lower = word.lowercased()
        if lower.hasPrefix("skip") {
            isSkip = true
        } else if lower == "todo" {
            isTodo = true
        } else if lower.hasPrefix("time=") {
            seconds = ReportedSeconds.parse(String(word.dropFirst(5)))
            return
        } else {
            return
        }
        reason = TAPLine.trimmed(text.dropFirst(word.count).drop { $0 == ":" })
    }
}
