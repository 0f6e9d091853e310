// SPDX-License-Identifier: Apache-2.0
// What performance targets say about a verdict.

import Domain

extension VerdictRules {
    /// Targets that were measured after the suite. A miss says nothing against its tests; what got worse or is going to
    /// miss is said and changes no verdict.
    static func targetReasons(_ record: StageRecord?, _ policy: SuitePolicy) -> [Reason] {
        (record?.targets ?? []).flatMap { target -> [Reason] in
            let isBlocking = target.blocking == true
            func reason(_ rule: String, _ verdict: Verdict, _ text: String) -> Reason {
                Reason(
                    rule: rule, verdict: verdict, text: "\(target.name): \(text)", subject: policy.name,
                    evidence: target.evidence)
            }
            var reasons: [Reason] = []
            switch target.status {
            case .met: break
            case .missed:
                let measured = Measure.text(target.measured ?? 0, target.unit)
                let limit = Measure.text(target.limit, target.unit)
                reasons.append(
                    reason(
                        "target-missed", isBlocking ? .failing : .degraded,
                        "\(measured) \(target.isFloor == true ? "<" : ">") \(limit)"))
            case .notMeasured:
                reasons.append(
                    reason(
                        "target-not-measured", isBlocking ? .unproven : .degraded, target.because ?? "not measured"))
            }
            if let change = target.sinceGreen, change.finding == .worse {
                reasons.append(reason("target-regressed", .healthy, change.words))
            }
            if let warning = target.trend?.warning(target.unit) {
                reasons.append(reason("target-trend", .healthy, warning))
            }
            return reasons
        }
    }
}
