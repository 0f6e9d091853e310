// SPDX-License-Identifier: Apache-2.0
// When an environment counts as steady.

import Domain
import Testing

@testable import Probes

struct StabilityWatchTests {
    static func settings(stableFor: Int = 30, deadline: Int = 600) -> HealthSettings {
        HealthSettings(stableFor: .seconds(stableFor), deadline: .seconds(deadline))
    }

    static func sample(_ ok: Bool, _ name: String = "health") -> ProbeSample {
        ProbeSample(
            check: name, at: Timestamp(milliseconds: 0), ok: ok, finding: ok ? "status 200" : "status 503, expected 200"
        )
    }

    @Test func `steady needs the whole time, not a number of rounds`() {
        var watch = StabilityWatch(Self.settings(), startedAt: .zero)
        for second in 0..<30 {
            let verdict = watch.take(
                [Self.sample(true)], from: .seconds(second), to: .milliseconds(second * 1000 + 999))
            #expect(verdict == .goOn)
        }
        #expect(watch.take([Self.sample(true)], from: .seconds(30), to: .milliseconds(30_000)) == .steady)
        #expect(watch.steadyFor == .seconds(30))
        #expect(watch.summary() == ProbeSummary(rounds: 31, goodInARow: 31, steadySeconds: 30))
    }

    @Test func `one bad sample of many starts the count again`() {
        var watch = StabilityWatch(Self.settings(stableFor: 2), startedAt: .zero)
        #expect(watch.take([Self.sample(true)], from: .seconds(0), to: .seconds(1)) == .goOn)
        let mixed = [Self.sample(true, "web"), Self.sample(false, "queue")]
        #expect(watch.take(mixed, from: .seconds(1), to: .seconds(2)) == .goOn)
        #expect(watch.steadyFor == .zero)
        #expect(watch.take([Self.sample(true)], from: .seconds(3), to: .milliseconds(4999)) == .goOn)
        #expect(watch.take([Self.sample(true)], from: .milliseconds(4999), to: .seconds(5)) == .steady)
        #expect(watch.summary().goodInARow == 2)
        #expect(watch.summary().failures.map(\.check) == ["queue"])
    }

    @Test func `the deadline names what was reached, what was needed and the last failure`() {
        var watch = StabilityWatch(Self.settings(stableFor: 30, deadline: 60), startedAt: .seconds(1000))
        #expect(watch.take([Self.sample(false)], from: .seconds(1040), to: .milliseconds(1_041_500)) == .goOn)
        #expect(
            watch.take([Self.sample(true)], from: .milliseconds(1_042_000), to: .milliseconds(1_060_500))
                == .gaveUp(
                    "steady for 18.5 s, needed 30 s, within 60 s; last failure: health: status 503, expected 200"))
    }

    @Test func `a round that completes the steady time counts even past the deadline`() {
        var watch = StabilityWatch(Self.settings(stableFor: 10, deadline: 20), startedAt: .zero)
        #expect(watch.take([Self.sample(true)], from: .seconds(11), to: .seconds(12)) == .goOn)
        #expect(watch.take([Self.sample(true)], from: .seconds(20), to: .seconds(21)) == .steady)
    }

    @Test func `no round at all within the deadline is said`() {
        let watch = StabilityWatch(Self.settings(deadline: 60), startedAt: .seconds(5))
        #expect(watch.judgeDeadline(at: .milliseconds(64_999)) == .goOn)
        #expect(watch.judgeDeadline(at: .seconds(65)) == .gaveUp("no round of checks was completed within 60 s"))
    }

    @Test func `a steady time of zero takes one good round`() {
        var watch = StabilityWatch(Self.settings(stableFor: 0), startedAt: .zero)
        #expect(watch.take([Self.sample(false)], from: .zero, to: .zero) == .goOn)
        #expect(watch.take([Self.sample(true)], from: .zero, to: .zero) == .steady)
    }

    @Test func `a round without checks is good: nothing was asked for`() {
        var watch = StabilityWatch(Self.settings(stableFor: 0), startedAt: .zero)
        #expect(watch.take([], from: .zero, to: .zero) == .steady)
    }

    @Test func `only the last failures are kept`() {
        var watch = StabilityWatch(Self.settings(), startedAt: .zero)
        for index in 0..<50 {
            _ = watch.take([Self.sample(false, "check \(index)")], from: .seconds(index), to: .seconds(index))
        }
        #expect(watch.summary().failures.map(\.check) == (30..<50).map { "check \($0)" })
    }

    @Test func `the next round never starts past the deadline`() {
        let watch = StabilityWatch(Self.settings(deadline: 60), startedAt: .seconds(10))
        #expect(watch.nextRound(after: .seconds(20), interval: .seconds(1)) == .seconds(21))
        #expect(watch.nextRound(after: .seconds(69), interval: .seconds(5)) == .seconds(70))
    }

    /// Every pattern of good and bad over ten rounds of one second, against the definition in words.
    @Test(arguments: [1, 3, 5], [4, 7, 20])
    func `every pattern of ten rounds is judged as defined`(stableFor: Int, deadline: Int) {
        for pattern in 0..<1024 {
            let good = (0..<10).map { pattern >> $0 & 1 == 1 }
            var watch = StabilityWatch(Self.settings(stableFor: stableFor, deadline: deadline), startedAt: .zero)
            var ended: (round: Int, steady: Bool)?
            for round in 0..<10 where ended == nil {
                switch watch.take([Self.sample(good[round])], from: .seconds(round), to: .seconds(round + 1)) {
                case .goOn: break
                case .steady: ended = (round, true)
                case .gaveUp: ended = (round, false)
                }
            }
            let expected = Self.expected(good, stableFor: stableFor, deadline: deadline)
            #expect(ended?.round == expected?.round && ended?.steady == expected?.steady, "pattern \(pattern)")
        }
    }

    /// The first round that ends a run of `stableFor` good ones, or the first at the deadline that does not.
    static func expected(_ good: [Bool], stableFor: Int, deadline: Int) -> (round: Int, steady: Bool)? {
        for round in good.indices {
            if round + 1 >= stableFor, good[(round + 1 - stableFor)...round].allSatisfy({ $0 }) { return (round, true) }
            if round + 1 >= deadline { return (round, false) }
        }
        return nil
    }
}
