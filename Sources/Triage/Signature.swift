// SPDX-License-Identifier: Apache-2.0
// What two failures must share to be one incident: the type and the message without what changes from run to run.
// Works on bytes: a byte loop was measured two orders of magnitude faster than a regular expression.

package import Domain

package enum Signature {
    /// The longest message part of a signature, bytes.
    private static let messageBytes = 160

    /// The signature of one failure: `type: message`, normalized.
    package static func of(_ result: TestResult) -> String {
        if result.outcome == .timedOut { return "timed out: \(lastComponent(result.id))" }
        let message = normalized(firstMeaningfulLine(result.message ?? result.details ?? ""))
        let type = result.type.map { lastComponent($0) } ?? result.outcome.rawValue
        return message.isEmpty ? "\(type): \(lastComponent(result.id))" : "\(type): \(message)"
    }

    /// Numbers, hexadecimal ids, quoted values and directories replaced; white space folded.
    package static func normalized(_ text: String) -> String {
        var output: [UInt8] = []
        var word: [UInt8] = []
        func flush() {
            guard !word.isEmpty else { return }
            if !output.isEmpty, output.last != 32 { output.append(32) }
            output += normalizedWord(word)
            word = []
        }
        for byte in text.utf8.prefix(4 * messageBytes) {
            if byte == 32 || byte == 9 || byte == 10 || byte == 13 { flush() } else { word.append(byte) }
        }
        flush()
        return String(decoding: output.prefix(messageBytes), as: UTF8.self)
    }

    /// One word: only the last part of a path, and `#` for numbers, hexadecimal ids, addresses and UUIDs, also where
    /// brackets, quotes or signs surround them.
    private static func normalizedWord(_ word: [UInt8]) -> [UInt8] {
        let word = word.contains(47) ? Array(word[(word.lastIndex(of: 47) ?? 0)...].dropFirst()) : word
        var output: [UInt8] = []
        var index = 0
        while index < word.count {
            var end = index
            while end < word.count, isPartOfName(word[end]) { end += 1 }
            if end == index {
                output.append(word[index])
                index += 1
            } else {
                output += normalizedName(word[index..<end])
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

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        isDigit(byte) || (97...122).contains(byte) || (65...90).contains(byte) || byte == 45 || byte == 95
    }

    private static func firstMeaningfulLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
    }

    private static func lastComponent(_ name: String) -> String {
        name.split(separator: ":").last.map { part in part.split(separator: ".").last.map(String.init) ?? String(part) }
            ?? name
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (97...102).contains(byte) || (65...70).contains(byte)
    }
}
