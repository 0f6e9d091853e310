// SPDX-License-Identifier: Apache-2.0
// The opening handshake and the digest beneath it.

import Testing

@testable import WebSocket

@Suite struct HandshakeTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test func `SHA-1 gives the digests of FIPS 180 and of every padding border`() {
        #expect(hex(SHA1.digest([])) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex(SHA1.digest(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        let two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(hex(SHA1.digest(Array(two.utf8))) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(
            hex(SHA1.digest([UInt8](repeating: 0x61, count: 100_000))) == "c4d4b30851182fc4eb8675494d42fd7f17e29c93")
        let borders = [
            (1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
            (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
            (57, "f08f24908d682555111be7ff6f004e78283d989a"),
            (63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"),
            (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
            (65, "11655326c708d70319be2610e8a57d9a5b959d3b"),
            (119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"),
            (120, "f34c1488385346a55709ba056ddd08280dd4c6d6"),
            (128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"),
        ]
        for (count, digest) in borders { #expect(hex(SHA1.digest([UInt8](repeating: 0x61, count: count))) == digest) }
    }

    @Test func `Base64 pads as RFC 4648 section 10 shows`() {
        let pairs = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
        for (plain, encoded) in pairs { #expect(Base64.encode(Array(plain.utf8)) == encoded) }
        #expect(Base64.encode([0xFB, 0xFF, 0xBF]) == "+/+/")
        #expect(Base64.isSixteenBytes(Base64.encode([UInt8](repeating: 9, count: 16))))
        #expect(!Base64.isSixteenBytes(Base64.encode([UInt8](repeating: 9, count: 17))))
        #expect(!Base64.isSixteenBytes("not base64 at all !!!!=="))
    }

    private let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private let good = HTTPHeaders([
        ("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ])

    private func check(
        _ headers: HTTPHeaders, status: Int = 101, offered: [String] = []
    ) -> Result<String?, WebSocketError> {
        Result { () throws(WebSocketError) -> String? in
            try WebSocketHandshake.checkResponse(
                status: status, reason: "Because", headers: headers, key: key, subprotocols: offered)
        }
    }

    private func isBad(_ result: Result<String?, WebSocketError>) -> Bool {
        if case .failure(.badHandshake) = result { true } else { false }
    }

    @Test func `the example of RFC 6455 section 1-3 is accepted`() {
        #expect(WebSocketHandshake.accept(for: key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(check(good) == .success(nil))
    }

    @Test func `every missing or wrong header of an answer is refused`() {
        for index in good.fields.indices {
            var missing = good
            missing.fields.remove(at: index)
            #expect(isBad(check(missing)))
            var wrong = good
            wrong.fields[index].value = "nonsense"
            #expect(isBad(check(wrong)))
        }
        var twice = good
        twice.fields.append(good.fields[2])
        #expect(isBad(check(twice)))
        var lowercase = good
        lowercase.fields[2].value = lowercase.fields[2].value.lowercased()
        #expect(isBad(check(lowercase)), "the digest is compared with case")
        var extension1 = good
        extension1.fields.append(.init(name: "Sec-WebSocket-Extensions", value: "permessage-deflate"))
        #expect(isBad(check(extension1)))
        #expect(check(good, status: 403) == .failure(.refused(status: 403, reason: "Because")))
        #expect(check(good, status: 200) == .failure(.refused(status: 200, reason: "Because")))
    }

    @Test func `only an offered subprotocol may be chosen`() {
        var chosen = good
        chosen.fields.append(.init(name: "Sec-WebSocket-Protocol", value: "chat.v2"))
        #expect(check(chosen, offered: ["chat.v1", "chat.v2"]) == .success("chat.v2"))
        #expect(isBad(check(chosen, offered: ["chat.v1"])))
        #expect(isBad(check(chosen)))
    }

    private let request = [
        ("Host", "a"), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    private func status(_ headers: [(String, String)], line: String = "GET /ws HTTP/1.1") -> Int {
        switch WebSocketHandshake.answer(to: HTTPHead(startLine: line, headers: HTTPHeaders(headers))) {
        case .accept: 101
        case .refuse(let status, _): status
        }
    }

    @Test func `a server accepts what is right and says why not otherwise`() throws {
        #expect(status(request) == 101)
        #expect(status(request, line: "POST /ws HTTP/1.1") == 405)
        #expect(status(request, line: "GET /ws HTTP/1.0") == 405)
        let expected = [0: 400, 1: 426, 2: 426, 3: 426, 4: 400]
        for index in request.indices {
            var missing = request
            missing.remove(at: index)
            #expect(status(missing) == expected[index])
        }
        var old = request
        old[3].1 = "8"
        #expect(status(old) == 426)
        var short = request
        short[4].1 = "dGhl"
        #expect(status(short) == 400)
        let head = HTTPHead(startLine: "GET /ws HTTP/1.1", headers: HTTPHeaders(request))
        guard case .accept(let bytes) = WebSocketHandshake.answer(to: head) else {
            Issue.record("refused")
            return
        }
        var buffer = bytes
        let answer = try #require(try HTTPHead.take(from: &buffer))
        #expect(buffer.isEmpty)
        #expect(check(answer.headers) == .success(nil))
    }
}
