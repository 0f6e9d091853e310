// SPDX-License-Identifier: Apache-2.0
// What a suite is usually like from outside, and when a run is too far from it to be believed. Pure: the baseline is
// looked up before the run is judged, and what comes of it is written into the journal with the run.

import Domain

/// The newest sound runs of a suite.
package struct SuiteBaseline: Hashable, Sendable {
    package struct Run: Hashable, Sendable {
        package var tests: Int
        package var skipped: Int
        package var failing: Int
        package var wallSeconds: Double
        package var cpuSeconds: Double?
        package var peakMemoryBytes: Int64?
        package var hasContactedHosts: Bool
        /// Equal in two runs only where every telling duration is the same to the bit; 0 where there is too little.
        package var timingPrint: UInt64
        /// Tests of the run before that it no longer had.
        package var vanished: Int

        package init(
            tests: Int, skipped: Int = 0, failing: Int = 0, wallSeconds: Double, cpuSeconds: Double? = nil,
            peakMemoryBytes: Int64? = nil, hasContactedHosts: Bool = true, timingPrint: UInt64 = 0, vanished: Int = 0
        ) {
            self.tests = tests
            self.skipped = skipped
            self.failing = failing
            self.wallSeconds = wallSeconds
            self.cpuSeconds = cpuSeconds
            self.peakMemoryBytes = peakMemoryBytes
            self.hasContactedHosts = hasContactedHosts
            self.timingPrint = timingPrint
            self.vanished = vanished
        }
    }

    /// Oldest first, at most `newest`.
    package var runs: [Run]
    /// Set where an operator accepted what is new: `accepted by ann at #12: suite was split`.
    package var accepted: String?

    package init(_ runs: [Run] = [], accepted: String? = nil) {
        self.runs = runs
        self.accepted = accepted
    }

    /// How many runs are looked at.
    package static let newest = 20
}

/// The soft rules. Each returns at most one reason; those with verdict `healthy` are remarks and no doubt.
enum DriftRules {
    /// A figure this many times below its median is too little.
    static let factor = 3.0
    /// And this many robust standard deviations on the scale of logarithms.
    static let deviations = 5.0
    /// The least standard deviation that is believed: 15 %.
    static let leastDeviation = 0.15
    /// Sampled figures of shorter suites are chance.
    static let sampledSeconds = 2.0
    /// Runs that must all have contacted a host before a run without one is strange.
    static let hostRuns = 10

    /// - real: whether the run is also held to the effort that real work takes.
    static func reasons(_ facts: SuiteFacts, real: Bool) -> [Reason] {
        // These two need nothing learned.
        let unlearned = collected(facts) + (real ? repeated(facts) : [])
        guard facts.baseline.runs.count >= SuiteRules.learningCycles else { return unlearned }
        let counted = unlearned + fewer(facts) + vanished(facts) + skipped(facts)
        return real ? counted + resources(facts) + hosts(facts) : counted
    }

    private static func doubt(_ rule: String, _ text: String) -> [Reason] {
        [Reason(rule: rule, verdict: .unproven, text: text)]
    }

    private static func remark(_ rule: String, _ text: String) -> [Reason] {
        [Reason(rule: rule, verdict: .healthy, text: text)]
    }

    // MARK: - Which tests

    static func allowed(_ usual: Int) -> Int { max(3, usual / 10) }

    /// What was usual since it last changed for good: a drop between two sound runs was explained when it came.
    private static func settled(_ figures: [Int], hasChanged: (Int, Int) -> Bool) -> Int {
        let start = figures.indices.dropFirst().last { hasChanged(figures[$0 - 1], figures[$0]) } ?? 0
        return median(Array(figures[start...])) ?? 0
    }

    private static func usualTests(_ facts: SuiteFacts) -> Int {
        settled(facts.baseline.runs.map(\.tests)) { $0 - $1 > allowed($0) }
    }

    /// Fewer tests than usual, beyond max(3, 10 %), without a change to the tests. Those that did not run for a
    /// recorded cause are counted.
    static func fewer(_ facts: SuiteFacts) -> [Reason] {
        let usual = usualTests(facts)
        let missing = usual - facts.totals.tests
        guard missing > allowed(usual) else { return [] }
        let text = "\(facts.totals.tests) tests, usually \(usual): \(missing) fewer > \(allowed(usual))"
        return facts.testsChanged ? remark("fewer-tests", "\(text); test sources changed") : doubt("fewer-tests", text)
    }

    /// The tool said how many tests it would run, and its report has fewer, without a failure that ended it early.
    private static func collected(_ facts: SuiteFacts) -> [Reason] {
        guard let collected = facts.collected, facts.totals.failing == 0, collected > facts.totals.tests else {
            return []
        }
        return doubt(
            "collected-not-reported", "the tool collected \(collected) tests and reports \(facts.totals.tests)")
    }

    /// As many tests, but others: beyond max(3, 10 %), and beyond twice of what usually comes and goes.
    private static func vanished(_ facts: SuiteFacts) -> [Reason] {
        guard let gone = facts.vanished, let last = facts.baseline.runs.last, fewer(facts).isEmpty else { return [] }
        let usual = facts.baseline.runs.dropFirst().map(\.vanished).max() ?? 0
        let bound = max(allowed(last.tests), 2 * usual)
        guard gone > bound else { return [] }
        let text = "\(gone) tests of the last sound run are gone, others came: \(gone) > \(bound)"
        return facts.testsChanged ? remark("other-tests", "\(text); test sources changed") : doubt("other-tests", text)
    }

    private static func skipped(_ facts: SuiteFacts) -> [Reason] {
        let bound = allowed(facts.totals.tests)
        let usual = settled(facts.baseline.runs.map(\.skipped)) { $1 - $0 > bound }
        let more = facts.totals.skipped - usual
        guard more > bound else { return [] }
        let text = "\(facts.totals.skipped) tests are skipped, usually \(usual): \(more) more > \(bound)"
        return facts.testsChanged
            ? remark("more-skipped", "\(text); test sources changed") : doubt("more-skipped", text)
    }

    // MARK: - What they used

    /// Only a run in which the usual tests all ran and none failed is held to the usual effort: everything else explains
    /// itself. More than usual is slow, not fake.
    private static func resources(_ facts: SuiteFacts) -> [Reason] {
        let runs = facts.baseline.runs
        let usual = usualTests(facts)
        guard facts.totals.failing == 0, facts.totals.notRun == 0,
            abs(facts.totals.tests - usual) <= allowed(usual)
        else { return [] }
        let wall = runs.map(\.wallSeconds)
        var reasons = tooLittle(
            facts.durationSeconds, wall, least: 0.5, "wall-time", "ran", seconds)
        if let cpu = facts.cpuSeconds {
            reasons += tooLittle(cpu, runs.compactMap(\.cpuSeconds), least: 0.2, "cpu-time", "used CPU for", seconds)
        }
        if let memory = facts.peakMemoryBytes, (median(wall) ?? 0) >= sampledSeconds,
            facts.durationSeconds >= sampledSeconds
        {
            reasons += tooLittle(
                Double(memory), runs.compactMap { $0.peakMemoryBytes.map(Double.init) }, least: 20e6, "peak-memory",
                "had at most", megabytes)
        }
        return reasons
    }

    /// Robust on the scale of logarithms: doubt where x < m / 3, m - x > least, and
    /// (ln m - ln x) > 5 max(1.4826 MAD, 0.15), with m = median and MAD = median |ln x_i - ln m|.
    private static func tooLittle(
        _ value: Double, _ past: [Double], least: Double, _ rule: String, _ verb: String,
        _ words: (Double) -> String
    ) -> [Reason] {
        let known = past.filter { $0 > 0 }
        guard known.count >= SuiteRules.learningCycles, let usual = median(known) else { return [] }
        let logarithms = known.map { Logarithm.natural($0 / usual) }
        let spread = median(logarithms.map { abs($0) }) ?? 0
        let deviation = max(1.4826 * spread, leastDeviation)
        let below = Logarithm.natural(usual / max(value, usual / 1e6))
        guard value < usual / factor, usual - value > least, below > deviations * deviation else { return [] }
        return doubt(
            rule, "\(verb) \(words(value)), usually \(words(usual)): below a third, and below the usual spread")
    }

    private static func hosts(_ facts: SuiteFacts) -> [Reason] {
        guard facts.hosts.isEmpty else { return [] }
        let runs = facts.baseline.runs
        let seen = runs.count { $0.hasContactedHosts }
        if seen == 0 { return remark("hosts-unobservable", "no run was ever seen to contact a host: unobservable") }
        guard seen == runs.count, runs.count >= hostRuns else { return [] }
        return doubt("no-host", "no host was contacted; each of the last \(runs.count) sound runs contacted one")
    }

    /// Clocks do not repeat themselves to the bit.
    private static func repeated(_ facts: SuiteFacts) -> [Reason] {
        guard facts.timingPrint != 0, facts.baseline.runs.contains(where: { $0.timingPrint == facts.timingPrint })
        else {
            return []
        }
        return doubt("repeated-timing", "all durations are those of an earlier run, to the last digit")
    }

    // MARK: - Figures

    /// The lower of the two middle values where their number is even.
    private static func median<Value: Comparable>(_ values: [Value]) -> Value? {
        values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
    }

    private static func seconds(_ value: Double) -> String {
        let hundredths = Int((min(value, 1e9) * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)s"
    }

    private static func megabytes(_ value: Double) -> String { "\(Int((min(value, 1e15) / 1e6).rounded())) MB" }
}

/// The natural logarithm without Foundation: the exponent, and the series of the area tangent for the rest.
enum Logarithm {
    static func natural(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value > 0 ? .infinity : -.infinity }
        let ratio = (value.significand - 1) / (value.significand + 1)
        var (power, sum, divisor) = (ratio, 0.0, 1.0)
        // The ratio is at most 1/3: twenty terms reach the last bit.
        for _ in 0..<20 {
            sum += power / divisor
            power *= ratio * ratio
            divisor += 2
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}
