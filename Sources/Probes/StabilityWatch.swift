// SPDX-License-Identifier: Apache-2.0
// Decides when an environment is steady: every check good in every round, for long enough, before the deadline.

package import Domain

/// Judges rounds of health checks. A pure value: it is told the monotonic time and asks nothing.
///
/// Steady means that all samples of all rounds over at least `stableFor` were good. One bad sample starts the count
/// again: services that are restarting answer well in between.
package struct StabilityWatch: Sendable {
    package enum Verdict: Hashable, Sendable {
        /// Not yet: ask the next round.
        case goOn
        /// Every check has held for long enough.
        case steady
        /// The deadline passed first; in words with value, comparator and threshold.
        case gaveUp(String)
    }

    private let stableFor: Duration
    private let deadline: Duration
    /// Monotonic times, as the caller measures them.
    private let startedAt: Duration
    private var goodSince: Duration?
    private var lastRoundAt: Duration
    private var lastBad: ProbeSample?
    private var failures: [ProbeSample] = []
    private var rounds = 0
    private var goodInARow = 0

    /// How many failing samples are kept for the record, newest last.
    package static let keptFailures = 20

    /// `startedAt` is the monotonic time at which the watch begins; the deadline counts from it.
    package init(_ settings: HealthSettings, startedAt: Duration) {
        stableFor = settings.stableFor
        deadline = settings.deadline
        self.startedAt = startedAt
        lastRoundAt = startedAt
    }

    /// Takes one whole round: the samples of all checks, and when its first question was asked and its last answer
    /// came. Good time counts from the start of the first good round to the end of the last one.
    ///
    /// A round that is good and completes the steady time counts as steady even where it ends past the deadline:
    /// what was measured is true, and the deadline is there to bound waiting.
    package mutating func take(_ samples: [ProbeSample], from start: Duration, to end: Duration) -> Verdict {
        rounds += 1
        lastRoundAt = end
        let bad = samples.filter { !$0.ok }
        guard let first = bad.first else {
            goodInARow += 1
            let since = goodSince ?? start
            goodSince = since
            return end - since >= stableFor ? .steady : judgeDeadline(at: end)
        }
        lastBad = first
        failures = Array((failures + bad).suffix(StabilityWatch.keptFailures))
        goodInARow = 0
        goodSince = nil
        return judgeDeadline(at: end)
    }

    /// Whether the deadline has passed at `now`, for the time between rounds.
    package func judgeDeadline(at now: Duration) -> Verdict {
        now - startedAt >= deadline ? .gaveUp(reason) : .goOn
    }

    /// When the next round should start, given how often to ask: never later than needed to end at the deadline.
    package func nextRound(after now: Duration, interval: Duration) -> Duration {
        min(now + interval, startedAt + deadline)
    }

    /// For how long all checks have held.
    package var steadyFor: Duration {
        goodSince.map { lastRoundAt - $0 } ?? .zero
    }

    private var reason: String {
        let held = "steady for \(seconds(steadyFor)), needed \(seconds(stableFor)), within \(seconds(deadline))"
        guard rounds > 0 else { return "no round of checks was completed within \(seconds(deadline))" }
        guard let lastBad else { return held }
        return "\(held); last failure: \(lastBad.check): \(lastBad.finding)"
    }

    /// The account for the record; `file` is where all samples are, inside the cycle folder.
    package func summary(file: String? = nil) -> ProbeSummary {
        ProbeSummary(
            rounds: rounds, goodInARow: goodInARow, steadySeconds: steadyFor.inSeconds, failures: failures, file: file)
    }
}

/// A duration for people, in seconds with at most one decimal: `30 s`, `0.5 s`.
func seconds(_ duration: Duration) -> String {
    let tenths = duration.milliseconds / 100
    return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
}
