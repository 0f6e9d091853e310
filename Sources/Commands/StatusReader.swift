// SPDX-License-Identifier: Apache-2.0
// Puts the status together from the files of a loop: journal, sealed cycles, folders of the running one, lock, log.

import Configuration
import Domain
import Engine
import Evidence
import Foundation
import Platform
import Reporting
import StatusServer
import Supervision

/// What a reader that looks again and again need not read twice.
struct StatusMemory {
    fileprivate var history = LoopHistory()
    fileprivate var cursor: JournalCursor
    fileprivate var stamps: [FileStamp?]?
    fileprivate var index: EvidenceIndex?
    fileprivate var notices: (stamps: [FileStamp?], value: NoticeStanding)?
    fileprivate var cycles: [CycleBrief] = []
    /// Of the newest verdict.
    fileprivate var record: (number: Int, value: CycleRecord)?
    /// Of the newest cycle, where that one was interrupted.
    fileprivate var interrupted: (number: Int, value: CycleRecord)?

    init(_ layout: EvidenceLayout) {
        cursor = JournalCursor(layout)
    }
}

struct StatusReader {
    private let loop: LoopPlace
    private let now: Timestamp
    private var layout: EvidenceLayout { loop.layout }

    init(_ loop: LoopPlace, now: Timestamp) {
        self.loop = loop
        self.now = now
    }

    /// Throws only where the sealed cycles cannot be listed; a journal that cannot be read is part of the answer.
    func snapshot() throws -> StatusSnapshot {
        var memory = StatusMemory(layout)
        return try snapshot(&memory)
    }

    /// What the page shows: the status, and what it is made of.
    func reading(_ memory: inout StatusMemory) throws -> LoopReading {
        let status = try snapshot(&memory)
        let incidents = openIncidents(memory.history, memory.record?.value)
        return LoopReading(
            status: status, incidents: incidents,
            resolved: memory.history.incidents.filter { $0.state == .resolved },
            running: RunningFile.read(layout.root + "/running.json"), record: memory.record?.value,
            cycles: memory.cycles,
            evidenceBytes: memory.index?.cycles.reduce(0) { $0 + $1.bytes } ?? 0,
            lastSignOfLife: status.daemon.lastSignOfLifeAt,
            log: LogTail.entries(layout, limit: 40))
    }

    private func snapshot(_ memory: inout StatusMemory) throws -> StatusSnapshot {
        var journalProblem: String?
        var history = memory.history
        do throws(EvidenceError) {
            try memory.cursor.advance { history.take($0) }
        } catch {
            journalProblem = "\(error)"
        }
        memory.history = history
        try readCycles(&memory)
        var cycles = memory.cycles
        let record = try read(cycles.newestJudged?.cycle, &memory.record, &journalProblem)
        // The index is a convenience, the document is sealed: where they differ the document has it.
        if let record, let index = cycles.lastIndex(where: { $0.cycle == record.cycle }) {
            cycles[index] = CycleBrief(record)
        }
        var newest = record
        if let last = cycles.last, last.verdict == .interrupted {
            newest = try read(last.cycle, &memory.interrupted, &journalProblem)
        }
        let running = try RunningCycle.find(layout, newestSealed: cycles.last?.cycle ?? 0)
        let holder = LoopHolder.find(layout)
        var status = StatusSnapshot(
            loop: loop.name, at: now, light: light(cycles.newestJudged), doing: doing(history, running, holder),
            daemon: daemon(history, holder, journalProblem))
        status.mode = loop.settings?.mode ?? history.policy?.mode
        describeVerdict(&status, cycles, record)
        describeServing(&status, history, newest, cycles)
        if let progress = history.underWay, !history.failuresUnderWay.isEmpty {
            status.failedSoFar = history.failuresUnderWay
            status.doing.cycle = status.doing.cycle ?? progress.number
        }
        status.question = history.question
        let warnings = (record?.targets ?? []).flatMap(\.warnings)
        status.warnings = warnings.isEmpty ? nil : warnings
        status.window = history.window
        status.pause = history.pause
        status.incidents = incidents(history, record)
        status.last = Array(cycles.suffix(20))
        let notices = readNotices(&memory)
        status.budgets = budgets(history, notices)
        if loop.settings?.notify.receivers.isEmpty == false {
            status.daemon.spooledNotices = notices.spooled
            let lost = notices.lost.sorted { $0.key < $1.key }.map { "\($0.key) lost a message, \($0.value)" }
            status.lostMessages = lost.isEmpty ? nil : lost
        }
        if loop.settings?.notify.deadman != nil {
            status.daemon.deadmanTakenAt = notices.deadman?.takenAt
            status.daemon.deadmanProblem = notices.deadman?.problem
        }
        status.note(history.memory.unreadable)
        status.quarantine = loop.settings?.quarantine ?? history.policy?.quarantine ?? []
        return status
    }

    /// Again only where a cycle was sealed, published or deleted.
    private func readCycles(_ memory: inout StatusMemory) throws {
        let stamps = [layout.index, layout.cycles, layout.tombstones].map { Files.stamp($0) }
        if memory.index != nil, memory.stamps == stamps { return }
        let index = try EvidenceIndex.load(layout)
        memory.cycles = index.cycles.map(CycleBrief.init)
        memory.index = index
        memory.stamps = stamps
    }

    private func read(
        _ number: Int?, _ memory: inout (number: Int, value: CycleRecord)?, _ problem: inout String?
    ) throws -> CycleRecord? {
        guard let number else { return nil }
        if let known = memory, known.number == number { return known.value }
        do throws(EvidenceError) {
            let record = try CycleReader(layout).sealedRecord(number)
            memory = (number, record)
            return record
        } catch {
            problem = problem ?? "\(error)"
            return nil
        }
    }

    // MARK: Is it fine?

    private func light(_ cycle: CycleBrief?) -> StatusSnapshot.Light {
        guard let cycle else { return .gray }
        switch cycle.verdict {
        case .healthy, .degraded: return cycle.recommendation == .ship ? .green : .gray
        case .failing: return .red
        case .unproven, .interrupted: return .gray
        }
    }

    private func describeVerdict(_ status: inout StatusSnapshot, _ cycles: [CycleBrief], _ record: CycleRecord?) {
        guard let last = cycles.newestJudged else { return }
        status.verdictCycle = last.cycle
        status.interruptedSince = cycles.last.flatMap { $0.cycle > last.cycle ? $0.cycle : nil }
        status.verdict = last.verdict
        status.recommendation = last.recommendation
        status.revision = last.revision
        let judged = cycles.reversed().filter { $0.verdict != .interrupted || $0.cycle == last.cycle }
        status.lightSince = judged.prefix { light($0) == light(last) }.last?.endedAt
        if let green = cycles.last(where: { $0.verdict == .healthy }) {
            status.lastGreenCycle = green.cycle
            status.lastGreenAt = green.endedAt
        }
    }

    private func describeServing(
        _ status: inout StatusSnapshot, _ history: LoopHistory, _ record: CycleRecord?, _ cycles: [CycleBrief]
    ) {
        var serving = record?.environment.serving
        var restored = record?.environment.state == .restored ? record?.endedAt : nil
        if let newer = history.serving, record.map({ newer.at > $0.endedAt }) ?? true {
            if newer.revision != serving { restored = nil }
            serving = newer.revision
        }
        status.serving = serving
        guard let serving else {
            if history.policy?.provesRevision == false, let deployed = history.memory.serving {
                status.servingState = "unknown: \(deployed.short) is deployed, not proven live"
            }
            return
        }
        // What the loop put there itself in order to learn is to stay for minutes, and nobody need act on it.
        if let progress = history.underWay, let run = history.serving?.run, run.cycle == progress.number,
            run.purpose.isDeployedExperiment, history.serving?.revision == serving
        {
            status.experimentOf = progress.number
            status.servingState = "experiment of #\(progress.number)"
            return
        }
        let verdict = cycles.filter { $0.revision.names(serving) }.newestJudged?.verdict
        let isBad = history.memory.knownBad.contains { $0.revision.names(serving) }
        // What the repository names as green, and a rollback has brought back, has no cycle of its own.
        let isGreen = verdict == .healthy || (verdict == nil && history.memory.lastGreen?.names(serving) == true)
        let state = isBad ? "known bad" : isGreen ? "green" : verdict?.rawValue ?? "not tested"
        status.servingState = state + (restored.map { ", restored \($0.clockMinute)" } ?? "")
    }

    // MARK: What is it doing?

    private func doing(_ history: LoopHistory, _ running: RunningCycle?, _ holder: LoopHolder?) -> StatusSnapshot.Doing
    {
        guard holder != nil else {
            guard let running else { return .init(.stopped, text: "nothing: no daemon runs this loop") }
            return .init(
                .stopped, cycle: running.cycle,
                text:
                    "nothing: the daemon went away at \(running.stage ?? "the beginning"); the next start goes on there"
            )
        }
        if let question = history.question {
            let activity = StatusSnapshot.Doing(
                .awaitingApproval, cycle: history.memory.cycle,
                text: "waits until \(question.deadline.clockMinute) for \(question.title): \(question.because)",
                since: question.askedAt)
            return activity
        }
        if let waits = history.backingOff {
            var doing = StatusSnapshot.Doing(
                .waiting, cycle: history.memory.cycle, text: "\(waits.step.kind.rawValue) waits: \(waits.because)",
                since: waits.since)
            doing.next = waits.next
            return doing
        }
        if let running {
            // Stages without a command have no folder of their own until they end.
            if let stage = RunningFile.read(layout.root + "/running.json"), stage.cycle == running.cycle {
                return .init(.running, cycle: stage.cycle, text: words(stage), since: stage.since)
            }
            let text = running.stage ?? (history.machine.state == .asking ? "triage" : "beginning")
            return .init(
                running.hasStageRunning ? .running : .triaging, cycle: running.cycle,
                text: running.hasStageRunning ? text : "between stages, last \(text)", since: running.since)
        }
        if let pause = history.pause { return .init(.paused, text: "paused by \(pause.owner): \(pause.reason)") }
        if let window = history.window, !window.isOpen { return .init(.closed, text: "outside its window") }
        if let problem = history.workProblem { return .init(.waiting, text: "waiting: \(problem.reason)") }
        return .init(.waiting, text: LogTail.waiting(layout) ?? "waiting for work")
    }

    /// `test chat, 12 of 25 tests, 1 failed`
    private func words(_ stage: RunningStage) -> String {
        var text = stage.stage + (stage.subject.map { " \($0)" } ?? "")
        if let done = stage.testsDone {
            text += ", \(done)\(stage.usualTests.map { " of \($0)" } ?? "") tests"
        }
        if let failed = stage.testsFailed, failed > 0 { text += ", \(failed) failed" }
        return text
    }

    // MARK: The rest

    private func daemon(_ history: LoopHistory, _ holder: LoopHolder?, _ problem: String?) -> StatusSnapshot.Daemon {
        let started = history.daemon
        return StatusSnapshot.Daemon(
            alive: holder != nil, pid: holder?.pid ?? (holder == nil ? nil : started?.started.pid),
            host: started?.started.host, version: started?.started.version,
            startedAt: holder == nil ? nil : started?.at, lastEventAt: history.lastEventAt,
            lastSignOfLifeAt: Files.modifiedMilliseconds(layout.alive).map { Timestamp(milliseconds: $0) },
            journalProblem: problem,
            diskUsedPercent: diskUsedPercent())
    }

    private func diskUsedPercent() -> Double? {
        guard let attributes = try? FileManager.default.attributesOfFileSystem(forPath: layout.root),
            let size = (attributes[.systemSize] as? NSNumber)?.doubleValue,
            let free = (attributes[.systemFreeSize] as? NSNumber)?.doubleValue, size > 0
        else { return nil }
        return (100 * (1 - free / size)).rounded()
    }

    private func openIncidents(_ history: LoopHistory, _ record: CycleRecord?) -> [Incident] {
        var open = history.incidents
        for incident in record?.incidents ?? [] where !open.contains(where: { $0.id == incident.id }) {
            open.append(incident)
        }
        // What triage is looking into has its number, and people may ask for it.
        for incident in history.underWay?.announced ?? [] where !open.contains(where: { $0.id == incident.id }) {
            open.append(incident)
        }
        return open.filter { $0.state != .resolved }
    }

    private func incidents(_ history: LoopHistory, _ record: CycleRecord?) -> [StatusSnapshot.IncidentLine] {
        let underWay = (history.underWay?.incidents ?? []) + (history.underWay?.announced ?? [])
        let seen = Set(((record?.incidents ?? []) + underWay).map(\.id))
        let lines = openIncidents(history, record).map { incident in
            let isCurrent = seen.contains(incident.id)
            let suites = (record?.suites ?? []).filter { incident.suites.contains($0.name) }
            let value = suites.compactMap(\.value).reduce(0, +)
            return StatusSnapshot.IncidentLine(
                id: incident.id, priority: suites.map(\.priority).min(), value: isCurrent && value > 0 ? value : nil,
                title: incident.title, tests: incident.tests.count,
                cause: (isCurrent ? "" : unseen(incident, history, record)) + cause(incident.diagnosis),
                acknowledged: incident.state == .acknowledged, isCurrent: isCurrent)
        }
        // What is the matter now comes first.
        return lines.sorted { rank($0) < rank($1) }
    }

    private func rank(_ line: StatusSnapshot.IncidentLine) -> (Int, Int, Int, String) {
        (line.isCurrent ? 0 : 1, line.priority ?? 9, line.id.count, line.id)
    }

    /// `not seen in #12, closes after 1 more sound cycle: `
    private func unseen(_ incident: Incident, _ history: LoopHistory, _ record: CycleRecord?) -> String {
        let left = max(1, Incident.closingCycles - (history.memory.greenCycles[incident.id] ?? 0))
        let place = record.map { " in #\($0.cycle)" } ?? ""
        return "not seen\(place), closes after \(Plurals.count(left, "more sound cycle")): "
    }

    private func cause(_ diagnosis: Diagnosis?) -> String {
        guard let diagnosis else { return "not diagnosed yet" }
        guard let culprit = diagnosis.culprit else { return diagnosis.headline }
        // One of several files would look like the one that is to blame.
        let what = culprit.files.count == 1 ? culprit.files[0] : "\"\(culprit.subject)\""
        return "\(diagnosis.grade.rawValue): \(culprit.commit.short) \(what)"
    }

    /// Again only where a message was spooled, sent or decided.
    private func readNotices(_ memory: inout StatusMemory) -> NoticeStanding {
        let stamps = NoticeStanding.stamps(layout)
        if let known = memory.notices, known.stamps == stamps { return known.value }
        let value = NoticeStanding(layout)
        memory.notices = (stamps, value)
        return value
    }

    private func budgets(_ history: LoopHistory, _ notices: NoticeStanding) -> [StatusSnapshot.Budget] {
        var budgets: [StatusSnapshot.Budget] = []
        if let policy = history.policy,
            let spent = history.memory.rollbacks.last(where: { spent in
                history.incidents.contains { $0.id == spent.incident && $0.state != .resolved }
            })
        {
            budgets.append(
                .init(
                    "rollbacks", used: spent.count, limit: policy.rollbacksPerIncident, scope: "for \(spent.incident)"))
        }
        if let triage = history.policy?.triage, triage.mayDeploy {
            budgets.append(
                .init(
                    "deploys", used: history.memory.experimentDeploys, limit: triage.deploysPerNight, scope: "tonight"))
        }
        if let triage = history.policy?.triage, let progress = history.underWay, !progress.announced.isEmpty,
            let started = progress.triageStartedAt
        {
            let minutes = Int(now.since(started).inSeconds / 60)
            budgets.append(.init("triage", used: minutes, limit: Int(triage.budgetSeconds / 60), scope: "minutes"))
        }
        if let notify = loop.settings?.notify, !notify.receivers.isEmpty {
            let pages = notices.pages.count { now.since($0) <= notify.paging.shift }
            budgets.append(
                .init(
                    "pages", used: pages, limit: notify.paging.pagesPerShift,
                    scope: "in \(Durations.text(notify.paging.shift))"))
        }
        return budgets
    }
}
