// SPDX-License-Identifier: Apache-2.0
// Whether this machine and the environment fit a configuration: what `nightjar check --probe` looks at. Runs no command
// of the configuration; asks HTTP addresses with GET through curl.

import Domain
import Foundation
import Platform
import Reporting
import Supervision

/// One thing that was looked at.
struct ProbeFinding: Codable, Equatable, Sendable {
    var subject: String
    var ok: Bool
    var finding: String
}

struct SetupProbe {
    private let settings: LoopSettings
    private let context: Context

    init(_ settings: LoopSettings, _ context: Context) {
        self.settings = settings
        self.context = context
    }

    func findings() async -> [ProbeFinding] {
        var findings = [stateDirectory()] + commands().map(command) + secrets()
        if let repository = settings.repository {
            let finding = repositoryFinding(repository)
            findings.append(finding)
            if finding.ok, repository.revisionCommand == nil { findings.append(await ref(repository)) }
        }
        for (name, url) in addresses() { findings.append(await answer(name, url)) }
        return findings
    }

    // MARK: Files

    private func stateDirectory() -> ProbeFinding {
        let files = FileManager.default
        var folder = settings.stateDirectory
        while folder.count > 1, !files.fileExists(atPath: folder) {
            folder = (folder as NSString).deletingLastPathComponent
        }
        let ok = files.isWritableFile(atPath: folder)
        let where_ = folder == settings.stateDirectory ? folder : "\(settings.stateDirectory), to be made in \(folder)"
        return ProbeFinding(
            subject: "state directory", ok: ok, finding: ok ? "writable: \(where_)" : "not writable: \(folder)")
    }

    private func repositoryFinding(_ repository: RepositorySettings) -> ProbeFinding {
        let found = ["\(repository.path)/.git", "\(repository.path)/HEAD"].contains {
            FileManager.default.fileExists(atPath: $0)
        }
        return ProbeFinding(
            subject: "repository", ok: found,
            finding: found ? repository.path : "no git repository at \(repository.path)")
    }

    /// As the loop asks for it, without a fetch: this changes nothing.
    private func ref(_ repository: RepositorySettings) async -> ProbeFinding {
        let subject = "repository.ref"
        let git = Repository(path: repository.path, environment: context.environment)
        for name in (repository.fetch ? ["refs/remotes/origin/\(repository.ref)"] : []) + [repository.ref] {
            guard let revision = try? await git.resolve(name) else { continue }
            return ProbeFinding(subject: subject, ok: true, finding: "\(repository.ref) is \(revision.short)")
        }
        return ProbeFinding(
            subject: subject, ok: false, finding: "no commit is named '\(repository.ref)' in \(repository.path)")
    }

    // MARK: Commands

    private func commands() -> [(name: String, command: CommandSettings)] {
        var list: [(String, CommandSettings?)] = [
            ("deploy.command", settings.deploy?.command), ("deploy.rollback", settings.deploy?.rollback),
            ("deploy.permit", settings.deploy?.permit), ("deploy.cleanup", settings.deploy?.cleanup),
            ("deploy.logs", settings.deploy?.logs), ("repository.revision", settings.repository?.revisionCommand),
        ]
        for suite in settings.suites {
            list += [
                ("suite \(suite.name)", suite.command), ("suite \(suite.name) select", suite.select),
                ("suite \(suite.name) collect", suite.collect), ("suite \(suite.name) before", suite.before),
                ("suite \(suite.name) after", suite.after),
            ]
        }
        list += settings.remedy.runbook.map { ("runbook \($0.name)", $0.command) }
        return list.compactMap { name, command in command.map { (name, $0) } }
    }

    private func command(_ name: String, _ command: CommandSettings) -> ProbeFinding {
        if command.isShell { return ProbeFinding(subject: name, ok: true, finding: "a line for /bin/sh") }
        guard let program = command.arguments.first, !program.contains("{") else {
            return ProbeFinding(subject: name, ok: true, finding: "known only when it runs")
        }
        let base = command.workingDirectory ?? settings.baseDirectory
        let search = command.environment["PATH"] ?? context.environment["PATH"] ?? "/usr/bin:/bin"
        guard let path = ProgramSearch.find(program, from: base, path: search) else {
            let place = program.contains("/") ? "in \(base)" : "on PATH"
            return ProbeFinding(subject: name, ok: false, finding: "no executable '\(program)' \(place)")
        }
        return ProbeFinding(subject: name, ok: true, finding: path)
    }

    // MARK: Secrets

    private func secrets() -> [ProbeFinding] {
        settings.secrets.sorted { $0.key < $1.key }.map { name, source in
            switch source {
            case .file(let path):
                let ok = FileManager.default.isReadableFile(atPath: path)
                return ProbeFinding(subject: "secret \(name)", ok: ok, finding: ok ? path : "cannot read \(path)")
            case .environment(let variable):
                let ok = context.environment[variable] != nil
                return ProbeFinding(
                    subject: "secret \(name)", ok: ok, finding: ok ? "$\(variable)" : "$\(variable) is not set")
            case .command(let arguments):
                let program = arguments.first ?? ""
                let search = context.environment["PATH"] ?? "/usr/bin:/bin"
                let path = ProgramSearch.find(program, from: settings.baseDirectory, path: search)
                return ProbeFinding(
                    subject: "secret \(name)", ok: path != nil, finding: path ?? "no executable '\(program)'")
            }
        }
    }

    // MARK: Addresses

    private func addresses() -> [(String, String)] {
        var list: [(String, CheckTarget)] = settings.health.checks.map { ("check \($0.name)", $0.target) }
        list += settings.health.liveRevision.map { ("live revision \($0.service ?? "")", $0.target) }
        return list.compactMap { name, target in
            guard case .http(let url, _, _, _) = target else { return nil }
            return (name.trimmingCharacters(in: .whitespaces), url)
        }
    }

    /// Any HTTP answer is good here: what it must say is the business of the loop.
    private func answer(_ name: String, _ url: String) async -> ProbeFinding {
        let arguments = [
            "--silent", "--show-error", "--output", "/dev/null", "--max-time", "10", "--write-out", "%{http_code}",
            "--proto", "=http,https", "--url", url,
        ]
        let search = context.environment["PATH"] ?? "/usr/bin:/bin"
        guard let curl = ProgramSearch.find("curl", from: "/", path: search) else {
            return ProbeFinding(subject: name, ok: false, finding: "no curl on PATH to ask \(url)")
        }
        do {
            let result = try await HelperCommand.run(
                [curl] + arguments, environment: context.environment, timeout: .seconds(30), outputLimit: 4096)
            let printed = Printable.line(result.text)
            let complaint = Printable.line(result.errorText)
            if result.succeeded {
                return ProbeFinding(subject: name, ok: true, finding: "\(url) answers with status \(printed)")
            }
            let reason = complaint.isEmpty ? "curl exit \(result.exit.map(String.init) ?? "none")" : complaint
            return ProbeFinding(subject: name, ok: false, finding: "\(url): \(reason)")
        } catch {
            return ProbeFinding(subject: name, ok: false, finding: "\(url): \(error)")
        }
    }
}

/// Finds a program as `execvp` would.
enum ProgramSearch {
    static func find(_ program: String, from folder: String, path: String) -> String? {
        if program.contains("/") {
            let full = program.hasPrefix("/") ? program : "\(folder)/\(program)"
            return isProgram(full) ? full : nil
        }
        return path.split(separator: ":").map { "\($0)/\(program)" }.first(where: isProgram)
    }

    private static func isProgram(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        let files = FileManager.default
        return files.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
            && files.isExecutableFile(atPath: path)
    }
}
