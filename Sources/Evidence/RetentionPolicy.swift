// SPDX-License-Identifier: Apache-2.0
// Which cycles are deleted, and by which rule: a pure function of what is there, the settings and the time.

package import Domain

/// What retention needs to know about one sealed cycle.
package struct RetentionCandidate: Hashable, Sendable {
    package var cycle: Int
    package var bytes: Int64
    package var endedAt: Timestamp
    package var verdict: Verdict
    package var isPinned: Bool

    package init(cycle: Int, bytes: Int64, endedAt: Timestamp, verdict: Verdict, isPinned: Bool = false) {
        self.cycle = cycle
        self.bytes = bytes
        self.endedAt = endedAt
        self.verdict = verdict
        self.isPinned = isPinned
    }
}

/// One cycle to delete, and why.
package struct RetentionDecision: Hashable, Sendable {
    package var cycle: Int
    /// `age 90d`, `cycles 1000` or `bytes 20000000000`: the limit that it is beyond.
    package var rule: String

    package init(cycle: Int, rule: String) {
        self.cycle = cycle
        self.rule = rule
    }
}

package enum RetentionPolicy {
    /// The cycles to delete, oldest first.
    ///
    /// Never the running cycle, the newest, the last healthy, the last failing and the pinned ones. These count towards the
    /// limits all the same: what is kept for good leaves less room for the rest. Age comes first, then number, then size.
    package static func plan(
        _ candidates: [RetentionCandidate], settings: RetentionSettings, now: Timestamp, running: Int? = nil
    ) -> [RetentionDecision] {
        let sorted = candidates.sorted { $0.cycle < $1.cycle }
        let kept = protected(sorted, running: running)
        var count = sorted.count
        var bytes = sorted.reduce(Int64(0)) { $0 + $1.bytes }
        var decisions: [RetentionDecision] = []
        func delete(_ candidate: RetentionCandidate, _ rule: String) {
            decisions.append(RetentionDecision(cycle: candidate.cycle, rule: rule))
            count -= 1
            bytes -= candidate.bytes
        }
        var rest: [RetentionCandidate] = []
        for candidate in sorted where !kept.contains(candidate.cycle) {
            if now.since(candidate.endedAt) > settings.age {
                delete(candidate, "age \(days(settings.age))")
            } else {
                rest.append(candidate)
            }
        }
        for candidate in rest {
            if count > settings.cycles {
                delete(candidate, "cycles \(settings.cycles)")
            } else if bytes > settings.bytes {
                delete(candidate, "bytes \(settings.bytes)")
            } else {
                break
            }
        }
        return decisions.sorted { $0.cycle < $1.cycle }
    }

    static func protected(_ sorted: [RetentionCandidate], running: Int?) -> Set<Int> {
        var kept = Set(sorted.lazy.filter(\.isPinned).map(\.cycle))
        let newest = [
            running, sorted.last?.cycle, sorted.last { $0.verdict == .healthy }?.cycle,
            sorted.last { $0.verdict == .failing }?.cycle,
        ]
        kept.formUnion(newest.compactMap(\.self))
        return kept
    }

    /// `90d`, or seconds where it is no whole number of days.
    private static func days(_ age: Duration) -> String {
        let seconds = age.components.seconds
        return seconds % 86_400 == 0 ? "\(seconds / 86_400)d" : "\(seconds)s"
    }
}
