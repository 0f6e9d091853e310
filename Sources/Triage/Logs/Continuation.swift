// SPDX-License-Identifier: Apache-2.0
// Which lines belong to the entry before them: stack frames, causes, the lines of a traceback.

/// What a line without a head of its own is to the entry before it.
enum Continuation {
    /// An entry of its own.
    case none
    /// A frame, a snippet, an indented line.
    case more
    /// `Traceback (most recent call last):`; the next line that is not indented names the exception.
    case traceback
    /// Names the exception.
    case exception

    init(_ line: Bytes, inTraceback: Bool) {
        guard let first = line.first else {
            self = .more
            return
        }
        if first <= 32 {
            self = .more
        } else if line.starts(with: "Traceback (most recent".utf8) {
            self = .traceback
        } else if inTraceback || line.starts(with: "Caused by: ".utf8) || ExceptionShape.matches(line) {
            self = .exception
        } else if Continuation.words.contains(where: { line.starts(with: $0.utf8) }) || line.count == 1 {
            self = .more
        } else {
            self = .none
        }
    }

    private static let words = [
        "at ", "... ", "During handling of the above", "The above exception was", "File \"", "Suppressed: ",
        "stack traceback:", "Stack trace:", "goroutine ", "note: run with `RUST_BACKTRACE",
    ]
}

/// `sqlite3.OperationalError: no such column`, `java.io.IOException`, `AssertionError`.
enum ExceptionShape {
    static func matches(_ line: Bytes) -> Bool { name(line) != nil }

    /// The end of the name that a line begins with, if that names an exception.
    static func name(_ line: Bytes) -> Int? {
        guard let first = line.first, isLetter(first) else { return nil }
        var index = 0
        while index < line.count, index < 160, isLetter(line[index]) || isInner(line[index]) { index += 1 }
        let next = line[safe: index]
        guard next == nil || next == UInt8(ascii: ":") || next == 13 else { return nil }
        for suffix in suffixes where index >= suffix.utf8.count {
            if line[(index - suffix.utf8.count)..<index].elementsEqual(suffix.utf8) {
                // A bare `Error:` is a word like any other.
                return index > suffix.utf8.count || next == nil ? index : nil
            }
        }
        return nil
    }

    private static let suffixes = [
        "Error", "Exception", "Interrupt", "Failure", "Exit", "Panic", "Timeout", "Iteration",
    ]

    private static func isLetter(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return (letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
    }

    private static func isInner(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "$") || (byte >= 48 && byte <= 57)
    }
}

/// What words say about a line whose logger names no level.
enum ImpliedLevel {
    static func of(_ line: Bytes) -> LogLevel? {
        if ExceptionShape.matches(line) || line.starts(with: "Traceback ".utf8) { return .error }
        for start in ["panic: ", "fatal: ", "fatal error: ", "FATAL ", "Fatal "] where line.starts(with: start.utf8) {
            return .fatal
        }
        return isServerError(line) ? .error : nil
    }

    /// An access log's line with a status of 500 to 599: `"GET / HTTP/1.1" 503`, `status=500`.
    private static func isServerError(_ line: Bytes) -> Bool {
        var index = 3
        while index + 2 < line.count {
            let isStatus =
                line[index] == UInt8(ascii: "5") && isDigit(line[index + 1]) && isDigit(line[index + 2])
                && !isDigit(line[safe: index + 3] ?? 32) && !isDigit(line[index - 1])
            // Only a status stays a number in a masked line.
            if isStatus, line[index - 1] == 32 || line[index - 1] == UInt8(ascii: "=") { return true }
            index += 1
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
