// SPDX-License-Identifier: Apache-2.0
// Where a loop does its work: reports, logs and evidence may be of any size, and reading them must not hold one of the few
// threads that all tasks share.

import Dispatch

/// Runs the tasks that prefer it one piece at a time, on a thread that is none of the shared pool.
///
///     Task(executorPreference: queue) { await StagePerformer(context: context).perform(run, surroundings) }
final class WorkQueue: TaskExecutor {
    let queue: DispatchQueue

    /// - Parameter name: shown by debuggers.
    init(_ name: String) {
        queue = DispatchQueue(label: "nightjar.\(name)")
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        queue.async { unowned.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
