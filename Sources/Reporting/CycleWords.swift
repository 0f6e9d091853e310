// SPDX-License-Identifier: Apache-2.0
// The words of a cycle's report, for pages that are made elsewhere.

package import Domain

package struct CycleWords: Sendable {
    /// A test that did not pass.
    package struct Test: Sendable {
        package var id: String
        package var suite: String
        /// `timed out after 30s`
        package var outcome: String
        package var place: String?
        package var message: String?
        package var details: String?
        package var isFailure: Bool
    }

    private let summary: CycleSummary

    package init(_ record: CycleRecord) { summary = CycleSummary(record) }

    package var times: String { summary.times }
    package var wanted: String { summary.wanted }
    package var otherRevisions: String { summary.otherRevisions }
    package var value: String? { summary.value }
    package var environment: String { summary.environment }
    /// Those that carry the verdict first.
    package var reasons: [Reason] { summary.reasons }

    /// Failures before the rest.
    package var notPassed: [Test] {
        summary.notPassed.map {
            Test(
                id: $0.id, suite: $0.suite, outcome: $0.outcome, place: $0.place, message: $0.message,
                details: $0.details, isFailure: $0.isFailure)
        }
    }

    /// `24/25 passed, 1 timed out`; why nothing ran where nothing did.
    package static func totals(_ totals: Totals, because: String? = nil) -> String {
        CycleSummary.words(totals, because: because)
    }
}
