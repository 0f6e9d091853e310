// SPDX-License-Identifier: Apache-2.0
// The metrics: named and bounded as Prometheus wants them, and known to the rules and the dashboard that use them.

import Domain
import Evidence
import Foundation
import Platform
import Reporting
import Testing

@testable import StatusServer

struct MetricsTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// With everything present that may be absent.
    static func text() throws -> String {
        var reading = Scene.reading("staging", .failing)
        reading.status.daemon.spooledNotices = 2
        reading.status.lostMessages = ["chat lost a message, refused: status 404"]
        reading.running = RunningStage(stage: "test", subject: "chat", cycle: 215, since: Scene.minutes(1))
        let state = LoopState(loop: Scene.loop(reading, root: "/tmp"), index: 0, reading: reading)
        let board = Board(version: 1, at: Scene.now, loops: [state], views: [:])
        let listen = try #require(ListenAddress("127.0.0.1:1"))
        let options = ServerOptions(listen: listen, version: "test", now: { Scene.now })
        return Metrics.text(board, options, ServerCounts.Values())
    }

    static func names() throws -> Set<String> {
        Set(
            try text().split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
                String($0.prefix { $0 != "{" && $0 != " " })
            })
    }

    @Test func `a known state has known samples`() throws {
        let text = try Self.text()
        for line in [
            "nightjar_build_info{version=\"test\"} 1", "nightjar_loop_up{loop=\"staging\"} 1",
            "nightjar_loop_light{loop=\"staging\",light=\"red\"} 1",
            "nightjar_loop_light{loop=\"staging\",light=\"green\"} 0",
            "nightjar_loop_light_since_timestamp_seconds{loop=\"staging\"} 1795228860",
            "nightjar_cycle_verdict{loop=\"staging\",verdict=\"failing\"} 1",
            "nightjar_cycle_tests{loop=\"staging\",outcome=\"failed\"} 1",
            "nightjar_cycles_total{loop=\"staging\"} 214",
            "nightjar_value_at_risk{loop=\"staging\",unit=\"USD/month\"} 160000",
            "nightjar_loop_messages_spooled{loop=\"staging\"} 2", "nightjar_loop_receivers_failing{loop=\"staging\"} 1",
            "nightjar_loop_incidents_unacknowledged{loop=\"staging\"} 1",
            "nightjar_loop_last_sign_of_life_timestamp_seconds{loop=\"staging\"} 1795231370",
        ] { #expect(text.contains("\n" + line + "\n") || text.hasPrefix(line), "\(line)") }
    }

    /// Prometheus, "Metric and label naming": base units, `_total` for what only rises, one type and help for each.
    @Test func `names keep the rules`() throws {
        var types: [String: String] = [:]
        for line in try Self.text().split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ")
            #expect(types.updateValue(String(words[3]), forKey: String(words[2])) == nil, "\(words[2]) stands twice")
        }
        #expect(Set(types.keys) == (try Self.names()))
        for (name, type) in types {
            #expect(name.hasSuffix("_total") == (type == "counter"), "\(name)")
            #expect(name.hasPrefix("nightjar_") || name.hasPrefix("process_"), "\(name)")
            #expect(!name.contains("milli") && !name.contains("minute") && !name.contains("percent"), "\(name)")
        }
    }

    @Test func `a loop costs a bounded number of samples, whatever its tests are called`() throws {
        var reading = Scene.reading("staging", .failing)
        reading.cycles = (1...500).map { Scene.brief($0, .failing, minutesAgo: 1000 - $0) }
        let before = try Self.text().split(separator: "\n").count
        reading.record?.suites[0].notPassed = (0..<5000).map { TestResult(id: "test \($0)", outcome: .failed) }
        let state = LoopState(loop: Scene.loop(reading, root: "/tmp"), index: 0, reading: reading)
        let board = Board(version: 1, at: Scene.now, loops: [state], views: [:])
        let listen = try #require(ListenAddress("127.0.0.1:1"))
        let text = Metrics.text(
            board, ServerOptions(listen: listen, version: "test", now: { Scene.now }), ServerCounts.Values())
        #expect(text.split(separator: "\n").count <= before)
        #expect(!text.contains("test 1"))
    }

    @Test(arguments: ["config/prometheus/nightjar.rules.yml", "config/grafana/nightjar.json", "docs/page.md"])
    func `what is asked for exists`(path: String) throws {
        let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
        let known = try Self.names()
        let used = Set(text.matches(of: /\b(?:nightjar|process)_[a-z_]+[a-z]\b/).map { String($0.output) })
        #expect(!used.isEmpty)
        for name in used.sorted() { #expect(known.contains(name), "\(path) names \(name), which is no metric") }
        if path.hasSuffix("page.md") {
            for name in known.sorted() { #expect(used.contains(name), "\(path) does not explain \(name)") }
        }
    }

    @Test func `the dashboard is valid JSON and its panels do not overlap`() throws {
        let data = try Data(contentsOf: Self.root.appending(path: "config/grafana/nightjar.json"))
        let board = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let panels = try #require(board["panels"] as? [[String: Any]])
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
        var taken: Set<[Int]> = []
        for panel in panels {
            let place = try #require(panel["gridPos"] as? [String: Int])
            let (x, y, w, h) = (place["x"] ?? -1, place["y"] ?? -1, place["w"] ?? 0, place["h"] ?? 0)
            #expect(x >= 0 && x + w <= 24)
            for column in x..<(x + w) { for row in y..<(y + h) { #expect(taken.insert([column, row]).inserted) } }
        }
    }
}
