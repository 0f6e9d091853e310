// SPDX-License-Identifier: Apache-2.0
// A thread of its own for whatever blocks: the cooperative pool has only as many threads as cores.

import CShims
import Glibc

package enum PlatformThread {
    private final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a detached thread.
    ///
    /// - Parameter name: shown by `ps -T`, at most 15 bytes.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        pthread_detach(try create(name, body))
    }

    /// Runs `body` on the calling thread and, at the same time, on up to `helpers` others; returns when all of them have
    /// returned. Where no thread is to be had fewer take part: `body` takes its work from a place that all share.
    package static func together(_ name: String, helpers: Int, _ body: @escaping @Sendable () -> Void) {
        var threads: [pthread_t] = []
        while threads.count < helpers, let thread = try? create(name, body) { threads.append(thread) }
        body()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Starts a thread that must be joined or detached.
    private static func create(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        let box = Unmanaged.passRetained(Box(name: name, body: body))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
                nj_set_name(box.name)
                box.body()
                return nil
            }, box.toOpaque())
        if failure != 0 {
            box.release()
            throw SystemError(code: failure, attempted: "start", path: "thread \(name)")
        }
        return thread
    }
}
