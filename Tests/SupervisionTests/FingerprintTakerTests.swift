// SPDX-License-Identifier: Apache-2.0
// What fingerprint commands print is redacted like everything else.

import Domain
import Testing

@testable import Supervision

struct FingerprintTakerTests {
    @Test func `no form of a secret is in the fingerprint`() async throws {
        let fixture = try StageFixture(secrets: ["TOKEN": "correct-horse-battery-staple"]) { settings in
            var command = StageFixture.script(#"printf %s "$TOKEN" | base64; echo "plain $TOKEN""#)
            command.secrets = ["TOKEN"]
            settings.fingerprint.commands = [.init(name: "flags", command: command)]
        }
        let run = StageRun(
            cycle: 7, kind: .stabilize, purpose: .cycle, attempt: 1, revision: Revision("9e1b7a33"))
        let now = fixture.context.now()
        let record = StageRecord(
            run: run, outcome: .succeeded, summary: "stable", startedAt: now, endedAt: now, durationSeconds: 1)
        let fingerprint = await FingerprintTaker(context: fixture.context, run: run).after(record)
        let entry = try #require(fingerprint?.entries.first { $0.subject == "flags" })
        #expect(entry.isProblem == nil)
        #expect(entry.value.contains("plain"))
        #expect(!entry.value.contains("horse") && !entry.value.contains("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ"))
    }
}
