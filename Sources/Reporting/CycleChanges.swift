// SPDX-License-Identifier: Apache-2.0
// What is different from the cycle before: the first thing somebody asks who read yesterday's report.

import Domain

struct CycleChange: Sendable {
    enum Direction: Sendable { case better, worse, neutral }
    var direction: Direction
    var text: String
}

extension CycleReport {
    /// Nil where there is no cycle to compare with.
    var changes: [CycleChange]? {
        guard let previous = context.previous else { return nil }
        var changes: [CycleChange] = []
        if previous.verdict != record.verdict {
            let isBetter = record.verdict.severity < previous.verdict.severity
            changes.append(
                .init(
                    direction: isBetter ? .better : .worse,
                    text: "verdict \(previous.verdict.rawValue) -> \(record.verdict.rawValue)"))
        }
        changes.append(revisionChange(previous))
        changes += suiteChanges(previous) + testChanges(previous) + targetChanges(previous)
        changes += incidentChanges(previous) + valueChange(previous)
        if previous.settingsHash != record.settingsHash {
            changes.append(.init(direction: .neutral, text: "the settings changed"))
        }
        return changes
    }

    private func revisionChange(_ previous: CycleRecord) -> CycleChange {
        let (old, new) = (previous.revision.wanted, record.revision.wanted)
        guard old != new else { return .init(direction: .neutral, text: "the same revision, \(new.short)") }
        let subject = record.revision.subject.map { " \"\($0)\"" } ?? ""
        return .init(direction: .neutral, text: "revision \(old.short) -> \(new.short)\(subject)")
    }

    private func suiteChanges(_ previous: CycleRecord) -> [CycleChange] {
        record.suites.compactMap { suite in
            guard let old = previous.suites.first(where: { $0.name == suite.name }) else {
                return .init(direction: .neutral, text: "suite \(suite.name) is new: \(suite.status.words)")
            }
            if old.status != suite.status {
                let direction: CycleChange.Direction =
                    suite.status == .passed ? .better : old.status == .passed ? .worse : .neutral
                return .init(
                    direction: direction, text: "suite \(suite.name) \(old.status.words) -> \(suite.status.words)")
            }
            let (before, now) = (old.totals.tests, suite.totals.tests)
            guard before != now, suite.status != .notRun else { return nil }
            return .init(
                direction: now < before ? .worse : .neutral,
                text: "suite \(suite.name) has \(now) tests, before \(before)")
        }
            + previous.suites.filter { old in !record.suites.contains { $0.name == old.name } }.map {
                .init(direction: .worse, text: "suite \($0.name) is gone")
            }
    }

    /// Only suites that ran to results in both cycles tell which tests changed.
    private func testChanges(_ previous: CycleRecord) -> [CycleChange] {
        var changes: [CycleChange] = []
        for suite in record.suites {
            guard let old = previous.suites.first(where: { $0.name == suite.name }), old.totals.tests > 0,
                suite.totals.tests > 0
            else { continue }
            let before = Set(old.notPassed.filter(\.outcome.isFailure).map(\.id))
            let now = Set(suite.notPassed.filter(\.outcome.isFailure).map(\.id))
            let unsure = Set(suite.notPassed.map(\.id)).subtracting(now)
            let broken = now.subtracting(before).sorted()
            let mended = before.subtracting(now).subtracting(unsure).sorted()
            if !broken.isEmpty {
                changes.append(
                    .init(direction: .worse, text: "fails now in \(suite.name): \(Plurals.list(broken, limit: 4))"))
            }
            if !mended.isEmpty {
                changes.append(
                    .init(
                        direction: .better, text: "fails no more in \(suite.name): \(Plurals.list(mended, limit: 4))"))
            }
        }
        return changes
    }

    private func targetChanges(_ previous: CycleRecord) -> [CycleChange] {
        (record.targets ?? []).flatMap { target -> [CycleChange] in
            var changes: [CycleChange] = []
            if let old = previous.targets?.first(where: { $0.name == target.name }), old.status != target.status {
                changes.append(
                    .init(
                        direction: target.status == .met ? .better : .worse,
                        text: "target \(target.name): \(old.comparison), now \(target.comparison)"))
            }
            switch target.sinceGreen {
            case let change? where change.finding == .worse:
                changes.append(.init(direction: .worse, text: "target \(target.name): \(change.words)"))
            case let change? where change.finding == .better:
                changes.append(.init(direction: .better, text: "target \(target.name): \(change.words)"))
            default: break
            }
            return changes
        }
    }

    private func incidentChanges(_ previous: CycleRecord) -> [CycleChange] {
        let before = Set(previous.incidents.map(\.id))
        let now = Set(record.incidents.map(\.id))
        let new = record.incidents.filter { !before.contains($0.id) }
        let gone = previous.incidents.filter { !now.contains($0.id) }
        return new.map { .init(direction: .worse, text: "incident \($0.id): \($0.title)") }
            + gone.map { .init(direction: .better, text: "\($0.id) was not seen: \($0.title)") }
    }

    private func valueChange(_ previous: CycleRecord) -> [CycleChange] {
        let (old, new) = (previous.value.atRisk, record.value.atRisk)
        guard old != new else { return [] }
        return [
            .init(
                direction: new < old ? .better : .worse,
                text: "at risk \(Numbers.grouped(old)) -> \(Numbers.value(new, record.value.unit))")
        ]
    }
}
