// SPDX-License-Identifier: Apache-2.0
// Thousands of cycles and a hundred nights against a world in which everything goes wrong now and then.

import Domain
import Testing

@testable import Engine

struct SimulatorTests {
    private func check(_ simulator: Simulator, _ what: String = "") {
        for problem in simulator.problems {
            Issue.record(
                "seed \(simulator.seed) \(what): event \(simulator.events), cycle \(simulator.cycles): \(problem)")
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a troubled loop keeps its promises`(_ seed: UInt64) {
        var simulator = Simulator(seed: seed)
        simulator.setFlaky(seed % 3 == 0 ? ["login-1": 4, "extras-2": 3] : [:])
        simulator.run(cycles: 50)
        check(simulator)
        #expect(simulator.problems.isEmpty == false || simulator.cycles == 50)
    }

    /// Migrations here and there, people who answer now and then, restarts at any moment.
    @Test(arguments: 0..<20 as Range<UInt64>, [ApprovalDefault.hold, .abort])
    func `what needs a word is not done without one`(_ seed: UInt64, _ otherwise: ApprovalDefault) {
        var policy = Samples.policy
        policy.approve = seed % 2 == 0 ? [.rollback, .experiments] : [.redeploy]
        policy.atDeadline = otherwise
        policy.runbook = [
            RunbookPolicy(name: "restart", categories: Category.allCases, attempts: 2, attemptsPerNight: 3)
        ]
        var mishaps = Mishaps()
        mishaps.operatorSpeaks = 12
        var simulator = Simulator(seed: seed, mishaps: mishaps, policy: policy)
        simulator.irreversibleEvery = 5
        simulator.run(cycles: 50)
        check(simulator, otherwise.rawValue)
        #expect(simulator.problems.isEmpty == false || simulator.cycles == 50)
    }

    /// Roles that succeed, refuse, get lost or answer for people; fixes that cure or do not; restarts at any moment.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a fix is proven only where it cures, and leaves nothing behind`(_ seed: UInt64) {
        var policy = Samples.policy
        policy.allow = seed % 3 == 0 ? [.rollback, .fix] : [.fix]
        policy.approve = seed % 2 == 0 ? [.fix] : nil
        policy.fix = FixPolicy(FixSettings(paths: ["*"], attempts: 2), RoleSettings())
        policy.fix?.roles = [.investigate, .implement, .review, .approve]
        var mishaps = Mishaps()
        mishaps.operatorSpeaks = 30
        var simulator = Simulator(seed: seed, mishaps: mishaps, policy: policy)
        simulator.run(cycles: 50)
        check(simulator, "fix")
        #expect(simulator.problems.isEmpty == false || simulator.cycles == 50)
    }

    @Test func `in the simulator fixes are proven`() {
        var policy = Samples.policy
        policy.allow = [.fix]
        policy.triage.deploysPerNight = 1000
        policy.fix = FixPolicy(FixSettings(paths: ["*"]), RoleSettings())
        policy.fix?.roles = [.implement]
        var simulator = Simulator(seed: 11, mishaps: .none, policy: policy)
        simulator.run(cycles: 200)
        check(simulator, "fix")
        #expect(simulator.fixes > 3)
    }

    @Test func `in the simulator people are asked, and some say yes`() {
        var policy = Samples.policy
        policy.approve = [.rollback]
        var mishaps = Mishaps.none
        mishaps.operatorSpeaks = 5
        var simulator = Simulator(seed: 7, mishaps: mishaps, policy: policy)
        simulator.run(cycles: 200)
        check(simulator)
        #expect(simulator.approvals > 3)
        #expect(simulator.rollbacks > 3)
    }

    @Test(arguments: [Mode.observe, .verify], 0..<10 as Range<UInt64>)
    func `a loop that may not deploy deploys nothing`(_ mode: Mode, _ seed: UInt64) {
        var policy = Samples.policy
        policy.mode = mode
        var simulator = Simulator(seed: seed, policy: policy)
        simulator.run(cycles: 20)
        check(simulator, mode.rawValue)
        #expect(simulator.world.deployed.isEmpty)
        #expect(simulator.rollbacks == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `without mishaps every blocking regression is found and its culprit is right`(_ seed: UInt64) {
        var policy = Samples.policy
        policy.triage.deploysPerNight = 1000
        policy.suites = policy.suites.filter(\.blocking)
        var simulator = Simulator(seed: seed, mishaps: .none, policy: policy)
        simulator.run(cycles: 40)
        check(simulator)
        for culprit in simulator.culprits where culprit.isProven {
            let isRight = simulator.world.breakages.contains {
                $0.test == culprit.test && simulator.world.commits[$0.from] == culprit.named
            }
            #expect(isRight, "seed \(seed): \(culprit.named.short) is blamed for \(culprit.test)")
        }
    }

    /// The daemon is killed once, after each single event in turn: the verdicts are those of the undisturbed run.
    @Test(arguments: 0..<1 as Range<UInt64>)
    func `a crash after any event changes no verdict`(_ seed: UInt64) {
        var undisturbed = Simulator(seed: seed, mishaps: .none)
        undisturbed.run(cycles: 6)
        check(undisturbed)
        for event in 1..<undisturbed.events {
            var crashing = Simulator(seed: seed, mishaps: .none)
            crashing.crashAt = event
            crashing.run(cycles: 6)
            check(crashing, "crash at \(event)")
            #expect(crashing.verdicts == undisturbed.verdicts, "seed \(seed), crash at event \(event)")
            #expect(crashing.crashes == 1)
        }
    }

    /// Nights from 22:00 to 06:00, with mishaps, operators and restarts.
    @Test func `a hundred nights`() {
        let clock = ContinuousClock()
        var simulator = Simulator(seed: 2026, nights: .utc, policy: nightly)
        let took = clock.measure { simulator.run(cycles: .max, upTo: .seconds(100 * 86_400)) }
        check(simulator)
        #expect(simulator.elapsed >= .seconds(100 * 86_400))
        #expect(simulator.cycles > 100)
        print(
            "figures: 100 nights, \(simulator.cycles) cycles, \(simulator.events) events, \(simulator.crashes) restarts, "
                + "\(simulator.rollbacks) rollbacks in \(took)")
    }

    private var nightly: LoopPolicy {
        var policy = Samples.policy
        policy.everySeconds = 3 * 3600
        return policy
    }
}
