// SPDX-License-Identifier: Apache-2.0
// Suites that fall into parts, and what becomes of tests that no command line can name.

import Domain
import Evidence
import Platform
import TestSupport
import Testing

@testable import Supervision

struct TestStageTests {
    /// Says of each of its arguments that the test has passed.
    private static let passing = #"""
        for name in "$@"; do
          printf '{"Action":"pass","Package":"p","Test":"%s","Elapsed":0.5}\n' "${name#p::}"
        done
        printf '{"Action":"pass","Package":"p"}\n'
        """#

    /// A suite whose first test hangs.
    private func hanging(collected: [String], select: CommandSettings, in settings: inout LoopSettings) {
        let begin = #"printf '{"Action":"run","Package":"p","Test":"TestHang"}\n'; exec sleep 600"#
        settings.suites = [
            SuiteSettings(
                name: "unit", priority: 0, command: StageFixture.script(begin), reportFormat: .goTestJSON,
                console: .goTestJSON, select: select, collect: StageFixture.script("cat names"),
                testTimeout: .milliseconds(300), blocking: true)
        ]
    }

    /// Their names are longer than one argument may be (128 KiB).
    @Test func `the rest of a large suite is run in as many parts as its names need`() async throws {
        let names = (0..<300).map { "p::Test\($0)" + String(repeating: "x", count: 1000) }
        let select = StageFixture.script(
            #"names=$(printf %s "$1" | sed 's/^^(//; s/)\$$//' | tr '|' ' '); set -- $names; "# + Self.passing,
            ["{testsRegex}"])
        let fixture = try StageFixture { hanging(collected: names, select: select, in: &$0) }
        try fixture.folder.write("names", names.joined(separator: "\n") + "\n")
        let record = await fixture.test("unit")
        #expect(record.outcome == .failed, "\(record.summary)")
        let totals = try #require(record.suite?.totals)
        #expect((totals.tests, totals.passed, totals.timedOut, totals.notRun) == (301, 300, 1, 0))
        #expect(record.commands.map(\.role) == ["main", "collect", "rest-1", "rest-2", "rest-3"])
        // What it ran into, against its limit, in the order of all lines about tests.
        let said = try #require(fixture.said.texts(.fail).first)
        #expect(said.hasPrefix("P0 unit p::TestHang: "), "\(said)")
        #expect(said.hasSuffix("s > testTimeout 0.3s, cut; 300 others go on"), "\(said)")
    }

    @Test func `tests of a branch that origin no longer has are not run from what is left of it here`() async throws {
        let folder = try TemporaryFolder()
        let (tests, origin) = (folder("tests"), folder("origin"))
        try await RoleFixture.git(["init", "--quiet", "--initial-branch=main", tests])
        try await RoleFixture.git(
            ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--allow-empty", "-m", "one"], in: tests)
        try await RoleFixture.git(["clone", "--quiet", "--bare", tests, origin])
        try await RoleFixture.git(["remote", "add", "origin", origin], in: tests)
        let fixture = try StageFixture { settings in
            var suite = SuiteSettings(
                name: "unit", priority: 0, command: StageFixture.script(Self.passing, ["p::TestA"]),
                reportFormat: .goTestJSON, console: .goTestJSON, blocking: true)
            suite.repository = RepositorySettings(path: tests, ref: "main", fetch: true)
            settings.suites = [suite]
        }
        #expect(await fixture.test("unit").outcome == .succeeded)
        try await RoleFixture.git(["branch", "--move", "main", "other"], in: origin)
        let record = await fixture.test("unit", attempt: 2)
        #expect(record.outcome == .couldNotRun && record.infrastructure)
        #expect(record.summary.contains("origin has no such branch any more"), "\(record.summary)")
    }

    @Test func `a rest that cannot be started leaves what was seen`() async throws {
        let select = CommandSettings(arguments: ["/nonexistent/tool", "{testsRegex}"], timeout: .seconds(60))
        let names = ["p::TestA", "p::TestB"]
        let fixture = try StageFixture { hanging(collected: names, select: select, in: &$0) }
        try fixture.folder.write("names", names.joined(separator: "\n") + "\n")
        let record = await fixture.test("unit")
        #expect(record.outcome == .failed)
        #expect(!record.infrastructure)
        let reading = try #require(record.suite)
        #expect((reading.totals.timedOut, reading.totals.notRun) == (1, 2))
        let rest = reading.notPassed.filter { $0.outcome == .notRun }
        #expect(rest.allSatisfy { $0.message?.contains("could not be started") == true }, "\(rest)")
    }

    @Test func `a test that is named like an option is not selected`() async throws {
        let fixture = try StageFixture { settings in
            settings.suites = [
                SuiteSettings(
                    name: "unit", priority: 0, command: StageFixture.script("exit 3"), reportFormat: .goTestJSON,
                    console: .goTestJSON, select: StageFixture.script(Self.passing, ["{tests}"]), blocking: true)
            ]
        }
        let record = await fixture.test("unit", only: ["--collect-only", "p::TestA"])
        let reading = try #require(record.suite)
        #expect((reading.totals.passed, reading.totals.notRun) == (1, 1))
        #expect(reading.notPassed.first?.message?.contains("could be taken for an option") == true)
        #expect(record.commands.first?.command.contains("--collect-only") == false)
    }

    @Test(arguments: [true, false])
    func `tests that cannot be collected are told, and doubted in a suite that is marked real`(real: Bool) async throws
    {
        let fixture = try StageFixture { settings in
            hanging(collected: [], select: StageFixture.script(Self.passing, ["{tests}"]), in: &settings)
            settings.suites[0].collect = CommandSettings(arguments: ["/nonexistent/tool"], timeout: .seconds(60))
            settings.suites[0].real = real
        }
        let record = await fixture.test("unit")
        #expect(fixture.said.texts(.warn).contains { $0.hasPrefix("unit: collect could not be started") })
        let authenticity = try #require(record.suite?.authenticity)
        let reason = try #require(authenticity.reasons.first { $0.rule == "not-collected" })
        #expect(reason.verdict == (real ? .unproven : .healthy))
    }

    @Test func `a report that another daemon's secret may be in is not shown`() async throws {
        let write = #"""
            mkdir -p art && printf '%s' "$TOKEN" > art/page.html
            printf '<testsuite name="s" tests="1" failures="1"><testcase classname="s" name="a"><failure message="%s">%s</failure></testcase></testsuite>' "$TOKEN" "$TOKEN" > "$1"
            exit 1
            """#
        let fixture = try StageFixture { settings in
            settings.secrets = ["TOKEN": .command(["/bin/sh", "-c", "echo secret-of-$(date +%s%N)"])]
            var command = StageFixture.script(write, ["{report}"])
            command.secrets = ["TOKEN"]
            settings.suites = [
                SuiteSettings(name: "unit", priority: 0, command: command, artifacts: ["art/*"], blocking: true)
            ]
        }
        let first = try #require(await fixture.test("unit").suite)
        let kept = fixture.context.layout.cycle(7) + "/test-1-unit.artifacts"
        #expect(try Files.list(kept) == ["1-page.html", "LIST"])
        try Files.removeTree(kept)
        #expect(first.notPassed.first?.message?.contains("REDACTED") == true, "\(first)")
        #expect(first.reports.count == 1)
        // The next daemon finds what the first one has left, and its own token is another.
        let next = try StageFixture(restarting: fixture)
        let second = try #require(await next.test("unit").suite)
        #expect(second.totals == first.totals && second.notPassed.map(\.id) == first.notPassed.map(\.id))
        #expect(second.notPassed.first?.message?.hasPrefix("[withheld") == true && second.reports.isEmpty)
        #expect(second.notPassed.first?.details == nil)
        #expect(!Files.exists(kept), "nobody here knows what to take out of them")
        #expect(next.said.texts(.warn).contains { $0.contains("the value that TOKEN had then is not known") })
    }

    // MARK: - Nothing is lost silently

    /// No run before it, no `collect` and no `select`: only the tool's plan tells of the third test.
    @Test func `what a hung test keeps from running is counted as not run`() async throws {
        let fixture = try StageFixture { settings in
            settings.suites = [
                SuiteSettings(
                    name: "unit", priority: 0,
                    command: StageFixture.script(#"printf '1..3\nok 1 - a\n# Subtest: h\n'; exec sleep 600"#),
                    reportFormat: .console, console: .tap, testTimeout: .milliseconds(300), blocking: true)
            ]
        }
        let record = await fixture.test("unit")
        let reading = try #require(record.suite)
        #expect((reading.totals.tests, reading.totals.timedOut, reading.totals.notRun) == (3, 1, 1))
        let doubt = try #require(reading.doubts.first { $0.rule == "tests-not-run" })
        #expect(doubt.text.hasPrefix("1 of 3 tests did not run: "), "\(doubt.text)")
        #expect(!reading.doubts.contains { $0.rule == "suite-error" })
        #expect(reading.authenticity.status == .unobserved)
    }

    private func suite(
        _ text: String = #"printf '1..1\nok 1 - a\n'"#, before: String? = nil, after: String? = nil
    ) throws -> StageFixture {
        try StageFixture { settings in
            settings.suites = [
                SuiteSettings(
                    name: "unit", priority: 0, command: StageFixture.script(text), reportFormat: .console,
                    console: .tap, before: before.map { StageFixture.script($0) },
                    after: after.map { StageFixture.script($0) }, blocking: true)
            ]
        }
    }

    @Test func `what puts back is run also where what prepares failed`() async throws {
        let fixture = try suite(before: "exit 3", after: "echo x > put-back")
        let record = await fixture.test("unit")
        #expect(record.outcome == .couldNotRun)
        #expect(record.commands.map(\.role) == ["before", "after"])
        #expect(Files.exists(fixture.folder("put-back")))
    }

    @Test func `what could not be put back is told`() async throws {
        let fixture = try suite(after: "echo no database; exit 3")
        let record = await fixture.test("unit")
        #expect(record.outcome == .succeeded)
        #expect(record.summary.hasSuffix("; after: exit 3: no database"), "\(record.summary)")
        #expect(fixture.said.texts(.warn) == ["unit after: exit 3: no database"])
    }

    @Test func `what tests leave running is told`() async throws {
        let fixture = try suite(#"sleep 611 > /dev/null 2>&1 & printf '1..1\nok 1 - a\n'"#)
        let record = await fixture.performTest("unit")
        #expect(record.summary.contains("left 1 process running, ended: sleep 611"), "\(record.summary)")
        #expect(fixture.said.texts(.warn).contains { $0.contains("unit left 1 process running") })
    }
}
