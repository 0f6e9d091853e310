// SPDX-License-Identifier: Apache-2.0
// `running.json`: what a loop is doing right now.

package struct RunningStage: Codable, Hashable, Sendable {
    package var stage: String
    package var subject: String?
    package var cycle: Int
    package var since: Timestamp
    package var testsDone: Int?
    package var testsFailed: Int?
    package var currentTest: String?
    package var usualSeconds: Double?
    package var usualTests: Int?

    package init(stage: String, subject: String?, cycle: Int, since: Timestamp) {
        self.stage = stage
        self.subject = subject
        self.cycle = cycle
        self.since = since
    }
}
