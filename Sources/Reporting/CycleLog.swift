// SPDX-License-Identifier: Apache-2.0
// The lines of `cycle.log`:
//
//     2026-11-21T02:31:07Z #214 FAIL test      P0 authentication 24/25, 78s
//     2026-11-21T02:15:00Z #-   ..   daemon    started, pid 4711
//
// Full UTC time, cycle (`#-` before the first), mark padded to 4, topic padded to 9, text. A viewer may shorten the
// time and color the marks; the file has neither color nor anything else that is not plain text.

package import Domain

package enum CycleLog {
    /// A line read back from the log.
    package struct Entry: Codable, Hashable, Sendable {
        package var at: Timestamp
        /// 0 before the first cycle.
        package var cycle: Int
        package var mark: LogLine.Mark
        package var topic: String
        package var text: String

        package init(at: Timestamp, cycle: Int, line: LogLine) {
            self.at = at
            self.cycle = cycle
            mark = line.mark
            topic = line.topic
            text = line.text
        }

        package var line: LogLine { LogLine(mark, topic, text) }
    }

    /// A line for the file, without its line feed.
    package static func format(_ line: LogLine, at time: Timestamp, cycle: Int) -> String {
        var text = "\(time.wholeSeconds) \(cycleWord(cycle)) \(Printable.padded(line.mark.rawValue, to: markColumns)) "
        text += "\(Printable.padded(safeTopic(line.topic), to: topicColumns)) "
        text += Printable.line(line.text, columns: textColumns)
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    /// Reads a line of the file; nil for anything that `format` does not write.
    package static func parse(_ line: String) -> Entry? {
        let fields = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard fields.count == 3, let time = Timestamp(fields[0]), let cycle = cycleNumber(fields[1]) else { return nil }
        let rest = fields[2].drop { $0 == " " }
        guard let (markWord, afterMark) = column(rest, width: markColumns),
            let mark = LogLine.Mark(rawValue: String(markWord)),
            let (topic, text) = column(afterMark, width: topicColumns)
        else { return nil }
        return Entry(at: time, cycle: cycle, line: LogLine(mark, String(topic), String(text)))
    }

    /// A line for a terminal: the time of day, colored marks, and long text hanging under its own column.
    package static func terminal(_ entry: Entry, palette: Palette, columns: Int, day: Bool = false) -> String {
        let time = entry.at.wholeSeconds
        let stamp = day ? time : String(time.dropFirst(11))
        let topic = Printable.padded(safeTopic(entry.topic), to: topicColumns)
        let mark = Printable.padded(entry.mark.rawValue, to: markColumns)
        let plainHead = "\(stamp) \(cycleWord(entry.cycle)) \(mark) \(topic) "
        let head =
            "\(palette(stamp, .dim)) \(palette(cycleWord(entry.cycle), .dim)) \(palette(mark, entry.mark.paint)) "
            + "\(palette(topic, .bold)) "
        let indent = Printable.columns(plainHead)
        let room = columns - indent
        let text = Printable.line(entry.text)
        let lines = room < narrowest ? [text] : Printable.wrapped(text, width: room)
        let paint: Palette.Paint? = Entry.emphasized.contains(entry.mark) ? entry.mark.paint : nil
        return lines.enumerated().map { index, line in
            (index == 0 ? head : String(repeating: " ", count: indent)) + palette(line, paint)
        }.joined(separator: "\n")
    }

    private static let markColumns = 4
    private static let topicColumns = 9
    /// A hostile test name must not fill the log.
    private static let textColumns = 1000
    /// Below this width a hanging indent reads worse than the terminal's own wrapping.
    private static let narrowest = 30

    private static func cycleWord(_ cycle: Int) -> String { cycle <= 0 ? "#-" : "#\(cycle)" }

    private static func cycleNumber(_ word: Substring) -> Int? {
        guard word.hasPrefix("#") else { return nil }
        if word == "#-" { return 0 }
        return Int(word.dropFirst()).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func safeTopic(_ topic: String) -> String {
        let word = String(Printable.line(topic, columns: 40).map { $0.isWhitespace ? "-" : $0 })
        return word.isEmpty ? "-" : word
    }

    /// The first word of `text` and what follows its padding.
    private static func column(_ text: Substring, width: Int) -> (word: Substring, rest: Substring)? {
        let word = text.prefix { $0 != " " }
        guard !word.isEmpty else { return nil }
        let padding = max(0, width - Printable.columns(word)) + 1
        let after = text[word.endIndex...]
        return (word, after.dropFirst(after.prefix(padding).prefix { $0 == " " }.count))
    }
}

extension CycleLog.Entry {
    /// Marks whose whole line is worth color.
    fileprivate static let emphasized: Set<LogLine.Mark> = [.green, .red, .gray]
}
