// SPDX-License-Identifier: Apache-2.0
// The one thread on which Foundation's Process starts shepherds.
//
// One thread, because Process makes its socket pair without close-on-exec, so two launches at once could inherit each
// other's, and because each launching thread gets a run loop and descriptors of its own.
//
// To start a program of this size takes longer than most of what follows, so the next shepherd is started while a
// command runs. It waits for its order and has claimed nothing: whoever has no order for it closes its standard input.

import Foundation
import Platform
import Shepherd
import Synchronization

/// Starts shepherds, one after the other.
final class ShepherdLauncher: Sendable {
    struct Launched: Sendable {
        /// Held by descriptor; nil where it had ended before it could be looked at.
        var shepherd: Pidfd?
        /// Where one that waited says that its result is written, before it ends.
        var word: Descriptor?
        /// It had been started before the order came: where it ended without a claim, its end may be older than the order.
        var wasWaiting: Bool
    }
    struct LaunchFailure: Error {
        var reason: String
    }
    typealias Answer = Result<Launched, LaunchFailure>

    private let queue = LaunchQueue()

    init(executablePath: String) {
        let queue = queue
        let thread = Thread {
            var desk = LaunchDesk(executablePath: executablePath)
            while true { desk.serve(queue) }
        }
        thread.name = "launcher"
        thread.stackSize = 512 << 10
        thread.start()
    }

    /// - Parameter fresh: not the shepherd that waits, but a new one.
    func launch(_ order: ShepherdOrder, fresh: Bool = false, answer: @escaping @Sendable (Answer) -> Void) {
        queue.add(LaunchQueue.Job(frame: order.encoded(), isFresh: fresh, answer: answer))
    }
}

/// What the launcher's thread has in hand; no other ever sees it.
private struct LaunchDesk {
    let executablePath: String
    private var waiting: WaitingShepherd?
    private var started: [Process] = []

    private struct WaitingShepherd {
        var process: Pidfd
        var input: Descriptor
    }
    /// How long a shepherd waits for an order: beyond a busy cycle it would only be memory.
    private static let patience = DispatchTimeInterval.seconds(5)
    /// What a socket takes at once. A larger order is no hurry, and never waits for a reader.
    private static let mostFrameBytes = 64 << 10

    init(executablePath: String) {
        self.executablePath = executablePath
    }

    /// Answers one job and has the next shepherd ready; dismisses that one where no job comes.
    mutating func serve(_ queue: LaunchQueue) {
        guard let job = queue.next(within: waiting == nil ? nil : LaunchDesk.patience) else {
            waiting = nil
            return
        }
        job.answer(launch(job))
        if waiting == nil { waiting = try? startWaiting() }
    }

    private mutating func launch(_ job: LaunchQueue.Job) -> ShepherdLauncher.Answer {
        if !job.isFresh, job.frame.count <= LaunchDesk.mostFrameBytes, let ready = waiting {
            waiting = nil
            // An order that was cut off is refused by its reader: nothing is claimed, and a fresh one may begin.
            if !ready.process.hasEnded, ready.input.sendAtOnce(job.frame) {
                ready.input.endSending()
                return .success(
                    ShepherdLauncher.Launched(shepherd: ready.process, word: ready.input, wasWaiting: true))
            }
        }
        do {
            // In memory, complete before the shepherd starts: nothing can tear it, nothing of it reaches a disk.
            let process = try start(input: Descriptor.memory(job.frame))
            return .success(ShepherdLauncher.Launched(shepherd: try? Pidfd(process), wasWaiting: false))
        } catch {
            return .failure(
                ShepherdLauncher.LaunchFailure(reason: "could not start a shepherd (\(executablePath)): \(error)"))
        }
    }

    private mutating func startWaiting() throws -> WaitingShepherd {
        let (ours, theirs) = try Descriptor.socketPair()
        return WaitingShepherd(process: try Pidfd(try start(input: theirs)), input: ours)
    }

    private mutating func start(input: Descriptor) throws -> Int32 {
        letGoOfEnded()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executablePath)
        process.arguments = ["__shepherd"]
        process.environment = ["SWIFT_BACKTRACE": "enable=no", "PATH": "/usr/bin:/bin"]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle(fileDescriptor: input.number, closeOnDealloc: false)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        withExtendedLifetime(input) {}
        started.append(process)
        return process.processIdentifier
    }

    /// A Process and the source that it adds to the run loop hold each other until `waitUntilExit` parts them. It returns
    /// at once where Foundation already knows the end.
    private mutating func letGoOfEnded() {
        started.removeAll { process in
            guard !process.isRunning else { return false }
            process.waitUntilExit()
            return true
        }
    }
}

/// A queue that its reader sleeps on.
private final class LaunchQueue: Sendable {
    struct Job: Sendable {
        var frame: [UInt8]
        var isFresh: Bool
        var answer: @Sendable (ShepherdLauncher.Answer) -> Void
    }
    private let jobs = Mutex<[Job]>([])
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: Job) {
        jobs.withLock { $0.append(job) }
        available.signal()
    }

    /// The next job; nil where none came in time. Without a time it waits for ever.
    func next(within time: DispatchTimeInterval?) -> Job? {
        guard available.wait(timeout: time.map { .now() + $0 } ?? .distantFuture) == .success else { return nil }
        return jobs.withLock { $0.removeFirst() }
    }
}
