// SPDX-License-Identifier: Apache-2.0
// The scenario file of the live service; config/examples/resilience/demo.json is the same text, and a test compares them.

/// What `nightjar resilience --demo` runs.
package enum LiveScenarios {
    /// The faults that the live service can have built in.
    package static var breakages: [String] { LiveBreakage.allCases.map(\.rawValue) }

    package static let text = #"""
        {
          "$schema": "../../../docs/schema/nightjar.scenarios.schema.json",
          "name": "demo service",
          "variables": {
            "address": { "env": "NIGHTJAR_DEMO_ADDRESS", "default": "127.0.0.1:8080" },
            "nightjar": { "env": "NIGHTJAR_DEMO_PROGRAM", "default": "nightjar" },
            "root": { "env": "NIGHTJAR_DEMO_ROOT", "default": "/tmp/nightjar-live" }
          },
          "users": [{ "user": "ada" }, { "user": "grace" }],
          "login": {
            "url": "http://{address}/login",
            "json": { "user": "{user}", "password": "staging" },
            "capture": { "token": "/token", "refresh": "/refresh" }
          },
          "expiredLogin": {
            "url": "http://{address}/login",
            "json": { "user": "{user}", "password": "staging", "ttl": 20 },
            "capture": { "token": "/token", "refresh": "/refresh" },
            "wait": "60ms"
          },
          "expiringLogin": {
            "url": "http://{address}/login",
            "json": { "user": "{user}", "password": "staging", "ttl": 800 },
            "capture": { "token": "/token", "refresh": "/refresh" }
          },
          "expiringAfter": "800ms",
          "connect": {
            "url": "ws://{address}/live",
            "headers": { "Authorization": "Bearer {token}" },
            "subprotocols": ["live.v1"],
            "subprotocol": "live.v1",
            "greeting": {
              "expect": { "/type": "welcome" },
              "capture": { "session": "/session", "resume": "/resume" }
            }
          },
          "resume": {
            "send": { "type": "resume", "resume": "{resume}", "last": "{last}" },
            "expect": { "/type": "resumed" },
            "capture": { "session": "/session" },
            "refused": { "/type": "resume-refused" }
          },
          "store": {
            "send": { "type": "set", "key": "{key}", "value": "{value}" },
            "expect": { "/type": "set-done", "/key": "{key}" }
          },
          "recall": {
            "send": { "type": "get", "key": "{key}" },
            "expect": { "/type": "value", "/key": "{key}", "/value": "{value}" },
            "refused": { "/type": "value", "/key": "{key}" }
          },
          "echo": {
            "send": { "type": "echo", "id": "{unique}" },
            "expect": { "/type": "echo", "/id": "{unique}" }
          },
          "stream": {
            "start": { "type": "stream", "count": 40, "interval": 10 },
            "item": { "/type": { "in": ["event", "stream-end"] } },
            "sequence": "/seq",
            "end": { "/type": "stream-end" },
            "count": 41
          },
          "queue": {
            "publish": {
              "url": "http://{address}/publish",
              "headers": { "Authorization": "Bearer {token}" },
              "json": { "session": "{session}", "text": "number {n}" },
              "status": [201]
            },
            "item": { "/type": "event" },
            "sequence": "/seq",
            "count": 25
          },
          "heartbeat": {
            "message": { "/type": "heartbeat" },
            "interval": "400ms",
            "tolerance": 0.1,
            "dropsSilentAfter": "2500ms"
          },
          "refresh": {
            "send": { "type": "refresh", "refresh": "{refresh}" },
            "expect": { "/type": "refreshed" },
            "capture": { "token": "/token", "refresh": "/refresh" },
            "refused": { "/type": "refresh-refused" }
          },
          "badRefresh": {
            "send": { "type": "refresh", "refresh": "nonsense" },
            "expect": { "/type": "refresh-refused" },
            "refused": { "/type": "refreshed" }
          },
          "refusal": { "status": [401], "close": [4401] },
          "restart": {
            "command": ["{nightjar}", "__demo-live", "--restart", "{root}"],
            "timeout": "40s",
            "keepsSessions": true,
            "trials": 3
          },
          "error": { "/type": "error" },
          "messageLimit": 262144,
          "secondAddress": "127.0.0.2",
          "loadTargets": ["{address}"],
          "rateLimit": { "after": 300, "within": "1s", "answer": { "/type": "rate-limited" } },
          "trials": 20,
          "values": {
            "reconnection": 50000, "midStream": 75000, "queueing": 75000, "expiredToken": 500000, "restart": 100000,
            "flapping": 50000, "heartbeat": 75000, "malformed": 250000, "interfaceSwitch": 150000, "tokenRefresh": 100000,
            "security": 0
          }
        }

        """#
}
