// SPDX-License-Identifier: Apache-2.0
// What two failures must share to be one incident: the type and the message without what changes from run to run.
// Works on bytes: a byte loop was measured two orders of magnitude faster than a regular expression.

package import Domain

package enum Signature {
    /// The longest message part of a signature, bytes.
    private static let messageBytes = 160
    /// The longest place, characters.
    private static let placeLength = 80

    /// The signature of one failure: `type: message`, normalized, and the place in the program's own code that its stack
    /// names: `type: message in threads.py list_threads`. Line numbers move with every commit and are left out. A stack
    /// of tests alone is no place: one cause would be as many as there are tests. Only where a message says nothing of
    /// its own (`assert 1 == 2`) the module of the test stands for the place.
    package static func of(_ result: TestResult) -> String {
        if result.outcome == .timedOut { return "timed out: \(lastComponent(result.id))" }
        let message = normalized(firstMeaningfulLine(result.message ?? result.details ?? ""))
        let type = result.type.map { lastComponent($0) } ?? result.outcome.rawValue
        guard !message.isEmpty else { return "\(type): \(lastComponent(result.id))" }
        let place = StackFrame.top(of: result)?.place ?? (saysNothing(message) ? module(of: result) : nil)
        return "\(type): \(message)" + (place.map { " in \($0.prefix(placeLength))" } ?? "")
    }

    /// Numbers, hexadecimal ids, quoted values and directories replaced; white space folded. Statuses of HTTP that say no
    /// stay: `answered 404` and `answered 503` have two causes.
    package static func normalized(_ text: String) -> String {
        let bytes = Array(text.utf8.prefix(4 * messageBytes))
        let statuses = HTTPStatuses.places(in: bytes)
        var output: [UInt8] = []
        var start: Int?
        func flush(_ end: Int) {
            guard let from = start else { return }
            if !output.isEmpty, output.last != 32 { output.append(32) }
            output += normalizedWord(bytes[from..<end], statuses)
            start = nil
        }
        for (index, byte) in bytes.enumerated() {
            if byte == 32 || byte == 9 || byte == 10 || byte == 13 {
                flush(index)
            } else if start == nil {
                start = index
            }
        }
        flush(bytes.count)
        return String(decoding: output.prefix(messageBytes), as: UTF8.self)
    }

    /// One word: only the last part of a path, and `#` for numbers, hexadecimal ids, addresses and UUIDs, also where
    /// brackets, quotes or signs surround them.
    private static func normalizedWord(_ whole: ArraySlice<UInt8>, _ statuses: Set<Int>) -> [UInt8] {
        let word = whole.lastIndex(of: 47).map { whole[($0 + 1)...] } ?? whole
        var output: [UInt8] = []
        var index = word.startIndex
        while index < word.endIndex {
            var end = index
            while end < word.endIndex, isPartOfName(word[end]) { end += 1 }
            if end == index {
                output.append(word[index])
                index += 1
            } else {
                output += statuses.contains(index) ? Array(word[index..<end]) : normalizedName(word[index..<end])
                index = end
            }
        }
        return output
    }

    private static func normalizedName(_ name: ArraySlice<UInt8>) -> [UInt8] {
        let isHexLiteral = name.count > 2 && name.starts(with: [48, 120]) && name.dropFirst(2).allSatisfy(isHex)
        let isIdentifier =
            name.count >= 6 && name.contains(where: isDigit) && name.allSatisfy { isHex($0) || $0 == 45 }
        if isHexLiteral || isIdentifier { return [35] }
        var output: [UInt8] = []
        for byte in name {
            if !isDigit(byte) { output.append(byte) } else if output.last != 35 { output.append(35) }
        }
        return output
    }

    static func isPartOfName(_ byte: UInt8) -> Bool {
        isDigit(byte) || (97...122).contains(byte) || (65...90).contains(byte) || byte == 45 || byte == 95
    }

    /// Whether a normalized message has no word but those of any comparison.
    private static func saysNothing(_ message: String) -> Bool {
        let words = message.lowercased().split { !$0.isLetter && $0 != "#" && !$0.isNumber }
        return words.allSatisfy { $0 == "#" || ofComparisons.contains(String($0)) }
    }

    private static let ofComparisons: Set = [
        "assert", "assertion", "assertionerror", "asserterror", "error", "expected", "actual", "got", "was", "is", "be",
        "to", "not", "equal", "equals", "true", "false", "none", "null", "nil", "undefined", "and", "or", "but", "in",
        "value", "values", "len", "xctassertequal", "failed",
    ]

    /// `test_auth` of `tests.e2e.test_auth::test_login`, or the file of the report.
    private static func module(of result: TestResult) -> String? {
        if let file = result.file { return file.split(separator: "/").last.map(String.init) }
        guard let end = result.id.firstRange(of: "::")?.lowerBound else { return nil }
        return result.id[..<end].split { $0 == "." || $0 == "/" }.last.map(String.init)
    }

    private static func firstMeaningfulLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
    }

    private static func lastComponent(_ name: String) -> String {
        name.split(separator: ":").last.map { part in part.split(separator: ".").last.map(String.init) ?? String(part) }
            ?? name
    }

    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (97...102).contains(byte) || (65...70).contains(byte)
    }
}
