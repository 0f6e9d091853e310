// SPDX-License-Identifier: Apache-2.0
// A folder for one test, gone afterwards.

package import Platform
import Synchronization

/// A fresh folder that is removed with its last reference.
package final class TemporaryFolder: Sendable {
    private static let counter = Atomic<Int>(0)

    package let path: String

    package init() throws(SystemError) {
        let number = TemporaryFolder.counter.wrappingAdd(1, ordering: .relaxed).newValue
        path = "/tmp/nightjar-test-\(SystemClock.monotonicNanoseconds)-\(number)"
        try Files.createDirectories(path)
    }

    deinit {
        try? Files.removeTree(path)
    }

    /// A path below the folder.
    package func callAsFunction(_ name: String) -> String { path + "/" + name }

    package func write(_ name: String, _ text: String) throws(SystemError) {
        try AtomicFile.write(Array(text.utf8), to: self(name), durable: false)
    }

    package func read(_ name: String) throws(SystemError) -> String {
        String(decoding: try Files.read(self(name), limit: 256 << 20), as: UTF8.self)
    }
}

/// The program under test.
package enum Nightjar {
    /// The `nightjar` executable that was built with the tests: beside the test bundle, which the runner names in its
    /// arguments.
    package static let path: String = {
        let runner = Files.linkTarget("/proc/self/exe") ?? ""
        let places = CommandLine.arguments.map(Files.parent(of:)) + [Files.parent(of: runner)]
        for place in places where Files.isExecutable(place + "/nightjar") { return place + "/nightjar" }
        return ".build/debug/nightjar"
    }()
}

/// Waits until `condition` holds, at most 20 s, without blocking the pool.
package func eventually(_ condition: @Sendable () -> Bool) async -> Bool {
    for _ in 0..<4000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}
