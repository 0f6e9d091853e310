// SPDX-License-Identifier: Apache-2.0
// The ground under the revisions: where the last green revision, deployed now, cannot be deployed, does not come up, or
// fails tests of the first priority that a broken deployment never reached, what it stands on has changed, and no commit is
// blamed.

import Domain

enum Ground {
    /// What is wrong with the last green revision now, beyond what `suspicion` asks of it; nil where nothing is, or where
    /// it was not asked.
    static func fault(_ suspicion: Suspicion, _ facts: TriageCase) -> String? {
        guard let green = facts.lastGreen else { return nil }
        let records = Suspicion.afterDeployments(facts).filter { $0.run.revision == green }
        // A migration may stand in the way of older code: then it is the commits after all.
        let isMigrated = facts.commits.flatMap(\.files).contains(where: Paths.isMigration)
        if suspicion.predicate != .deploys, !isMigrated, let deploy = records.last(where: { $0.run.kind == .deploy }),
            isNo(deploy)
        {
            return "cannot be deployed any more"
        }
        if suspicion.predicate != .getsStable, let stable = records.last(where: { $0.run.kind == .stabilize }),
            stable.run.purpose != .recheck, isNo(stable)
        {
            let finding = Ailing(stable).findings.first.map { " (\($0))" } ?? ""
            return "does not come up any more\(finding)"
        }
        return testsFail(suspicion, records)
    }

    private static func isNo(_ record: StageRecord) -> Bool {
        [.failed, .timedOut].contains(record.outcome) && !record.infrastructure
    }

    /// More than half of the tests fail on it: luck and single flakes do not.
    private static func testsFail(_ suspicion: Suspicion, _ records: [StageRecord]) -> String? {
        guard suspicion.predicate == .deploys || suspicion.predicate == .getsStable else { return nil }
        let totals = records.filter { $0.run.kind == .test && $0.run.only == nil }.compactMap(\.suite?.totals)
        let executed = totals.reduce(0) { $0 + $1.executed }
        let failing = totals.reduce(0) { $0 + $1.failing }
        guard executed > 0, 2 * failing > executed else { return nil }
        return "comes up, and \(failing) of \(executed) tests fail on it"
    }

    /// What a baseline runs beside its deployment, where a failed stage names something around it: whether the last green
    /// revision works is asked, and not only whether it can be deployed.
    static func tests(_ open: [Account], _ facts: TriageCase) -> [Experiment.Selection] {
        let asks = open.contains { account in
            guard account.suspicion.predicate == .deploys || account.suspicion.predicate == .getsStable else {
                return false
            }
            return Signs(account).namesSurroundings(facts.rules)
        }
        return asks ? Listening.suites(facts) : []
    }
}
