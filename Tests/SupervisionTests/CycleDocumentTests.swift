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

    @Test func `what passed on conditions is neither protected nor at risk`() throws {
        let folder = try TemporaryFolder()
        let layout = EvidenceLayout(root: folder("state"))
        let settings = LoopSettings(
            name: "staging", mode: .verify, environment: "staging", stateDirectory: layout.root,
            baseDirectory: folder.path)
        let skipped = TestResult(id: "b", outcome: .skipped, message: "needs a login")
        let passed = TestResult(id: "a", outcome: .passed)
        func suite(_ name: String, _ value: Double, _ status: SuiteRecord.Status, _ tests: [TestResult]) -> SuiteRecord
        {
            SuiteRecord(
                name: name, priority: 0, blocking: true, value: value, status: status, totals: Totals(tests),
                notPassed: tests.filter { $0.outcome != .passed })
        }
        let suites = [
            suite("whole", 5, .passed, [passed]), suite("part", 20, .passed, [passed, skipped]),
            suite("broken", 300, .failed, [TestResult(id: "c", outcome: .failed)]),
        ]
        let cycle = CycleProgress(
            number: 7, work: WorkSeen(trigger: .schedule, wanted: Revision("9e1b7a33")), policy: LoopPolicy(settings),
            settingsHash: "", startedAt: Timestamp(milliseconds: 0))
        let document = CycleDocument.make(
            cycle, Judgement(verdict: .failing, recommendation: .hold, reasons: [], suites: suites), serving: nil,
            settings: settings, layout: layout, writtenBy: "test")
        let value = document.value
        #expect((value.total, value.protected, value.conditional, value.atRisk) == (325, 5, 20, 300))
    }
}
