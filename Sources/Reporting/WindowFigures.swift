// SPDX-License-Identifier: Apache-2.0
// How the figures of a window follow from its cycles.

import Domain

enum WindowFigures {
    // MARK: Suites

    static func suites(_ records: [CycleRecord]) -> [SuiteProgress] {
        let names = (records.last?.suites ?? []).map { ($0.name, $0.priority, $0.value) }
        return names.map { name, priority, value in
            let seen = records.compactMap { record in
                record.suites.first { $0.name == name && $0.totals.tests > 0 }.map { (record.cycle, $0) }
            }
            // What the first cycle saw before it cured something is what was there at first.
            let begin = seen.first.flatMap { first in
                records.first { $0.cycle == first.0 }.flatMap { record in
                    CycleReport(record, ReportContext()).beforeAfter.first { $0.suite == name }
                }
            }
            let firstTotals = begin?.before ?? seen.first?.1.totals
            let rates = (seen.map(\.1.totals) + [firstTotals].compactMap { $0 }).compactMap(\.passRate)
            return SuiteProgress(
                suite: name, priority: priority, value: value, firstCycle: seen.first?.0,
                firstPassRate: firstTotals?.passRate, firstStatus: begin?.beforeStatus ?? seen.first?.1.status,
                lastCycle: seen.last?.0, lastPassRate: seen.last?.1.totals.passRate,
                lastStatus: records.last?.suites.first { $0.name == name }?.status ?? .notRun,
                lowestPassRate: rates.min(),
                isConditional: records.last.map { SignOff.conditional($0).contains(name) } == true ? true : nil)
        }
    }

    static func eliminated(_ suites: [SuiteProgress], _ incidents: [IncidentProgress], unit: String) -> [String] {
        let mended = suites.compactMap { suite -> String? in
            guard suite.lastStatus == .passed, let first = suite.firstStatus, first != .passed else { return nil }
            let what = suite.isConditional == true ? "no longer at risk, on conditions" : "protected again"
            let worth = suite.value.map { ", \(Numbers.value($0, unit)) \(what)" } ?? ""
            let rate = suite.firstPassRate.map(Numbers.percent) ?? first.words
            return "\(suite.suite): \(rate) -> \(suite.lastPassRate.map(Numbers.percent) ?? "passed")\(worth)"
        }
        let resolved = incidents.filter(\.isResolved).map {
            "\($0.id): \($0.title) (\($0.restoredBy ?? "not seen again"))"
        }
        return mended + resolved
    }

    // MARK: Incidents

    static func incidents(_ records: [CycleRecord], from start: Timestamp) -> [IncidentProgress] {
        var order: [String] = []
        for id in records.flatMap(\.incidents).map(\.id) where !order.contains(id) { order.append(id) }
        return order.compactMap { id in
            let seen = records.filter { record in record.incidents.contains { $0.id == id } }
            guard let first = seen.first, let last = seen.last,
                let newest = last.incidents.first(where: { $0.id == id })
            else { return nil }
            // The cycle in which it began may lie before the window: then only its end can be timed.
            let begins = first.cycle == newest.firstCycle ? first : nil
            let restored = restoration(id, seen, records)
            return IncidentProgress(
                id: id, title: newest.title, firstCycle: newest.firstCycle, lastCycle: last.cycle,
                firstSeen: newest.firstSeen, cause: newest.diagnosis?.headline ?? "not diagnosed",
                culprit: newest.diagnosis?.culprit?.commit,
                secondsToDetect: begins.flatMap { detection(newest, $0) },
                secondsToDiagnose: diagnosis(id, seen, since: newest.firstSeen),
                secondsToRestore: restored.map { $0.at.since(newest.firstSeen).inSeconds }.flatMap {
                    $0 >= 0 ? $0 : nil
                },
                restoredBy: restored?.how, openedInWindow: newest.firstSeen >= start,
                isResolved: newest.state == .resolved || isClosed(after: last, records))
        }
    }

    /// From the deployment of the wanted revision to the end of the first stage that failed after it and is one of the
    /// incident's: a run of its suites, or any where it is about none.
    private static func detection(_ incident: Incident, _ record: CycleRecord) -> Double? {
        let wanted = record.revision.wanted
        guard
            let deploy = record.stages.first(where: { stage in
                stage.run.kind == .deploy && stage.run.purpose == .cycle && stage.run.revision == wanted
                    && stage.outcome == .succeeded
            }),
            let failure = record.stages.first(where: { stage in
                let isOwn =
                    incident.suites.isEmpty || stage.run.subject.map(incident.suites.contains) == true
                    || !record.suites.contains { incident.suites.contains($0.name) }
                let missed = (stage.targets ?? []).contains { target in
                    target.status == .missed && incident.targets?.contains(target.name) == true
                }
                return stage.startedAt >= deploy.startedAt && isOwn
                    && (stage.outcome == .failed || stage.outcome == .timedOut || missed)
            })
        else { return nil }
        return max(0, failure.endedAt.since(deploy.endedAt).inSeconds)
    }

    private static func diagnosis(_ id: String, _ seen: [CycleRecord], since start: Timestamp) -> Double? {
        for record in seen {
            guard let diagnosis = record.incidents.first(where: { $0.id == id })?.diagnosis,
                diagnosis.grade == .proven || diagnosis.grade == .likely
            else { continue }
            // Experiments of other incidents answer other questions.
            let suites = record.incidents.first { $0.id == id }?.suites ?? []
            let own = record.experiments.filter { experiment in
                suites.isEmpty || experiment.experiment.tests.isEmpty
                    || experiment.experiment.tests.contains { suites.contains($0.suite) }
            }.map(\.experiment.number)
            let experiments = record.stages.filter { $0.run.experiment.map(own.contains) == true }
            let end = experiments.map(\.endedAt).max() ?? record.endedAt
            return max(0, end.since(start).inSeconds)
        }
        return nil
    }

    private struct Restoration {
        var at: Timestamp
        var how: String
    }

    /// The one definition of an incident that is not open any more, as the loop itself counts.
    private static func isClosed(after last: CycleRecord, _ records: [CycleRecord]) -> Bool {
        records.count { $0.cycle > last.cycle && isSound($0) } >= Incident.closingCycles
    }

    /// The first proof that the environment is well and stays so, as far as is known: a way back within the last cycle that
    /// saw the incident, or the first sound cycle after it. What was well in between and then failed again was not restored.
    private static func restoration(_ id: String, _ seen: [CycleRecord], _ records: [CycleRecord]) -> Restoration? {
        guard let last = seen.last else { return nil }
        for record in records where record.cycle >= last.cycle {
            let isSeen = has(id, record)
            if isSeen, record.verdict == .healthy {
                let remedy = record.actions.last { $0.outcome != .skipped }?.kind.rawValue ?? "itself"
                return Restoration(at: record.endedAt, how: "cured in #\(record.cycle) by \(remedy)")
            }
            if isSeen, record.environment.state == .restored {
                let proof = record.stages.last { $0.run.purpose == .reverify || $0.run.purpose == .rollback }
                return Restoration(at: proof?.endedAt ?? record.endedAt, how: "rolled back in #\(record.cycle)")
            }
            if !isSeen, isSound(record) {
                return Restoration(at: record.endedAt, how: "not seen in #\(record.cycle)")
            }
        }
        return nil
    }

    private static func isSound(_ record: CycleRecord) -> Bool {
        record.verdict == .healthy || record.verdict == .degraded
    }

    private static func has(_ id: String, _ record: CycleRecord) -> Bool {
        record.incidents.contains { $0.id == id }
    }

    // MARK: Delivery

    static func delivery(
        _ records: [CycleRecord], _ incidents: [IncidentProgress], from start: Timestamp, to end: Timestamp
    ) -> DeliveryFigures {
        // A change is a revision: one that is deployed again changes nothing, and one that fails ten times failed once.
        var changed: Set<Revision> = []
        var failed: Set<Revision> = []
        for record in records {
            let own = record.stages.filter { stage in
                stage.run.kind == .deploy && [.cycle, .redeploy, .fix].contains(stage.run.purpose)
                    && stage.run.experiment == nil
            }
            // A change that the environment never got can break nothing there.
            let wanted = record.revision.wanted
            let deployed = Set(
                own.filter { $0.outcome == .succeeded }.map { $0.run.purpose == .fix ? $0.run.revision : wanted })
            guard !deployed.isEmpty else { continue }
            changed.formUnion(deployed)
            let wasCured = record.actions.contains { $0.outcome != .skipped && $0.kind != .none && $0.kind != .rerun }
            if record.verdict == .failing || wasCured {
                failed.formUnion(deployed.contains(wanted) ? [wanted] : deployed)
            }
        }
        let days = end.since(start).inSeconds / 86_400
        return DeliveryFigures(
            // A night is not the seventh part of a week: nothing is extrapolated.
            deployments: changed.count, deploymentsPerDay: days >= 1 ? Double(changed.count) / days : nil,
            changes: changed.count, failedChanges: failed.count,
            changeFailureRate: changed.isEmpty ? nil : 100 * Double(failed.count) / Double(changed.count),
            secondsToRestore: median(incidents.compactMap(\.secondsToRestore)))
    }

    // MARK: Exposure

    /// What a cycle found holds until the next cycle has ended.
    static func exposure(_ records: [CycleRecord], to end: Timestamp) -> ExposureFigures {
        var area = 0.0
        var hours = 0.0
        for (index, record) in records.enumerated() {
            let until = index + 1 < records.count ? records[index + 1].endedAt : max(end, record.endedAt)
            let span = max(0, until.since(record.endedAt).inSeconds / 3600)
            area += record.value.atRisk * span
            hours += span
        }
        let now = records.last?.value.atRisk ?? 0
        return ExposureFigures(
            unit: records.last?.value.unit ?? "", now: now, most: records.map(\.value.atRisk).max() ?? 0,
            mean: hours > 0 ? area / hours : now, hours: hours, valueHours: area)
    }

    // MARK: Stretches

    static func stretches(_ verdicts: [Verdict]) -> (ended: [Int], open: Int) {
        var ended: [Int] = []
        var running = 0
        for verdict in verdicts {
            if verdict == .healthy {
                if running > 0 { ended.append(running + 1) }
                running = 0
            } else {
                running += 1
            }
        }
        return (ended, running)
    }

    /// The lower of the two middle values where their number is even: always one that was seen.
    static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
    }
}
