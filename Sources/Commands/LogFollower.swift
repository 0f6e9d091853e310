// SPDX-License-Identifier: Apache-2.0
// Reads a growing text file line by line, across rotation: when the path names another file, what is left of the old
// one is read to its end first.

import Foundation

struct LogFollower {
    private let path: String
    private var handle: FileHandle?
    private var inode: UInt64 = 0
    private var offset: UInt64 = 0
    /// Bytes of a line that has not ended yet.
    private var partial = Data()

    init(path: String) {
        self.path = path
    }

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// The last `limit` whole lines that are accepted; from there on `newLines` continues.
    mutating func last(_ limit: Int, where accepts: (String) -> Bool) -> [String] {
        var lines: [String] = []
        while true {
            let new = newLines(upTo: Self.chunk)
            if new.isEmpty { break }
            lines += new.filter(accepts)
            if lines.count > limit { lines.removeFirst(lines.count - limit) }
        }
        return lines
    }

    /// Whole lines that were added since the last call.
    mutating func newLines() -> [String] {
        var lines: [String] = []
        while true {
            let new = newLines(upTo: Self.chunk)
            if new.isEmpty { break }
            lines += new
            if lines.count >= Self.linesAtOnce { break }
        }
        return lines
    }

    private static let chunk = 1 << 20
    private static let linesAtOnce = 10_000

    /// Reads pieces until there is a whole line or nothing more.
    private mutating func newLines(upTo count: Int) -> [String] {
        while true {
            guard let handle = current() else { return [] }
            let piece = (try? handle.read(upToCount: count)) ?? nil
            guard let piece, !piece.isEmpty else {
                if !reopened() { return [] }
                continue
            }
            offset += UInt64(piece.count)
            partial.append(piece)
            let lines = takeLines()
            if !lines.isEmpty { return lines }
        }
    }

    private mutating func takeLines() -> [String] {
        guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let whole = partial[partial.startIndex..<end]
        partial = Data(partial[partial.index(after: end)...])
        return whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private mutating func current() -> FileHandle? {
        if handle == nil { open() }
        return handle
    }

    private mutating func open() {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        handle = file
        inode = identity()?.inode ?? 0
        offset = 0
        partial.removeAll()
    }

    /// At the end of the open file: whether the path names another one now, or the file was cut.
    private mutating func reopened() -> Bool {
        guard let now = identity() else { return false }
        if now.inode == inode, now.size >= offset { return false }
        try? handle?.close()
        handle = nil
        open()
        return handle != nil
    }

    private func identity() -> (inode: UInt64, size: UInt64)? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let inode = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value,
            let size = (attributes[.size] as? NSNumber)?.uint64Value
        else { return nil }
        return (inode, size)
    }
}
