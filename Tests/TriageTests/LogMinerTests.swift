// SPDX-License-Identifier: Apache-2.0
// How logs of any kind become kinds of entries.

import Domain
import Testing

@testable import Triage

private func mine(_ text: String, known: [LogTemplate] = [], limits: LogLimits = LogLimits()) -> LogProfile {
    mine(Array(text.utf8), known: known, limits: limits)
}

private func mine(_ bytes: [UInt8], known: [LogTemplate] = [], limits: LogLimits = LogLimits()) -> LogProfile {
    let miner = LogMiner(limits: limits, known: known)
    miner.begin(file: "console.log", source: "stage")
    miner.take(bytes)
    return miner.finish()
}

private func masked(_ line: String) -> String {
    Array(line.utf8).withUnsafeBufferPointer { bytes in
        let out = [UInt8](unsafeUninitializedCapacity: LineMask.room(bytes.count)) { buffer, count in
            count = buffer.baseAddress.map { LineMask.mask(bytes, into: $0) } ?? 0
        }
        return String(decoding: out, as: UTF8.self)
    }
}

@Suite struct LogMinerTests {
    @Test(arguments: [
        ("took 12 ms", "took <*> ms"),
        ("took 12ms for 0x7fff and deadbeefcafe", "took <*>ms for <*> and <*>"),
        ("from 10.0.0.7:8443 at 2026-11-21 04:18:41.651", "from <*> at <*> <*>"),
        ("request 123e4567-e89b-12d3-a456-426614174000 of user_4711", "request <*> of user_<*>"),
        ("/var/log/app-17/x.log", "/var/log/app-<*>/x.log"),
        ("thread 8f3a9c1d gone", "thread <*> gone"),
        ("S3Error in utf8", "S<*>Error in utf<*>"),
        (#""GET /a HTTP/1.1" 500 17"#, #""GET /a HTTP/<*>" 500 <*>"#),
        ("exit status 137, took 137", "exit status 137, took <*>"),
        ("  two\t blanks  ", "two blanks"),
        ("", ""),
    ])
    func `what varies becomes a mask and what tells stays`(line: String, expected: String) {
        #expect(masked(line) == expected)
    }

    @Test func `lines that differ in numbers and names are one kind`() {
        let text = (1...50).map {
            "2026-11-21T04:18:\(10 + $0 % 50).000Z INFO user u\($0) opened thread number \($0)\n"
        }
        let profile = mine(text.joined())
        #expect(profile.templates.count == 1)
        let kind = profile.templates.first
        #expect(kind?.count == 50)
        #expect(kind?.level == "info")
        #expect(kind?.template == "INFO user u<*> opened thread number <*>")
        #expect([kind?.firstLine, kind?.lastLine] == [1, 50])
        #expect(kind?.firstTime == 1_795_234_691_000)
    }

    @Test func `lines that differ in an outcome are two kinds`() {
        let profile = mine(
            """
            connection from gateway to auth service succeeded
            connection from backend to auth service succeeded
            connection from gateway to auth service failed
            """)
        #expect(
            profile.templates.map(\.template) == [
                "connection from <*> to auth service succeeded", "connection from gateway to auth service failed",
            ])
    }

    @Test func `structured lines give level, service and message, whatever stands around them`() {
        let profile = mine(
            """
            [backend] {"ts": "2026-11-21T04:18:41.651Z", "level": "warning", "service": "backend", "msg": "slow \\"x\\" 7"}
            {"severity":"ERROR","message":"query failed","service":"auth","exc_info":"Traceback (most recent call last):\\n  File \\"a.py\\", line 3\\nsqlite3.OperationalError: no such column: t.x\\n"}
            {"level":30,"msg":"request","status":503,"nested":{"msg":"inner","a":[1,{"b":"}"}]}}
            {"level":"info","msg":"torn
            """)
        let kinds = profile.templates
        #expect(kinds.map(\.source) == ["backend", "auth", "stage", "stage"])
        #expect(kinds.map(\.level) == ["warn", "error", "error", nil])
        #expect(kinds.first?.template == #"slow "x" <*>"#)
        #expect(kinds[1].exception == "sqlite<*>.OperationalError: no such column: t.x")
        #expect(kinds[2].template == "request status=503")
    }

    @Test func `a bare traceback belongs to the line before it, of the same service`() {
        let profile = mine(
            """
            [auth] {"level":"info","msg":"listening"}
            [backend] {"level":"error","msg":"unhandled error in POST /threads/12"}
            [backend] Traceback (most recent call last):
            [backend]   File "/app/store.py", line 12, in insert
            [auth] {"level":"info","msg":"still here"}
            [backend]     connection.execute(statement)
            [backend] sqlite3.OperationalError: table threads has no column named topic
            [backend] {"level":"info","msg":"next"}
            """)
        #expect(profile.events == 4)
        let bad = profile.templates.filter { $0.level == "error" }
        #expect(bad.count == 1)
        #expect(bad.first?.template == "unhandled error in POST /threads/<*>")
        #expect(bad.first?.exception == "sqlite<*>.OperationalError: table threads has no column named topic")
        #expect(bad.first?.firstLine == 7)
    }

    @Test func `a cause of a Java trace is the exception of its entry`() {
        let profile = mine(
            """
            2026-11-21 04:18:41,651 ERROR [main] Server - start failed
            java.lang.IllegalStateException: no bean
            \tat com.x.A.b(A.java:12)
            Caused by: java.net.ConnectException: Connection refused
            \t... 12 more
            2026-11-21 04:18:42,000 INFO [main] Server - bye
            """)
        #expect(
            profile.templates.map(\.exception) == ["Caused by: java.net.ConnectException: Connection refused", nil])
    }

    @Test func `levels are read from many spellings and from no everyday word`() {
        func level(_ line: String) -> String? { mine(line).templates.first?.level }
        #expect(level("ERROR could not bind") == "error")
        #expect(level("[warn] low") == "warn")
        #expect(level("2026-01-01T00:00:00Z <4> level=error msg=x") == "error")
        #expect(level("##[error]Process completed") == "error")
        #expect(level("\u{1b}[1;31mERROR\u{1b}[m COMPILATION") == "error")
        #expect(level("fatal: not a git repository") == "fatal")
        #expect(level("panic: runtime error") == "fatal")
        #expect(level("error handling was improved") == nil)
        #expect(level("if-no-files-found: error") == nil)
        #expect(level("no INFORMATIVE text") == nil)
        #expect(level(#"10.0.0.1 - - "GET / HTTP/1.1" 502 11"#) == "error")
        #expect(level(#"10.0.0.1 - - "GET / HTTP/1.1" 200 511"#) == nil)
    }

    @Test func `terminal escapes, progress bars and rubbish bytes are survived`() {
        var bytes = Array("10 %\r50 %\r\u{1b}[32mDownloaded\u{1b}[0m \u{1b}]0;title\u{7}a file\n".utf8)
        bytes += [0xff, 0xfe, 0x00, 0x80, 10, 0x1b, 10, 0x1b, UInt8(ascii: "["), 10, 13, 10, 123, 34, 92]
        let profile = mine(bytes)
        #expect(profile.templates.first?.template == "Downloaded a file")
        #expect(profile.lines == 6)
    }

    @Test func `how the bytes are cut into pieces changes nothing`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Dice(seed)
        let lines = (0..<300).map { index in
            switch random.next() % 5 {
            case 0: "{\"level\":\"error\",\"msg\":\"lost \(index)\"}"
            case 1: "Traceback (most recent call last):\n  File \"x\"\nValueError: bad \(index)"
            case 2: String(repeating: "long ", count: Int(random.next() % 900))
            case 3: "\u{1b}[1mbold \(index)\u{1b}[0m\r\nüber \(index)"
            default: "plain line \(index) of many"
            }
        }
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let whole = mine(bytes, limits: LogLimits(lineBytes: 2000))
        let miner = LogMiner(limits: LogLimits(lineBytes: 2000))
        miner.begin(file: "console.log", source: "stage")
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + Int(random.next() % 700))
            miner.take(Array(bytes[start..<end]))
            start = end
        }
        #expect(miner.finish() == whole, "seed \(seed)")
        for template in whole.templates {
            let begins = template.firstOffset == 0 || bytes[template.firstOffset - 1] == 10
            #expect(begins, "seed \(seed): \(template)")
            #expect(bytes[..<template.firstOffset].count { $0 == 10 } == template.firstLine - 1, "seed \(seed)")
        }
    }

    @Test func `kinds beyond the limit are counted and not kept`() {
        let words = (0..<400).map { number in
            String(number).map { ["a", "b", "c", "d", "e", "f", "g", "h", "k", "z"][Int(String($0)) ?? 0] }.joined()
        }
        let text = words.map { "\($0)x \($0)y \($0)z\n" }.joined()
        let profile = mine(text, limits: LogLimits(templates: 100))
        #expect(profile.templates.count == 100)
        #expect(profile.overflow == 300)
        #expect(profile.events == 400)
    }

    @Test func `templates of another log are known again with their counts`() {
        let before = mine("user 1 in\nERROR lost 5\nuser 2 in\nValueError: no 7\n")
        let now = mine(
            "user 3 in\nERROR lost 6\nERROR other thing\nuser 4 in\nValueError: no 8\n", known: before.templates)
        #expect(now.templates.map(\.countBefore) == [2, 1, nil, 1])
    }

    @Test func `a trimmed profile keeps errors first`() {
        let profile = mine("one\none\ntwo\ntwo\ntwo\nERROR once\nsix\n").trimmed(to: 2)
        #expect(profile.templates.map(\.template) == ["two", "ERROR once"])
        #expect(profile.overflow == 3)
    }
}

/// SplitMix64: small, seeded, the same everywhere.
private struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
