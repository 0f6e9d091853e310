// SPDX-License-Identifier: Apache-2.0
// What must hold of every cycle of a simulated loop when it is sealed, whatever went wrong.

import Domain

@testable import Engine

extension Simulator {
    mutating func check(sealing number: Int) {
        guard let cycle = machine.cycle, let judgement = cycle.concluded else { return }
        cycles += 1
        verdicts.append(judgement.verdict)
        expect(number == machine.memory.cycle && cycle.number == number, "cycle \(number) out of order")
        checkVerdict(cycle, judgement)
        checkEnvironment(cycle, judgement)
        for incident in cycle.incidents {
            if let culprit = incident.diagnosis?.culprit, let test = incident.tests.first {
                culprits.append((culprit.commit, incident.diagnosis?.grade == .proven, test))
            }
        }
        let isRolledBack = cycle.actions.contains { $0.kind == .rollback && $0.outcome != .skipped }
        let hasDeployed = world.deployed[number, default: 0] > 0 || cycle.records.contains { $0.run.kind == .deploy }
        expect(!isRolledBack || hasDeployed, "rollback in cycle \(number), in which nothing was deployed")
        checkWords(cycle)
        let isAborted = cycle.interruption?.rule == "aborted"
        (abortedRevision, abortedIn) = isAborted ? (cycle.wanted, number) : (nil, nil)
        let isOfSurroundings = cycle.incidents.contains { $0.diagnosis?.category.isOfSurroundings == true }
        if judgement.recommendation == .ship { condemned[cycle.wanted] = nil }
        // A rollback that does not help takes the blame from the revision.
        let isWithdrawn = cycle.incidents.contains {
            $0.diagnosis?.summary.hasPrefix("refuted by the rollback") == true
        }
        if judgement.verdict == .failing, !isOfSurroundings, !isWithdrawn, cycle.wanted != cycle.lastGreen {
            let actions = cycle.actions.map { "\($0.kind) \($0.outcome)" }
            condemned[cycle.wanted] = "#\(number) \(judgement.reasons.first?.text ?? ""), \(actions)"
        }
        checkBudgets(cycle)
        expect(
            Set(cycle.records.map(\.run.folder)).count == cycle.records.count,
            "two runs share a folder in cycle \(number)")
        world.results = [:]
        world.deployed = [:]
        wasStopped = false
    }

    private mutating func checkBudgets(_ cycle: CycleProgress) {
        expect(
            cycle.experimentDeploys <= policy.triage.deploysPerIncident,
            "\(cycle.experimentDeploys) experiment deploys in cycle \(cycle.number)")
        expect(
            machine.memory.experimentDeploys <= policy.triage.deploysPerNight,
            "\(machine.memory.experimentDeploys) experiment deploys in one night")
        let over = machine.memory.rollbacks.first { $0.count > policy.rollbacksPerIncident }
        expect(over == nil, "\(over?.count ?? 0) rollbacks for \(over?.incident ?? "")")
        expect(
            machine.memory.incidents.count < 400 && machine.memory.knownBad.count <= 200,
            "memory grows: \(machine.memory.incidents.count) incidents, \(machine.memory.knownBad.count) known-bad")
    }

    /// Nothing that needs a person's word is done without one, and nothing crosses an irreversible change without.
    private mutating func checkWords(_ cycle: CycleProgress) {
        for action in cycle.actions where action.outcome != .skipped {
            // The word about a fix is asked for when there is a change: one that was refused before needs none.
            if action.kind == .fix, action.name == nil { continue }
            let subject = ApprovalSubject(action.kind)
            let needs = subject.map { policy.approve?.contains($0) == true } ?? false
            let crosses = action.kind == .rollback && cycle.irreversible != nil
            if action.approvedBy != nil { approvals += 1 }
            expect(
                !(needs || crosses) || action.approvedBy != nil,
                "\(action.kind.rawValue) in cycle \(cycle.number) without a word")
        }
        for experiment in cycle.experiments where !experiment.refused && experiment.experiment.kind.deploys {
            expect(
                cycle.irreversible == nil || experiment.approvedBy != nil,
                "experiment \(experiment.experiment.number) across a migration without a word")
        }
        let open = cycle.actions.first { $0.outcome == .started }
        expect(open == nil, "\(open?.kind.rawValue ?? "") of cycle \(cycle.number) has no end")
        expect(cycle.approval == nil, "cycle \(cycle.number) is sealed with an open question")
    }

    private mutating func checkVerdict(_ cycle: CycleProgress, _ judgement: Judgement) {
        guard judgement.verdict == .healthy || judgement.verdict == .degraded else { return }
        for suite in policy.suites where suite.blocking {
            let broken = world.broken(suite.name, on: cycle.wanted)
            expect(broken.isEmpty, "\(judgement.verdict) although \(broken) fail on \(cycle.wanted.short)")
        }
    }

    private mutating func checkEnvironment(_ cycle: CycleProgress, _ judgement: Judgement) {
        let serving = machine.memory.serving
        if !world.othersMoved, let serving {
            expect(
                serving == world.live,
                "serving \(serving.short) is claimed, \(world.live?.short ?? "nothing") is live")
        }
        if wasStopped || world.othersMoved || restoreWasTried || judgement.verdict == .interrupted { return }
        for action in cycle.actions where action.kind == .fix && action.outcome == .succeeded {
            fixes += 1
            let tests = cycle.fix?.incident.tests ?? []
            let broken = ["login", "chat", "extras"].flatMap { world.broken($0, on: Revision(action.name ?? "")) }
            expect(!tests.contains(where: broken.contains), "a fix is proven that cures nothing")
        }
        let known = [cycle.wanted, cycle.lastGreen]
        expect(
            serving == nil || serving != cycle.fix?.revision,
            "cycle \(cycle.number) leaves a fix in staging that was to go")
        if let serving, policy.mode == .operate, !known.contains(serving), world.commits.contains(serving),
            cycle.experimentDeploys > 0
        {
            expect(
                !cycle.hasTouched(serving), "cycle \(cycle.number) leaves an experiment's \(serving.short) in staging")
        }
    }
}
