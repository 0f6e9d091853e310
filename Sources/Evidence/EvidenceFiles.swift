// SPDX-License-Identifier: Apache-2.0
// Platform's file calls with this module's errors.

import Platform

extension EvidenceError {
    init(_ error: SystemError, _ attempt: String, _ path: String) {
        self =
            error.isDiskFull
            ? .noSpace(attempt: attempt, path: path)
            : .system(attempt: attempt, path: path, reason: SystemError.text(error.code))
    }
}

/// `work` with its disk error in this module's words.
func onDisk<Value>(
    _ attempt: String, _ path: String, _ work: () throws(SystemError) -> Value
) throws(EvidenceError) -> Value {
    do {
        return try work()
    } catch {
        throw EvidenceError(error, attempt, path)
    }
}

/// The bytes of a file that may be missing.
func contents(_ path: String) throws(EvidenceError) -> [UInt8]? {
    do {
        return try Disk.read(path)
    } catch {
        if error.isMissing { return nil }
        throw EvidenceError(error, "read", path)
    }
}

/// The names in a folder that may be missing.
func names(in folder: String) throws(EvidenceError) -> [String] {
    do {
        return try Files.list(folder)
    } catch {
        if error.isMissing { return [] }
        throw EvidenceError(error, "list", folder)
    }
}

/// A file of JSON lines that is only ever added to, where a torn last line may be lost.
enum LineFile {
    /// Adds one line. A torn line before it is closed first, so that it costs nobody else their line.
    static func append(_ line: [UInt8], to path: String, durable: Bool) throws(EvidenceError) {
        try onDisk("append to", path) { () throws(SystemError) in
            let file = try DiskFile(path, .appending)
            let size = try file.size()
            let isWhole = size == 0 ? true : try endsWithNewline(path)
            do throws(SystemError) {
                try file.write((isWhole ? [] : [UInt8(ascii: "\n")]) + line)
                if durable { try file.sync() }
            } catch {
                try? file.truncate(to: size)
                throw error
            }
            if durable, size == 0 { try Files.synchronizeDirectory(Files.parent(of: path)) }
        }
    }

    private static func endsWithNewline(_ path: String) throws(SystemError) -> Bool {
        try DiskFile(path, .reading).lastByte() == UInt8(ascii: "\n")
    }

    /// Calls `body` with each whole line, without its newline; a mebibyte at a time is in memory.
    static func forEach(
        _ path: String, _ body: (ArraySlice<UInt8>) throws(EvidenceError) -> Void
    ) throws(EvidenceError) {
        let file = try onDisk("open", path) { () throws(SystemError) in try DiskFile(path, .reading) }
        var rest: [UInt8] = []
        while true {
            let bytes = try onDisk("read", path) { () throws(SystemError) in try file.read(upTo: 1 << 20) }
            if bytes.isEmpty { return }
            var start = 0
            rest += bytes
            while let newline = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                if newline > start { try body(rest[start..<newline]) }
                start = newline + 1
            }
            rest.removeFirst(start)
        }
    }

    /// The whole lines, without their newlines.
    static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    }
}
