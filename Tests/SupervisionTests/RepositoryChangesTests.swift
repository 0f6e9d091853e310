// SPDX-License-Identifier: Apache-2.0
// What commits changed, against a real repository with names and contents that invite mistakes.

import Domain
import Platform
import TestSupport
import Testing
import Triage

@testable import Supervision

struct RepositoryChangesTests {
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

    private func git(_ arguments: String...) async throws {
        let output = try await HelperCommand.run(
            ["git", "-C", folder.path] + arguments, environment: Self.environment, timeout: .seconds(60))
        try #require(output.exit == 0, "\(output.errorText)")
    }

    private func commit(_ subject: String, _ files: [String: String] = [:]) async throws {
        for (name, text) in files { try folder.write("app/\(name)", text) }
        try await git("-C", "app", "add", "--all")
        try await git("-C", "app", "commit", "--quiet", "--allow-empty", "-m", subject)
    }

    @Test func `lines and words of every change are read`() async throws {
        try await git("init", "--quiet", "app")
        let lines = (1...20).map { "line \($0)" }
        try await commit("start", ["a.txt": lines.joined(separator: "\n") + "\n", "moved.txt": "x\ny\nz\n"])
        var changed = lines
        changed[4] = "let batchSize = parseInt(flushLimit)"
        changed.remove(at: 14)
        try await commit("change", ["a.txt": changed.joined(separator: "\n") + "\n"])
        try await git("-C", "app", "mv", "moved.txt", "renamed to.txt")
        try await commit("rename")
        let list = try await repository.commitsWithChanges(
            after: try await repository.resolve("HEAD~2"), upTo: try await repository.resolve("HEAD"))
        #expect(list.map(\.subject) == ["change", "rename"])
        let change = try #require(list[0].changes.first)
        #expect(change.path == "a.txt")
        #expect((change.added, change.removed) == (1, 2))
        #expect(change.hunks == [5...5, 14...14])
        #expect(change.words.isSuperset(of: ["batch", "size", "parse", "flush", "limit", "line"]))
        #expect(list[1].changes.map(\.path) == ["renamed to.txt"])
        #expect(list[1].changes.first?.hunks == [])
    }

    /// Contents that look like git's own words, a name with a quote and a tab, a binary file, an empty commit.
    @Test func `hostile names and contents stay where they belong`() async throws {
        try await git("init", "--quiet", "app")
        try await commit("start", ["a.txt": "-- a/other.txt\n"])
        let hostile = "++ b/other.txt\n@@ -1,9 +1,9 @@\n\u{1}deadbeef\ndiff --git a/x b/x\n"
        try await commit("\u{1} subject", ["a.txt": hostile, "q\"\tü.txt": "quoted\n", "b.bin": "\0\u{1}\0binary"])
        try await commit("empty")
        let list = try await repository.commitsWithChanges(
            after: try await repository.resolve("HEAD~2"), upTo: try await repository.resolve("HEAD"))
        #expect(list.count == 2)
        #expect(Set(list[0].changes.map(\.path)) == ["a.txt", "q\"\tü.txt", "b.bin"])
        #expect(Set(list[0].files) == ["a.txt", "q\"\tü.txt", "b.bin"])
        let text = try #require(list[0].changes.first { $0.path == "a.txt" })
        #expect((text.added, text.removed) == (4, 1))
        #expect(text.hunks == [1...4])
        #expect(text.words.isSuperset(of: ["deadbeef", "diff", "other"]))
        #expect(list[1].changes.isEmpty)
    }

    @Test func `a merge shows what it brought to the first parent`() async throws {
        try await git("init", "--quiet", "--initial-branch=main", "app")
        try await commit("start", ["a.txt": "a\n"])
        try await git("-C", "app", "switch", "--quiet", "-c", "side")
        try await commit("side work", ["side.txt": "sideways\n"])
        try await git("-C", "app", "switch", "--quiet", "main")
        try await commit("main work", ["a.txt": "b\n"])
        try await git("-C", "app", "merge", "--quiet", "--no-ff", "-m", "merge side", "side")
        let list = try await repository.commitsWithChanges(
            after: try await repository.resolve("HEAD~2"), upTo: try await repository.resolve("HEAD"))
        #expect(list.map(\.subject) == ["main work", "merge side"])
        #expect(list.last?.changes.map(\.path) == ["side.txt"])
        #expect(list.last?.changes.first?.words == ["sideways"])
    }

    @Test func `what is cut off leaves the last commit out`() {
        let text =
            "\u{1}aa\n:100644 100644 1 2 M\tx.c\n\ndiff --git a/x.c b/x.c\n@@ -1 +1 @@ main(void)\n-old\n+fresh\n"
        let whole = PatchReader.read(Array((text + text.replacing("\u{1}aa", with: "\u{1}bb")).utf8), isWhole: true)
        #expect(whole.count == 2)
        #expect(whole[Revision("bb")]?.first?.words == ["main", "void", "fresh"])
        let cut = PatchReader.read(Array((text + "\u{1}bb\n:100644 100644 1 2 M\ty.c\n").utf8), isWhole: false)
        #expect(cut.keys.map(\.id) == ["aa"])
        // Whatever is cut or turned around, reading ends and does not trap.
        let bytes = Array(text.utf8)
        for end in bytes.indices { _ = PatchReader.read(Array(bytes[end...] + bytes[..<end]), isWhole: true) }
        _ = PatchReader.read(
            Array("@@ -1,99999999999999999999 +0,-5 @@\ndiff --git \n@@ - + @@\n@@ -1 +\n".utf8), isWhole: true)
    }
}
