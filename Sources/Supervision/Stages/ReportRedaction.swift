// SPDX-License-Identifier: Apache-2.0
// What was read from a report, without the secrets that may be in its texts.

import Domain
import Execution
import TestReports

extension ReportReading {
    func redacted(_ redaction: TextRedaction) -> ReportReading {
        guard !redaction.isIdle else { return self }
        var clean = self
        clean.results = results.map { $0.redacted(redaction) }
        clean.suiteProblems = suiteProblems.map(redaction.text)
        clean.disagreements = disagreements.map(redaction.text)
        return clean
    }
}

extension ReportReading {
    /// Outcomes, names and times only.
    var withheld: ReportReading {
        let mark = "[withheld: the run was taken over, and not all its secrets are known]"
        var clean = self
        for index in clean.results.indices {
            clean.results[index].message = clean.results[index].message.map { _ in mark }
            clean.results[index].details = nil
            clean.results[index].type = nil
        }
        clean.suiteProblems = suiteProblems.map { _ in mark }
        clean.disagreements = disagreements.map { _ in mark }
        return clean
    }
}

extension TestResult {
    func redacted(_ redaction: TextRedaction) -> TestResult {
        var clean = self
        clean.id = redaction.text(id)
        clean.message = message.map(redaction.text)
        clean.type = type.map(redaction.text)
        clean.details = details.map(redaction.text)
        clean.file = file.map(redaction.text)
        clean.selector = selector.map(redaction.text)
        return clean
    }
}
