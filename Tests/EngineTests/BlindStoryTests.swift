// SPDX-License-Identifier: Apache-2.0
// An environment that stops answering: nothing stays green, and it is looked at again until it is back.

import Domain
import Testing

@testable import Engine

struct BlindStoryTests {
    private static let silence = WorkUnavailable(
        trigger: .schedule, reason: "connection refused", source: WorkUnavailable.liveRevision)

    /// A green cycle of a loop that only watches.
    private func green(_ mode: Mode = .observe) -> Story {
        var policy = Samples.policy
        policy.mode = mode
        policy.skipUnchanged = true
        var story = Story(policy)
        story.wake()
        story.see(live: Samples.wanted)
        story.pass()
        story.seal()
        #expect(story.machine.memory.lastGreen == Samples.wanted)
        return story
    }

    /// Looks until one of them begins a cycle; the delays that were waited.
    private func goDark(_ story: inout Story) -> [Duration] {
        var delays: [Duration] = []
        while story.place != "stabilize-1", delays.count < 20 {
            story.wake()
            story.tell(.workUnavailable(Self.silence))
            if let delay = story.timer?.delay { delays.append(delay) }
        }
        return delays
    }

    private var down: Incident {
        Samples.incident([], .environmentDown, .none, grade: .likely, suites: [])
    }

    @Test(arguments: [Mode.observe, .verify])
    func `an environment that stays silent is a failing cycle`(_ mode: Mode) {
        var story = green(mode)
        #expect(goDark(&story) == [.seconds(5), .seconds(5), .seconds(10)])
        #expect(story.machine.memory.cycle == 2)
        #expect(story.run?.revision == Samples.wanted)
        story.end(.failed, "connection refused", live: .some(nil))
        #expect(story.place == "asking")
        story.conclude([down])
        #expect(story.verdict == .failing)
        #expect(story.rules.first == "not-stable")
        #expect(story.machine.memory.serving == nil)
        story.seal()
        // One cycle says it; looks go on, at least once a minute.
        for _ in 0..<6 {
            #expect(story.timer?.delay ?? .seconds(9999) <= .seconds(60))
            story.wake()
            story.tell(.workUnavailable(Self.silence))
            #expect(story.place == "waiting")
        }
        #expect(story.machine.memory.cycle == 2)
        #expect(story.machine.memory.unreadable?.nextLook == story.now + .seconds(60))
        // Back again, it is tested at once, although the revision is known.
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.machine.memory.cycle == 3)
        #expect(story.machine.memory.unreadable == nil)
        story.pass()
        #expect(story.verdict == .healthy)
    }

    @Test func `who reads the memory sees at once that nothing answers`() {
        var story = green()
        story.wake()
        story.tell(.workUnavailable(Self.silence))
        #expect(story.machine.memory.unreadable?.since == story.now)
        #expect(story.lines.contains { $0.contains("connection refused; looks again in 5s") })
        // A moment without an answer is no reason to test what is known.
        story.wake()
        story.see(live: Samples.wanted)
        #expect(story.place == "waiting")
        #expect(story.machine.memory.unreadable == nil)
        #expect(story.machine.memory.cycle == 1)
    }

    @Test func `before the first cycle too`() {
        var policy = Samples.policy
        policy.mode = .observe
        var story = Story(policy)
        _ = goDark(&story)
        #expect(story.machine.memory.cycle == 1)
        story.end(.failed, "connection refused", live: .some(nil))
        story.conclude([down])
        #expect(story.verdict == .failing)
    }

    @Test func `what others deployed while it was away is looked at anew`() {
        var story = green()
        _ = goDark(&story)
        story.end(.failed, "another revision", live: .some(Samples.other))
        #expect(story.verdict == .interrupted)
        #expect(story.rules.first == "superseded")
        story.seal()
        story.wake()
        story.see(Samples.other, live: Samples.other)
        #expect(story.run?.revision == Samples.other)
    }

    @Test func `in mode operate nothing is known where nothing answers`() {
        var story = green(.operate)
        story.wake()
        story.see(live: nil)
        #expect(story.place == "waiting")
        #expect(story.machine.memory.unreadable != nil)
        #expect(story.timer?.delay == .seconds(5))
        while story.place == "waiting" {
            story.wake()
            story.see(live: nil)
        }
        #expect(story.run?.kind == .deploy)
        #expect(story.run?.revision == Samples.wanted)
        story.pass()
        #expect(story.verdict == .healthy)
        #expect(story.machine.memory.unreadable == nil)
    }

    @Test func `a pause or a closed window begins no cycle`() {
        var story = green()
        story.wake()
        story.tell(.workUnavailable(Self.silence))
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: nil)), after: .seconds(600))
        story.tell(.operatorRequested(OperatorRequest(verb: .resume, by: "ann")))
        story.wake()
        story.tell(.pauseRequested(PauseRequested(owner: "ann", reason: "demo", until: nil)))
        story.tell(.workUnavailable(Self.silence))
        #expect(story.place == "waiting")
        #expect(story.machine.memory.cycle == 1)
    }
}
