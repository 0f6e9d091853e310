// SPDX-License-Identifier: Apache-2.0
// When people are told what: each rule, and what never may happen over random nights.

import Domain
import Testing

@testable import Notifications

/// A loop whose situation a test changes step by step.
struct Night {
    var situation = Situation(loop: "staging", host: "nj1", cycle: 1, verdict: .healthy, environment: .asWanted)
    var memory = NoticeMemory()
    var now = Timestamp(milliseconds: 1_795_262_400_000)
    var settings = PagingSettings()

    init() {
        situation.serving = Revision("good")
        situation.lastGreen = Revision("good")
        situation.wanted = Revision("bad")
    }

    static func incident(
        _ id: String, _ state: Incident.State = .open, category: Domain.Category = .codeRegression
    ) -> Incident {
        Incident(
            id: id, signature: id, title: "chat times out", tests: ["t"], suites: ["s"], state: state,
            firstSeen: Timestamp(milliseconds: 1_795_262_000_000), firstCycle: 1,
            diagnosis: Diagnosis(
                category: category, summary: "it was 9f3c1e2", grade: .likely, recommendedAction: .none))
    }

    mutating func look(after seconds: Int64 = 15, quietUntil: Timestamp? = nil) -> [Notice] {
        now = now + .seconds(seconds)
        return NotificationPolicy(settings).decide(situation, &memory, at: now, quietUntil: quietUntil)
    }

    /// A revision fails and nothing was brought back.
    mutating func breaks(restoring problem: String? = nil) {
        situation.verdict = .failing
        situation.environment = .asWanted
        situation.failingSince = now
        situation.restoreProblem = problem
        situation.incidents = [Night.incident("INC-1")]
    }
}

struct PolicyTests {
    @Test func `nothing is told of a healthy loop`() {
        var night = Night()
        #expect(night.look().isEmpty && night.memory == NoticeMemory())
    }

    @Test func `an incident is told once, in chat, and once when it is over`() {
        var night = Night()
        night.situation.verdict = .failing
        night.situation.environment = .restored
        night.situation.incidents = [Night.incident("INC-1")]
        let first = night.look()
        #expect(first.map(\.kind) == [.opened] && first.map(\.level) == [.chat])
        #expect(first.first?.key == "staging/INC-1" && first.first?.id == "staging/INC-1.1")
        for _ in 0..<100 { #expect(night.look(after: 600).isEmpty) }
        night.situation.verdict = .healthy
        night.situation.incidents = [Night.incident("INC-1", .resolved)]
        let last = night.look()
        #expect(last.map(\.kind) == [.resolved] && last.first?.id == "staging/INC-1.2")
        #expect(night.look().isEmpty)
    }

    @Test func `what healed by itself is told to nobody`() {
        var night = Night()
        night.situation.verdict = .degraded
        night.situation.incidents = [Night.incident("INC-1", category: .transient)]
        #expect(night.look().isEmpty)
    }

    @Test func `a failure that is not restored pages when the hold is over, once`() {
        var night = Night()
        night.breaks()
        let chat = night.look()
        #expect(chat.map(\.level) == [.chat])
        // The log says until when the page is held, and by which rule.
        let policy = NotificationPolicy(night.settings)
        let due = (night.now + .seconds(45 * 60)).clockMinute
        #expect(
            chat.map { policy.held($0, night.situation, at: night.now) } == [
                "; page held to \(due), paging.holdFor 45m"
            ])
        #expect(night.look(after: 44 * 60).isEmpty)
        let page = night.look(after: 60)
        #expect(page.map { policy.held($0, night.situation, at: night.now) } == [""])
        #expect(page.map(\.level) == [.page] && page.first?.title.contains("45m >= paging.holdFor 45m") == true)
        #expect(night.look(after: 60).isEmpty)
    }

    @Test(arguments: [
        (EnvironmentRecord.State.unknown, String?.none, "what staging runs is unknown"),
        (.asWanted, "migration 0007 blocks rollback", "NOT restored: migration 0007 blocks rollback"),
    ])
    func `what only a person can mend pages at once`(
        state: EnvironmentRecord.State, problem: String?, words: String
    ) throws {
        var night = Night()
        night.breaks(restoring: problem)
        (night.situation.environment, night.situation.serving) = (state, nil)
        let page = try #require(night.look().first)
        #expect(page.level == .page && page.facts.contains("Now: \(words)"))
        #expect(page.commands.contains("nightjar why INC-1") && page.commands.contains("nightjar ack INC-1"))
    }

    @Test func `a page says all that a person needs at three in the morning`() throws {
        var night = Night()
        night.breaks(restoring: "migration 0007 blocks the rollback")
        night.situation.serving = Revision("bad")
        night.situation.valueAtRisk = 120_000
        night.situation.valueUnit = "USD/month"
        night.situation.priorities = ["INC-1": 0]
        night.situation.next = "Nightjar waits for a revision newer than bad, which is known-bad; it looks every 10m"
        night.situation.incidents[0].diagnosis = Diagnosis(
            category: .codeRegression, summary: "chat times out; bad changed messages.py", grade: .likely,
            recommendedAction: .none,
            ruledOut: [
                RuledOut(category: .network, because: "the probes answer"),
                RuledOut(category: .dependencyDown, because: "the probes answer"),
            ])
        let page = try #require(night.look(after: 300).first)
        #expect(
            page.title
                == "staging INC-1 P0: chat times out on bad, likely code-regression; "
                + "NOT restored: migration 0007 blocks the rollback")
        #expect(
            page.facts == [
                "Now: NOT restored: migration 0007 blocks the rollback", "Fails: t",
                "Since 2026-11-21T11:53:20Z (11m), seen 1 time", "Staging serves bad, which fails: HOLD",
                "At risk: 120,000 USD/month", "Likely (not proven): bad changed messages.py",
                "Ruled out: network, dependency-down (the probes answer)",
                "Nightjar waits for a revision newer than bad, which is known-bad; it looks every 10m",
                "Evidence: nightjar show 1, on nj1",
            ])
        #expect(page.commands == ["nightjar why INC-1", "nightjar ack INC-1"])
        night.situation.verdict = .healthy
        night.situation.serving = Revision("newer")
        night.situation.wanted = Revision("newer")
        night.situation.incidents[0].state = .resolved
        let over = try #require(night.look(after: 3600).first)
        #expect(over.title == "RESOLVED staging INC-1 P0: chat times out" && over.facts.first == "Over after 71m")
    }

    @Test(arguments: [
        (0, "0s"), (300, "300ms"), (45_000, "45s"), (119_999, "119s"), (2_700_000, "45m"), (7_500_000, "2h 5m"),
    ])
    func `times are short`(milliseconds: Int64, words: String) {
        #expect(Wording.span(.milliseconds(milliseconds)) == words)
    }

    @Test func `a restored environment calls nobody out of bed`() {
        var night = Night()
        night.breaks()
        night.situation.environment = .restored
        _ = night.look()
        for _ in 0..<50 { #expect(night.look(after: 3600).allSatisfy { $0.level < .page }) }
    }

    @Test func `who has acknowledged is not called again`() {
        var night = Night()
        night.breaks(restoring: "refused")
        #expect(night.look().map(\.level) == [.page])
        night.situation.incidents[0].state = .acknowledged
        for _ in 0..<20 { #expect(night.look(after: 3 * 3600).isEmpty) }
    }

    @Test func `what lasts is mentioned again, and not more often than agreed`() {
        var night = Night()
        night.breaks(restoring: "refused")
        _ = night.look()
        #expect(night.look(after: 4 * 3600 - 30).isEmpty)
        #expect(night.look(after: 60).map(\.kind) == [.reminder])
        #expect(night.look(after: 60).isEmpty)
    }

    @Test func `with after-ack an incident is over only when somebody has seen it`() {
        var night = Night()
        night.settings.resolve = .afterAcknowledgement
        night.breaks()
        _ = night.look()
        night.situation.verdict = .healthy
        night.situation.incidents = [Night.incident("INC-1", .resolved)]
        #expect(night.look().isEmpty)
        night.situation.incidents[0].acknowledgedBy = "ada"
        #expect(night.look().map(\.kind) == [.resolved])
    }

    @Test func `three cycles that proved nothing are a ticket`() {
        var night = Night()
        night.situation.doubtfulInARow = 2
        #expect(night.look().isEmpty)
        night.situation.doubtfulInARow = 3
        #expect(night.look().map(\.level) == [.ticket])
        night.situation.doubtfulInARow = 0
        #expect(night.look().map(\.kind) == [.resolved])
    }

    @Test func `a question to a person pages, with both answers to type`() throws {
        var night = Night()
        night.situation.approval = Approval(
            subject: .rollback, incident: "INC-1", name: "good", because: "migration 0007", pastMigration: true,
            askedAt: night.now, deadline: night.now + .seconds(14_400))
        night.breaks()
        night.situation.serving = Revision("bad")
        night.situation.isUnderWay = true
        night.situation.next = "Nightjar waits for an answer"
        let notices = night.look()
        let page = try #require(notices.first { $0.level == .page })
        #expect(page.key == "staging/approval-rollback-INC-1")
        #expect(page.title == "staging asks: INC-1 rollback to good? chat times out on bad")
        #expect(
            page.facts
                == [
                    "Asks: INC-1 rollback to good, because migration 0007", "Fails: t",
                    "Since 2026-11-21T11:53:20Z (415s)", "Staging serves bad, which fails: HOLD",
                    "Likely (not proven): it was 9f3c1e2", "Nightjar waits for an answer",
                ].map { $0.hasPrefix("Since") ? page.facts[2] : $0 })
        #expect(
            page.commands == [
                "nightjar approve INC-1 rollback --past-migration", "nightjar reject INC-1", "nightjar why INC-1",
            ])
        // The incident itself pages nobody a second time while the question says it all.
        #expect(notices.filter { $0.level == .page }.count == 1)
        #expect(night.look(after: 3600).isEmpty)
        // Another question about it is another page, however quickly it follows.
        night.situation.approval?.subject = .fix
        let next = night.look()
        #expect(next.filter { $0.kind == .opened }.map(\.key) == ["staging/approval-fix-INC-1"])
        #expect(
            next.filter { $0.kind == .resolved }.map(\.title) == [
                "RESOLVED, no longer asked: staging asks: INC-1 rollback to good? chat times out on bad"
            ])
    }

    @Test func `quiet hours hold chat back and no page`() {
        var night = Night()
        night.breaks()
        let morning = night.now + .seconds(3600)
        #expect(night.look(quietUntil: morning).map(\.notBefore) == [morning])
        night.situation.restoreProblem = "refused"
        #expect(night.look(quietUntil: morning).map(\.notBefore) == [nil])
    }

    @Test func `pages beyond the budget become tickets, and one page names them`() {
        var night = Night()
        night.settings.pagesPerShift = 2
        night.breaks(restoring: "refused")
        night.situation.incidents = (1...5).map { Night.incident("INC-\($0)") }
        let notices = night.look()
        #expect(notices.filter { $0.level == .page && $0.kind == .opened }.count == 2)
        #expect(notices.filter { $0.level == .ticket }.count == 3)
        #expect(notices.filter { $0.kind == .digest }.map(\.facts.count) == [3])
        #expect(night.look().isEmpty)
    }

    @Test func `what the budget withholds later is named as well, half an hour apart`() {
        var night = Night()
        night.settings.pagesPerShift = 1
        night.breaks(restoring: "refused")
        night.situation.incidents = [Night.incident("INC-1"), Night.incident("INC-2")]
        #expect(night.look().filter { $0.kind == .digest }.count == 1)
        night.situation.incidents.append(Night.incident("INC-3"))
        #expect(night.look(after: 60).filter { $0.kind == .digest }.isEmpty)
        #expect(night.look(after: 1800).filter { $0.kind == .digest }.map(\.facts.count) == [1])
    }

    @Test func `the end names every level at which the beginning was told`() throws {
        var night = Night()
        night.breaks()
        #expect(night.look().map(\.level) == [.chat])
        night.situation.restoreProblem = "refused"
        #expect(night.look().map(\.level) == [.page])
        night.situation.verdict = .healthy
        night.situation.incidents = [Night.incident("INC-1", .resolved)]
        let over = try #require(night.look().first)
        #expect(over.kind == .resolved && over.told == [.chat, .page])
    }

    @Test func `a page that no incident explains says what fails`() throws {
        var night = Night()
        night.breaks()
        night.situation.incidents = []
        night.situation.fails = ["deploy: exit 3", "chat: the suite did not run"]
        night.situation.environment = .unknown
        night.situation.serving = nil
        let page = try #require(night.look().first)
        #expect(page.level == .page && page.facts.first == "Fails: deploy: exit 3; chat: the suite did not run")
        #expect(page.facts.contains("Staging serves: unknown; last green: good"))
        #expect(page.facts.contains("Cause: nothing is diagnosed yet, and nothing is ruled out"))
    }

    @Test func `hostile text stays one short line`() throws {
        var night = Night()
        night.breaks()
        night.situation.incidents[0].title =
            "<script>\u{1B}[31m\u{202E}evil\r\nBcc: all@example.com" + String(repeating: "x", count: 1 << 20)
        let notice = try #require(night.look().first)
        #expect(notice.title.count <= 200)
        #expect(notice.title.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{202E}" })
    }

    /// Random nights: whatever happens, ids are unique, pages stay within the budget, and nothing is over before it began.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `no night breaks the promises`(seed: UInt64) {
        var random = SplitMix(seed)
        var night = Night()
        var ids: Set<String> = []
        var open: Set<String> = []
        var pages: [Timestamp] = []
        for _ in 0..<2000 {
            night.situation.verdict = [.healthy, .failing, .unproven, .degraded].randomElement(using: &random)
            night.situation.environment =
                [.asWanted, .restored, .unknown].randomElement(using: &random) ?? .asWanted
            night.situation.failingSince = night.situation.verdict == .failing ? night.now : nil
            night.situation.incidents = (1...4).compactMap { number in
                Bool.random(using: &random)
                    ? Night.incident(
                        "INC-\(number)", [.open, .acknowledged, .resolved].randomElement(using: &random) ?? .open)
                    : nil
            }
            for notice in night.look(after: Int64.random(in: 1...7200, using: &random)) {
                #expect(ids.insert(notice.id).inserted, "seed \(seed): \(notice.id) twice")
                if notice.kind == .resolved {
                    #expect(open.remove(notice.key) != nil, "seed \(seed): \(notice.key) ended before it began")
                } else if notice.kind != .digest {
                    open.insert(notice.key)
                    if notice.level == .page { pages.append(notice.at) }
                }
            }
            let shift = pages.filter { night.now.since($0) <= night.settings.shift }
            #expect(shift.count <= night.settings.pagesPerShift, "seed \(seed): \(shift.count) pages in a shift")
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
