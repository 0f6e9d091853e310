// SPDX-License-Identifier: Apache-2.0
// The sockets of Platform: Unix paths, credentials, deadlines, close-on-exec.

import Foundation
import Testing

@testable import Platform

@Suite struct SocketTests {
    private func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let path = NSTemporaryDirectory() + "nightjar-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    @Test func `a Unix socket is private to its owner and names its client`() async throws {
        try await withDirectory { directory in
            let path = directory + "/control"
            let listener = try SocketListener.unix(path: path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let client = try await onThread { try Socket.connect(unix: path, deadline: soon) }
            let server = try await onThread { try listener.accept(deadline: soon) }
            #expect(try server.peerCredentials() == (getuid(), getpid()))
            try client.write([1, 2], deadline: soon)
            let bytes = try await onThread { try server.read(upTo: 10, deadline: soon) }
            #expect(bytes == [1, 2])
        }
    }

    @Test func `a stale socket is replaced, a live one and a file are not`() async throws {
        try await withDirectory { directory in
            let path = directory + "/control"
            do { _ = try SocketListener.unix(path: path) }
            #expect(FileManager.default.fileExists(atPath: path), "the first listener left its socket behind")
            let second = try SocketListener.unix(path: path)
            #expect(throws: SocketError.badPath(path: path, reason: "another process listens there")) {
                try SocketListener.unix(path: path)
            }
            second.shutdown()
            let file = directory + "/file"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: file))
            #expect(throws: SocketError.self) { try SocketListener.unix(path: file) }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
            #expect(throws: SocketError.self) {
                try SocketListener.unix(path: "/" + String(repeating: "x", count: 200))
            }
        }
    }

    @Test func `shutdown ends a waiting accept`() async throws {
        let listener = try SocketListener.loopback()
        let accepted = Task { try await onThread { try listener.accept() } }
        listener.shutdown()
        let error = await #expect(throws: SocketError.self) { try await accepted.value }
        #expect(error == .closed(operation: "accept on", target: "127.0.0.1:0"))
    }

    @Test func `accept and read keep their deadlines`() async throws {
        let listener = try SocketListener.loopback()
        let (near, far) = try Socket.pair()
        try await onThread {
            #expect(throws: SocketError.timedOut(operation: "accept on", target: "127.0.0.1:0")) {
                try listener.accept(deadline: .after(.milliseconds(20)))
            }
            #expect(throws: SocketError.timedOut(operation: "read from", target: "the pair")) {
                try near.read(upTo: 1, deadline: .after(.milliseconds(20)))
            }
            let started = ContinuousClock.now
            #expect(throws: SocketError.timedOut(operation: "write to", target: "the pair")) {
                try near.write([UInt8](repeating: 0, count: 10 << 20), deadline: .after(.milliseconds(50)))
            }
            #expect(ContinuousClock.now - started >= .milliseconds(50))
        }
        _ = far
    }

    @Test func `writing to a peer that is gone is an error and no signal`() async throws {
        let (near, far) = try Socket.pair()
        far.shutdown()
        _ = try await onThread {
            #expect(throws: SocketError.closed(operation: "write to", target: "the pair")) {
                try near.write([UInt8](repeating: 0, count: 1 << 20), deadline: soon)
            }
        }
    }

    @Test func `a reset is told apart from an end`() async throws {
        let listener = try SocketListener.loopback()
        let port = listener.port
        try await onThread {
            let client = try Socket.connect(host: "127.0.0.1", port: port, deadline: soon)
            do { try listener.accept(deadline: soon).resetOnClose() }
            let reset = SocketError.system(operation: "read from", target: "127.0.0.1:\(port)", code: ECONNRESET)
            #expect(throws: reset) { try client.read(upTo: 1, deadline: soon) }
        }
    }

    @Test func `every descriptor is closed on exec`() async throws {
        let listener = try SocketListener.loopback()
        let port = listener.port
        let client = try await onThread { try Socket.connect(host: "127.0.0.1", port: port, deadline: soon) }
        let server = try await onThread { try listener.accept(deadline: soon) }
        let (near, far) = try Socket.pair()
        let ours = try [client, server, near, far].map {
            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0.descriptor)")
        }
        #expect(ours.allSatisfy { $0.hasPrefix("socket:[") })
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/ls")
        process.arguments = ["-l", "/proc/self/fd"]
        let output = Pipe()
        process.standardOutput = output
        let listing = try await onThread {
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
        }
        // A child that lists its own descriptors sees none of ours.
        #expect(listing.contains("/proc/"))
        for name in ours { #expect(!listing.contains(name)) }
    }

    @Test(arguments: [true, false])
    func `a datagram reaches its socket, by path and by abstract name`(isAbstract: Bool) async throws {
        try await withDirectory { directory in
            let name = isAbstract ? "@nightjar-\(UInt64.random(in: 0 ... .max))" : directory + "/notify"
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                name = sys.argv[1]
                s.bind("\\0" + name[1:] if name[0] == "@" else name)
                print("bound", flush=True)
                s.settimeout(20)
                print(s.recv(100).decode(), flush=True)
                """
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", "-c", script, name]
            let output = Pipe()
            process.standardOutput = output
            let lines = try await onThread {
                try process.run()
                var text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
                try UnixDatagram.send(Array("READY=1".utf8), to: name)
                text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                return text
            }
            #expect(lines == "bound\nREADY=1\n")
        }
        #expect(throws: SocketError.self) { try UnixDatagram.send([1], to: "@nobody-\(UInt64.random(in: 0 ... .max))") }
    }
}
