// SPDX-License-Identifier: Apache-2.0
// The keys that say what may be done about a failure, and who is asked.

import Domain

extension KeyTable {
    static let remedy = ObjectShape(
        name: "remedy",
        keys: [
            KeyShape(
                name: "allow", shape: .list(.choice(remedies.map(\.rawValue)), atLeast: 0), standard: "[]",
                help: "What the loop may do by itself."),
            KeyShape(
                name: "runbook", shape: .map(key: .name, value: .object(runbook)), standard: "{}",
                help: "Commands of the operators, by name."),
            KeyShape(
                name: "rollbacksPerIncident", shape: .integer(0...10), standard: "1",
                help: "Rollbacks of one revision for one incident."),
            KeyShape(
                name: "approve", shape: .list(.choice(ApprovalSubject.allCases.map(\.rawValue)), atLeast: 0),
                standard: "[]",
                help: "What is done only when a person says `nightjar approve`. A rollback across an irreversible "
                    + "change always asks; experiments across one ask where they are listed, and are barred elsewhere."),
            KeyShape(
                name: "approvalDeadline", shape: .duration(zeroAllowed: false), standard: "\"4h\"",
                help: "How long the loop waits for an approval."),
            KeyShape(
                name: "atDeadline", shape: .choice(ApprovalDefault.allCases.map(\.rawValue)), standard: "\"hold\"",
                help: "Where nobody answered: hold (it is not done), or abort (the cycle ends as interrupted, and its "
                    + "revision waits for a newer one or a trigger)."),
            KeyShape(
                name: "fix", shape: .object(fix), otherwise: "nothing is mended",
                help: "How code may be mended; needs roles.implement."),
            KeyShape(
                name: "roles", shape: .object(roles), otherwise: "nobody takes a role",
                help: "Commands that take part in mending code; docs/roles.md is their contract."),
        ])

    static let remedies: [RemedyKind] = [.redeploy, .runbook, .rollback, .fix]

    static let runbook = ObjectShape(
        name: "runbook",
        keys: [
            KeyShape(
                name: "command", shape: .command, isRequired: true,
                help: "What to run; {component} is what the diagnosis names. Timeout 10m."),
            KeyShape(
                name: "for", shape: .list(.choice(Category.allCases.map(\.rawValue)), atLeast: 1), isRequired: true,
                help: "Categories of causes that call for it."),
            KeyShape(name: "attempts", shape: .integer(1...10), standard: "1", help: "How often, for one incident."),
            KeyShape(
                name: "attemptsPerNight", shape: .integer(1...100), standard: "3",
                help: "How often between two openings of the window, for all incidents."),
        ])

    static let fix = ObjectShape(
        name: "fix",
        keys: [
            KeyShape(
                name: "paths", shape: .list(.text(.words), atLeast: 1), isRequired: true,
                help: "Path globs (`*` also goes across folders). Nothing else may be changed."),
            KeyShape(
                name: "testPaths", shape: .list(.text(.words), atLeast: 1),
                standard: listed(FixSettings.usualTestPaths),
                help: "Path globs of tests: nothing in them is removed, and nothing skipped."),
            KeyShape(
                name: "maxFiles", shape: .integer(1...1000), standard: "20", help: "Files that a change may touch."),
            KeyShape(
                name: "maxLines", shape: .integer(1...100_000), standard: "400",
                help: "Lines that a change may add and remove together."),
            KeyShape(
                name: "forbid", shape: .list(.text(.words), atLeast: 0), standard: listed(FixSettings.usualForbidden),
                help: "Globs that no added line may match."),
            KeyShape(
                name: "audit", shape: .map(key: .name, value: .object(auditCommand)), standard: "{}",
                help: "Commands that must end well in a checkout of the change, by name."),
            KeyShape(
                name: "confidencePercent", shape: .integer(50...99), standard: "95",
                help: "How sure clean passes make it that a failure which came and went is gone."),
            KeyShape(name: "attempts", shape: .integer(1...10), standard: "1", help: "How often, for one incident."),
            KeyShape(
                name: "for", shape: .list(.choice(Category.allCases.map(\.rawValue)), atLeast: 1),
                standard: listed(FixSettings.usualCategories.map(\.rawValue)),
                help: "Categories of causes that are mended."),
            KeyShape(
                name: "needsProof", shape: .flag, standard: "true",
                help: "Whether the culprit must be proven."),
            KeyShape(
                name: "afterwards", shape: .choice(FixAfterwards.allCases.map(\.rawValue)), standard: "\"restore\"",
                help: "What the environment runs when a fix is proven: what it ran before (restore), or the fix (keep)."
            ),
            KeyShape(
                name: "push", shape: .text(.words), otherwise: "the branch stays in the repository",
                help: "The remote that the branch of a proven fix is pushed to."),
        ])

    static let auditCommand = ObjectShape(
        name: "auditCommand",
        keys: [
            KeyShape(
                name: "command", shape: .command, isRequired: true,
                help: "Run in a checkout of the change; exit 0 is well. Timeout 10m.")
        ])

    static let roles = ObjectShape(
        name: "roles",
        keys: [
            KeyShape(
                name: "investigate", shape: .command, otherwise: "nobody",
                help: "May add notes for those who come after."),
            KeyShape(
                name: "implement", shape: .command, otherwise: "nobody",
                help: "Changes the code in the working tree that it is given."),
            KeyShape(
                name: "review", shape: .command, otherwise: "nobody", help: "Approves or rejects the change."),
            KeyShape(
                name: "execute", shape: .command, otherwise: "deploy.command",
                help: "Brings the commit into the environment."),
            KeyShape(
                name: "approve", shape: .command, otherwise: "a person",
                help: "Says approve, reject, or ask where remedy.approve lists fix."),
        ])

    private static func listed(_ texts: [String]) -> String {
        "[" + texts.map(\.jsonQuoted).joined(separator: ", ") + "]"
    }
}
