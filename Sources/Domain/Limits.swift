// SPDX-License-Identifier: Apache-2.0
// Every bound in one place, with its reason.

package enum Limits {
    /// A message is a headline; longer ones go to `details`.
    package static let messageBytes = 4 << 10
    /// Stacks and captured output of one test; head and tail are kept.
    package static let detailsBytes = 64 << 10
    /// Elements within elements in a report: real reports stay below 20; libxml2 stops at 256 too.
    package static let reportDepth = 256
    /// Tests of one suite: beyond it the report is refused, not truncated.
    package static let testsPerSuite = 2_000_000
    /// A whole report file.
    package static let reportBytes: Int64 = 2 << 30
    /// An answer of a health check or live-revision probe.
    package static let probeBytes = 1 << 20
    /// Not-passed tests that are written in full into the journal and `cycle.json`; all are in `tests.jsonl`.
    package static let notPassedInRecord = 500
    /// The configuration file.
    package static let configurationBytes = 1 << 20
    /// One request on the control socket.
    package static let controlRequestBytes = 64 << 10
    /// A journal segment is closed at the first waiting state past this size.
    ///
    /// Sealing a cycle reads the newest segment to hash its lines, so its size is a part of every cycle's cost.
    package static let journalSegmentBytes: Int64 = 1 << 20
    /// Reruns of a failing test before triage stops asking.
    package static let rerunsPerTest = 10
    /// What a role may print, its answer included; more refuses it.
    package static let roleOutputBytes: Int64 = 1 << 20
    /// What a change may come to as a patch.
    package static let patchBytes = 4 << 20
    /// Clean passes that a fix is made to show; a failure that needs more is too rare to prove a fix of.
    package static let cleanPasses = 60
    /// The shepherd may need this long beyond its own limits before the daemon calls it mad.
    package static let shepherdSlack: Duration = .seconds(30)
}
