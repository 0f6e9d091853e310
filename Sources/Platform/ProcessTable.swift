// SPDX-License-Identifier: Apache-2.0
// Reading /proc: who lives, below whom, since when, with what.

import CShims
import Glibc

/// One line of the process table.
package struct ProcessEntry: Hashable, Sendable {
    package var pid: Int32
    package var parent: Int32
    package var group: Int32
    package var session: Int32
    /// `R`, `S`, `Z` …
    package var state: UInt8
    /// Clock ticks after boot at which it started; with the pid, the name of a process until the next boot.
    package var startTicks: UInt64
    /// User and system time in clock ticks.
    package var cpuTicks: UInt64
    package var residentBytes: Int64

    package var isZombie: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }
}

package enum ProcessTable {
    /// Clock ticks in a second.
    package static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
    private static let pageBytes = Int64(sysconf(Int32(_SC_PAGESIZE)))

    /// The entry of one process; nil where it does not exist.
    package static func entry(_ pid: Int32) -> ProcessEntry? {
        guard let text = contents("/proc/\(pid)/stat", limit: 4096),
            let parenthesis = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // Fields are counted as in proc(5), from 3 (state); the name before may hold anything.
        let fields = text[(parenthesis + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count >= 22 else { return nil }
        func field(_ number: Int) -> Int64 { decimal(fields[number - 3]) }
        return ProcessEntry(
            pid: pid, parent: Int32(clamping: field(4)), group: Int32(clamping: field(5)),
            session: Int32(clamping: field(6)), state: fields[0].first ?? 0, startTicks: UInt64(clamping: field(22)),
            cpuTicks: UInt64(clamping: field(14) + field(15)), residentBytes: field(24) * pageBytes)
    }

    /// Whether the process that had this pid and start time still exists and is no zombie.
    package static func isAlive(_ pid: Int32, startTicks: UInt64) -> Bool {
        guard let entry = entry(pid) else { return false }
        return entry.startTicks == startTicks && !entry.isZombie
    }

    /// Every process that can be seen.
    package static func all() -> [ProcessEntry] {
        pids().compactMap(entry)
    }

    /// The living descendants of `root`, without itself and without zombies.
    package static func descendants(of root: Int32) -> [ProcessEntry] {
        guard let children = children(of: root) else { return descendantsByScan(of: root) }
        var waiting = children
        var found: [ProcessEntry] = []
        var seen: Set<Int32> = []
        while let pid = waiting.popLast() {
            guard seen.insert(pid).inserted, let entry = entry(pid) else { continue }
            if !entry.isZombie { found.append(entry) }
            waiting.append(contentsOf: ProcessTable.children(of: pid) ?? [])
        }
        return found.sorted { $0.pid < $1.pid }
    }

    /// The processes whose environment, as they were started, holds `variable` (`NAME=value`).
    package static func withEnvironment(_ variable: String) -> [ProcessEntry] {
        let needle = Array(variable.utf8)
        return pids().filter { hasEnvironment($0, needle) }.compactMap(entry).filter { !$0.isZombie }
    }

    /// The command line as text, with blanks between arguments, at most 200 bytes.
    package static func commandLine(_ pid: Int32) -> String {
        let bytes = contents("/proc/\(pid)/cmdline", limit: 201) ?? []
        let trimmed = bytes.prefix(200).map { $0 == 0 ? UInt8(ascii: " ") : $0 }
        let text = String(decoding: trimmed, as: UTF8.self)
        let words = text.last == " " ? String(text.dropLast()) : text
        guard words.isEmpty else { return words }
        let name = contents("/proc/\(pid)/comm", limit: 64) ?? []
        return "[" + String(decoding: name.filter { $0 != 10 }, as: UTF8.self) + "]"
    }

    /// Inode numbers of the sockets, or pipes, that a process holds open.
    package static func inodes(of pid: Int32, kind: String) -> Set<UInt64> {
        guard let stream = opendir("/proc/\(pid)/fd") else { return [] }
        defer { closedir(stream) }
        let prefix = Array((kind + ":[").utf8)
        var found: Set<UInt64> = []
        var target = [UInt8](repeating: 0, count: 64)
        while let entry = readdir(stream) {
            let count = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { pointer in
                    target.withUnsafeMutableBytes { raw -> Int in
                        guard let base = raw.baseAddress else { return -1 }
                        return readlinkat(dirfd(stream), pointer, base.assumingMemoryBound(to: CChar.self), raw.count)
                    }
                }
            }
            guard count > prefix.count, target.starts(with: prefix) else { continue }
            found.insert(UInt64(clamping: decimal(target[prefix.count..<(count - 1)])))
        }
        return found
    }

    private static func pids() -> [Int32] {
        guard let stream = opendir("/proc") else { return [] }
        defer { closedir(stream) }
        var found: [Int32] = []
        while let entry = readdir(stream) {
            let first = entry.pointee.d_name.0
            guard (48...57).contains(first) else { continue }
            let pid = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { atoi($0) }
            }
            found.append(pid)
        }
        return found
    }

    /// The children of all threads of a process; nil where the kernel was built without that file.
    private static func children(of pid: Int32) -> [Int32]? {
        if let single = contents("/proc/\(pid)/task/\(pid)/children", limit: 1 << 20) {
            var found = numbers(single)
            guard let tasks = try? Files.list("/proc/\(pid)/task"), tasks.count > 1 else { return found }
            for task in tasks where task != String(pid) {
                found += numbers(contents("/proc/\(pid)/task/\(task)/children", limit: 1 << 20) ?? [])
            }
            return found
        }
        return nil
    }

    private static func descendantsByScan(of root: Int32) -> [ProcessEntry] {
        let everyone = all()
        let byParent = Dictionary(grouping: everyone, by: \.parent)
        var waiting = byParent[root] ?? []
        var found: [ProcessEntry] = []
        while let entry = waiting.popLast() {
            if !entry.isZombie { found.append(entry) }
            waiting += byParent[entry.pid] ?? []
        }
        return found.sorted { $0.pid < $1.pid }
    }

    private static func hasEnvironment(_ pid: Int32, _ needle: [UInt8]) -> Bool {
        guard let bytes = contents("/proc/\(pid)/environ", limit: 4 << 20), bytes.count >= needle.count else {
            return false
        }
        return bytes.split(separator: 0).contains { $0.elementsEqual(needle) }
    }

    private static func numbers(_ bytes: [UInt8]) -> [Int32] {
        bytes.split(separator: UInt8(ascii: " ")).map { Int32(clamping: decimal($0)) }.filter { $0 > 0 }
    }

    private static func decimal(_ digits: some Sequence<UInt8>) -> Int64 {
        var value: Int64 = 0
        for digit in digits where (48...57).contains(digit) { value = value &* 10 &+ Int64(digit - 48) }
        return value
    }

    /// The bytes of a file in /proc, or nil; a process may end at any moment, so nothing is thrown.
    private static func contents(_ path: String, limit: Int) -> [UInt8]? {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let got = uninterrupted { read(fd, &chunk, chunk.count) }
            if got < 0 { return nil }
            if got == 0 { break }
            bytes.append(contentsOf: chunk.prefix(min(got, limit - bytes.count)))
        }
        return bytes
    }
}
