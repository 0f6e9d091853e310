// SPDX-License-Identifier: Apache-2.0
// Measures the targets that belong to a suite, after its tests. A command of a target is a supervised command of the
// test stage: after a restart its result is read again and nothing is measured twice.

import Domain
import Evidence
import Execution
import Platform

struct TargetMeasurement: Sendable {
    let context: LoopContext
    let run: StageRun

    /// More are a run-away loop of prints, not samples.
    private static let samplesRead = 100_000

    /// Those of the configuration that are measured after this suite; none for a selection of tests or an experiment.
    func targets(of suite: String) -> [TargetSettings] {
        guard run.only == nil, run.experiment == nil else { return [] }
        let settings = context.settings.current
        // Suites run by priority, and in the order of the file where that is equal.
        let last = settings.suites.enumerated().max {
            ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset)
        }
        return settings.targets.filter { ($0.suite ?? last?.element.name) == suite }
    }

    func measure(
        _ targets: [TargetSettings], values: PlaceholderValues, testsFile: String?,
        _ commands: inout [SupervisedCommand]
    ) async -> [TargetRecord] {
        var records: [TargetRecord] = []
        for (index, target) in targets.enumerated() {
            switch target.source {
            case .tests(let glob):
                records.append(durations(target, glob, testsFile))
            case .command(let command):
                let done = await context.command(command, role: "target-\(index + 1)", of: run, values: values)
                commands.append(done)
                records.append(printed(target, done))
            }
        }
        return records
    }

    private func durations(_ target: TargetSettings, _ glob: String, _ testsFile: String?) -> TargetRecord {
        guard let testsFile else {
            return TargetRecord(target, values: [], evidence: nil, because: "the suite has no results")
        }
        var values: [Double] = []
        try? TestsFile.forEach("\(context.layout.cycle(run.cycle))/\(testsFile)") { test in
            guard test.outcome == .passed, Glob.matches(glob, test.id), let seconds = test.durationSeconds,
                let value = Measure(value: seconds, unit: "s").value(in: target.unit)
            else { return }
            values.append(value)
        }
        let because = values.isEmpty ? "no passed test that matches \(glob) reports a time" : nil
        return TargetRecord(target, values: values, evidence: testsFile, because: because)
    }

    private func printed(_ target: TargetSettings, _ done: SupervisedCommand) -> TargetRecord {
        let log = done.record.log
        guard done.succeeded else {
            let words = done.lastLine.isEmpty ? done.words : "\(done.words): \(done.lastLine)"
            return TargetRecord(target, values: [], evidence: log, because: words)
        }
        guard let bytes = try? Files.read("\(done.folder)/console.log", limit: 16 << 20) else {
            return TargetRecord(target, values: [], evidence: log, because: "its output could not be read")
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        let measures = lines.prefix(TargetMeasurement.samplesRead).compactMap { Measure($0) }
        let values = measures.compactMap { $0.value(in: target.unit) }
        if values.count < measures.count {
            let odd = measures.first { $0.value(in: target.unit) == nil }?.unit ?? ""
            return TargetRecord(
                target, values: [], evidence: log, because: "a number in \(odd) cannot be compared with \(target.unit)")
        }
        return TargetRecord(
            target, values: values, evidence: log, because: values.isEmpty ? "it printed no number" : nil)
    }
}
