// SPDX-License-Identifier: Apache-2.0
// The environment must be the same before the first test and after the last one, or the results are of neither.

import Domain

extension VerdictRules {
    static func driftReasons(_ cycle: CycleProgress) -> [Reason] {
        let own = cycle.deciding.filter { !$0.run.purpose.isDeployedExperiment && $0.run.revision == cycle.wanted }
        guard let record = FingerprintRecord(own), let after = record.after else { return [] }
        return record.changed.prefix(20).map { change in
            Reason(
                rule: "environment-drift", verdict: change.voidsTests ? .unproven : .healthy,
                text: "changed during the tests: \(change.text)", evidence: after.path)
        }
    }
}
