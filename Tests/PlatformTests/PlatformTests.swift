// SPDX-License-Identifier: Apache-2.0
// Files, locks, processes and digests.

import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct SHA256Tests {
    /// FIPS 180-4 examples and the NIST vectors of a million times "a".
    @Test func `the published digests come out`() {
        #expect(
            SHA256.hex(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.hex(of: Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hex(of: Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            SHA256.hex(of: [UInt8](repeating: 97, count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `pieces of any size give the same digest, for every length around a block`() async throws {
        let folder = try TemporaryFolder()
        for count in 0..<130 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            var hash = SHA256()
            var start = 0
            for size in [1, 3, 60, 64, 65] where start < count {
                hash.update(Array(bytes[start..<min(count, start + size)]))
                start = min(count, start + size)
            }
            hash.update(Array(bytes[start...]))
            #expect(hash.hexDigest() == SHA256.hex(of: bytes))
        }
        try folder.write("x", "hello\n")
        let tool = try await HelperCommand.run(
            ["sha256sum", folder("x")], environment: ["PATH": "/usr/bin:/bin"], timeout: .seconds(10))
        #expect(try tool.text.hasPrefix(SHA256.hex(ofFile: folder("x"))))
    }
}

@Suite struct FileTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func `an atomic write replaces the whole file and leaves nothing else`() throws {
        for text in ["first version", "second"] {
            try AtomicFile.write(Array(text.utf8), to: folder("a"), durable: true)
            #expect(try folder.read("a") == text)
        }
        #expect(try Files.list(folder.path) == ["a"])
    }

    /// Opening a pipe that nobody writes to waits for ever, and a device has no end.
    @Test func `only regular files are read`() async throws {
        let made = try await HelperCommand.run(
            ["mkfifo", folder("pipe")], environment: ["PATH": "/usr/bin:/bin"], timeout: .seconds(20))
        try #require(made.exit == 0)
        for path in [folder("pipe"), "/dev/zero", folder.path] {
            #expect(throws: SystemError.self) { try Files.read(path, limit: 1 << 20) }
            #expect(throws: SystemError.self) { try Files.readInPieces(path) { _ in } }
            #expect(throws: SystemError.self) { try Files.tail(path, 10) }
        }
    }

    @Test func `a failed atomic write says what and where`() throws {
        let error = #expect(throws: SystemError.self) {
            try AtomicFile.write([1], to: folder("no/such"), durable: false)
        }
        #expect(error?.isMissing == true)
        #expect(error?.description.hasPrefix("could not open \(folder("no/such"))") == true)
    }

    @Test func `an append-only file counts whole records`() throws {
        let file = try AppendFile(folder("log"))
        try file.append(Array("one\n".utf8))
        try file.append(Array("two\n".utf8))
        #expect(file.size == 8)
        #expect(try folder.read("log") == "one\ntwo\n")
        #expect(try AppendFile(folder("log")).size == 8)
    }

    @Test func `a full device takes no part of a record`() throws {
        let file = try AppendFile("/dev/full")
        let error = #expect(throws: SystemError.self) { try file.append([1, 2, 3]) }
        #expect(error?.attempted == "cut back a torn record of" || error?.isDiskFull == true)
    }

    @Test func `a lock has one holder and names it`() throws {
        let first = try #require(try FileLock.take(folder("lock"), owner: "pid 1"))
        #expect(try FileLock.take(folder("lock"), owner: "pid 2") == nil)
        #expect(FileLock.owner(of: folder("lock")) == "pid 1")
        #expect(try FileLock.isHeld(folder("lock")))
        first.release()
        #expect(try !FileLock.isHeld(folder("lock")))
        #expect(try FileLock.take(folder("lock"), owner: "pid 2") != nil)
    }

    @Test func `folders are made, listed and removed without following links`() throws {
        try Files.createDirectories(folder("a/b/c"))
        try folder.write("keep", "x")
        try Files.replaceLink(folder("a/link"), target: folder.path)
        try Files.replaceLink(folder("a/link"), target: folder("keep"))
        #expect(Files.linkTarget(folder("a/link")) == folder("keep"))
        #expect(try Files.list(folder("a")) == ["b", "link"])
        #expect(try !Files.createDirectory(folder("a")))
        try Files.removeTree(folder("a"))
        #expect(!Files.exists(folder("a")))
        #expect(try folder.read("keep") == "x")
        #expect(try Files.freeBytes(at: folder.path) > 0)
        #expect(throws: SystemError.self) { try Files.read(folder("keep"), limit: 0) }
    }

    @Test func `folders with names that are no text are removed, and those that their owner closed`() async throws {
        let script = #"d="$1/a/$(printf 'b\377')" && mkdir -p "$d" && touch "$d/$(printf '\376')" && chmod 0 "$d""#
        let made = try await HelperCommand.run(
            ["sh", "-c", script, "sh", folder.path],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], timeout: .seconds(30))
        #expect(made.succeeded)
        try Files.removeTree(folder("a"))
        #expect(!Files.exists(folder("a")))
    }

    @Test func `what curl reads has its value in one line and in quotes`() {
        #expect(CurlText.quoted("a\"b\\c\r\n\t\0d") == #""a\"b\\c\r\n\td""#)
    }

    @Test(arguments: [("/a/b", "/a"), ("/a", "/"), ("a", "."), ("/a/b/", "/a"), ("/", "/")])
    func `the parent of a path`(_ path: String, _ parent: String) {
        #expect(Files.parent(of: path) == parent)
    }

    @Test func `a follower sees a file that appears, grows and is finished`() async throws {
        let seen = Mutex<[UInt8]>([])
        let follower = try FileFollower(folder("f")) { bytes, offset in
            seen.withLock { all in
                #expect(offset == Int64(all.count))
                all += bytes
            }
        }
        let file = try AppendFile(folder("f"))
        try file.append(Array("one ".utf8))
        #expect(await eventually { seen.withLock { $0.count } == 4 })
        try file.append([UInt8](repeating: 120, count: 1_000_000))
        try file.append(Array(" end".utf8))
        await follower.finish()
        #expect(seen.withLock { $0.count } == 1_000_008)
        await follower.finish()
    }
}

@Suite struct ProcessTests {
    private let environment = ["PATH": "/usr/bin:/bin"]

    @Test func `a helper's output, error, input and status are collected`() async throws {
        let output = try await HelperCommand.run(
            ["sh", "-c", "cat; echo bad >&2; exit 3"], environment: environment, standardInput: Array("in".utf8),
            timeout: .seconds(20))
        #expect(output.exit == 3)
        #expect(output.text == "in")
        #expect(output.errorText == "bad\n")
        #expect(!output.succeeded && !output.timedOut && !output.truncated)
    }

    @Test func `a helper is ended in time with its group`() async throws {
        let output = try await HelperCommand.run(
            ["sh", "-c", "trap '' TERM; echo on; sleep 1020 & sleep 1020"], environment: environment,
            timeout: .milliseconds(300))
        #expect(output.timedOut)
        #expect(output.signal == 9)
        #expect(output.text == "on\n")
    }

    @Test func `a helper's flood is cut and its background process waits for nobody`() async throws {
        let output = try await HelperCommand.run(
            ["sh", "-c", "head -c 5000000 /dev/zero; sleep 3 &"], environment: environment, timeout: .seconds(20),
            outputLimit: 1000)
        #expect(output.exit == 0)
        #expect(output.truncated)
        #expect(output.standardOutput.count == 1000)
    }

    @Test func `a helper that does not exist is an error`() async throws {
        let error = await #expect(throws: SystemError.self) {
            try await HelperCommand.run(["no-such-helper"], environment: environment, timeout: .seconds(5))
        }
        #expect(error?.description == "could not start no-such-helper: No such file or directory (errno 2)")
    }

    @Test func `many helpers at once all answer`() async throws {
        let exits = try await withThrowingTaskGroup(of: Int32?.self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await HelperCommand.run(
                        ["sh", "-c", "exit \(number)"], environment: ["PATH": "/bin"], timeout: .seconds(20)
                    ).exit
                }
            }
            return try await group.reduce(into: Set<Int32?>()) { $0.insert($1) }
        }
        #expect(exits.count == 40)
    }

    @Test func `a deadline of a watched process passes before its end`() async throws {
        let watcher = try ExitWatcher()
        let own = try #require(ProcessTable.all().first { $0.pid == 1 })
        let process = try Pidfd(own.pid)
        let outcome = await withCheckedContinuation { continuation in
            do {
                try watcher.watch(process, deadline: SystemClock.monotonicNanoseconds + 20_000_000) {
                    continuation.resume(returning: $0)
                }
            } catch {
                continuation.resume(returning: .ended)
            }
        }
        #expect(outcome == .deadlinePassed)
    }
}
