// SPDX-License-Identifier: Apache-2.0
// The live line of a running stage on a terminal: one line, redrawn in place, never wider than the terminal.

package struct ProgressLine: Sendable {
    /// `test authentication`, `deploy 9f3c1e2`
    package var name: String
    package var elapsed: Duration
    /// What this stage usually takes; nil while nothing is known.
    package var usual: Duration?
    package var done: Int
    /// How many tests there will be; nil where unknown, and for stages that run no tests.
    package var total: Int?
    package var failed: Int
    /// The test that runs now or the newest line of output.
    package var current: String?

    package init(
        name: String, elapsed: Duration, usual: Duration? = nil, done: Int = 0, total: Int? = nil, failed: Int = 0,
        current: String? = nil
    ) {
        self.name = name
        self.elapsed = elapsed
        self.usual = usual
        self.done = done
        self.total = total
        self.failed = failed
        self.current = current
    }

    /// The line without control codes; the parts that matter least go first when it is narrow.
    package func text(columns: Int, palette: Palette = .plain) -> String {
        let room = max(10, columns - 1)
        var parts: [(text: String, paint: Palette.Paint?)] = [(Printable.line(name, columns: 40), .bold)]
        if let counts { parts.append((counts, nil)) }
        if failed > 0 { parts.append(("\(Numbers.grouped(failed)) failed", .red)) }
        parts.append((times, .dim))
        if let bar = bar(room: room, used: length(parts)) { parts.insert((bar, nil), at: 1) }
        while parts.count > 1, length(parts) > room { parts.removeLast() }
        if let current, room - length(parts) > 12 {
            parts.append((Printable.line(current, columns: room - length(parts) - 2), .dim))
        }
        if parts.count == 1 { parts[0].text = Printable.cut(parts[0].text, to: room) }
        return parts.map { palette($0.text, $0.paint) }.joined(separator: "  ")
    }

    /// Moves to the line's start, draws, and clears what an older, longer line left behind.
    package func redraw(columns: Int, palette: Palette) -> String {
        "\r" + text(columns: columns, palette: palette) + "\u{1B}[K"
    }

    private var counts: String? {
        if let total { return "\(Numbers.grouped(done))/\(Numbers.grouped(total))" }
        return done > 0 ? Plurals.count(done, "test") : nil
    }

    private var times: String {
        let usually = usual.map { " of usually \(Durations.text($0))" } ?? ""
        return Durations.text(.seconds(elapsed.components.seconds)) + usually
    }

    /// How far along, by tests where their number is known and by time otherwise.
    private var fraction: Double? {
        if let total, total > 0 { return min(1, Double(done) / Double(total)) }
        guard let usual, usual > .zero else { return nil }
        return min(0.99, elapsed / usual)
    }

    private func bar(room: Int, used: Int) -> String? {
        let width = min(24, room - used - 4)
        guard let fraction, width >= 8 else { return nil }
        let filled = Int((Double(width) * fraction).rounded(.down))
        return "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled) + "]"
    }

    private func length(_ parts: [(text: String, paint: Palette.Paint?)]) -> Int {
        parts.reduce(-2) { $0 + Printable.columns($1.text) + 2 }
    }
}
