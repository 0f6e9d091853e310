// SPDX-License-Identifier: Apache-2.0
// Exceptions to the rules, each with its reason. The list may only shrink: an entry that is no longer needed fails.

/// One exception: a rule may be broken in one file, at most so often.
struct Exception: Hashable, Sendable {
    var rule: String
    var path: String
    var count: Int
    var because: String
}

enum RatchetList {
    static let exceptions: [Exception] = [
        Exception(
            rule: "banned Thread.sleep", path: "Sources/DemoStaging/DemoCleanup.swift", count: 1,
            because: "waits for a process of the demo to end, on a thread of its own"),
        Exception(
            rule: "banned Thread.sleep", path: "Sources/DemoStaging/DemoSession.swift", count: 1,
            because: "the pace of the demo's stream is what the service is about"),
        Exception(
            rule: "banned DispatchSemaphore", path: "Sources/Supervision/OperatorDesk.swift", count: 1,
            because: "the control socket's own thread waits until an order is in the journal; it is no task"),
        Exception(
            rule: "banned DispatchSemaphore", path: "Sources/Supervision/ControlServer.swift", count: 1,
            because: "who closes the control socket waits, a second at most, for the answer that is on its way"),
        Exception(
            rule: "banned DispatchSemaphore", path: "Sources/Execution/ShepherdLauncher.swift", count: 1,
            because: "one thread launches all shepherds and sleeps between jobs; it is no task"),
    ]

    /// Takes what a rule found, `path` to lines, and says what no exception covers.
    static func judge(_ rule: String, _ found: [String: [String]]) -> [String] {
        var complaints: [String] = []
        for (path, findings) in found.sorted(by: { $0.key < $1.key }) {
            let covered = exceptions.first { $0.rule == rule && $0.path == path }?.count ?? 0
            if findings.count > covered { complaints += findings.map { "\(path)\($0)" } }
        }
        for exception in exceptions where exception.rule == rule {
            let count = found[exception.path]?.count ?? 0
            if count < exception.count {
                complaints.append(
                    "\(exception.path): \(rule) is broken \(count) times, the ratchet allows more: tighten it")
            }
        }
        return complaints
    }
}
