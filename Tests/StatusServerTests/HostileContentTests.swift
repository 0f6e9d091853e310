// SPDX-License-Identifier: Apache-2.0
// Words from tests, commits and people on the page: text stays text, whatever is in it, and stays small.

import Domain
import Foundation
import Platform
import Reporting
import Testing

@testable import StatusServer

struct HostileContentTests {
    static let words =
        "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{1B}[31mred\u{202E}gpj.exe\u{2066}\u{0}\r\n\r\ndata: x"

    static func pages(_ words: String) throws -> [String] {
        let reading = Scene.reading("sta\"g<i>ng", .failing, words: words)
        let state = LoopState(loop: Scene.loop(reading), index: 0, reading: reading)
        let views = Views(loops: [state], now: Scene.now, limits: ServerLimits())
        var pages = views.all.values.map { $0.map(\.html.text).joined(separator: "\n") }
        let record = try #require(reading.record)
        let file = EvidenceFile(path: "a/\(words).log", bytes: 5)
        let page = CyclePage(record: record, files: [file], moreFiles: false, base: "/loops/x", now: Scene.now)
        pages.append(page.content.text)
        pages.append(CyclesPage.content(reading, base: "/loops/x", before: nil, at: Scene.now).text)
        return pages
    }

    @Test func `nothing from outside becomes markup`() throws {
        for page in try Self.pages(Self.words) {
            #expect(!page.contains("<script"))
            #expect(!page.contains("<img"))
            #expect(!page.contains("<i>"))
            #expect(!page.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
            #expect(!page.contains("\u{202E}") && !page.contains("\u{2066}"))
        }
    }

    /// Every attribute is in double quotes and every tag is one of ours: nothing broke out of its place.
    @Test func `the markup is well formed`() throws {
        let tag = try Regex<Substring>(#"<(?:/[a-z0-9]+|[a-z0-9]+(?: [a-zA-Z-]+(?:="[^"<>]*")?)*/?)>"#)
        for page in try Self.pages(Self.words) {
            let rest = page.replacing(tag, with: "")
            #expect(!rest.contains("<") && !rest.contains(">"), "\(rest.prefix(300))")
        }
    }

    @Test func `a megabyte of words is cut, wherever it stands`() throws {
        let long = String(repeating: "<b>&", count: 260_000)
        for page in try Self.pages(long) { #expect(page.utf8.count < 400_000) }
    }

    @Test func `events hold one line of data whatever the words are`() throws {
        let reading = Scene.reading("staging", .failing, words: Self.words)
        let state = LoopState(loop: Scene.loop(reading), index: 0, reading: reading)
        let views = Views(loops: [state], now: Scene.now, limits: ServerLimits()).all
        let board = Board(version: 3, at: Scene.now, loops: [state], views: views)
        let text = String(decoding: EventText.news(board, .overview, after: nil, epoch: "e"), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5 && lines[3].isEmpty && lines[4].isEmpty)
        #expect(lines[0] == "id: e.3" && lines[1] == "event: sections" && lines[2].hasPrefix("data: {"))
    }

    @Test func `labels of metrics cannot begin a new line`() throws {
        let reading = Scene.reading("a\"b\\c\nnightjar_loop_up{loop=\"x\"} 1", .failing)
        let state = LoopState(loop: Scene.loop(reading), index: 0, reading: reading)
        let board = Board(version: 1, at: Scene.now, loops: [state], views: [:])
        let listen = try #require(ListenAddress("127.0.0.1:1"))
        let options = ServerOptions(listen: listen, version: "test", now: { Scene.now })
        let text = Metrics.text(board, options, ServerCounts.Values())
        let line = try Regex<AnyRegexOutput>(
            #"^(#.*|[a-z_]+(\{[a-z]+="([^"\\]|\\["\\n])*"(,[a-z]+="([^"\\]|\\["\\n])*")*\})? -?[0-9.e+-]+)$"#)
        for each in text.split(separator: "\n") { #expect(each.wholeMatch(of: line) != nil, "\(each)") }
    }
}
