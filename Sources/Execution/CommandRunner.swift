// SPDX-License-Identifier: Apache-2.0
// Runs commands under shepherds, and takes up again what an earlier daemon began.
//
// The folder of a run decides. What is found there, and what follows (rows of the recovery table in the architecture
// document):
//
//     no folder                     a first run: create it, launch
//     folder, no claim              fence it by claiming: it never ran and never will            (2, 3)
//     claim locked                  a shepherd is at work: wait for it                           (4, 5)
//     claim free, result.json       read it                                                      (6, 7)
//     claim free, no result         the shepherd died: sweep what is left, the outcome is lost   (8)
//     unreadable claim or result    the same, naming the file                                    (12)

import Domain
import Foundation
package import Platform
import Shepherd
import Synchronization

/// Runs supervised commands: one for each loop of a daemon.
package final class CommandRunner: Sendable {
    private let launcher: ShepherdLauncher
    private let watcher: ExitWatcher
    private let state = Mutex(State())

    private struct State {
        /// Shepherds at work, by folder; nil while one is being launched.
        var running: [String: Pidfd?] = [:]
        /// Folders of runs that were asked to stop before their shepherd could be told.
        var stops: Set<String> = []
        var isDetached = false
        /// Waits that were given up: kept, because a continuation may not be dropped.
        var abandoned: [CheckedContinuation<ExitWatcher.Outcome?, Never>] = []
    }

    /// - Parameter executablePath: the nightjar program; `/proc/self/exe` is the daemon's own image even after the file
    ///   was replaced.
    package init(executablePath: String = "/proc/self/exe") throws(SystemError) {
        launcher = ShepherdLauncher(executablePath: executablePath)
        watcher = try ExitWatcher()
    }

    private init(_ launcher: ShepherdLauncher, _ watcher: ExitWatcher) {
        self.launcher = launcher
        self.watcher = watcher
    }

    /// Another runner with the same threads: each loop has its own, so that one may detach and the others go on.
    package func sibling() -> CommandRunner { CommandRunner(launcher, watcher) }

    /// Runs `spec`, or takes up the run that its folder holds. Returns when its outcome is known.
    package func run(_ spec: CommandSpec) async -> CommandResult {
        let folder = StageFolder(spec.folder)
        // Known before its folder can be seen, so that nobody who sees the folder stops a run that is not there yet.
        state.withLock { $0.running[spec.folder] = .some(nil) }
        do throws(SystemError) {
            try Files.createDirectories(Files.parent(of: spec.folder))
            guard try Files.createDirectory(spec.folder) else {
                let mustStop = wasStopped(spec.folder)
                forget(spec.folder)
                if mustStop { stop(folder: spec.folder) }
                return await recover(spec, folder)
            }
        } catch {
            forget(spec.folder)
            return .without(.couldNotStart, note: error.description)
        }
        // Whoever cancels sets the task's flag first and looks here afterwards, so one of the two sees the other.
        if Task.isCancelled { stop(folder: spec.folder) }
        defer { forget(spec.folder) }
        return await launch(spec, folder)
    }

    /// Asks the run in `folder` to stop: its shepherd walks the ladder (SIGTERM, grace, SIGKILL) and writes the result.
    /// Remembered where the shepherd cannot be told yet; without effect on a run that has ended.
    package func stop(folder: String) {
        let told = state.withLock { state -> Bool in
            guard let entry = state.running[folder] else { return false }
            state.stops.insert(folder)
            entry?.send(SIGTERM)
            return true
        }
        guard !told, let shepherd = holder(of: StageFolder(folder)) else { return }
        shepherd.send(SIGTERM)
    }

    /// Asks all runs at work whose folder begins with `prefix` to stop.
    package func stop(prefix: String) {
        let folders = state.withLock { $0.running.keys.filter { $0.hasPrefix(prefix) } }
        for folder in folders { stop(folder: folder) }
    }

    /// Gives up all waits without an answer: shepherds go on, and the next daemon takes them up.
    package func detach() {
        state.withLock { $0.isDetached = true }
    }

    private func forget(_ folder: String) {
        state.withLock { state in
            state.running[folder] = nil
            state.stops.remove(folder)
        }
    }

    private func wasStopped(_ folder: String) -> Bool {
        state.withLock { $0.stops.contains(folder) }
    }
}

extension CommandRunner {
    private func launch(_ spec: CommandSpec, _ folder: StageFolder, fresh: Bool = false) async -> CommandResult {
        let answer = await withCheckedContinuation { continuation in
            launcher.launch(spec.order, fresh: fresh) { continuation.resume(returning: $0) }
        }
        switch answer {
        case .failure(let failure):
            return await unclaimed(spec, folder, note: failure.reason)
        case .success(let launched):
            if let shepherd = launched.shepherd {
                state.withLock { state in
                    state.running[spec.folder] = shepherd
                    if state.stops.contains(spec.folder) { shepherd.send(SIGTERM) }
                }
                let deadline = SystemClock.monotonicNanoseconds + (longest(spec) + stopTime).nanoseconds
                if await wait(for: shepherd, word: launched.word, deadline: deadline) == .deadlinePassed {
                    return await endMad(shepherd, spec, folder)
                }
            }
            guard Files.exists(folder.claim) else {
                // One that waited may have been ended (for want of memory, say) before it read its order: it has ended,
                // it claimed nothing, so a fresh one is the first to run the command.
                if launched.wasWaiting, !wasStopped(spec.folder) { return await launch(spec, folder, fresh: true) }
                return await unclaimed(spec, folder, note: nil)
            }
            return await conclude(spec, folder, recovery: nil)
        }
    }

    /// How long a shepherd may take by its own rules.
    private func longest(_ spec: CommandSpec) -> Duration {
        spec.timeout + spec.grace
    }

    /// What sweeping may add to that, and the slack.
    private var stopTime: Duration {
        .nanoseconds(2 * TreeSweep.patience) + Limits.shepherdSlack
    }

    /// The shepherd ended without a claim: nothing ran, and nothing will.
    private func unclaimed(_ spec: CommandSpec, _ folder: StageFolder, note: String?) async -> CommandResult {
        let said = (try? Files.read(folder.shepherdLog, limit: 64 << 10)).map {
            String(decoding: $0.suffix(500), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let reason = note ?? said.flatMap { $0.isEmpty ? nil : $0 } ?? "the shepherd ended before it claimed the run"
        do throws(SystemError) {
            guard try Claim.make(in: folder, stageID: spec.stageID, as: .fence) != nil else {
                return await recover(spec, folder)
            }
        } catch  where !error.isDiskFull {
            return .without(.couldNotStart, note: reason + "; " + error.description)
        } catch {
            // The disk that refuses the fence refused the shepherd too, and that one has ended.
        }
        if wasStopped(spec.folder) { return .without(.stopped, note: RunNote.stoppedBeforeStart) }
        return .without(.couldNotStart, note: reason)
    }

    /// A full disk, or no descriptor left, is waited out: as long as nobody can look, a shepherd may be at work here.
    private func recover(_ spec: CommandSpec, _ folder: StageFolder) async -> CommandResult {
        var failure: SystemError?
        for _ in 0..<CommandRunner.looks {
            do throws(SystemError) {
                if !Files.exists(folder.claim), try Claim.make(in: folder, stageID: spec.stageID, as: .fence) != nil {
                    return .without(.neverRan, recovery: "fenced: no shepherd had claimed the run")
                }
                guard try FileLock.isHeld(folder.claim) else {
                    return await conclude(spec, folder, recovery: "finished while the daemon was away")
                }
                return await adopt(spec, folder)
            } catch {
                failure = error
                await CommandRunner.pause(.seconds(1))
            }
        }
        return await lost(spec, folder, because: failure?.description ?? "its claim could not be looked at")
    }

    private static let looks = 600

    /// Waits for a shepherd that somebody else launched, by the limits in its claim: it keeps those, and the settings may
    /// have changed since. They are granted again from now on, because no clock tells how long the daemon was away.
    private func adopt(_ spec: CommandSpec, _ folder: StageFolder) async -> CommandResult {
        let claim = try? ClaimFile.read(in: folder)
        let limit = claim?.limit ?? longest(spec)
        let deadline = SystemClock.monotonicNanoseconds + (limit + stopTime).nanoseconds
        guard let claim, let shepherd = holder(of: folder) else {
            guard await waitForLock(folder, until: deadline) else {
                return await lost(
                    spec, folder, because: "its shepherd cannot be seen from here and went on beyond its limits")
            }
            return await conclude(spec, folder, recovery: "re-attached by the lock on its claim")
        }
        state.withLock { $0.running[spec.folder] = shepherd }
        if Task.isCancelled { stop(folder: spec.folder) }
        defer { forget(spec.folder) }
        if await wait(for: shepherd, deadline: deadline) == .deadlinePassed {
            return await endMad(shepherd, spec, folder)
        }
        return await conclude(spec, folder, recovery: "re-attached to shepherd \(claim.pid)")
    }

    /// The shepherd that holds the claim now; nil where none does or it cannot be seen from here.
    private func holder(of folder: StageFolder) -> Pidfd? {
        guard let claim = try? ClaimFile.read(in: folder), !claim.isFence, let shepherd = try? Pidfd(claim.pid),
            ProcessTable.isAlive(claim.pid, startTicks: claim.startTicks),
            let isHeld = try? FileLock.isHeld(folder.claim), isHeld
        else { return nil }
        return shepherd
    }

    /// A shepherd beyond all its deadlines is ended with everything that it looked after.
    private func endMad(_ shepherd: Pidfd, _ spec: CommandSpec, _ folder: StageFolder) async -> CommandResult {
        shepherd.send(SIGKILL)
        _ = await wait(for: shepherd, deadline: SystemClock.monotonicNanoseconds + TreeSweep.patience)
        return await lost(
            spec, folder, because: "shepherd \(shepherd.pid) did not keep its own limits and was killed")
    }

    /// Once the claim is free, what there is now is all there will be.
    private func conclude(_ spec: CommandSpec, _ folder: StageFolder, recovery: String?) async -> CommandResult {
        // Free already, unless the shepherd could not be watched (no descriptor left for a pidfd).
        let deadline = SystemClock.monotonicNanoseconds + (longest(spec) + stopTime).nanoseconds
        guard await waitForLock(folder, until: deadline) else {
            return await lost(spec, folder, because: "its claim stayed locked beyond all its limits")
        }
        do throws(UnusableFile) {
            if var result = try ResultFile.read(in: folder, stageID: spec.stageID) {
                result.recovery = recovery
                return result
            }
            if try ClaimFile.read(in: folder).isFence {
                return .without(.neverRan, recovery: "fenced by an earlier daemon")
            }
            return await lost(spec, folder, because: "its shepherd ended without a result")
        } catch {
            return await lost(spec, folder, because: error.reason)
        }
    }

    private func lost(_ spec: CommandSpec, _ folder: StageFolder, because: String) async -> CommandResult {
        let claim = try? ClaimFile.read(in: folder)
        let leftovers = await Sweep.run(spec, command: claim?.command)
        var result = CommandResult.without(.lost, note: nil, recovery: "lost: " + because)
        if let claim { result.startedAt = Timestamp(milliseconds: claim.claimedAt) }
        result.durationSeconds = max(0, result.endedAt.since(result.startedAt).inSeconds)
        result.leftovers = leftovers
        result.consoleBytes = Files.size(of: folder.console) ?? 0
        result.consoleSHA256 = (try? SHA256.hex(ofFile: folder.console)) ?? ""
        return result
    }
}

extension CommandRunner {
    /// Waits for the end of a process, or its word that it is done. After `detach` it never returns.
    private func wait(
        for process: Pidfd, word: Descriptor? = nil, deadline: Int64
    ) async -> ExitWatcher.Outcome {
        if let outcome = await watched(process, word, deadline: deadline) { return outcome }
        // Not watched (no thread to be had): looked at now and then, until it has ended or should have.
        while !process.hasEnded {
            if SystemClock.monotonicNanoseconds >= deadline { return .deadlinePassed }
            await CommandRunner.pause(.milliseconds(250))
        }
        return .ended
    }

    /// Nil where the watcher could not begin.
    private func watched(
        _ process: Pidfd, _ word: Descriptor?, deadline: Int64
    ) async -> ExitWatcher.Outcome? {
        await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try watcher.watch(process, word: word, deadline: deadline) { [self] outcome in
                    let goesOn = state.withLock { state in
                        if state.isDetached { state.abandoned.append(continuation) }
                        return !state.isDetached
                    }
                    if goesOn { continuation.resume(returning: outcome) }
                }
            } catch {
                continuation.resume(returning: nil)
            }
        }
    }

    /// Waits until the claim is free, for a shepherd whose pid means nothing here (another pid namespace). False where it
    /// is not by then.
    private func waitForLock(_ folder: StageFolder, until deadline: Int64) async -> Bool {
        while (try? FileLock.isHeld(folder.claim)) == true {
            if SystemClock.monotonicNanoseconds >= deadline { return false }
            await CommandRunner.pause(.milliseconds(250))
        }
        return true
    }

    /// Sleeps also in a task that was canceled: there `Task.sleep` returns at once, and a wait would spin.
    private static func pause(_ time: Duration) async {
        await Task.detached { try? await Task.sleep(for: time) }.value
    }
}

/// Ends what a lost run left, on a thread of its own.
private enum Sweep {
    /// - Parameter command: the session of the command. A deploy's services live in sessions of their own and stay.
    static func run(_ spec: CommandSpec, command: Int32?) async -> [Leftover] {
        await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = {
                continuation.resume(returning: sweep(spec, command: command))
            }
            do throws(SystemError) {
                try PlatformThread.start("sweep", work)
            } catch {
                continuation.resume(returning: [])
            }
        }
    }

    private static func sweep(_ spec: CommandSpec, command: Int32?) -> [Leftover] {
        let cookie = "\(TreeSweep.cookieName)=\(spec.stageID)"
        let stays = { (process: ProcessEntry) in
            spec.leavesServices && command != nil && process.session != command
        }
        let ended = TreeSweep.end({ ProcessTable.withEnvironment(cookie).filter { !stays($0) } })
            .map { Leftover(pid: $0.entry.pid, command: $0.command, ended: $0.ended) }
        let services = ProcessTable.withEnvironment(cookie).filter(stays)
            .map { Leftover(pid: $0.pid, command: ProcessTable.commandLine($0.pid), ended: false) }
        return ended + services
    }
}

extension CommandResult {
    /// A result for a run of which nothing was seen.
    static func without(_ outcome: Outcome, note: String? = nil, recovery: String? = nil) -> CommandResult {
        let now = Timestamp(milliseconds: SystemClock.wallMilliseconds)
        return CommandResult(
            outcome: outcome, startedAt: now, endedAt: now, durationSeconds: 0, notes: note.map { [$0] } ?? [],
            recovery: recovery)
    }
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? Int64.max / 4 : seconds + components.attoseconds / 1_000_000_000
    }
}
