// SPDX-License-Identifier: Apache-2.0
// What is told of an environment that was left elsewhere, of a loop that ended, and beside a question.

import Domain
import Testing

@testable import Notifications

struct LeftBehindTests {
    @Test func `what is served decides whether unknown is urgent`() throws {
        var night = Night()
        night.breaks()
        night.situation.environment = .unknown
        night.situation.serving = Revision("stray")
        night.situation.lastGreen = Revision("green")
        let page = try #require(night.look().first)
        #expect(page.level == .page && page.title.contains("staging is left at stray"))
        // A deployment that failed has left the last green revision as it was.
        night = Night()
        night.breaks()
        night.situation.environment = .unknown
        night.situation.serving = Revision("green")
        night.situation.lastGreen = Revision("green")
        #expect(night.look().map(\.level) == [.chat])
        // Where no revision can be read, unknown is no news.
        night = Night()
        night.breaks()
        night.situation.environment = .unknown
        night.situation.provesRevision = false
        #expect(night.look().map(\.level) == [.chat])
        #expect(night.look(after: 46 * 60).map(\.level) == [.page])
    }

    @Test func `what a cycle left behind pages whatever its verdict, also where its incident is acknowledged`() throws {
        var night = Night()
        night.situation.verdict = .interrupted
        night.situation.incidents = [Night.incident("INC-1", .acknowledged)]
        night.situation.leftBehind = "NOT restored to 4f2a9c1: what staging runs is unknown"
        let notices = night.look()
        let page = try #require(notices.first { $0.level == .page })
        #expect(page.key == "staging/staging" && page.title.contains("NOT restored to 4f2a9c1"))
        #expect(night.look().isEmpty)
        night.situation.leftBehind = nil
        #expect(night.look().map(\.kind) == [.resolved])
    }

    @Test func `a loop that ends by itself pages, and its next start says that it is over`() {
        var night = Night()
        night.situation.ended = "the lock on the environment is another's"
        let page = night.look()
        #expect(page.map(\.level) == [.page] && page.first?.title.contains("the loop has ended") == true)
        night.situation.ended = nil
        #expect(night.look().map(\.kind) == [.resolved])
    }

    @Test func `while an experiment is asked about, incidents do not page beside the question`() {
        var night = Night()
        night.breaks(restoring: "remedy.allow does not list rollback")
        night.situation.approval = Approval(
            subject: .experiments, incident: nil, name: nil, because: "remedy.approve lists experiments",
            pastMigration: false, askedAt: night.now, deadline: night.now + .seconds(600))
        let notices = night.look()
        #expect(notices.filter { $0.level == .page }.map(\.key) == ["staging/approval-experiments"])
    }
}
