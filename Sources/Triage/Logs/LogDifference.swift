// SPDX-License-Identifier: Apache-2.0
// What a failing log says that a passing log of the same job does not: the lines worth reading.

package enum LogDifference {
    /// The lines of `failing` to keep, counted from 1, in order and apart from each other: entries whose kind the passing
    /// log does not have, and that are bad by level, exception or words; with all their continuation lines.
    package static func telling(_ failing: [UInt8], passing: [UInt8]) -> [ClosedRange<Int>] {
        let before = LogMiner()
        before.begin(file: "passing", source: "")
        before.take(passing)
        let known = before.finish().templates
        var entries: [(record: Int, lines: ClosedRange<Int>)] = []
        let miner = LogMiner(limits: LogLimits(), known: known, groupsEvents: true) { entries.append(($0, $1)) }
        miner.begin(file: "failing", source: "")
        miner.take(failing)
        _ = miner.finish()
        var isTelling: [Int: Bool] = [:]
        var kept: [ClosedRange<Int>] = []
        for entry in entries.sorted(by: { $0.lines.lowerBound < $1.lines.lowerBound }) {
            let keep: Bool
            if let known = isTelling[entry.record] {
                keep = known
            } else {
                keep = tells(miner.template(ofRecord: entry.record))
                isTelling[entry.record] = keep
            }
            guard keep else { continue }
            // One line between two kept ones is kept as well.
            if let last = kept.last, entry.lines.lowerBound <= last.upperBound + 2 {
                kept[kept.count - 1] = last.lowerBound...max(last.upperBound, entry.lines.upperBound)
            } else {
                kept.append(entry.lines)
            }
        }
        return kept
    }

    private static func tells(_ template: LogTemplate) -> Bool {
        guard (template.countBefore ?? 0) == 0 else { return false }
        if let level = template.severity { return level >= .error }
        return template.exception != nil || BadWords.count(template) > 0
    }
}
