// SPDX-License-Identifier: Apache-2.0
// Which numbers of a message are statuses of HTTP that say no. They tell causes apart, where other numbers only change
// from run to run; so a number counts as one by the words around it, and never where it is an amount.

enum HTTPStatuses {
    /// Behind these a number is a status.
    private static let strong: Set = [
        "status", "http", "answered", "answers", "answer", "response", "responded", "replied", "returned", "returns",
        "code", "statuscode", "status_code", "status-code",
    ]
    /// Behind these it is one if another word of the message speaks of answers.
    private static let weak: Set = [
        "got", "expected", "expect", "actual", "received", "was", "is", "be", "to", "not", "but", "than", "of",
    ]
    private static let ofWishes: Set = ["expected", "expect", "expects", "want", "wanted"]
    private static let markers = ["status", "http", "answer", "respon"]
    private static let units: Set = [
        "ms", "s", "sec", "secs", "second", "seconds", "minutes", "bytes", "kb", "mb", "gb", "rows", "row", "items",
        "item", "records", "times", "tests", "users", "messages", "threads", "events", "tokens", "chars", "characters",
        "lines", "files", "entries", "results", "pages", "requests", "connections", "attempts", "retries", "percent",
    ]
    private static let known: Set<Int> = Set(300...308).union(400...431).union([451, 499]).union(500...511)
        .union(520...527)

    private struct Token {
        var range: Range<Int>
        var text: String
        /// Of three digits, from 100 to 599.
        var number: Int?
    }

    /// Where the statuses begin; `text` is UTF-8.
    static func places(in text: [UInt8]) -> Set<Int> {
        let tokens = tokens(text)
        guard tokens.contains(where: { $0.number.map(known.contains) ?? false }) else { return [] }
        let whole = String(decoding: text, as: UTF8.self).lowercased()
        let speaksOfAnswers = markers.contains { whole.contains($0) }
        var found: Set<Int> = []
        var wanted: Set<Int> = []
        for (index, token) in tokens.enumerated() {
            guard let number = token.number, known.contains(number) else { continue }
            let before = index > 0 ? tokens[index - 1] : nil
            let after = index + 1 < tokens.count ? tokens[index + 1] : nil
            if let after, units.contains(after.text) { continue }
            if token.range.upperBound < text.count, text[token.range.upperBound] == UInt8(ascii: "%") { continue }
            // Past the version in `HTTP/1.1 503`.
            let word = tokens[..<index].last { $0.number != nil || Int($0.text) == nil }?.text ?? ""
            let isCompared = areCompared(before, token, text) || areCompared(token, after, text)
            guard strong.contains(word) || isCompared || (weak.contains(word) && speaksOfAnswers) else { continue }
            if tokens[max(0, index - 2)..<index].contains(where: { ofWishes.contains($0.text) }) {
                wanted.insert(token.range.lowerBound)
            } else {
                found.insert(token.range.lowerBound)
            }
        }
        // What was wished for changes from test to test: where the answer is told, it tells the cause.
        if found.isEmpty { return wanted }
        return found
    }

    /// Two numbers that could be statuses, with a sign of comparison between them.
    private static func areCompared(_ one: Token?, _ other: Token?, _ text: [UInt8]) -> Bool {
        guard let one, let other, one.number != nil, other.number != nil else { return false }
        return text[one.range.upperBound..<other.range.lowerBound].contains(UInt8(ascii: "="))
    }

    private static func tokens(_ text: [UInt8]) -> [Token] {
        var found: [Token] = []
        var index = 0
        while index < text.count {
            var end = index
            while end < text.count, Signature.isPartOfName(text[end]) { end += 1 }
            guard end > index else {
                index += 1
                continue
            }
            let word = String(decoding: text[index..<end], as: UTF8.self).lowercased()
            let isNumber = end - index == 3 && text[index..<end].allSatisfy(Signature.isDigit)
            let number = isNumber ? Int(word).flatMap { (100...599).contains($0) ? $0 : nil } : nil
            found.append(Token(range: index..<end, text: word, number: number))
            index = end
        }
        return found
    }
}
