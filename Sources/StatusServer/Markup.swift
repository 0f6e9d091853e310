// SPDX-License-Identifier: Apache-2.0
// Markup that escapes by itself: a string that is put into a literal is text and can never be markup.

import Domain
import Reporting

/// Literals are markup; what is interpolated into them is escaped, unless it is markup already.
struct Markup: ExpressibleByStringInterpolation, Sendable {
    var text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ html: Markup) { text += html.text }
        mutating func appendInterpolation(_ html: Markup?) { text += html?.text ?? "" }
        mutating func appendInterpolation(_ pieces: [Markup]) { for piece in pieces { text += piece.text } }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// Text from anywhere, on one line, at most `limit` columns of it.
        mutating func appendInterpolation(_ string: some StringProtocol, limit: Int = 1000) {
            text += HTML.entities(Printable.line(string, columns: limit))
        }
    }

    static func + (left: Markup, right: Markup) -> Markup { Markup(raw: left.text + right.text) }
    static func += (left: inout Markup, right: Markup) { left.text += right.text }

    private init(raw: String) { text = raw }

    /// Lines of text for a `pre`, at most `limit` of them.
    static func block(_ text: String, limit: Int) -> Markup {
        let lines = Printable.lines(String(text.prefix(limit * 400)), limit: limit)
        return Markup(raw: lines.map { HTML.entities(Printable.cut($0, to: 1000)) }.joined(separator: "\n"))
    }
}

extension Markup {
    /// How long ago something was; the page's script keeps it current.
    static func age(_ time: Timestamp, at now: Timestamp) -> Markup {
        "<time class=\"age\" datetime=\"\(time.description)\">\(Durations.age(of: time, at: now))</time>"
    }

    /// A point in time: the minute, with the day where it is another one.
    static func moment(_ time: Timestamp, at now: Timestamp) -> Markup {
        let whole = time.wholeSeconds
        let isToday = whole.prefix(10) == now.wholeSeconds.prefix(10)
        let words = isToday ? time.clockMinute : "\(whole.prefix(10)) \(time.clockMinute)"
        return "<time datetime=\"\(time.description)\" title=\"\(whole)\">\(words)</time>"
    }

    /// Percent-encodes one part of a path (RFC 3986: everything but unreserved characters).
    static func pathPart(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" + digits : digits)
            }
        }
        return result
    }
}

/// What colors and words a state has on the page. The word is always there too: color alone says nothing to some.
enum Tone: String, Sendable {
    case good, bad, doubt, quiet

    init(_ light: StatusSnapshot.Light) {
        self =
            switch light {
            case .green: .good
            case .red: .bad
            case .gray: .doubt
            }
    }

    init(_ verdict: Verdict) {
        self =
            switch verdict {
            case .healthy: .good
            case .failing: .bad
            case .degraded, .unproven: .doubt
            case .interrupted: .quiet
            }
    }

    init(_ mark: LogLine.Mark) {
        self =
            switch mark {
            case .ok, .green: .good
            case .fail, .red: .bad
            case .warn, .hold, .gray: .doubt
            case .going, .skip, .new, .plan, .fact, .act: .quiet
            }
    }
}
