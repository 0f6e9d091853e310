// SPDX-License-Identifier: Apache-2.0
// Finds and reads the configuration file that a command is about.

import Configuration
import Domain
import Foundation
import Platform
import Supervision

enum SettingsLoader {
    /// The file by `--config`, or `nightjar.json5` where the user stands. Throws all problems of the file at once.
    static func load(_ context: Context) throws(CommandError) -> LoadedSettings {
        try load(path(context), context)
    }

    /// The settings with `--state DIR` put over the configuration's `state`.
    private static func placed(_ loaded: LoadedSettings, _ context: Context) -> LoadedSettings {
        guard let state = context.arguments.value("state") else { return loaded }
        var loaded = loaded
        loaded.settings.stateDirectory = "\(context.absolute(state))/\(loaded.settings.name)"
        return loaded
    }

    static func load(_ path: String, _ context: Context) throws(CommandError) -> LoadedSettings {
        switch SettingsFile.load(
            bytes: try contents(path, context), path: path, now: context.now(),
            ruleFile: { FileManager.default.contents(atPath: $0).map(Array.init) }, knowsTimeZone: knowsTimeZone)
        {
        case .success(let loaded): return placed(loaded, context)
        case .failure(let problems): throw .configuration(problems.description)
        }
    }

    private static func contents(_ path: String, _ context: Context) throws(CommandError) -> [UInt8] {
        let shown = context.shown(path)
        switch Files.kind(of: path, followingLinks: true) {
        case .directory: throw .configuration("\(shown): it is a folder, not a configuration file")
        case .other:
            guard let bytes = FileManager.default.contents(atPath: path) else {
                throw .configuration("\(shown): it cannot be read")
            }
            return Array(bytes)
        case .file, .link, nil: break
        }
        do {
            // One byte more than is allowed, so that too much is seen as such.
            return try Files.read(path, limit: Limits.configurationBytes + 1)
        } catch {
            guard error.isMissing else {
                throw .configuration("\(shown): it cannot be read: \(SystemError.text(error.code))")
            }
            let hint =
                context.arguments.value("config") == nil
                ? "\nhint: nightjar init writes one; --config FILE or --state DIR names another" : ""
            throw .notFound("there is no \(shown)\(hint)")
        }
    }

    /// Here and not at the start of a loop, so that `check` and a reload refuse what `run` would. A binary that knows no
    /// zones at all says that when it starts a loop.
    private static func knowsTimeZone(_ name: String) -> Bool {
        let window = ScheduleSettings.Window(fromMinute: 0, toMinute: 0, timeZone: name, days: [])
        return !WindowCalendar.knowsTimeZones || WindowCalendar(window) != nil
    }

    static func path(_ context: Context) -> String {
        URL(fileURLWithPath: context.absolute(context.arguments.value("config") ?? SettingsFile.defaultName))
            .standardizedFileURL.path
    }
}
