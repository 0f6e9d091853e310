// SPDX-License-Identifier: Apache-2.0
// The frame on a shepherd's standard input, and the process that is PID 1.

import Platform
import Shepherd
import TestSupport
import Testing

@Suite struct OrderTests {
    private let order = ShepherdOrder(
        stageID: "a-1", folder: "/f", arguments: ["x", "", "ü\n"], environment: ["A=b"], workingDirectory: "/",
        timeoutMilliseconds: 1, idleTimeoutMilliseconds: 0, graceMilliseconds: 3, leavesServices: true,
        outputLimit: 1 << 40, needles: ["n"], standardInput: [0, 255], lock: "/l")

    @Test func `an order arrives as it was sent`() {
        #expect(ShepherdOrder(order.encoded()) == order)
    }

    @Test func `no shortened or changed frame is believed to be whole`() {
        let frame = order.encoded()
        for count in 0..<frame.count { #expect(ShepherdOrder(Array(frame.prefix(count))) == nil) }
        #expect(ShepherdOrder(frame + [0]) == nil)
        var newer = frame
        newer[4] = UInt8(ShepherdOrder.version + 1)
        #expect(ShepherdOrder(newer) == nil)
        for index in frame.indices {
            var flipped = frame
            flipped[index] ^= 0x80
            _ = ShepherdOrder(flipped)
        }
    }
}

@Suite struct InitTests {
    private func initialize(_ script: String) async throws -> HelperOutput {
        try await HelperCommand.run(
            [Nightjar.path, "__init", "/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"],
            timeout: .seconds(20))
    }

    @Test func `PID 1 ends as its daemon ended`() async throws {
        #expect(try await initialize("exit 9").exit == 9)
        #expect(try await initialize("kill -9 $$").exit == 137)
    }

    @Test func `PID 1 hands signals on`() async throws {
        #expect(try await initialize("trap 'exit 33' TERM; kill -TERM $PPID; while :; do sleep 0.01; done").exit == 33)
    }

    @Test func `PID 1 names a daemon that does not exist`() async throws {
        let output = try await HelperCommand.run(
            [Nightjar.path, "__init", "no-such-daemon"], environment: [:], timeout: .seconds(20))
        #expect(output.exit == 127)
        #expect(output.errorText.contains("could not start no-such-daemon"))
    }
}
