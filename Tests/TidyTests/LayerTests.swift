// SPDX-License-Identifier: Apache-2.0
// Arrows point down only, and only the named modules touch the system, Foundation and the JSON coders.

import Foundation
import Testing

struct LayerTests {
    @Test func `the layers have no cycle`() {
        var remaining = Layers.allowed
        while !remaining.isEmpty {
            let free = remaining.filter { $0.value.isDisjoint(with: remaining.keys) }.keys
            guard !free.isEmpty else {
                Issue.record("these modules depend on each other: \(remaining.keys.sorted())")
                return
            }
            for name in free { remaining[name] = nil }
        }
    }

    @Test func `every module has its place in the layers`() {
        for module in Set(SourceTree.sources.compactMap(\.module)).sorted() {
            #expect(Layers.allowed[module] != nil, "\(module) is not listed in Layers.swift")
        }
    }

    @Test func `modules import only what is below them`() {
        for file in SourceTree.sources {
            guard let module = file.module, let allowed = Layers.allowed[module] else { continue }
            for name in file.imports where name != module {
                if Layers.allowed[name] != nil {
                    #expect(allowed.contains(name), "\(file.path): \(module) may not import \(name)")
                } else if let users = Layers.toolchain[name] {
                    #expect(users.contains(module), "\(file.path): \(module) may not import \(name)")
                } else {
                    Issue.record("\(file.path): imports \(name), which Layers.swift does not know")
                }
            }
        }
    }

    @Test func `JSON coders stay where bytes meet values`() {
        for file in SourceTree.sources where !Layers.coders.contains(file.module ?? "") {
            for word in ["JSONEncoder", "JSONDecoder", "JSONSerialization"] where file.holds(word) {
                for (index, line) in file.code.enumerated() where line.contains(word) {
                    Issue.record("\(file.path):\(index + 1): \(word) belongs in \(Layers.coders.sorted())")
                }
            }
        }
    }

    /// Reads the manifest's own lists, so that it cannot allow what the layers forbid.
    @Test func `the manifest allows no more than the layers`() throws {
        let manifest = try #require(SourceTree.files.first { $0.path == "Package.swift" })
        let text = manifest.lines.filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//") }
            .joined(separator: " ")
        let declaration = try Regex<(Substring, Substring, Substring)>(
            #"(?:module\(\s*|executableTarget\(name: )"([A-Za-z-]+)",\s*(?:dependencies: )?\[([^\]]*)\]"#)
        for match in text.matches(of: declaration) {
            let module = String(match.1)
            let names = match.2.split(separator: ",").map {
                $0.trimmingCharacters(in: CharacterSet(charactersIn: " \""))
            }.filter { !$0.isEmpty }
            let allowed = try #require(Layers.allowed[module], "\(module) is not listed in Layers.swift")
            for name in names {
                #expect(allowed.contains(name), "Package.swift: \(module) may not depend on \(name)")
            }
        }
    }

    @Test(arguments: [
        ("import Domain", ["Domain"]), ("package import Domain", ["Domain"]), ("@testable import Probes", ["Probes"]),
        ("import struct Foundation.Data", ["Foundation"]), ("@preconcurrency internal import Glibc", ["Glibc"]),
        ("// import Domain", []), ("let import = 3", []), ("import Foundation.NSProcess", ["Foundation"]),
    ])
    func `imports are recognized`(line: String, expected: [String]) {
        #expect(SourceFile(path: "x.swift", lines: [line]).imports == expected)
    }
}
