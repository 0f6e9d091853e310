// SPDX-License-Identifier: Apache-2.0
// Picks the lines of one failing log that most likely say why it failed. Each kind of line is weighed once, by what it
// says, how specific that is, how rare it is, and where it stands.

/// A line that may be the cause, with the lines around it.
package struct CauseLine: Hashable, Sendable {
    /// Counted from 1.
    package var line: Int
    package var offset: Int
    package var score: Double
    /// Without terminal escapes, bounded.
    package var text: String
}

package enum CauseLines {
    /// Lines that close to a better one are part of its excerpt.
    private static let distance = 3
    /// A failing end within so many lines says that what came before it mattered.
    private static let reach = 40
    private static let textLimit = 400

    /// The best `limit` candidates of a log, the best first; no two are of one excerpt.
    ///
    /// - Parameter passing: kinds of lines that a passing log of the same job has: they explain nothing.
    package static func rank(_ log: [UInt8], limit: Int = 3, passing: LogProfile? = nil) -> [CauseLine] {
        let miner = LogMiner(known: passing?.templates ?? [], groupsEvents: false)
        miner.begin(file: "", source: "")
        miner.take(log)
        let profile = miner.finish()
        let candidates = profile.templates.compactMap { template -> Candidate? in
            let text = text(of: log, at: template.lastOffset)
            var weight = LineWeight(text, level: template.severity)
            guard weight.isInteresting || weight.isEnd else { return nil }
            // What is said over and over is chatter; an attempt that is made again is said a few times.
            weight.strength -= 0.25 * RealMath.log(Double(max(1, template.count)))
            if (template.countBefore ?? 0) > 0 { weight.strength -= 3 }
            return Candidate(template: template, text: text, weight: weight)
        }
        return choose(candidates, limit: limit, lines: profile.lines)
    }

    private struct Candidate {
        var template: LogTemplate
        var text: String
        var weight: LineWeight
        var line: Int { template.lastLine }
    }

    private static func choose(_ candidates: [Candidate], limit: Int, lines: Int) -> [CauseLine] {
        let ends = candidates.filter(\.weight.isEnd).map(\.line).sorted()
        var scored = candidates.filter(\.weight.isInteresting).map { candidate in
            CauseLine(
                line: candidate.line, offset: candidate.template.lastOffset,
                score: candidate.weight.strength + place(candidate.line, ends, lines), text: candidate.text)
        }
        scored.sort { ($1.score, $0.line) < ($0.score, $1.line) }
        var chosen: [CauseLine] = []
        for line in scored where chosen.count < limit {
            if chosen.allSatisfy({ abs($0.line - line.line) > distance }) { chosen.append(line) }
        }
        return chosen
    }

    /// What follows the last failing end is cleaning up; what stands right before one is what ended it.
    private static func place(_ line: Int, _ ends: [Int], _ lines: Int) -> Double {
        guard let last = ends.last else { return 0.5 * Double(line) / Double(max(1, lines)) }
        if line > last { return -1.5 }
        guard let next = ends.first(where: { $0 >= line }), next - line <= reach else { return 0 }
        return 1 - 0.5 * Double(next - line) / Double(reach)
    }

    private static func text(of log: [UInt8], at offset: Int) -> String {
        var end = offset
        while end < log.count, log[end] != 10, end - offset < textLimit * 8 { end += 1 }
        return log[offset..<end].withUnsafeBytes { raw in
            let bytes = raw.bindMemory(to: UInt8.self)
            let visible = [UInt8](unsafeUninitializedCapacity: bytes.count + 1) { buffer, count in
                count = buffer.baseAddress.map { TerminalText.strip(bytes, into: $0) } ?? 0
            }
            return String(decoding: visible.prefix(textLimit), as: UTF8.self)
        }
    }
}
