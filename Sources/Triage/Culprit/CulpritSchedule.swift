// SPDX-License-Identifier: Apache-2.0
// Which revision to deploy next, and how often to run which tests there, for one search or several that share deployments:
// the step that tells most for what it costs.

package import Domain

/// A revision to test, and how often.
package struct CulpritStep: Hashable, Sendable {
    package var revision: Revision
    /// Runs for each search, 0 for one that has nothing to learn there.
    package var times: [Int]
    /// What it is expected to tell all searches together, in bits.
    package var information: Double
    /// Deployment and runs, in the unit of the costs.
    package var cost: Double

    package init(revision: Revision, times: [Int], information: Double, cost: Double) {
        self.revision = revision
        self.times = times
        self.information = information
        self.cost = cost
    }
}

/// Searches over the same commits. One alone is the usual case.
package struct CulpritSchedule: Hashable, Sendable {
    package var searches: [CulpritSearch]
    /// What a deployment costs, in the unit of `CulpritSettings.runCost`; a run where something is deployed already
    /// costs only itself.
    package var deployCost: Double

    package init(_ searches: [CulpritSearch], deployCost: Double) {
        self.searches = searches
        self.deployCost = deployCost
    }

    /// Below this, in bits, a step tells nothing any more.
    private static let nothing = 1e-3

    /// Whether the runs of a step tell enough for their own cost; the deployment is paid for what it makes possible.
    private func isWorth(_ step: CulpritStep, _ open: [Int]) -> Bool {
        let least = open.reduce(0) { sum, index in
            sum + Double(step.times[index]) * searches[index].settings.leastInformation
        }
        return step.information > max(CulpritSchedule.nothing, least)
    }

    /// The next step; nil where every search has ended, or no step would tell anything.
    ///
    /// Each search runs the head again before anything else: most of what looks like a regression and is none is
    /// recognized there (Henderson et al., "Flake Aware Culprit Finding", ICST 2023).
    package func next(deployed: Revision?) -> CulpritStep? {
        let offers = searches.map(CulpritOffers.init)
        let open = searches.indices.filter { offers[$0].isOpen }
        guard let first = open.first else { return nil }
        let fresh = open.filter { searches[$0].counts(on: searches[$0].head).runs == 0 }
        if let one = fresh.first, searches[one].isTestable(searches[one].head) {
            return step(at: searches[one].head, open, offers, deployed, required: Set(fresh))
        }
        var positions: Set<Int> = []
        for index in open { positions.formUnion(offers[index].positions) }
        if let deployed, let here = searches[first].position(of: deployed) { positions.insert(here) }
        var best: CulpritStep?
        for position in positions.sorted() {
            let revision = searches[first].revision(at: position)
            guard let step = step(at: revision, open, offers, deployed), isWorth(step, open) else { continue }
            if let leader = best, step.information / step.cost <= leader.information / leader.cost { continue }
            best = step
        }
        return best
    }

    /// The numbers of runs at one revision with the most information per cost (Dinkelbach's method: for a price of
    /// information each search chooses alone, and the price follows from what they chose).
    private func step(
        at revision: Revision, _ open: [Int], _ offers: [CulpritOffers], _ deployed: Revision?,
        required: Set<Int> = []
    ) -> CulpritStep? {
        let fixed = revision == deployed ? 0 : deployCost
        var choices: [(index: Int, offers: [CulpritOffer])] = []
        for index in open {
            guard let position = searches[index].position(of: revision), searches[index].isTestable(revision) else {
                continue
            }
            choices.append((index, offers[index].offers(at: position)))
        }
        guard !choices.isEmpty else { return nil }
        var best: CulpritStep?
        var price = 0.0
        for _ in 0..<8 {
            var step = CulpritStep(
                revision: revision, times: Array(repeating: 0, count: searches.count), information: 0, cost: fixed)
            for (index, list) in choices {
                let unit = searches[index].settings.runCost
                let mustRun = required.contains(index)
                let left = searches[index].settings.maximumRuns - searches[index].runs
                var chosen: (offer: CulpritOffer, worth: Double)?
                for offer in list where offer.times <= max(1, left) {
                    let worth = offer.information - price * unit * Double(offer.times)
                    guard mustRun || worth > 0 else { continue }
                    if let leader = chosen, worth <= leader.worth { continue }
                    chosen = (offer, worth)
                }
                guard let chosen else { continue }
                step.times[index] = chosen.offer.times
                step.information += chosen.offer.information
                step.cost += unit * Double(chosen.offer.times)
            }
            guard step.cost > 0, step.times.contains(where: { $0 > 0 }) else { break }
            let reached = step.information / step.cost
            if let leader = best, reached <= leader.information / leader.cost * (1 + 1e-9) { break }
            best = step
            price = reached
        }
        return best
    }
}

extension CulpritSearch {
    /// The next step of this search alone: where, and how often.
    package func next(deployed: Revision?, deployCost: Double) -> CulpritStep? {
        CulpritSchedule([self], deployCost: deployCost).next(deployed: deployed)
    }
}
