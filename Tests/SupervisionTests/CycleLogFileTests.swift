// SPDX-License-Identifier: Apache-2.0
//
// `cycle.log` under rotation and on a disk without space.

import Domain
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervision

struct CycleLogFileTests {
    private let folder: TemporaryFolder
    private let log: CycleLogFile
    private let time = Timestamp(milliseconds: 1_795_000_000_000)

    init() throws {
        folder = try TemporaryFolder()
        log = CycleLogFile(folder("cycle.log"), echo: { _ in })
    }

    private func write(_ text: String) {
        log.write(LogLine(.ok, "test", text), cycle: 7, at: time)
    }

    @Test func `a log that was renamed away is begun again under its name`() throws {
        write("one")
        try Files.rename(folder("cycle.log"), to: folder("cycle.log.1"))
        write("two")
        #expect(try folder.read("cycle.log.1").contains("one"))
        #expect(try !folder.read("cycle.log.1").contains("two"))
        #expect(try folder.read("cycle.log").contains("two"))
    }

    @Test func `a log that was replaced by another file is left for that one`() throws {
        write("one")
        try Files.rename(folder("cycle.log"), to: folder("cycle.log.1"))
        try folder.write("cycle.log", "")
        write("two")
        #expect(try !folder.read("cycle.log.1").contains("two"))
        #expect(try folder.read("cycle.log").contains("two"))
    }

    @Test func `lines that a full disk refused are counted and told of`() throws {
        try Files.replaceLink(folder("cycle.log"), target: "/dev/full")
        write("one")
        write("two")
        write("three")
        try Files.remove(folder("cycle.log"))
        write("four")
        let lines = try folder.read("cycle.log").split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[0] == "(3 lines could not be written before this one)")
        #expect(lines[1].hasSuffix("four"))
    }

    @Test func `a line without a cycle carries the number of the last one, and the echo sees every line`() throws {
        let seen = Mutex<[String]>([])
        let log = CycleLogFile(folder("other.log"), echo: { line in seen.withLock { $0.append(line) } })
        log.write(LogLine(.going, "cycle", "begins"), cycle: 12, at: time)
        log.write(LogLine(.warn, "git", "is slow"), cycle: nil, at: time)
        let lines = try folder.read("other.log").split(separator: "\n").map(String.init)
        #expect(lines.count == 2)
        #expect(lines[1].contains("#12 "))
        #expect(seen.withLock { $0 } == lines)
    }
}
