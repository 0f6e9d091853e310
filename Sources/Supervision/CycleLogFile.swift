// SPDX-License-Identifier: Apache-2.0
// `cycle.log`: one line for each decision, made for `tail -F`. Lines are for people; the journal is the truth.

package import Domain
import Platform
import Reporting
import Synchronization

package final class CycleLogFile: Sendable {
    private struct State {
        var file: AppendFile?
        var cycle = 0
        var lost = 0
        var lastWritten = SystemClock.monotonicNanoseconds
    }
    private let path: String
    private let state: Mutex<State>
    /// Sees every line too: the terminal of `once`, the journal of systemd.
    private let echo: @Sendable (String) -> Void

    package init(_ path: String, echo: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.echo = echo
        state = Mutex(State())
    }

    /// How long nothing has been written.
    package var quietSeconds: Double {
        Double(SystemClock.monotonicNanoseconds - state.withLock { $0.lastWritten }) / 1e9
    }

    package func write(_ line: LogLine, cycle: Int?, at time: Timestamp) {
        let text = state.withLock { state -> String in
            state.lastWritten = SystemClock.monotonicNanoseconds
            if let cycle { state.cycle = cycle }
            let text = CycleLog.format(line, at: time, cycle: state.cycle)
            append(text + "\n", &state)
            return text
        }
        echo(text)
    }

    /// Opened for each line's sake only when it is not open or was moved away by log rotation. A line that cannot be
    /// written is counted and the count is told when writing works again.
    private func append(_ text: String, _ state: inout State) {
        if state.file?.isInPlace != true {
            // The folder may have been moved as a whole: then the line is found where the file is now.
            let moved = state.file.flatMap { $0.hasName ? $0 : nil }
            state.file = (try? AppendFile(path)) ?? moved
        }
        do {
            guard let file = state.file else { throw SystemError(code: 28, attempted: "open", path: path) }
            if state.lost > 0 {
                try file.append(Array("(\(state.lost) lines could not be written before this one)\n".utf8))
                state.lost = 0
            }
            try file.append(Array(text.utf8))
        } catch {
            state.lost += 1
            state.file = nil
        }
    }
}
