// SPDX-License-Identifier: Apache-2.0
// One connection: where it stands, what waits to be written to it, and until when it may take.

import Domain
import Platform

/// Belongs to the server's one thread.
final class Client {
    enum Phase: Equatable {
        /// Between requests, or within a head.
        case reading
        /// A worker computes the answer.
        case waiting
        case sending
        /// A listener.
        case streaming
        /// Everything is said; what the other side still sends is thrown away, so that it gets to read our last words.
        case draining
    }

    private struct Chunk {
        var bytes: [UInt8]
        var offset = 0
    }

    private struct File {
        var descriptor: Descriptor
        var offset: Int64 = 0
        var size: Int64
    }

    let token: UInt64
    let socket: Descriptor
    var phase = Phase.reading
    var input: [UInt8] = []
    var interest: Poller.Interest = .reading
    /// When the present phase is over for this client.
    var deadline: ContinuousClock.Instant
    /// Since when it has had nothing to do.
    var idleSince: ContinuousClock.Instant
    var keepsAlive = true
    var isHead = false
    var answered = 0
    /// Of a listener: what it watches, what it has, and when it was last sent anything.
    var view: View?
    var version: Int?
    var sentAt: ContinuousClock.Instant
    private var chunks: [Chunk] = []
    private var file: File?
    private(set) var waitingBytes = 0

    init(_ socket: Descriptor, token: UInt64, now: ContinuousClock.Instant, deadline: ContinuousClock.Instant) {
        self.socket = socket
        self.token = token
        self.deadline = deadline
        idleSince = now
        sentAt = now
    }

    var hasOutput: Bool { !chunks.isEmpty || file != nil }

    /// Bytes that many clients get are shared, not copied.
    func enqueue(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        chunks.append(Chunk(bytes: bytes))
        waitingBytes += bytes.count
    }

    func enqueue(file descriptor: Descriptor, size: Int64) {
        if size > 0 { file = File(descriptor: descriptor, size: size) }
    }

    enum Flushed {
        case all
        case some
        /// Nothing could be written now.
        case none
        case broken
    }

    /// Writes what the socket takes, at most a quarter of a megabyte at once so that others have their turn.
    func flush() -> Flushed {
        var budget = 256 << 10
        let before = budget
        while budget > 0 {
            if chunks.isEmpty {
                guard let piece = nextPiece() else { return file == nil ? .all : .broken }
                chunks.append(Chunk(bytes: piece))
                waitingBytes += piece.count
            }
            switch socket.send(chunks[0].bytes, from: chunks[0].offset) {
            case .moved(let count):
                budget -= count
                waitingBytes -= count
                chunks[0].offset += count
                if chunks[0].offset == chunks[0].bytes.count { chunks.removeFirst() }
            case .wouldBlock: return budget < before ? .some : .none
            case .ended: return .broken
            }
        }
        return hasOutput ? .some : .all
    }

    /// The next piece of the file; nil at its end. A file that became shorter breaks the promise of its length.
    private func nextPiece() -> [UInt8]? {
        guard var file else { return nil }
        let wanted = Int(min(64 << 10, file.size - file.offset))
        let piece = file.descriptor.piece(at: file.offset, upTo: wanted)
        guard !piece.isEmpty else { return nil }
        file.offset += Int64(piece.count)
        self.file = file.offset < file.size ? file : nil
        return piece
    }
}
