// SPDX-License-Identifier: Apache-2.0
// One start tag in the scanner's buffer, and references in attribute values and text.

/// A start tag. Its bytes belong to the scanner.
struct XMLTag: ~Copyable {
    struct Attribute {
        var nameStart: Int
        var nameEnd: Int
        var valueStart: Int
        var valueEnd: Int
        /// Whether the value can be taken as it is: no reference, no white space to normalize.
        var isPlain: Bool
    }
    let bytes: Bytes
    /// Where the tag begins.
    let offset: Int
    let line: Int
    let nameStart: Int
    let nameEnd: Int
    let attributes: [Attribute]

    /// The name without a namespace prefix.
    func isNamed(_ name: StaticString) -> Bool {
        let start = localStart(nameStart, nameEnd)
        return nameEnd - start == name.utf8CodeUnitCount && bytes.has(name, at: start, to: nameEnd)
    }

    var localName: String { bytes.string(localStart(nameStart, nameEnd), nameEnd) }
    var fullName: String { bytes.string(nameStart, nameEnd) }

    func localStart(_ start: Int, _ end: Int) -> Int {
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: start, to: end)
        return colon == end ? start : colon + 1
    }

    /// The bytes of an attribute's name.
    func isAttribute(_ attribute: Attribute, _ name: StaticString) -> Bool {
        attribute.nameEnd - attribute.nameStart == name.utf8CodeUnitCount
            && bytes.has(name, at: attribute.nameStart, to: attribute.nameEnd)
    }

    /// The value with references replaced and line ends turned into spaces (XML 1.0, 3.3.3).
    func value(_ attribute: Attribute) -> String {
        if attribute.isPlain { return bytes.string(attribute.valueStart, attribute.valueEnd) }
        var scratch: [UInt8] = []
        append(attribute, to: &scratch)
        return String(decoding: scratch, as: UTF8.self)
    }

    func append(_ attribute: Attribute, to output: inout [UInt8]) {
        if attribute.isPlain {
            output.append(contentsOf: Bytes(rebasing: bytes[attribute.valueStart..<attribute.valueEnd]))
            return
        }
        var at = attribute.valueStart
        while at < attribute.valueEnd {
            switch bytes[at] {
            case UInt8(ascii: "&"):
                guard case .reference(let meaning, let next) = XMLReference.read(bytes, at: at, to: attribute.valueEnd)
                else { return }
                if case .character(let scalar) = meaning { TextDecoding.append(scalar, to: &output) }
                at = next
            case 0x0D where at + 1 < attribute.valueEnd && bytes[at + 1] == 0x0A: at += 1
            case 0x09, 0x0A, 0x0D:
                output.append(0x20)
                at += 1
            default:
                output.append(bytes[at])
                at += 1
            }
        }
    }

    /// The value as a duration.
    func seconds(_ attribute: Attribute) -> Double? {
        if attribute.isPlain,
            let plain = ReportedSeconds.plain(bytes[attribute.valueStart..<attribute.valueEnd])
        {
            return plain
        }
        return ReportedSeconds.parse(value(attribute))
    }

    /// The text of the first attribute with one of these names.
    func text(of name: StaticString) -> String? {
        for attribute in attributes where isAttribute(attribute, name) { return value(attribute) }
        return nil
    }
}

/// What stands between `&` and `;`.
enum XMLReference {
    case character(UInt32)
    case entity(name: String)

    enum Answer {
        case reference(XMLReference, next: Int)
        /// The bytes end before it does.
        case unfinished
        case malformed
    }

    /// Longer names are no references; nobody declares such.
    static let nameBytes = 64

    static func read(_ bytes: Bytes, at: Int, to: Int) -> Answer {
        let start = at + 1
        let bound = min(to, start + nameBytes)
        var end = start
        while end < bound, bytes[end] != UInt8(ascii: ";") {
            if !isName(bytes[end]) && bytes[end] != UInt8(ascii: "#") { return .malformed }
            end += 1
        }
        if end == bound { return bound == to ? .unfinished : .malformed }
        guard end > start else { return .malformed }
        if bytes[start] == UInt8(ascii: "#") { return number(bytes, start + 1, end) }
        let name = bytes.string(start, end)
        switch name {
        case "lt": return .reference(.character(0x3C), next: end + 1)
        case "gt": return .reference(.character(0x3E), next: end + 1)
        case "amp": return .reference(.character(0x26), next: end + 1)
        case "quot": return .reference(.character(0x22), next: end + 1)
        case "apos": return .reference(.character(0x27), next: end + 1)
        default: return .reference(.entity(name: name), next: end + 1)
        }
    }

    private static func number(_ bytes: Bytes, _ from: Int, _ end: Int) -> Answer {
        let isHexadecimal = from < end && bytes[from] == UInt8(ascii: "x")
        let digits = bytes.string(isHexadecimal ? from + 1 : from, end)
        guard digits.utf8.first != UInt8(ascii: "+"),
            let value = UInt32(digits, radix: isHexadecimal ? 16 : 10), value != 0, Unicode.Scalar(value) != nil
        else { return .malformed }
        return .reference(.character(value), next: end + 1)
    }

    /// Characters of names; every non-ASCII character is taken for one.
    static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: ":"), 0x80...0xFF:
            true
        default: false
        }
    }

    static func isNameStart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): false
        default: isName(byte)
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }
}
