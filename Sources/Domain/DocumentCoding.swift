// SPDX-License-Identifier: Apache-2.0
// How values of `cycle.json` are written where that differs from how the program holds them: a document has every key of
// the design, and documents of earlier versions are still read.

/// A priority, written as `P0` … `P3`. Earlier versions wrote the number alone.
@propertyWrapper
package struct PriorityWord: Codable, Hashable, Sendable {
    package var wrappedValue: Int

    package init(wrappedValue: Int) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            wrappedValue = number
            return
        }
        let word = try container.decode(String.self)
        guard word.hasPrefix("P"), let number = Int(word.dropFirst()) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(word)' is no priority")
        }
        wrappedValue = number
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("P\(wrappedValue)")
    }
}

/// A list that is written as empty where there is none. Empty and absent mean the same.
@propertyWrapper
package struct WrittenList<Element: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package var wrappedValue: [Element]?

    package init(wrappedValue: [Element]?) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        let list = try [Element](from: decoder)
        wrappedValue = list.isEmpty ? nil : list
    }

    package func encode(to encoder: any Encoder) throws { try (wrappedValue ?? []).encode(to: encoder) }
}

/// A value that is written as null where there is none.
@propertyWrapper
package struct WrittenValue<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

// Found by the synthesized decoders: a key that an earlier version did not write is no error.
extension KeyedDecodingContainer {
    func decode<Element>(_ type: WrittenList<Element>.Type, forKey key: Key) throws -> WrittenList<Element> {
        try decodeIfPresent(type, forKey: key) ?? WrittenList(wrappedValue: nil)
    }

    func decode<Value>(_ type: WrittenValue<Value>.Type, forKey key: Key) throws -> WrittenValue<Value> {
        try decodeIfPresent(type, forKey: key) ?? WrittenValue(wrappedValue: nil)
    }
}

/// Stage records, each written with the keys by which a reader looks for them: its name, its attempt, and what its commands
/// came to. The journal has the records alone.
@propertyWrapper
package struct WrittenStages: Codable, Hashable, Sendable {
    package var wrappedValue: [StageRecord]

    package init(wrappedValue: [StageRecord]) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws { wrappedValue = try [StageRecord](from: decoder) }

    package func encode(to encoder: any Encoder) throws {
        try wrappedValue.map(StageDocument.init).encode(to: encoder)
    }
}

private struct StageDocument: Encodable {
    let record: StageRecord

    private enum Key: String, CodingKey {
        case stage, attempt, command, exit, resources, hosts, logs
    }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        let commands = record.commands
        let main = commands.first { $0.role == "main" }
        let used = commands.compactMap(\.resources)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(record.run.stage, forKey: .stage)
        try container.encode(record.run.attempt, forKey: .attempt)
        try container.encodeIfPresent(main?.command, forKey: .command)
        try container.encodeIfPresent(main?.exit, forKey: .exit)
        if let peak = used.map(\.peakMemoryBytes).max() {
            let seconds = used.reduce(0) { $0 + $1.cpuSeconds }
            try container.encode(ResourceUse(cpuSeconds: seconds, peakMemoryBytes: peak), forKey: .resources)
        }
        try container.encode(Set(commands.flatMap(\.hosts)).sorted(), forKey: .hosts)
        try container.encode(commands.compactMap(\.log), forKey: .logs)
    }
}
