// SPDX-License-Identifier: Apache-2.0
// What git is asked, against a real repository.

import Domain
import Platform
import TestSupport
import Testing
import Triage

@testable import Supervision

struct RepositoryTests {
    private let folder: TemporaryFolder
    private let repository: Repository
    private static let environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
    ]

    init() throws {
        folder = try TemporaryFolder()
        repository = Repository(path: folder("app"), environment: Self.environment)
    }

    private func git(_ arguments: [String]) async throws {
        let output = try await HelperCommand.run(
            ["git", "-C", folder.path] + arguments, environment: Self.environment, timeout: .seconds(60))
        try #require(output.exit == 0, "\(String(decoding: output.standardError, as: UTF8.self))")
    }

    /// Two commits of one file; the older one first.
    private func commits() async throws -> (Revision, Revision) {
        try await git(["init", "--quiet", "app"])
        for text in ["one", "two"] {
            try folder.write("app/file", text)
            try await git(["-C", "app", "add", "file"])
            try await git(["-C", "app", "commit", "--quiet", "-m", text])
        }
        return (try await repository.resolve("HEAD~1"), try await repository.resolve("HEAD"))
    }

    @Test func `git answers what the loop asks`() async throws {
        let (old, new) = try await commits()
        #expect(try await repository.commits(after: old, upTo: new).map(\.subject) == ["two"])
        #expect(try await repository.commits(after: old, upTo: new).first?.files == ["file"])
        #expect(await repository.describe(new)?.subject == "two")
        #expect(await repository.count(after: old, upTo: new) == 1)
        #expect(await repository.contains(new, old))
        #expect(await !repository.contains(old, new))
        #expect(try await repository.changedFiles(old, new) == ["file"])
        try await repository.makeWorktree(of: old, at: folder("tree"))
        #expect(try folder.read("tree/file") == "one")
        try await repository.markGreen(old, loop: "staging")
        #expect(await repository.markedGreen(loop: "staging") == old)
    }

    /// A list that was cut off looks like a shorter one: the newest commits would be missing.
    @Test func `an answer that is too long is an error`() async throws {
        let (old, new) = try await commits()
        let small = Repository(path: folder("app"), environment: Self.environment, outputLimit: 40)
        let error = await #expect(throws: RepositoryError.self) { try await small.commits(after: old, upTo: new) }
        #expect(error?.problem == "git answered more than 40 bytes")
        #expect(try await repository.commits(after: old, upTo: new).count == 1)
    }

    @Test func `git tells ancestors from revisions of another branch`() async throws {
        let (old, new) = try await commits()
        #expect(await repository.isAncestor(old, of: new) == true)
        #expect(await repository.isAncestor(new, of: new) == true)
        #expect(await repository.isAncestor(new, of: old) == false)
        #expect(await repository.isAncestor(Revision("0000000"), of: new) == nil)
        #expect(await repository.parents(of: new) == [old])
        #expect(await repository.parents(of: old) == [])
        // After a reset and another commit the two are siblings.
        try await git(["-C", "app", "reset", "--quiet", "--hard", old.id])
        try folder.write("app/file", "three")
        try await git(["-C", "app", "commit", "--quiet", "-am", "three"])
        let sibling = try await repository.resolve("HEAD")
        #expect(await repository.isAncestor(new, of: sibling) == false)
        #expect(await repository.parents(of: sibling) == [old])
        #expect(try await repository.commits(after: new, upTo: sibling).map(\.subject) == ["three"])
    }

    /// A revision may be what a server answered.
    @Test func `a revision is never an option`() async throws {
        let (old, new) = try await commits()
        let hostile = Revision("--output=\(folder("stolen"))")
        #expect(await repository.describe(hostile) == nil)
        #expect(await repository.count(after: hostile, upTo: new) == nil)
        #expect(await !repository.contains(hostile, old))
        await #expect(throws: RepositoryError.self) { try await repository.changedFiles(hostile, new) }
        await #expect(throws: RepositoryError.self) { try await repository.commits(after: hostile, upTo: new) }
        await #expect(throws: RepositoryError.self) {
            try await repository.irreversibleFile(["*"], between: hostile, and: new)
        }
        await #expect(throws: RepositoryError.self) { try await repository.makeWorktree(of: hostile, at: folder("t")) }
        try await repository.markGreen(old, loop: "staging")
        await #expect(throws: RepositoryError.self) { try await repository.markGreen(Revision("-d"), loop: "staging") }
        #expect(await repository.markedGreen(loop: "staging") == old)
        #expect(try Files.list(folder.path).filter { $0.hasPrefix("stolen") } == [])
    }

    /// Three commits on one file each; the second is to be taken back.
    private func threeFiles(third: (name: String, text: String)) async throws -> (culprit: Revision, wanted: Revision) {
        try await git(["init", "--quiet", "app"])
        for (name, text) in [("one", "1\n"), ("two", "2\n"), (third.name, third.text)] {
            try folder.write("app/\(name)", text)
            try await git(["-C", "app", "add", "."])
            try await git(["-C", "app", "commit", "--quiet", "-m", "add \(text)"])
        }
        return (try await repository.resolve("HEAD~1"), try await repository.resolve("HEAD"))
    }

    @Test func `one commit alone is taken back, and asking again gives the same commit`() async throws {
        let (culprit, wanted) = try await threeFiles(third: ("three", "3\n"))
        let first = try await repository.revert(culprit, on: wanted, loop: "staging", at: folder("tree"))
        let second = try await repository.revert(culprit, on: wanted, loop: "staging", at: folder("tree"))
        #expect(first == second)
        #expect(try await repository.changedFiles(wanted, first) == ["two"])
        #expect(!Files.exists(folder("tree")))
        #expect(try await repository.resolve("refs/nightjar/staging/without-\(culprit.id)") == first)
    }

    @Test func `a commit that later ones build on cannot be taken back alone`() async throws {
        let (culprit, wanted) = try await threeFiles(third: ("two", "2 and 3\n"))
        let error = await #expect(throws: RepositoryError.self) {
            try await repository.revert(culprit, on: wanted, loop: "staging", at: folder("tree"))
        }
        #expect(error?.description.contains("take \(culprit.short) alone back") == true)
        #expect(!Files.exists(folder("tree")))
    }

    private func commit(_ subject: String) async throws -> Revision {
        try await git(["-C", "app", "add", "--all"])
        try await git(["-C", "app", "commit", "--quiet", "-m", subject])
        return try await repository.resolve("HEAD")
    }

    @Test func `a migration that was taken back or moved away is seen`() async throws {
        try await git(["init", "--quiet", "app"])
        try folder.write("app/file", "one")
        let green = try await commit("start")
        try Files.createDirectories(folder("app/migrations"))
        try folder.write("app/migrations/1.sql", "drop table users")
        _ = try await commit("migrate")
        try Files.remove(folder("app/migrations/1.sql"))
        let wanted = try await commit("take the migration back")
        #expect(try await repository.changedFiles(green, wanted) == [])
        let patterns = ["migrations/*"]
        #expect(
            try await repository.irreversibleFile(patterns, between: green, and: wanted) == "migrations/1.sql")
        #expect(
            try await repository.irreversibleFile(patterns, between: wanted, and: green) == "migrations/1.sql")
        #expect(try await repository.irreversibleFile(["schema/*"], between: green, and: wanted) == nil)
        try Files.createDirectories(folder("app/migrations"))
        try folder.write("app/migrations/2.sql", "drop table orders")
        let before = try await commit("migrate again")
        try await git(["-C", "app", "mv", "migrations/2.sql", "old.sql"])
        let after = try await commit("move it")
        #expect(
            try await repository.irreversibleFile(patterns, between: before, and: after) == "migrations/2.sql")
    }

    @Test func `a branch that was deleted at the remote is not what an old clone has of it`() async throws {
        _ = try await commits()
        try await git(["-C", "app", "tag", "v1"])
        try await git(["clone", "--quiet", "app", "clone"])
        let clone = Repository(path: folder("clone"), environment: Self.environment)
        try await git(["-C", "app", "branch", "-m", "old"])
        try await git(["-C", "app", "checkout", "--quiet", "-b", "fresh"])
        let branch = try await HelperCommand.run(
            ["git", "-C", folder("clone"), "branch", "--show-current"], environment: Self.environment,
            timeout: .seconds(60)
        ).text.trimmingWhitespace
        let error = await #expect(throws: RepositoryError.self) { try await clone.fetched(branch) }
        #expect(error?.problem.contains("origin has no such branch any more") == true)
        let head = try await repository.resolve("HEAD")
        #expect(try await clone.fetched("fresh") == head)
        #expect(try await clone.fetched("v1") == head)
        #expect(try await clone.fetched(head.id) == head)
    }
}
