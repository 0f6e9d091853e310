// SPDX-License-Identifier: Apache-2.0
// `nightjar init`: writes a configuration from what lies in the folder.

import Configuration
import Foundation

struct InitCommand: Command {
    static let description = CommandDescription(
        "init", "write a first nightjar.json5 from what this folder holds",
        details: [
            "It looks at the project (test tools, deploy scripts, git) and proposes mode observe, which deploys nothing. "
                + "Read the file, then run nightjar check --probe and nightjar once."
        ],
        options: [
            .value("config", "FILE", short: "c", "where to write (default: ./nightjar.json5)", completion: .file),
            .flag("force", "overwrite a file that is there"),
            .flag("print", "print it instead of writing it"), .json,
        ],
        examples: [.init("cd app && nightjar init && nightjar check", "The first minute with a project of your own.")],
        exits: [
            .init(.ok, "written"), .init(.usage, "there is one already"), .init(.infrastructure, "could not write"),
        ])

    struct Answer: Codable {
        var file: String
        var written: Bool
        /// What is, or would be, in the file.
        var configuration: String
    }

    func run(_ context: Context) async throws -> ExitCode {
        let path = SettingsLoader.path(context)
        let folder = (path as NSString).deletingLastPathComponent
        let text = ProjectScan.configuration(for: FolderScan.listing(folder))
        let shown = context.shown(path)
        if context.arguments.flag("print") {
            let answer = Answer(file: shown, written: false, configuration: text)
            try context.output.result(answer, json: context.wantsJSON) { text }
            return .ok
        }
        if !context.arguments.flag("force"), FileManager.default.fileExists(atPath: path) {
            throw CommandError.usage("\(shown) is there already; --force overwrites it", command: "init")
        }
        try UserFile.write(text, to: path, shown: shown)
        let answer = Answer(file: shown, written: true, configuration: text)
        try context.output.result(answer, json: context.wantsJSON) {
            "wrote \(shown)\nnext: read it, then nightjar check --probe, then nightjar once\n"
        }
        return .ok
    }
}

/// Lists a folder for the scan: two levels, bounded, without what tools put there.
enum FolderScan {
    private static let entriesMax = 5000
    private static let fileBytesMax = 256 << 10
    private static let ignored: Set<String> = [".git", ".build", "node_modules", ".venv", "__pycache__"]

    static func listing(_ folder: String) -> FolderListing {
        var entries: Set<String> = []
        for name in names(folder) {
            guard isFolder("\(folder)/\(name)") else {
                entries.insert(name)
                continue
            }
            entries.insert(name + "/")
            guard !ignored.contains(name) else { continue }
            for inner in names("\(folder)/\(name)") {
                entries.insert("\(name)/\(inner)" + (isFolder("\(folder)/\(name)/\(inner)") ? "/" : ""))
            }
        }
        let name = folder.split(separator: "/").last.map(String.init) ?? "loop"
        return FolderListing(name: name, entries: entries) { file in contents("\(folder)/\(file)") }
    }

    private static func names(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Array(names.sorted().prefix(entriesMax))
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func contents(_ path: String) -> String? {
        guard !isFolder(path), let handle = FileHandle(forReadingAtPath: path) else { return nil }
        let bytes = ((try? handle.read(upToCount: fileBytesMax)) ?? nil) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}
