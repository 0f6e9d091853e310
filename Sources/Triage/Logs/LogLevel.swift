// SPDX-License-Identifier: Apache-2.0
// How bad a log line says it is, read from the many words that loggers use for it.

/// The severity of a log line.
package enum LogLevel: UInt8, Hashable, Sendable, Comparable, CaseIterable {
    case debug = 1
    case info, warn, error, fatal

    /// As it stands in evidence: `error`.
    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warn: "warn"
        case .error: "error"
        case .fatal: "fatal"
        }
    }

    package init?(name: String) {
        guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package static func < (one: LogLevel, other: LogLevel) -> Bool { one.rawValue < other.rawValue }

    /// A word that a logger writes for a level, in any case; nil for any other word.
    static func word(_ bytes: Slice<Bytes>) -> LogLevel? {
        guard (3...11).contains(bytes.count) else { return nil }
        var packed: (UInt64, UInt64) = (0, 0)
        for byte in bytes {
            let letter = byte | 0x20
            guard letter >= UInt8(ascii: "a"), letter <= UInt8(ascii: "z") else { return nil }
            packed.1 = packed.1 << 8 | packed.0 >> 56
            packed.0 = packed.0 << 8 | UInt64(letter)
        }
        return packed.1 == 0 ? short[packed.0] : packed == information ? .info : nil
    }

    private static let short: [UInt64: LogLevel] = {
        let words: [(String, LogLevel)] = [
            ("trace", .debug), ("debug", .debug), ("verbose", .debug), ("info", .info), ("notice", .info),
            ("warn", .warn), ("warning", .warn), ("error", .error), ("err", .error), ("severe", .error),
            ("critical", .fatal), ("crit", .fatal), ("fatal", .fatal), ("emerg", .fatal), ("panic", .fatal),
            ("alert", .fatal),
        ]
        return Dictionary(uniqueKeysWithValues: words.map { (pack($0.0).0, $0.1) })
    }()

    private static let information = pack("information")

    private static func pack(_ word: String) -> (UInt64, UInt64) {
        var packed: (UInt64, UInt64) = (0, 0)
        for letter in word.utf8 {
            packed.1 = packed.1 << 8 | packed.0 >> 56
            packed.0 = packed.0 << 8 | UInt64(letter)
        }
        return packed
    }

    /// Levels as numbers: pino and bunyan count 10 (trace) to 60 (fatal).
    static func number(_ value: Int) -> LogLevel? {
        switch value {
        case 10, 20: .debug
        case 30: .info
        case 40: .warn
        case 50: .error
        case 60: .fatal
        default: nil
        }
    }
}
