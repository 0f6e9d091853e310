// SPDX-License-Identifier: Apache-2.0
// Random damage to a good file: no crash, and nothing that is written is silently without effect.

import Domain
import Testing

@testable import Configuration

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

struct MutationTests {
    private let alphabet = Array("{}[]:,'\"\\/*#$ \nab1.-exX_~".utf8) + [0, 0x80, 0xc3, 0xff]

    private func mutated(_ original: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes.remove(at: index)
            case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: index)
            case 2: bytes[index] = alphabet.randomElement(using: &generator) ?? 0
            case 3: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &generator))
            case 4: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...30, using: &generator)))
            default: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 12)], at: index)
            }
            if bytes.isEmpty { return [32] }
        }
        return bytes
    }

    /// A document with its quantities in one writing, so that `30m` and `030m` are the same.
    private func meaning(_ bytes: [UInt8]) -> JSON5Value? {
        guard case .value(let value) = JSON5Parser.parse(bytes) else { return nil }
        return meaning(value)
    }

    private func meaning(_ value: JSON5Value) -> JSON5Value {
        switch value.kind {
        case .text(let text):
            JSON5Value(.text(Quantity.duration(text).map(Quantity.text) ?? text), at: value.position)
        case .list(let values): JSON5Value(.list(values.map(meaning)), at: value.position)
        case .object(let members):
            JSON5Value(
                .object(
                    members.map { JSON5Member(key: $0.key, keyPosition: $0.keyPosition, value: meaning($0.value)) }),
                at: value.position)
        default: value
        }
    }

    /// Whether nothing new is written; a key with its default may have gone.
    private func isPart(_ value: JSON5Value, of whole: JSON5Value) -> Bool {
        switch (value.kind, whole.kind) {
        case (.object(let members), .object):
            members.allSatisfy { member in whole[member.key].map { isPart(member.value, of: $0) } ?? false }
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy(isPart)
        default: value.isEqual(to: whole)
        }
    }

    @Test(arguments: 0..<4)
    func `damage is refused, or has an effect, or was no damage`(part: Int) throws {
        let seed = UInt64(20_261_121 + part)
        var generator = SeededGenerator(state: seed)
        let original = Array(
            designExample.replacing(#"  "$schema": "https://nightjar.example/nightjar.schema.json","#, with: "").utf8)
        let base = try loaded(String(decoding: original, as: UTF8.self)).canonicalText
        let tree = try #require(meaning(original))
        var (refused, changed, same) = (0, 0, 0)
        for round in 0..<500 {
            let bytes = mutated(original, &generator)
            switch SettingsFile.load(bytes: bytes, path: "/srv/app/nightjar.json5", now: today) {
            case .failure(let problems):
                refused += 1
                #expect(!problems.problems.isEmpty, "seed \(seed), round \(round): refused without a reason")
            case .success(let file) where file.canonicalText != base: changed += 1
            case .success:
                same += 1
                let read = try #require(meaning(bytes))
                #expect(
                    isPart(read, of: tree),
                    "seed \(seed), round \(round): no effect of \(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(refused > 200 && changed > 5 && same > 3, "seed \(seed): \(refused) \(changed) \(same)")
    }
}
