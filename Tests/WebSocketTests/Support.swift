// SPDX-License-Identifier: Apache-2.0
// What the tests here share: blocking work on threads of its own, scripted servers, a seeded random source.

import Foundation
import Platform
import Synchronization

/// Runs blocking work on a thread of its own, so that the cooperative pool is never held up.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: work)) }.start()
    }
}

/// A deadline that no test should ever reach: between two steps of one, all other tests may have their turn.
var soon: SocketDeadline { .after(.seconds(600)) }

/// A server that plays `script` with its first client and hangs up; serves one client after the other.
final class ScriptedServer: Sendable {
    private let listener: SocketListener
    var port: UInt16 { listener.port }
    var url: String { "http://127.0.0.1:\(port)/path?query" }

    init(_ script: @escaping @Sendable (Socket) throws -> Void) throws {
        let listener = try SocketListener.loopback()
        self.listener = listener
        Thread {
            while let client = try? listener.accept() { try? script(client) }
        }.start()
    }

    /// A server that reads a request head and sends `answer`.
    convenience init(answer: String) throws {
        try self.init { client in
            try client.readRequest()
            try client.write(Array(answer.utf8), deadline: soon)
        }
    }

    deinit { listener.shutdown() }
}

extension Socket {
    /// Reads up to the empty line.
    @discardableResult
    func readRequest() throws -> String {
        var bytes: [UInt8] = []
        while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
            let more = try read(upTo: 4096, deadline: soon)
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for the other side to hang up.
    func awaitEnd() throws {
        while try !read(upTo: 4096, deadline: soon).isEmpty {}
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same cases for the same seed.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// `bytes` cut into pieces of random sizes.
    mutating func pieces(of bytes: [UInt8], upTo size: Int) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...size, using: &self))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }
}
