// SPDX-License-Identifier: Apache-2.0
// Judges the answers to "which revision is live?": behind a load balancer every one of them must say the same.

package import Domain

/// One answer to the question which revision is live.
package struct RevisionAnswer: Hashable, Sendable {
    /// Nil where it could not be read; `problem` says why.
    package var revision: Revision?
    package var problem: String?
    package var milliseconds: Double?

    package init(revision: Revision?, problem: String? = nil, milliseconds: Double? = nil) {
        self.revision = revision
        self.problem = problem
        self.milliseconds = milliseconds
    }
}

/// Collects answers of one service and judges them. A pure value.
package struct LiveRevisionProof: Sendable {
    package enum Verdict: Hashable, Sendable {
        /// Every answer named the wanted revision.
        case proven
        /// At least one did not; in words, with counts: `12 of 20 answers name 4f2e91c, wanted 77af001`.
        case contradicted(String)
        /// Too few answers could be read, and none contradicts.
        case unproven(String)
    }

    private let service: String?
    private let needed: Int
    private var counts: [Revision: Int] = [:]
    private var unreadable = 0
    private var firstProblem: String?
    private var asked = 0

    /// `needed` answers (at least 1) must agree.
    package init(service: String? = nil, needed: Int) {
        self.service = service
        self.needed = max(1, needed)
    }

    package mutating func take(_ answer: RevisionAnswer) {
        asked += 1
        guard let revision = answer.revision else {
            unreadable += 1
            firstProblem = firstProblem ?? answer.problem ?? "no revision in the answer"
            return
        }
        // Instances may abbreviate differently; the longest spelling seen stands for all of them.
        if let known = counts.keys.sorted().first(where: { $0.names(revision) }) {
            let count = counts.removeValue(forKey: known) ?? 0
            let longer = known.id.utf8.count >= revision.id.utf8.count ? known : revision
            counts[longer] = count + 1
        } else {
            counts[revision] = 1
        }
    }

    /// What the answers say about `wanted`.
    package func verdict(wanted: Revision) -> Verdict {
        let others = counts.filter { !$0.key.names(wanted) }
        if !others.isEmpty { return .contradicted(contradiction(wanted: wanted)) }
        let agreeing = counts.values.reduce(0, +)
        if agreeing >= needed, unreadable == 0 { return .proven }
        let problem = firstProblem.map { ": \($0)" } ?? ""
        return .unproven(
            named("\(agreeing) of \(asked) answers name a revision, needed \(needed) of \(needed)\(problem)"))
    }

    /// The reading for the record, whatever was wanted.
    package func reading(wanted: Revision? = nil) -> LiveReading {
        let sorted = counts.sorted { $0.key < $1.key }.map { LiveReading.Answer(revision: $0.key, count: $0.value) }
        let sole = sorted.count == 1 && unreadable == 0 ? sorted.first?.revision : nil
        let services = service.map { [ServiceState(name: $0, wanted: wanted, live: sole)] } ?? []
        return LiveReading(revision: sole, answers: sorted, asked: asked, services: services, problem: problem(wanted))
    }

    private func problem(_ wanted: Revision?) -> String? {
        if let wanted {
            switch verdict(wanted: wanted) {
            case .proven: return nil
            case .contradicted(let text), .unproven(let text): return text
            }
        }
        if asked == 0 { return named("nobody was asked") }
        if counts.count > 1 { return named("answers differ: \(tally)") }
        return unreadable > 0
            ? named("\(unreadable) of \(asked) answers name no revision: \(firstProblem ?? "")") : nil
    }

    private func contradiction(wanted: Revision) -> String {
        let unread = unreadable > 0 ? ", \(unreadable) unreadable" : ""
        return named("\(tally)\(unread) of \(asked) answers, wanted \(wanted.short) in every one")
    }

    /// `12 × 4f2e91c, 8 × 77af001`, sorted by revision.
    private var tally: String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key.short)" }.joined(separator: ", ")
    }

    private func named(_ text: String) -> String {
        service.map { "\($0): \(text)" } ?? text
    }

    /// One reading of several services: a revision only where all agree, all answers, the first problem.
    package static func combined(_ readings: [LiveReading]) -> LiveReading {
        guard readings.count != 1, let first = readings.first else {
            return readings.first ?? LiveReading(revision: nil, problem: "no live revision check is configured")
        }
        let agree = readings.allSatisfy { reading in
            reading.revision.map { one in first.revision.map(one.names) ?? false } ?? false
        }
        var counts: [Revision: Int] = [:]
        for answer in readings.flatMap(\.answers) { counts[answer.revision, default: 0] += answer.count }
        return LiveReading(
            revision: agree ? readings.compactMap(\.revision).max { $0.id.utf8.count < $1.id.utf8.count } : nil,
            answers: counts.sorted { $0.key < $1.key }.map { LiveReading.Answer(revision: $0.key, count: $0.value) },
            asked: readings.map(\.asked).reduce(0, +), services: readings.flatMap(\.services),
            problem: readings.compactMap(\.problem).first)
    }
}
