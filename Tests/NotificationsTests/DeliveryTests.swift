// SPDX-License-Identifier: Apache-2.0
// Delivery by a command, with real ones.

import Domain
import Testing

@testable import Notifications

@Suite struct DeliveryTests {
    private static let notice = Notice(
        id: "staging/INC-1.1", key: "staging/INC-1", kind: .opened, level: .page, loop: "staging", host: "nj1",
        at: Timestamp(milliseconds: 1_795_262_400_000), title: "it fails")

    private static func attempt(_ script: String, secrets: [String] = []) async -> DeliveryOutcome {
        let delivery = Delivery(
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], secretEnvironment: [:], workingDirectory: "/",
            secrets: { names in Dictionary(uniqueKeysWithValues: names.map { ($0, "s3cret-of-\($0)") }) },
            now: { notice.at })
        let command = CommandSettings(
            arguments: ["/bin/sh", "-c", script], timeout: .seconds(30), secrets: secrets)
        return await delivery.attempt(
            notice, ReceiverSettings(name: "pager", kind: .command(command), levels: [.page]))
    }

    @Test func `a command gets the secrets that it names`() async {
        let script = "cat > /dev/null; test \"$TOKEN\" = s3cret-of-TOKEN"
        #expect(await Self.attempt(script, secrets: ["TOKEN"]) == .delivered)
        #expect(await Self.attempt(script) == .refused("/bin/sh exit 1"))
    }

    @Test func `what a command says of its failure is without its secrets`() async {
        let script = "cat > /dev/null; echo \"no entry for $TOKEN\" >&2; exit 3"
        guard case .refused(let problem) = await Self.attempt(script, secrets: ["TOKEN"]) else {
            Issue.record("not refused")
            return
        }
        #expect(problem.hasPrefix("/bin/sh exit 3: no entry for ") && !problem.contains("s3cret"))
    }
}
