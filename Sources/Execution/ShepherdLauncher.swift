// SPDX-License-Identifier: Apache-2.0
// The one thread on which Foundation's Process starts shepherds.
//
// One thread, because Process makes its socket pair without close-on-exec, so two launches at once could inherit each
// other's, and because each launching thread gets a run loop and descriptors of its own.

import Foundation
import Platform
import Shepherd
import Synchronization

/// Starts shepherds, one after the other.
final class ShepherdLauncher: Sendable {
    /// The shepherd's pid, held by descriptor; nil where it had ended before it could be looked at.
    typealias Answer = @Sendable (Result<Pidfd?, LaunchFailure>) -> Void

    struct LaunchFailure: Error {
        var reason: String
    }
    private let queue = JobQueue()
    private let executablePath: String

    init(executablePath: String) {
        self.executablePath = executablePath
        let queue = queue
        let thread = Thread {
            while true {
                queue.next()()
            }
        }
        thread.name = "launcher"
        thread.stackSize = 512 << 10
        thread.start()
    }

    func launch(_ order: ShepherdOrder, answer: @escaping Answer) {
        let executablePath = executablePath
        queue.add {
            answer(ShepherdLauncher.start(executablePath, order))
        }
    }

    private static func start(_ executablePath: String, _ order: ShepherdOrder) -> Result<Pidfd?, LaunchFailure> {
        do {
            // In memory, complete before the shepherd starts: nothing can tear it, nothing of it reaches a disk.
            let input = try Descriptor.memory(order.encoded())
            let log = try Descriptor.open(
                StageFolder(order.folder).shepherdLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: executablePath)
            process.arguments = ["__shepherd"]
            process.environment = ["SWIFT_BACKTRACE": "enable=no", "PATH": "/usr/bin:/bin"]
            process.currentDirectoryURL = URL(fileURLWithPath: "/")
            process.standardInput = FileHandle(fileDescriptor: input.number, closeOnDealloc: false)
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle(fileDescriptor: log.number, closeOnDealloc: false)
            try process.run()
            withExtendedLifetime((input, log)) {}
            return .success(try? Pidfd(process.processIdentifier))
        } catch {
            return .failure(LaunchFailure(reason: "could not start a shepherd (\(executablePath)): \(error)"))
        }
    }
}

/// A queue that its reader sleeps on.
private final class JobQueue: Sendable {
    typealias Job = @Sendable () -> Void
    private let jobs = Mutex<[Job]>([])
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: @escaping Job) {
        jobs.withLock { $0.append(job) }
        available.signal()
    }

    func next() -> Job {
        available.wait()
        return jobs.withLock { $0.removeFirst() }
    }
}
