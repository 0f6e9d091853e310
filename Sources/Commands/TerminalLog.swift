// SPDX-License-Identifier: Apache-2.0
// What a loop shows of itself while it runs. Whoever reads it may stall (`| less`, Ctrl-S): the loop never waits for that.

import Domain
import Platform
import Reporting
import Synchronization

/// Log lines on a terminal, with a live line for the running stage below them; plain lines elsewhere. Everything is written
/// by a thread of its own, from a bounded queue.
final class TerminalLog: Sendable {
    private struct Queue {
        var lines: [String] = []
        /// Lines that found the queue full.
        var leftOut = 0
        /// The newest that is not shown yet; of several in a row only the last can be seen.
        var stage: RunningStage??
        /// Those who wait until the live line is taken away.
        var clearing: [AsyncStream<Void>.Continuation] = []
        var isWriting = false

        var isEmpty: Bool { lines.isEmpty && stage == nil && clearing.isEmpty }
    }
    /// What is on the terminal now; touched by the one thread that writes.
    private struct Drawing {
        var running: RunningStage?
        var isDrawn = false
    }
    /// Lines that wait for a reader before those that follow are left out: all are in `cycle.log`.
    static let mostLines = 1000
    /// How long the end of a command waits for its reader.
    private static let patience = Duration.seconds(2)

    private let output: Output
    private let toOutput: Bool
    private let isJSON: Bool
    private let queue = Mutex(Queue())
    private let drawing = Mutex(Drawing())

    /// `toOutput` writes lines to standard output; otherwise they are chatter on standard error.
    /// `isJSON` writes one object per line and no live line.
    init(_ output: Output, toOutput: Bool, isJSON: Bool = false) {
        self.output = output
        self.toOutput = toOutput
        self.isJSON = isJSON
    }

    /// - Parameter loop: its name, where several write.
    func write(_ line: String, of loop: String? = nil) {
        let line = isJSON ? TerminalLog.json(line, loop) : (loop.map { "[\($0)] " } ?? "") + line
        add { queue in
            if queue.lines.count < TerminalLog.mostLines { queue.lines.append(line) } else { queue.leftOut += 1 }
        }
    }

    func show(_ stage: RunningStage?) {
        guard output.isTerminal, !isJSON else { return }
        add { $0.stage = .some(stage) }
    }

    private struct Line: Encodable {
        var loop: String?
        var at: Timestamp
        var cycle: Int
        var mark: LogLine.Mark
        var topic: String
        var text: String
    }

    private static func json(_ line: String, _ loop: String?) -> String {
        let entry = CycleLog.parse(line)
        let object = entry.map {
            Line(loop: loop, at: $0.at, cycle: $0.cycle, mark: $0.mark, topic: $0.topic, text: $0.text)
        }
        return object.flatMap { try? JSONText.line($0) } ?? "{}"
    }

    /// Takes the live line away once everything before it is written; waits at most two seconds for that.
    func clear() async {
        let (end, waiting) = AsyncStream.makeStream(of: Void.self)
        add { $0.clearing.append(waiting) }
        let clock = Task {
            try? await Task.sleep(for: TerminalLog.patience)
            waiting.finish()
        }
        for await _ in end {}
        clock.cancel()
    }

    // MARK: - The thread

    private func add(_ change: (inout Queue) -> Void) {
        let isToStart = queue.withLock { queue in
            change(&queue)
            defer { queue.isWriting = true }
            return !queue.isWriting
        }
        guard isToStart else { return }
        do {
            try PlatformThread.start("echo") { [self] in drain() }
        } catch {
            drain()
        }
    }

    /// Writes what waits until nothing does.
    private func drain() {
        while let batch = take() { drawing.withLock { write(batch, &$0) } }
    }

    private func take() -> Queue? {
        queue.withLock { queue in
            guard !queue.isEmpty else {
                queue.isWriting = false
                return nil
            }
            let batch = queue
            queue = Queue(isWriting: true)
            return batch
        }
    }

    private func write(_ batch: Queue, _ drawing: inout Drawing) {
        for line in batch.lines { write(line, &drawing) }
        if batch.leftOut > 0 {
            let count = batch.leftOut
            let words = "(\(count) lines are left out here: their reader was too slow; all are in cycle.log)"
            write(isJSON ? "{\"leftOut\":\(count)}" : words, &drawing)
        }
        if let stage = batch.stage {
            drawing.running = stage
            draw(&drawing)
        }
        guard !batch.clearing.isEmpty else { return }
        wipe(&drawing)
        drawing = Drawing()
        for waiting in batch.clearing { waiting.finish() }
    }

    private func write(_ line: String, _ drawing: inout Drawing) {
        wipe(&drawing)
        if output.isTerminal, let entry = CycleLog.parse(line) {
            emit(CycleLog.terminal(entry, palette: output.palette, columns: output.columns))
        } else {
            emit(line)
        }
        draw(&drawing)
    }

    private func emit(_ line: String) {
        if toOutput { output.line(line) } else { output.note(line) }
    }

    private func wipe(_ drawing: inout Drawing) {
        if drawing.isDrawn { output.write("\r\u{1B}[K") }
        drawing.isDrawn = false
    }

    private func draw(_ drawing: inout Drawing) {
        guard output.isTerminal else { return }
        guard let stage = drawing.running else { return wipe(&drawing) }
        let name = [stage.stage, stage.subject].compactMap { $0 }.joined(separator: " ")
        let elapsed = Timestamp.wallClock().since(stage.since)
        let line = ProgressLine(
            name: name, elapsed: elapsed, usual: stage.usualSeconds.map { .milliseconds(Int64($0 * 1000)) },
            done: stage.testsDone ?? 0, total: stage.usualTests, failed: stage.testsFailed ?? 0,
            current: stage.currentTest)
        output.write(line.redraw(columns: output.columns, palette: output.palette))
        drawing.isDrawn = true
    }
}
