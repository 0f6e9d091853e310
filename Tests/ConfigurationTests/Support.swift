// SPDX-License-Identifier: Apache-2.0
// Files for the tests of the configuration, and short ways to load them.

import Domain
import Testing

@testable import Configuration

/// 2026-11-21, noon.
let today = Timestamp(milliseconds: 1_795_262_400_000)

func load(_ text: String, path: String = "/srv/app/nightjar.json5") -> Result<LoadedSettings, ConfigurationProblems> {
    SettingsFile.load(bytes: Array(text.utf8), path: path, now: today, ruleFile: { _ in Array("{}".utf8) })
}

func loaded(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> LoadedSettings {
    let result = load(text)
    if case .failure(let problems) = result { Issue.record("\(problems)", sourceLocation: sourceLocation) }
    return try result.get()
}

func problems(_ text: String) -> [String] {
    if case .failure(let problems) = load(text) { problems.problems.map(\.description) } else { [] }
}

/// The least that loads, with more keys at the top.
func minimal(_ more: String = "", suite: String = "", loop: String = "") -> String {
    """
    {
      loop: { name: "a", mode: "observe", \(loop) },
      suites: [{ name: "s", command: ["tool", "{report}"], \(suite) }],
      \(more)
    }
    """
}

/// The example of the design, without the keys that this version does not act upon.
let designExample = """
    {
      "$schema": "https://nightjar.example/nightjar.schema.json",
      loop: { name: "staging", mode: "operate" },               // observe | verify | operate
      schedule: { window: { from: "22:00", to: "06:00", timeZone: "Europe/Berlin", days: ["mon","tue","wed","thu","fri"] },
                  every: "10m", stopWhen: "never" },
      secrets: { STAGING_TOKEN: { fromFile: "/run/secrets/token" } },
      repository: { path: "../app", ref: "main", fetch: true },
      deploy: { command: ["./deploy.sh", "{revision}"], timeout: "30m", idleTimeout: "20m",
                permit: ["./may-deploy.sh"],
                irreversible: ["migrations/**"],
                secrets: ["STAGING_TOKEN"],
                rollback: ["./deploy.sh", "{lastGreen}"], cleanup: ["./unlock.sh"], logs: ["./logs.sh", "--since", "{stageStart}"] },
      health: { checks: [ { http: "https://staging.example/health", expect: { status: 200, json: { "/status": "healthy" } } } ],
                liveRevision: { http: "https://staging.example/health", pointer: "/revision", answers: 20 },
                stableFor: "30s", deadline: "10m" },
      suites: [ { name: "authentication", priority: "P0", value: 120000, command: ["pytest", "tests/p0_auth", "--junitxml={report}"],
                  report: { format: "junit" }, select: ["pytest", "{tests}", "--junitxml={report}"], testTimeout: "30s",
                  capabilities: [ { name: "streaming chat", tests: "*streaming*", value: 120000 } ] } ],
      triage: { budget: "2h", mayDeploy: true, deploysPerIncident: 6, deploysPerNight: 12, experiments: ["rerun", "baseline", "bisect"] },
      remedy: { allow: ["redeploy", "runbook", "rollback"],
                runbook: { "restart-dependency": { command: ["./ops.sh", "restart-dependency", "{component}"], for: ["dependency-down"] } } },
      quarantine: [ { test: "*test_023*", owner: "chat-team", reason: "a race in the mock", until: "2026-12-31" } ],
      retention: { cycles: 1000, age: "90d", bytes: "20GB" }
    }
    """
