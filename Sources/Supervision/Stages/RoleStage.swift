// SPDX-License-Identifier: Apache-2.0
// One step of a fix: a role's command, the audit of what it made, the commit, the push. A role is not believed: what it
// says is read within bounds, what it made is taken as bytes and judged by rules, what it touched beside that refuses it.

import Domain
import Engine
import Evidence
import Execution
import Platform
import Reporting

struct RoleStage: Sendable {
    let context: LoopContext
    let run: StageRun
    let surroundings: StageSurroundings

    private var room: RoleRoom { RoleRoom(context: context) }

    static func auditRole(_ name: String) -> String { "audit-\(StageRun.fileName(name))" }

    func perform(_ started: Stopwatch) async -> StageRecord {
        guard let fix = surroundings.fix, let settings = context.settings.current.remedy.fix else {
            return started.record(run, .couldNotRun, "remedy.fix is not configured")
        }
        let step = run.subject ?? ""
        do {
            if let role = Role(rawValue: step) { return try await perform(role, fix, started) }
            switch step {
            case FixStep.audit: return try await audit(fix, settings, started)
            case FixStep.commit: return try await commit(fix, started)
            case FixStep.push: return try await push(fix, settings, started)
            default: return started.record(run, .couldNotRun, "\(step) is no step of a fix")
            }
        } catch {
            return started.record(run, .failed, "\(error)")
        }
    }

    // MARK: - Roles

    private func perform(_ role: Role, _ fix: FixSurroundings, _ started: Stopwatch) async throws -> StageRecord {
        guard let command = context.settings.current.remedy.roles[role] else {
            return started.record(run, .couldNotRun, "remedy.roles.\(role.rawValue) is not configured")
        }
        guard var request = room.request(role, run, fix, surroundings, timeout: command.timeout) else {
            return started.record(run, .couldNotRun, "remedy.fix is not configured")
        }
        let isBegun = Files.exists("\(context.folder(run))/claim")
        if role != .approve {
            let change = role == .implement || role == .investigate ? nil : room.implemented(run, fix)
            if !isBegun { try await room.makeWorktree(run, fix, changeFrom: change) }
            request.worktree = room.worktree(run)
        }
        let before = await operatorsState(isBegun: isBegun)
        // What a shell script needs of the request without reading JSON.
        var environment = [
            "NIGHTJAR_ROLE": role.rawValue, "NIGHTJAR_INCIDENT": fix.incident.id, "NIGHTJAR_WANTED": fix.wanted.id,
            "NIGHTJAR_EVIDENCE": request.evidence, "NIGHTJAR_PATHS": request.limits.paths.joined(separator: "\n"),
            "NIGHTJAR_TEST_PATHS": request.limits.testPaths.joined(separator: "\n"), "GIT_TERMINAL_PROMPT": "0",
        ]
        environment["NIGHTJAR_WORKTREE"] = request.worktree
        environment["NIGHTJAR_CULPRIT"] = fix.incident.diagnosis?.culprit?.commit.id
        environment["NIGHTJAR_PATCH"] = request.patch
        let values = PlaceholderValues(run, surroundings, context.settings.current)
        let main = await context.command(
            command, role: "main", of: run, values: values, environment: environment,
            standardInput: try RoleFile.request(request), outputLimit: Limits.roleOutputBytes)
        if let early = ended(main, started) { return early }
        return try await judge(main, role, fix, before, started)
    }

    /// The record of a command that did not come to an answer; nil where it did.
    private func ended(_ main: SupervisedCommand, _ started: Stopwatch) -> StageRecord? {
        let outcome = main.stageOutcome
        if outcome == .succeeded { return nil }
        let line = main.lastLine
        let words = "\(main.words)\(line.isEmpty ? "" : ": \(firstLine(line))")"
        return started.record(run, outcome, words, [main], infrastructure: outcome == .couldNotRun)
    }

    /// Reads the answer, and looks at everything that the role had no business with.
    private func judge(
        _ main: SupervisedCommand, _ role: Role, _ fix: FixSurroundings, _ before: [String: String],
        _ started: Stopwatch
    ) async throws -> StageRecord {
        var reading = RoleReading(step: role.rawValue)
        if role != .approve { reading.audit.append(finding("outside", room.strangers(run), "nothing beside the tree")) }
        let own = RoleRoom.differences(before, await room.operatorsState())
        reading.audit.append(finding("repository", own, "hooks and settings of the repository are as they were"))
        if role == .implement {
            let touched = try await room.tampering(run, fix)
            reading.audit.append(finding("git", touched, "no commit, hook or setting of its own"))
        }
        let answer: RoleAnswer
        do throws(RoleAnswerError) {
            answer = try self.answer(main)
        } catch {
            return refused("\(error)", main, reading, started)
        }
        reading.decision = answer.decision
        reading.summary = answer.summary.map { bounded($0) }
        reading.reasons = (answer.reasons ?? []).prefix(20).map { bounded($0) }
        reading.notes = (answer.notes ?? []).prefix(20).map { bounded($0, 2000) }
        if let bad = reading.audit.first(where: { !$0.passed }) {
            return refused("\(bad.rule): \(bad.finding)", main, reading, started)
        }
        let said = [reading.summary, reading.reasons.first].compactMap { $0 }.first.map { ": \($0)" } ?? ""
        guard allowed(role).contains(answer.decision) else {
            let outcome = answer.decision == .giveUp || answer.decision == .reject ? "" : "answered "
            var record = started.record(run, .failed, "\(outcome)\(answer.decision.rawValue)\(said)", [main])
            record.role = reading
            return record
        }
        var record = started.record(run, .succeeded, "\(answer.decision.rawValue)\(said)", [main])
        record.role = reading
        return record
    }

    /// What lets the fix go on. Whether the approving role says yes is for the machine to hear.
    private func allowed(_ role: Role) -> Set<RoleDecision> {
        switch role {
        case .investigate, .implement, .execute: [.done]
        case .review: [.approve]
        case .approve: [.approve, .reject, .ask]
        }
    }

    private func answer(_ main: SupervisedCommand) throws(RoleAnswerError) -> RoleAnswer {
        let dropped = main.record.logDroppedBytes ?? 0
        if dropped > 0 {
            throw RoleAnswerError(
                description: "it printed \(dropped) bytes more than the \(Limits.roleOutputBytes) that are read")
        }
        let path = "\(main.folder)/console.log"
        guard let output = try? Files.read(path, limit: Int(Limits.roleOutputBytes) + 4096) else {
            throw RoleAnswerError(description: "its output could not be read")
        }
        return try RoleFile.answer(output)
    }

    private func refused(
        _ why: String, _ main: SupervisedCommand, _ reading: RoleReading, _ started: Stopwatch
    ) -> StageRecord {
        var record = started.record(run, .failed, "refused: \(why)", [main])
        record.role = reading
        return record
    }

    private func finding(_ rule: String, _ bad: [String], _ good: String) -> AuditRecord {
        let more = bad.count > 3 ? " and \(bad.count - 3) more" : ""
        return AuditRecord(
            rule: rule, passed: bad.isEmpty,
            finding: bad.isEmpty ? good : bad.prefix(3).joined(separator: ", ") + more, evidence: run.folder)
    }

    /// One line of a role's talk, as far as it may go.
    private func bounded(_ text: String, _ limit: Int = 400) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        let clean = String(line.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 })
        return clean.count > limit ? clean.prefix(limit - 1) + "…" : clean
    }

    /// As it was when the role was begun, also after a restart.
    private func operatorsState(isBegun: Bool) async -> [String: String] {
        let path = "\(context.temporaryFolder(run))/repository"
        if isBegun, let kept = try? Files.read(path, limit: 1 << 20) {
            var state: [String: String] = [:]
            for line in String(decoding: kept, as: UTF8.self).split(separator: "\n") {
                let parts = line.split(separator: "\t", maxSplits: 1)
                if parts.count == 2 { state[String(parts[0])] = String(parts[1]) }
            }
            return state
        }
        let state = await room.operatorsState()
        let text = state.sorted { $0.key < $1.key }.map { "\($0.key)\t\($0.value)\n" }.joined()
        try? Files.createDirectories(Files.parent(of: path))
        try? AtomicFile.write(Array(text.utf8), to: path, durable: false)
        return state
    }

    // MARK: - Audit

    private func audit(_ fix: FixSurroundings, _ settings: FixSettings, _ started: Stopwatch) async throws
        -> StageRecord
    {
        guard let work = room.implemented(run, fix) else {
            return started.record(run, .failed, "there is no working tree to look at")
        }
        var reading = RoleReading(step: FixStep.audit)
        let git = "\(room.folder(run))/git"
        // Audit commands that were begun before a restart still run in their checkout.
        let isBegun = settings.audit.contains { audit in
            Files.exists("\(context.folder(run)).\(RoleStage.auditRole(audit.name))/claim")
        }
        if !isBegun { try? Files.removeTree(room.folder(run)) }
        if !Files.exists(git) { try await room.makeRepository(git, bare: true) }
        let tree = try await room.takeTree(work, fix.wanted, into: git, index: git + "/taken")
        let (changes, patch) = try await changes(fix.wanted.id, tree, git)
        reading.tree = tree
        try Files.createDirectories(context.folder(run))
        try AtomicFile.write(patch, to: "\(room.folder(run))/fix.patch", durable: false)
        try RedactedCopy.copy(
            "\(room.folder(run))/fix.patch", to: "\(context.folder(run))/fix.patch", needles: context.secrets.needles)
        reading.patch = "\(run.folder)/fix.patch"
        let irreversible = context.settings.current.deploy?.irreversible ?? []
        reading.audit = FixAudit.judge(changes, settings, irreversible: irreversible).map { finding in
            var finding = finding
            finding.evidence = reading.patch
            return finding
        }
        var commands: [SupervisedCommand] = []
        if reading.audit.allSatisfy(\.passed), !settings.audit.isEmpty {
            let checkout = "\(room.folder(run))/work"
            if !isBegun { try await check(out: tree, from: git, at: checkout) }
            for entry in settings.audit {
                commands.append(await runAudit(entry, checkout, &reading))
            }
        }
        let bad = reading.audit.filter { !$0.passed }
        let lines = changes.reduce(into: (0, 0)) {
            $0.0 += $1.added ?? 0; $0.1 += $1.removed ?? 0
        }
        let size = "\(changes.count) \(changes.count == 1 ? "file" : "files"), +\(lines.0) -\(lines.1)"
        let words =
            bad.isEmpty
            ? "\(reading.audit.count) rules kept: \(size)"
            : "refused: " + bad.map { "\($0.rule): \($0.finding)" }.joined(separator: "; ")
        var record = started.record(run, bad.isEmpty ? .succeeded : .failed, words, commands)
        record.role = reading
        return record
    }

    private func runAudit(
        _ entry: FixSettings.AuditCommand, _ checkout: String, _ reading: inout RoleReading
    ) async -> SupervisedCommand {
        var values = PlaceholderValues(run, surroundings, context.settings.current)
        values.workingDirectory = checkout
        values["worktree"] = checkout
        let role = RoleStage.auditRole(entry.name)
        let done = await context.command(entry.command, role: role, of: run, values: values)
        let line = done.lastLine
        reading.audit.append(
            AuditRecord(
                rule: entry.name, passed: done.succeeded,
                finding: "\(done.words)\(line.isEmpty ? "" : ": \(firstLine(line))")",
                evidence: done.record.log))
        return done
    }

    private func check(out tree: String, from git: String, at folder: String) async throws {
        try Files.createDirectories(folder)
        _ = try await room.git(["read-tree", "--reset", "-u", tree], in: git, tree: folder, index: git + "/checkout")
    }

    private func changes(_ wanted: String, _ tree: String, _ git: String) async throws -> ([FileChange], [UInt8]) {
        let plain = ["diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv"]
        let raw = try await room.git(plain + ["-z", "--raw", "--abbrev=40", wanted, tree], in: git)
        let numstat = try await room.git(plain + ["-z", "--numstat", wanted, tree], in: git)
        let patch = try await room.git(
            plain + ["-p", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", wanted, tree], in: git,
            limit: Limits.patchBytes)
        guard let changes = GitDiff.read(raw: raw, numstat: numstat, patch: patch) else {
            throw RoleRoomError(description: "the change could not be read from git's words")
        }
        return (changes, patch)
    }

    // MARK: - Commit and push

    /// The tree that the audit saw, and nothing that was done to the working tree since.
    private func commit(_ fix: FixSurroundings, _ started: Stopwatch) async throws -> StageRecord {
        guard let repository = context.repository, let work = room.implemented(run, fix),
            let tree = fix.readings.compactMap(\.tree).last
        else { return started.record(run, .failed, "there is no audited change to commit") }
        try? Files.removeTree(room.folder(run))
        let git = "\(room.folder(run))/git"
        try await room.makeRepository(git, bare: true)
        let again = try await room.takeTree(work, fix.wanted, into: git, index: git + "/taken")
        guard again == tree else {
            return started.record(run, .failed, "refused: the working tree was changed after the audit")
        }
        // The cycle's own time makes the same commit whenever this is done again.
        let date = "@\(surroundings.cycleStartedAt.milliseconds / 1000) +0000"
        let identity = [
            "GIT_AUTHOR_NAME": "nightjar", "GIT_AUTHOR_EMAIL": "nightjar@localhost", "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "nightjar", "GIT_COMMITTER_EMAIL": "nightjar@localhost", "GIT_COMMITTER_DATE": date,
        ]
        let id = try await room.git(
            ["commit-tree", "--no-gpg-sign", "-p", fix.wanted.id, "-m", message(fix), tree], in: git,
            environment: identity)
        let revision = Revision(String(decoding: id, as: UTF8.self).trimmingWhitespace)
        _ = try await room.git(["update-ref", "refs/heads/fix", revision.id], in: git)
        let branch = try await repository.adopt(revision, from: git, branch: fix.branch)
        var reading = RoleReading(step: FixStep.commit)
        reading.revision = revision
        reading.branch = branch
        reading.tree = tree
        var record = started.record(run, .succeeded, "\(revision.short) on \(branch)")
        record.role = reading
        return record
    }

    private func message(_ fix: FixSurroundings) -> String {
        let implemented = fix.readings.last { $0.step == Role.implement.rawValue }
        let incident = fix.incident
        let said = implemented?.summary.map { String($0.prefix(60)) } ?? "\(bounded(incident.title, 60))"
        let diagnosis = incident.diagnosis
        let culprit = diagnosis?.culprit.map { ", \($0.commit.id)" } ?? ""
        let category = diagnosis.map { "\($0.category.rawValue), \($0.grade.rawValue)" } ?? "unknown"
        let body = ([implemented?.summary].compactMap { $0 } + (implemented?.reasons ?? [])).joined(separator: "\n")
        return """
            \(incident.id): \(said)

            \(body.isEmpty ? bounded(diagnosis?.summary ?? incident.title) : body)

            Nightjar-Incident: \(incident.id)
            Nightjar-Loop: \(context.settings.current.name)
            Nightjar-Cycle: \(run.cycle)
            Nightjar-Diagnosis: \(category)\(culprit)
            """
    }

    private func push(_ fix: FixSurroundings, _ settings: FixSettings, _ started: Stopwatch) async throws -> StageRecord
    {
        guard let remote = settings.push, let repository = context.repository,
            let branch = fix.readings.compactMap(\.branch).last
        else { return started.record(run, .couldNotRun, "there is no branch to push") }
        try await repository.push(branch, to: remote)
        return started.record(run, .succeeded, "\(branch) to \(remote)")
    }
}
