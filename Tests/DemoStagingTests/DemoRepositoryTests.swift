// SPDX-License-Identifier: Apache-2.0
// The repository, the scripts, the configuration, and one whole night with the real binary.

import Foundation
import Platform
import Testing
import WebSocket

@testable import DemoStaging

@Suite struct DemoRepositoryTests {
    /// The binary beside the tests, or the one that NIGHTJAR_BINARY names.
    static let binary: String? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") }?.components(separatedBy: ".xctest")[0]
        let beside = bundle.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/nightjar" }
        let candidates = [
            ProcessInfo.processInfo.environment["NIGHTJAR_BINARY"], beside, package + "/.build/debug/nightjar",
        ]
        return candidates.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    private func run(_ command: [String], in directory: String = "/") async throws -> (exit: Int32, output: String) {
        try await onThread {
            // Not through Process: it waits for what a deploy leaves in the background.
            let path = NSTemporaryDirectory() + "nightjar-output-\(UInt64.random(in: 0 ... .max))"
            defer { try? FileManager.default.removeItem(atPath: path) }
            let exit = try DemoCommandLine.status(
                of: ["env", "-C", directory] + command, environment: ProcessInfo.processInfo.environment, log: path)
            return (exit, try String(contentsOfFile: path, encoding: .utf8))
        }
    }

    private func create(_ layout: DemoLayout) async throws -> DemoRepository {
        try await onThread { try DemoRepository.create(at: layout) }
    }

    @Test func `the history is eight commits, the same for the same layout`() async throws {
        try await withDirectory { root in
            let layout = try DemoLayout(root: root, executable: "/opt/nightjar", port: 4711)
            let first = try await create(layout)
            #expect(first.commits.count == 8)
            #expect(first.firstGreen == first.commits[1] && first.culprit == first.commits[4])
            #expect(first.head == first.commits[7])
            #expect(first.commits.allSatisfy { $0.count == 40 })
            let touched = try await run(
                ["git", "-C", layout.repository, "show", "--name-only", "--format=%s|%an|%aI", first.culprit])
            #expect(
                touched.output == """
                    Deliver messages in batches to save packets|Tom Okafor|2026-11-14T09:30:00+00:00

                    service.json
                    src/delivery.js

                    """)
            let status = try await run(["git", "-C", layout.repository, "status", "--porcelain"])
            #expect(status.output.isEmpty)
            await #expect(throws: DemoError.self) { try await create(layout) }
            try FileManager.default.removeItem(atPath: layout.repository)
            #expect(try await create(layout) == first)
        }
    }

    @Test func `a failing git is reported with what it said`() async throws {
        try await withDirectory { root in
            let error = await #expect(throws: DemoError.self) {
                try await onThread {
                    try DemoCommandLine.run(
                        ["git", "-C", root, "rev-parse", "HEAD"], environment: ["PATH": "/usr/bin:/bin"],
                        log: root + "/log")
                }
            }
            guard case .command(_, 128, let output) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(output.contains("not a git repository"))
        }
    }

    @Test func `paths that would break a script are refused`() {
        for path in ["relative", "/a'b", "/a\"b", "/a\nb", "/a{b}", "/a\\b"] {
            #expect(throws: DemoError.self) { try DemoLayout(root: path, executable: "/x", port: 1) }
            #expect(throws: DemoError.self) { try DemoLayout(root: "/x", executable: path, port: 1) }
        }
    }

    @Test func `the configuration is JSON5 with the commands of the layout`() throws {
        let layout = try DemoLayout(root: "/tmp/a demo", executable: "/opt/nightjar", port: 4711)
        let data = Data(DemoConfiguration.text(layout, ref: "abc").utf8)
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let found = try decoder.decode(Configuration.self, from: data)
        #expect(found.repository == ["path": "/tmp/a demo/repository", "ref": "abc"])
        #expect(found.suites.map(\.name) == DemoCheckCase.suites)
        #expect(found.suites.map(\.priority) == ["P0", "P0", "P1"])
        for suite in found.suites {
            let command = [
                "/opt/nightjar", "__demo-check", "--suite", suite.name, "--url", "http://127.0.0.1:4711",
            ]
            #expect(suite.command == command + ["--junit", "{report}"])
            #expect(suite.select == command + ["--junit", "{report}", "{tests}"])
            #expect(suite.collect == command + ["--collect"])
        }
    }

    private struct Configuration: Decodable {
        struct Suite: Decodable {
            var name: String
            var priority: String
            var command: [String]
            var select: [String]
            var collect: [String]
        }

        var repository: [String: String]
        var suites: [Suite]
    }

    @Test func `cleaning up where nothing runs, or where the process is somebody else's, ends nothing`() async throws {
        try await withDirectory { root in
            let layout = try DemoLayout(root: root, executable: "/opt/nightjar", port: 4711)
            #expect(DemoCleanup.run(layout).isClean)
            try FileManager.default.createDirectory(atPath: layout.staging, withIntermediateDirectories: true)
            // This very process: it must survive.
            try DemoFiles.write("\(getpid())\n", to: layout.staging + "/service.pid")
            let report = DemoCleanup.run(layout)
            #expect(report.isClean)
            #expect(report.lines.first == "no staging service is running")
            #expect(report.lines.last?.contains(root) == true)
        }
    }

    @Test(.enabled(if: binary != nil, "needs the nightjar binary"))
    func `deploy, break, roll back and clean up with the real binary and scripts`() async throws {
        try await withDirectory { root in
            let executable = try #require(Self.binary)
            let layout = try DemoLayout(root: root, executable: executable, port: DemoLayout.freePort())
            let repository = try await create(layout)
            do {
                try await night(layout, repository)
            } catch {
                _ = DemoCleanup.run(layout)
                throw error
            }
            let report = try await onThread { DemoCleanup.run(layout) }
            #expect(report.isClean)
            #expect(report.lines.first?.hasSuffix("has ended") == true)
            await #expect(throws: HTTPError.self) { try await live(layout) }
        }
    }

    private func night(_ layout: DemoLayout, _ repository: DemoRepository) async throws {
        func deploy(_ revision: String) async throws -> String {
            let result = try await run(["./deploy.sh", revision], in: layout.repository)
            try #require(result.exit == 0, "\(result.output)")
            #expect(try await live(layout) == revision)
            return result.output
        }
        func check(_ arguments: [String]) async throws -> (exit: Int32, output: String) {
            try await run([layout.executable, "__demo-check", "--url", layout.url] + arguments)
        }
        let first = try await deploy(repository.firstGreen)
        #expect(!first.contains("stopping"))
        #expect(try await check([]).exit == 0)

        let second = try await deploy(repository.head)
        #expect(second.contains("deploy: stopping process "))
        let threads = try await check(["--suite", "threads"])
        #expect(threads.exit == 1)
        #expect(threads.output.contains("1 failed, 3 passed"))
        let hung = try await run(
            ["timeout", "1", layout.executable, "__demo-check", "--url", layout.url, "--suite", "streaming"])
        #expect(hung.exit == 124)
        #expect(hung.output.hasSuffix("demo.streaming::test_stream_partial_results "))
        let logs = try await run(["./ops/logs.sh", "--since", "2026-01-01T00:00:00.000Z"], in: layout.repository)
        #expect(logs.output.contains("5 partial results held back"))
        let later = try await run(["./ops/logs.sh", "--since", "9999-01-01T00:00:00.000Z"], in: layout.repository)
        #expect(later.output.isEmpty)

        let wrong = try await run(["./deploy.sh", "0123456789"], in: layout.repository)
        #expect(wrong.exit == 1)
        #expect(try await live(layout) == repository.head, "a deploy that cannot begin changes nothing")

        _ = try await deploy(repository.firstGreen)
        #expect(try await check([]).exit == 0)
    }

    private func live(_ layout: DemoLayout) async throws -> String? {
        let answer = try await onThread {
            try HTTPClient.get(layout.url + "/health", deadline: .after(.seconds(20)))
        }
        return DemoJSON(parsing: answer.text)?["revision"]?.text
    }
}
