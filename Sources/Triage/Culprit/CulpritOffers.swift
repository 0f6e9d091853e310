// SPDX-License-Identifier: Apache-2.0
// What a number of runs at a position would tell a search: the mutual information between their outcomes and the answer to
// "is a suspect up to here to blame, a later one, or none".

import Domain

/// What so many runs at one position are expected to tell, in bits.
struct CulpritOffer {
    var times: Int
    var information: Double
}

/// All offers of one search, computed once for its posterior.
struct CulpritOffers {
    /// Numbers of runs that are considered.
    static let times = [1, 2, 3, 4, 6, 8]

    private let search: CulpritSearch
    let posterior: CulpritPosterior
    let standing: CulpritStanding
    /// For each segment: how probable each outcome is on a good and on a bad revision. Outcomes of all numbers of runs
    /// stand one behind the other.
    private let good: [[Double]]
    private let bad: [[Double]]
    /// The same if none is to blame.
    private let none: [Double]
    /// The sums of `bad` over the segments before each one, and of `good` over those from each one on, by their masses.
    private let badBefore: [[Double]]
    private let goodFrom: [[Double]]
    /// The posterior probability of all hypotheses before each one.
    private let cumulative: [Double]

    init(_ search: CulpritSearch) {
        self.search = search
        let posterior = CulpritPosterior(search)
        self.posterior = posterior
        standing = search.standing(posterior)
        let goodTable = search.rates.good.map(CulpritOffers.outcomes)
        let badTable = search.rates.bad.map(CulpritOffers.outcomes)
        none = CulpritOffers.mix(goodTable, posterior.noneRates)
        let good = posterior.segments.map { CulpritOffers.mix(goodTable, $0.good) }
        let bad = posterior.segments.map { CulpritOffers.mix(badTable, $0.bad) }
        let nothing = Array(repeating: 0.0, count: none.count)
        var before = [nothing]
        var from = [nothing]
        for (index, segment) in posterior.segments.enumerated() {
            before.append(CulpritOffers.sum(before[index], bad[index], segment.mass))
        }
        for (index, segment) in posterior.segments.enumerated().reversed() {
            from.append(CulpritOffers.sum(from[from.count - 1], good[index], segment.mass))
        }
        self.good = good
        self.bad = bad
        badBefore = before
        goodFrom = from.reversed()
        var sums = [0.0]
        sums.reserveCapacity(posterior.suspects.count + 1)
        for probability in posterior.suspects { sums.append((sums.last ?? 0) + probability) }
        cumulative = sums
    }

    /// Whether the search still wants runs.
    var isOpen: Bool {
        switch standing {
        case .open, .unconfirmed: search.runs < search.settings.maximumRuns
        case .culprit, .none: false
        }
    }

    /// The probability of each outcome of each number of runs, where a run fails at `rate`.
    private static func outcomes(_ rate: Double) -> [Double] {
        var all: [Double] = []
        for count in times {
            var probability = RealMath.exp(Double(count) * RealMath.log1p(-rate))
            for fails in 0...count {
                all.append(probability)
                probability *= rate / (1 - rate) * Double(count - fails) / Double(fails + 1)
            }
        }
        return all
    }

    private static func mix(_ table: [[Double]], _ weights: [Double]) -> [Double] {
        var mixed = Array(repeating: 0.0, count: table[0].count)
        for (row, weight) in zip(table, weights) where weight > 1e-9 {
            for index in mixed.indices { mixed[index] += weight * row[index] }
        }
        return mixed
    }

    private static func sum(_ one: [Double], _ other: [Double], _ weight: Double) -> [Double] {
        one.indices.map { one[$0] + weight * other[$0] }
    }

    // MARK: - Positions worth a look

    /// Within a segment the information depends on the share of the posterior that lies before the position alone: a
    /// few shares are enough.
    private static let shares = [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9]

    var positions: [Int] {
        var chosen: Set<Int> = []
        for segment in posterior.segments {
            chosen.formUnion([segment.start, segment.end])
            let low = cumulative[segment.start]
            for share in CulpritOffers.shares {
                let target = low + share * (cumulative[segment.end] - low)
                let place = firstPosition(reaching: target, segment.start, segment.end)
                for near in [place - 1, place] where near >= segment.start {
                    if let found = testable(near, segment.start, segment.end) { chosen.insert(found) }
                }
            }
        }
        return chosen.filter { !search.untestable.contains($0) }.sorted()
    }

    private func firstPosition(reaching target: Double, _ start: Int, _ end: Int) -> Int {
        var (low, high) = (start, end)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] < target { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The nearest position within the segment that can be tested.
    private func testable(_ position: Int, _ start: Int, _ end: Int) -> Int? {
        guard search.untestable.contains(position) else { return position }
        for distance in 1...max(1, end - start) {
            for near in [position - distance, position + distance] where near >= start && near <= end {
                if !search.untestable.contains(near) { return near }
            }
        }
        return nil
    }

    // MARK: - What is offered

    /// A step that confirms what the posterior already says is worth this much beyond what it tells, in bits: a culprit
    /// is not named before it is confirmed.
    private static let confirmation = 0.5

    func offers(at position: Int) -> [CulpritOffer] {
        let classes = predicted(at: position)
        let bonus = needsLook(at: position) ? CulpritOffers.confirmation : 0
        var offset = 0
        return CulpritOffers.times.map { count in
            let outcomes = offset...(offset + count)
            offset += count + 1
            // The sum over outcomes and answers of p log(p / (p(outcome) p(answer))).
            var information = 0.0
            for index in outcomes {
                let either = classes.reduce(0) { $0 + $1.outcomes[index] }
                for answer in classes where answer.outcomes[index] > 0 {
                    information +=
                        answer.outcomes[index] * RealMath.log(answer.outcomes[index] / (either * answer.probability))
                }
            }
            return CulpritOffer(times: count, information: max(0, information) / RealMath.lnTwo + bonus)
        }
    }

    /// For each answer: its probability, and that of each outcome together with it.
    private func predicted(at position: Int) -> [(probability: Double, outcomes: [Double])] {
        // The segment that holds the hypothesis `position`, or the last one.
        let number = posterior.segments.firstIndex { position < $0.end } ?? posterior.segments.count - 1
        let segment = posterior.segments[number]
        let before = cumulative[position] - cumulative[segment.start]
        let after = cumulative[segment.end] - cumulative[position]
        let onBad = CulpritOffers.sum(badBefore[number], bad[number], max(0, before))
        let onGood = CulpritOffers.sum(goodFrom[number + 1], good[number], max(0, after))
        let whole = cumulative[cumulative.count - 1]
        let all = [
            (cumulative[position], onBad), (whole - cumulative[position], onGood),
            (posterior.none, none.map { $0 * posterior.none }),
        ]
        return all.filter { $0.0 > 1e-15 }
    }

    /// Whether the likeliest suspect cannot be named before this position was looked at.
    private func needsLook(at position: Int) -> Bool {
        guard case .unconfirmed(let revision, _) = standing, let place = search.position(of: revision) else {
            return false
        }
        return (position == place && search.seen[place].fails == 0)
            || (position == place - 1 && search.seen[place - 1].passes == 0)
    }
}
