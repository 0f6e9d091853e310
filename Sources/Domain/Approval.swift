// SPDX-License-Identifier: Apache-2.0
// What needs a person's word, the question that is put, and what is done where nobody answers.

/// What may be done only when a person has said so.
package enum ApprovalSubject: String, Codable, Sendable, CaseIterable {
    case redeploy, runbook, rollback, fix, experiments

    /// The subject of a remedy; nil for what is no remedy of the loop.
    package init?(_ kind: RemedyKind) {
        switch kind {
        case .redeploy: self = .redeploy
        case .runbook: self = .runbook
        case .rollback: self = .rollback
        case .fix: self = .fix
        case .none, .rerun, .fixTest, .rejectReport: return nil
        }
    }
}

/// What happens when nobody has answered in time.
package enum ApprovalDefault: String, Codable, Sendable, CaseIterable {
    /// What was asked about is not done; the cycle ends with its own verdict.
    case hold
    /// The cycle ends as interrupted, and the environment is restored.
    case abort
}

/// A question to a person: what is to be done, why it is not done without a word, and until when the loop waits.
package struct Approval: Codable, Hashable, Sendable {
    package var subject: ApprovalSubject
    /// The incident that it is for; nil where experiments are asked for before there is one.
    package var incident: String?
    /// The runbook command's name, the revision to go back to, the branch of a fix.
    package var name: String?
    package var because: String
    /// Whether it goes across an irreversible change, which the answer must say.
    package var pastMigration: Bool
    package var askedAt: Timestamp
    package var deadline: Timestamp

    package init(
        subject: ApprovalSubject, incident: String?, name: String? = nil, because: String, pastMigration: Bool = false,
        askedAt: Timestamp, deadline: Timestamp
    ) {
        self.subject = subject
        self.incident = incident
        self.name = name
        self.because = because
        self.pastMigration = pastMigration
        self.askedAt = askedAt
        self.deadline = deadline
    }

    /// `INC-57 rollback to 41ab7d0`.
    package var title: String {
        let target: String =
            switch subject {
            case .rollback: name.map { " to \(Revision($0).short)" } ?? ""
            case .runbook, .fix, .redeploy: name.map { " \(Revision($0).short)" } ?? ""
            case .experiments: ""
            }
        return (incident.map { "\($0) " } ?? "") + subject.rawValue + target
    }

    /// What to type to say yes.
    package var approveCommand: String {
        let runbook = subject == .runbook ? name.map { " \($0)" } ?? "" : ""
        return "nightjar approve \(incident.map { "\($0) " } ?? "")\(subject.rawValue)\(runbook)"
            + (pastMigration ? " --past-migration" : "")
    }

    /// What to type to say no.
    package var rejectCommand: String { "nightjar reject" + (incident.map { " \($0)" } ?? "") }
}

/// What an operator's answer names, so that no word is taken for another question than the one it was meant for.
package struct ApprovalWords: Codable, Hashable, Sendable {
    package var subject: ApprovalSubject?
    /// The runbook command's name.
    package var name: String?
    package var pastMigration: Bool?
    package var reason: String?

    package init(
        subject: ApprovalSubject? = nil, name: String? = nil, pastMigration: Bool? = nil, reason: String? = nil
    ) {
        self.subject = subject
        self.name = name
        self.pastMigration = pastMigration
        self.reason = reason
    }
}
