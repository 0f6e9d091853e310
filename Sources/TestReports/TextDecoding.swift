// SPDX-License-Identifier: Apache-2.0
// Which encoding a report is written in, and its bytes as UTF-8.

/// Recognizes and undoes the encodings that test tools really write.
struct TextDecoding {
    enum Encoding: String {
        case utf8 = "UTF-8"
        case utf16LittleEndian = "UTF-16LE"
        case utf16BigEndian = "UTF-16BE"
        case latin1 = "ISO-8859-1"
        case windows1252 = "windows-1252"
    }

    private(set) var encoding: Encoding?
    /// An encoding that the declaration names and that is not known here; read as UTF-8.
    private(set) var unknownName: String?
    /// Bytes held back until the encoding is known, or half a UTF-16 unit, or a high surrogate.
    private var held: [UInt8] = []

    /// The encoding declaration must end within this many bytes.
    private static let declarationBytes = 512

    /// Appends `bytes` as UTF-8. What cannot be decoded becomes the byte 0xFF, which no UTF-8 text contains.
    mutating func decode(_ bytes: Bytes, into output: inout [UInt8], final: Bool) {
        if encoding == .utf8 {
            output.append(contentsOf: bytes)
            return
        }
        held.append(contentsOf: bytes)
        if encoding == nil {
            guard let (found, skip) = detect(final: final) else { return }
            encoding = found
            held.removeFirst(skip)
        }
        switch encoding {
        case .utf8, nil:
            output.append(contentsOf: held)
            held = []
        case .latin1, .windows1252: decodeSingleBytes(into: &output)
        case .utf16LittleEndian, .utf16BigEndian: decodeUTF16(into: &output, final: final)
        }
    }

    /// The encoding and the bytes of its mark, or nil while more bytes are needed.
    private mutating func detect(final: Bool) -> (Encoding, Int)? {
        if held.count < 4 && !final { return nil }
        if held.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if held.starts(with: [0xFF, 0xFE]) { return (.utf16LittleEndian, 2) }
        if held.starts(with: [0xFE, 0xFF]) { return (.utf16BigEndian, 2) }
        if held.starts(with: [0x3C, 0x00]) { return (.utf16LittleEndian, 0) }
        if held.starts(with: [0x00, 0x3C]) { return (.utf16BigEndian, 0) }
        guard held.starts(with: Array("<?xm".utf8)) else { return (.utf8, 0) }
        guard let end = held.firstIndex(of: UInt8(ascii: ">")) else {
            return held.count < Self.declarationBytes && !final ? nil : (.utf8, 0)
        }
        let declaration = String(decoding: held[..<end], as: UTF8.self)
        guard let name = Self.declaredName(declaration) else { return (.utf8, 0) }
        switch name.lowercased() {
        case "utf-8", "utf8", "us-ascii", "ascii": return (.utf8, 0)
        case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1": return (.latin1, 0)
        case "windows-1252", "cp1252", "cp-1252": return (.windows1252, 0)
        default:
            unknownName = name
            return (.utf8, 0)
        }
    }

    private static func declaredName(_ declaration: String) -> String? {
        guard let key = declaration.firstRange(of: "encoding") else { return nil }
        let rest = declaration[key.upperBound...].drop { $0 != "\"" && $0 != "'" }
        guard let quote = rest.first else { return nil }
        return String(rest.dropFirst().prefix { $0 != quote })
    }

    private mutating func decodeSingleBytes(into output: inout [UInt8]) {
        for byte in held {
            switch byte {
            case 0..<0x80: output.append(byte)
            case 0x80..<0xA0 where encoding == .windows1252:
                let scalar = Self.windows1252[Int(byte) - 0x80]
                if scalar == 0 { output.append(0xFF) } else { Self.append(UInt32(scalar), to: &output) }
            default: Self.append(UInt32(byte), to: &output)
            }
        }
        held.removeAll(keepingCapacity: true)
    }

    private mutating func decodeUTF16(into output: inout [UInt8], final: Bool) {
        let little = encoding == .utf16LittleEndian
        func unit(_ at: Int) -> UInt32 {
            little ? UInt32(held[at]) | UInt32(held[at + 1]) << 8 : UInt32(held[at]) << 8 | UInt32(held[at + 1])
        }
        var at = 0
        while at + 2 <= held.count {
            let first = unit(at)
            guard (0xD800..<0xE000).contains(first) else {
                Self.append(first, to: &output)
                at += 2
                continue
            }
            if first < 0xDC00 && at + 4 > held.count && !final { break }
            if first < 0xDC00, at + 4 <= held.count, (0xDC00..<0xE000).contains(unit(at + 2)) {
                Self.append(0x10000 + (first - 0xD800) << 10 + (unit(at + 2) - 0xDC00), to: &output)
                at += 4
            } else {
                output.append(0xFF)
                at += 2
            }
        }
        held.removeFirst(at)
        if final && !held.isEmpty { output.append(0xFF) }
    }

    /// Appends one character as UTF-8.
    static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalar) else {
            output.append(0xFF)
            return
        }
        output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// 0x80…0x9F of windows-1252 (Unicode's CP1252.TXT); 0 where undefined.
    private static let windows1252: [UInt16] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]
}
