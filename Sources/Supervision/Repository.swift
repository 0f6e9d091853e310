// SPDX-License-Identifier: Apache-2.0
// What the loop asks of git: which revision is wanted, what lies between two, a clean worktree to deploy from, and a
// reference that keeps the last green revision from being collected.
//
// A revision may be what a server of the environment answered: every one comes after `--end-of-options`, so that none is
// taken for an option such as `--output=FILE`.

package import Domain
import Platform
package import Triage

/// A git command that did not do what was asked.
package struct RepositoryError: Error, CustomStringConvertible {
    package var attempted: String
    package var path: String
    package var problem: String

    package var description: String { "unable to \(attempted) in \(path): \(problem)" }
}

package struct Repository: Sendable {
    let path: String
    let environment: [String: String]
    /// Bytes of an answer; a longer one is an error.
    private let outputLimit: Int

    package init(path: String, environment: [String: String], outputLimit: Int = 16 << 20) {
        self.path = path
        self.environment = environment
        self.outputLimit = outputLimit
    }

    /// Brings new commits in from the default remote; git's own credentials and time limits apply.
    package func fetch() async throws(RepositoryError) {
        _ = try await git(["fetch", "--quiet", "--prune"], to: "fetch", timeout: .seconds(120))
    }

    /// The full commit id that a name stands for.
    package func resolve(_ name: String) async throws(RepositoryError) -> Revision {
        let text = try await git(
            ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(name)^{commit}"], to: "find the commit \(name)")
        return Revision(text.trimmingWhitespace)
    }

    /// What a name stands for at the remote, after a fetch. A branch that only the clone still has was deleted there: its old
    /// commits are not what is wanted.
    package func fetched(_ name: String) async throws(RepositoryError) -> Revision {
        try await fetch()
        let branch = name.hasPrefix("refs/heads/") ? String(name.dropFirst(11)) : name
        if let remote = try? await resolve("refs/remotes/origin/\(branch)") { return remote }
        let tag = try? await resolve("refs/tags/\(name)")
        let local = try? await resolve("refs/heads/\(branch)")
        guard tag != nil || local == nil else {
            throw RepositoryError(
                attempted: "find the branch \(branch)", path: path,
                problem:
                    "origin has no such branch any more; the clone's own branch of that name may be of any age and is not "
                    + "taken for it")
        }
        return try await resolve(name)
    }

    /// The commits after `green` up to `wanted`, oldest first, following first parents.
    package func commits(after green: Revision, upTo wanted: Revision) async throws(RepositoryError) -> [CommitInfo] {
        let format = "--format=%x01%H%x02%s%x02%an"
        let range = "\(green.id)..\(wanted.id)"
        let text = try await git(
            ["log", "--reverse", "--first-parent", "-m", "--name-only", format, "--end-of-options", range, "--"],
            to: "list the commits \(range)")
        return Repository.entries(text).compactMap { entry in
            let lines = entry.split(separator: "\n").map(String.init)
            guard let head = lines.first else { return nil }
            // A subject may hold any character: the id ends at the first mark, the author begins at the last.
            let parts = head.split(separator: "\u{2}", omittingEmptySubsequences: false).map(String.init)
            guard parts.count >= 3, let id = parts.first, let author = parts.last else { return nil }
            return CommitInfo(
                revision: Revision(id), subject: parts[1..<(parts.count - 1)].joined(separator: " "), author: author,
                files: lines.dropFirst().map { PatchReader.path(Array($0.utf8)[...]) })
        }
    }

    /// The text of each commit: one begins at a mark at the start of a line that a full id follows.
    private static func entries(_ text: String) -> [String] {
        var entries: [String] = []
        for line in text.split(separator: "\n") {
            let isHead =
                line.hasPrefix("\u{1}") && line.firstIndex(of: "\u{2}").map { line[..<$0].utf8.count > 40 } ?? false
            if isHead {
                entries.append(String(line.dropFirst()))
            } else if !entries.isEmpty {
                entries[entries.count - 1] += "\n\(line)"
            }
        }
        return entries
    }

    package func describe(_ revision: Revision) async -> (subject: String, author: String)? {
        let text = try? await git(
            ["show", "--no-patch", "--format=%s%x02%an", "--end-of-options", revision.id, "--"],
            to: "describe a commit")
        let parts = text?.trimmingWhitespace.split(separator: "\u{2}", maxSplits: 1).map(String.init) ?? []
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }

    package func count(after green: Revision, upTo wanted: Revision) async -> Int? {
        let range = "\(green.id)..\(wanted.id)"
        let text = try? await git(["rev-list", "--count", "--end-of-options", range, "--"], to: "count commits")
        return text.flatMap { Int($0.trimmingWhitespace) }
    }

    /// Whether `revision` contains `other`.
    package func contains(_ revision: Revision, _ other: Revision) async -> Bool {
        let arguments = ["merge-base", "--is-ancestor", "--end-of-options", other.id, revision.id]
        return (try? await git(arguments, to: "compare commits")) != nil
    }

    /// Files that differ between two revisions.
    package func changedFiles(_ one: Revision, _ other: Revision) async throws(RepositoryError) -> [String] {
        let text = try await git(
            ["diff", "--name-only", "--end-of-options", one.id, other.id, "--"],
            to: "compare \(one.short) and \(other.short)")
        return Repository.paths(text)
    }

    private static func paths(_ text: String) -> [String] {
        text.split(separator: "\n").map { PatchReader.path(Array($0.utf8)[...]) }
    }

    /// The first file that matches one of `patterns` among those that differ between two revisions or that a commit
    /// between them changed: what one commit added and a later one took back shows at neither end.
    func irreversibleFile(
        _ patterns: [String], between one: Revision, and other: Revision
    ) async throws(RepositoryError) -> String? {
        let attempted = "list what changed between \(one.short) and \(other.short)"
        // A file that was moved counts under its old name as well.
        let ends = try await git(
            ["diff", "--name-only", "--no-renames", "--end-of-options", one.id, other.id, "--"], to: attempted)
        let between = try await git(
            [
                "log", "--first-parent", "-m", "--name-only", "--no-renames", "--format=", "--end-of-options",
                "\(one.id)...\(other.id)", "--",
            ], to: attempted)
        return (Repository.paths(ends) + Repository.paths(between)).first { file in
            patterns.contains { Glob.matches($0, file) }
        }
    }

    /// Why nothing may be deployed across what lies between two revisions; nil where nothing is in the way.
    func irreversible(_ patterns: [String], between green: Revision, and wanted: Revision) async -> String? {
        guard !patterns.isEmpty else { return nil }
        do throws(RepositoryError) {
            return try await irreversibleFile(patterns, between: green, and: wanted).map {
                "\($0) changed since \(green.short) and matches deploy.irreversible"
            }
        } catch {
            return "whether an irreversible change lies between \(green.short) and \(wanted.short) could not be told"
        }
    }

    /// A clean worktree of `revision` at `folder`: what was there is removed first.
    package func makeWorktree(of revision: Revision, at folder: String) async throws(RepositoryError) {
        if Files.exists(folder) {
            _ = try? await git(["worktree", "remove", "--force", "--force", folder], to: "remove a worktree")
            try? Files.removeTree(folder)
        }
        _ = try? await git(["worktree", "prune"], to: "prune worktrees")
        _ = try await git(
            ["worktree", "add", "--quiet", "--detach", "--force", "--end-of-options", folder, revision.id],
            to: "make a clean worktree of \(revision.short)", timeout: .seconds(300))
    }

    package func removeWorktree(at folder: String) async {
        _ = try? await git(["worktree", "remove", "--force", "--force", folder], to: "remove a worktree")
        try? Files.removeTree(folder)
    }

    /// Keeps `revision` reachable and findable as the loop's last green one.
    package func markGreen(_ revision: Revision, loop: String) async throws(RepositoryError) {
        _ = try await git(
            ["update-ref", "-m", "nightjar: green", "--end-of-options", Repository.greenReference(loop), revision.id],
            to: "mark \(revision.short) as the last green revision")
    }

    package func markedGreen(loop: String) async -> Revision? {
        try? await resolve(Repository.greenReference(loop))
    }

    static func greenReference(_ loop: String) -> String { "refs/nightjar/\(StageRun.fileName(loop))/last-green" }

    func git(
        _ arguments: [String], to attempted: String, timeout: Duration = .seconds(30)
    ) async throws(RepositoryError) -> String {
        do {
            let answer = try await GitCommand.run(
                ["-C", path] + arguments, environment: environment, timeout: timeout, limit: outputLimit)
            return String(decoding: answer, as: UTF8.self)
        } catch {
            throw RepositoryError(attempted: attempted, path: path, problem: error.description)
        }
    }
}

extension String {
    /// Without white space at either end.
    var trimmingWhitespace: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }
}
