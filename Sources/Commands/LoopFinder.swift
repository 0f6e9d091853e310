// SPDX-License-Identifier: Apache-2.0
// Which loop a command is about: the one of the configuration file, or one in a state directory.

import Configuration
import Domain
import Evidence
import Foundation

/// A loop as commands see it: its name, where its evidence lies, and its settings where a file was read.
struct LoopPlace: Sendable {
    var name: String
    var layout: EvidenceLayout
    var settings: LoopSettings?
}

enum LoopFinder {
    /// By `--state` and `--loop`, or by `--config`. Throws `unavailable` where this user may not read the loop's files.
    static func find(_ context: Context) throws(CommandError) -> LoopPlace {
        let found = try place(context)
        try Access.check(found.layout.root)
        return found
    }

    private static func place(_ context: Context) throws(CommandError) -> LoopPlace {
        let wanted = context.arguments.value("loop")
        if let state = context.arguments.value("state"), context.arguments.value("config") == nil {
            return try inState(context.absolute(state), wanted, shown: state, command: context.arguments.command)
        }
        let settings = try SettingsLoader.load(context).settings
        if let wanted, wanted != settings.name {
            throw .notFound("the configuration is about loop '\(settings.name)', not '\(wanted)'")
        }
        return LoopPlace(
            name: settings.name, layout: EvidenceLayout(root: settings.stateDirectory), settings: settings)
    }

    private static func inState(_ directory: String, _ wanted: String?, shown: String, command: String)
        throws(CommandError) -> LoopPlace
    {
        var folder = directory
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        try Access.check(folder, listing: wanted == nil)
        if let wanted {
            try Access.check("\(folder)/\(wanted)")
            guard isLoop("\(folder)/\(wanted)"), !wanted.contains("/") else {
                let known = loops(in: folder)
                let list = known.isEmpty ? "it holds none" : "it holds \(known.joined(separator: ", "))"
                throw .notFound(
                    "there is no loop '\(wanted)' in \(shown): \(list)\(NearestWord.hint(wanted, among: known))")
            }
            return LoopPlace(name: wanted, layout: EvidenceLayout(root: "\(folder)/\(wanted)"))
        }
        if isLoop(folder) {
            let name = folder.split(separator: "/").last.map(String.init) ?? folder
            return LoopPlace(name: name, layout: EvidenceLayout(root: folder))
        }
        let known = loops(in: folder)
        guard let only = known.first else { throw .notFound("there is no loop in \(shown)") }
        guard known.count == 1 else {
            throw .usage("\(shown) holds \(known.joined(separator: ", ")); choose one with --loop", command: command)
        }
        return LoopPlace(name: only, layout: EvidenceLayout(root: "\(folder)/\(only)"))
    }

    /// The loops of a state directory, or the one whose folder this is.
    static func all(in directory: String) -> [LoopPlace] {
        var folder = directory
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        if isLoop(folder) {
            let name = folder.split(separator: "/").last.map(String.init) ?? folder
            return [LoopPlace(name: name, layout: EvidenceLayout(root: folder))]
        }
        return loops(in: folder).map { LoopPlace(name: $0, layout: EvidenceLayout(root: "\(folder)/\($0)")) }
    }

    private static func loops(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { isLoop("\(folder)/\($0)") }.sorted()
    }

    private static func isLoop(_ folder: String) -> Bool {
        ["journal", "cycles", "cycle.log"].contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }
}
