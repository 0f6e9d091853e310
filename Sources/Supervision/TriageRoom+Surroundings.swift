// SPDX-License-Identifier: Apache-2.0
// The surroundings of a failure as triage's facts, beside what they were when the loop was last green.

import Domain
import Engine
import Evidence
import Platform
import Triage

extension TriageRoom {
    /// From the look when a stage failed, or else the newest one.
    func surroundingFacts(_ cycle: CycleProgress) -> [SurroundingFact] {
        let own = cycle.deciding.filter { !$0.run.purpose.isDeployedExperiment }
        let all = own.flatMap { $0.fingerprints ?? [] }
        guard let look = all.last(where: { $0.moment == .failure }) ?? all.last else { return [] }
        let green = newestHealthy(before: cycle.number)?.environment.fingerprint
        let then = Dictionary((green?.after ?? green?.before)?.entries.map { ($0.key, $0.value) } ?? []) { $1 }
        var facts = look.entries.enumerated().compactMap { index, entry -> SurroundingFact? in
            fact(entry, at: index, of: look, cycle.number, then[entry.key])
        }
        if let before = all.last(where: { $0.moment == .before }), before != look,
            let pressure = pressure(from: before, to: look, cycle)
        {
            facts.append(pressure)
        }
        return facts
    }

    private func fact(
        _ entry: Fingerprint.Entry, at index: Int, of look: Fingerprint, _ cycle: Int, _ then: String?
    ) -> SurroundingFact? {
        // A command of the operators tells configuration, as a file does.
        let kind = SurroundingFact.Kind(rawValue: entry.kind.rawValue) ?? .file
        let line = FingerprintFile.line(ofEntry: index)
        let path = "\(context.layout.cycle(cycle))/\(look.path)"
        guard let bytes = try? Files.read(path, limit: 4 << 20) else { return nil }
        let lines = bytes.split(separator: 10, maxSplits: line, omittingEmptySubsequences: false)
        guard lines.count >= line else { return nil }
        return SurroundingFact(
            kind: kind, subject: entry.subject, value: entry.value, valueAtGreen: then, isProblem: entry.isProblem,
            reference: EvidenceReference(
                path: look.path, lines: [line, line], excerpt: String(decoding: lines[line - 1], as: UTF8.self)))
    }

    /// How much of the time between two looks tasks waited: where that was much, a test over its limit is no proof
    /// against the code.
    private func pressure(from before: Fingerprint, to look: Fingerprint, _ cycle: CycleProgress) -> SurroundingFact? {
        let microseconds = Double(look.at.milliseconds - before.at.milliseconds) * 1000
        guard microseconds >= 1_000_000, let old = before.stall, let new = look.stall else { return nil }
        func share(_ field: KeyPath<Fingerprint.Stall, Int64?>) -> Double? {
            guard let start = old[keyPath: field], let end = new[keyPath: field], end >= start else { return nil }
            return Double(end - start) / microseconds
        }
        guard let cpu = share(\.cpu) else { return nil }
        let (memory, disk) = (share(\.memory) ?? 0, share(\.io) ?? 0)
        let stolen = share(\.stolen).map { ", \(SurroundingWords.percent($0)) of a processor stolen" } ?? ""
        let isHeavy = max(cpu, memory, disk) * 100 > SurroundingWords.heavyPressure
        let timeouts = isHeavy ? TriageRoom.timeouts(cycle) : []
        var words =
            "from before the tests to the failure some task waited for a processor \(SurroundingWords.percent(cpu)), "
            + "for memory \(SurroundingWords.percent(memory)), for the disk \(SurroundingWords.percent(disk)) of the time"
            + stolen
        if let first = timeouts.first {
            words += "; infrastructure-suspect: \(first)\(timeouts.count > 1 ? " and \(timeouts.count - 1) more" : "")"
            words += " ended at a time limit under this load"
        }
        let index = look.entries.firstIndex { $0.kind == .load } ?? 0
        guard let place = look.entries.indices.contains(index) ? look.entries[index] : nil,
            let anchor = fact(place, at: index, of: look, cycle.number, nil)
        else { return nil }
        return SurroundingFact(
            kind: .load, subject: "during the tests", value: words, isProblem: isHeavy, reference: anchor.reference)
    }

    /// Tests and stages that ended at a limit.
    private static func timeouts(_ cycle: CycleProgress) -> [String] {
        cycle.deciding.flatMap { record in
            (record.suite?.cut ?? []) + (record.outcome == .timedOut ? [record.run.folder] : [])
        }
    }
}
