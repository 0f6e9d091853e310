// SPDX-License-Identifier: Apache-2.0
// What a cycle's document says of features.

import Domain
import Evidence
import Platform
import TestSupport
import Testing

@testable import Engine
@testable import Supervision

struct CycleDocumentTests {
    @Test(arguments: [
        (SuiteRecord.Status.passed, Authenticity.Status.proven, SuiteRecord.Status.passed),
        (.failed, .proven, .passed), (.unproven, .proven, .unproven), (.unproven, .doubtful, .unproven),
        (.failed, .contradicted, .unproven),
    ])
    func `a feature has passed only where its suite is believed`(
        suite: SuiteRecord.Status, authenticity: Authenticity.Status, feature: SuiteRecord.Status
    ) throws {
        let folder = try TemporaryFolder()
        let layout = EvidenceLayout(root: folder("state"))
        var settings = LoopSettings(
            name: "staging", mode: .verify, environment: "staging", stateDirectory: layout.root,
            baseDirectory: folder.path)
        settings.suites = [
            SuiteSettings(
                name: "chat", priority: 0, command: CommandSettings(arguments: ["true"], timeout: .seconds(1)),
                capabilities: [
                    CapabilitySettings(
                        name: "streaming chat", tests: "*streaming*", value: 120_000, steps: ["*streaming*"])
                ], blocking: true)
        ]
        let tests = [TestResult(id: "chat::streaming", outcome: .passed, durationSeconds: 0)]
        try Files.createDirectories(layout.cycle(7) + "/test-1-chat")
        _ = try TestsFile.write(tests, to: layout.cycle(7) + "/test-1-chat/tests.jsonl")
        let cycle = CycleProgress(
            number: 7, work: WorkSeen(trigger: .schedule, wanted: Revision("9e1b7a33")), policy: LoopPolicy(settings),
            settingsHash: "", startedAt: Timestamp(milliseconds: 0))
        let judged = SuiteRecord(
            name: "chat", priority: 0, blocking: true, value: nil, status: suite, totals: Totals(tests),
            testsFile: "test-1-chat/tests.jsonl", authenticity: Authenticity(status: authenticity))
        let document = CycleDocument.make(
            cycle, Judgement(verdict: .unproven, recommendation: .hold, reasons: [], suites: [judged]), serving: nil,
            settings: settings, layout: layout, writtenBy: "test")
        #expect(document.capabilities.map(\.status) == [feature])
        #expect(document.capabilities.first?.steps?.map(\.status) == [feature])
    }
}
