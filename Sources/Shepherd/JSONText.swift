// SPDX-License-Identifier: Apache-2.0
// Writing JSON without Foundation: the few forms that a claim and a result need.

/// JSON under construction.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    mutating func object(_ body: (inout JSONText) -> Void) { enclosed("{", "}", body) }
    mutating func array(_ body: (inout JSONText) -> Void) { enclosed("[", "]", body) }

    mutating func member(_ name: String, _ value: String?) { key(name) { $0.value(value) } }
    mutating func member(_ name: String, _ value: Int64?) { key(name) { $0.raw(value.map { String($0) } ?? "null") } }
    mutating func member(_ name: String, _ value: Double) {
        key(name) { $0.raw(value.isFinite ? String(value) : "null") }
    }
    mutating func member(_ name: String, _ value: Bool) { key(name) { $0.raw(value ? "true" : "false") } }
    mutating func member(_ name: String, _ values: [String]) {
        key(name) { text in
            text.array { array in
                for value in values { array.value(value) }
            }
        }
    }
    mutating func member(_ name: String, array body: (inout JSONText) -> Void) { key(name) { $0.array(body) } }

    mutating func value(_ text: String?) {
        guard let text else { return raw("null") }
        separate()
        quote(text)
        needsComma = true
    }

    private mutating func key(_ name: String, _ body: (inout JSONText) -> Void) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
        body(&self)
        needsComma = true
    }

    private mutating func enclosed(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONText) -> Void) {
        separate()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<32, 127:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
