// SPDX-License-Identifier: Apache-2.0
// The telling fields of a structured log line, one JSON object on a line, without making a tree of it.

/// Where the fields stand in the line; strings without their quotes and with their escapes.
struct JSONLine {
    private(set) var message: Range<Int>?
    private(set) var service: Range<Int>?
    /// A traceback or an error's text: the field that says most.
    private(set) var exception: Range<Int>?
    private(set) var time: Range<Int>?
    private(set) var level: LogLevel?
    /// An HTTP status, three digits.
    private(set) var status: Range<Int>?

    /// nil where the line is no complete object: a torn or foreign line is read as plain text.
    init?(_ line: Bytes, _ start: Int) {
        var index = start + 1
        var exceptionRank = 0
        while true {
            index = JSONLine.blank(line, index)
            guard let byte = line[safe: index] else { return nil }
            if byte == UInt8(ascii: "}") { return }
            if byte == UInt8(ascii: ",") {
                index += 1
                continue
            }
            guard byte == UInt8(ascii: "\""), let key = JSONLine.string(line, index) else { return nil }
            index = JSONLine.blank(line, key.upperBound + 1)
            guard line[safe: index] == UInt8(ascii: ":") else { return nil }
            index = JSONLine.blank(line, index + 1)
            guard let first = line[safe: index] else { return nil }
            if first == UInt8(ascii: "\"") {
                guard let value = JSONLine.string(line, index) else { return nil }
                take(line, key, value, &exceptionRank)
                index = value.upperBound + 1
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard let end = JSONLine.nested(line, index) else { return nil }
                index = end
            } else {
                let begin = index
                while let byte = line[safe: index], byte != UInt8(ascii: ","), byte != UInt8(ascii: "}"), byte > 32 {
                    index += 1
                }
                takeNumber(line, key, begin..<index)
            }
        }
    }

    private mutating func take(_ line: Bytes, _ key: Range<Int>, _ value: Range<Int>, _ rank: inout Int) {
        switch JSONLine.field(line, key) {
        case .message: if message == nil || value.count > (message?.count ?? 0) { message = value }
        case .service: if !value.isEmpty { service = service ?? value }
        case .level: level = level ?? LogLevel.word(line[value])
        case .time: time = time ?? value
        case .exception(let wanted):
            if !value.isEmpty, wanted > rank {
                exception = value
                rank = wanted
            }
        case .status: if value.count == 3 { status = value }
        case nil: break
        }
    }

    private mutating func takeNumber(_ line: Bytes, _ key: Range<Int>, _ value: Range<Int>) {
        guard !value.isEmpty, line[value].allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return }
        switch JSONLine.field(line, key) {
        case .status: if value.count == 3 { status = value }
        case .level: level = level ?? LogLevel.number(line[value].reduce(0) { $0 &* 10 &+ Int($1 - 48) })
        default: break
        }
    }

    private enum Field {
        case message, service, level, time, status
        /// The higher the number the more it says.
        case exception(Int)
    }

    private static let fields: [String: Field] = [
        "message": .message, "msg": .message, "event": .message, "service": .service, "service.name": .service,
        "service_name": .service, "app": .service, "component": .service, "level": .level, "severity": .level,
        "lvl": .level, "loglevel": .level, "log.level": .level, "levelname": .level, "ts": .time, "time": .time,
        "timestamp": .time, "@timestamp": .time, "error": .exception(2), "err": .exception(2),
        "exception": .exception(3), "exc_info": .exception(4), "exc_text": .exception(4), "exc": .exception(3),
        "traceback": .exception(4), "stack": .exception(4), "stack_trace": .exception(4), "stacktrace": .exception(4),
        "error.message": .exception(2), "error.stack_trace": .exception(4), "exc_type": .exception(1),
        "error.type": .exception(1), "status": .status, "status_code": .status, "code": .status,
        "http.status_code": .status,
    ]

    /// By a hash of the lowercased key.
    private static let byHash: [UInt64: Field] = Dictionary(
        uniqueKeysWithValues: fields.map { (hash($0.key.utf8), $0.value) })

    private static func field(_ line: Bytes, _ key: Range<Int>) -> Field? {
        guard (2...17).contains(key.count) else { return nil }
        return byHash[hash(line[key])]
    }

    /// FNV-1a.
    private static func hash(_ key: some Sequence<UInt8>) -> UInt64 {
        key.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1 >= 65 && $1 <= 90 ? $1 | 0x20 : $1)) &* 0x0100_0000_01b3 }
    }

    private static func blank(_ line: Bytes, _ start: Int) -> Int {
        var index = start
        while let byte = line[safe: index], byte <= 32 { index += 1 }
        return index
    }

    /// The inside of the string whose opening quote is at `start`.
    private static func string(_ line: Bytes, _ start: Int) -> Range<Int>? {
        var index = start + 1
        while index < line.count {
            if line[index] == UInt8(ascii: "\"") { return start + 1..<index }
            index += line[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private static func nested(_ line: Bytes, _ start: Int) -> Int? {
        var (index, depth) = (start, 0)
        while index < line.count {
            switch line[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index + 1 }
            case UInt8(ascii: "\""):
                guard let inside = string(line, index) else { return nil }
                index = inside.upperBound
            default: break
            }
            index += 1
        }
        return nil
    }

    /// The last line of an escaped text that says something: of a traceback that is the exception.
    static func lastLine(_ line: Bytes, _ text: Range<Int>) -> Range<Int> {
        var end = text.upperBound
        while end > text.lowerBound {
            if line[end - 1] <= 32 {
                end -= 1
            } else if isBreak(line, end - 2, text) {
                end -= 2
            } else {
                break
            }
        }
        var start = end
        while start > text.lowerBound, !isBreak(line, start - 2, text) { start -= 1 }
        return start..<end
    }

    private static func isBreak(_ line: Bytes, _ index: Int, _ text: Range<Int>) -> Bool {
        index >= text.lowerBound && line[index] == UInt8(ascii: "\\")
            && (line[index + 1] == UInt8(ascii: "n") || line[index + 1] == UInt8(ascii: "r"))
    }

    /// The line of a traceback that names the exception: the first of a Java trace, the last of a Python one.
    static func exceptionLine(_ line: Bytes, _ text: Range<Int>) -> Range<Int> {
        let opening: StaticString = "Traceback "
        let isPython = text.count > 10 && (0..<10).allSatisfy { line[text.lowerBound + $0] == opening.utf8Start[$0] }
        if isPython { return lastLine(line, text) }
        var index = text.lowerBound
        while index + 1 < text.upperBound {
            if line[index] == UInt8(ascii: "\\") {
                if line[index + 1] == UInt8(ascii: "n") || line[index + 1] == UInt8(ascii: "r") { break }
                index += 1
            }
            index += 1
        }
        return text.lowerBound..<(index + 1 >= text.upperBound ? text.upperBound : index)
    }
}
