// SPDX-License-Identifier: Apache-2.0
// Reads what exports need beside the record: all tests, and the hash of the document.

import Domain
import Evidence
import Platform
import Reporting

extension ExportContext {
    /// A suite whose results are not there as they were sealed is exported with the failures that its record lists, and
    /// with what is wrong.
    static func reading(_ record: CycleRecord, _ layout: EvidenceLayout) -> ExportContext {
        let reader = CycleReader(layout)
        var tests: [String: [TestResult]] = [:]
        var damage: [String: String] = [:]
        for suite in record.suites {
            guard let file = suite.testsFile else { continue }
            do {
                tests[suite.name] = try reader.sealedTests(file, inCycle: record.cycle)
            } catch {
                damage[suite.name] = ExportContext.words(error, file)
            }
        }
        let document = try? Files.read(layout.document(record.cycle), limit: 1 << 30)
        return ExportContext(tests: tests, documentSHA256: document.map { SHA256.hex(of: $0) }, damage: damage)
    }

    private static func words(_ error: EvidenceError, _ file: String) -> String {
        switch error {
        case .notFound: "the results are gone: \(file) is missing; nightjar verify tells what else is"
        case .damaged(_, let line, let reason):
            "the results are damaged: \(file)\(line.map { " line \($0)" } ?? ""): \(reason)"
        default: "the results cannot be read: \(error)"
        }
    }

    /// Says what could not be exported: a complete export ends well, any other does not.
    func ending(_ output: Output, _ cycle: Int) -> ExitCode {
        for (suite, problem) in damage.sorted(by: { $0.key < $1.key }) {
            output.problem("#\(cycle), suite \(suite): \(problem)")
        }
        return damage.isEmpty ? .ok : .unproven
    }
}
