// SPDX-License-Identifier: Apache-2.0
// What `nightjar serve` refuses before it listens.

import Commands
import Domain
import Foundation
import Testing

struct ServeTests {
    @Test(arguments: [
        (["--listen", "0.0.0.0:8787"], "add --token-file FILE"), (["--listen", "[::]:8787"], "add --token-file FILE"),
        (["--listen", "192.0.2.1:80"], "add --token-file FILE"),
        (["--listen", "localhost:8787"], "found no numeric address"), (["--listen", "8787"], "such as 127.0.0.1:8787"),
        (["--token-file", "short"], "at least 16 visible ASCII characters"),
        (["--token-file", "nothing"], "--token-file nothing"),
    ])
    func `wrong options end with 2 and the way out`(words: [String], hint: String) async throws {
        let fixture = LoopFixture()
        try fixture.seal([LoopFixture.record(1, .healthy, .ship, revision: "a1")])
        try fixture.write("0123456789\n", to: "short")
        let result = await fixture.run(["serve", "state"] + words)
        #expect(result.code == .usage)
        #expect(result.error.contains(hint), "\(result.error)")
        #expect(result.output.isEmpty)
    }

    @Test func `an open address with a token is fine, and then its port decides`() async throws {
        let fixture = LoopFixture()
        try fixture.seal([LoopFixture.record(1, .healthy, .ship, revision: "a1")])
        try fixture.write("0123456789abcdef\n", to: "token")
        // An address of nobody on this machine (RFC 5737): the options were right, binding is not.
        let result = await fixture.run(["serve", "state", "--listen", "192.0.2.1:80", "--token-file", "token"])
        #expect(result.code == .infrastructure)
        #expect(result.error.contains("cannot bind to 192.0.2.1:80"))
    }

    @Test func `a place without a loop is not found`() async throws {
        let fixture = LoopFixture()
        try fixture.write("", to: "state/empty.txt")
        #expect(await fixture.run("serve", "nowhere").code == .notFound)
        try FileManager.default.createDirectory(atPath: fixture.folder + "/none", withIntermediateDirectories: true)
        let result = await fixture.run("serve", "none")
        #expect(result.code == .notFound)
        #expect(result.error.contains("there is no loop in none"))
    }

    @Test func `two loops of one name are not mixed`() async throws {
        let fixture = LoopFixture()
        try fixture.seal([LoopFixture.record(1, .healthy, .ship, revision: "a1")])
        let result = await fixture.run("serve", "state", "state/staging")
        #expect(result.code == .usage)
        #expect(result.error.contains("two loops are named 'staging'"))
    }
}
