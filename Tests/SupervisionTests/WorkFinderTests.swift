// SPDX-License-Identifier: Apache-2.0
// What a look finds by the command that prints the wanted revision.

import Domain
import TestSupport
import Testing

@testable import Supervision

@Suite struct WorkFinderTests {
    @Test func `the command that prints the revision gets the secrets that it names`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        try fixture.folder.write("token", "s3cret-of-the-registry")
        var settings = fixture.context.settings.current
        settings.minFreeBytes = 0
        settings.secrets = ["TOKEN": .file(fixture.folder("token"))]
        settings.repository?.revisionCommand = CommandSettings(
            arguments: ["/bin/sh", "-c", "test \"$TOKEN\" = s3cret-of-the-registry && echo build-17"],
            timeout: .seconds(30), secrets: ["TOKEN"])
        fixture.context.settings.stage(settings, hash: "changed")
        fixture.context.settings.adoptStaged("changed")
        guard case .workSeen(let work) = await WorkFinder(context: fixture.context).look(.schedule, LoopMemory())
        else {
            Issue.record("nothing was found")
            return
        }
        #expect(work.wanted == Revision("build-17"))
    }
}
