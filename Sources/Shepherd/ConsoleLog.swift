// SPDX-License-Identifier: Apache-2.0
// console.log under a limit: the first half is written as it comes, of the rest the last half is kept.
//
// The tail goes to two files in turn, each as large as a half; when the second is full the first is emptied and used
// again. So a gigabyte of output costs no memory and at most one and a half times the limit on disk.

import Glibc
import Platform

/// The console log of one run.
struct ConsoleLog {
    private let folder: StageFolder
    private let half: Int64
    private let file: Descriptor
    private var hash = SHA256()
    private var headBytes: Int64 = 0
    /// Bytes that came after the head was full.
    private var tailTotal: Int64 = 0
    private var tails: [Descriptor] = []
    private var current = 0
    private var currentBytes: Int64 = 0
    private var hasPrevious = false
    /// Bytes that the disk refused.
    private(set) var refused: Int64 = 0
    private(set) var problem: SystemError?

    /// What is written down about the finished log.
    struct Summary {
        var bytes: Int64
        var dropped: Int64
        var digest: String
    }

    init(in folder: StageFolder, limit: Int64) throws(SystemError) {
        self.folder = folder
        half = max(limit, 2) / 2
        file = try Descriptor.open(folder.console, O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        let head = Int(min(Int64(bytes.count), half - headBytes))
        if head > 0 { writeHead(UnsafeRawBufferPointer(rebasing: bytes[..<head])) }
        var rest = bytes[head...]
        tailTotal += Int64(rest.count)
        while !rest.isEmpty && problem == nil {
            if tails.isEmpty || currentBytes == half { turn() }
            guard problem == nil else { break }
            let piece = rest.prefix(Int(min(Int64(rest.count), half - currentBytes)))
            let wrote = write(UnsafeRawBufferPointer(rebasing: piece), to: tails[current])
            currentBytes += wrote
            if wrote < Int64(piece.count) { break }
            rest = rest.dropFirst(piece.count)
        }
    }

    private mutating func writeHead(_ bytes: UnsafeRawBufferPointer) {
        // Counted as taken even where the disk refuses, so that a gap is never followed by a head.
        headBytes += Int64(bytes.count)
        guard problem == nil else {
            refused += Int64(bytes.count)
            return
        }
        let wrote = Int(write(bytes, to: file))
        hash.update(UnsafeRawBufferPointer(rebasing: bytes[..<wrote]))
        refused += Int64(bytes.count - wrote)
    }

    /// Writes what the disk takes; answers how much that was.
    private mutating func write(_ bytes: UnsafeRawBufferPointer, to target: Descriptor) -> Int64 {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let wrote = Glibc.write(target.number, rest.baseAddress, rest.count)
            if wrote < 0 && errno == EINTR { continue }
            guard wrote > 0 else {
                problem = SystemError(code: errno, attempted: "write", path: folder.console)
                break
            }
            done += wrote
        }
        return Int64(done)
    }

    /// Goes on in the other tail file.
    private mutating func turn() {
        do throws(SystemError) {
            if tails.count < 2 {
                tails.append(try Descriptor.open(folder.tail(tails.count), O_RDWR | O_CREAT | O_TRUNC | O_APPEND))
                hasPrevious = tails.count == 2
                current = tails.count - 1
            } else {
                current = 1 - current
                guard ftruncate(tails[current].number, 0) == 0 else {
                    throw SystemError(code: errno, attempted: "empty", path: folder.tail(current))
                }
            }
            currentBytes = 0
        } catch {
            problem = error
        }
    }

    /// Joins head and tail; answers what the finished file holds.
    mutating func finish() -> Summary {
        let previousBytes: Int64 = hasPrevious ? half : 0
        let available = previousBytes + currentBytes
        let kept = min(available, half)
        let skipped = tailTotal - kept
        if skipped + refused > 0 {
            append(Array("\n[nightjar: \(skipped + refused) bytes of output left out here]\n".utf8))
        }
        if kept > 0 {
            let fromPrevious = max(0, kept - currentBytes)
            if fromPrevious > 0 { copy(tails[1 - current], from: previousBytes - fromPrevious) }
            copy(tails[current], from: currentBytes - (kept - fromPrevious))
        }
        for number in tails.indices { _ = unlink(folder.tail(number)) }
        tails = []
        return Summary(bytes: file.size ?? 0, dropped: skipped + refused, digest: hash.hexDigest())
    }

    private mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            let wrote = Int(write(buffer, to: file))
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<wrote]))
        }
    }

    private mutating func copy(_ source: Descriptor, from offset: Int64) {
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        var position = offset
        while true {
            let got = pread(source.number, &chunk, chunk.count, off_t(position))
            guard got > 0 else { return }
            position += Int64(got)
            var wrote = 0
            chunk.withUnsafeBytes { buffer in
                wrote = Int(write(UnsafeRawBufferPointer(rebasing: buffer[..<got]), to: file))
                hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<wrote]))
            }
            if wrote < got {
                refused += Int64(got - wrote)
                return
            }
        }
    }
}
