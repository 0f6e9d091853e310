// SPDX-License-Identifier: Apache-2.0
// Typed reading of one object by the table of keys; each value that is read is also noted as effective.

/// What a value is where the file does not say.
struct Derived<Value> {
    var value: Value
    /// Where it comes from, for `check`.
    var because: String
}

/// One object of the file, or the defaults of one that is not there.
struct Section {
    let path: String
    let shape: ObjectShape
    let notes: DecodingNotes
    private let members: [JSON5Member]

    init(_ value: JSON5Value?, _ shape: ObjectShape, at path: String, notes: DecodingNotes) {
        self.path = path
        self.shape = shape
        self.notes = notes
        if let value, case .object(let members) = value.kind { self.members = members } else { members = [] }
    }

    /// The section under a key; nil where the file does not have it.
    func section(_ key: String, _ shape: ObjectShape) -> Section? {
        guard let value = written(key) else {
            notes.effect(join(path, key), "none", origin: .standard)
            return nil
        }
        return Section(value, shape, at: join(path, key), notes: notes)
    }

    /// The section under a key, with all defaults where the file does not have it.
    func sectionOrDefaults(_ key: String, _ shape: ObjectShape) -> Section {
        Section(written(key), shape, at: join(path, key), notes: notes)
    }

    func has(_ key: String) -> Bool { written(key) != nil }

    /// The value under a key, as the file has it.
    func written(_ key: String) -> JSON5Value? {
        precondition(shape.key(key) != nil, "the key \(key) of \(shape.name) is in the table")
        return members.first { $0.key == key }?.value
    }

    // MARK: Single values

    func text(_ key: String, or derived: Derived<String>? = nil) -> String? {
        read(key, or: derived, as: \.textValue) { $0.jsonQuoted }
    }

    /// Text of which the effective values show nothing.
    func hiddenText(_ key: String) -> String? {
        let value = written(key)?.textValue
        if let value { notes.effect(join(path, key), value.jsonQuoted, origin: origin(key), hidden: true) }
        return value
    }

    func flag(_ key: String, or derived: Derived<Bool>? = nil) -> Bool? {
        read(key, or: derived, as: \.flagValue) { String($0) }
    }

    func integer(_ key: String) -> Int? {
        read(key, as: \.wholeValue) { String($0) }
    }

    func amount(_ key: String) -> Double? {
        read(key, as: \.amountValue) { JSON5Number(value: $0).jsonText }
    }

    func duration(_ key: String) -> Duration? {
        read(key, as: { $0.textValue.flatMap(Quantity.duration) }, show: { Quantity.text($0).jsonQuoted })
    }

    func size(_ key: String) -> Int64? {
        read(key, as: { $0.textValue.flatMap(Quantity.size) }, show: { Quantity.text(bytes: $0).jsonQuoted })
    }

    /// One of the words of an enumeration.
    func choice<Choice: RawRepresentable>(
        _ key: String, _ type: Choice.Type, or derived: Derived<Choice>? = nil
    ) -> Choice? where Choice.RawValue == String {
        read(key, or: derived, as: { $0.textValue.flatMap(Choice.init(rawValue:)) }, show: { $0.rawValue.jsonQuoted })
    }

    // MARK: Lists and maps

    func texts(_ key: String) -> [String] {
        let values = read(key, as: { $0.elements.compactMap(\.textValue) }, show: jsonList)
        return values ?? []
    }

    func integers(_ key: String) -> [Int] {
        read(
            key, as: { $0.elements.compactMap(\.wholeValue) },
            show: { "[" + $0.map(String.init).joined(separator: ", ") + "]" })
            ?? []
    }

    func choices<Choice: RawRepresentable>(_ key: String, _ type: Choice.Type) -> [Choice]
    where Choice.RawValue == String {
        texts(key).compactMap(Choice.init(rawValue:))
    }

    /// Free keys with text; values may be secret by mistake and are not shown.
    func hiddenTexts(_ key: String) -> [String: String] {
        var result: [String: String] = [:]
        for member in written(key)?.members ?? [] {
            guard let text = member.value.textValue else { continue }
            result[member.key] = text
            notes.effect(
                join(join(path, key), member.key), text.jsonQuoted, origin: .file(member.keyPosition.line), hidden: true
            )
        }
        return result
    }

    // MARK: Machinery

    private func read<Value>(
        _ key: String, or derived: Derived<Value>? = nil, as decode: (JSON5Value) -> Value?, show: (Value) -> String
    ) -> Value? {
        let path = join(path, key)
        if let value = written(key) {
            guard acceptsShape(value, key), let decoded = decode(value) else { return derived?.value }
            notes.effect(path, show(decoded), origin: .file(value.position.line))
            return decoded
        }
        if let derived {
            notes.effect(path, show(derived.value), origin: .derived(derived.because))
            return derived.value
        }
        let standard = shape.key(key)?.standardValue.flatMap(decode)
        notes.effect(path, standard.map(show) ?? "none", origin: .standard)
        return standard
    }

    private func acceptsShape(_ value: JSON5Value, _ key: String) -> Bool {
        switch shape.key(key)?.shape {
        case .list(let element, _): value.elements.allSatisfy(element.accepts)
        case .oneOrMany(let element): value.elements.allSatisfy(element.accepts)
        case .either(let short, _): short.accepts(value)
        case .some(let single): single.accepts(value)
        case nil: false
        }
    }

    private func origin(_ key: String) -> ValueOrigin {
        written(key).map { .file($0.position.line) } ?? .standard
    }
}

extension KeyShape {
    /// The default as a value.
    var standardValue: JSON5Value? {
        guard let standard, case .value(let value) = JSON5Parser.parse(Array(standard.utf8)) else { return nil }
        return value
    }
}

extension JSON5Value {
    var textValue: String? {
        if case .text(let text) = kind { text } else { nil }
    }

    var flagValue: Bool? {
        if case .flag(let flag) = kind { flag } else { nil }
    }

    var wholeValue: Int? {
        if case .number(let number) = kind { number.whole } else { nil }
    }

    var amountValue: Double? {
        if case .number(let number) = kind { number.value } else { nil }
    }

    /// The elements of a list; a single value stands for a list of one.
    var elements: [JSON5Value] {
        if case .list(let values) = kind { values } else { [self] }
    }

    var members: [JSON5Member] {
        if case .object(let members) = kind { members } else { [] }
    }
}

/// `["a", "b"]`.
func jsonList(_ texts: [String]) -> String {
    "[" + texts.map(\.jsonQuoted).joined(separator: ", ") + "]"
}
