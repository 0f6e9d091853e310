// SPDX-License-Identifier: Apache-2.0
// One direction of a connection through the fault proxy: a bounded queue of pieces, each with the time it may go on.

internal import Platform

/// One direction: what was read on one side and waits to be written on the other. A value; the sockets are the caller's.
struct ProxyLane {
    typealias Instant = ContinuousClock.Instant

    /// More than this is not read ahead; the sender is slowed down by its own socket.
    static let capacity = 256 << 10

    private var pieces: [(due: Instant, bytes: ArraySlice<UInt8>)] = []
    private var first = 0
    private(set) var queued = 0
    private var lastDue: Instant?
    /// What may be sent before `refilled` has to be asked again; only where the bandwidth is limited.
    private var budget = 0.0
    private var refilled: Instant?
    /// Bytes read on the one side, and written on the other.
    private(set) var taken = 0
    private(set) var passed = 0
    var watcher = FrameWatcher()
    /// The side that sends has ended; and the other one has been told.
    var isEnded = false
    var isFinished = false
    /// When the end may be told.
    var endDue: Instant?
    /// What is read from now on is lost (half-close).
    var discards = false

    var hasRoom: Bool { queued < Self.capacity && !isEnded }
    var isEmpty: Bool { first == pieces.count }

    mutating func count(_ bytes: Int) { taken += bytes }

    /// Queues bytes that may go on at `due`, and not before what came earlier.
    mutating func add(_ bytes: ArraySlice<UInt8>, due: Instant) {
        guard !bytes.isEmpty else { return }
        let due = max(due, lastDue ?? due)
        lastDue = due
        pieces.append((due, bytes))
        queued += bytes.count
    }

    /// Forgets what waits.
    mutating func drop() {
        pieces = []
        first = 0
        queued = 0
    }

    /// Writes what is due. Returns the failure of the socket, if it failed; `wants` says whether it is full.
    mutating func pump(to socket: Socket, now: Instant, bandwidth: Int?) -> (failed: Bool, full: Bool) {
        while first < pieces.count, pieces[first].due <= now {
            var piece = pieces[first].bytes
            if let bandwidth {
                let room = allowance(bandwidth, now: now)
                guard room > 0 else { return (false, false) }
                piece = piece.prefix(room)
            }
            switch socket.writeNow(piece) {
            case .bytes(let count):
                advance(count)
                if bandwidth != nil { budget -= Double(count) }
                if count < piece.count { return (false, true) }
            case .wouldWait: return (false, true)
            case .ended, .failed: return (true, false)
            }
        }
        return (false, false)
    }

    private mutating func advance(_ count: Int) {
        passed += count
        queued -= count
        pieces[first].bytes = pieces[first].bytes.dropFirst(count)
        guard pieces[first].bytes.isEmpty else { return }
        first += 1
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 64 {
            pieces.removeFirst(first)
            first = 0
        }
    }

    /// A bucket that holds a twentieth of a second.
    private mutating func allowance(_ bandwidth: Int, now: Instant) -> Int {
        let burst = max(1, Double(bandwidth) / 20)
        if let refilled {
            budget = min(burst, budget + (now - refilled) / .seconds(1) * Double(bandwidth))
        } else {
            budget = burst
        }
        refilled = now
        return Int(budget)
    }

    /// When there is something to do again without any event, or nil.
    func wakeup(now: Instant, bandwidth: Int?) -> Instant? {
        guard first < pieces.count else { return isEnded && !isFinished ? endDue : nil }
        let due = pieces[first].due
        guard due <= now else { return due }
        guard let bandwidth, budget < 1 else { return nil }
        return now + .seconds((1 - budget) / Double(bandwidth)) + .milliseconds(1)
    }
}
