// SPDX-License-Identifier: Apache-2.0
// The commits of the demo repository and the files in them.

/// One commit to be made.
struct DemoCommit {
    var message: String
    var author: String
    /// What it writes: path and text.
    var files: [String: String]
}

/// The history of the demo: green, then a few harmless changes with the culprit among them.
enum DemoHistory {
    static let firstGreen = 1
    static let culprit = 4

    /// What `service.json` says at one commit.
    private struct Service {
        var greeting = "Hello, {user}."
        var threads = 12
        var pageSize = 4
        var partials = 3
        var delivery = #"{ "mode": "immediate" }"#

        var text: String {
            """
            {
              "greeting": "\(greeting)",
              "threads": { "total": \(threads), "pageSize": \(pageSize) },
              "stream": { "partials": \(partials), "intervalMilliseconds": 5 },
              "delivery": \(delivery)
            }

            """
        }
    }

    static func commits(_ layout: DemoLayout) -> [DemoCommit] {
        var service = Service()
        var commits: [DemoCommit] = []
        func commit(
            _ message: String, by author: String, files: [String: String] = [:],
            change: (inout Service) -> Void = { _ in }
        ) {
            change(&service)
            commits.append(
                DemoCommit(
                    message: message, author: author,
                    files: files.merging(["service.json": service.text]) { file, _ in file }))
        }
        let base = [
            "README.md": readme, "deploy.sh": DemoScripts.deploy, "ops/logs.sh": DemoScripts.logs,
            "ops/staging.env": DemoScripts.environment(layout), "src/delivery.js": immediateDelivery,
        ]
        commit("Serve health, login, threads and streaming", by: "Ada Moreau", files: base)
        commit("Welcome users to the staging chat", by: "Ada Moreau") {
            $0.greeting = "Welcome to the staging chat, {user}."
        }
        commit("Show five threads on a page", by: "Tom Okafor") { $0.pageSize = 5 }
        commit("Stream answers in four parts", by: "Ines Lindqvist") { $0.partials = 4 }
        commit(
            "Deliver messages in batches to save packets\n\nOne write for 64 messages instead of 64 writes.",
            by: "Tom Okafor", files: ["src/delivery.js": batchedDelivery]
        ) { $0.delivery = #"{ "mode": "batched", "batchSize": 64 }"# }
        commit(
            "Explain how threads are paged", by: "Ines Lindqvist",
            files: ["README.md": readme + "\nThreads are listed in pages: `/api/threads?page=2`.\n"])
        commit("Add ten more sample threads", by: "Ada Moreau") { $0.threads = 22 }
        commit("Shorten the greeting", by: "Ines Lindqvist") { $0.greeting = "Welcome, {user}." }
        return commits
    }

    private static let readme = """
        # Staging chat

        The service that `nightjar demo` deploys. `service.json` decides how it behaves; `src/delivery.js` sketches the
        code behind it. `deploy.sh REVISION` deploys a revision, `ops/logs.sh` shows the log.

        """

    private static let immediateDelivery = """
        // Delivers messages to readers as they come.

        export function deliver(message, reader) {
          reader.write(message);
        }

        """

    private static let batchedDelivery = """
        // Delivers messages to readers in batches, to save packets.

        const batchSize = 64;
        const waiting = [];

        export function deliver(message, reader) {
          waiting.push(message);
          if (waiting.length >= batchSize) {
            reader.write(waiting.splice(0));
          }
        }

        """
}
