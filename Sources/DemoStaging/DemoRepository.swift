// SPDX-License-Identifier: Apache-2.0
// A throw-away git repository with a history in which one commit breaks the staging service.

internal import Foundation

/// The repository that the demo deploys from.
package struct DemoRepository: Hashable, Sendable {
    /// The commit that the first cycle deploys and finds healthy.
    package var firstGreen: String
    /// The newest commit, broken.
    package var head: String
    /// The commit that broke it.
    package var culprit: String
    /// All commits, oldest first.
    package var commits: [String]

    /// Creates the repository at `layout.repository`, which must not exist. Authors and dates are fixed, so the same layout
    /// gives the same commits. Needs `git` in the PATH; blocks until it is done.
    package static func create(at layout: DemoLayout) throws(DemoError) -> DemoRepository {
        guard !FileManager.default.fileExists(atPath: layout.repository) else {
            throw .badLayout("\(layout.repository) exists already; remove it or choose another folder")
        }
        try DemoFiles.makeDirectory(layout.repository + "/ops")
        try DemoFiles.makeDirectory(layout.repository + "/src")
        try DemoFiles.makeDirectory(layout.staging)
        let git = Git(layout: layout)
        try git.run(["init", "--quiet", "--initial-branch=main"])
        for (key, value) in [("user.name", "Nightjar Demo"), ("user.email", "demo@example.com"), ("gc.auto", "0")] {
            try git.run(["config", key, value])
        }
        var commits: [String] = []
        for (index, commit) in DemoHistory.commits(layout).enumerated() {
            for (path, text) in commit.files.sorted(by: { $0.key < $1.key }) {
                try DemoFiles.write(text, to: "\(layout.repository)/\(path)", executable: path.hasSuffix(".sh"))
            }
            try git.run(["add", "--all"])
            try git.run(["commit", "--quiet", "--message", commit.message], author: commit.author, day: index + 1)
            commits.append(try git.head())
        }
        return DemoRepository(
            firstGreen: commits[DemoHistory.firstGreen], head: commits[commits.count - 1],
            culprit: commits[DemoHistory.culprit], commits: commits)
    }

    private struct Git {
        let layout: DemoLayout

        private var log: String { layout.root + "/git.log" }

        func run(_ arguments: [String], author: String = "Nightjar Demo", day: Int = 1) throws(DemoError) {
            let mail = author.lowercased().replacing(" ", with: ".") + "@example.com"
            let date = "2026-11-\(day + 9)T09:30:00Z"
            // Nothing of the user's own configuration, hooks or signing keys may reach into the demo.
            let environment = [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": layout.root,
                "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": author,
                "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_NAME": author,
                "GIT_COMMITTER_EMAIL": mail, "GIT_COMMITTER_DATE": date,
            ]
            try DemoCommandLine.run(["git", "-C", layout.repository] + arguments, environment: environment, log: log)
        }

        func head() throws(DemoError) -> String {
            try run(["rev-parse", "HEAD"])
            do {
                return try String(contentsOfFile: log, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            } catch {
                throw .file(path: log, reason: error.localizedDescription)
            }
        }
    }
}
