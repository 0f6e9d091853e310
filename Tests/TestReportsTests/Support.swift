// SPDX-License-Identifier: Apache-2.0
// What the tests of this folder share.

import Domain
import Foundation
import TestReports

/// Reads a report from text.
func readJUnit(_ text: String) throws(ReportDamage) -> ReportReading { try JUnitReader.read(Array(text.utf8)) }

/// The damage of a report that must not read well, or nil.
func damage(of text: String) -> ReportDamage? { damage(of: Array(text.utf8)) }

func damage(of bytes: [UInt8]) -> ReportDamage? {
    do throws(ReportDamage) {
        _ = try JUnitReader.read(bytes)
        return nil
    } catch {
        return error
    }
}

/// Reads a report in chunks of at most `size` bytes.
func readJUnit(_ bytes: [UInt8], chunk size: Int) throws(ReportDamage) -> ReportReading {
    var reader = JUnitReader()
    var at = 0
    while at < bytes.count {
        let end = min(bytes.count, at + size)
        try reader.push(bytes[at..<end])
        at = end
    }
    return try reader.finish()
}

/// The folder of reports written by others, where there is one.
let corpus: URL? = {
    let fromPackage = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("../shared/corpus").standardizedFileURL
    let path = ProcessInfo.processInfo.environment["NIGHTJAR_CORPUS"] ?? fromPackage.path
    return FileManager.default.fileExists(atPath: path) ? URL(fileURLWithPath: path) : nil
}()

/// The rows of a CSV file (RFC 4180), each by column name.
func readCSV(_ url: URL) throws -> [[String: String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field = ""
    var isQuoted = false
    for scalar in try String(contentsOf: url, encoding: .utf8).unicodeScalars {
        switch scalar {
        // A doubled quote leaves and enters again; the corpus needs no quote inside a field that is compared.
        case "\"": isQuoted.toggle()
        case "," where !isQuoted:
            row.append(field)
            field = ""
        case "\n" where !isQuoted:
            rows.append(row + [field])
            (row, field) = ([], "")
        case "\r" where !isQuoted: break
        default: field.unicodeScalars.append(scalar)
        }
    }
    guard let header = rows.first else { return [] }
    return rows.dropFirst().filter { $0.count == header.count }
        .map { Dictionary(zip(header, $0), uniquingKeysWith: { first, _ in first }) }
}
