// SPDX-License-Identifier: Apache-2.0
// Contrasts, computed from the colors of the style sheet itself: text at 4.5:1 (WCAG 2.2, 1.4.3), what is not text at 3:1 (1.4.11).

import Foundation
import Testing

@testable import StatusServer

@Suite struct ContrastTests {
    private static let dark = "(prefers-color-scheme: dark) {"

    /// The custom properties of the first `:root` after `marker`, or of the first of all.
    private static func colors(after marker: String? = nil) throws -> [String: String] {
        var rest = PageStyle.sheet[...]
        if let marker { rest = rest[try #require(rest.range(of: marker)).upperBound...] }
        let open = try #require(rest.range(of: ":root {")).upperBound
        let close = try #require(rest[open...].firstIndex(of: "}"))
        var colors: [String: String] = [:]
        for declaration in rest[open..<close].split(separator: ";") {
            let parts = declaration.split(separator: ":").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
            if parts.count == 2, parts[0].hasPrefix("--") { colors[String(parts[0].dropFirst(2))] = parts[1] }
        }
        return colors
    }

    /// Relative luminance (WCAG 2.2, "relative luminance").
    static func luminance(_ hex: String) throws -> Double {
        var digits = String(hex.dropFirst())
        if digits.count == 3 { digits = digits.map { "\($0)\($0)" }.joined() }
        let number = try #require(digits.count == 6 ? UInt32(digits, radix: 16) : nil, "\(hex) is no color")
        let parts = [16, 8, 0].map { shift -> Double in
            let part = Double(number >> UInt32(shift) & 0xFF) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    static func contrast(_ one: String, _ other: String) throws -> Double {
        let (a, b) = (try luminance(one), try luminance(other))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    /// What stands on what: the rules of the sheet, and a tone's words within any head.
    private static let text: [(String, [String])] = [
        ("ink", ["paper", "card", "quiet-bg", "good-bg", "bad-bg", "doubt-bg"]),
        ("soft", ["paper", "card"]), ("link", ["paper", "card"]),
        ("good", ["paper", "card", "good-bg"]), ("bad", ["paper", "card", "bad-bg"]),
        ("doubt", ["paper", "card", "doubt-bg", "good-bg", "bad-bg"]), ("quiet", ["paper", "card", "quiet-bg"]),
    ]

    @Test(arguments: [nil, dark])
    func textCanBeRead(after scheme: String?) throws {
        let colors = try Self.colors(after: scheme)
        for (front, backs) in Self.text {
            for back in backs {
                let (one, other) = (try #require(colors[front], "\(front)"), try #require(colors[back], "\(back)"))
                let found = try Self.contrast(one, other)
                #expect(
                    found >= 4.5,
                    "\(front) \(one) on \(back) \(other): \(found):1 in \(scheme == nil ? "light" : "dark")")
            }
        }
        // The ring around what the keyboard is on.
        for back in ["paper", "card"] {
            let found = try Self.contrast(#require(colors["link"]), #require(colors[back]))
            #expect(found >= 3, "the ring on \(back): \(found):1")
        }
    }

    /// Values that WCAG itself has in its examples.
    @Test func theFormulaIsRight() throws {
        #expect(try Self.contrast("#000", "#fff") == 21)
        #expect(abs(try Self.contrast("#777777", "#ffffff") - 4.478) < 0.001)
    }

    /// A color that is written anywhere else would not be seen by this test.
    @Test func everyColorIsInThePalette() throws {
        let sheet = PageStyle.sheet
        let light = Set(try Self.colors().values)
        let dark = Set(try Self.colors(after: Self.dark).values)
        let written = Set(sheet.matches(of: /#[0-9a-f]{3,6}\b/).map { String($0.output) })
        #expect(written.subtracting(light).subtracting(dark).subtracting(["#000", "#fff"]).isEmpty)
    }
}
