// SPDX-License-Identifier: Apache-2.0
// Small commands that we run for ourselves (git, curl): short, bounded, collected in memory.

import CShims
import Glibc

/// What a helper command said.
package struct HelperOutput: Sendable {
    /// nil where a signal ended it.
    package var exit: Int32?
    package var signal: Int32?
    package var standardOutput: [UInt8]
    package var standardError: [UInt8]
    package var timedOut: Bool
    /// Whether either stream had more than the limit; the rest was read and thrown away.
    package var truncated: Bool

    /// It ended by itself, in time, with status 0.
    package var succeeded: Bool { exit == 0 && !timedOut }
    package var text: String { String(decoding: standardOutput, as: UTF8.self) }
    package var errorText: String { String(decoding: standardError, as: UTF8.self) }
}

/// How a helper that does not end in time is made to.
struct HelperPatience: Sendable {
    /// From SIGTERM to SIGKILL.
    var killAfter = Duration.seconds(1)
    /// From SIGKILL until nobody waits for it any more: a process that sits in the kernel (a dead NFS server, a broken disk)
    /// cannot be killed before the kernel lets it go.
    var giveUpAfter = Duration.seconds(10)
    var signal: @Sendable (_ group: Int32, _ signal: Int32) -> Void = { _ = kill(-$0, $1) }
}

package enum HelperCommand {
    /// Runs a command in a group of its own and waits for its end without blocking the caller's thread.
    ///
    /// A process that it leaves in the background holds nothing up: its output is not waited for.
    ///
    /// - Parameters:
    ///   - argv: the program is searched in the PATH of `environment`.
    ///   - environment: the complete environment.
    ///   - timeout: after it the group gets SIGTERM, and SIGKILL a second later. One that does not end within 10 s of that
    ///     is given up: it counts as timed out, and is reaped whenever it ends.
    ///   - outputLimit: bytes kept of each stream.
    package static func run(
        _ argv: [String], environment: [String: String], workingDirectory: String? = nil, standardInput: [UInt8] = [],
        timeout: Duration, outputLimit: Int = 1 << 20
    ) async throws(SystemError) -> HelperOutput {
        try await run(
            argv, environment: environment, workingDirectory: workingDirectory, standardInput: standardInput,
            timeout: timeout, outputLimit: outputLimit, patience: HelperPatience())
    }

    static func run(
        _ argv: [String], environment: [String: String], workingDirectory: String?, standardInput: [UInt8],
        timeout: Duration, outputLimit: Int, patience: HelperPatience
    ) async throws(SystemError) -> HelperOutput {
        let spawn = ChildSpawn(
            arguments: argv, environment: environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" },
            workingDirectory: workingDirectory, standing: .ownGroup)
        let answer: Result<HelperOutput, SystemError> = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try PlatformThread.start("helper") {
                    do throws(SystemError) {
                        var helper = try HelperRun(spawn, input: standardInput, limit: outputLimit)
                        let (output, hasEnded) = helper.finish(within: timeout, patience)
                        continuation.resume(returning: .success(output))
                        if !hasEnded { helper.reapLater() }
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try answer.get()
    }
}

/// One helper at work; lives on one thread.
private struct HelperRun {
    private let process: Pidfd
    private let output: Descriptor
    private let error: Descriptor
    private let limit: Int
    private var kept: (output: [UInt8], error: [UInt8]) = ([], [])
    private var truncated = false
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    init(_ spawn: ChildSpawn, input: [UInt8], limit: Int) throws(SystemError) {
        let source = try input.isEmpty ? Descriptor.open("/dev/null", O_RDONLY) : Descriptor.memory(input)
        let (outputRead, outputWrite) = try Descriptor.pipe()
        let (errorRead, errorWrite) = try Descriptor.pipe()
        outputRead.makeNonBlocking()
        errorRead.makeNonBlocking()
        let pid = try spawn.start(input: source, output: outputWrite, error: errorWrite)
        do throws(SystemError) {
            process = try Pidfd(pid)
        } catch {
            kill(-pid, SIGKILL)
            _ = uninterrupted { waitpid(pid, nil, 0) }
            throw error
        }
        output = outputRead
        error = errorRead
        self.limit = limit
    }

    /// What came of it, and whether the process has ended.
    mutating func finish(within timeout: Duration, _ patience: HelperPatience) -> (HelperOutput, hasEnded: Bool) {
        let timedOut = !waitForEnd(within: timeout)
        var hasEnded = !timedOut
        if timedOut {
            patience.signal(process.pid, SIGTERM)
            hasEnded = waitForEnd(within: patience.killAfter)
            if !hasEnded {
                patience.signal(process.pid, SIGKILL)
                hasEnded = waitForEnd(within: patience.giveUpAfter)
            }
        }
        let end = hasEnded ? reap() : .signaled(SIGKILL)
        read()
        var result = HelperOutput(
            exit: nil, signal: nil, standardOutput: kept.output, standardError: kept.error, timedOut: timedOut,
            truncated: truncated)
        switch end {
        case .exited(let code): result.exit = code
        case .signaled(let number): result.signal = number
        }
        return (result, hasEnded)
    }

    /// Of a process that was given up; its thread has nothing else to do.
    func reapLater() { _ = reap() }

    private func reap() -> ProcessEnd {
        var status: Int32 = 0
        _ = uninterrupted { waitpid(process.pid, &status, 0) }
        return ProcessEnd(status: status)
    }

    /// Reads until the process ends; false when `limit` is over.
    private mutating func waitForEnd(within limit: Duration) -> Bool {
        let seconds = min(limit.components.seconds, 1 << 30)
        let deadline =
            SystemClock.monotonicNanoseconds + seconds * 1_000_000_000 + limit.components.attoseconds / 1_000_000_000
        var (outputOpen, errorOpen) = (true, true)
        while true {
            let left = (deadline - SystemClock.monotonicNanoseconds + 999_999) / 1_000_000
            if left <= 0 { return process.hasEnded }
            var entries = [
                pollfd(fd: process.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: outputOpen ? output.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorOpen ? error.number : -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&entries, 3, Int32(clamping: left))
            if entries[1].revents != 0 { outputOpen = readOnce(output, \.output) != 0 }
            if entries[2].revents != 0 { errorOpen = readOnce(error, \.error) != 0 }
            if entries[0].revents != 0 { return true }
        }
    }

    /// What is waiting in both pipes, and no more than they can hold: others may write on.
    private mutating func read() {
        var pieces = 32
        while pieces > 0, readOnce(output, \.output) > 0 { pieces -= 1 }
        pieces = 32
        while pieces > 0, readOnce(error, \.error) > 0 { pieces -= 1 }
    }

    /// Bytes read; 0 at the end, -1 where nothing is waiting.
    private mutating func readOnce(
        _ source: Descriptor, _ target: WritableKeyPath<(output: [UInt8], error: [UInt8]), [UInt8]>
    ) -> Int {
        let got = Glibc.read(source.number, &chunk, chunk.count)
        guard got > 0 else { return got }
        let room = limit - kept[keyPath: target].count
        if got > room { truncated = true }
        kept[keyPath: target].append(contentsOf: chunk.prefix(min(got, room)))
        return got
    }
}
