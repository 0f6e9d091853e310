// SPDX-License-Identifier: Apache-2.0
// One door to all report formats, fed piece by piece.

package import Domain

/// Reads a report of a given format as its bytes arrive.
package struct ReportStream {
    private enum Reader {
        case junit(JUnitReader)
        case tap(TAPReader)
        case goTest(GoTestJSONReader)
        /// CTRF is one JSON document: it is read when it is whole.
        case whole([UInt8])
    }
    private var reader: Reader
    private var damage: ReportDamage?

    /// `console` has no report of its own and is read as JUnit.
    package init(_ format: ReportFormat) {
        switch format {
        case .junit, .console: reader = .junit(JUnitReader())
        case .tap: reader = .tap(TAPReader())
        case .goTestJSON: reader = .goTest(GoTestJSONReader())
        case .ctrf: reader = .whole([])
        }
    }

    /// Takes the next bytes; after damage the rest is ignored.
    package mutating func push(_ bytes: UnsafeRawBufferPointer) {
        guard damage == nil else { return }
        do throws(ReportDamage) {
            switch reader {
            case .junit(var junit):
                reader = .whole([])
                defer { reader = .junit(junit) }
                try junit.push(bytes)
            case .tap(var tap):
                reader = .whole([])
                defer { reader = .tap(tap) }
                try tap.push(Array(bytes)[...])
            case .goTest(var goTest):
                reader = .whole([])
                defer { reader = .goTest(goTest) }
                try goTest.push(Array(bytes)[...])
            case .whole(var kept):
                reader = .whole([])
                kept.append(contentsOf: bytes)
                reader = .whole(kept)
            }
        } catch {
            damage = error
        }
    }

    package mutating func finish() throws(ReportDamage) -> ReportReading {
        if let damage { throw damage }
        switch reader {
        case .junit(var junit): return try junit.finish()
        case .tap(var tap): return try tap.finish()
        case .goTest(var goTest): return try goTest.finish()
        case .whole(let bytes): return try CTRFReader.read(bytes)
        }
    }
}

extension ReportReading {
    /// This reading and another report of the same run. Ids that both have are kept apart.
    package func joined(_ other: ReportReading) -> ReportReading {
        var all = self
        var names = Set(results.map(\.id))
        for result in other.results {
            var result = result
            var number = 2
            let id = result.id
            while !names.insert(result.id).inserted {
                result.id = "\(id) #\(number)"
                number += 1
            }
            all.results.append(result)
        }
        all.disagreements += other.disagreements
        all.suiteProblems += other.suiteProblems
        all.notes += other.notes
        all.properties += other.properties
        return all
    }
}
