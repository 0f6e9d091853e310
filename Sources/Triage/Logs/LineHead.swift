// SPDX-License-Identifier: Apache-2.0
// What stands at the head of a log line: who wrote it, when, and how bad it is.

/// The head of a plain line, and where its message begins.
struct LineHead {
    /// `[auth] {…}` and `auth-1  | …` name their service; the range of that name in the line.
    var source: Range<Int>?
    /// After the source.
    var contentStart = 0
    /// After the source and the time.
    var messageStart = 0
    var level: LogLevel?
    /// Milliseconds since 1970.
    var time: Int64?

    /// - Parameter isKnown: whether a name has been seen as a source before.
    init(_ line: Bytes, isKnown: (Bytes) -> Bool) {
        if let (name, rest) = LineHead.source(line),
            LineHead.opensEntry(line, rest) || isKnown(Bytes(rebasing: line[name]))
        {
            source = name
            contentStart = rest
        }
        messageStart = contentStart
        var start = contentStart
        while start < contentStart + 4, line[safe: start] == 32 { start += 1 }
        if line[safe: start] == UInt8(ascii: "[") { start += 1 }
        if let (time, end) = ISOTime.read(line, start) {
            self.time = time
            messageStart = end
            while messageStart < line.count, line[messageStart] <= 32 || line[messageStart] == UInt8(ascii: "]") {
                messageStart += 1
            }
        }
        guard line[safe: messageStart] != UInt8(ascii: "{") else { return }
        level = LineHead.level(line, messageStart)
    }

    /// A tag in front of a line: `[name] `, or `name | ` as compose tools write it.
    private static func source(_ line: Bytes) -> (Range<Int>, Int)? {
        guard let first = line.first else { return nil }
        let isBracketed = first == UInt8(ascii: "[")
        var index = isBracketed ? 1 : 0
        let start = index
        while index < line.count, index - start < 48, isName(line[index]) { index += 1 }
        let name = start..<index
        guard name.count >= 2, isLower(line[start]) else { return nil }
        if isBracketed {
            guard line[safe: index] == UInt8(ascii: "]"), line[safe: index + 1] == 32,
                LogLevel.word(line[name]) == nil
            else { return nil }
            return (name, index + 2)
        }
        while index < line.count, line[index] == 32 { index += 1 }
        guard line[safe: index] == UInt8(ascii: "|") else { return nil }
        return (name, line[safe: index + 1] == 32 ? index + 2 : index + 1)
    }

    /// JSON or a time after the tag: only an entry of a log begins so.
    private static func opensEntry(_ line: Bytes, _ index: Int) -> Bool {
        guard let byte = line[safe: index] else { return false }
        return byte == UInt8(ascii: "{") || ISOTime.read(line, index) != nil
    }

    private static func isLower(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }

    private static func isName(_ byte: UInt8) -> Bool {
        isLower(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }

    /// The first of the first words that is a level: in capitals, in brackets, before a colon, or after `level=`.
    private static func level(_ line: Bytes, _ start: Int) -> LogLevel? {
        var index = start
        let end = min(line.count, start + 80)
        var words = 0
        while index < end, words < 6 {
            while index < end, !isLetter(line[index]) { index += 1 }
            let word = index
            while index < end, isLetter(line[index]) { index += 1 }
            words += 1
            guard index > word, let level = LogLevel.word(line[word..<index]) else { continue }
            let isCapital = line[word] & 0x20 == 0 && line[index - 1] & 0x20 == 0
            let before = word > start ? line[word - 1] : 0
            let after = line[safe: index] ?? 0
            let isMarked =
                (before == UInt8(ascii: "[") && after == UInt8(ascii: "]")) || before == UInt8(ascii: "=")
                || (before == UInt8(ascii: "<") && after == UInt8(ascii: ">"))
                || (after == UInt8(ascii: ":") && (words == 1 || before == 32))
            // `Error:` opens a message, `3 errors` and `error handling` do not.
            if (isCapital && !isJoined(before) && !isJoined(after)) || isMarked { return level }
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let letter = byte | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
    }

    private static func isJoined(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "/")
    }
}

/// `2026-11-21T04:18:41.651Z`, with a space or a T, a fraction or none, an offset or none (then it is taken as UTC).
enum ISOTime {
    static func read(_ line: Bytes, _ start: Int) -> (milliseconds: Int64, end: Int)? {
        guard line.count >= start + 19, line[start + 4] == UInt8(ascii: "-"), line[start + 7] == UInt8(ascii: "-"),
            line[start + 13] == UInt8(ascii: ":"), line[start + 16] == UInt8(ascii: ":"),
            line[start + 10] == UInt8(ascii: "T") || line[start + 10] == 32,
            let year = number(line, start, 4), let month = number(line, start + 5, 2),
            let day = number(line, start + 8, 2), let hour = number(line, start + 11, 2),
            let minute = number(line, start + 14, 2), let second = number(line, start + 17, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = start + 19
        var milliseconds: Int64 = 0
        if let mark = line[safe: index], mark == UInt8(ascii: ".") || mark == UInt8(ascii: ",") {
            index += 1
            var weight: Int64 = 100
            while let byte = line[safe: index], byte >= 48, byte <= 57 {
                milliseconds += Int64(byte - 48) * weight
                weight /= 10
                index += 1
            }
        }
        var shift: Int64 = 0
        if line[safe: index] == UInt8(ascii: "Z") {
            index += 1
        } else if let sign = line[safe: index], sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            let hours = number(line, index + 1, 2)
        {
            let colon = line[safe: index + 3] == UInt8(ascii: ":") ? 1 : 0
            let minutes = number(line, index + 3 + colon, 2) ?? 0
            shift = Int64(hours * 60 + minutes) * (sign == UInt8(ascii: "+") ? -60_000 : 60_000)
            index += 5 + colon
        }
        let days = daysSince1970(year, month, day)
        let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        return (seconds * 1000 + milliseconds + shift, min(index, line.count))
    }

    /// Days from the civil calendar (Hinnant, "chrono-compatible low-level date algorithms").
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return Int64(era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468)
    }

    private static func number(_ line: Bytes, _ start: Int, _ count: Int) -> Int? {
        guard start + count <= line.count else { return nil }
        var value = 0
        for index in start..<(start + count) {
            let byte = line[index]
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }
}
