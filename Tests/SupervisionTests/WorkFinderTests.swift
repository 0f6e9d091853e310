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

    @Test func `a branch that origin no longer has is not replaced by what is left of it here`() async throws {
        let fixture = try await RoleFixture(roles: RoleSettings())
        let (app, origin) = (fixture.folder("app"), fixture.folder("origin"))
        try await RoleFixture.git(["clone", "--quiet", "--bare", app, origin])
        try await RoleFixture.git(["remote", "add", "origin", origin], in: app)
        try await RoleFixture.git(["tag", "v1"], in: app)
        func look(_ ref: String) async -> Event {
            var settings = fixture.context.settings.current
            settings.minFreeBytes = 0
            settings.repository = RepositorySettings(path: app, ref: ref, fetch: true)
            fixture.context.settings.stage(settings, hash: ref)
            fixture.context.settings.adoptStaged(ref)
            return await WorkFinder(context: fixture.context).look(.schedule, LoopMemory())
        }
        guard case .workSeen(let work) = await look("main"), work.wanted == fixture.wanted else {
            Issue.record("the branch was not found while it was there")
            return
        }
        try await RoleFixture.git(["branch", "--move", "main", "other"], in: origin)
        guard case .workUnavailable(let problem) = await look("main") else {
            Issue.record("the stale branch is wanted")
            return
        }
        #expect(problem.reason.contains("origin has no such branch any more"), "\(problem.reason)")
        guard case .workSeen(let tagged) = await look("v1"), tagged.wanted == fixture.wanted else {
            Issue.record("a tag is no branch")
            return
        }
    }
}
