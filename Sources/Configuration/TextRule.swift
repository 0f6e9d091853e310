// SPDX-License-Identifier: Apache-2.0
// What a piece of text must look like, once for the decoder and once as a pattern for the schema.

import Domain

/// The kinds of text in a configuration.
enum TextRule: String, CaseIterable, Sendable {
    /// Anything but nothing.
    case words
    /// Part of a file name: loop, suite and runbook names.
    case name
    case path
    case url
    /// Of a WebSocket.
    case socketURL
    case hostPort
    case timeZone
    case timeOfDay
    case date
    /// Name of an environment variable, and so of a secret.
    case variable
    case header
    case pointer
    /// A number with its unit.
    case measure
    /// Any text, also none.
    case any

    /// What is allowed, with examples.
    var allowed: String {
        switch self {
        case .words: "text that is not empty"
        case .name: "a name of letters, digits, '.', '_' and '-' that begins with a letter or digit, at most 64 long"
        case .path: "a path"
        case .url: "an http:// or https:// address"
        case .socketURL: "a ws:// or wss:// address"
        case .hostPort: "host and port such as \"db.staging.example:5432\""
        case .timeZone: "the name of a time zone such as \"Europe/Berlin\" or \"UTC\""
        case .timeOfDay: "a time of day such as \"22:00\""
        case .date: "a date such as \"2026-12-31\""
        case .variable: "a name of letters, digits and '_' that does not begin with a digit"
        case .header: "the name of an HTTP header"
        case .pointer: "a JSON pointer (RFC 6901) such as \"/status\" or \"/services/0/revision\""
        case .measure: "a number with its unit such as \"100ms\", \"2s\" or \"99.95%\""
        case .any: "text"
        }
    }

    /// A pattern in the common part of ECMA 262 and other dialects.
    var pattern: String? {
        switch self {
        case .words: "[^\\t\\n\\r ]"
        case .name: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
        case .path: "^[^\\t\\n\\r]+$"
        case .url: "^https?://[^/?#\\s@]+([/?#]\\S*)?$"
        case .socketURL: "^wss?://[^/?#\\s@]+([/?#]\\S*)?$"
        case .hostPort: "^([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$"
        case .timeZone: "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"
        case .timeOfDay: "^([01][0-9]|2[0-3]):[0-5][0-9]$"
        case .date: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
        case .variable: "^[A-Za-z_][A-Za-z0-9_]*$"
        case .header: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
        case .pointer: "^(/([^/~]|~[01])*)*$"
        case .measure: "^[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)? *[A-Za-z%/µ]{0,12}$"
        case .any: nil
        }
    }

    /// Whether a text fits.
    func accepts(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        switch self {
        case .any: return true
        case .words: return bytes.contains { ![9, 10, 13, 32].contains($0) }
        case .name:
            return bytes.count <= 64 && (bytes.first?.isAlphanumeric ?? false)
                && bytes.allSatisfy { $0.isAlphanumeric || ".-_".utf8.contains($0) }
        case .path: return !bytes.isEmpty && !bytes.contains { [9, 10, 13].contains($0) }
        case .url: return acceptsURL(text, ["http://", "https://"])
        case .socketURL: return acceptsURL(text, ["ws://", "wss://"])
        case .hostPort: return HostPort(text) != nil
        case .timeZone: return acceptsTimeZone(text)
        case .timeOfDay: return Quantity.timeOfDay(text) != nil
        case .date: return CalendarDate(text) != nil
        case .variable:
            return bytes.first.map { !$0.isDigit } ?? false
                && bytes.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "_") }
        case .header:
            return !bytes.isEmpty && bytes.allSatisfy { $0.isAlphanumeric || "!#$%&'*+.^_`|~-".utf8.contains($0) }
        case .pointer: return acceptsPointer(bytes)
        case .measure: return (bytes.first?.isDigit ?? false) && Measure(text) != nil
        }
    }

    private func acceptsURL(_ text: String, _ schemes: [String]) -> Bool {
        guard let scheme = schemes.first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        return !authority.isEmpty && !authority.contains("@") && !rest.contains(where: \.isWhitespace)
    }

    private func acceptsTimeZone(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 3, let first = parts.first?.first, first.isAlphanumeric, !first.isDigit else {
            return false
        }
        return parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isAlphanumeric || "_+-".utf8.contains($0) }
        }
    }

    private func acceptsPointer(_ bytes: [UInt8]) -> Bool {
        guard bytes.isEmpty || bytes.first == UInt8(ascii: "/") else { return false }
        return bytes.indices.allSatisfy { index in
            guard bytes[index] == UInt8(ascii: "~") else { return true }
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            return next == UInt8(ascii: "0") || next == UInt8(ascii: "1")
        }
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool { isDigit || (65...90).contains(self) || (97...122).contains(self) }
}

/// `db.staging.example:5432`, or an IPv6 address in brackets.
struct HostPort {
    let host: String
    let port: Int

    init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isDigit), let port = Int(digits),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
            guard !host.isEmpty, host.utf8.allSatisfy({ $0.hexValue != nil || ":.".utf8.contains($0) }) else {
                return nil
            }
        } else {
            guard !host.isEmpty, host.utf8.allSatisfy({ $0.isAlphanumeric || "._-".utf8.contains($0) }) else {
                return nil
            }
        }
        self.host = String(host)
        self.port = port
    }
}

/// A day of the Gregorian calendar.
struct CalendarDate: Comparable {
    let year: Int
    let month: Int
    let day: Int

    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy(\.isDigit) }) else { return nil }
        let numbers = parts.compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        guard numbers.count == 3, (1...12).contains(numbers[1]) else { return nil }
        let leap = numbers[0] % 4 == 0 && (numbers[0] % 100 != 0 || numbers[0] % 400 == 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[numbers[1] - 1]).contains(numbers[2]) else { return nil }
        (year, month, day) = (numbers[0], numbers[1], numbers[2])
    }

    static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}
