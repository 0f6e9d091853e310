// SPDX-License-Identifier: Apache-2.0
// Years of nights by the clock of Berlin, with everything that goes wrong. Ten days each time; for more:
//
//     NIGHTJAR_SIMULATED_YEARS=10 swift test --filter SimulatedYearsTests
//
// runs that many years for each of four ways to run a loop; NIGHTJAR_SEED=7 takes another seed, NIGHTJAR_WAY=fixes one way.

import Domain
import Foundation
import Testing

@testable import Engine

@Suite(.serialized) struct SimulatedYearsTests {
    enum Way: String, CaseIterable, Sendable {
        /// Everything within its budgets, every two hours of the night.
        case nights
        /// Around the clock, with a day's budget.
        case always
        /// Migrations, questions to people, runbooks.
        case words
        /// Fixes by roles.
        case fixes

        static var asked: [Way] {
            let one = ProcessInfo.processInfo.environment["NIGHTJAR_WAY"]
            return allCases.filter { one == nil || one == $0.rawValue }
        }
    }

    private func policy(_ way: Way) -> LoopPolicy {
        var policy = Samples.policy
        policy.everySeconds = way == .always ? 6 * 3600 : 2 * 3600
        switch way {
        case .nights, .always: break
        case .words:
            policy.approve = [.rollback, .experiments]
            policy.atDeadline = .abort
            policy.runbook = [
                RunbookPolicy(name: "restart", categories: Category.allCases, attempts: 2, attemptsPerNight: 3)
            ]
        case .fixes:
            policy.allow = [.rollback, .fix]
            policy.fix = FixPolicy(FixSettings(paths: ["*"], attempts: 2), RoleSettings())
            policy.fix?.roles = [.investigate, .implement, .review, .approve]
        }
        return policy
    }

    @Test(arguments: Way.asked)
    func `years of nights keep every promise`(_ way: Way) throws {
        let environment = ProcessInfo.processInfo.environment
        let years = environment["NIGHTJAR_SIMULATED_YEARS"].flatMap(Double.init) ?? 0.03
        let seed = environment["NIGHTJAR_SEED"].flatMap(UInt64.init) ?? 2026
        let limit = Duration.seconds(Int64(years * 365.25 * 86_400))
        var mishaps = Mishaps()
        mishaps.clockJumps = 500
        if way == .words || way == .fixes { mishaps.operatorSpeaks = 20 }
        var simulator = Simulator(
            seed: seed, mishaps: mishaps, nights: way == .always ? nil : .berlin, policy: policy(way))
        simulator.setFlaky(["login-1": 12, "extras-2": 5])
        if way == .words { simulator.irreversibleEvery = 7 }
        simulator.answersEvery = 2
        let took = ContinuousClock().measure { simulator.run(cycles: .max, upTo: limit) }
        for problem in simulator.problems {
            Issue.record("seed \(seed), \(way): event \(simulator.events), cycle \(simulator.cycles): \(problem)")
        }
        #expect(simulator.elapsed >= limit)
        print(
            "figures: \(way.rawValue), seed \(seed): \(years) years, \(simulator.cycles) cycles, \(simulator.events) events, "
                + "\(simulator.checks) checks, \(simulator.crashes) restarts, \(simulator.pauses) pauses, "
                + "\(simulator.clockJumps) clock jumps, \(simulator.rollbacks) rollbacks, \(simulator.approvals) approvals, "
                + "\(simulator.fixes) fixes in \(took)")
    }

    /// Against the instants at which the clocks of Berlin change.
    @Test func `nights of the simulation follow summer time`() {
        func closes(_ text: String) -> String? {
            Timestamp(text).flatMap { Nights.berlin.window(at: $0).until?.wholeSeconds }
        }
        #expect(closes("2026-03-28T22:00:00.000Z") == "2026-03-29T04:00:00Z")
        #expect(closes("2026-03-27T22:00:00.000Z") == "2026-03-28T05:00:00Z")
        #expect(closes("2026-10-24T21:00:00.000Z") == "2026-10-25T05:00:00Z")
        #expect(closes("2026-07-01T12:00:00.000Z") == "2026-07-01T20:00:00Z")
        #expect(closes("2036-12-31T23:30:00.000Z") == "2037-01-01T05:00:00Z")
    }
}
