// SPDX-License-Identifier: Apache-2.0
// `why --evidence` shows what is cited where it stands, and `rules` what triage weighs with.

import Commands
import Domain
import Evidence
import Foundation
import Testing

struct CitedEvidenceTests {
    let fixture = LoopFixture()

    /// A cycle whose one answer cites `reference`, beside a console of ten lines.
    private func seal(_ reference: EvidenceReference) throws {
        var incident = LoopFixture.incident
        let why = Why(n: 1, question: "What failed?", answer: "the chat", confidence: 1, evidence: [reference])
        incident.diagnosis = Diagnosis(
            category: .codeRegression, summary: "s", grade: .likely, recommendedAction: .none, whys: [why])
        try fixture.seal([LoopFixture.record(1, .failing, .hold, revision: "r1", incidents: [incident])])
        let console = (1...10).map { "line \($0) of the console" }.joined(separator: "\n") + "\n"
        let folder = fixture.layout.cycle(1)
        try Data(console.utf8).write(to: URL(fileURLWithPath: "\(folder)/console.log"))
        try Data("secret".utf8).write(to: URL(fileURLWithPath: "\(folder)/../outside.log"))
    }

    private func why() async -> CommandResult { await fixture.run("why", "--evidence", "--state", "state") }

    @Test func `a diagnosis of an earlier cycle cites that cycle's folder`() async throws {
        try seal(EvidenceReference(path: "console.log", lines: [5, 5], excerpt: "line 5 of the console"))
        var joined = LoopFixture.incident
        let why = Why(
            n: 1, question: "What failed?", answer: "the chat", confidence: 1,
            evidence: [EvidenceReference(path: "console.log", lines: [5, 5], excerpt: "line 5 of the console")])
        joined.diagnosis = Diagnosis(
            category: .codeRegression, summary: "s", grade: .likely, recommendedAction: .none, whys: [why])
        joined.diagnosis?.cycle = 1
        try fixture.seal([LoopFixture.record(2, .failing, .hold, revision: "r2", incidents: [joined])])
        let result = await self.why()
        #expect(result.code == .ok, "\(result.output)")
        #expect(result.output.contains("console.log:5  as cited"))
        #expect(result.output.contains("#1 console.log:5"))
        #expect(await fixture.run("show", "2", "--state", "state").output.contains("#1 console.log:5"))
    }

    @Test func `cited lines are shown with two around them`() async throws {
        try seal(
            EvidenceReference(path: "console.log", lines: [5, 6], excerpt: "line 5 of the\nline 6 of the console"))
        let result = await why()
        #expect(result.code == .ok, "\(result.error)")
        #expect(result.output.contains("console.log:5-6  as cited"))
        #expect(result.output.contains("> 5       line 5 of the console"))
        #expect(result.output.contains("  3       line 3 of the console"))
        #expect(!result.output.contains("line 2 of") && !result.output.contains("line 9 of"))
    }

    @Test func `a long line is shown from the cited words on`() async throws {
        try seal(EvidenceReference(path: "long.log", lines: [1, 1], excerpt: "\"message\":\"no thread\""))
        let line = "{\"details\":\"\(String(repeating: "x", count: 500))\",\"message\":\"no thread\"}\n"
        try Data(line.utf8).write(to: URL(fileURLWithPath: "\(fixture.layout.cycle(1))/long.log"))
        let result = await why()
        #expect(result.code == .ok, "\(result.output)")
        #expect(result.output.contains("… \"message\":\"no thread\""), "\(result.output)")
    }

    @Test func `bytes are shown as the lines they are in`() async throws {
        // Nine lines of 22 bytes: the bytes 44 to 60 are in the third.
        try seal(EvidenceReference(path: "console.log", bytes: [44, 60], excerpt: "line 3 of the"))
        let result = await why()
        #expect(result.code == .ok)
        #expect(result.output.contains("> 3  "))
    }

    @Test(arguments: [
        EvidenceReference(path: "console.log", lines: [5, 5], excerpt: "something else"),
        EvidenceReference(path: "console.log", lines: [50, 51], excerpt: "line 5"),
        EvidenceReference(path: "console.log", lines: [5, 5], excerpt: "  "),
        EvidenceReference(path: "gone.log", lines: [1, 1], excerpt: "line"),
        EvidenceReference(path: "../outside.log", lines: [1, 1], excerpt: "secret"),
    ])
    func `what does not stand there is said, and is no success`(_ reference: EvidenceReference) async throws {
        try seal(reference)
        let result = await why()
        #expect(result.code == .unproven)
        #expect(result.output.contains("DOES NOT SAY") || result.output.contains("cannot be read"))
        #expect(!result.output.contains("> 1  "), "nothing outside the folder is opened")
    }
}

struct RulesCommandTests {
    let fixture = LoopFixture()

    @Test func `all rules, one rule, and the rules of a category`() async throws {
        let all = await fixture.run("rules")
        #expect(all.code == .ok && all.output.contains("words-space") && all.output.contains("culprit-found"))
        let one = await fixture.run("rules", "words-space")
        #expect(one.output.contains("no space left") && one.output.contains("+4.5 resource-exhaustion"))
        let category = await fixture.run("rules", "network", "--json")
        #expect(category.output.contains("\"words-name\"") && !category.output.contains("\"slow\""))
        let unknown = await fixture.run("rules", "words-spce")
        #expect(unknown.code == .notFound && unknown.error.contains("did you mean 'words-space'?"))
    }

    @Test func `rule files of the configuration are part of the list, and their problems are said`() async throws {
        try fixture.write(
            """
            { loop: { name: "a", mode: "observe" }, triage: { rules: ["more.json"] },
              suites: [{ name: "s", command: ["tool", "{report}"] }] }
            """, to: "nightjar.json5")
        try fixture.write(
            #"{ rules: [{ name: "vpn", says: "no tunnel", words: ["vpn"], for: { network: 3 } }] }"#, to: "more.json")
        #expect(await fixture.run("rules", "vpn").output.contains("+3.0 network"))
        try fixture.write(#"{ rules: [{ name: "vpn", says: "no tunnel", wrds: ["vpn"], for: {} }] }"#, to: "more.json")
        let broken = await fixture.run("check")
        #expect(broken.code == .usage)
        #expect(broken.error.contains("more.json:1") && broken.error.contains("did you mean words?"))
    }
}
