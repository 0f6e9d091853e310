// SPDX-License-Identifier: Apache-2.0
// Whether the page can be read: the contrast of its colors, computed from the style sheet, light and dark.

import Foundation
import Testing

@testable import Reporting

struct ContrastTests {
    /// The colors of `:root`, and what the dark scheme puts in their place.
    private func palettes() throws -> [(name: String, colors: [String: [Double]])] {
        let sheet = HTMLStyle.sheet
        let dark = try #require(sheet.range(of: "@media screen and (prefers-color-scheme: dark)"))
        let afterDark = try #require(sheet[dark.upperBound...].range(of: "} }"))
        let light = colors(String(sheet[..<dark.lowerBound]))
        let night = light.merging(colors(String(sheet[dark.upperBound..<afterDark.lowerBound]))) { $1 }
        return [("light", light), ("dark", night)]
    }

    private func colors(_ text: String) -> [String: [Double]] {
        var found: [String: [Double]] = [:]
        for match in text.matches(of: /--([a-z-]+): #([0-9a-f]{3}|[0-9a-f]{6})\b/) {
            let digits = String(match.2)
            let long = digits.count == 3 ? digits.map { "\($0)\($0)" }.joined() : digits
            let number = Int(long, radix: 16) ?? 0
            found[String(match.1)] = [16, 8, 0].map { Double(number >> $0 & 255) / 255 }
        }
        return found
    }

    /// WCAG 2.2, "relative luminance" and "contrast ratio".
    private func contrast(_ one: [Double], _ other: [Double]) -> Double {
        func luminance(_ color: [Double]) -> Double {
            let linear = color.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        let (low, high) = (min(luminance(one), luminance(other)), max(luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)
    }

    @Test func `every text stands out from what is behind it by 4,5 to 1`() throws {
        let onSurfaces = ["ink", "soft", "good", "bad", "doubt", "quiet", "accent"]
        for (name, colors) in try palettes() {
            var pairs = onSurfaces.flatMap { word in ["paper", "card"].map { (word, $0) } }
            pairs += ["good", "bad", "doubt", "quiet"].map { ($0, "\($0)-bg") }
            // Code and the numbers of the whys stand on the quiet background, inside paragraphs or in soft letters.
            pairs += ["ink", "soft", "accent"].map { ($0, "quiet-bg") }
            for (text, behind) in pairs {
                let ratio = contrast(try #require(colors[text], "\(text)"), try #require(colors[behind], "\(behind)"))
                #expect(ratio >= 4.5, "\(name): \(text) on \(behind) is \(ratio)")
            }
        }
    }

    /// Graphics need 3 to 1 (WCAG 2.2, 1.4.11): bars, dots and lines that carry a meaning.
    @Test func `what charts are drawn with stands out by 3 to 1`() throws {
        for (name, colors) in try palettes() {
            for ink in ["good", "bad", "doubt", "soft", "ink"] {
                let ratio = contrast(try #require(colors[ink]), try #require(colors["card"]))
                #expect(ratio >= 3, "\(name): \(ink) on card is \(ratio)")
            }
        }
    }

    @Test func `the page loads nothing, and its policy would not let it`() {
        let sheet = HTMLStyle.sheet
        for word in ["url(", "@import", "http:", "https:", "//"] { #expect(!sheet.contains(word), "\(word)") }
        let page = HTML.page(title: "t", body: "")
        #expect(page.contains("default-src 'none'; style-src 'unsafe-inline'"))
        #expect(!page.contains("<script") && !page.contains("<link") && !page.contains("<img"))
    }
}
