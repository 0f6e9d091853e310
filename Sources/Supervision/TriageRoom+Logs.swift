// SPDX-License-Identifier: Apache-2.0
// What the logs say: kinds of lines that are new or have grown since the loop was last green, each with the line where
// it first stands. The last green logs are mined again from their evidence, so that both sides are read the same way.

import Domain
import Engine
import Evidence
import Platform
import Triage

/// One log in the evidence of a cycle.
struct KeptLog: Hashable, Sendable {
    var cycle: Int
    /// Relative to the cycle folder.
    var path: String
    /// Who wrote it, where its lines do not say.
    var source: String
}

extension TriageRoom {
    private static let limit = 20
    /// Bytes on either side; what is beyond them is not read.
    private static let byteLimit: Int64 = 256 << 20
    /// A console that is weighed line by line is in memory as a whole.
    private static let consoleLimit = 80 << 20
    private static let excerptBytes = 300

    /// Findings about the failure of this cycle, the most telling first.
    func logFindings(_ cycle: CycleProgress, _ suites: [SuiteRecord]) async -> [LogFinding] {
        let failing = failingLogs(cycle)
        let consoles = unexplainedConsoles(cycle)
        guard !failing.isEmpty || !consoles.isEmpty else { return [] }
        let context = logContext(cycle, suites)
        let green = greenLogs(cycle, likes: failing)
        let layout = self.context.layout
        let found = try? await EvidenceReading.run { () throws(EvidenceError) in
            consoles.flatMap { TriageRoom.causes($0, layout) }
                + TriageRoom.compare(failing, green, context, layout)
        }
        let findings = Array((found ?? []).prefix(TriageRoom.limit))
        list(findings, cycle.number)
        return findings
    }

    /// For people: what was found, one line each. Written anew with each question of the cycle.
    private func list(_ findings: [LogFinding], _ cycle: Int) {
        guard !findings.isEmpty else { return }
        let lines = findings.map { finding in
            let before = finding.countAtGreen.map { "\($0) when last green" } ?? "no green log to compare with"
            let place = "\(finding.reference.path):\(finding.reference.lines?.first ?? 0)"
            let template = finding.template.replacing("\n", with: " ")
            return "\(finding.level ?? "-") \(finding.source) \(finding.count)x (\(before)) \(place) \(template)\n"
        }
        let path = "\(context.layout.cycle(cycle))/\(TriageRoom.logsFile)"
        try? AtomicFile.write(Array(lines.joined().utf8), to: path, durable: false)
    }

    private static let logsFile = "logs.txt"

    // MARK: - Which logs

    /// What the services logged while the deciding stages failed; the consoles of deployment and tests where no
    /// command collects logs.
    private func failingLogs(_ cycle: CycleProgress) -> [KeptLog] {
        let own = cycle.records.filter { !$0.run.purpose.isDeployedExperiment }
        let collected = TriageRoom.collected(own, cycle.number)
        if !collected.isEmpty { return collected }
        return TriageRoom.consoles(own.filter { $0.outcome == .failed || $0.outcome == .timedOut }, cycle.number)
    }

    private static func collected(_ records: some Sequence<StageRecord>, _ cycle: Int) -> [KeptLog] {
        records.flatMap(\.commands).filter { $0.role == LogKeeper.role }.compactMap { command in
            command.log.map { KeptLog(cycle: cycle, path: $0, source: "services") }
        }
    }

    private static func consoles(_ records: some Sequence<StageRecord>, _ cycle: Int) -> [KeptLog] {
        records.compactMap { record in
            guard record.run.kind == .deploy || record.run.kind == .test else { return nil }
            let main = record.commands.first { $0.role == "main" }
            return main?.log.map { KeptLog(cycle: cycle, path: $0, source: record.run.subject ?? record.run.stage) }
        }
    }

    /// The same of the newest healthy cycle, and of a baseline experiment that passed. Nil where there is neither.
    private func greenLogs(_ cycle: CycleProgress, likes failing: [KeptLog]) -> (logs: [KeptLog], isPart: Bool)? {
        var logs: [KeptLog] = []
        var isPart = true
        let baseline = cycle.records.filter {
            $0.run.purpose == .baseline && $0.run.kind == .test && $0.outcome == .succeeded
        }
        logs += TriageRoom.collected(baseline, cycle.number)
        if let record = newestHealthy(before: cycle.number) {
            let collected = TriageRoom.collected(record.stages, record.cycle)
            let areConsoles = failing.allSatisfy { !$0.path.hasSuffix(".\(LogKeeper.role)/console.log") }
            let whole = areConsoles ? TriageRoom.consoles(record.stages, record.cycle) : collected
            if !whole.isEmpty { isPart = false }
            logs += whole
        }
        return logs.isEmpty ? nil : (logs, isPart)
    }

    func newestHealthy(before cycle: Int) -> CycleRecord? {
        guard let index = try? EvidenceIndex.load(context.layout, newest: TriageRoom.cyclesLookedAt) else { return nil }
        let healthy = index.cycles.last { $0.verdict == .healthy && $0.cycle < cycle }
        return healthy.flatMap { try? CycleReader(context.layout).record($0.cycle) }
    }

    private static let cyclesLookedAt = 200

    /// Consoles of stages that failed without a test that could say why.
    private func unexplainedConsoles(_ cycle: CycleProgress) -> [KeptLog] {
        let silent = cycle.records[min(cycle.decidingFrom, cycle.records.count)...].filter { record in
            guard !record.run.purpose.isDeployedExperiment,
                record.outcome == .failed || record.outcome == .timedOut
            else { return false }
            return record.run.kind == .deploy || (record.suite?.totals.failing ?? 0) == 0
        }
        return TriageRoom.consoles(silent, cycle.number)
    }

    private func logContext(_ cycle: CycleProgress, _ suites: [SuiteRecord]) -> LogContext {
        let failing = suites.flatMap(\.notPassed).filter(\.outcome.isFailure).prefix(20)
        let failed = cycle.records.filter { $0.run.kind == .test && $0.run.purpose == .cycle && $0.outcome == .failed }
        var window: ClosedRange<Int64>?
        if let first = failed.map(\.startedAt).min(), let last = failed.map(\.endedAt).max(), first <= last {
            window = first.milliseconds...last.milliseconds
        }
        return LogContext(about: failing.flatMap { [$0.id, $0.message ?? ""] }, window: window)
    }

    // MARK: - Mining

    private static func mine(_ logs: [KeptLog], _ layout: EvidenceLayout, known: [LogTemplate] = []) -> LogProfile {
        let miner = LogMiner(known: known)
        var left = byteLimit
        for log in logs {
            guard let path = layout.file(log.path, inCycle: log.cycle) else { continue }
            left -= Files.size(of: path) ?? 0
            guard left > 0 else { break }
            miner.begin(file: log.path, source: log.source)
            try? Files.readInPieces(path) { miner.take($0) }
        }
        return miner.finish()
    }

    private static func compare(
        _ failing: [KeptLog], _ green: (logs: [KeptLog], isPart: Bool)?, _ context: LogContext, _ layout: EvidenceLayout
    ) -> [LogFinding] {
        guard let cycle = failing.first?.cycle else { return [] }
        let before = green.map { mine($0.logs, layout) }
        let now = mine(failing, layout, known: before?.templates ?? [])
        return LogComparison.changes(
            now, before: before, isPart: green?.isPart ?? false, context: context, limit: limit
        ).compactMap { change in
            let template = change.template
            let path = now.files[template.file]
            let place = (path: path, line: template.firstLine, offset: template.firstOffset)
            guard let reference = reference(place, cycle, layout) else { return nil }
            return LogFinding(
                source: template.source, template: String(template.text.prefix(excerptBytes)), level: template.level,
                count: template.count, countAtGreen: before == nil ? nil : template.countBefore ?? 0,
                reference: reference)
        }
    }

    /// The lines of one console that most likely say why the stage failed.
    private static func causes(_ log: KeptLog, _ layout: EvidenceLayout) -> [LogFinding] {
        guard let path = layout.file(log.path, inCycle: log.cycle),
            let bytes = try? Files.read(path, limit: consoleLimit)
        else { return [] }
        return CauseLines.rank(bytes).compactMap { cause in
            let place = (path: log.path, line: cause.line, offset: cause.offset)
            guard let reference = reference(place, log.cycle, layout) else { return nil }
            return LogFinding(
                source: log.source, template: String(cause.text.prefix(excerptBytes)), level: LogLevel.error.name,
                count: 1, reference: reference)
        }
    }

    /// One line, as it stands in the evidence.
    private static func reference(
        _ place: (path: String, line: Int, offset: Int), _ cycle: Int, _ layout: EvidenceLayout
    ) -> EvidenceReference? {
        guard let path = layout.file(place.path, inCycle: cycle),
            let bytes = try? Files.read(path, from: place.offset, count: excerptBytes)
        else { return nil }
        let line = bytes.prefix { $0 != 10 && $0 != 13 }
        return EvidenceReference(path: place.path, lines: [place.line, place.line], excerpt: Excerpt.text(line))
    }
}
