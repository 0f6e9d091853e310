// SPDX-License-Identifier: Apache-2.0
// A sync that failed sticks: the next one may succeed although nothing was written, so the files are written anew, or the cycle
// stays unsealed.

import Domain
import Foundation
import Platform
import Synchronization
import Testing

@testable import Evidence

struct FailedSyncTests {
    /// A disk whose first `failures` syncs fail, and which keeps only what a sync has seen.
    private final class Disk: Sendable {
        private let state: Mutex<(failures: Int, durable: Set<String>, lost: Set<String>)>

        init(failures: Int) {
            state = Mutex((failures, [], []))
        }

        func sync(_ paths: [String], _ root: String) throws(SystemError) {
            let inodes = Set(paths.compactMap(FailedSyncTests.inode))
            let isFailing = state.withLock { state in
                guard state.failures > 0 else {
                    // What was dropped counts as clean, and is not written.
                    state.durable.formUnion(inodes.subtracting(state.lost))
                    return false
                }
                state.failures -= 1
                state.lost.formUnion(inodes)
                return true
            }
            if isFailing { throw SystemError(code: 5, attempted: "sync", path: root) }
        }

        func isDurable(_ path: String) -> Bool {
            FailedSyncTests.inode(path).map { inode in state.withLock { $0.durable.contains(inode) } } ?? false
        }
    }

    /// Names a file as it was written once: the number of one that is gone is given to the next.
    static func inode(_ path: String) -> String? {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            let number = facts[.systemFileNumber] as? NSNumber, let written = facts[.modificationDate] as? Date
        else { return nil }
        return "\(number) \(written.timeIntervalSince1970)"
    }

    private func prepared(_ loop: TemporaryLoop) async throws -> CycleRecord {
        let record = Samples.lean(1, tests: Samples.tests(1))
        let writer = CycleWriter(loop.layout)
        let folder = try await writer.createStage(record.stages[0].run)
        try loop.put("hello world\n", at: folder + "/console.log")
        try loop.put(String(repeating: "x", count: 3 << 20), at: folder + "/large.bin")
        return record
    }

    private func files(_ loop: TemporaryLoop) throws -> [String] {
        try CycleFolder(loop.layout.cycle(1)).files.map { loop.layout.cycle(1) + "/" + $0 } + [loop.layout.sums(1)]
    }

    @Test(arguments: [1, 3])
    func `after a failed sync every file is written anew before the cycle is sealed`(_ failures: Int) async throws {
        let loop = try TemporaryLoop()
        let record = try await prepared(loop)
        let disk = Disk(failures: failures)
        let writer = CycleWriter(
            loop.layout, synchronize: { (paths, root) throws(SystemError) in try disk.sync(paths, root) })
        for _ in 0..<failures {
            try await writer.writeDocument(record)
            await #expect(throws: EvidenceError.self) { try await writer.seal(1) }
            #expect(!CycleReader(loop.layout).isSealed(1))
        }
        try await writer.writeDocument(record)
        let sealed = try await writer.seal(1)
        let lost = try files(loop).filter { !disk.isDurable($0) }
        #expect(lost.isEmpty, "sealed, and not on the disk")
        #expect(sealed.sha256 == SHA256.hex(of: try loop.bytes(loop.layout.sums(1))))
        #expect(try loop.text(loop.layout.stage(record.stages[0].run) + "/console.log") == "hello world\n")
    }

    @Test func `bytes that a failed sync has cost are no evidence`() async throws {
        let loop = try TemporaryLoop()
        let record = try await prepared(loop)
        let disk = Disk(failures: 1)
        let writer = CycleWriter(
            loop.layout, synchronize: { (paths, root) throws(SystemError) in try disk.sync(paths, root) })
        try await writer.writeDocument(record)
        await #expect(throws: EvidenceError.self) { try await writer.seal(1) }
        // The page is dropped and read again as the disk has it.
        let log = loop.layout.stage(record.stages[0].run) + "/console.log"
        try loop.put("hello\0\0\0\0\0\0\0", at: log)
        for _ in 0..<2 {
            try await writer.writeDocument(record)
            let error = await #expect(throws: EvidenceError.self) { try await writer.seal(1) }
            #expect("\(error, default: "")".contains("console.log"))
        }
        try loop.put("hello world\n", at: log)
        _ = try await writer.seal(1)
    }

    @Test func `the next daemon writes anew what an earlier one could not seal`() async throws {
        let loop = try TemporaryLoop()
        let record = try await prepared(loop)
        let disk = Disk(failures: 1)
        for attempt in 0..<2 {
            let writer = CycleWriter(
                loop.layout, synchronize: { (paths, root) throws(SystemError) in try disk.sync(paths, root) })
            try await writer.writeDocument(record)
            if attempt == 0 {
                await #expect(throws: EvidenceError.self) { try await writer.seal(1) }
            } else {
                _ = try await writer.seal(1)
            }
        }
        let lost = try files(loop).filter { !disk.isDurable($0) }
        #expect(lost.isEmpty)
    }
}
