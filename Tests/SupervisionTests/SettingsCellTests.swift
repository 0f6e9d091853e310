// SPDX-License-Identifier: Apache-2.0
// What a reload brings with it, and when.

import Domain
import Execution
import TestSupport
import Testing

@testable import Supervision

@Suite struct SettingsCellTests {
    private static func settings(_ secrets: [String: SecretSource]) -> LoopSettings {
        var settings = LoopSettings(
            name: "staging", mode: .operate, environment: "staging", stateDirectory: "state", baseDirectory: ".")
        settings.secrets = secrets
        return settings
    }

    @Test func `a reload brings new secrets and new sources, and what was seen before stays redacted`() async throws {
        let environment = ["OLD": "value-of-old", "NEW": "value-of-new", "MORE": "value-of-more"]
        let cell = SettingsCell(Self.settings(["TOKEN": .environment("OLD")]), secretEnvironment: environment)
        let secrets = cell.secrets
        #expect(try await secrets.fetch(["TOKEN"]) == ["TOKEN": "value-of-old"])
        cell.stage(Self.settings(["TOKEN": .environment("NEW"), "KEY": .environment("MORE")]))
        #expect(try await secrets.fetch(["TOKEN"]) == ["TOKEN": "value-of-old"])
        cell.adoptStaged()
        #expect(try await secrets.fetch(["TOKEN", "KEY"]) == ["TOKEN": "value-of-new", "KEY": "value-of-more"])
        #expect(secrets.needles == ["value-of-more", "value-of-new", "value-of-old"])
        cell.stage(Self.settings([:]))
        cell.adoptStaged()
        await #expect(throws: SecretError.self) { try await secrets.fetch(["TOKEN"]) }
        #expect(secrets.needles.count == 3)
    }
}
