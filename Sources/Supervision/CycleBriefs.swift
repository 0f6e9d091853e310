// SPDX-License-Identifier: Apache-2.0
// From the index of sealed cycles to what reports and tables show of them.

package import Domain
package import Evidence
package import Reporting

extension CycleBrief {
    package init(_ summary: CycleSummary) {
        self.init(
            cycle: summary.cycle, startedAt: summary.startedAt, endedAt: summary.endedAt,
            durationSeconds: summary.durationSeconds, verdict: summary.verdict,
            recommendation: summary.recommendation, revision: summary.revision, trigger: summary.trigger,
            totals: summary.totals, incidents: summary.incidents, valueAtRisk: summary.value?.atRisk)
        flakyTests = summary.flakyTests
        targets = summary.targets
    }
}

extension ReportContext {
    /// What a report of this cycle may compare with: the sealed cycle before it, and what the index says of earlier ones.
    package static func reading(
        _ record: CycleRecord, _ layout: EvidenceLayout, cycles: [CycleSummary], linkBase: String = ""
    ) -> ReportContext {
        let reader = CycleReader(layout)
        let before = cycles.last { $0.cycle < record.cycle }?.cycle ?? record.cycle - 1
        let previous = before > 0 && reader.isSealed(before) ? try? reader.record(before) : nil
        return ReportContext(
            previous: previous, history: cycles.filter { $0.cycle <= record.cycle }.map(CycleBrief.init),
            linkBase: linkBase, seal: (try? reader.sealedHash(record.cycle)) ?? nil)
    }
}
