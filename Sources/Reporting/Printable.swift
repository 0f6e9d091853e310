// SPDX-License-Identifier: Apache-2.0
// Makes text from outside harmless: what a test, a tool or a commit says must not move a cursor, color a terminal,
// reorder a line or begin a new one. Everything that Reporting prints has passed through here.

package enum Printable {
    /// `text` as one line: whatever is not plainly visible is spelled out (`\n`, `\u{1B}`, `\u{202E}`).
    ///
    /// That covers C0 and C1 controls, bidirectional and other format characters, line separators, private use,
    /// unassigned and tag characters. Backslashes stay as they are: paths stay readable.
    package static func line(_ text: some StringProtocol) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return String(text) }
        var result = String.UnicodeScalarView()
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = isMark(scalar) ? marks + 1 : 0
            if isHarmless(scalar) && marks <= marksInARow {
                result.append(scalar)
            } else {
                result.append(contentsOf: spelled(scalar).unicodeScalars)
            }
        }
        return String(result)
    }

    /// `line`, cut to `columns` terminal columns; a cut ends in `…`.
    package static func line(_ text: some StringProtocol, columns: Int) -> String {
        cut(line(String(String.UnicodeScalarView(text.unicodeScalars.prefix(4 * columns + 1)))), to: columns)
    }

    /// The lines of `text`, each made harmless; at most `limit` lines, head and tail kept with a line that says so.
    package static func lines(_ text: String, limit: Int) -> [String] {
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map {
            line($0, columns: columnsPerLine)
        }
        while lines.last?.allSatisfy({ $0 == " " }) == true { lines.removeLast() }
        guard lines.count > limit, limit > 2 else { return lines }
        let head = (limit - 1) / 2
        let tail = limit - 1 - head
        let omitted = lines.count - head - tail
        return lines.prefix(head) + ["… \(Plurals.count(omitted, "line")) left out …"] + lines.suffix(tail)
    }

    /// Longer lines are data, not text: readers bound messages to 4 KiB, and a record from elsewhere must not fill a page.
    package static let columnsPerLine = 4000

    /// JSON text with everything invisible inside its strings written as `\uXXXX`: the same value, safe to look at.
    package static func json(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\n" || isHarmless(scalar) {
                result.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result.append(
                        contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars)
                }
            }
        }
        return String(result)
    }

    /// How many terminal columns harmless text takes: East Asian wide characters and emoji take two.
    package static func columns(_ text: some StringProtocol) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + columns($1) }
    }

    /// Harmless text cut to `columns` terminal columns; a cut ends in `…`.
    package static func cut(_ text: String, to columns: Int) -> String {
        guard self.columns(text) > columns else { return text }
        var result = ""
        var used = 0
        for character in text {
            let width = self.columns(character)
            if used + width > columns - 1 { break }
            result.append(character)
            used += width
        }
        return columns > 0 ? result + "…" : ""
    }

    package static func padded(_ text: String, to columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - self.columns(text)))
    }

    package static func paddedLeft(_ text: String, to columns: Int) -> String {
        String(repeating: " ", count: max(0, columns - self.columns(text))) + text
    }

    /// Harmless text broken at spaces into lines of at most `width` columns; a longer word is broken anywhere.
    package static func wrapped(_ text: String, width: Int) -> [String] {
        guard width > 0, columns(text) > width else { return [text] }
        var lines: [String] = []
        var current = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let candidate = current.isEmpty ? String(word) : current + " " + word
            if columns(candidate) <= width {
                current = candidate
                continue
            }
            if !current.isEmpty { lines.append(withoutTrailingSpaces(current)) }
            let pieces = broken(word, width: width)
            lines += pieces.dropLast()
            current = pieces.last ?? ""
        }
        return current.isEmpty ? lines : lines + [current]
    }

    private static func withoutTrailingSpaces(_ text: String) -> String {
        var text = text
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    private static func broken(_ word: Substring, width: Int) -> [String] {
        var pieces: [String] = []
        var current = ""
        var used = 0
        for character in word {
            let columns = columns(character)
            if used + columns > width, !current.isEmpty {
                pieces.append(current)
                (current, used) = ("", 0)
            }
            current.append(character)
            used += columns
        }
        return pieces + [current]
    }

    private static func columns(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// The blocks that terminals draw two columns wide (Unicode Standard Annex 11, classes W and F, by block).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
        0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]

    /// More combining marks than any language stacks are there to smear over the lines above.
    private static let marksInARow = 4

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x300 else { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return true
        default: return false
        }
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return false
        case .spaceSeparator: return scalar.value == 0x3000
        default: return !isInvisible(scalar)
        }
    }

    /// Characters that are letters or marks by category and yet draw nothing.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isDefaultIgnorableCodePoint && !(0xFE00...0xFE0F).contains(scalar.value)
    }

    private static func spelled(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case "\u{A0}": " "
        default: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
    }
}
