// SPDX-License-Identifier: Apache-2.0
// Lays out lines and columns for a terminal of a given width.

/// Collects lines; every text that is handed in is made harmless here.
struct TextLayout {
    let columns: Int
    let palette: Palette
    private(set) var lines: [String] = []

    init(columns: Int, palette: Palette) {
        self.columns = max(40, columns)
        self.palette = palette
    }

    /// Adds a line that is composed and painted already.
    mutating func raw(_ line: String) { lines.append(line) }

    mutating func blank() {
        if let last = lines.last, !last.isEmpty { lines.append("") }
    }

    /// A heading such as `stages`.
    mutating func heading(_ text: String, _ paint: Palette.Paint = .bold) {
        blank()
        lines.append(palette(Printable.line(text, columns: columns), paint))
    }

    /// Text that hangs under itself: a label of `labelColumns`, then wrapped text.
    mutating func field(_ label: String, _ text: String, labelColumns: Int = 10, paint: Palette.Paint? = nil) {
        let head = Printable.padded(label, to: labelColumns)
        paragraph(text, indent: labelColumns, head: palette(head, .dim), paint: paint)
    }

    /// Wrapped text at an indent; `head` stands before the first line and must be as wide as the indent.
    mutating func paragraph(
        _ text: String, indent: Int, head: String? = nil, paint: Palette.Paint? = nil, limit: Int = 12
    ) {
        let space = String(repeating: " ", count: indent)
        var wrapped = Printable.wrapped(
            Printable.line(text, columns: Printable.columnsPerLine), width: max(20, columns - indent))
        if wrapped.count > limit { wrapped = wrapped.prefix(limit - 1) + ["…"] }
        for (index, line) in wrapped.enumerated() {
            lines.append((index == 0 ? head ?? space : space) + palette(line, paint))
        }
    }

    var text: String { lines.map { $0 + "\n" }.joined() }
}

/// Rows whose columns line up; the last column takes what is left of the width and wraps under itself.
struct TextTable {
    struct Cell {
        var text: String
        var paint: Palette.Paint?
        var right = false

        init(_ text: String, _ paint: Palette.Paint? = nil, right: Bool = false) {
            self.text = Printable.line(text, columns: Printable.columnsPerLine)
            self.paint = paint
            self.right = right
        }
    }

    private var rows: [[Cell]] = []

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    var isEmpty: Bool { rows.isEmpty }

    /// Columns but the last are at most `widest` wide.
    func render(into layout: inout TextLayout, indent: Int = 2, widest: Int = 44) {
        let count = rows.map(\.count).max() ?? 0
        guard count > 0 else { return }
        let widths = (0..<count - 1).map { column in
            min(widest, rows.compactMap { $0.count > column ? Printable.columns($0[column].text) : nil }.max() ?? 0)
        }
        let used = indent + widths.reduce(0) { $0 + ($1 > 0 ? $1 + 2 : 0) }
        for row in rows {
            var head = String(repeating: " ", count: indent)
            for (cell, width) in zip(row, widths) where width > 0 {
                let cut = Printable.cut(cell.text, to: width)
                let padded = cell.right ? Printable.paddedLeft(cut, to: width) : Printable.padded(cut, to: width)
                head += layout.palette(padded, cell.paint) + "  "
            }
            let last = row.count == count ? row[count - 1] : Cell("")
            if last.text.isEmpty {
                layout.raw(trimmed(head))
            } else {
                layout.paragraph(last.text, indent: used, head: head, paint: last.paint, limit: 3)
            }
        }
    }

    private func trimmed(_ text: String) -> String {
        var text = text
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
