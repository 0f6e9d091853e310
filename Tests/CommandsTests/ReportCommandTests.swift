// SPDX-License-Identifier: Apache-2.0
// `nightjar report` against a state folder.

import Domain
import Evidence
import Foundation
import Testing

@testable import Commands

@Suite struct ReportCommandTests {
    private let fixture: LoopFixture

    init() throws {
        fixture = LoopFixture()
        try fixture.seal([
            LoopFixture.record(1, .healthy, .ship, revision: "aaaaaaa"),
            LoopFixture.record(2, .unproven, .hold, revision: "bbbbbbb"),
            LoopFixture.record(3, .failing, .hold, revision: "ccccccc", incidents: [LoopFixture.incident]),
        ])
    }

    @Test func `a span is chosen by cycles, by time, or is the last day`() async throws {
        let all = await fixture.run("report", "--state", "state")
        #expect(all.code == .ok && all.output.hasPrefix("staging  cycles #1 to #3  HOLD ccccccc\n"))
        let two = await fixture.run("report", "--cycles", "1..2", "--state", "state")
        #expect(two.output.hasPrefix("staging  cycles #1 to #2  HOLD bbbbbbb\n"))
        let one = await fixture.run("report", "--cycles", "..1", "--state", "state")
        #expect(one.output.hasPrefix("staging  cycle #1  SHIP aaaaaaa\n"))
        let late = await fixture.run("report", "--since", "2026-11-21T02:05:00Z", "--state", "state")
        #expect(late.output.contains("cycle #3"))
        #expect(await fixture.run("report", "--since", "1h", "--state", "state").code == .notFound)
        #expect(await fixture.run("report", "--cycles", "7..", "--state", "state").code == .notFound)
    }

    @Test func `what excludes each other is refused`() async throws {
        for words in [
            ["--cycles", "1..2", "--since", "1h"], ["--markdown", "--json"], ["2", "--since", "1h"], ["--cycles", "2"],
            ["--cycles", "3..2"], ["--since", "yesterday"],
        ] {
            let result = await fixture.run(["report", "--state", "state"] + words)
            #expect(result.code == .usage, "\(words)")
        }
    }

    @Test func `a page is written, and its links lead to the evidence`() async throws {
        let result = await fixture.run("report", "--html", "night.html", "--state", "state")
        #expect(result.code == .ok && result.output.isEmpty && result.error == "wrote night.html\n")
        let page = try String(contentsOfFile: "\(fixture.folder)/night.html", encoding: .utf8)
        #expect(page.hasPrefix("<!doctype html>"))
        #expect(page.contains("href=\"state/staging/cycles/000003/report.html\""))
        #expect(!page.contains(fixture.folder))
        #expect(!page.contains("://"))
        let cycle = await fixture.run("report", "3", "--html", "-", "--state", "state")
        #expect(cycle.output.contains("href=\"cycle.json\"") && cycle.output.contains("What changed since #2"))
    }

    @Test func `a cycle that cannot be read is not left out in silence`() async throws {
        try Data("{".utf8).write(to: URL(fileURLWithPath: fixture.layout.document(2)))
        let result = await fixture.run("report", "--cycles", "1..3", "--state", "state")
        #expect(result.code == .unproven && result.error.contains("cycle.json"))
    }

    @Test func `ways between folders are relative`() {
        #expect(ReportCommand.way(from: "/a/b", to: "/a/c/d") == "../c/d/")
        #expect(ReportCommand.way(from: "/a", to: "/a") == "")
        #expect(ReportCommand.way(from: "/a", to: "/a/b") == "b/")
    }
}
