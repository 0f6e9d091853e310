// SPDX-License-Identifier: Apache-2.0
// What the loop does one at a time: a stage run, named so that doing it twice can be noticed.

/// What is deployed: a full commit id of the repository, or whatever the operator's revision command prints.
package struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var id: String

    package init(_ id: String) {
        self.id = id
    }

    /// As people read it: the first seven characters of a commit id, anything else in full.
    package var short: String {
        let isCommit =
            id.utf8.count >= 40
            && id.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (97...102).contains(byte)
            }
        return isCommit ? String(id.prefix(7)) : id
    }

    package var description: String { id }

    package static func < (left: Revision, right: Revision) -> Bool { left.id < right.id }

    /// Whether both name the same thing: equal, or one is an abbreviation (of at least 7 characters) of the other.
    package func names(_ other: Revision) -> Bool {
        let (short, long) = id.utf8.count < other.id.utf8.count ? (id, other.id) : (other.id, id)
        guard long.utf8.starts(with: short.utf8) else { return false }
        if short.utf8.count == long.utf8.count { return true }
        // Only commit ids are abbreviated: 2026.11.2 is another version than 2026.11.21.
        return short.utf8.count >= 7
            && long.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
            }
    }
}

extension Revision: Codable {
    package init(from decoder: any Decoder) throws {
        id = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(id)
    }
}

/// What a stage run does to the environment or asks of it.
package enum StageKind: String, Codable, Sendable, CaseIterable {
    /// Makes a revision the live one by running the deploy (or rollback) command.
    case deploy
    /// Watches the environment until it is steadily healthy and proves which revision is live.
    case stabilize
    /// Runs one suite and reads what it reported.
    case test
    /// Runs a runbook command of the operators.
    case remedy
}

/// Why a stage is run: experiments and remedies are the same stages with another purpose.
package enum Purpose: String, Codable, Sendable, CaseIterable {
    /// The ordinary pass over the wanted revision.
    case cycle
    /// Only the live revision is read again after the last test: nobody else deployed meanwhile.
    case recheck
    /// The failing tests again, alone, on the same revision.
    case rerun
    /// The failing tests on the last green revision, now.
    case baseline
    /// The wanted revision deployed once more, to see whether the failure comes back.
    case again
    /// A step of the search for the culprit.
    case bisect
    /// The wanted revision with the suspected commit alone taken back.
    case revert
    /// The tests of one revision against the code of another.
    case crossed
    /// Tests that are new or changed and have passed, several times more, on the same revision.
    case burnIn = "burn-in"
    /// The wanted revision again, because its deployment went wrong.
    case redeploy
    /// Back to the last green revision.
    case rollback
    /// Back to where the environment was before experiments moved it.
    case restore
    /// A runbook command.
    case runbook
    /// A fix by a role command.
    case fix
    /// After a remedy: what failed first, then everything.
    case reverify

    /// Whether a run with this purpose belongs to an experiment that deploys what it asks about.
    package var isDeployedExperiment: Bool {
        switch self {
        case .baseline, .again, .bisect, .revert, .crossed: true
        case .cycle, .recheck, .rerun, .burnIn, .redeploy, .rollback, .restore, .runbook, .fix, .reverify: false
        }
    }
}

/// One effect on the world: its name, from which its folder is made.
///
/// Two runs that are equal are the same effect, and the effect happens at most once.
package struct StageRun: Codable, Hashable, Sendable {
    package var cycle: Int
    package var kind: StageKind
    package var purpose: Purpose
    /// The suite of a test, the runbook's name of a remedy.
    package var subject: String?
    /// Counted from 1 for each folder name within the cycle.
    package var attempt: Int
    package var revision: Revision
    /// The tests to run alone (their ids); nil runs the whole suite.
    package var only: [String]?
    /// The number of the experiment that this run belongs to.
    package var experiment: Int?
    /// The revision whose test sources are run, where that is not the deployed one.
    package var testsRevision: Revision?

    package init(
        cycle: Int, kind: StageKind, purpose: Purpose, subject: String? = nil, attempt: Int, revision: Revision,
        only: [String]? = nil, experiment: Int? = nil, testsRevision: Revision? = nil
    ) {
        self.testsRevision = testsRevision
        self.cycle = cycle
        self.kind = kind
        self.purpose = purpose
        self.subject = subject
        self.attempt = attempt
        self.revision = revision
        self.only = only
        self.experiment = experiment
    }

    /// The word for this run in folder names, log lines and records.
    package var stage: String { StageRun.stage(kind, purpose) }

    /// `deploy`, `stabilize`, `test`, or the purpose where that says more.
    package static func stage(_ kind: StageKind, _ purpose: Purpose) -> String {
        switch (kind, purpose) {
        case (_, .cycle): kind.rawValue
        case (.remedy, _): "remedy"
        case (.stabilize, .recheck): "recheck"
        case (.stabilize, _): "stabilize"
        case (.deploy, let purpose) where purpose.isDeployedExperiment: "deploy"
        case (_, let purpose): purpose.rawValue
        }
    }

    /// The folder of this run inside the cycle folder: `<stage>-<attempt>[-<subject>]`, safe as a file name.
    package var folder: String {
        let name = "\(stage)-\(attempt)"
        guard let subject else { return name }
        return name + "-" + StageRun.fileName(subject)
    }

    /// `text` with everything but letters, digits, dot, dash and underscore replaced, at most 60 bytes.
    package static func fileName(_ text: String) -> String {
        let safe = text.utf8.prefix(60).map { byte -> UInt8 in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 95: byte
            case 46: byte
            default: 95
            }
        }
        let name = String(decoding: safe, as: UTF8.self)
        return name.allSatisfy { $0 == "." } ? "_" + name : name
    }
}

/// How a stage run ended.
package enum StageOutcome: String, Codable, Sendable, CaseIterable {
    /// It did what it was to do. For a test: every test that ran passed and the evidence says so.
    case succeeded
    /// It ran to its end and the answer is no: a script said so, a check never held, a test failed.
    case failed
    /// A limit of time ended it; `limitHit` says which.
    case timedOut
    /// The daemon ended it: abort, skip, stop.
    case stopped
    /// It could not be started, or the tools around it failed: nothing was learned about the revision.
    case couldNotRun
    /// The permit command said: not now.
    case refused
    /// Fenced off before its command ever ran: repeating it is safe and costs no attempt.
    case neverRan
    /// Its end was not seen and it left no result: whether it had an effect is unknown.
    case lost
}
