// SPDX-License-Identifier: Apache-2.0
// What this machine says about itself, as far as every Linux says it.

import Testing

@testable import Platform

struct HostReadingsTests {
    @Test func `memory, descriptors, load and processors are read`() throws {
        let readings = HostReadings.now()
        let all = try #require(readings.memory)
        #expect(try #require(readings.availableMemory) <= all && all > 64 << 20)
        #expect(try #require(readings.ownDescriptors) >= 3)
        #expect(try #require(readings.openFiles) <= (try #require(readings.mostOpenFiles)))
        #expect(try #require(readings.load) >= 0)
        #expect(readings.processors >= 1)
        #expect(try #require(readings.stolen) >= 0)
    }

    @Test func `pressure is read from its file, and a file without it gives nothing`() throws {
        let folder = try TemporaryPlace()
        try AtomicFile.write(
            Array(
                "some avg10=12.50 avg60=1.00 avg300=0.10 total=4711\nfull avg10=3.00 avg60=0 avg300=0 total=9\n".utf8),
            to: folder.path + "/p", durable: false)
        let pressure = HostReadings.pressure(folder.path + "/p")
        #expect(pressure == HostReadings.Pressure(someOfTen: 12.5, someTotal: 4711, fullOfTen: 3))
        try AtomicFile.write(Array("rubbish\n".utf8), to: folder.path + "/p", durable: false)
        #expect(HostReadings.pressure(folder.path + "/p") == nil)
        #expect(HostReadings.pressure(folder.path + "/missing") == nil)
    }

    @Test func `space on a disk adds up`() throws {
        let space = try Files.space(at: "/tmp")
        #expect(space.freeBytes <= space.bytes && space.bytes > 0)
        if let free = space.freeInodes, let all = space.inodes { #expect(free <= all) }
        #expect(throws: SystemError.self) { try Files.space(at: "/tmp/nothing/here") }
    }

    @Test func `a part of a file is read`() throws {
        let folder = try TemporaryPlace()
        try AtomicFile.write(Array("0123456789".utf8), to: folder.path + "/f", durable: false)
        #expect(try Files.read(folder.path + "/f", from: 3, count: 4) == Array("3456".utf8))
        #expect(try Files.read(folder.path + "/f", from: 8, count: 4) == Array("89".utf8))
        #expect(try Files.read(folder.path + "/f", from: 20, count: 4).isEmpty)
    }

    @Test func `numbers resolve to themselves, and a name that is none fails`() throws {
        #expect(try HostName.addresses("127.0.0.1", deadline: .after(.seconds(5))) == ["127.0.0.1"])
        #expect(try HostName.addresses("::1", deadline: .after(.seconds(5))) == ["::1"])
        #expect(throws: SocketError.self) { try HostName.addresses("no such name", deadline: .after(.seconds(5))) }
    }
}

/// A folder that goes with its last reference.
private final class TemporaryPlace {
    let path = "/tmp/nightjar-host-\(SystemClock.monotonicNanoseconds)"
    init() throws { try Files.createDirectories(path) }
    deinit { try? Files.removeTree(path) }
}
