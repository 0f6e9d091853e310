// SPDX-License-Identifier: Apache-2.0
// JUnit XML, the report that almost every tool writes: the entry points.

/// Reads JUnit XML as its bytes arrive.
///
/// There is no binding schema; the rules follow what tools really write:
/// - every `<testcase>` at any depth is a test; its class is error over failure over skipped over passed, by direct
///   child; `<flakyFailure>`, `<flakyError>` (Surefire, nextest) mean passed but flaky; `<rerunFailure>`,
///   `<rerunError>` count as retries;
/// - cases are counted, counters in attributes are only compared, and differences reported as disagreements;
/// - `<error>` and `<failure>` of a suite itself are `suiteProblems`;
/// - namespace prefixes are ignored; UTF-8, UTF-16 with or without mark, ISO-8859-1 and windows-1252 are understood.
///
/// One deliberate tolerance: raw control bytes other than NUL (ESC above all, from colored output) and references to
/// them break XML 1.0, but consoles put them into otherwise sound reports. They are kept and each is named in `notes`
/// (`tolerated: raw control byte 0x1b at line 2, column 61`), so that the caller can decide otherwise. Everything else
/// that breaks the rules is a `ReportDamage` with the results read so far.
package struct JUnitReader {
    private var scanner = XMLScanner(handler: JUnitBuilder())

    package init() {}

    /// Takes the next bytes of the report; chunks may end anywhere. After an error the reader only repeats it.
    package mutating func push(_ bytes: UnsafeRawBufferPointer) throws(ReportDamage) {
        do throws(ReportDamage) {
            try scanner.push(bytes.bindMemory(to: UInt8.self))
        } catch {
            throw damage(error)
        }
    }

    /// The same for bytes in an array.
    package mutating func push(_ bytes: ArraySlice<UInt8>) throws(ReportDamage) {
        let result = bytes.withUnsafeBytes { raw -> ReportDamage? in
            do throws(ReportDamage) {
                try push(raw)
                return nil
            } catch {
                return error
            }
        }
        if let result { throw result }
    }

    /// Ends the report. Whatever is still open is damage. To be called once.
    package mutating func finish() throws(ReportDamage) -> ReportReading {
        do throws(ReportDamage) {
            try scanner.finish()
        } catch {
            throw damage(error)
        }
        return reading()
    }

    /// Reads a whole report.
    package static func read(_ bytes: [UInt8]) throws(ReportDamage) -> ReportReading {
        var reader = JUnitReader()
        try reader.push(bytes[...])
        return try reader.finish()
    }

    private func reading() -> ReportReading {
        var reading = scanner.handler.reading()
        reading.notes = scanner.notes.messages
        if let name = scanner.unknownEncoding {
            reading.notes.append("the declared encoding \(name) is not known; read as UTF-8")
        }
        return reading
    }

    private func damage(_ damage: ReportDamage) -> ReportDamage {
        var damage = damage
        damage.reading = reading()
        return damage
    }
}
