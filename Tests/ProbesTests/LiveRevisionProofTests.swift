// SPDX-License-Identifier: Apache-2.0
// Which answers prove that a revision is live.

import Domain
import Testing

@testable import Probes

struct LiveRevisionProofTests {
    static let wanted = Revision("77af001d0c4b8e7a6f5e4d3c2b1a09876543210f")
    static let other = Revision("4f2e91c00c4b8e7a6f5e4d3c2b1a09876543210f")

    static func proof(_ answers: [String?], needed: Int, service: String? = nil) -> LiveRevisionProof {
        var proof = LiveRevisionProof(service: service, needed: needed)
        for answer in answers {
            proof.take(
                RevisionAnswer(revision: answer.map { Revision($0) }, problem: answer == nil ? "no answer" : nil))
        }
        return proof
    }

    @Test func `every answer must name the wanted revision`() {
        let id = Self.wanted.id
        #expect(Self.proof([id, id, id], needed: 3).verdict(wanted: Self.wanted) == .proven)
        #expect(
            Self.proof([id, id, Self.other.id], needed: 3).verdict(wanted: Self.wanted)
                == .contradicted("1 × 4f2e91c, 2 × 77af001 of 3 answers, wanted 77af001 in every one"))
    }

    @Test func `abbreviations of at least seven characters name the same revision`() {
        let proof = Self.proof(["77af001", Self.wanted.id, "77af001d0c"], needed: 3)
        #expect(proof.verdict(wanted: Self.wanted) == .proven)
        #expect(proof.reading().answers == [LiveReading.Answer(revision: Self.wanted, count: 3)])
        #expect(Self.proof(["77af00"], needed: 1).verdict(wanted: Self.wanted) != .proven)
    }

    @Test func `too few answers prove nothing and contradict nothing`() {
        let id = Self.wanted.id
        #expect(
            Self.proof([id, id], needed: 3).verdict(wanted: Self.wanted)
                == .unproven("2 of 2 answers name a revision, needed 3 of 3"))
        #expect(
            Self.proof([id, nil, id, id], needed: 3).verdict(wanted: Self.wanted)
                == .unproven("3 of 4 answers name a revision, needed 3 of 3: no answer"))
        #expect(
            Self.proof([], needed: 1).verdict(wanted: Self.wanted)
                == .unproven("0 of 0 answers name a revision, needed 1 of 1"))
    }

    @Test func `one wrong answer contradicts however many cannot be read`() {
        let verdict = Self.proof([nil, Self.other.id, nil], needed: 3, service: "web").verdict(wanted: Self.wanted)
        #expect(
            verdict == .contradicted("web: 1 × 4f2e91c, 2 unreadable of 3 answers, wanted 77af001 in every one"))
    }

    @Test func `a need of zero still takes one answer`() {
        #expect(Self.proof([], needed: 0).verdict(wanted: Self.wanted) != .proven)
    }

    /// All multisets of up to four answers out of wanted, other and unreadable, against the definition.
    @Test func `every mix of answers is judged as defined`() {
        let choices: [String?] = [Self.wanted.id, Self.other.id, nil]
        for length in 0...4 {
            for number in 0..<Int(3 ** length) {
                let answers = (0..<length).map { choices[number / Int(3 ** $0) % 3] }
                let verdict = Self.proof(answers, needed: 3).verdict(wanted: Self.wanted)
                let right = answers.filter { $0 == Self.wanted.id }.count
                let wrong = answers.filter { $0 == Self.other.id }.count
                switch verdict {
                case .contradicted: #expect(wrong > 0)
                case .proven: #expect(right == length && right >= 3)
                case .unproven: #expect(wrong == 0 && (right < 3 || right < length))
                }
            }
        }
    }

    @Test func `a reading names the sole revision or says why there is none`() {
        let agreed = Self.proof([Self.other.id, Self.other.id], needed: 2).reading()
        #expect(agreed.revision == Self.other && agreed.problem == nil && agreed.asked == 2)
        let mixed = Self.proof([Self.other.id, Self.wanted.id], needed: 2).reading()
        #expect(mixed.revision == nil && mixed.problem == "answers differ: 1 × 4f2e91c, 1 × 77af001")
        let partly = Self.proof([Self.other.id, nil], needed: 2).reading()
        #expect(partly.revision == nil && partly.problem == "1 of 2 answers name no revision: no answer")
        let wrong = Self.proof([Self.other.id], needed: 1, service: "web").reading(wanted: Self.wanted)
        #expect(wrong.revision == Self.other && wrong.problem?.hasPrefix("web: 1 × 4f2e91c of 1 answers") == true)
        #expect(wrong.services == [ServiceState(name: "web", wanted: Self.wanted, live: Self.other)])
    }

    @Test func `services that disagree have no common revision`() {
        let web = Self.proof([Self.wanted.id], needed: 1, service: "web").reading(wanted: Self.wanted)
        let worker = Self.proof([Self.other.id], needed: 1, service: "worker").reading(wanted: Self.wanted)
        let both = LiveRevisionProof.combined([web, worker])
        #expect(both.revision == nil && both.services.count == 2 && both.asked == 2)
        #expect(both.problem?.hasPrefix("worker: ") == true)
        let short = Self.proof(["77af001"], needed: 1, service: "worker").reading(wanted: Self.wanted)
        #expect(LiveRevisionProof.combined([web, short]).revision == Self.wanted)
        #expect(LiveRevisionProof.combined([]).problem == "no live revision check is configured")
        #expect(LiveRevisionProof.combined([web]) == web)
    }
}

infix operator ** : MultiplicationPrecedence
private func ** (base: Int, exponent: Int) -> Int {
    (0..<exponent).reduce(1) { product, _ in product * base }
}
