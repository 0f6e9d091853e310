// SPDX-License-Identifier: Apache-2.0
// Ends what the demo left running and says what it leaves on disk.

internal import Foundation

/// Ends the staging service of a demo.
package enum DemoCleanup {
    /// What was done and what remains, a line each.
    package struct Report: Hashable, Sendable {
        /// Whether nothing of the demo runs any more.
        package var isClean: Bool
        package var lines: [String]
    }

    /// Stops the service that the pid file names, if it is this demo's, with SIGTERM and after 5 s with SIGKILL. Files are
    /// left for the reader. Blocks the calling thread for at most 6 s.
    package static func run(_ layout: DemoLayout) -> Report {
        let path = layout.staging + "/service.pid"
        let text = (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        let left = "the files of the demo stay in \(layout.root); remove them with: rm -r '\(layout.root)'"
        guard let text, let process = pid_t(text), process > 1, isOurs(process, layout) else {
            return Report(isClean: true, lines: ["no staging service is running", left])
        }
        kill(process, SIGTERM)
        if !ends(process, layout, within: .seconds(5)) {
            kill(process, SIGKILL)
            guard ends(process, layout, within: .seconds(1)) else {
                return Report(
                    isClean: false, lines: ["the staging service (process \(process)) does not end", left])
            }
        }
        try? FileManager.default.removeItem(atPath: path)
        try? FileManager.default.removeItem(atPath: layout.staging + "/port")
        return Report(isClean: true, lines: ["the staging service (process \(process)) has ended", left])
    }

    /// Whether the process is the service of this demo: the id may have been given to somebody else. A zombie has no
    /// command line and counts as ended.
    static func isOurs(_ process: pid_t, _ layout: DemoLayout) -> Bool {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
        let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.dropFirst().starts(with: ["__demo-service", "--root", layout.staging])
    }

    private static func ends(_ process: pid_t, _ layout: DemoLayout, within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while isOurs(process, layout) {
            guard ContinuousClock.now < deadline else { return false }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return true
    }
}
