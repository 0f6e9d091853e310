// SPDX-License-Identifier: Apache-2.0
// What a search by hand came to, for each test.

import Domain
import Triage

struct BisectionAnswers {
    let tests: [BisectionTest]
    let commits: [CommitInfo]
    let untestable: [Revision: String]

    func answers(_ schedule: CulpritSchedule) -> [BisectedTest] {
        zip(tests, schedule.searches).map { test, search in
            let ranked = search.ranked
            let rates = search.estimatedRates
            let candidates = ranked.prefix(10).compactMap(blamed)
            var answer = BisectedTest.Answer.undecided
            var culprit: Culprit?
            switch search.standing {
            case .culprit(let revision, let probability):
                answer = .culprit
                culprit = blamed(RankedSuspect(revision: revision, probability: probability))
            case .none: answer = .none
            case .open, .unconfirmed: break
            }
            return BisectedTest(
                suite: test.suite, test: test.id, answer: answer, culprit: culprit, candidates: candidates,
                noneProbability: search.noneProbability, goodRate: rates.good, badRate: rates.bad,
                revisions: rows(search, ranked))
        }
    }

    private func blamed(_ suspect: RankedSuspect) -> Culprit? {
        commits.first { $0.revision == suspect.revision }.map {
            Culprit(
                commit: $0.revision, subject: $0.subject, author: $0.author, files: $0.files,
                probability: suspect.probability)
        }
    }

    private func rows(_ search: CulpritSearch, _ ranked: [RankedSuspect]) -> [BisectedTest.Row] {
        let probabilities = Dictionary(ranked.map { ($0.revision, $0.probability) }) { first, _ in first }
        return ([search.green] + search.suspects).compactMap { revision in
            let counts = search.counts(on: revision)
            guard counts.runs > 0 || untestable[revision] != nil else { return nil }
            return BisectedTest.Row(
                revision: revision, fails: counts.fails, passes: counts.passes,
                probability: probabilities[revision] ?? 0, untestable: counts.runs > 0 ? nil : untestable[revision])
        }
    }
}
