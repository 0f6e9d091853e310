// SPDX-License-Identifier: Apache-2.0
// What a cycle's end means to the caller of `once`, `run --max-cycles` and `gate`: every verdict with every mixture of reasons.

import Domain
import Evidence
import Foundation
import Testing

@testable import Commands
@testable import Engine

struct ExitCodeTests {
    /// Each rule with the verdict that it carries.
    private static let reasons = [
        ("deploy-failed", Verdict.failing), ("wrong-revision", .failing), ("not-stable", .failing),
        ("test-failed", .failing), ("deploy-lost", .unproven), ("infrastructure", .unproven), ("not-run", .unproven),
        ("revision-not-read", .unproven), ("report-missing", .unproven), ("recheck", .unproven), ("flaky", .degraded),
        ("aborted", .interrupted),
    ].map { Reason(rule: $0, verdict: $1, text: $0) }

    /// By the plain words: a failing verdict is 1 where a test failed and 5 where only the ground did; one without proof is 5
    /// where the ground is the reason and nothing about a test is.
    private func expected(_ verdict: Verdict, _ recommendation: Recommendation, _ rules: Set<String>) -> ExitCode {
        switch verdict {
        case .interrupted: return .interrupted
        case .healthy, .degraded: return recommendation == .ship ? .ok : .failing
        case .failing:
            if rules.contains("test-failed") { return .failing }
            return rules.isDisjoint(with: ["deploy-failed", "wrong-revision", "not-stable"])
                ? .failing : .infrastructure
        case .unproven:
            if !rules.isDisjoint(with: ["report-missing", "recheck"]) { return .unproven }
            return rules.isDisjoint(with: ["deploy-lost", "infrastructure"]) ? .unproven : .infrastructure
        }
    }

    @Test func `every verdict with every mixture of reasons`() {
        var seen: [ExitCode: Int] = [:]
        for mixture in 0..<(1 << Self.reasons.count) {
            let reasons = Self.reasons.enumerated().filter { mixture >> $0.offset & 1 == 1 }.map(\.element)
            let rules = Set(reasons.map(\.rule))
            for verdict in Verdict.allCases {
                for recommendation in [Recommendation.ship, .hold] {
                    let code = ExitCode(verdict, recommendation, reasons)
                    let wanted = expected(verdict, recommendation, rules)
                    guard code != wanted else {
                        seen[code, default: 0] += 1
                        continue
                    }
                    Issue.record("\(verdict) \(recommendation) \(rules.sorted()): \(code), not \(wanted)")
                    return
                }
            }
        }
        #expect(Set(seen.keys) == [.ok, .failing, .unproven, .interrupted, .infrastructure])
    }

    /// Every rule that the verdict rules give for a deployment or a proof is known here: a new one must be decided upon.
    @Test(arguments: [
        (StageKind.deploy, StageOutcome.failed), (.deploy, .timedOut), (.deploy, .lost), (.deploy, .couldNotRun),
        (.stabilize, .failed), (.stabilize, .timedOut), (.stabilize, .couldNotRun), (.stabilize, .lost),
    ])
    func `what stops a cycle before its tests ends with 5`(_ kind: StageKind, _ outcome: StageOutcome) {
        var policy = LoopPolicy(
            LoopSettings(
                name: "staging", mode: .operate, environment: "staging", stateDirectory: "state", baseDirectory: "."))
        policy.suites = [SuitePolicy(name: "login", priority: 0, blocking: true, value: 100)]
        (policy.hasDeploy, policy.hasHealth, policy.provesRevision) = (true, true, true)
        let work = WorkSeen(trigger: .once, wanted: Revision("bbbbbbb"))
        let now = LoopFixture.now
        var cycle = CycleProgress(number: 1, work: work, policy: policy, settingsHash: "", startedAt: now)
        func record(_ kind: StageKind, _ outcome: StageOutcome) -> StageRecord {
            StageRecord(
                run: StageRun(cycle: 1, kind: kind, purpose: .cycle, attempt: 1, revision: work.wanted),
                outcome: outcome, summary: "as told", startedAt: now, endedAt: now, durationSeconds: 1)
        }
        if kind == .stabilize { cycle.records.append(record(.deploy, .succeeded)) }
        cycle.records.append(record(kind, outcome))
        let judgement = VerdictRules.judge(cycle, at: now)
        let code = ExitCode(judgement.verdict, judgement.recommendation, judgement.reasons)
        #expect(code == .infrastructure, "\(judgement.verdict) \(judgement.reasons.map(\.rule))")
    }

    @Test func `gate tells a deployment that failed from a test that did`() async throws {
        let fixture = LoopFixture()
        var deploy = LoopFixture.record(1, .failing, .hold, revision: "aaaaaaa")
        deploy.reasons = [Reason(rule: "deploy-failed", verdict: .failing, text: "exit 3")]
        var test = LoopFixture.record(2, .failing, .hold, revision: "bbbbbbb")
        test.reasons = [Reason(rule: "test-failed", verdict: .failing, text: "login failed")]
        try await fixture.sealAndJournal([deploy, test])
        let stopped = await fixture.run("gate", "aaaaaaa", "--state", "state")
        #expect(stopped.code == .infrastructure && stopped.output.hasPrefix("HOLD"))
        #expect(await fixture.run("gate", "bbbbbbb", "--state", "state").code == .failing)
        let layout = fixture.layout
        #expect(try RunCommand.code(.cycles(.failing), layout) == .failing)
        #expect(try RunCommand.code(.cycles(.healthy), layout) == .failing, "no document says healthy")
        #expect(try RunCommand.code(.done, layout) == .ok)
        #expect(try RunCommand.code(.knownBad(Revision("aaaaaaa")), layout) == .failing)
    }

    @Test func `where no cycle was run, json says why`() {
        let pause = PauseRequested(owner: "ann", reason: "database upgrade", until: nil)
        let paused = NoCycle(.done, pause: pause)
        #expect(paused.ended == "paused" && paused.exit == 4 && paused.pause == pause)
        let words = "paused by ann: database upgrade; no cycle was run; nightjar resume ends the pause"
        #expect(paused.because == words)
        #expect(NoCycle(.done, pause: nil).ended == "stopped")
        #expect(NoCycle(.infrastructure("no answer"), pause: pause) == NoCycle(.displaced("no answer"), pause: nil))
        #expect(NoCycle(.knownBad(Revision("aaaaaaa")), pause: nil).exit == 1)
        let run = StageRun(cycle: 1, kind: .deploy, purpose: .cycle, attempt: 1, revision: Revision("aaaaaaa"))
        #expect(NoCycle(.detached(run), pause: nil).because.hasPrefix("deploy-1 goes on"))
    }
}
