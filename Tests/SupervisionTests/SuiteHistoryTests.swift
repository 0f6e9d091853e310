// SPDX-License-Identifier: Apache-2.0
// What a suite is usually like, and what is said where that cannot be read.

import Domain
import Evidence
import Platform
import TestSupport
import Testing

@testable import Supervision

struct SuiteHistoryTests {
    private func real() throws -> StageFixture {
        let script = #"""
            printf '{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.5}\n{"Action":"pass","Package":"p"}\n'
            """#
        return try StageFixture { settings in
            settings.suites = [
                SuiteSettings(
                    name: "unit", priority: 0, command: StageFixture.script(script),
                    reportFormat: .goTestJSON, console: .goTestJSON, blocking: true, real: true)
            ]
        }
    }

    @Test func `a past that cannot be read is a doubt, and no past is none`() async throws {
        let fixture = try real()
        let sound = await fixture.test("unit")
        #expect(sound.suite?.authenticity.status == .proven)
        #expect(fixture.said.texts(.warn).isEmpty)

        let broken = try real()
        // Where a folder is to be.
        try AtomicFile.write([1], to: broken.context.layout.history, durable: false)
        let record = await broken.test("unit")
        #expect(record.suite?.authenticity.status == .doubtful)
        #expect(record.suite?.authenticity.reasons.map(\.rule) == ["past-unreadable"])
        #expect(broken.said.texts(.warn).contains { $0.contains(broken.context.layout.history) })
    }

    @Test func `accepted baselines that cannot be read are told`() async throws {
        let fixture = try real()
        try Files.createDirectories(fixture.context.layout.acceptedBaselines)
        let usual = await fixture.context.history.usual(of: "unit")
        #expect(usual.unread?.contains("accepted-baselines") == true)
    }
}
