// SPDX-License-Identifier: Apache-2.0
// The forms in which a secret shows up in output: as it is, and as tools encode it.
//
// Exact forms only: a program that turns a secret around or prints its letters one by one gets through. That is a
// limit of all redaction and documented as such.

/// All byte strings that must not pass.
package struct Needles: Sendable {
    /// Shorter ones occur by chance and would make logs unreadable without protecting anything.
    package static let shortest = 6
    /// Values beyond this are not redacted as a whole, only their lines.
    private static let longest = 64 << 10
    private static let shortestLine = 8

    package private(set) var forms: Set<[UInt8]> = []
    /// How many values were too short.
    package private(set) var tooShort = 0

    package init(_ secrets: [String]) {
        for secret in Set(secrets) where !secret.isEmpty { add(Array(secret.utf8)) }
    }

    private mutating func add(_ secret: [UInt8]) {
        // A file with a secret ends with a line end that is rarely printed with it.
        let trimmed = Needles.trimmed(secret)
        guard trimmed.count >= Needles.shortest else {
            tooShort += 1
            return
        }
        if trimmed.count <= Needles.longest { insertForms(of: trimmed) }
        let lines = trimmed.split(whereSeparator: { $0 == 10 || $0 == 13 })
        if lines.count > 1 {
            for line in lines where line.count >= Needles.shortestLine { insertForms(of: Needles.trimmed(Array(line))) }
        }
        for part in Needles.credentials(inURL: trimmed) where part.count >= Needles.shortest {
            insertForms(of: part)
        }
    }

    private mutating func insertForms(of secret: [UInt8]) {
        insert(secret)
        for form in Encodings.escaped(secret) { insert(form) }
        insert(Encodings.hexadecimal(secret, upper: false))
        insert(Encodings.hexadecimal(secret, upper: true))
        for url in [false, true] {
            for form in Encodings.base64AtAnyAlignment(secret, url: url) { insert(form) }
        }
        for line in Encodings.wrappedBase64(secret) { insert(line) }
        for inner in Encodings.base64AtAnyAlignment(secret, url: false) {
            for outer in Encodings.base64AtAnyAlignment(inner, url: false) { insert(outer) }
        }
    }

    private mutating func insert(_ form: [UInt8]) {
        if form.count >= Needles.shortest { forms.insert(form) }
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let isBlank = { (byte: UInt8) in byte == 32 || (9...13).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return Array(bytes[first...last])
    }

    /// `user:password` and `password` of `scheme://user:password@host`.
    private static func credentials(inURL secret: [UInt8]) -> [[UInt8]] {
        let text = String(decoding: secret, as: UTF8.self)
        guard let scheme = text.firstRange(of: "://"), let at = text[scheme.upperBound...].lastIndex(of: "@") else {
            return []
        }
        let pair = text[scheme.upperBound..<at]
        guard !pair.contains("/"), let colon = pair.firstIndex(of: ":") else { return [] }
        return [Array(pair.utf8), Array(pair[pair.index(after: colon)...].utf8)]
    }
}

enum Encodings {
    private static let lowerDigits = Array("0123456789abcdef".utf8)
    private static let upperDigits = Array("0123456789ABCDEF".utf8)
    private static let standardAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func hexadecimal(_ bytes: [UInt8], upper: Bool) -> [UInt8] {
        let digits = upper ? upperDigits : lowerDigits
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// What encoders leave as it is beside letters and digits: nothing, RFC 3986, path segments, JavaScript's
    /// encodeURIComponent and encodeURI, HTML forms, Java's and Python 2's.
    private static let keptInPercentForms = [
        "", "-._~", "-._~/", "-._~!*'()", "-._~!*'();/?:@&=+$,#", "-._*", "-._", "-._/",
    ]

    /// How writers of XML and HTML put double and single quotation marks: as they are in text, and escaped in attributes
    /// by most, by Python's html.escape and by Go.
    private static let quotesInMarkup = [
        ("\"", "'"), ("&quot;", "'"), ("&quot;", "&apos;"), ("&quot;", "&#39;"), ("&quot;", "&#x27;"),
        ("&#34;", "&#39;"),
    ]

    /// JSON, shell, percent and markup forms.
    static func escaped(_ secret: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = []
        for slash in [false, true] {
            for digits in [lowerDigits, upperDigits] {
                for ascii in [false, true] { forms.append(json(secret, slash: slash, digits: digits, ascii: ascii)) }
            }
        }
        forms.append(secret.flatMap { $0 == UInt8(ascii: "'") ? Array("'\\''".utf8) : [$0] })
        forms.append(secret.flatMap { $0 == UInt8(ascii: "'") ? Array("'\"'\"'".utf8) : [$0] })
        let special = Set("\"$`\\".utf8)
        forms.append(secret.flatMap { special.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] })
        forms.append(secret.flatMap { isPlainInShell($0) ? [$0] : [UInt8(ascii: "\\"), $0] })
        for digits in [lowerDigits, upperDigits] {
            for kept in keptInPercentForms {
                forms.append(percent(secret, digits: digits, kept: kept, plus: false))
                forms.append(percent(secret, digits: digits, kept: kept, plus: true))
            }
        }
        for (double, single) in quotesInMarkup {
            for greater in [">", "&gt;"] { forms.append(markup(secret, greater, double, single)) }
        }
        return forms
    }

    private static func markup(_ secret: [UInt8], _ greater: String, _ double: String, _ single: String) -> [UInt8] {
        secret.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "&"): Array("&amp;".utf8)
            case UInt8(ascii: "<"): Array("&lt;".utf8)
            case UInt8(ascii: ">"): Array(greater.utf8)
            case UInt8(ascii: "\""): Array(double.utf8)
            case UInt8(ascii: "'"): Array(single.utf8)
            default: [byte]
            }
        }
    }

    private static func isPlainInShell(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte >= 128 || Array("_-./,:@%+=".utf8).contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static func percent(_ secret: [UInt8], digits: [UInt8], kept: String, plus: Bool) -> [UInt8] {
        let kept = Set(kept.utf8)
        return secret.flatMap { byte -> [UInt8] in
            if isLetterOrDigit(byte) || kept.contains(byte) { return [byte] }
            if plus && byte == 32 { return [UInt8(ascii: "+")] }
            return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    private static func json(_ secret: [UInt8], slash: Bool, digits: [UInt8], ascii: Bool) -> [UInt8] {
        var form: [UInt8] = []
        for scalar in String(decoding: secret, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"", "\\": form += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case "/" where slash: form += Array("\\/".utf8)
            case "\n": form += Array("\\n".utf8)
            case "\r": form += Array("\\r".utf8)
            case "\t": form += Array("\\t".utf8)
            case _ where scalar.value < 32 || (ascii && scalar.value > 126):
                for unit in UTF16.encode(scalar) ?? UTF16.EncodedScalar() {
                    form += Array("\\u".utf8)
                    form += stride(from: 12, through: 0, by: -4).map { digits[Int(unit >> UInt16($0)) & 15] }
                }
            default: form += Array(String(scalar).utf8)
            }
        }
        return form
    }

    /// The characters that carry nothing but bits of `secret`, for each place in which it may begin within three bytes.
    static func base64AtAnyAlignment(_ secret: [UInt8], url: Bool) -> [[UInt8]] {
        (0..<3).map { offset in
            let characters = base64([UInt8](repeating: 0, count: offset) + secret, url: url)
            let first = (offset * 8 + 5) / 6
            let end = (offset + secret.count) * 8 / 6
            return Array(characters[first..<max(first, end)])
        }
    }

    /// The lines of the Base64 form as `base64` (76 characters) and PEM tools (64) wrap it.
    static func wrappedBase64(_ secret: [UInt8]) -> [[UInt8]] {
        let characters = base64(secret, url: false)
        let whole = secret.count * 8 / 6
        return [64, 76].filter { whole > $0 }.flatMap { width in
            stride(from: 0, to: whole, by: width).map { Array(characters[$0..<min($0 + width, whole)]) }
        }
    }

    /// Base64 without padding.
    private static func base64(_ bytes: [UInt8], url: Bool) -> [UInt8] {
        let alphabet = url ? urlAlphabet : standardAlphabet
        var form: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for index in 0..<3 { bits = bits << 8 | UInt32(index < group.count ? group[start + index] : 0) }
            for index in 0...group.count { form.append(alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63]) }
        }
        return form
    }
}
