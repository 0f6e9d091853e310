// SPDX-License-Identifier: Apache-2.0
// What the tests here share: folders, threads, a running service, and its log.

import Foundation
import Synchronization
import Testing

@testable import DemoStaging

/// Runs blocking work on a thread of its own, so that the cooperative pool is never held up.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: work)) }.start()
    }
}

func withDirectory<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "nightjar-demo-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Text that threads write together and a test reads.
final class Transcript: Sendable {
    private let lines = Mutex("")
    private let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    var text: String { lines.withLock { $0 } }

    func add(_ text: String) {
        lines.withLock { $0 += text }
        continuation.yield(text)
    }

    /// Waits until a piece that contains `part` is added. To be asked once.
    func wait(for part: String) async {
        for await piece in stream where piece.contains(part) { return }
    }
}

/// The releases of the demo's history, oldest first, without a repository.
func releases() throws -> [DemoRelease] {
    let layout = try DemoLayout(root: "/nowhere", executable: "/nowhere/nightjar", port: 1)
    return try DemoHistory.commits(layout).enumerated().map { index, commit in
        let settings = try #require(DemoJSON(parsing: commit.files["service.json"] ?? ""))
        return try DemoRelease(revision: "revision-\(index)", settings: settings, path: "service.json")
    }
}

/// Runs a service with `release` while `body` talks to it.
func withService<Value>(
    _ release: DemoRelease, log: Transcript = Transcript(), _ body: (DemoService, String) async throws -> Value
) async throws -> Value {
    let service = try DemoService(release: release) { log.add($0 + "\n") }
    Thread { service.run() }.start()
    defer { service.stop() }
    return try await body(service, "http://127.0.0.1:\(service.port)")
}

/// Runs the checker and returns its exit code and what it printed.
func check(_ arguments: [String], output: Transcript = Transcript()) async throws -> (exit: Int32, output: String) {
    let exit = try await onThread {
        try #require(DemoCheck(arguments: arguments) { output.add($0) }).run()
    }
    return (exit, output.text)
}
