// SPDX-License-Identifier: Apache-2.0
// Replaces what varies from one line to the next (numbers, hex, ids, UUIDs, times, addresses) by `<*>`, in one pass.

/// The masked form of a line, and a hash of it.
enum LineMask {
    /// Room that `mask` needs for a line of `count` bytes: `<*>` may stand for one digit.
    static func room(_ count: Int) -> Int { 3 * count + 16 }

    private static let digit: UInt8 = 1
    private static let hex: UInt8 = 2
    private static let letter: UInt8 = 4

    /// What each byte is; 0 for what separates words. Bytes beyond ASCII count as letters.
    private static let classes: [UInt8] = (0..<256).map { value in
        switch UInt8(value) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): hex
        case UInt8(ascii: "g")...UInt8(ascii: "z"), UInt8(ascii: "G")...UInt8(ascii: "Z"), 128...: letter
        default: 0
        }
    }

    /// Writes the masked form of `line` to `out` and returns its length.
    ///
    /// A word is a run of letters and digits. Masked whole are numbers, hex of four digits and more, words with digits
    /// in two places, and long mixed ones; in `S3Error` just the digit is. Masks joined by `.`, `:`, `-`, `,` or `+`
    /// become one, so that a time, an address and a UUID are one mask whatever their length. A number of up to three
    /// digits that classifies its line (an HTTP status, an exit status) stays. White space is one space.
    static func mask(_ line: Bytes, into out: UnsafeMutablePointer<UInt8>) -> Int {
        classes.withUnsafeBufferPointer { table in
            var writer = Writer(out: out)
            var index = 0
            while index < line.count {
                let byte = line[index]
                guard table[Int(byte)] != 0 else {
                    writer.separator(byte)
                    index += 1
                    continue
                }
                let start = index
                var (seen, digits, runs, before): (UInt8, Int, Int, UInt8) = (0, 0, 0, 0)
                while index < line.count {
                    let kind = table[Int(line[index])]
                    if kind == 0 { break }
                    seen |= kind
                    if kind == digit {
                        digits += 1
                        if before != digit { runs += 1 }
                    }
                    before = kind
                    index += 1
                }
                let word = Bytes(rebasing: line[start..<index])
                if digits == 0 {
                    if seen == hex, word.count >= 12 { writer.mask() } else { writer.literal(word) }
                } else if digits == word.count {
                    writer.number(word)
                } else if isWhole(word, seen, digits, runs) {
                    writer.mask()
                } else {
                    writer.partial(word, table)
                }
            }
            return writer.end > 0 && out[writer.end - 1] == 32 ? writer.end - 1 : writer.end
        }
    }

    private static func isWhole(_ word: Bytes, _ seen: UInt8, _ digits: Int, _ runs: Int) -> Bool {
        if seen & letter == 0, word.count >= 4 { return true }
        if runs >= 2 || (word.count >= 16 && digits >= 4) { return true }
        return word.count > 2 && word[0] == UInt8(ascii: "0") && word[1] | 0x20 == UInt8(ascii: "x")
    }

    private struct Writer {
        let out: UnsafeMutablePointer<UInt8>
        var end = 0
        /// Where the newest literal word stands in `out`.
        private var wordStart = 0
        private var wordEnd = 0

        init(out: UnsafeMutablePointer<UInt8>) {
            self.out = out
        }

        mutating func separator(_ byte: UInt8) {
            if byte <= 32 || byte == 127 {
                guard end > 0, out[end - 1] != 32 else { return }
                out[end] = 32
            } else {
                out[end] = byte
            }
            end += 1
        }

        mutating func literal(_ word: Bytes) {
            wordStart = end
            keep(word)
            wordEnd = end
        }

        /// A literal that does not count as the newest word.
        mutating func keep(_ word: Bytes) {
            guard let base = word.baseAddress else { return }
            (out + end).update(from: base, count: word.count)
            end += word.count
        }

        mutating func mask() {
            if end >= 4, out[end - 2] == UInt8(ascii: ">"), out[end - 3] == UInt8(ascii: "*") {
                switch out[end - 1] {
                case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: ","), UInt8(ascii: "+"):
                    end -= 1
                    return
                default: break
                }
            }
            out[end] = UInt8(ascii: "<")
            out[end + 1] = UInt8(ascii: "*")
            out[end + 2] = UInt8(ascii: ">")
            end += 3
        }

        /// A word with one run of digits: the rest of it stays.
        mutating func partial(_ word: Bytes, _ table: Bytes) {
            var wasDigit = false
            for byte in word {
                let isDigit = table[Int(byte)] == digit
                if isDigit, !wasDigit {
                    mask()
                } else if !isDigit {
                    out[end] = byte
                    end += 1
                }
                wasDigit = isDigit
            }
            wordEnd = 0
        }

        mutating func number(_ word: Bytes) {
            switch statusDigits {
            case let digits? where digits.contains(word.count):
                keep(word)
                wordEnd = 0
            default: mask()
            }
        }

        /// How many digits a number has that is a status by the word before it.
        private var statusDigits: ClosedRange<Int>? {
            let count = wordEnd - wordStart
            guard count == 4 || count == 6, end - wordEnd < 12 else { return nil }
            switch (out[wordStart] | 0x20, count) {
            case (UInt8(ascii: "h"), 4): return spells("http") ? 3...3 : nil
            case (UInt8(ascii: "c"), 4): return spells("code") ? 1...3 : nil
            case (UInt8(ascii: "e"), 4): return spells("exit") ? 1...3 : nil
            case (UInt8(ascii: "s"), 6): return spells("status") || spells("signal") ? 1...3 : nil
            default: return nil
            }
        }

        private func spells(_ word: StaticString) -> Bool {
            for index in 0..<word.utf8CodeUnitCount where out[wordStart + index] | 0x20 != word.utf8Start[index] {
                return false
            }
            return true
        }
    }

    /// A hash of bytes, 8 at a time: multiply and fold, as wyhash does.
    static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int, seed: UInt64) -> UInt64 {
        var hash = seed ^ (UInt64(count) &* 0x9e37_79b9_7f4a_7c15)
        let raw = UnsafeRawPointer(bytes)
        var index = 0
        while index + 8 <= count {
            hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index += 8
        }
        var rest: UInt64 = 0
        while index < count {
            rest = rest << 8 | UInt64(bytes[index])
            index += 1
        }
        return fold(hash ^ rest)
    }

    @inline(__always)
    private static func fold(_ value: UInt64) -> UInt64 {
        let (high, low) = (value ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: 0xe703_7ed1_a0b4_28db)
        return high ^ low
    }
}
