// SPDX-License-Identifier: Apache-2.0
// Where roles work, and how what they made is taken over. A role gets a repository of its own: the wanted revision on a
// branch, objects borrowed from the operators' repository, no remote, no hooks, no filters. Nothing in it is believed
// afterwards and git is never run in it again: files are read as they lie there, by a git folder that the role never saw.

import Domain
import Engine
import Evidence
import Execution
import Platform

/// Why a working tree could not be made or taken over.
struct RoleRoomError: Error, CustomStringConvertible {
    var description: String
}

struct RoleRoom: Sendable {
    let context: LoopContext

    /// Everything of one cycle's fix.
    func base(_ cycle: Int) -> String { "\(context.layout.root)/roles/\(cycle)" }

    func folder(_ run: StageRun) -> String { "\(base(run.cycle))/\(run.folder)" }

    func worktree(_ run: StageRun) -> String { folder(run) + "/work" }

    /// The working tree of the implementing role.
    func implemented(_ run: StageRun, _ fix: FixSurroundings) -> String? {
        fix.implemented.map { "\(base(run.cycle))/\($0)/work" }
    }

    // MARK: - Git, on our terms

    /// Attributes of the tree itself are overruled: no filter runs, no line ending is changed.
    private static let attributes = "* -text -filter -ident -working-tree-encoding !diff !merge !eol\n"

    private static let settings = [
        "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false", "-c",
        "core.excludesFile=/dev/null", "-c", "core.attributesFile=/dev/null", "-c", "core.autocrlf=false", "-c",
        "core.fileMode=true", "-c", "core.symlinks=true", "-c", "gc.auto=0", "-c", "diff.external=",
    ]

    func git(
        _ arguments: [String], in gitFolder: String? = nil, tree: String? = nil, index: String? = nil,
        environment extra: [String: String] = [:], limit: Int = 16 << 20
    ) async throws -> [UInt8] {
        var environment = context.environment.merging(extra) { $1 }
        environment["GIT_CONFIG_NOSYSTEM"] = "1"
        environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
        environment["GIT_DIR"] = gitFolder
        environment["GIT_WORK_TREE"] = tree
        environment["GIT_INDEX_FILE"] = index
        do {
            return try await GitCommand.run(
                RoleRoom.settings + arguments, environment: environment, workingDirectory: tree,
                timeout: .seconds(300), limit: limit)
        } catch {
            throw RoleRoomError(description: "git \(arguments.first ?? ""): \(error)")
        }
    }

    /// A fresh git folder that borrows the objects of the operators' repository.
    func makeRepository(_ path: String, bare: Bool) async throws {
        guard let repository = context.repository else {
            throw RoleRoomError(description: "repository is not configured")
        }
        let common = try await repository.commonFolder()
        try Files.createDirectories(Files.parent(of: path))
        _ = try await git(["init", "--quiet", "--template="] + (bare ? ["--bare"] : []) + ["--", path])
        let inside = bare ? path : path + "/.git"
        try Files.createDirectories(inside + "/info")
        try write(RoleRoom.attributes, inside + "/info/attributes")
        try write(common + "/objects\n", inside + "/objects/info/alternates")
        if Files.exists(common + "/shallow") {
            try AtomicFile.write(
                try Files.read(common + "/shallow", limit: 16 << 20), to: inside + "/shallow", durable: false)
        }
    }

    private func write(_ text: String, _ path: String) throws {
        try Files.createDirectories(Files.parent(of: path))
        try AtomicFile.write(Array(text.utf8), to: path, durable: false)
    }

    /// A working tree at `wanted` on the fix's branch; with `change`, the change of the implementing role on top of it,
    /// not committed. A command that is under way in it (after a restart) keeps it.
    func makeWorktree(_ run: StageRun, _ fix: FixSurroundings, changeFrom implemented: String? = nil) async throws {
        let work = worktree(run)
        try? Files.removeTree(folder(run))
        try await makeRepository(work, bare: false)
        let inside = work + "/.git"
        try await pointAtBranch(inside, fix)
        var tree = fix.wanted.id
        if let implemented {
            tree = try await takeTree(implemented, fix.wanted, into: inside, index: inside + "/taken")
        }
        _ = try await git(
            ["read-tree", "--reset", "-u", tree], in: inside, tree: work, index: inside + "/index")
        try? Files.remove(inside + "/taken")
    }

    private func pointAtBranch(_ inside: String, _ fix: FixSurroundings) async throws {
        _ = try await git(["update-ref", "refs/heads/\(fix.branch)", fix.wanted.id], in: inside)
        _ = try await git(["symbolic-ref", "HEAD", "refs/heads/\(fix.branch)"], in: inside)
    }

    /// What lies in a working tree, as a git tree: bytes as they are, links as links.
    func takeTree(_ work: String, _ wanted: Revision, into gitFolder: String, index: String) async throws -> String {
        guard Files.kind(of: work) == .directory else {
            throw RoleRoomError(description: "the working tree is gone or is no folder any more")
        }
        _ = try await git(["read-tree", wanted.id], in: gitFolder, tree: work, index: index)
        try await refuseFloods(work, gitFolder, index)
        _ = try await git(["add", "--all", "--", "."], in: gitFolder, tree: work, index: index)
        let tree = try await git(["write-tree"], in: gitFolder, index: index)
        return String(decoding: tree, as: UTF8.self).trimmingWhitespace
    }

    /// What came or changed is weighed before it is read.
    private func refuseFloods(_ work: String, _ gitFolder: String, _ index: String) async throws {
        let names = try await git(
            ["ls-files", "-z", "--modified", "--others", "--exclude-standard"], in: gitFolder, tree: work, index: index)
        let bytes = names.split(separator: 0).reduce(Int64(0)) { sum, name in
            sum + (Files.size(of: "\(work)/\(String(decoding: name, as: UTF8.self))") ?? 0)
        }
        guard bytes <= 64 << 20 else {
            throw RoleRoomError(description: "\(bytes >> 20) MiB were written into the working tree > 64 MiB")
        }
    }

    // MARK: - What a role must not have touched

    /// Files of a git folder that say what git does and where branches stand, each with its content's hash.
    func gitState(_ inside: String) -> [String: String] {
        var found: [String: String] = [:]
        collect(inside, "", into: &found)
        return found
    }

    /// Git itself writes these when a role reads, stages or reverts.
    private static let workFiles: Set<String> = [
        "index", "index.lock", "ORIG_HEAD", "REVERT_HEAD", "CHERRY_PICK_HEAD", "MERGE_HEAD", "MERGE_MSG", "MERGE_MODE",
        "AUTO_MERGE", "COMMIT_EDITMSG", "FETCH_HEAD", "sequencer", "rr-cache", "logs", "taken", "shallow.lock",
        "gc.log",
    ]

    private func collect(_ folder: String, _ prefix: String, into found: inout [String: String]) {
        for name in (try? Files.list(folder)) ?? [] {
            let path = prefix + name
            if prefix.isEmpty, RoleRoom.workFiles.contains(name) { continue }
            // Objects are named by their content; only where they are borrowed from says something.
            if prefix == "objects/", name != "info" { continue }
            guard found.count < 2000 else { return }
            switch Files.kind(of: "\(folder)/\(name)") {
            case .directory: collect("\(folder)/\(name)", path + "/", into: &found)
            case .file: found[path] = (try? SHA256.hex(ofFile: "\(folder)/\(name)")) ?? "unreadable"
            default: found[path] = "no regular file"
            }
        }
    }

    /// What differs between the role's git folder and one as it was given: committed by itself, hooks, settings.
    func tampering(_ run: StageRun, _ fix: FixSurroundings) async throws -> [String] {
        let inside = worktree(run) + "/.git"
        guard Files.kind(of: inside) == .directory else { return [".git is gone or is no folder any more"] }
        let twin = "\(base(run.cycle))/twin-\(run.folder)"
        try? Files.removeTree(twin)
        defer { try? Files.removeTree(twin) }
        try await makeRepository(twin, bare: false)
        try await pointAtBranch(twin + "/.git", fix)
        return RoleRoom.differences(gitState(twin + "/.git"), gitState(inside)).map { ".git/\($0)" }
    }

    /// What stands beside the working tree although nothing should.
    func strangers(_ run: StageRun) -> [String] {
        ((try? Files.list(folder(run))) ?? []).filter { $0 != "work" }.map { "../\($0)" }
            + ((try? Files.list(base(run.cycle))) ?? [])
            .filter { !$0.hasPrefix("remedy-") }.map { "../../\($0)" }
    }

    static func differences(_ before: [String: String], _ after: [String: String]) -> [String] {
        Set(before.keys).union(after.keys).sorted().compactMap { path in
            if before[path] == nil { return "\(path) was added" }
            if after[path] == nil { return "\(path) was removed" }
            return before[path] == after[path] ? nil : "\(path) was changed"
        }
    }

    /// Hooks and settings of the operators' repository.
    func operatorsState() async -> [String: String] {
        guard let common = try? await context.repository?.commonFolder() else { return [:] }
        var found: [String: String] = [:]
        collect(common + "/hooks", "hooks/", into: &found)
        found["config"] = (try? SHA256.hex(ofFile: common + "/config")) ?? "unreadable"
        return found
    }

    // MARK: - Afterwards

    /// What the execute role reads; nothing for a deploy command.
    func executeRequest(_ run: StageRun, _ surroundings: StageSurroundings, _ command: CommandSettings) -> [UInt8] {
        let settings = context.settings.current
        guard run.purpose == .fix, command == settings.remedy.roles.execute, let fix = surroundings.fix,
            var request = request(.execute, run, fix, surroundings, timeout: command.timeout)
        else { return [] }
        request.revision = run.revision
        return (try? RoleFile.request(request)) ?? []
    }

    func request(
        _ role: Role, _ run: StageRun, _ fix: FixSurroundings, _ surroundings: StageSurroundings, timeout: Duration
    ) -> RoleRequest? {
        let settings = context.settings.current
        guard let limits = settings.remedy.fix else { return nil }
        var request = RoleRequest(
            role: role, loop: settings.name, cycle: run.cycle, incident: fix.incident, wanted: fix.wanted,
            lastGreen: surroundings.lastGreen, branch: fix.branch, evidence: context.layout.cycle(run.cycle),
            limits: RoleLimits(limits, timeoutSeconds: timeout.inSeconds))
        request.notes = fix.readings.flatMap(\.notes)
        if role != .investigate, role != .implement {
            request.audit = fix.readings.flatMap(\.audit)
            request.patch = fix.readings.compactMap(\.patch).last.map { "\(context.layout.cycle(run.cycle))/\($0)" }
        }
        return request
    }

    /// When a cycle is over its working trees go, and the branch of a fix that was not proven.
    func clear(after record: CycleRecord) async {
        let roles = "\(context.layout.root)/roles"
        for name in (try? Files.list(roles)) ?? [] where (Int(name) ?? .max) <= record.cycle {
            try? Files.removeTree("\(roles)/\(name)")
        }
        for action in record.actions where action.kind == .fix && action.outcome != .succeeded {
            guard let branch = action.branch, let revision = action.name, let repository = context.repository else {
                continue
            }
            await repository.dropBranch(branch, at: Revision(revision))
        }
    }
}

extension Repository {
    /// The git folder that holds objects, hooks and settings.
    func commonFolder() async throws(RepositoryError) -> String {
        let text = try await git(
            ["rev-parse", "--path-format=absolute", "--git-common-dir"], to: "find the git folder")
        return text.trimmingWhitespace
    }

    /// Takes a commit over from a git folder of ours, onto a branch that nobody else has.
    func adopt(_ revision: Revision, from gitFolder: String, branch: String) async throws(RepositoryError) -> String {
        var name = branch
        for number in 2...50 {
            let existing = try? await resolve("refs/heads/\(name)")
            if existing == revision { return name }
            if existing == nil {
                _ = try await git(
                    [
                        "-c", "fetch.fsckObjects=true", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                        "--no-auto-gc", "--", gitFolder, "refs/heads/fix:refs/heads/\(name)",
                    ], to: "take over the fix \(revision.short)", timeout: .seconds(120))
                return name
            }
            name = "\(branch)-\(number)"
        }
        throw RepositoryError(
            attempted: "name a branch for \(revision.short)", path: path, problem: "\(branch) and 49 more exist")
    }

    /// Removes a branch that still is where we left it.
    func dropBranch(_ branch: String, at revision: Revision) async {
        guard branch.hasPrefix("nightjar/") else { return }
        _ = try? await git(
            ["update-ref", "-d", "--end-of-options", "refs/heads/\(branch)", revision.id], to: "drop \(branch)")
    }

    func push(_ branch: String, to remote: String) async throws(RepositoryError) {
        _ = try await git(
            ["push", "--quiet", "--end-of-options", remote, "refs/heads/\(branch):refs/heads/\(branch)"],
            to: "push \(branch) to \(remote)", timeout: .seconds(120))
    }
}
