// SPDX-License-Identifier: Apache-2.0
// What is shown of a running loop, with readers that read and readers that do not.

import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Commands

@Suite struct TerminalLogTests {
    private final class Reader: Sendable {
        let text = Mutex("")
        /// As often as it is signaled, so many writes go through.
        let gate = DispatchSemaphore(value: 0)
        let isOpen = Atomic<Bool>(false)

        var output: Output {
            Output(
                standardOutput: { [self] text in
                    if !isOpen.load(ordering: .acquiring) { gate.wait() }
                    self.text.withLock { $0 += text }
                }, standardError: { _ in })
        }

        /// Lines that were shown, and those that notes say were left out.
        var accountsFor: Int {
            text.withLock { $0.split(separator: "\n") }.reduce(0) { sum, line in
                sum + (line.hasPrefix("(") ? Int(line.dropFirst().prefix(while: \.isNumber)) ?? 0 : 1)
            }
        }

        func open() {
            isOpen.store(true, ordering: .releasing)
            gate.signal()
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a reader that stalls holds nobody up, and lines left out are counted`() async {
        let reader = Reader()
        let log = TerminalLog(reader.output, toOutput: true)
        let count = 3 * TerminalLog.mostLines
        for number in 1...count { log.write("line \(number)") }
        reader.open()
        await log.clear()
        // Where the gaps are depends on when the writing thread first ran; every line is either shown or counted.
        #expect(await eventually { reader.accountsFor == count })
        let lines = reader.text.withLock { $0.split(separator: "\n").map(String.init) }
        let shown = lines.filter { $0.hasPrefix("line ") }.compactMap { Int($0.dropFirst(5)) }
        #expect(shown == shown.sorted() && Set(shown).count == shown.count && shown.count >= TerminalLog.mostLines)
        #expect(lines.contains { $0.hasSuffix("all are in cycle.log)") })
    }

    @Test(.timeLimit(.minutes(5)))
    func `the end does not wait for a reader that never comes back`() async {
        let reader = Reader()
        let log = TerminalLog(reader.output, toOutput: true)
        log.write("line 1")
        await log.clear()
        #expect(reader.text.withLock { $0.isEmpty })
        reader.open()
        #expect(await eventually { reader.text.withLock { $0 == "line 1\n" } })
    }

    @Test func `lines come in their order`() async {
        let reader = Reader()
        reader.open()
        let log = TerminalLog(reader.output, toOutput: true)
        for number in 1...500 { log.write("line \(number)") }
        await log.clear()
        #expect(reader.text.withLock { $0 } == (1...500).map { "line \($0)\n" }.joined())
    }
}
