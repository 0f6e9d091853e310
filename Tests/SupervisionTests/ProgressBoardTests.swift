// SPDX-License-Identifier: Apache-2.0
// What people are shown of a stage that is under way.

import Domain
import Evidence
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervision

@Suite struct ProgressBoardTests {
    private final class Observer: Sendable {
        let seen = Mutex<[String]>([])
    }

    private let folder: TemporaryFolder
    private let observer = Observer()
    private let board: ProgressBoard
    private let start = Timestamp(milliseconds: 1_795_228_267_250)

    init() throws {
        folder = try TemporaryFolder()
        let (observer, start) = (observer, start)
        board = ProgressBoard(EvidenceLayout(root: folder.path), now: { start + .seconds(125) }) { stage in
            observer.seen.withLock { $0.append(stage.map { "\($0.subject ?? "?") \($0.testsDone ?? 0)" } ?? "-") }
        }
    }

    private func run(_ suite: String) -> StageRun {
        StageRun(
            cycle: 7, kind: .test, purpose: .cycle, subject: suite, attempt: 1, revision: Revision("9e1b7a33"))
    }

    private var file: RunningStage? { RunningFile.read(folder("running.json")) }

    @Test func `the file follows by itself, soon`() async throws {
        let path = folder("running.json")
        board.begin(run("chat"), at: start)
        let isShown = await eventually { RunningFile.read(path)?.subject == "chat" }
        #expect(isShown)
        board.end(run("chat"))
        let isGone = await eventually { RunningFile.read(path) == nil }
        #expect(isGone)
    }

    @Test func `when it has settled the file has what is so, whatever changed how fast`() async throws {
        for round in 0..<50 {
            board.begin(run("chat"), at: start)
            board.end(run("chat"))
            board.begin(run("api"), at: start)
            board.note(done: round, failed: 1, current: "login")
            await board.settle()
            #expect(file?.subject == "api" && file?.testsDone == round && file?.currentTest == "login")
            board.end(run("api"))
            await board.settle()
            #expect(try folder.read("running.json") == "null\n")
        }
    }

    @Test func `the observer hears of every change, in order`() async {
        board.begin(run("chat"), at: start)
        for count in 1...100 { board.note(done: count, failed: 0, current: nil) }
        board.end(run("chat"))
        await board.settle()
        #expect(observer.seen.withLock { $0 } == (0...100).map { "chat \($0)" } + ["-"])
    }

    @Test func `what a suite usually takes is told with it, and how long it has run`() async {
        board.remember("chat", seconds: 12.5, tests: 30)
        #expect(board.describe() == "waiting")
        board.begin(run("chat"), at: start)
        await board.settle()
        #expect(file?.usualSeconds == 12.5 && file?.usualTests == 30)
        #expect(board.describe() == "#7 test chat for 2m")
    }
}
