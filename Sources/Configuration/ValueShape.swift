// SPDX-License-Identifier: Apache-2.0
// What a value may look like. Decoder, schema and reference are all made from these.

/// The shape of one value.
indirect enum ValueShape: Sendable {
    case text(TextRule)
    /// Text of which messages never show anything: headers, bodies, environments.
    case hiddenText
    case flag
    case integer(ClosedRange<Int>)
    /// Zero or more.
    case amount
    case number(ClosedRange<Double>)
    case duration(zeroAllowed: Bool)
    case size
    case choice([String])
    case list(ValueShape, atLeast: Int)
    /// One value, or a list of them.
    case oneOrMany(ValueShape)
    /// Free keys.
    case map(key: TextRule, value: ValueShape)
    case object(ObjectShape)
    /// A short form or an object.
    case either(ValueShape, ObjectShape)
    case command
    /// Any JSON value.
    case json
}

/// A key of an object.
struct KeyShape: Sendable {
    let name: String
    let shape: ValueShape
    var isRequired = false
    /// The default as it would be written in the file.
    var standard: String?
    /// What happens without the key, where that is not one value.
    var otherwise: String?
    let help: String
}

/// An object with known keys only.
struct ObjectShape: Sendable {
    /// What it is called in the schema.
    let name: String
    let keys: [KeyShape]
    /// Exactly one of these must be there.
    var oneOf: [String] = []
    /// Words of the design that this version does not act upon, so that they cannot be believed to work.
    var unsupported: [String] = []

    func key(_ name: String) -> KeyShape? {
        keys.first { $0.name == name }
    }
}

extension ValueShape {
    /// What is allowed, for messages and for the reference.
    var allowed: String {
        switch self {
        case .text(let rule): rule.allowed
        case .hiddenText: "text"
        case .flag: "true or false"
        case .integer(let range):
            range.upperBound == .max
                ? "a whole number from \(range.lowerBound) on"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .amount: "a number, zero or more"
        case .number(let range):
            "a number from \(JSON5Number(value: range.lowerBound).jsonText) to \(JSON5Number(value: range.upperBound).jsonText)"
        case .duration(let zero):
            "a duration such as \"30s\", \"20m\", \"2h\", \"1h30m\", \"3d\"" + (zero ? "" : ", longer than zero")
        case .size: "a size such as \"20GB\" or \"64MiB\""
        case .choice(let words): words.map(\.jsonQuoted).joined(separator: ", ")
        case .list(let element, let atLeast): "a list" + (atLeast > 0 ? ", not empty," : "") + " of: " + element.allowed
        case .oneOrMany(let element): element.allowed + ", or a list of these"
        case .map(_, let value): "an object whose keys are names, each with " + value.allowed
        case .object(let object): "an object with " + object.keyList
        case .either(let short, let object): short.allowed + ", or an object with " + object.keyList
        case .command:
            "a list of arguments such as [\"make\", \"test\"], { shell: \"…\" }, or an object with "
                + KeyTable.command.keyList
        case .json: "any value"
        }
    }
}

extension ObjectShape {
    var keyList: String { keys.map(\.name).joined(separator: ", ") }
}
