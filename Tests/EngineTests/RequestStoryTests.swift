// SPDX-License-Identifier: Apache-2.0
// What people asked for, in the evidence of a cycle.

import Domain
import Testing

@testable import Engine

struct RequestStoryTests {
    private func ask(_ story: inout Story, _ verb: OperatorRequest.Verb, _ argument: String? = nil) {
        story.tell(.operatorRequested(OperatorRequest(verb: verb, by: "ann", argument: argument)))
    }

    @Test func `what people asked for and got is in the cycle under way, or in the next one`() {
        var story = Story()
        story.tell(.pauseRequested(PauseRequested(owner: "bob", reason: "demo", until: nil)))
        // Refused: it changes nothing, and nothing is written down.
        ask(&story, .acknowledge, "INC-9")
        ask(&story, .resume)
        #expect(story.machine.memory.requests?.map(\.verb) == ["pause", "resume"])
        story.wake()
        story.see()
        #expect(story.machine.memory.requests == nil)
        ask(&story, .trigger)
        ask(&story, .abort, "wrong branch")
        let requests = story.machine.cycle?.requests ?? []
        #expect(requests.map(\.verb) == ["pause", "resume", "trigger", "abort"])
        #expect(requests.map(\.by) == ["bob", "ann", "ann", "ann"])
        #expect(requests.map(\.reason) == ["demo", nil, nil, "wrong branch"])
        #expect(requests.last?.answer?.contains("is aborted") == true)
    }

    @Test func `a script that asks without end does not fill the memory`() {
        var story = Story()
        for _ in 0..<500 { story.tell(.pauseRequested(PauseRequested(owner: "bot", reason: "x", until: nil))) }
        #expect(story.machine.memory.requests?.count == 100)
    }

    @Test func `what is said while the evidence is sealed belongs to the next cycle`() {
        var story = Story()
        story.wake()
        story.see()
        story.pass()
        #expect(story.place == "concluding")
        let before = story.machine.cycle?.requests
        ask(&story, .trigger)
        #expect(story.machine.cycle?.requests == before)
        #expect(story.machine.memory.requests?.map(\.verb) == ["trigger"])
    }

    @Test func `who asks for one cycle gets it as soon as the one that was left is sealed`() {
        var story = Story()
        story.wake()
        story.see()
        story.pass()
        #expect(story.place == "concluding")
        story.restart(cycles: 1)
        story.seal()
        #expect(story.place == "waiting" && story.timer?.delay == .zero)
        story.wake()
        story.see(live: Samples.wanted, trigger: .once)
        #expect(story.machine.memory.cycle == 2)
        story.pass()
        story.seal()
        #expect(story.place == "finished")
    }
}
