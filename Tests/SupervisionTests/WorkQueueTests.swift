// SPDX-License-Identifier: Apache-2.0
// Work that blocks must not hold the threads that all tasks share.

import Dispatch
import Foundation
import Testing

@testable import Supervision

@Suite struct WorkQueueTests {
    private func wait(for gate: DispatchSemaphore) { gate.wait() }

    /// More of them than the pool has threads: were they on it, nobody would be left to open the gate.
    @Test(.timeLimit(.minutes(10)))
    func `tasks that block leave the shared threads to others`() async {
        let gate = DispatchSemaphore(value: 0)
        let blocked = ProcessInfo.processInfo.activeProcessorCount + 2
        let queues = (0..<blocked).map { WorkQueue("test-\($0)") }
        await withTaskGroup { group in
            for queue in queues {
                group.addTask(executorPreference: queue) { wait(for: gate) }
            }
            // Behind them in the pool's queue.
            group.addTask { for _ in 0..<blocked { gate.signal() } }
        }
    }

    @Test func `what a task calls and awaits stays on its queue`() async {
        let queue = WorkQueue("named")
        let key = DispatchSpecificKey<Bool>()
        queue.queue.setSpecific(key: key, value: true)
        func isThere() async -> Bool {
            await Task.yield()
            return DispatchQueue.getSpecific(key: key) == true
        }
        let places = await Task(executorPreference: queue) { [await isThere(), await isThere()] }.value
        #expect(places == [true, true])
        #expect(await isThere() == false)
    }
}
