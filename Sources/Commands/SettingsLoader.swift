// SPDX-License-Identifier: Apache-2.0
// Finds and reads the configuration file that a command is about.

import Configuration
import Domain
import Foundation
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
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            if !FileManager.default.fileExists(atPath: path) {
                let hint =
                    context.arguments.value("config") == nil
                    ? "\nhint: nightjar init writes one; --config FILE or --state DIR names another" : ""
                throw .notFound("there is no \(context.shown(path))\(hint)")
            }
            throw .unavailable("could not read \(path): \(error.localizedDescription)")
        }
        switch SettingsFile.load(
            bytes: Array(bytes), path: path, now: context.now(),
            ruleFile: { FileManager.default.contents(atPath: $0).map(Array.init) })
        {
        case .success(let loaded):
            try checkTimeZone(loaded.settings, path, context)
            return placed(loaded, context)
        case .failure(let problems): throw .configuration(problems.description)
        }
    }

    /// Here and not at the start of a loop, so that `check` and a reload refuse what `run` would. A binary that knows no
    /// zones at all says that when it starts a loop.
    private static func checkTimeZone(
        _ settings: LoopSettings, _ path: String, _ context: Context
    ) throws(CommandError) {
        guard let window = settings.schedule.window, WindowCalendar.knowsTimeZones, WindowCalendar(window) == nil else {
            return
        }
        throw .configuration(
            "\(context.shown(path)): schedule.window.timeZone: found \"\(window.timeZone)\", allowed: a time zone such as \"Europe/Berlin\""
        )
    }

    static func path(_ context: Context) -> String {
        URL(fileURLWithPath: context.absolute(context.arguments.value("config") ?? SettingsFile.defaultName))
            .standardizedFileURL.path
    }
}
