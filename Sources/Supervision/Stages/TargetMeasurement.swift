// SPDX-License-Identifier: Apache-2.0
// Measures the targets that belong to a suite, after its tests, and judges them beside their past. What was measured is
// read again after a restart and nothing is measured twice: a command is a supervised command of the test stage, and
// samples of our own are kept in a file that has its name only when it is whole.

import Domain
import Evidence
import Execution
import Platform
import Probes
import TestReports
import Triage

struct TargetMeasurement: Sendable {
    let context: LoopContext
    let run: StageRun

    /// More are a run-away loop of prints, not samples.
    private static let samplesRead = 100_000

    /// What the suite's own results offer.
    struct Results: Sendable {
        var testsFile: String?
        var reports: [String]
        var properties: [ReportProperty]
    }

    /// Those of the configuration that are measured after this suite ran whole, also for an experiment; none for a
    /// selection of tests.
    func targets(of suite: String) -> [TargetSettings] {
        guard run.only == nil else { return [] }
        let settings = context.settings.current
        let last = settings.suites.inRunOrder(\.priority).last
        return settings.targets.filter { ($0.suite ?? last?.name) == suite }
    }

    func measure(
        _ targets: [TargetSettings], values: PlaceholderValues, results: Results,
        _ commands: inout [SupervisedCommand]
    ) async -> [TargetRecord] {
        var records: [TargetRecord] = []
        for (index, target) in targets.enumerated() {
            let role = "target-\(index + 1)"
            var record: TargetRecord
            switch target.source {
            case .tests(let glob): record = durations(target, glob, results.testsFile)
            case .property(let name): record = reported(target, name, results)
            case .command(let command):
                let done = await context.command(command, role: role, of: run, values: values)
                commands.append(done)
                record = printed(target, done)
            case .http(_, _, let sampling), .webSocket(_, let sampling):
                record = await sampled(target, sampling, role: role)
            }
            record = await TargetPast(context: context, run: run).judged(record, target)
            context.say(record.line)
            records.append(record)
        }
        return records
    }

    // MARK: - From what others measured

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

    private func reported(_ target: TargetSettings, _ name: String, _ results: Results) -> TargetRecord {
        let measures = results.properties.filter { $0.name == name }.compactMap { Measure($0.value) }
        return TargetMeasurement.record(
            target, measures, evidence: results.reports.first,
            none: "no property \(name) with a number is in the report of the suite or of a test that passed")
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
        let measures = TargetMeasurement.measures(bytes)
        return TargetMeasurement.record(target, measures, evidence: log, none: "it printed no number")
    }

    /// The numbers that a command printed, one per line.
    static func measures(_ output: some Sequence<UInt8>) -> [Measure] {
        String(decoding: Array(output), as: UTF8.self).split(whereSeparator: \.isNewline)
            .prefix(TargetMeasurement.samplesRead).compactMap { Measure($0) }
    }

    /// Numbers with their own units, without those of the warm-up.
    static func record(
        _ target: TargetSettings, _ measures: [Measure], evidence: String?, none: String
    ) -> TargetRecord {
        let values = measures.compactMap { $0.value(in: target.unit) }
        if values.count < measures.count {
            let odd = measures.first { $0.value(in: target.unit) == nil }?.unit ?? ""
            return TargetRecord(
                target, values: [], evidence: evidence,
                because: "a number in \(odd) cannot be compared with \(target.unit)")
        }
        let counted = Array(values.dropFirst(target.warmup))
        let because =
            values.isEmpty
            ? none : counted.isEmpty ? "all \(values.count) numbers belong to the warm-up of \(target.warmup)" : nil
        var record = TargetRecord(target, values: counted, evidence: evidence, because: because)
        if target.warmup > 0 { record.warmup = min(target.warmup, values.count) }
        return record
    }

    // MARK: - Samples of our own

    private func sampled(_ target: TargetSettings, _ sampling: TargetSampling, role: String) async -> TargetRecord {
        let folder = "\(context.folder(run)).\(role)"
        let path = "\(folder)/samples.jsonl"
        let evidence = "\(run.folder).\(role)/samples.jsonl"
        var done = SampleRun()
        if let samples = try? ProbesFile.read(path), !samples.isEmpty {
            done = SampleRun(samples: samples)
            let missing = sampling.warmup + sampling.samples - samples.count
            if missing > 0 { done.problem = "\(missing) samples are missing in what was measured before a restart" }
        } else {
            do {
                done = try await sample(target, sampling)
                try keep(done.samples, in: folder, as: path)
            } catch {
                done.problem = done.problem ?? "\(error)"
            }
        }
        let redaction = TextRedaction(needles: context.secrets.needles)
        return TargetMeasurement.judged(target, sampling, done, evidence: evidence, redact: redaction.text)
    }

    /// What samples of our own came to. Too many failed ones are no measurement.
    static func judged(
        _ target: TargetSettings, _ sampling: TargetSampling, _ done: SampleRun, evidence: String?,
        redact: (String) -> String
    ) -> TargetRecord {
        let values = done.milliseconds.compactMap { Measure(value: $0, unit: "ms").value(in: target.unit) }
        let failed = done.failures.map(redact)
        let tooMany =
            failed.count > sampling.failuresAllowed
            ? "\(failed.count) of \(values.count + failed.count) samples failed, \(sampling.failuresAllowed) may: \(failed[0])"
            : nil
        var record = TargetRecord(
            target, values: values, failed: failed, evidence: done.samples.isEmpty ? nil : evidence,
            because: done.problem.map(redact) ?? tooMany)
        record.warmup = sampling.warmup > 0 ? sampling.warmup : nil
        return record
    }

    private func sample(_ target: TargetSettings, _ sampling: TargetSampling) async throws -> SampleRun {
        let secrets = try await context.secrets.fetch(sampling.secrets)
        let sampler = TargetSampler(prober: context.prober, environment: context.environment, now: { context.now() })
        switch target.source {
        case .http(let check, let timing, _):
            return await sampler.http(check.filled(secrets), timing: timing, sampling)
        case .webSocket(let exchange, _):
            return await sampler.webSocket(exchange.filled(secrets), sampling)
        case .command, .tests, .property:
            return SampleRun(problem: "nothing is sampled here")
        }
    }

    private func keep(_ samples: [ProbeSample], in folder: String, as path: String) throws {
        guard !samples.isEmpty else { return }
        let redaction = TextRedaction(needles: context.secrets.needles)
        try Files.createDirectories(folder)
        try? Files.remove(path + ".new")
        try ProbesFile.append(
            samples.map { sample in
                var clean = sample
                clean.finding = redaction.text(sample.finding)
                return clean
            }, to: path + ".new")
        try Files.rename(path + ".new", to: path)
    }
}

extension String {
    /// With the values of secrets in the place of their `{NAME}`.
    func filled(_ secrets: [String: String]) -> String {
        secrets.reduce(self) { $0.replacing("{\($1.key)}", with: $1.value) }
    }
}

extension CheckSettings {
    func filled(_ secrets: [String: String]) -> CheckSettings {
        guard case .http(let url, let method, let headers, let body) = target, !secrets.isEmpty else { return self }
        var check = self
        check.target = .http(
            url: url.filled(secrets), method: method, headers: headers.mapValues { $0.filled(secrets) },
            body: body?.filled(secrets))
        return check
    }
}

extension WebSocketExchange {
    func filled(_ secrets: [String: String]) -> WebSocketExchange {
        var exchange = self
        exchange.url = url.filled(secrets)
        exchange.headers = headers.mapValues { $0.filled(secrets) }
        exchange.message = message?.filled(secrets)
        return exchange
    }
}
