// SPDX-License-Identifier: Apache-2.0
// Reads what exports need beside the record: all tests, and the hash of the document.

import Domain
import Evidence
import Platform
import Reporting

extension ExportContext {
    /// A suite whose results cannot be read any more is exported with those tests that its record lists.
    static func reading(_ record: CycleRecord, _ layout: EvidenceLayout) -> ExportContext {
        let reader = CycleReader(layout)
        var tests: [String: [TestResult]] = [:]
        for suite in record.suites {
            guard let file = suite.testsFile else { continue }
            tests[suite.name] = try? reader.tests(file, inCycle: record.cycle)
        }
        let document = try? Files.read(layout.document(record.cycle), limit: 1 << 30)
        return ExportContext(tests: tests, documentSHA256: document.map { SHA256.hex(of: $0) })
    }
}
