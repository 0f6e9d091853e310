// SPDX-License-Identifier: Apache-2.0
// The configuration of the demo loop.

/// The `nightjar.json5` of the demo.
package enum DemoConfiguration {
    /// The configuration as text. `ref` is the branch or commit that the loop deploys.
    package static func text(_ layout: DemoLayout, ref: String = "main") -> String {
        """
        {
          // The loop of `nightjar demo`: a real service, a real repository, and one commit that breaks it.
          loop: { name: "demo", mode: "operate" },
          state: "\(layout.state)",
          repository: { path: "\(layout.repository)", ref: "\(ref)" },
          deploy: {
            command: ["./deploy.sh", "{revision}"],
            timeout: "1m",
            rollback: ["./deploy.sh", "{lastGreen}"],
            logs: ["./ops/logs.sh", "--since", "{stageStart}"],
          },
          health: {
            checks: [{ http: "\(layout.url)/health", expect: { status: 200, json: { "/status": "healthy" } } }],
            liveRevision: { http: "\(layout.url)/health", pointer: "/revision", answers: 3 },
            stableFor: "1s",
            deadline: "30s",
            interval: "200ms",
          },
          suites: [
        \(suites(layout))
          ],
          targets: [
            // Asked 20 times after the last suite; the limit is wide, because a demo may run anywhere.
            { name: "health answers", limit: "1000ms", http: "\(layout.url)/health", samples: 20, interval: "10ms" },
          ],
          triage: { budget: "10m", mayDeploy: true },
          remedy: { allow: ["rollback"] },
        }

        """
    }

    private static func suites(_ layout: DemoLayout) -> String {
        let streaming =
            #"{ name: "streaming chat", tests: "*test_stream_partial_results*", value: 120000 }"#
        return [
            suite("authentication", "P0", 120_000, layout),
            suite("streaming", "P0", 200_000, layout, capability: streaming),
            suite("threads", "P1", 40_000, layout),
        ].joined(separator: "\n")
    }

    private static func suite(
        _ name: String, _ priority: String, _ value: Int, _ layout: DemoLayout, capability: String? = nil
    ) -> String {
        let command = #""\#(layout.executable)", "__demo-check", "--suite", "\#(name)", "--url", "\#(layout.url)""#
        return """
                {
                  name: "\(name)",
                  priority: "\(priority)",
                  value: \(value),
                  command: [\(command), "--junit", "{report}"],
                  report: { format: "junit" },
                  console: "pytest",
                  select: [\(command), "--junit", "{report}", "{tests}"],
                  collect: [\(command), "--collect"],
                  testTimeout: "3s",\(capability.map { "\n          capabilities: [\($0)]," } ?? "")
                },
            """
    }
}
