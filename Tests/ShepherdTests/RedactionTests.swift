// SPDX-License-Identifier: Apache-2.0
// No form of a secret passes, however the bytes are cut.

import Foundation
import Shepherd
import Testing

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// What comes out of a redactor that gets `text` in pieces of the given sizes, over and over.
func redact(_ text: [UInt8], _ secrets: [String], pieces: [Int] = [1 << 20]) -> String {
    var redactor = Redactor(Needles(secrets))
    var out: [UInt8] = []
    var position = 0
    var turn = 0
    while position < text.count {
        let end = min(text.count, position + max(1, pieces[turn % pieces.count]))
        Array(text[position..<end]).withUnsafeBytes { redactor.pass($0) { out.append(contentsOf: $0) } }
        position = end
        turn += 1
    }
    redactor.finish { out.append(contentsOf: $0) }
    return String(decoding: out, as: UTF8.self)
}

@Suite struct RedactionTests {
    static let secret = "p@ss \"w\\ord\"/'ünï$1+"

    static func forms(of secret: String) -> [String] {
        let data = Data(secret.utf8)
        let base64 = data.base64EncodedString()
        let url = base64.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
        let hex = data.map { String(format: "%02x", $0) }.joined()
        let json = (try? JSONEncoder().encode([secret])).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return [
            secret, base64, url, hex, hex.uppercased(), json,
            "'" + secret.replacingOccurrences(of: "'", with: "'\\''") + "'",
            secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "",
            Data(("x" + secret + "y").utf8).base64EncodedString(),
            Data(("xy" + secret + "z").utf8).base64EncodedString(),
            Data(base64.utf8).base64EncodedString(), Data((base64 + "\n").utf8).base64EncodedString(),
        ]
    }

    @Test(arguments: [[1], [2, 3], [5, 1, 7], [4096]])
    func `every form is replaced wherever the chunks end`(_ pieces: [Int]) {
        for form in RedactionTests.forms(of: RedactionTests.secret) {
            let out = redact(Array("before <\(form)> after\n".utf8), [RedactionTests.secret], pieces: pieces)
            #expect(out.hasPrefix("before <"))
            #expect(out.hasSuffix("> after\n"))
            #expect(out.contains("[REDACTED]"), "\(form)")
            // What may remain are the border characters that an encoding shares with the neighbors.
            #expect(out.utf8.count <= "before <> after\n".utf8.count + 10 + 12, "\(form) -> \(out)")
        }
    }

    @Test func `markup does not hide a secret`() {
        for form in [
            "a&amp;b&lt;c>d\"e'f", "a&amp;b&lt;c&gt;d\"e'f", "a&amp;b&lt;c&gt;d&quot;e'f",
            "a&amp;b&lt;c&gt;d&quot;e&#39;f", "a&amp;b&lt;c&gt;d&quot;e&#x27;f", "a&amp;b&lt;c&gt;d&#34;e&#39;f",
            "a&amp;b&lt;c>d&quot;e&apos;f",
        ] {
            #expect(redact(Array("<p m=\"\(form)\"/>".utf8), ["a&b<c>d\"e'f"]) == "<p m=\"[REDACTED]\"/>")
        }
    }

    @Test func `random secrets in random pieces never pass`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(state: seed)
        for _ in 0..<150 {
            let length = Int.random(in: 6...40, using: &generator)
            let secret = String(
                decoding: (0..<length).map { _ in UInt8.random(in: 33...126, using: &generator) }, as: UTF8.self)
            for form in RedactionTests.forms(of: secret) {
                let pieces = (0..<4).map { _ in Int.random(in: 1...9, using: &generator) }
                let out = redact(Array("a\(form)b\(form)\n".utf8), [secret], pieces: pieces)
                #expect(!out.contains(form), "seed \(seed), secret \(secret), form \(form)")
                #expect(!out.contains(secret), "seed \(seed)")
            }
        }
    }

    @Test func `a text without secrets passes unchanged in any pieces`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(state: seed)
        for _ in 0..<50 {
            // The end of a line, because a beginning of a secret at the very end would be marked.
            let text = (0..<300).map { _ in UInt8.random(in: 97...100, using: &generator) } + [10]
            let pieces = (0..<5).map { _ in Int.random(in: 1...20, using: &generator) }
            #expect(
                redact(text, ["abcdabcdefgh", "ddddddX"], pieces: pieces) == String(decoding: text, as: UTF8.self),
                "seed \(seed)")
        }
    }

    @Test func `overlapping secrets leave nothing of either`() {
        #expect(redact(Array("-xyzabcdefgh-".utf8), ["xyzabcde", "abcdefgh"], pieces: [1]) == "-[REDACTED]-")
        #expect(
            redact(Array("-hunter2-and-more-".utf8), ["hunter2", "hunter2-and-more"], pieces: [3]) == "-[REDACTED]-")
        #expect(
            redact(Array("-hunter2-and-mist-".utf8), ["hunter2", "hunter2-and-more"], pieces: [1])
                == "-[REDACTED]-and-mist-")
    }

    @Test func `a secret that the end cuts off is marked`() {
        #expect(redact(Array("key hunter2-and-mo".utf8), ["hunter2-and-more"], pieces: [2]) == "key [REDACTED]")
        #expect(redact(Array("key hun".utf8), ["hunter2-and-more"], pieces: [2]) == "key hun")
    }

    @Test func `only what may begin a secret is held back`() {
        var redactor = Redactor(Needles(["hunter2-and-more"]))
        var out: [UInt8] = []
        Array("Password for hunt".utf8).withUnsafeBytes { redactor.pass($0) { out.append(contentsOf: $0) } }
        #expect(String(decoding: out, as: UTF8.self) == "Password for ")
    }

    @Test func `lines of a secret file and passwords in addresses are secrets`() {
        let key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7\nabc\nq8Zr5tGm1nBv\n-----END KEY-----\n"
        #expect(redact(Array("x q8Zr5tGm1nBv y".utf8), [key]) == "x [REDACTED] y")
        let address = "postgres://app:s3cr3t-pw@db.example:5432/x"
        #expect(redact(Array("password s3cr3t-pw".utf8), [address]) == "password [REDACTED]")
    }

    @Test func `short values are counted and left alone`() {
        let needles = Needles(["abc", "12345", "", "long-enough"])
        #expect(needles.tooShort == 2)
        #expect(redact(Array("abc 12345".utf8), ["abc", "12345"]) == "abc 12345")
    }
}
