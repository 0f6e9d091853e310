// SPDX-License-Identifier: Apache-2.0
// The published schema against documents as they are really written.

import Domain
import Foundation
import Testing

@testable import Evidence

@Suite struct SchemaTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private var schemaPath: String { root.path + "/docs/schema/nightjar.cycle-1.schema.json" }

    private func schema() throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: URL(fileURLWithPath: schemaPath)))
    }

    private func document(_ record: CycleRecord) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(EvidenceCoding.document(record, "record")))
    }

    @Test func `full, lean and green documents are as the schema says`() throws {
        let records = [
            Samples.record(1), Samples.lean(2, tests: []), Samples.record(3, verdict: .healthy, tests: []),
        ]
        for record in records {
            #expect(try SchemaValidator(schema()).faults(document(record)) == [])
        }
    }

    @Test func `the schema knows every key that a full document has`() throws {
        var full = Samples.record(1)
        full.incidents[0].joined = ["INC-58"]
        full.incidents[0].diagnosis?.grounds = "93 % >= 80 %"
        full.value.conditional = 1
        #expect(try SchemaValidator(schema(), isStrict: true).faults(document(full)) == [])
    }

    @Test func `enumerations of the schema are those of the code`() throws {
        let definitions = try #require(try schema()["$defs"])
        func values(_ value: JSONValue?) -> [String] { value?["enum"]?.array?.compactMap(\.string) ?? [] }
        #expect(values(definitions["verdict"]) == Verdict.allCases.map(\.rawValue))
        #expect(values(definitions["category"]) == Category.allCases.map(\.rawValue))
        #expect(values(definitions["remedyKind"]) == RemedyKind.allCases.map(\.rawValue))
        #expect(values(definitions["run"]?["properties"]?["purpose"]) == Purpose.allCases.map(\.rawValue))
        #expect(values(definitions["run"]?["properties"]?["kind"]) == StageKind.allCases.map(\.rawValue))
        #expect(values(definitions["stage"]?["properties"]?["outcome"]) == StageOutcome.allCases.map(\.rawValue))
        #expect(values(definitions["test"]?["properties"]?["outcome"]) == TestOutcome.allCases.map(\.rawValue))
        #expect(
            values(definitions["authenticity"]?["properties"]?["status"])
                == Authenticity.Status.allCases.map(\.rawValue))
        #expect(values(definitions["diagnosis"]?["properties"]?["grade"]) == Grade.allCases.map(\.rawValue))
    }

    @Test func `a wrong document is refused`() throws {
        var fields = try JSONDecoder().decode(
            [String: JSONValue].self, from: Data(EvidenceCoding.document(Samples.record(1), "record")))
        fields["verdict"] = .string("green")
        fields["cycle"] = .number(0)
        fields["suites"] = nil
        let faults = try SchemaValidator(schema()).faults(.object(fields))
        #expect(faults.map { $0.prefix { $0 != ":" } }.sorted() == ["/", "/cycle", "/verdict"])
    }

    @Test func `another validator agrees, where it is installed`() async throws {
        let loop = try TemporaryLoop()
        try await CycleWriter(loop.layout).writeDocument(Samples.record(1))
        let script = """
            import json, sys
            try: from jsonschema import Draft202012Validator as V
            except ImportError: sys.exit(0)
            schema = json.load(open(sys.argv[1]))
            V.check_schema(schema)
            V(schema).validate(json.load(open(sys.argv[2])))
            """
        let result = try await run(["python3", "-c", script, schemaPath, loop.layout.document(1)], in: loop.root)
        #expect(result.status == 0 || result.status == 127, "\(result.output)")
    }
}

/// Any JSON.
enum JSONValue: Decodable, Equatable {
    case null, boolean(Bool), number(Double), string(String), array([JSONValue]), object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    subscript(key: String) -> JSONValue? {
        if case .object(let fields) = self { fields[key] } else { nil }
    }
    var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
}

/// The part of JSON Schema 2020-12 that the published schema uses.
struct SchemaValidator {
    let schema: JSONValue
    /// Whether keys that the schema does not name are faults.
    let isStrict: Bool

    init(_ schema: JSONValue, isStrict: Bool = false) {
        self.schema = schema
        self.isStrict = isStrict
    }

    func faults(_ value: JSONValue) -> [String] { faults(value, schema, "") }

    private func faults(_ value: JSONValue, _ rule: JSONValue, _ path: String) -> [String] {
        if let name = rule["$ref"]?.string?.split(separator: "/").last {
            guard let target = schema["$defs"]?[String(name)] else { return ["\(path): no definition \(name)"] }
            return faults(value, target, path)
        }
        let here = path.isEmpty ? "/" : path
        var found: [String] = []
        if let type = rule["type"]?.string, !hasType(value, type) { return ["\(here): no \(type)"] }
        if let allowed = rule["enum"]?.array, !allowed.contains(value) { found.append("\(here): not allowed") }
        if let constant = rule["const"], constant != value { found.append("\(here): not \(constant)") }
        if let number = value.number {
            if let least = rule["minimum"]?.number, number < least { found.append("\(here): below \(least)") }
            if let most = rule["maximum"]?.number, number > most { found.append("\(here): above \(most)") }
        }
        if let text = value.string, let pattern = rule["pattern"]?.string,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            found.append("\(here): does not match")
        }
        if let items = rule["items"] {
            for (index, item) in (value.array ?? []).enumerated() { found += faults(item, items, "\(path)/\(index)") }
        }
        return found + keyFaults(value, rule, path)
    }

    private func keyFaults(_ value: JSONValue, _ rule: JSONValue, _ path: String) -> [String] {
        guard case .object(let fields) = value, let properties = rule["properties"] else { return [] }
        var found: [String] = []
        for name in rule["required"]?.array?.compactMap(\.string) ?? [] where fields[name] == nil {
            found.append("\(path.isEmpty ? "/" : path): no \(name)")
        }
        for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
            if let property = properties[name] {
                found += faults(field, property, "\(path)/\(name)")
            } else if isStrict {
                found.append("\(path)/\(name): unknown")
            }
        }
        return found
    }

    private func hasType(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.boolean, "boolean"), (.number, "number"):
            true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}
