// SPDX-License-Identifier: Apache-2.0
// An incident is said to be there before anything is tried on it. What it turns out to be, on its own or one with another,
// is said when triage has concluded.

import Domain

extension CycleMachine {
    /// The next number; none is given twice.
    mutating func nextIncident() -> String {
        memory.incidentCount += 1
        return "INC-\(memory.incidentCount)"
    }

    /// Where the incident of a signature is in memory: the open one, else the one that was resolved last, which is then the
    /// same again.
    func knownIncident(_ signature: String) -> Int? {
        memory.incidents.firstIndex { $0.signature == signature && $0.state != .resolved }
            ?? memory.incidents.lastIndex { $0.signature == signature }
    }

    /// Failures that triage has grouped get their numbers: those of the incidents that they belong to, or new ones.
    mutating func announce(_ grouped: [Incident]) -> [Action] {
        guard let progress = cycle else { return [] }
        var said: [Action] = []
        for group in grouped where !progress.announced.contains(where: { $0.signature == group.signature }) {
            var incident = group
            let known = knownIncident(group.signature).map { memory.incidents[$0] }
            if let known {
                let isSameCycle = (progress.earlierIncidents + progress.incidents).contains { $0.id == known.id }
                incident.id = known.id
                (incident.firstCycle, incident.firstSeen) = (known.firstCycle, known.firstSeen)
                incident.timesSeen = known.timesSeen + (isSameCycle ? 0 : 1)
                incident.timesReopened = (known.timesReopened ?? 0) + (known.state == .resolved ? 1 : 0)
            } else {
                incident.id = nextIncident()
            }
            cycle?.announced.append(incident)
            said.append(.say(Lines.incident(incident, isNew: known == nil, cycle: progress.number)))
        }
        return said
    }

    /// What has become of the incidents that were announced: those that are not among the concluded ones belong to one of
    /// them, which remembers that.
    mutating func settle(_ named: inout [Incident]) -> [Action] {
        let announced = cycle?.announced ?? []
        cycle?.announced = []
        var said: [Action] = []
        for one in announced where !named.contains(where: { $0.id == one.id }) {
            let isOld = memory.incidents.contains { $0.id == one.id }
            guard let index = named.firstIndex(where: { Set(one.tests).isSubset(of: $0.tests) && !one.tests.isEmpty })
            else {
                said.append(.say(LogLine(.fact, "incident", "\(one.id) is no incident: triage found no cause for it")))
                continue
            }
            if !isOld {
                named[index].joined = (named[index].joined ?? []) + [one.id]
                if let place = memory.incidents.firstIndex(where: { $0.id == named[index].id }) {
                    memory.incidents[place].joined = named[index].joined
                }
            }
            let diagnosis = named[index].diagnosis
            let cause = diagnosis?.culprit.map { "culprit \($0.commit.short)" } ?? diagnosis?.category.rawValue
            let because = cause.map { ": one cause, \($0)" } ?? ""
            said.append(.say(LogLine(.fact, "incident", "\(one.id) joined \(named[index].id)\(because)")))
        }
        return said
    }

    /// A cycle that ends before triage does keeps no incident that it announced: whoever saw the number hears it.
    mutating func withdrawAnnounced() -> [Action] {
        let announced = (cycle?.announced ?? []).filter { one in !memory.incidents.contains { $0.id == one.id } }
        cycle?.announced = []
        guard !announced.isEmpty else { return [] }
        let ids = announced.map(\.id).joined(separator: ", ")
        return [.say(LogLine(.skip, "incident", "\(ids) not kept: the cycle ended before triage did"))]
    }

    /// The line of the newest experiment, with what triage makes of it.
    mutating func unsaid(_ finding: String? = nil) -> [Action] {
        guard var line = cycle?.unsaid else { return [] }
        cycle?.unsaid = nil
        if let finding { line.text += "; \(finding)" }
        return [.say(line)]
    }
}
