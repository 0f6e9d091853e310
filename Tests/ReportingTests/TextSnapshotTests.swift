// SPDX-License-Identifier: Apache-2.0
// Every text that a person reads, as it stands.

import Domain
import Reporting
import Testing

@Suite struct TextSnapshotTests {
    @Test func `a failing cycle at 80 columns`() {
        Snapshot.expect(TextReport(Night.failing, folder: "state/staging/cycles/000214").text, "show-failing-80.txt")
    }

    @Test func `a failing cycle at 200 columns`() {
        Snapshot.expect(TextReport(Night.failing, columns: 200).text, "show-failing-200.txt")
    }

    @Test func `a healthy cycle`() { Snapshot.expect(TextReport(Night.healthy).text, "show-healthy-80.txt") }

    @Test func `a failing cycle in color`() {
        Snapshot.expect(TextReport(Night.failing, palette: Palette(isOn: true)).text, "show-failing-color.txt")
    }

    @Test func `a failing cycle as Markdown`() {
        Snapshot.expect(MarkdownReport.text(Night.failing), "report-failing.md")
    }

    @Test func `a failing cycle as HTML`() { Snapshot.expect(HTMLReport.text(Night.failing), "report-failing.html") }

    @Test func `an incident alone`() {
        Snapshot.expect(IncidentText.text(Night.incident, folder: "cycles/000214"), "why-proven.txt")
    }

    @Test func `an incident without a diagnosis`() {
        var incident = Night.incident
        incident.diagnosis = nil
        Snapshot.expect(IncidentText.text(incident), "why-not-diagnosed.txt")
    }

    @Test func `what the loop was kept from is a person's to do`() {
        let barred = ActionRecord(kind: .rollback, outcome: .skipped, because: "1 of 1 rollbacks are spent")
        let text = IncidentText.text(Night.incident, actions: [barred])
        #expect(text.contains("do: rollback, by hand: the loop did not, 1 of 1 rollbacks are spent"))
        let done = ActionRecord(kind: .rollback, outcome: .succeeded, because: "INC-57")
        #expect(!IncidentText.text(Night.incident, actions: [done]).contains("by hand"))
        // What became of another incident is no word about this one.
        var other = done
        other.incident = "INC-99"
        var own = barred
        own.incident = Night.incident.id
        #expect(IncidentText.text(Night.incident, actions: [own, other]).contains("by hand: the loop did not, 1 of 1"))
    }

    @Test func `the status after a rollback`() {
        Snapshot.expect(StatusText(Night.status).text, "status-rolled-back-80.txt")
        Snapshot.expect(StatusText(Night.status, columns: 200).text, "status-rolled-back-200.txt")
    }

    @Test func `the status of a loop that never ran`() {
        let status = StatusSnapshot(
            loop: "staging", at: Night.time("03:00:00"), light: .gray,
            doing: .init(.stopped, text: "nothing: no daemon runs this loop"), daemon: .init(alive: false))
        Snapshot.expect(StatusText(status).text, "status-never-ran.txt")
    }

    @Test func `where the environment is silent, nothing is green and nobody knows what is served`() {
        var status = Night.status
        status.light = .green
        (status.verdict, status.recommendation) = (.healthy, .ship)
        status.incidents = []
        let since = Night.time("03:22:10")
        status.note(nil)
        #expect(status.light == .green)
        status.note(
            LoopMemory.Unreadable(since: since, reason: "connection refused", nextLook: Night.time("03:23:30")))
        #expect(status.light == .gray)
        #expect(status.lightSince == since)
        #expect(status.recommendation == .hold)
        let text = StatusText(status, columns: 200).text
        #expect(text.contains("SERVES unknown"))
        #expect(text.contains("environment down since 03:22Z: connection refused; next look 03:23Z"))
        #expect(StatusText(status).todo.first?.hasPrefix("bring the environment back") == true)
        // A verdict that was red before stays so.
        var red = Night.status
        red.note(LoopMemory.Unreadable(since: since, reason: "connection refused"))
        #expect(red.light == .red)
        #expect(red.serving == nil)
    }

    @Test func `the status of a loop whose daemon is stuck`() {
        var status = Night.status
        status.daemon.lastSignOfLifeAt = status.at + .seconds(-60)
        #expect(!StatusText(status).text.contains("STUCK"), "a minute is not too long")
        status.daemon.lastSignOfLifeAt = status.at + .seconds(-754)
        Snapshot.expect(StatusText(status).text, "status-stuck.txt")
    }

    @Test func `the status with everything in the way`() {
        var status = Night.status
        status.pause = PauseRequested(owner: "ann", reason: "database upgrade", until: Night.time("05:00:00"))
        status.doing = .init(.paused, text: "paused by ann: database upgrade")
        status.daemon.journalProblem = "journal/000003.jsonl line 17 is damaged: it is no JSON"
        status.incidents = (1...7).map { number in
            .init(
                id: "INC-\(number)", priority: number % 4, value: nil, title: "checkout fails in a long-winded manner",
                tests: number, cause: "cause unknown", acknowledged: number.isMultiple(of: 2))
        }
        Snapshot.expect(StatusText(status).text, "status-troubled.txt")
    }

    @Test func `the status as JSON`() throws {
        Snapshot.expect(try JSONText.pretty(Night.status) + "\n", "status-rolled-back.json")
    }

    @Test func `the table of cycles`() {
        Snapshot.expect(CyclesTable.text(Night.briefs), "cycles-80.txt")
        Snapshot.expect(CyclesTable.text(Night.briefs, columns: 200), "cycles-200.txt")
        #expect(CyclesTable.text([]) == "no cycle is finished yet\n")
        #expect(VerdictStrip.text(Night.briefs) == "++++++++++++++f+++?R")
    }

    @Test func `lines of the plain width stay within it`() {
        for columns in [80, 100, 120, 200] {
            let texts = [
                TextReport(Night.failing, columns: columns).text, StatusText(Night.status, columns: columns).text,
                IncidentText.text(Night.incident, columns: columns),
            ]
            for line in texts.flatMap({ $0.split(separator: "\n") }) {
                #expect(Printable.columns(line) <= columns, "\(columns): \(line)")
            }
        }
    }
}
