// SPDX-License-Identifier: Apache-2.0
// Real logs with lines that people marked as the cause: skipped where the collection is absent.

import Domain
import Foundation
import Testing

@testable import Triage

/// The folder of labelled logs; nil where it is not there.
private let corpus: String? = {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let beside = package.deletingLastPathComponent().appending(path: "shared/corpus").path
    let root = ProcessInfo.processInfo.environment["NIGHTJAR_CORPUS"] ?? beside
    return FileManager.default.fileExists(atPath: root + "/logs") ? root + "/logs" : nil
}()

private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

/// The rows of a CSV file, by column; quotes are understood.
private func table(_ path: String) throws -> [[String: String]] {
    let text = String(decoding: try bytes(path), as: UTF8.self)
    var rows: [[String]] = [[]]
    var field = ""
    var isQuoted = false
    for character in text {
        switch character {
        case "\"": isQuoted.toggle()
        case "," where !isQuoted:
            rows[rows.count - 1].append(field)
            field = ""
        case "\n" where !isQuoted, "\r\n" where !isQuoted:
            rows[rows.count - 1].append(field)
            field = ""
            rows.append([])
        default: field.append(character)
        }
    }
    let header = rows[0]
    return rows.dropFirst().filter { $0.count == header.count }.map { row in
        Dictionary(uniqueKeysWithValues: zip(header, row))
    }
}

/// The labels count a carriage return as the end of a line, too: where each of their lines begins, as our line number.
private func newlineNumbers(_ log: [UInt8]) -> [Int] {
    var numbers: [Int] = []
    var number = 1
    var isStart = true
    for (index, byte) in log.enumerated() {
        if isStart {
            numbers.append(number)
            isStart = false
        }
        if byte == 10 {
            number += 1
            isStart = true
        } else if byte == 13, index + 1 < log.count, log[index + 1] != 10 {
            isStart = true
        }
    }
    return numbers
}

@Suite struct LogCorpusTests {
    @Test(.enabled(if: corpus != nil))
    func `the cause line of real CI logs is among the excerpts`() throws {
        let folder = try #require(corpus) + "/ci-cause-line"
        var (first, third, all) = (0, 0, 0)
        for row in try table(folder + "/EXPECTED.csv") {
            let name = try #require(row["file"])
            let log = try bytes("\(folder)/\(name)")
            let expected = try #require(row["match_line"].flatMap { Int($0) })
            let line = expected + 1
            let ranked = CauseLines.rank(log)
            all += 1
            let place = ranked.firstIndex { abs($0.line - line) <= 2 }
            if place == 0 { first += 1 }
            if place != nil { third += 1 }
        }
        // As measured: 19 and 22 of 24.
        #expect(first * 24 >= 18 * all, "top 1: \(first) of \(all)")
        #expect(third * 24 >= 21 * all, "top 3: \(third) of \(all)")
    }

    @Test(.enabled(if: corpus != nil))
    func `the error lines of failing builds are kept, and little else`() throws {
        let folder = try #require(corpus) + "/pass-fail-pairs"
        var (shares, precisions) = ([Double](), [Double]())
        for row in try table(folder + "/EXPECTED.csv") {
            let name = try #require(row["case"]).split(separator: "/").last.map(String.init) ?? ""
            let failing = try bytes("\(folder)/\(name)/fail.log")
            let numbers = newlineNumbers(failing)
            var truth: Set<Int> = []
            for part in try #require(row["groundtruth"]).split(separator: ";") {
                let words = part.split(separator: " ")
                guard words.count == 2, words[0] == "E" else { continue }
                let ends = words[1].split(separator: "-").compactMap { Int($0) }
                truth.formUnion(numbers[(try #require(ends.first) - 1)...(try #require(ends.last) - 1)])
            }
            let kept = LogDifference.telling(failing, passing: try bytes("\(folder)/\(name)/pass.log"))
            let shown = kept.reduce(0) { $0 + $1.count }
            let hits = truth.filter { line in kept.contains { $0.contains(line) } }.count
            shares.append(Double(hits) / Double(truth.count))
            precisions.append(shown == 0 ? 0 : Double(hits) / Double(shown))
        }
        let share = shares.reduce(0, +) / Double(shares.count)
        let precision = precisions.reduce(0, +) / Double(shares.count)
        // As measured: 0.97 of the marked lines, and 0.90 of what is shown is marked.
        #expect(share >= 0.95, "kept \(share)")
        #expect(precision >= 0.85, "of what is shown \(precision)")
    }
}
