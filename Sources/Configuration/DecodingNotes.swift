// SPDX-License-Identifier: Apache-2.0
// What is collected while a file is decoded: problems, warnings, where each value stood, and every effective value.

/// Where an effective value comes from.
package enum ValueOrigin: Hashable, Sendable {
    /// A line of the file.
    case file(Int)
    case standard
    /// From another value; the text says how.
    case derived(String)
}

extension ValueOrigin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let line): "line \(line)"
        case .standard: "default"
        case .derived(let why): why
        }
    }
}

/// One value that the loop will use.
package struct EffectiveValue: Hashable, Sendable {
    package var path: String
    /// As it would be written in the file; `none` where nothing is set, `(hidden)` where it might be secret.
    package var text: String
    package var origin: ValueOrigin

    package init(path: String, text: String, origin: ValueOrigin) {
        self.path = path
        self.text = text
        self.origin = origin
    }
}

/// Shared by all parts of one decoding. Never leaves it.
final class DecodingNotes {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []
    private(set) var effective: [EffectiveValue] = []
    /// `path = value` with nothing hidden, for the hash.
    private(set) var canonical: [String] = []
    private var positions: [String: SourcePosition] = [:]
    private var broken: Set<String> = []

    init(file: String) {
        self.file = file
    }

    func note(_ position: SourcePosition, of path: String) {
        positions[path] = position
    }

    /// The place of a value, or of the nearest thing around it that is in the file.
    func position(of path: String) -> SourcePosition {
        var path = path
        while !path.isEmpty {
            if let position = positions[path] { return position }
            let dot = path.lastIndex { $0 == "." || $0 == "[" } ?? path.startIndex
            path = String(path[..<dot])
        }
        return positions[""] ?? SourcePosition(line: 1, column: 1)
    }

    /// Whether so much is wrong that more problems would help nobody.
    var isFull: Bool { problems.count >= 200 }

    func isWritten(_ path: String) -> Bool { positions[path] != nil }

    /// Whether a value could not be read, so that nothing more should be said about it.
    func isBroken(_ path: String) -> Bool { broken.contains(path) }

    func add(
        _ path: String, at position: SourcePosition? = nil, what: String? = nil, found: String? = nil,
        allowed: String? = nil, hint: String? = nil
    ) {
        broken.insert(path)
        if isFull { return }
        problems.append(make(path, position, what, found, allowed, hint))
    }

    func warn(_ path: String, _ what: String, hint: String? = nil) {
        warnings.append(make(path, nil, what, nil, nil, hint))
    }

    func effect(_ path: String, _ text: String, origin: ValueOrigin, hidden: Bool = false) {
        effective.append(EffectiveValue(path: path, text: hidden ? "(hidden)" : text, origin: origin))
        canonical.append("\(path) = \(text)")
    }

    private func make(
        _ path: String, _ position: SourcePosition?, _ what: String?, _ found: String?, _ allowed: String?,
        _ hint: String?
    ) -> ConfigurationProblem {
        let position = position ?? self.position(of: path)
        return ConfigurationProblem(
            path: path, file: file, line: position.line, column: position.column, what: what, found: found,
            allowed: allowed, hint: hint)
    }
}

/// The path of a key inside another path: `suites[0]` and `name` make `suites[0].name`.
func join(_ path: String, _ key: String) -> String {
    // Only ASCII is plain: other scripts can hold marks that make a line read as something else.
    let plain =
        (1...64).contains(key.utf8.count)
        && key.utf8.allSatisfy { $0 < 0x80 && ($0.isNamePart || $0 == UInt8(ascii: "-")) }
    if !plain { return "\(path)[\(shortened(key).jsonQuoted)]" }
    return path.isEmpty ? key : "\(path).\(key)"
}
