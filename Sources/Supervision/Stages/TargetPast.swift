// SPDX-License-Identifier: Apache-2.0
// Lays a measured target beside its past: the values of the last green cycle, and the figures of the cycles before.

import Domain
import Evidence
import Reporting
import Triage

struct TargetPast: Sendable {
    let context: LoopContext
    let run: StageRun

    /// With its interval, what changed since the last green cycle, and where it is going. Called once, when it was measured:
    /// the findings are part of the evidence, and a replay looks nothing up.
    func judged(_ record: TargetRecord, _ target: TargetSettings) async -> TargetRecord {
        guard record.measured != nil else { return record }
        var record = record
        record.interval = TargetJudge.interval(record)
        let cycles = await context.history.cycles().filter { $0.cycle < run.cycle }
        let points = cycles.compactMap { cycle -> TargetPoint? in
            let mark = cycle.targets?.first { $0.name == record.name && $0.isComparable(with: record) }
            return mark.map {
                TargetPoint(cycle: cycle.cycle, measured: $0.measured, isGreen: cycle.recommendation == .ship)
            }
        }
        record.trend = TargetJudge.trend(record, cycle: run.cycle, earlier: points)
        guard let green = points.last(where: \.isGreen) else { return record }
        let layout = context.layout
        let document = try? await EvidenceReading.run { () throws(EvidenceError) in
            try CycleReader(layout).record(green.cycle)
        }
        guard let before = document?.targets?.first(where: { $0.name == record.name }) else { return record }
        record.sinceGreen = TargetJudge.change(
            record, since: before, cycle: green.cycle, relevantPercent: target.relevantPercent,
            earlier: points.filter { $0.isGreen && $0.cycle <= green.cycle }.map(\.measured))
        return record
    }
}

extension TargetRecord {
    /// For the cycle log: what was measured against what, how sure, against when, and where it goes.
    var line: LogLine {
        var parts = ["\(name): \(basis.map { "\($0) " } ?? "")\(comparison)"]
        if let words = intervalWords { parts.append(words) }
        if let words = failureWords { parts.append(words) }
        if let change = sinceGreen { parts.append(change.words) }
        if let warning = trend?.warning(unit) { parts.append(warning) }
        let isWarning = sinceGreen?.finding == .worse || trend?.cyclesToLimit != nil
        let mark: LogLine.Mark =
            switch status {
            case .met: isWarning ? .warn : .ok
            case .missed: .fail
            case .notMeasured: .warn
            }
        return LogLine(mark, "target", parts.joined(separator: "; "))
    }
}
