// SPDX-License-Identifier: Apache-2.0
// What the five answers say and cite: runs of the revisions that they name, the change itself, and no check twice.

import Configuration
import Domain
import Testing

@testable import Triage

struct WhysTests {
    /// The records that an answer's references are of.
    private func cited(_ why: Why, _ facts: TriageCase) -> [StageRecord] {
        why.evidence.compactMap { reference in
            facts.records.first { reference.path.hasPrefix($0.run.folder + "/") }
        }
    }

    @Test func `the condition cites the culprit, its parent and the revision without it`() throws {
        var bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        let incident = try #require(bench.investigate().first)
        let why = try #require(incident.diagnosis?.whys[2])
        let runs = cited(why, bench.facts)
        #expect(runs.count == why.evidence.count)
        #expect(runs.prefix(2).map(\.run.revision.id) == ["commit-5", "commit-4"], "\(why)")
        #expect(runs.prefix(2).map(\.outcome) == [.failed, .succeeded])
        #expect(runs.prefix(2).allSatisfy { $0.run.purpose.isDeployedExperiment })
        if bench.asked.contains(where: { $0.kind == .revert }) { #expect(runs.last?.run.purpose == .revert) }
    }

    @Test func `what the surroundings did is cited on last green, or where it passes again`() throws {
        var bench = Bench(commits: 8) { _, _, _ in true }
        let onGreen = try #require(bench.investigate().first?.diagnosis)
        let green = cited(onGreen.whys[2], bench.facts)
        #expect(green.first?.run.revision == Bench.green && green.first?.outcome == .failed, "\(onGreen.whys[2])")
        let change = cited(onGreen.whys[3], bench.facts)
        #expect(change.map(\.run.revision) == [Bench.green], "\(onGreen.whys[3])")

        bench = Bench(commits: 4) { _, _, run in run == 0 || run % 2 == 0 }
        let flaky = try #require(bench.investigate().first?.diagnosis)
        #expect(Set(cited(flaky.whys[2], bench.facts).map(\.outcome)) == [.failed, .succeeded], "\(flaky.whys[2])")
    }

    @Test func `five questions have five answers, and the fourth shows the change`() throws {
        var bench = Bench(commits: 4) { _, index, _ in index >= 2 }
        bench.message = "pages returned 6 threads of 7"
        let culprit = try #require(bench.investigate().first?.diagnosis?.culprit?.commit)
        var facts = bench.facts
        facts.patches[culprit] = KeptPatch(path: "patch-commit-2.diff", text: WhysTests.patch)
        guard case .concluded(let incidents) = Investigator.next(facts) else {
            Issue.record("asks on")
            return
        }
        let whys = try #require(incidents.first?.diagnosis?.whys)
        #expect(!whys[0].answer.contains("6 threads") && whys[1].answer.contains("6 threads"))
        #expect(whys[2].answer.contains("fails ") && !whys[3].answer.contains("fails "))
        #expect(whys[3].answer.contains("src/pages.py:41 loses `if len(threads) < limit:`"), "\(whys[3].answer)")
        #expect(whys[3].answer.contains("gets `if len(threads) <= limit:`"))
        let reference = try #require(whys[3].evidence.first)
        #expect(reference.path == "patch-commit-2.diff")
        let lines = WhysTests.patch.split(separator: "\n", omittingEmptySubsequences: false)
        let range = try #require(reference.lines)
        #expect(reference.excerpt == lines[(range[0] - 1)..<range[1]].joined(separator: "\n"))
        #expect(whys[3].evidence.last?.path == "commits.txt")
        #expect(Set(whys.map(\.answer)).count == 5)
    }

    /// A hunk of documentation, one of something else, and the one that the failure is about.
    private static let patch = """
        commit commit-2
        Author: ann

            Simplify paging

        diff --git a/docs/pages.md b/docs/pages.md
        --- a/docs/pages.md
        +++ b/docs/pages.md
        @@ -1,1 +1,1 @@
        -Threads come in pages.
        +Threads are returned in pages.
        diff --git a/src/pages.py b/src/pages.py
        --- a/src/pages.py
        +++ b/src/pages.py
        @@ -10,3 +10,3 @@ def other():
             a = 1
        -    b = 2
        +    b = 3
             c = 3
        @@ -40,4 +40,4 @@ def page():
             rows = []
        -    if len(threads) < limit:
        +    if len(threads) <= limit:
                 more = False
             return rows
        \\ No newline at end of file

        """

    @Test func `the hunk that a stack names is the likeliest, and comments are not`() throws {
        let patch = KeptPatch(
            path: "p",
            text: """
                --- a/src/one.py
                +++ b/src/one.py
                @@ -1 +1 @@
                -# login of an account
                +# login of an account, again
                @@ -90 +90 @@
                -x = 1
                +x = 2
                --- a/src/gone.py
                +++ /dev/null
                @@ -1,2 +0,0 @@
                -account = 1
                -login = 2
                """)
        let failing = TestResult(
            id: "t::test_login_account", outcome: .failed, message: "no",
            details: "  File \"/srv/app/src/one.py\", line 91, in login")
        let hunk = try #require(PatchHunk.likeliest(in: patch, failing: [failing]))
        #expect(hunk.words == "src/one.py:90 loses `x = 1` and gets `x = 2`")
        #expect(hunk.reference.lines == [7, 8])
        let unnamed = TestResult(id: "t::test_login_account", outcome: .failed, message: "no")
        #expect(PatchHunk.likeliest(in: patch, failing: [unnamed])?.words.contains("src/gone.py") == true)
        #expect(PatchHunk.likeliest(in: KeptPatch(path: "p", text: "Binary files differ\n"), failing: []) == nil)
    }

    @Test func `an excerpt of a patch ends with a whole character`() throws {
        let long = String(repeating: "é", count: 200)
        let text = "--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n-a = 1\n+a = \"\(long)\"\n"
        let hunk = try #require(PatchHunk.likeliest(in: KeptPatch(path: "p", text: text), failing: []))
        for line in hunk.reference.excerpt.split(separator: "\n") { #expect(text.contains(line)) }
        #expect(hunk.reference.excerpt.utf8.count < 200)
    }

    @Test func `a deployment that failed quotes the line that says why`() throws {
        var scene = Scene { run, _ in Scene.Ending(outcome: run.kind == .deploy ? .failed : .succeeded) }
        scene.facts.allowance.deploysBarred = "triage.mayDeploy is false"
        scene.run(.deploy)
        scene.facts.logs = [
            LogFinding(
                source: "deploy-1", template: "database is locked", level: "error", count: 1,
                reference: EvidenceReference(
                    path: "deploy-1/console.log", lines: [7, 7], excerpt: "OperationalError: database is locked"))
        ]
        let diagnosis = try #require(scene.investigate().first?.diagnosis)
        #expect(diagnosis.whys[1].answer == "the console of the stage says: OperationalError: database is locked")
        #expect(diagnosis.whys[1].evidence.first?.lines == [7, 7])
    }

    @Test func `the check that would tell is none that was made, and says what bars it`() throws {
        var bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        bench.mayDeploy = false
        let barred = try #require(bench.investigate().first?.diagnosis)
        #expect(barred.whys[3].answer.contains("last green green, deployed now (triage.mayDeploy is false)"))
        #expect(barred.check?.contains("(triage.mayDeploy is false)") == true)

        bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        bench.deploys = 1
        let spent = try #require(bench.investigate().first?.diagnosis)
        #expect(bench.asked.map(\.kind) == [.rerun, .baseline])
        for why in spent.whys where why.confidence == 0 {
            #expect(!why.answer.contains("mayDeploy") && !why.answer.contains("last green green, deployed now"))
        }

        // Nothing was deployed, and nothing bars it: the answer says why it was not.
        bench = Bench(commits: 8) { _, index, _ in index >= 5 }
        bench.undeployable = [-1]
        let gone = try #require(bench.investigate().first?.diagnosis)
        #expect(gone.whys[3].answer.contains("find out why last green green cannot be asked"), "\(gone.whys[3])")
    }
}
