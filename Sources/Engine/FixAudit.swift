// SPDX-License-Identifier: Apache-2.0
// The rules that a change must keep to, whoever made it. Pure: the change in, one finding for each rule out.

package import Domain

package enum FixAudit {
    /// Every rule, in the order in which they are listed; a change passes where all do.
    package static func judge(
        _ changes: [FileChange], _ fix: FixSettings, irreversible: [String] = []
    ) -> [AuditRecord] {
        [
            empty(changes), paths(changes, fix), tests(changes, fix), size(changes, fix), forbidden(changes, fix),
            binary(changes), modes(changes), control(changes), crossing(changes, irreversible),
        ]
    }

    private static func record(_ rule: String, _ bad: [String], _ good: String) -> AuditRecord {
        let more = bad.count > 5 ? " and \(bad.count - 5) more" : ""
        let finding = bad.isEmpty ? good : bad.prefix(5).joined(separator: ", ") + more
        return AuditRecord(rule: rule, passed: bad.isEmpty, finding: finding)
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func matches(_ path: String, _ patterns: [String]) -> Bool {
        patterns.contains { Glob.matches($0, path) }
    }

    private static func empty(_ changes: [FileChange]) -> AuditRecord {
        AuditRecord(
            rule: "empty", passed: !changes.isEmpty,
            finding: changes.isEmpty
                ? "nothing is changed"
                : "\(counted(changes.count, "file")) \(changes.count == 1 ? "is" : "are") changed")
    }

    private static func paths(_ changes: [FileChange], _ fix: FixSettings) -> AuditRecord {
        let bad = changes.filter { !matches($0.path, fix.paths) }.map { "\($0.path) is outside fix.paths" }
        return record("paths", bad, "all within \(fix.paths.joined(separator: ", "))")
    }

    /// Of tests nothing goes: no file, no line; and nothing comes that keeps one from running.
    private static func tests(_ changes: [FileChange], _ fix: FixSettings) -> AuditRecord {
        var bad: [String] = []
        for change in changes where matches(change.path, fix.testPaths) {
            if change.status == "D" {
                bad.append("\(change.path) is removed")
            } else if change.removed != 0 {
                bad.append("\(change.path): \(change.removed.map(String.init) ?? "binary") lines are removed")
            } else if let line = change.addedLines.first(where: weakens) {
                bad.append("\(change.path): skips: \(firstLine(line))")
            }
        }
        return record("tests", bad, "no test is removed or weakened")
    }

    /// Words with which test tools leave tests out, or count failures as none.
    private static let skips = [
        "skip", "xfail", "disabled(", "@disabled", "@ignore", "#[ignore", ".only(", "xit(", "xdescribe(", "fdescribe(",
        "fit(", "todo(", "expectedfailure", "withknownissue", "pytest.exit", "sys.exit", "os._exit",
    ]

    private static func weakens(_ line: String) -> Bool {
        let lower = line.lowercased()
        return skips.contains { lower.contains($0) }
    }

    private static func size(_ changes: [FileChange], _ fix: FixSettings) -> AuditRecord {
        let lines = changes.reduce(0) { $0 + ($1.added ?? 0) + ($1.removed ?? 0) }
        let isSmall = changes.count <= fix.maxFiles && lines <= fix.maxLines
        let words = "\(counted(changes.count, "file")), \(counted(lines, "line"))"
        let limit = "\(fix.maxFiles) files, \(fix.maxLines) lines"
        return AuditRecord(rule: "size", passed: isSmall, finding: "\(words) \(isSmall ? "<=" : ">") \(limit)")
    }

    private static func forbidden(_ changes: [FileChange], _ fix: FixSettings) -> AuditRecord {
        var bad: [String] = []
        for change in changes {
            // Over-long lines are looked at piece by piece: globs take time.
            for line in change.addedLines {
                guard let pattern = fix.forbid.first(where: { Glob.matches($0, String(line.prefix(4096))) }) else {
                    continue
                }
                bad.append("\(change.path): a line matches \(pattern)")
            }
        }
        return record("forbidden", bad, "no added line matches fix.forbid")
    }

    private static func binary(_ changes: [FileChange]) -> AuditRecord {
        record("binary", changes.filter { $0.added == nil }.map { "\($0.path) is binary" }, "no binary file")
    }

    /// Ordinary files stay ordinary: no links, no modules of other repositories, nothing that becomes executable.
    private static func modes(_ changes: [FileChange]) -> AuditRecord {
        let bad = changes.compactMap { change -> String? in
            switch change.newMode {
            case "120000": "\(change.path) is a symbolic link"
            case "160000": "\(change.path) is a repository of its own"
            case "100755" where change.oldMode != "100755": "\(change.path) becomes executable"
            default: change.status == "T" ? "\(change.path) changes its type" : nil
            }
        }
        return record("modes", bad, "ordinary files only")
    }

    /// Files that tell git, the pipeline or this loop what to do.
    private static let controlFiles = [
        ".gitattributes", "*/.gitattributes", ".gitmodules", "*/.gitmodules", ".git/*", "*/.git/*", ".github/*",
        ".gitlab-ci*", ".circleci/*", "Jenkinsfile", "nightjar.json5", "*/nightjar.json5",
    ]

    private static func control(_ changes: [FileChange]) -> AuditRecord {
        let bad = changes.filter { matches($0.path, controlFiles) }.map { "\($0.path) steers git or the pipeline" }
        return record("control-files", bad, "no file that steers git or the pipeline")
    }

    private static func crossing(_ changes: [FileChange], _ irreversible: [String]) -> AuditRecord {
        let bad = changes.filter { matches($0.path, irreversible) }.map { "\($0.path) matches deploy.irreversible" }
        return record("irreversible", bad, "nothing irreversible")
    }
}
