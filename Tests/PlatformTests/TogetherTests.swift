// SPDX-License-Identifier: Apache-2.0
// Work that several threads share, and files that are made durable that way.

import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Platform

@Suite struct TogetherTests {
    /// Runs what blocks on a thread of its own.
    private func apart(_ work: @escaping @Sendable () -> Void) async throws {
        let failure: SystemError? = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try PlatformThread.start("apart") {
                    work()
                    continuation.resume(returning: nil)
                }
            } catch {
                continuation.resume(returning: error)
            }
        }
        if let failure { throw failure }
    }

    /// Each waits for all others: one after the other, none would ever go on.
    @Test(.timeLimit(.minutes(10)))
    func `all take part at the same time, and nobody is left when it returns`() async throws {
        let arrived = DispatchSemaphore(value: 0)
        let gate = DispatchSemaphore(value: 0)
        let returned = Atomic<Int>(0)
        async let opened: Void = apart {
            for _ in 0..<4 { arrived.wait() }
            for _ in 0..<4 { gate.signal() }
        }
        try await apart {
            PlatformThread.together("four", helpers: 3) {
                arrived.signal()
                gate.wait()
                returned.wrappingAdd(1, ordering: .sequentiallyConsistent)
            }
            #expect(returned.load(ordering: .sequentiallyConsistent) == 4)
        }
        try await opened
    }

    @Test func `without helpers the caller does it alone`() {
        let count = Atomic<Int>(0)
        PlatformThread.together("one", helpers: 0) { count.wrappingAdd(1, ordering: .relaxed) }
        #expect(count.load(ordering: .relaxed) == 1)
    }

    @Test func `every file and every folder on the way to it is synced once`() async throws {
        let synced = Mutex<(files: [String], folders: [String])>(([], []))
        try await apart {
            #expect(throws: Never.self) {
                try Disk.synchronize(
                    ["/c/7/cycle.json", "/c/7/test-1/claim", "/c/7/test-1/result.json", "/c/7/a/b/c/deep"],
                    below: "/c/7",
                    file: { path in synced.withLock { $0.files.append(path) } },
                    folder: { path in synced.withLock { $0.folders.append(path) } })
            }
        }
        let (files, folders) = synced.withLock { $0 }
        #expect(
            files.sorted() == [
                "/c/7/a/b/c/deep", "/c/7/cycle.json", "/c/7/test-1/claim", "/c/7/test-1/result.json",
            ])
        #expect(folders.sorted() == ["/c/7", "/c/7/a", "/c/7/a/b", "/c/7/a/b/c", "/c/7/test-1"])
    }

    @Test func `on the disk: many at once, none, and one that is missing is named`() async throws {
        let folder = try TemporaryFolder()
        let names = (0..<50).map { "\($0 % 5)/deep/file\($0)" }
        for name in names {
            try Files.createDirectories(Files.parent(of: folder(name)))
            try folder.write(name, name)
        }
        let paths = names.map { folder($0) }
        try await apart {
            #expect(throws: Never.self) { try Disk.synchronize(paths, below: folder.path) }
            #expect(throws: Never.self) { try Disk.synchronize([], below: folder.path) }
            let error = #expect(throws: SystemError.self) {
                try Disk.synchronize(paths + [folder("0/deep/gone")], below: folder.path)
            }
            #expect(error?.description.contains("0/deep/gone") == true)
        }
    }

    @Test func `after a failure nothing more is begun`() {
        let begun = Mutex<[String]>([])
        let work = SyncWork(
            ["a", "b", "c", "d"].map { path in
                (
                    path,
                    { (path) throws(SystemError) in
                        begun.withLock { $0.append(path) }
                        if path == "b" { throw Disk.lost(path) }
                    }
                )
            })
        work.take()
        #expect(begun.withLock { $0 } == ["a", "b"])
        #expect(work.failure?.description.contains("b") == true)
    }

    @Test func `only a look that finds nothing, or something else, says that a file is gone`() throws {
        let folder = try TemporaryFolder()
        let path = folder("lock")
        let lock = try #require(try FileLock.take(path, owner: "one"))
        #expect(lock.isInPlace)
        try Files.rename(path, to: folder("moved"))
        #expect(!lock.isInPlace)
        try Files.rename(folder("moved"), to: path)
        #expect(lock.isInPlace)
        // A stale handle of a file server, EIO, EACCES, ENOMEM, a timeout; ENOENT, ENOTDIR.
        for error in [116, 5, 13, 12, 110] as [Int32] { #expect(!Descriptor.saysItIsGone(error)) }
        for error in [2, 20] as [Int32] { #expect(Descriptor.saysItIsGone(error)) }
    }
}
