// SPDX-License-Identifier: Apache-2.0
// What the placeholders of a command stand for in one stage run.

import Domain
import Execution

/// Values by placeholder name, and the folder that relative commands start in.
struct PlaceholderValues: Sendable {
    private(set) var values: [String: String]
    /// `{tests}` becomes one argument for each.
    var tests: [String]?
    var workingDirectory: String

    init(_ run: StageRun, _ surroundings: StageSurroundings, _ settings: LoopSettings) {
        values = [
            "revision": run.revision.id, "cycle": String(run.cycle), "loop": settings.name,
            "stageStart": surroundings.cycleStartedAt.description, "folder": run.folder,
            "lastGreen": surroundings.lastGreen?.id ?? run.revision.id,
            "previous": surroundings.previous?.id ?? run.revision.id, "suite": run.subject ?? "",
            "component": surroundings.component ?? "", "worktree": settings.baseDirectory,
        ]
        workingDirectory = settings.baseDirectory
    }

    /// For filling in an argument vector.
    var placeholders: Placeholders {
        Placeholders(values, lists: tests.map { ["tests": $0] } ?? [:])
    }

    subscript(name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue }
    }
}
