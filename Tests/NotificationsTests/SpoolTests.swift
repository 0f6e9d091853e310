// SPDX-License-Identifier: Apache-2.0
// What waits on disk, and how it is brought away: nothing twice, nothing lost, one bad receiver holds up no other.

import Domain
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Notifications

struct SpoolTests {
    private let folder: TemporaryFolder
    private let spool: Spool
    private static let start = Timestamp(milliseconds: 1_795_262_400_000)

    init() throws {
        folder = try TemporaryFolder()
        spool = Spool(folder("notify"))
    }

    private static func notice(_ number: Int, level: NoticeLevel = .page, sequence: Int = 1) -> Notice {
        Notice(
            id: "staging/INC-\(number).\(sequence)", key: "staging/INC-\(number)", kind: .opened, level: level,
            loop: "staging", host: "nj1", at: start + .milliseconds(Int64(10 * number + sequence)), title: "it fails")
    }

    private static func receiver(_ name: String, _ levels: [NoticeLevel] = [.chat, .page]) -> ReceiverSettings {
        ReceiverSettings(name: name, kind: .alertmanager(url: "http://127.0.0.1:1"), levels: levels)
    }

    private func courier(
        _ attempt: @escaping @Sendable (Notice, ReceiverSettings) async -> DeliveryOutcome
    ) -> Courier {
        Courier(spool, attempt: attempt, say: { _ in }, now: { SpoolTests.start + .seconds(1) }, jitter: { 1 })
    }

    @Test func `each receiver gets what it wants`() throws {
        let receivers = [Self.receiver("a"), Self.receiver("b", [.ticket])]
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        #expect(try spool.items().map(\.receiver) == ["a"])
    }

    @Test func `a notice that is decided again after a crash is neither spooled nor sent twice`() async throws {
        let receivers = [Self.receiver("a")]
        let sent = Mutex(0)
        let courier = courier { _, _ in
            sent.withLock { $0 += 1 }
            return .delivered
        }
        // The crash comes after the spool was written and before the memory was: the same is decided again.
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        await courier.deliver(receivers)
        // And once more after it was delivered.
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        await courier.deliver(receivers)
        #expect(sent.withLock { $0 } == 1)
        #expect(spool.count() == 0)
    }

    @Test func `a crash between the note and the removal does not send again`() async throws {
        let receivers = [Self.receiver("a")]
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        let item = try #require(try spool.items().first)
        try spool.finish(item, "delivered", at: Self.start)
        try spool.put(item)
        try spool.sweep()
        #expect(spool.count() == 0)
    }

    @Test func `a receiver that is down holds up nobody, and keeps its order`() async throws {
        let receivers = [Self.receiver("down"), Self.receiver("up")]
        try spool.add([Self.notice(1), Self.notice(2)], for: receivers, remembering: NoticeMemory())
        let tried = Mutex<[String]>([])
        let courier = courier { notice, receiver in
            tried.withLock { $0.append("\(receiver.name) \(notice.key)") }
            return receiver.name == "up" ? .delivered : .later("status 503", after: .seconds(60))
        }
        await courier.deliver(receivers)
        #expect(tried.withLock { $0.filter { $0.hasPrefix("up") }.count } == 2)
        #expect(tried.withLock { $0.filter { $0.hasPrefix("down") } } == ["down staging/INC-1"])
        let left = try spool.items()
        #expect(left.map(\.receiver) == ["down", "down"] && left.first?.attempts == 1)
        #expect(left.first?.nextAttempt == Self.start + .seconds(61))
        await courier.deliver(receivers)
        #expect(tried.withLock { $0.count } == 3)
    }

    @Test func `a page waits neither for quiet hours nor for chat, and what it says already is not told later`()
        async throws
    {
        let receivers = [Self.receiver("a")]
        var held = Self.notice(1, level: .chat)
        held.notBefore = Self.start + .seconds(3600)
        var other = Self.notice(2, level: .chat)
        other.notBefore = held.notBefore
        let notices = [held, other, Self.notice(1, sequence: 2), Self.notice(3, level: .chat)]
        try spool.add(notices, for: receivers, remembering: NoticeMemory())
        let tried = Mutex<[String]>([])
        await courier { notice, _ in
            tried.withLock { $0.append(notice.id) }
            return .delivered
        }.deliver(receivers)
        #expect(tried.withLock { $0 } == ["staging/INC-1.2", "staging/INC-3.1"])
        #expect(try spool.items().map(\.notice.id) == ["staging/INC-2.1"])
        #expect(try folder.read("notify/sent.jsonl").contains("overtaken by staging/INC-1.2"))
    }

    @Test func `after an outage the newest word is sent, never the beginning after the end`() async throws {
        let receivers = [Self.receiver("a")]
        var over = Self.notice(1, level: .chat, sequence: 3)
        over.kind = .resolved
        over.told = [.chat, .page]
        let notices = [
            Self.notice(1, level: .chat), Self.notice(1, sequence: 2), over,
            // A page is not replaced by something that nobody is woken for.
            Self.notice(2, sequence: 1), Self.notice(2, level: .chat, sequence: 2),
        ]
        try spool.add(notices, for: receivers, remembering: NoticeMemory())
        let tried = Mutex<[String]>([])
        await courier { notice, _ in
            tried.withLock { $0.append(notice.id) }
            return .delivered
        }.deliver(receivers)
        #expect(tried.withLock { $0 } == ["staging/INC-2.1", "staging/INC-1.3", "staging/INC-2.2"])
        #expect(spool.count() == 0)
        #expect(try folder.read("notify/sent.jsonl").contains("overtaken by staging/INC-1.3"))
    }

    @Test func `what was refused replaces nothing`() async throws {
        let receivers = [Self.receiver("a")]
        var held = Self.notice(1, level: .chat)
        held.notBefore = Self.start + .seconds(3600)
        try spool.add([held, Self.notice(1, sequence: 2)], for: receivers, remembering: NoticeMemory())
        await courier { notice, _ in notice.level == .page ? .refused("status 400") : .delivered }.deliver(receivers)
        #expect(try spool.items().map(\.notice.id) == ["staging/INC-1.1"])
    }

    @Test func `a page is tried before the chat that the receiver refuses to take now`() async throws {
        let receivers = [Self.receiver("a")]
        try spool.add([Self.notice(1, level: .chat)], for: receivers, remembering: NoticeMemory())
        let tried = Mutex<[String]>([])
        let courier = courier { notice, _ in
            tried.withLock { $0.append(notice.id) }
            return notice.level == .page ? .delivered : .later("status 429", after: .seconds(600))
        }
        await courier.deliver(receivers)
        try spool.add([Self.notice(2)], for: receivers, remembering: NoticeMemory())
        await courier.deliver(receivers)
        #expect(tried.withLock { $0 } == ["staging/INC-1.1", "staging/INC-2.1"])
    }

    @Test func `whoever heard the beginning hears the end, and nobody else`() throws {
        let receivers = [
            Self.receiver("chat", [.chat]), Self.receiver("page", [.page]), Self.receiver("desk", [.ticket]),
        ]
        var over = Self.notice(1, sequence: 3)
        over.kind = .resolved
        over.told = [.chat, .page]
        try spool.add([over], for: receivers, remembering: NoticeMemory())
        #expect(try spool.items().map(\.receiver) == ["chat", "page"])
    }

    @Test func `a receiver that lost a message is in trouble until it takes one, also after a start`() async throws {
        let receivers = [Self.receiver("a")]
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        let refusing = courier { _, _ in .refused("status 404") }
        await refusing.deliver(receivers)
        let words = "refused: status 404 (staging/INC-1.1)"
        #expect(await refusing.troubles == ["a": words])
        let again = courier { _, _ in .delivered }
        #expect(await again.troubles == ["a": words])
        try spool.add([Self.notice(2)], for: receivers, remembering: NoticeMemory())
        await again.deliver(receivers)
        #expect(await again.troubles.isEmpty)
        #expect(spool.troubles().isEmpty)
    }

    @Test func `what is refused is not tried again`() async throws {
        let receivers = [Self.receiver("a")]
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        await courier { _, _ in .refused("status 400") }.deliver(receivers)
        #expect(spool.count() == 0)
        #expect(try folder.read("notify/sent.jsonl").contains("refused: status 400"))
    }

    @Test(arguments: [DeliveryOutcome.delivered, .refused("status 400")])
    func `what cannot be noted is not sent again, said once, and noted when that works`(
        _ outcome: DeliveryOutcome
    ) async throws {
        let receivers = [Self.receiver("a")]
        try spool.add([Self.notice(1), Self.notice(2)], for: receivers, remembering: NoticeMemory())
        // A folder in the place of the file refuses every line, as a full or read-only disk does.
        try Files.createDirectories(folder("notify/sent.jsonl"))
        let sent = Mutex<[String]>([])
        let said = Mutex<[LogLine]>([])
        let courier = Courier(
            spool,
            attempt: { notice, _ in
                sent.withLock { $0.append(notice.key) }
                return outcome
            }, say: { line in said.withLock { $0.append(line) } }, now: { Self.start + .seconds(1) }, jitter: { 1 })
        for _ in 1...3 { await courier.deliver(receivers) }
        #expect(sent.withLock { $0 } == ["staging/INC-1", "staging/INC-2"])
        #expect(said.withLock { $0.count { $0.text.contains("remembered until it can be noted") } } == 1)
        #expect(spool.count() == 2)
        try Files.removeTree(folder("notify/sent.jsonl"))
        await courier.deliver(receivers)
        #expect(sent.withLock { $0.count } == 2 && spool.count() == 0)
        #expect(try folder.read("notify/sent.jsonl").split(separator: "\n").count == 2)
        #expect(said.withLock { $0.last?.text } == "what was delivered can be noted again")
    }

    @Test func `a line that a full disk cut does not spoil the next one`() throws {
        let receivers = [Self.receiver("a")]
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        try folder.write("notify/sent.jsonl", "{\"id\":\"stag")
        try spool.finish(try #require(try spool.items().first), "delivered", at: Self.start)
        try spool.add([Self.notice(1)], for: receivers, remembering: NoticeMemory())
        #expect(spool.count() == 0)
    }

    @Test func `pauses double up to ten minutes`() {
        let whole = (1...12).map { Courier.pause(attempts: $0, jitter: 1).milliseconds / 1000 }
        #expect(whole == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600])
        #expect(Courier.pause(attempts: 1, jitter: 0) == .milliseconds(2500))
    }

    @Test func `the memory survives`() throws {
        var memory = NoticeMemory()
        memory.entries["staging/INC-1"] = NoticeMemory.Entry(
            level: .page, since: Self.start, lastTold: Self.start, sequence: 3, title: "x")
        memory.pages = [Self.start]
        try spool.add([], for: [], remembering: memory)
        #expect(try spool.memory() == memory)
    }
}

struct PayloadTests {
    private static let notice = Notice(
        id: "staging/INC-1.1", key: "staging/INC-1", kind: .opened, level: .page, loop: "staging", host: "nj1",
        at: Timestamp(milliseconds: 1_795_262_400_000), title: "a <b> & \"c\" ünïcode",
        facts: ["<!channel> fails", "Staging serves good"], commands: ["nightjar why INC-1"], incident: "INC-1")

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `a webhook is signed with the time of the attempt, and says when it was decided`() throws {
        let first = try Payloads.webhook(Self.notice, secret: "s", at: Self.notice.at)
        let later = try Payloads.webhook(Self.notice, secret: "s", at: Self.notice.at + .seconds(3600))
        #expect(first.headers["X-Nightjar-Timestamp"] == "1795262400")
        #expect(later.headers["X-Nightjar-Timestamp"] == "1795266000")
        #expect(first.headers["X-Nightjar-Signature"] != later.headers["X-Nightjar-Signature"])
        #expect(first.body == later.body && Self.text(later.body).contains("2026-11-21T12:00:00"))
    }

    @Test func `slack gets no mention and no markup from outside`() throws {
        let text = Self.text(try Payloads.slack(Self.notice).body)
        #expect(text.contains("&lt;!channel&gt; fails") && !text.contains("<!channel>"))
    }

    @Test func `pagerduty groups by key and resolves by it`() throws {
        let begun = Self.text(try Payloads.pagerDuty(Self.notice, routingKey: "k").body)
        #expect(begun.contains(#""dedup_key":"staging/INC-1""#) && begun.contains(#""event_action":"trigger""#))
        var over = Self.notice
        over.kind = .resolved
        let ended = Self.text(try Payloads.pagerDuty(over, routingKey: "k").body)
        #expect(ended.contains(#""event_action":"resolve""#) && ended.contains(#""dedup_key":"staging/INC-1""#))
    }

    @Test func `alertmanager's labels do not change over the life of an incident`() throws {
        var later = Self.notice
        later.title = "other"
        later.at = later.at + .seconds(60)
        let labels = { (text: String) -> Substring? in
            text.firstRange(of: "\"labels\":").map { text[$0.upperBound...].prefix { $0 != "}" } }
        }
        #expect(labels(Self.text(try Payloads.alertmanager(later).body))?.contains("staging/INC-1") == true)
        #expect(
            labels(Self.text(try Payloads.alertmanager(Self.notice).body))
                == labels(Self.text(try Payloads.alertmanager(later).body)))
    }

    /// RFC 4231, test cases 1, 2 and 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `signatures are those of the standard`(key: [UInt8], message: String, code: String) {
        #expect(SHA256.hex(SHA256.authenticate(Array(message.utf8), key: key)) == code)
    }

    @Test func `a mail header cannot be injected`() {
        var hostile = Self.notice
        hostile.title = "x\r\nBcc: all@example.com"
        let text = Self.text(Payloads.mail(hostile, to: ["a@example.com"], from: "b@example.com\nX: y").body)
        let head = text.split(separator: "\n\n").first.map(String.init) ?? ""
        #expect(!head.contains("\nBcc:") && !head.contains("\nX: y"))
        #expect(head.contains("Subject: ") && head.contains("Date: 21 Nov 2026 12:00:00 +0000"))
    }

    @Test(arguments: [
        ("200 ", DeliveryOutcome.delivered), ("202", .delivered), ("429 30", .later("status 429", after: .seconds(30))),
        ("503 ", .later("status 503", after: nil)), ("404 ", .refused("status 404")),
        ("408", .later("status 408", after: nil)), ("", .later("unreadable answer", after: nil)),
        ("429 99999", .later("status 429", after: .seconds(3600))),
    ])
    func `an answer decides what is done next`(answer: String, outcome: DeliveryOutcome) {
        #expect(Delivery.judge(answer) == outcome)
    }
}
