// SPDX-License-Identifier: Apache-2.0
// What a listener is sent: server-sent events as the HTML standard has them (section 9.2).

import Domain
import Reporting

enum EventText {
    private struct News: Codable {
        struct Piece: Codable {
            var id: String
            var html: String
        }
        var at: Timestamp
        var title: String
        var tone: String
        var sections: [Piece]
    }

    /// The sections of a view that changed after `version`, or all of them.
    static func news(_ board: Board, _ view: View, after version: Int?, epoch: String) -> [UInt8] {
        let changed = (board.views[view] ?? []).filter { section in version.map { section.version > $0 } ?? true }
        let news = News(
            at: board.at, title: Headline.title(board, view), tone: Headline.tone(board, view).rawValue,
            sections: changed.map { .init(id: $0.id, html: $0.html.text) })
        // One line: JSON has its line breaks inside strings escaped.
        guard let data = try? JSONText.line(news) else { return [] }
        return Array("id: \(epoch).\(board.version)\nevent: sections\ndata: \(data)\n\n".utf8)
    }

    /// The first words on a stream: how soon to come back when it breaks.
    static let greeting = Array("retry: 3000\n\n".utf8)

    static func beat(at now: Timestamp) -> [UInt8] { Array("event: beat\ndata: \(now.description)\n\n".utf8) }
}
