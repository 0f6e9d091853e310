// SPDX-License-Identifier: Apache-2.0
// Values that do not go together, commands and their placeholders, and what follows from what.

import Domain
import Testing

@testable import Configuration

struct CrossCheckTests {
    /// Extra keys of the minimal file, and what the only problem must say.
    static let cases: [(more: String, says: String)] = [
        ("triage: { mayDeploy: true }", "triage.mayDeploy: is true, but there is no deploy"),
        ("remedy: { allow: ['runbook'] }", "remedy.allow[0]: allows runbook commands, but remedy.runbook has none"),
        ("remedy: { allow: ['redeploy'] }", "remedy.allow[0]: allows redeploy, but there is no deploy"),
        (
            "deploy: { command: ['d'] }, remedy: { allow: ['rollback'] }",
            "remedy.allow[0]: allows rollback, but there is no way back"
        ),
        (
            "remedy: { allow: ['fix'] }",
            "remedy.allow[0]: allows fixes, but there is no remedy.fix"
        ),
        (
            "remedy: { approve: ['fix'], fix: { paths: ['src/*'] } }",
            "remedy.approve[0]: asks about fixes, but remedy.roles.implement names nobody to make them"
        ),
        (
            "remedy: { approve: ['runbook'] }",
            "remedy.approve[0]: asks about runbook commands, but remedy.runbook has none"
        ),
        (
            "remedy: { runbook: { r: { command: ['r'], for: ['flaky'] } } }",
            "found \"flaky\", allowed: \"code-regression\""
        ),
        ("deploy: { command: ['d'], worktree: true }", "deploy.worktree: there is no repository to make a worktree of"),
        ("deploy: { command: ['d'], secrets: ['NONE'] }", "deploy.secrets: found a name that is not in secrets"),
        (
            "secrets: { TOKEN: { fromEnv: 'T' } }, deploy: { command: { command: ['d'], secrets: ['TOKN'] } }",
            "did you mean TOKEN?"
        ),
        ("secrets: { TOKEN: 'hunter2' }", "secrets.TOKEN: found text, allowed: an object with fromFile"),
        ("secrets: { TOKEN: { fromEnv: 'a', fromFile: 'b' } }", "found fromEnv and fromFile, allowed: exactly one of"),
        (
            "quarantine: [{ test: 't', owner: 'o', reason: 'r', until: '2027-11-22' }]",
            "quarantine[0].until: found \"2027-11-22\", allowed: a date at most one year ahead"
        ),
        ("quarantine: [{ test: 't', owner: 'o', until: '2026-12-01' }]", "quarantine[0].reason: missing"),
        (
            "quarantine: [{ test: 't', owner: 'o', reason: 'r', until: '2026-02-30' }]",
            "found \"2026-02-30\", allowed: a date"
        ),
        (
            "schedule: { window: { from: '06:00', to: '06:00', timeZone: 'UTC' } }",
            "schedule.window: opens and closes at the same time"
        ),
        (
            "health: { checks: [{ tcp: 'a:1', expect: { status: 200 } }] }",
            "health.checks[0].expect.status: means nothing for a tcp check"
        ),
        (
            "health: { checks: [{ http: { url: 'http://a' }, method: 'POST' }] }",
            "health.checks[0].method: means nothing beside"
        ),
        (
            "health: { checks: [{ tcp: 'a:1', name: 'x' }, { tcp: 'b:1', name: 'x' }] }",
            "health.checks[1].name: found \"x\" twice"
        ),
        ("health: { checks: [{ tcp: 'a:99999' }] }", "health.checks[0].tcp: found \"a:99999\""),
        (
            "health: { liveRevision: [{ http: 'http://a', service: 's' }, { http: 'http://b' }] }",
            "health.liveRevision[1].service: missing"
        ),
        (
            "health: { liveRevision: [{ http: 'http://a', service: 's' }, { http: 'http://b', service: 's' }] }",
            "one entry per service"
        ),
        (
            "deploy: { command: ['d', '{revison}'] }",
            "unknown placeholder, found {revison}, allowed: {revision} {lastGreen}"
        ),
        ("deploy: { command: ['d', '{revison}'] }", "did you mean {revision}?"),
        ("deploy: { command: ['d', '${revision}'] }", "found \"${revision}\", allowed: {revision}"),
        ("deploy: { command: ['d', '${HOME}'] }", "no shell takes part here"),
        ("deploy: { command: { shell: 'd ${revision}' } }", "write {revision} without $"),
        ("deploy: { command: ['d', '{report}'] }", "deploy.command: {report} means nothing here"),
        (
            "remedy: { allow: ['runbook'], runbook: { r: { command: { shell: 'r {component}' }, for: ['network'] } } }",
            "would let test names run as commands"
        ),
        ("deploy: { command: [''] }", "deploy.command: found \"\", allowed: the name of a program first"),
        (
            "retention: { bytes: 20 }",
            "retention.bytes: found 20, allowed: a size such as \"20GB\" or \"64MiB\"; did you mean \"20B\"?"
        ),
        ("health: { deadline: 30 }", "health.deadline: found 30, allowed: a duration"),
        (
            "deploy: { command: ['d'], environment: { PORT: 80 } }",
            "deploy.environment.PORT: found something else, allowed: text; put quotes around it"
        ),
    ]

    @Test(arguments: cases.indices)
    func `values that do not go together are one problem`(index: Int) {
        let (more, says) = Self.cases[index]
        let found = problems(minimal(more))
        #expect(found.count == 1 && found[0].contains(says), "\(more) gives \(found)")
        #expect(!found.joined().contains("hunter2"))
    }

    /// The same for the keys of a suite.
    static let suites: [(suite: String, says: String)] = [
        ("command: ['tool']", "suites[0].command: does not say where the junit report goes"),
        ("command: ['tool'], report: { format: 'ctrf' }", "suites[0].command: does not say where the ctrf report goes"),
        ("command: ['tool'], report: { format: 'console' }", "suites[0].console: missing, allowed: pytest"),
        (
            "command: ['tool', '{report}'], report: { path: 'r.xml' }",
            "suites[0].report.path: found \"r.xml\", allowed: either"
        ),
        ("command: ['tool', '{report}'], select: ['tool', '{tests}']", "suites[0].select: does not say where"),
        ("command: ['tool', '{report}'], select: ['tool', '{report}']", "suites[0].select: would run all tests"),
        (
            "command: ['tool', '{report}'], select: ['tool', '{report}', '--only={tests}']",
            "{tests} as an argument of its own"
        ),
        ("command: ['tool', '{report}', '{tests}']", "suites[0].command: {tests} means nothing here"),
        (
            "command: ['tool', '{report}'], capabilities: [{ name: 'c', tests: '*' }, { name: 'c', tests: 'x' }]",
            "capabilities[1].name: found \"c\" twice"
        ),
        (
            "command: ['tool', '{report}'], exitCodes: [0]",
            "suites[0].exitCodes[0]: found 0, allowed: a whole number from 1 to 255"
        ),
        (
            "command: ['tool', '{report}'], select: { shell: 'tool {report} {tests}' }",
            "would let test names run as commands"
        ),
    ]

    @Test(arguments: suites.indices)
    func `mistakes in a suite are one problem`(index: Int) {
        let (suite, says) = Self.suites[index]
        let found = problems("{ loop: { name: 'a', mode: 'observe' }, suites: [{ name: 's', \(suite) }] }")
        #expect(found.count == 1 && found[0].contains(says), "\(suite) gives \(found)")
    }

    @Test func `problems without end are cut, and marks cannot hide in a path`() {
        let many = (0..<5000).map { "k\($0): 1" }.joined(separator: ", ")
        #expect(problems(minimal(many)).count == 200)
        let found = problems(minimal("'a\u{202e}b': 1, '\(String(repeating: "x", count: 9000))': 2"))
        #expect(found.count == 2 && found[0].contains("[\"a\\u202eb\"]: unknown key") && found[1].count < 500)
        let single = "health: { liveRevision: { command: { command: ['v'], secrets: ['NONE'] } } }"
        #expect(
            problems(minimal(single)).map { $0.contains("health.liveRevision.command.secrets: found a name") } == [true]
        )
    }

    @Test func `modes need what they use`() {
        let suites = "suites: [{ name: 's', command: ['tool', '{report}'] }]"
        #expect(
            problems("{ loop: { name: 'a', mode: 'operate' }, \(suites) }").map {
                $0.contains("deploy: missing; mode operate")
            } == [true])
        #expect(
            problems("{ loop: { name: 'a', mode: 'verify' }, \(suites) }").map {
                $0.contains("health.liveRevision: missing")
            } == [true])
        #expect(problems("{ loop: { name: 'a', mode: 'observe' } }").map { $0.contains("suites: missing") } == [true])
        #expect(problems("[]").count == 1 && problems("7").count == 1 && problems("{}").count == 2)
    }

    @Test(arguments: [
        ("['uv', 'run', 'pytest', '{report}']", ConsoleFormat.pytest, ReportFormat.junit),
        ("['python3', '-m', 'pytest', '{report}']", .pytest, .junit),
        ("['go', 'test', '-json', './...']", .goTestJSON, .goTestJSON),
        ("{ shell: 'cd app && /usr/bin/pytest -v {report}' }", .pytest, .junit),
        ("['swift', 'test', '--xunit-output', '{report}']", .swiftTesting, .junit),
        ("['tool', '{report}']", .none, .junit),
    ])
    func `console and report follow from the command`(command: String, console: ConsoleFormat, format: ReportFormat)
        throws
    {
        let suite = try #require(
            try loaded("{ loop: { name: 'a', mode: 'observe' }, suites: [{ name: 's', command: \(command) }] }")
                .settings.suites.first)
        #expect(suite.console == console && suite.reportFormat == format)
    }

    @Test func `what a section says holds for its commands until one says otherwise`() throws {
        let text = minimal(
            """
            secrets: { A: { fromEnv: 'A' }, B: { fromCommand: ['pass', 'b'] } },
            deploy: { timeout: '1h', idleTimeout: '5m', workingDirectory: 'ops/../tools', environment: { X: '1', Y: '2' },
                      secrets: ['A'], command: ['d'],
                      rollback: { shell: 'r ${HOME}', timeout: '2h', idleTimeout: '1m', workingDirectory: '{worktree}/x',
                                  environment: { Y: '3' }, secrets: ['B'] } }
            """)
        let file = try loaded(text)
        let deploy = try #require(file.settings.deploy)
        #expect(
            deploy.command
                == CommandSettings(
                    arguments: ["d"], timeout: .seconds(3600), idleTimeout: .seconds(300),
                    workingDirectory: "/srv/app/tools",
                    environment: ["X": "1", "Y": "2"], secrets: ["A"]))
        #expect(
            deploy.rollback
                == CommandSettings(
                    arguments: ["r ${HOME}"], isShell: true, timeout: .seconds(7200),
                    idleTimeout: .seconds(60), workingDirectory: "{worktree}/x", environment: ["X": "1", "Y": "3"],
                    secrets: ["B"]))
        #expect(deploy.rollback?.argv == ["/bin/sh", "-c", "r ${HOME}"] && deploy.command.argv == ["d"])
        let origin = file.effective.first { $0.path == "deploy.command.timeout" }
        #expect(
            origin
                == EffectiveValue(
                    path: "deploy.command.timeout", text: "\"1h\"", origin: .derived("from deploy.timeout")))
        #expect(
            file.effective.contains {
                $0.path == "deploy.environment.X" && $0.text == "(hidden)" && $0.origin == .file(5)
            })
    }

    @Test func `what is odd but allowed is a warning`() throws {
        let text = minimal(
            "secrets: { A: { fromEnv: 'A' } }, quarantine: [{ test: 't', owner: 'o', reason: 'r', until: '2026-11-20' }]",
            suite: "testTimeout: '3s', value: 1, capabilities: [{ name: 'c', tests: '*', value: 2 }]")
        let literal =
            "deploy: { command: ['d', 'x'], environment: { API_TOKEN: '{revision}' } }, triage: { mayDeploy: true }"
        let more = try loaded(minimal(literal)).warnings.map(\.description).joined(separator: "\n")
        for part in [
            "API_TOKEN: a secret in the file", "API_TOKEN: placeholders are not replaced", "no effect in mode observe",
        ] {
            #expect(more.contains(part), "\(more)")
        }
        let warnings = try loaded(text).warnings.map(\.description).joined(separator: "\n")
        for part in [
            "secrets.A: is given to no command", "until: has passed", "testTimeout: has no effect",
            "health.checks: none", "are worth 2",
        ] {
            #expect(warnings.contains(part), "\(warnings)")
        }
    }

    @Test func `a check of a command takes exit statuses`() throws {
        let settings = try loaded(
            minimal(
                "health: { checks: [{ command: ['ping'], expect: { exit: [0, 3], contains: 'ok' }, timeout: '9s' }, { command: ['ping'] }] }"
            ))
        let checks = settings.settings.health.checks
        #expect(checks.map(\.name) == ["ping", "ping (check 2)"])
        #expect(checks[0].statuses == [0, 3] && checks[0].contains == "ok" && checks[0].timeout == .seconds(9))
        #expect(checks[0].target == .command(CommandSettings(arguments: ["ping"], timeout: .seconds(9))))
    }

    @Test func `the canonical text is the meaning, not the writing`() throws {
        let one = try loaded(minimal("schedule: { every: '90m' }, retention: { age: '90d' }"))
        let other = try loaded("// other\n" + minimal("retention: {}, 'schedule': { every: \"1h30m\", },"))
        #expect(one.canonicalText == other.canonicalText)
        #expect(try loaded(minimal("schedule: { every: '91m' }")).canonicalText != one.canonicalText)
        #expect(
            try loaded(minimal("deploy: { command: ['d'], environment: { A: '1' } }")).canonicalText
                != loaded(minimal("deploy: { command: ['d'], environment: { A: '2' } }")).canonicalText)
    }

    @Test func `two loops of one name do not go together`() throws {
        let settings = try loaded(minimal()).settings
        let found = SettingsFile.conflicts(among: [("a.json5", settings), ("b.json5", settings)])
        #expect(
            found.map(\.description) == [
                #"b.json5:1:1  loop.name: found "a", allowed: a name of its own for each loop; a.json5 has the same"#
            ])
        #expect(SettingsFile.conflicts(among: [("a.json5", settings)]).isEmpty)
    }

    @Test func `too large a file and a relative path are refused`() {
        let large = SettingsFile.load(bytes: Array(repeating: 32, count: (1 << 20) + 1), path: "/a/b", now: today)
        let relative = SettingsFile.load(bytes: Array(minimal().utf8), path: "a", now: today)
        for result in [large, relative] {
            guard case .failure(let problems) = result else {
                Issue.record("was loaded")
                continue
            }
            #expect(problems.problems.count == 1)
        }
    }
}
