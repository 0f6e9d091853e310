// SPDX-License-Identifier: Apache-2.0
// Replaces secrets in a stream of bytes, also where a chunk ends in the middle of one.
//
// The search is Wu and Manber's ("A fast algorithm for multi-pattern searching", 1994) with blocks of two bytes.
// What is held back at the end of a chunk is only what may be the beginning of a needle, so a line that is no secret is
// passed on at once, and a secret that comes in pieces, however slowly, is never passed on in pieces.

/// A stream filter in bounded memory.
package struct Redactor {
    package static let mark = Array("[REDACTED]".utf8)

    private let needles: [[UInt8]]
    /// For each value of a two-byte block, how far the window may move when it ends with that block.
    private let shifts: [UInt8]
    /// The needles whose window (first `window` bytes) ends with a block, longest first.
    private let byWindowEnd: [UInt16: [Int]]
    private let byFirstByte: [[Int]]
    private let window: Int
    private let longest: Int
    private var held: [UInt8] = []
    /// Bytes at the start of `held` that lie inside a secret already marked.
    private var covered = 0

    package init(_ needles: Needles) {
        let sorted = needles.forms.sorted { $0.count > $1.count }
        let window = sorted.last?.count ?? 0
        var shifts = [UInt8](repeating: UInt8(clamping: max(window - 1, 1)), count: sorted.isEmpty ? 0 : 65_536)
        var byWindowEnd: [UInt16: [Int]] = [:]
        var byFirstByte = [[Int]](repeating: [], count: 256)
        for (index, needle) in sorted.enumerated() {
            for end in 1..<window {
                let block = Int(needle[end - 1]) | Int(needle[end]) << 8
                shifts[block] = min(shifts[block], UInt8(clamping: window - 1 - end))
            }
            byWindowEnd[UInt16(needle[window - 2]) | UInt16(needle[window - 1]) << 8, default: []].append(index)
            byFirstByte[Int(needle[0])].append(index)
        }
        self.needles = sorted
        self.shifts = shifts
        self.byWindowEnd = byWindowEnd
        self.byFirstByte = byFirstByte
        self.window = window
        longest = sorted.first?.count ?? 0
    }

    /// Whether there is nothing to look for.
    package var isIdle: Bool { needles.isEmpty }

    /// Passes `chunk` on to `output`, which gets runs of bytes in order.
    package mutating func pass(_ chunk: UnsafeRawBufferPointer, to output: (UnsafeRawBufferPointer) -> Void) {
        if needles.isEmpty || (held.isEmpty && chunk.isEmpty) { return output(chunk) }
        if held.isEmpty {
            keep(scan(chunk, isLast: false, output), of: chunk)
        } else {
            // The held bytes are few: join them to just so much of the chunk that they can be decided.
            var joined = held
            joined.append(contentsOf: chunk)
            joined.withUnsafeBytes { keep(scan($0, isLast: false, output), of: $0) }
        }
    }

    /// Passes on what is held back. What looks like a secret that was cut off is marked too.
    package mutating func finish(to output: (UnsafeRawBufferPointer) -> Void) {
        let rest = held
        held = []
        _ = rest.withUnsafeBytes { scan($0, isLast: true, output) }
        covered = 0
    }

    /// `text` without secrets.
    package func redacted(_ text: String) -> String {
        var copy = self
        copy.held = []
        copy.covered = 0
        var bytes: [UInt8] = []
        Array(text.utf8).withUnsafeBytes { copy.pass($0) { bytes.append(contentsOf: $0) } }
        copy.finish { bytes.append(contentsOf: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func keep(_ from: Int, of buffer: UnsafeRawBufferPointer) {
        held = Array(buffer[from...])
    }

    /// Passes on what is decided in `buffer`; answers where the undecided rest begins.
    private mutating func scan(
        _ buffer: UnsafeRawBufferPointer, isLast: Bool, _ output: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        let end = isLast ? buffer.count : firstUndecided(buffer, from: 0)
        var passed = 0
        var coveredUntil = covered
        var position = 0
        while let match = nextMatch(in: buffer, from: position, before: end) {
            if match.lowerBound >= coveredUntil {
                pass(buffer, max(passed, coveredUntil), match.lowerBound, output)
                Redactor.mark.withUnsafeBytes(output)
                passed = match.lowerBound
            }
            coveredUntil = max(coveredUntil, match.upperBound)
            position = match.lowerBound + 1
        }
        var cut = end
        if isLast {
            cut = cutSecret(buffer, from: max(passed, coveredUntil))
        }
        pass(buffer, max(passed, coveredUntil), cut, output)
        if cut < end { Redactor.mark.withUnsafeBytes(output) }
        covered = max(0, coveredUntil - end)
        return end
    }

    private func pass(
        _ buffer: UnsafeRawBufferPointer, _ from: Int, _ to: Int, _ output: (UnsafeRawBufferPointer) -> Void
    ) {
        if from < to { output(UnsafeRawBufferPointer(rebasing: buffer[from..<to])) }
    }

    /// The next needle that begins in `from..<before`, the longest that begins there.
    private func nextMatch(in buffer: UnsafeRawBufferPointer, from: Int, before: Int) -> Range<Int>? {
        shifts.withUnsafeBufferPointer { shifts in
            var end = from + window - 1
            let lastEnd = min(buffer.count - 1, before + window - 2)
            while end <= lastEnd {
                let block = UInt16(buffer[end - 1]) | UInt16(buffer[end]) << 8
                let shift = Int(shifts[Int(block)])
                if shift == 0 {
                    let start = end - window + 1
                    if let length = lengthOfNeedle(in: buffer, at: start, block: block) {
                        return start..<start + length
                    }
                    end += 1
                } else {
                    end += shift
                }
            }
            return nil
        }
    }

    private func lengthOfNeedle(in buffer: UnsafeRawBufferPointer, at start: Int, block: UInt16) -> Int? {
        guard let candidates = byWindowEnd[block] else { return nil }
        for index in candidates where buffer.count - start >= needles[index].count {
            let needle = needles[index]
            if buffer[start] == needle[0], buffer[start..<start + needle.count].elementsEqual(needle) {
                return needle.count
            }
        }
        return nil
    }

    /// The first place from which the rest of the buffer is the beginning of a needle.
    private func firstUndecided(_ buffer: UnsafeRawBufferPointer, from: Int) -> Int {
        let earliest = max(from, buffer.count - longest + 1)
        guard earliest < buffer.count else { return buffer.count }
        for start in earliest..<buffer.count where begins(needleAt: start, of: buffer) { return start }
        return buffer.count
    }

    private func begins(needleAt start: Int, of buffer: UnsafeRawBufferPointer) -> Bool {
        let rest = buffer.count - start
        for index in byFirstByte[Int(buffer[start])] where needles[index].count > rest {
            if needles[index].prefix(rest).elementsEqual(buffer[start...]) { return true }
        }
        return false
    }

    /// Where, at the end of everything, the beginning of a needle starts that is long enough to give something away.
    private func cutSecret(_ buffer: UnsafeRawBufferPointer, from: Int) -> Int {
        let start = firstUndecided(buffer, from: min(from, buffer.count))
        return buffer.count - start >= Needles.shortest ? start : buffer.count
    }
}
