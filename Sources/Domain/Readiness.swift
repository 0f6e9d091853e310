// SPDX-License-Identifier: Apache-2.0
// Readiness: a weighted mean over named components, each computed from tests and targets, never asserted.

/// What the score of the loop is made of.
package struct ReadinessSettings: Hashable, Sendable {
    package struct Component: Hashable, Sendable {
        package var name: String
        package var weight: Double
        /// Names of suites, capabilities and targets that it is computed from.
        package var suites: [String]
        package var capabilities: [String]
        package var targets: [String]

        package init(
            name: String, weight: Double = 1, suites: [String] = [], capabilities: [String] = [],
            targets: [String] = []
        ) {
            self.name = name
            self.weight = weight
            self.suites = suites
            self.capabilities = capabilities
            self.targets = targets
        }
    }
    package var components: [Component]

    package init(components: [Component]) {
        self.components = components
    }
}

/// `readiness` in `cycle.json`.
package struct ReadinessRecord: Codable, Hashable, Sendable {
    package struct Component: Codable, Hashable, Sendable {
        package var name: String
        package var weight: Double
        /// Passed tests and met targets.
        package var good: Int
        /// All tests, and all targets.
        package var counted: Int
        /// `100 * good / counted`; nil where there is nothing to count, which enters the score as 0.
        package var score: Double?
        /// `suite chat`, `capability login`, `target API response`.
        package var from: [String]

        package init(name: String, weight: Double, good: Int, counted: Int, score: Double?, from: [String]) {
            self.name = name
            self.weight = weight
            self.good = good
            self.counted = counted
            self.score = score
            self.from = from
        }
    }
    package var components: [Component]
    /// Percent: the sum of weight times score over the sum of weights.
    package var score: Double

    package init(components: [Component], score: Double) {
        self.components = components
        self.score = score
    }

    /// Computes every component from what a cycle has recorded. Skipped tests and tests that did not run count as not
    /// proven, and so do targets that were not measured.
    package init(
        _ settings: ReadinessSettings, suites: [SuiteRecord], capabilities: [CapabilityRecord],
        targets: [TargetRecord]
    ) {
        components = settings.components.map { component in
            var good = 0
            var counted = 0
            for suite in suites where component.suites.contains(suite.name) {
                good += suite.totals.passed
                counted += suite.totals.tests
            }
            for capability in capabilities where component.capabilities.contains(capability.name) {
                good += capability.totals.passed
                counted += capability.totals.tests
            }
            for target in targets where component.targets.contains(target.name) {
                good += target.status == .met ? 1 : 0
                counted += 1
            }
            let from =
                component.suites.map { "suite \($0)" } + component.capabilities.map { "capability \($0)" }
                + component.targets.map { "target \($0)" }
            return Component(
                name: component.name, weight: component.weight, good: good, counted: counted,
                score: counted > 0 ? 100 * Double(good) / Double(counted) : nil, from: from)
        }
        let weights = components.reduce(0) { $0 + $1.weight }
        let sum = components.reduce(0) { $0 + $1.weight * ($1.score ?? 0) }
        score = weights > 0 ? sum / weights : 0
    }
}
