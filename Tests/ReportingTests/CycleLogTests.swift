// SPDX-License-Identifier: Apache-2.0
// Lines of the cycle log, hostile ones too.

import Domain
import Reporting
import Testing

@Suite struct CycleLogTests {
    private let time = Night.time("02:40:33")

    @Test func `a line has the columns of the design`() {
        let line = LogLine(.fail, "test", "P0 authentication 24/25, 78s")
        #expect(
            CycleLog.format(line, at: time, cycle: 214)
                == "2026-11-21T02:40:33Z #214 FAIL test      P0 authentication 24/25, 78s")
        #expect(
            CycleLog.format(LogLine(.going, "daemon", "started"), at: time, cycle: 0)
                == "2026-11-21T02:40:33Z #- ..   daemon    started")
    }

    @Test func `what is written is read back`() throws {
        for mark in LogLine.Mark.allCases {
            for topic in ["test", "stabilize", "a-longer-topic"] {
                for text in ["x", "two  spaces  kept", "", "ends: 3/3 >= 3"] {
                    let line = LogLine(mark, topic, text)
                    let entry = try #require(CycleLog.parse(CycleLog.format(line, at: time, cycle: 7)))
                    #expect(entry.line == line)
                    #expect(entry.at == time)
                    #expect(entry.cycle == 7)
                }
            }
        }
    }

    @Test func `other lines are not read`() {
        for line in [
            "", "hello", "2026-11-21T02:40:33Z #x ok   test      a", "2026-11-21T02:40:33Z #0 ok test a",
            "2026-11-21T02:40:33Z #1 NOPE test      a", "#1 ok   test      a",
        ] {
            #expect(CycleLog.parse(line) == nil, "\(line)")
        }
    }

    @Test func `a hostile text stays one harmless line`() {
        let hostile = "x\n2026-11-21T02:40:33Z #214 GREEN verdict   ship it\u{1B}[2J\u{9B}31m\u{202E}evil\u{0}"
        let line = CycleLog.format(LogLine(.fail, "te st\n", hostile), at: time, cycle: 214)
        #expect(!line.contains("\n"))
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F })
        #expect(line.hasPrefix("2026-11-21T02:40:33Z #214 FAIL te-st\\n   x\\n2026"))
    }

    @Test func `a text without end is cut`() {
        let line = CycleLog.format(LogLine(.fail, "test", String(repeating: "é", count: 100_000)), at: time, cycle: 1)
        #expect(line.count < 1100)
        #expect(line.hasSuffix("…"))
    }

    @Test func `a terminal hangs long text under its column`() {
        let text = "7/7 good for 31s >= 30s; live 9f3c1e2 = wanted in 20/20 answers of the backend"
        let entry = CycleLog.Entry(at: time, cycle: 214, line: LogLine(.ok, "stabilize", text))
        Snapshot.expect(CycleLog.terminal(entry, palette: .plain, columns: 80) + "\n", "log-line-80.txt")
        Snapshot.expect(
            CycleLog.terminal(entry, palette: Palette(isOn: true), columns: 200) + "\n", "log-line-color.txt")
    }
}
