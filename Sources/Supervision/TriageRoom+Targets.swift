// SPDX-License-Identifier: Apache-2.0
// What answers about a missed target cite: the sample that was judged.

import Domain
import Engine
import Evidence
import Platform
import Triage

extension TriageRoom {
    /// For each missed target the line of its evidence that has the value that was judged, or the last line.
    func targetReferences(_ cycle: CycleProgress) -> [String: EvidenceReference] {
        var found: [String: EvidenceReference] = [:]
        for record in cycle.records where record.run.experiment == nil {
            for target in record.targets ?? [] where target.isInQuestion {
                guard let path = target.evidence else { continue }
                let milliseconds = target.measured.flatMap { Measure(value: $0, unit: target.unit).value(in: "ms") }
                let samples = (try? ProbesFile.read("\(context.layout.cycle(cycle.number))/\(path)")) ?? []
                let index = samples.lastIndex { sample in
                    guard let took = sample.milliseconds, let milliseconds else { return false }
                    return abs(took - milliseconds) < 1e-6
                }
                found[TriageCase.targetKey(target.name)] =
                    line(index, of: path, cycle.number) ?? tail(path, cycle.number)
            }
        }
        return found
    }

    private func line(_ index: Int?, of path: String, _ cycle: Int) -> EvidenceReference? {
        guard let index, let bytes = try? Files.read("\(context.layout.cycle(cycle))/\(path)", limit: 16 << 20)
        else { return nil }
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        guard lines.indices.contains(index) else { return nil }
        let excerpt = Excerpt.text(lines[index].prefix(300))
        return EvidenceReference(path: path, lines: [index + 1, index + 1], excerpt: excerpt)
    }
}
