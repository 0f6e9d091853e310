// SPDX-License-Identifier: Apache-2.0
// What may be done about a failure, who takes part, and who is asked.

import Domain

extension SettingsDecoder {
    func remedy(_ section: Section) -> RemedySettings {
        var remedy = RemedySettings(allow: section.choices("allow", RemedyKind.self))
        for member in section.written("runbook")?.members ?? [] {
            let path = join(join(section.path, "runbook"), member.key)
            let entry = Section(member.value, KeyTable.runbook, at: path, notes: notes)
            let place = Place(timeout: .seconds(600), timeoutOrigin: "default of runbook commands")
            remedy.runbook.append(
                RunbookSettings(
                    name: member.key, command: command(entry, "command", place, role: .runbook) ?? .standIn,
                    categories: entry.choices("for", Category.self), attempts: entry.integer("attempts") ?? 1,
                    attemptsPerNight: entry.integer("attemptsPerNight") ?? 3))
        }
        remedy.rollbacksPerIncident = section.integer("rollbacksPerIncident") ?? 0
        remedy.approve = section.choices("approve", ApprovalSubject.self)
        remedy.atDeadline = section.choice("atDeadline", ApprovalDefault.self) ?? .hold
        remedy.approvalDeadline = section.duration("approvalDeadline") ?? .zero
        let roles = section.section("roles", KeyTable.roles)
        if let roles { remedy.roles = self.roles(roles) }
        remedy.fix = section.section("fix", KeyTable.fix).map(fix)
        return remedy
    }

    private func roles(_ section: Section) -> RoleSettings {
        let place = Place(timeout: .seconds(1800), timeoutOrigin: "default of roles")
        return RoleSettings(
            investigate: command(section, "investigate", place), implement: command(section, "implement", place),
            review: command(section, "review", place), execute: command(section, "execute", place),
            approve: command(section, "approve", place))
    }

    private func fix(_ section: Section) -> FixSettings {
        var fix = FixSettings(paths: section.texts("paths"))
        fix.testPaths = section.texts("testPaths")
        fix.maxFiles = section.integer("maxFiles") ?? 0
        fix.maxLines = section.integer("maxLines") ?? 0
        fix.forbid = section.texts("forbid")
        for member in section.written("audit")?.members ?? [] {
            let path = join(join(section.path, "audit"), member.key)
            let entry = Section(member.value, KeyTable.auditCommand, at: path, notes: notes)
            let place = Place(timeout: .seconds(600), timeoutOrigin: "default of audit commands")
            fix.audit.append(
                FixSettings.AuditCommand(name: member.key, command: command(entry, "command", place) ?? .standIn))
        }
        fix.confidence = Double(section.integer("confidencePercent") ?? 95) / 100
        fix.attempts = section.integer("attempts") ?? 1
        fix.categories = section.choices("for", Category.self)
        fix.needsProof = section.flag("needsProof") ?? true
        fix.afterwards = section.choice("afterwards", FixAfterwards.self) ?? .restore
        fix.push = section.text("push")
        return fix
    }
}
