// SPDX-License-Identifier: Apache-2.0
// Whole files: what loads, what it means, and how mistakes are told.

import Domain
import Testing

@testable import Configuration

struct SettingsFileTests {
    @Test func `the example of the design means what it says`() throws {
        let settings = try loaded(designExample).settings
        #expect(settings.name == "staging")
        #expect(settings.environment == "staging")
        #expect(settings.mode == .operate)
        #expect(settings.stateDirectory == "/srv/app/.nightjar/staging")
        #expect(settings.baseDirectory == "/srv/app")
        let window = ScheduleSettings.Window(
            fromMinute: 1320, toMinute: 360, timeZone: "Europe/Berlin", days: [1, 2, 3, 4, 5])
        #expect(settings.schedule == ScheduleSettings(window: window))
        #expect(settings.secrets == ["STAGING_TOKEN": .file("/run/secrets/token")])
        #expect(settings.repository == RepositorySettings(path: "/srv/app/../app".normalizedPath, fetch: true))
        let deploy = try #require(settings.deploy)
        #expect(
            deploy.command
                == CommandSettings(
                    arguments: ["./deploy.sh", "{revision}"], timeout: .seconds(1800), idleTimeout: .seconds(1200),
                    secrets: ["STAGING_TOKEN"]))
        #expect(deploy.rollback?.arguments == ["./deploy.sh", "{lastGreen}"])
        #expect(deploy.permit?.timeout == .seconds(60))
        #expect(deploy.worktree)
        let request = CheckTarget.http(url: "https://staging.example/health", method: "GET", headers: [:], body: nil)
        let health = HealthSettings(
            checks: [
                CheckSettings(
                    name: "staging.example/health", target: request, statuses: [200],
                    json: [.init(pointer: "/status", value: "\"healthy\"")])
            ], liveRevision: [LiveRevisionSettings(target: request, pointer: "/revision", answers: 20)])
        #expect(settings.health == health)
        let suite = try #require(settings.suites.first)
        #expect(suite.priority == 0 && suite.blocking && suite.console == .pytest && suite.reportFormat == .junit)
        #expect(suite.testTimeout == .seconds(30))
        #expect(settings.triage == TriageSettings(mayDeploy: true, experiments: [.rerun, .baseline, .bisect]))
        #expect(settings.remedy.allow == [.redeploy, .runbook, .rollback])
        #expect(settings.remedy.runbook.map(\.categories) == [[.dependencyDown]])
        #expect(settings.retention == RetentionSettings())
    }

    @Test func `defaults are those of the domain`() throws {
        var expected = LoopSettings(
            name: "a", mode: .observe, environment: "a", stateDirectory: "/srv/app/.nightjar/a",
            baseDirectory: "/srv/app")
        expected.suites = [
            SuiteSettings(
                name: "s", priority: 1,
                command: CommandSettings(arguments: ["tool", "{report}"], timeout: .seconds(1800)),
                blocking: true)
        ]
        expected.rules = RuleFile.builtIn
        #expect(try loaded(minimal()).settings == expected)
    }

    @Test func `all problems are told at once with place, reason and way out`() {
        let text = """
            {
              loop: { name: "a b", mode: "operat" },
              deploy: { command: "make deploy", timeout: "30x", frob: 1 },
              suites: [
                { name: "s", command: ["pytest", "--junitxml={report}"], testTimout: "3s", attempts: "2" },
                { name: "s", command: ["tool", "{reprot}"] },
              ],
              runner: [],
            }
            """
        let found = problems(text)
        #expect(
            found == [
                #"nightjar.json5:2:17  loop.name: found "a b", allowed: "# + TextRule.name.allowed,
                #"nightjar.json5:2:30  loop.mode: found "operat", allowed: "observe", "verify", "operate"; did you mean operate?"#,
                #"nightjar.json5:3:22  deploy.command: found "make deploy", allowed: "# + ValueShape.command.allowed
                    + #"; write ["make", "deploy"], or { shell: "make deploy" } where a shell is needed"#,
                #"nightjar.json5:3:46  deploy.timeout: found "30x", allowed: "#
                    + ValueShape.duration(zeroAllowed: false).allowed,
                "nightjar.json5:3:53  deploy.frob: unknown key, allowed: " + KeyTable.deploy.keyList,
                "nightjar.json5:5:62  suites[0].testTimout: unknown key; did you mean testTimeout?",
                #"nightjar.json5:5:90  suites[0].attempts: found "2", allowed: a whole number from 1 to 5; without quotes"#,
                #"nightjar.json5:6:13  suites[1].name: found "s" twice; the first is suites[0]"#,
            ] + found.dropFirst(8))
        #expect(found.count == 11)
        #expect(found.contains { $0.contains("suites[1].command: unknown placeholder, found {reprot}") })
        #expect(found.last == "nightjar.json5:8:3  runner: not supported by this version; remove the key")
    }
}

extension String {
    var normalizedPath: String { normalized(self) }
}
