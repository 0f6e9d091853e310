// SPDX-License-Identifier: Apache-2.0
// What counts as a change of the surroundings.

import Domain
import Testing

struct FingerprintTests {
    private func look(_ moment: Fingerprint.Moment, _ entries: [Fingerprint.Entry]) -> Fingerprint {
        Fingerprint(moment: moment, at: Timestamp(milliseconds: 0), path: "f.json", entries: entries)
    }

    private func record(_ looks: [Fingerprint]) -> StageRecord {
        let run = StageRun(cycle: 1, kind: .test, purpose: .cycle, attempt: 1, revision: Revision("a"))
        var record = StageRecord(
            run: run, outcome: .succeeded, summary: "", startedAt: Timestamp(milliseconds: 0),
            endedAt: Timestamp(milliseconds: 0), durationSeconds: 0)
        record.fingerprints = looks
        return record
    }

    @Test func `another file, name or answer is a change, another measure is none`() {
        let before = look(
            .before,
            [
                .init(.disk, "/", "5 GiB free"), .init(.load, "this machine", "0.1"), .init(.file, "/a", "1"),
                .init(.command, "schema", "7"), .init(.name, "db", "10.0.0.1"), .init(.file, "/gone", "2"),
            ])
        let after = look(
            .after,
            [
                .init(.disk, "/", "4 GiB free"), .init(.load, "this machine", "9.9"), .init(.file, "/a", "1"),
                .init(.command, "schema", "8"), .init(.name, "db", "10.0.0.2"), .init(.file, "/new", "3"),
            ])
        let changes = after.changes(since: before)
        #expect(
            changes.map(\.text) == [
                "command schema: 7 → 8", "name db: 10.0.0.1 → 10.0.0.2", "file /new: not there → 3",
                "file /gone: 2 → not there",
            ])
        #expect(changes.map(\.voidsTests) == [true, false, true, true])
        #expect(before.changes(since: before).isEmpty)
    }

    @Test func `a pass is framed by its last look before the tests and the last one after`() {
        let first = look(.before, [.init(.file, "/a", "1")])
        let second = look(.before, [.init(.file, "/a", "2")])
        let failure = look(.failure, [.init(.file, "/a", "9")])
        let after = look(.after, [.init(.file, "/a", "3")])
        let framed = FingerprintRecord([record([first]), record([second]), record([failure]), record([after])])
        #expect(framed?.before == second)
        #expect(framed?.after == after)
        #expect(framed?.changed.map(\.text) == ["file /a: 2 → 3"])
        #expect(FingerprintRecord([record([second]), record([])])?.after == nil)
        #expect(FingerprintRecord([record([after])]) == nil)
    }
}
