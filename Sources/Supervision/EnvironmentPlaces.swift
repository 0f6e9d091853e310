// SPDX-License-Identifier: Apache-2.0
// Where the locks on environments are: one place for all loops of a user, whatever their state folders.

import Domain
import Platform

enum EnvironmentPlaces {
    /// Belongs to this user alone, or is refused.
    static let base = "/tmp/nightjar-\(ThisProcess.userID)"

    /// Held by a daemon for each loop that it runs.
    static func loopLock(_ settings: LoopSettings) -> String { path(settings) + ".lock" }

    /// Held by the shepherd of a deployment: it goes on when its daemon is gone and the lock of that daemon with it. Nil
    /// where the loop has its environment from its name alone, which it may share with other projects.
    static func deployLock(_ settings: LoopSettings) -> String? {
        isShared(settings) ? nil : path(settings) + ".deploy"
    }

    /// A loop that names no environment has one called like itself.
    static func isShared(_ settings: LoopSettings) -> Bool { settings.environment == settings.name }

    static var folder: String { "\(base)/environments" }

    private static func path(_ settings: LoopSettings) -> String {
        "\(folder)/\(StageRun.fileName(settings.environment))"
    }
}
