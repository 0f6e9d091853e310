// SPDX-License-Identifier: Apache-2.0
// One run from claim to result: starts the command, watches it, ends it where it must be ended, writes down how.

import CShims
import Glibc
import Platform

/// The state of one run. Single-threaded: everything happens in `watch`.
struct Shepherd {
    let order: ShepherdOrder
    let folder: StageFolder
    let claim: Claim.Held
    let reserved: ReservedResult
    let signals: Descriptor
    var redactor: Redactor
    var log: ConsoleLog
    var sampler: Sampler
    var notes: [String] = []
    /// What keeps other runs out, as long as this process lives.
    private var lock: FileLock?

    let startedAt = SystemClock.wallMilliseconds
    let started = SystemClock.monotonicNanoseconds
    var command: Int32 = 0
    var end: ProcessEnd?
    var endedAt: Int64 = 0
    /// When output last came.
    var lastOutput: Int64 = 0
    var ladder: StopLadder?
    /// Grows with a flood of output; few commands say much, and to fill a large buffer takes time before each of them.
    private var chunk = [UInt8](repeating: 0, count: 16 << 10)
    private static let mostChunk = 256 << 10

    init(
        _ order: ShepherdOrder, folder: StageFolder, claim: Claim.Held, reserved: ReservedResult, signals: Descriptor
    ) throws(SystemError) {
        self.order = order
        self.folder = folder
        self.claim = claim
        self.reserved = reserved
        self.signals = signals
        let needles = Needles(order.needles)
        redactor = Redactor(needles)
        log = try ConsoleLog(in: folder, limit: order.outputLimit)
        sampler = Sampler(startingAt: started)
        if needles.tooShort > 0 {
            notes.append(
                "\(needles.tooShort) secret(s) shorter than \(Needles.shortest) bytes are not redacted from the output")
        }
    }

    /// Runs the command; answers the outcome where it never started.
    mutating func run() -> RunResult {
        if nj_next_signal(signals.number, nil) != 0 {
            notes.append(RunNote.stoppedBeforeStart)
            return result(.stopped, leftovers: [])
        }
        let output: Descriptor
        do throws(SystemError) {
            guard try takeLock() else { return result(.couldNotStart, leftovers: []) }
            output = try start()
        } catch {
            notes.append(redactor.redacted(error.description) + hint(for: error))
            return result(.couldNotStart, leftovers: [])
        }
        watch(output)
        let (leftovers, holders) = settle(output)
        redactor.finish { log.write($0) }
        if holders > 0 {
            notes.append(
                "\(holders) process(es) left behind still write to the command's output, which is no longer read: "
                    + "services should redirect their own")
        }
        return result(outcome, leftovers: leftovers)
    }

    /// Lets others in: the next run, and whoever reads this one.
    func release() {
        lock?.release()
        claim.release()
    }

    /// False where another run has it: then nothing is started here.
    private mutating func takeLock() throws(SystemError) -> Bool {
        guard let path = order.lock else { return true }
        lock = try FileLock.take(path, owner: folder.path)
        if lock == nil { notes.append("another run is at work there: \(FileLock.owner(of: path) ?? path)") }
        return lock != nil
    }

    private func hint(for error: SystemError) -> String {
        switch error.code {
        case ENOEXEC: "; does its first line name an interpreter (#!/bin/sh)?"
        case EACCES: "; is it executable?"
        default: ""
        }
    }

    /// Spawns the command; answers the end of the pipe that its output arrives at.
    private mutating func start() throws(SystemError) -> Descriptor {
        let (read, write) = try Descriptor.pipe()
        _ = nj_set_pipe_size(read.number, 1 << 20)
        read.makeNonBlocking()
        let input =
            order.standardInput.isEmpty
            ? try Descriptor.open("/dev/null", O_RDONLY) : try Descriptor.memory(order.standardInput)
        let spawn = ChildSpawn(
            arguments: order.arguments, environment: environment, workingDirectory: order.workingDirectory,
            standing: .ownSession)
        lastOutput = SystemClock.monotonicNanoseconds
        command = try spawn.start(input: input, output: write, error: write)
        do throws(SystemError) {
            try claim.add(command: command)
        } catch {
            notes.append(error.description)
        }
        return read
    }

    private var cookie: String { "\(TreeSweep.cookieName)=\(order.stageID)" }

    private var environment: [String] {
        order.environment.filter { !$0.hasPrefix(TreeSweep.cookieName + "=") } + [cookie]
    }

    /// Waits for the command's end, reading, sampling and enforcing limits meanwhile.
    private mutating func watch(_ output: Descriptor) {
        let process = try? Pidfd(command)
        var isOpen = true
        while end == nil {
            if let ladder, ladder.isExhausted(at: SystemClock.monotonicNanoseconds) {
                notes.append("process \(command) did not end after SIGKILL; it is left to the kernel")
                return
            }
            var entries = [
                pollfd(fd: isOpen ? output.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: process?.number ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.number, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&entries, nfds_t(entries.count), pollTimeout())
            if entries[0].revents != 0 { isOpen = readOnce(output) != .closed }
            if entries[2].revents != 0, nj_next_signal(signals.number, nil) == SIGTERM { beginStop(.stopped) }
            // The last bytes of a busy command are read in `settle`; its end must not wait for them here.
            reap()
            enforceLimits()
            if SystemClock.monotonicNanoseconds >= sampler.next { sampler.sample(treeOf: getpid()) }
        }
    }

    /// Milliseconds until something must be done.
    private func pollTimeout() -> Int32 {
        var next = sampler.next
        if let ladder {
            next = min(next, ladder.nextStep)
        } else {
            next = min(next, started + nanoseconds(order.timeoutMilliseconds))
            if order.idleTimeoutMilliseconds > 0 {
                next = min(next, lastOutput + nanoseconds(order.idleTimeoutMilliseconds))
            }
        }
        let left = max(0, next - SystemClock.monotonicNanoseconds)
        return Int32(clamping: (left + 999_999) / 1_000_000)
    }

    private enum ReadOutcome: Equatable {
        case some(Int), nothing, closed
    }

    private mutating func readOnce(_ output: Descriptor) -> ReadOutcome {
        let got = read(output.number, &chunk, chunk.count)
        if got == 0 { return .closed }
        guard got > 0 else { return .nothing }
        lastOutput = SystemClock.monotonicNanoseconds
        chunk.withUnsafeBytes { buffer in
            redactor.pass(UnsafeRawBufferPointer(rebasing: buffer[..<got])) { log.write($0) }
        }
        if got == chunk.count, chunk.count < Shepherd.mostChunk {
            chunk = [UInt8](repeating: 0, count: 2 * chunk.count)
        }
        return .some(got)
    }

    /// Collects the command and every orphan that became ours.
    private mutating func reap() {
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            if pid == command {
                end = ProcessEnd(status: status)
                endedAt = SystemClock.monotonicNanoseconds
            }
        }
    }

    private mutating func enforceLimits() {
        guard end == nil else { return }
        let now = SystemClock.monotonicNanoseconds
        if now - started >= nanoseconds(order.timeoutMilliseconds) { beginStop(.timedOut) }
        if order.idleTimeoutMilliseconds > 0, now - lastOutput >= nanoseconds(order.idleTimeoutMilliseconds) {
            beginStop(.idleTimedOut)
        }
        ladder?.climb(at: now, group: command)
    }

    /// Limits of centuries must not overflow.
    private func nanoseconds(_ milliseconds: Int64) -> Int64 {
        min(milliseconds, 1 << 42) * 1_000_000
    }

    /// The first cause counts; a second changes nothing.
    private mutating func beginStop(_ cause: RunOutcome) {
        guard ladder == nil, end == nil else { return }
        ladder = StopLadder(cause: cause, grace: nanoseconds(order.graceMilliseconds), group: command)
    }
}

extension Shepherd {
    private static let leakWindow: Int64 = 200_000_000
    /// Time for the output that was already on its way.
    private static let drainTime: Int64 = 2_000_000_000

    /// After the command's end: reads what it wrote, then deals with what it left behind.
    ///
    /// - Returns: what was left, and how many of it still hold the command's output.
    private mutating func settle(_ output: Descriptor) -> ([RunLeftover], Int) {
        drain(output)
        if ladder == nil && order.leavesServices { return leaveServices(output) }
        let deadline = endedAt + Shepherd.leakWindow
        while ladder == nil, !living().isEmpty, SystemClock.monotonicNanoseconds < deadline {
            usleep(5000)
            drain(output)
            reap()
        }
        guard ladder != nil || !living().isEmpty else { return ([], 0) }
        let cookie = cookie
        let found = TreeSweep.end(
            {
                var everyone = ProcessTable.descendants(of: getpid())
                let known = Set(everyone.map(\.pid) + [getpid()])
                everyone += ProcessTable.withEnvironment(cookie).filter { !known.contains($0.pid) }
                return everyone
            },
            meanwhile: {
                drain(output)
                reap()
            })
        drain(output)
        return (
            found.map { RunLeftover(pid: $0.entry.pid, command: redactor.redacted($0.command), ended: $0.ended) }, 0
        )
    }

    /// A service that was only just forked redirects its output a moment later, so one that seems to hold the output
    /// is looked at again until the leak window is over.
    private mutating func leaveServices(_ output: Descriptor) -> ([RunLeftover], Int) {
        let deadline = endedAt + Shepherd.leakWindow
        var services = living()
        var holders = services.filter { holds(output, $0) }
        while !holders.isEmpty, SystemClock.monotonicNanoseconds < deadline {
            usleep(5000)
            drain(output)
            reap()
            services = living()
            holders = services.filter { holds(output, $0) }
        }
        let leftovers = services.map {
            RunLeftover(pid: $0.pid, command: redactor.redacted(ProcessTable.commandLine($0.pid)), ended: false)
        }
        return (leftovers, holders.count)
    }

    private func holds(_ output: Descriptor, _ process: ProcessEntry) -> Bool {
        output.inode.map { ProcessTable.inodes(of: process.pid, kind: "pipe").contains($0) } ?? false
    }

    private func living() -> [ProcessEntry] {
        ProcessTable.descendants(of: getpid())
    }

    /// Reads until nothing is waiting. What the command itself wrote fits the pipe, so a service that floods on cannot
    /// hold the run: no more than that is read at once.
    private mutating func drain(_ output: Descriptor) {
        var left = 2 << 20
        let deadline = SystemClock.monotonicNanoseconds + Shepherd.drainTime
        while left > 0, SystemClock.monotonicNanoseconds < deadline, case .some(let got) = readOnce(output) {
            left -= got
        }
    }

    private var outcome: RunOutcome {
        if let ladder { return ladder.cause }
        return switch end {
        case .exited: .exited
        case .signaled, nil: .signaled
        }
    }

    private var limitHit: String? {
        switch ladder?.cause {
        case .timedOut: "timeout " + DurationText.of(milliseconds: order.timeoutMilliseconds)
        case .idleTimedOut: "idleTimeout " + DurationText.of(milliseconds: order.idleTimeoutMilliseconds)
        default: nil
        }
    }

    private mutating func result(_ outcome: RunOutcome, leftovers: [RunLeftover]) -> RunResult {
        let summary = log.finish()
        if let problem = log.problem { notes.append("output was lost: " + problem.description) }
        if !sampler.isComplete { notes.append("more than \(Sampler.mostHosts) remote hosts; the rest is not listed") }
        var (exit, signal): (Int32?, Int32?)
        switch end {
        case .exited(let status): exit = status
        case .signaled(let number): signal = number
        case nil: break
        }
        let finished = endedAt > 0 ? endedAt : SystemClock.monotonicNanoseconds
        let usage = ResourceReading.ofChildren()
        return RunResult(
            stageID: order.stageID, outcome: outcome, exit: exit, signal: signal, limitHit: limitHit,
            startedAt: startedAt, endedAt: startedAt + (finished - started) / 1_000_000,
            durationNanoseconds: finished - started, cpuSeconds: usage.cpuSeconds + cpuSeconds(of: leftovers),
            peakMemoryBytes: sampler.peakBytes > 0 ? sampler.peakBytes : usage.largestBytes,
            hosts: sampler.hosts.sorted(), leftovers: leftovers, consoleBytes: summary.bytes,
            consoleDroppedBytes: summary.dropped, consoleSHA256: summary.digest, notes: notes)
    }

    private func cpuSeconds(of leftovers: [RunLeftover]) -> Double {
        let ticks = leftovers.filter { !$0.ended }.reduce(0) { $0 + (ProcessTable.entry($1.pid)?.cpuTicks ?? 0) }
        return Double(ticks) / ProcessTable.ticksPerSecond
    }
}
