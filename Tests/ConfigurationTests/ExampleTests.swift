// SPDX-License-Identifier: Apache-2.0
// The published examples load without warnings, and the schema holds for them.

import Domain
import Foundation
import Testing

@testable import Configuration

struct ExampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func parsed(_ bytes: [UInt8]) throws -> JSON5Value {
        guard case .value(let value) = JSON5Parser.parse(bytes) else { throw NotRead() }
        return value
    }

    struct NotRead: Error {}

    @Test(arguments: [("pytest", Mode.operate), ("swift", .observe), ("go", .verify)])
    func `examples load, and fit the schema until they are broken`(name: String, mode: Mode) throws {
        let file = Self.root.appending(path: "config/examples/\(name)/nightjar.json5")
        let bytes = [UInt8](try Data(contentsOf: file))
        let result = try SettingsFile.load(bytes: bytes, path: file.path, now: today).get()
        #expect(result.settings.mode == mode)
        let allowed = name == "swift" ? ["health.liveRevision", "health.checks"] : []
        #expect(result.warnings.map(\.path) == allowed, "\(result.warnings)")

        let schema = try SchemaValidator(
            root: parsed([UInt8](try Data(contentsOf: Self.root.appending(path: "docs/schema/nightjar.schema.json")))))
        #expect(try schema.accepts(parsed(bytes)))
        let text = String(decoding: bytes, as: UTF8.self)
        for (from, to) in [
            ("mode:", "mod:"), ("suites: [", "suites: 7, x: ["), ("budget: \"", "budget: \"x"),
            ("command: [\"", "command: [7, \""),
        ] {
            let broken = try parsed(Array(text.replacing(from, with: to).utf8))
            #expect(try !schema.accepts(broken) || !text.contains(from), "\(from) to \(to)")
        }
    }

    @Test func `the page shows the example as it is`() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let example = try String(
            contentsOf: Self.root.appending(path: "config/examples/pytest/nightjar.json5"), encoding: .utf8)
        #expect(page.contains("```json5\n\(example)```"))
    }

    @Test func `the scenario files fit their schema, and a typo does not`() throws {
        let schema = try SchemaValidator(
            root: parsed(
                [UInt8](try Data(contentsOf: Self.root.appending(path: "docs/schema/nightjar.scenarios.schema.json")))))
        let bytes = [UInt8](try Data(contentsOf: Self.root.appending(path: "config/examples/resilience/demo.json")))
        for name in ["demo", "socket-io", "phoenix", "graphql-ws"] {
            let file = Self.root.appending(path: "config/examples/resilience/\(name).json")
            #expect(try schema.accepts(parsed([UInt8](try Data(contentsOf: file)))), "\(name)")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for (from, to) in [
            ("\"resume\": {", "\"resumes\": {"), ("\"/seq\"", "\"seq\""), ("\"400ms\"", "\"fast\""),
            ("\"trials\": 20", "\"trials\": 0"), ("\"url\": \"ws", "\"uri\": \"ws"),
        ] {
            #expect(try !schema.accepts(parsed(Array(text.replacing(from, with: to).utf8))), "\(from)")
        }
    }
}
