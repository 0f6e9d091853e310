// SPDX-License-Identifier: Apache-2.0
// One line of `cycle.log`: what was decided, with value, comparator and threshold.

package struct LogLine: Codable, Hashable, Sendable {
    /// The word in the second column.
    package enum Mark: String, Codable, Sendable, CaseIterable {
        /// Something begins or goes on.
        case going = ".."
        case ok = "ok"
        case fail = "FAIL"
        case skip = "skip"
        case new = "NEW"
        case hold = "hold"
        case plan = "plan"
        case fact = "FACT"
        case act = "ACT"
        case warn = "warn"
        case green = "GREEN"
        case red = "RED"
        case gray = "GRAY"
    }
    package var mark: Mark
    /// The stage or subject in the third column: `deploy`, `test`, `triage`, `verdict` …
    package var topic: String
    package var text: String

    package init(_ mark: Mark, _ topic: String, _ text: String) {
        self.mark = mark
        self.topic = topic
        self.text = text
    }
}
