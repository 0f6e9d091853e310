// SPDX-License-Identifier: Apache-2.0
// An excerpt where it stands: the lines of the file in the cycle folder with two around them, and whether they still say it.

import Domain
import Platform
import Reporting

struct EvidencePlace {
    /// More than a journal segment or a kept console has.
    private static let limit = 256 << 20
    private static let context = 2
    private static let shownLines = 12

    /// Where, what, and the lines; `isThere` is false where the excerpt is not what stands there.
    let text: String
    let isThere: Bool

    init(_ reference: EvidenceReference, folder: String, _ output: Output) {
        let place = EvidencePlace.place(reference)
        guard let lines = EvidencePlace.lines(reference.path, folder) else {
            isThere = false
            text = "      \(place)  \(output.palette("cannot be read", .red))\n"
            return
        }
        let range = EvidencePlace.range(reference, lines)
        let found = range.map { Array(lines[$0]) } ?? []
        isThere = range != nil && EvidencePlace.holds(reference.excerpt, in: found)
        let mark = isThere ? output.palette("as cited", .green) : output.palette("DOES NOT SAY WHAT IS CITED", .red)
        var shown = "      \(Printable.line(place))  \(mark)\n"
        if let range {
            let around =
                max(
                    0, range.lowerBound - EvidencePlace.context)..<min(
                    lines.count, range.upperBound + EvidencePlace.context)
            for index in around.prefix(EvidencePlace.shownLines) {
                let isCited = range.contains(index)
                let number = Printable.padded("\(index + 1)", to: 6)
                let line = Printable.line(
                    isCited ? EvidencePlace.from(reference.excerpt, lines[index]) : lines[index],
                    columns: max(40, output.columns - 17))
                shown += "      \(isCited ? ">" : " ") \(number)  \(output.palette(line, isCited ? nil : .dim))\n"
            }
        }
        text = shown
    }

    /// A long line from the cited words on, or its end would be out of sight.
    private static func from(_ excerpt: String, _ line: String) -> String {
        let first = excerpt.split(whereSeparator: \.isNewline).first?.drop(while: \.isWhitespace) ?? ""
        guard line.utf8.count > shownBytes, !first.isEmpty, let place = line.firstRange(of: first),
            place.lowerBound > line.startIndex
        else { return line }
        return "… " + line[place.lowerBound...]
    }

    private static let shownBytes = 60

    private static func place(_ reference: EvidenceReference) -> String {
        if let lines = reference.lines, let first = lines.first, let last = lines.last {
            return first == last ? "\(reference.path):\(first)" : "\(reference.path):\(first)-\(last)"
        }
        if let bytes = reference.bytes, bytes.count == 2 { return "\(reference.path), bytes \(bytes[0])-\(bytes[1])" }
        return reference.path
    }

    /// The file's lines; nil where it is not inside the folder, or cannot be read.
    private static func lines(_ path: String, _ folder: String) -> [String]? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.hasPrefix("/"), !parts.contains(".."), Files.kind(of: "\(folder)/\(path)") == .file,
            let bytes = try? Files.read("\(folder)/\(path)", limit: limit)
        else { return nil }
        return bytes.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The cited lines, counted from 0.
    private static func range(_ reference: EvidenceReference, _ lines: [String]) -> Range<Int>? {
        if let cited = reference.lines, let first = cited.first, let last = cited.last {
            return first >= 1 && last >= first && last <= lines.count ? (first - 1)..<last : nil
        }
        guard let bytes = reference.bytes, bytes.count == 2, bytes[0] >= 0, bytes[1] >= bytes[0] else {
            return lines.firstIndex { holds(reference.excerpt, in: [$0]) }.map { $0..<($0 + 1) }
        }
        var offset = 0
        var cited: Range<Int>?
        for (index, line) in lines.enumerated() {
            let end = offset + line.utf8.count + 1
            if offset < max(bytes[1], bytes[0] + 1), end > bytes[0] {
                cited = (cited?.lowerBound ?? index)..<(index + 1)
            }
            offset = end
        }
        return cited
    }

    /// Each line of the excerpt stands, in order, in one of the lines; excerpts may cut a line short.
    private static func holds(_ excerpt: String, in lines: [String]) -> Bool {
        var rest = lines[...]
        for part in excerpt.split(whereSeparator: \.isNewline) {
            let part = part.drop(while: \.isWhitespace)
            guard !part.isEmpty else { continue }
            guard let index = rest.firstIndex(where: { $0.contains(part) }) else { return false }
            rest = rest[index...]
        }
        return !excerpt.allSatisfy(\.isWhitespace)
    }
}
