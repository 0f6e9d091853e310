// SPDX-License-Identifier: Apache-2.0
// The journal's line format. One JSON object per line:
//
//     {"at":"2026-11-21T02:31:07.250Z","cycle":214,"kind":"stageEnded","seq":8123, …the event's own keys}
//
// Unknown keys are ignored. An unknown kind stops the reader: it was written by a newer nightjar, and skipping a fact
// would fold to a wrong state. Written by hand so that renaming a Swift case cannot change the format.

/// A journal line whose kind this version does not know.
package struct UnknownEventKind: Error, CustomStringConvertible {
    package var kind: String

    package var description: String {
        "event kind '\(kind)' is unknown here: written by a newer nightjar; start that version, or move the state away"
    }
}

extension JournalEntry: Codable {
    private enum Key: String, CodingKey {
        case sequence = "seq"
        case at, cycle, kind
    }

    private enum Kind: String, Codable {
        case daemonStarted, settingsAdopted, memoryCarried, windowChanged, workSeen, workUnavailable, stageEnded
        case triageAnswered, timerFired, pauseRequested, operatorRequested, stopRequested, cycleSealed
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        sequence = try container.decode(Int.self, forKey: .sequence)
        at = try container.decode(Timestamp.self, forKey: .at)
        cycle = try container.decode(Int.self, forKey: .cycle)
        let name = try container.decode(String.self, forKey: .kind)
        guard let kind = Kind(rawValue: name) else { throw UnknownEventKind(kind: name) }
        event =
            switch kind {
            case .daemonStarted: .daemonStarted(try DaemonStarted(from: decoder))
            case .settingsAdopted: .settingsAdopted(try SettingsAdopted(from: decoder))
            case .memoryCarried: .memoryCarried(try Nested<LoopMemory>(from: decoder).value)
            case .windowChanged: .windowChanged(try WindowChanged(from: decoder))
            case .workSeen: .workSeen(try WorkSeen(from: decoder))
            case .workUnavailable: .workUnavailable(try WorkUnavailable(from: decoder))
            case .stageEnded: .stageEnded(try StageRecord(from: decoder))
            case .triageAnswered: .triageAnswered(try Nested<TriageAnswered>(from: decoder).value)
            case .timerFired: .timerFired(try TimerID(from: decoder))
            case .pauseRequested: .pauseRequested(try PauseRequested(from: decoder))
            case .operatorRequested: .operatorRequested(try OperatorRequest(from: decoder))
            case .stopRequested: .stopRequested(try StopRequested(from: decoder))
            case .cycleSealed: .cycleSealed(try Nested<CycleSealed>(from: decoder).value)
            }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(sequence, forKey: .sequence)
        try container.encode(at, forKey: .at)
        try container.encode(cycle, forKey: .cycle)
        switch event {
        case .daemonStarted(let fact): try write(.daemonStarted, fact)
        case .settingsAdopted(let fact): try write(.settingsAdopted, fact)
        case .memoryCarried(let memory): try write(.memoryCarried, Nested(value: memory))
        case .windowChanged(let fact): try write(.windowChanged, fact)
        case .workSeen(let fact): try write(.workSeen, fact)
        case .workUnavailable(let fact): try write(.workUnavailable, fact)
        case .stageEnded(let record): try write(.stageEnded, record)
        case .triageAnswered(let answer): try write(.triageAnswered, Nested(value: answer))
        case .timerFired(let timer): try write(.timerFired, timer)
        case .pauseRequested(let fact): try write(.pauseRequested, fact)
        case .operatorRequested(let fact): try write(.operatorRequested, fact)
        case .stopRequested(let fact): try write(.stopRequested, fact)
        case .cycleSealed(let fact): try write(.cycleSealed, Nested(value: fact))
        }
        func write(_ kind: Kind, _ fact: some Encodable) throws {
            try container.encode(kind, forKey: .kind)
            try fact.encode(to: encoder)
        }
    }

    /// For facts that have a `cycle` of their own, which must not overwrite the line's.
    private struct Nested<Value: Codable>: Codable {
        var value: Value

        private enum CodingKeys: String, CodingKey {
            case value = "fact"
        }
    }
}
