// SPDX-License-Identifier: Apache-2.0
// What the journal tells a reader who only wants to show it. Decisions are the engine's; this keeps the newest word of
// each kind and nothing else.

import Domain

struct LoopHistory {
    private(set) var memory = LoopMemory()
    private(set) var daemon: (started: DaemonStarted, at: Timestamp)?
    private(set) var lastEventAt: Timestamp?
    private(set) var pause: PauseRequested?
    private(set) var window: WindowChanged?
    private(set) var policy: LoopPolicy?
    /// The newest proven live revision.
    private(set) var serving: (revision: Revision?, at: Timestamp)?
    /// What the newest look for work could not do.
    private(set) var workProblem: WorkUnavailable?
    private(set) var triageAnswered: TriageAnswered?
    /// Incidents by id, in the order of their first appearance.
    private(set) var incidents: [Incident] = []
    private(set) var stopRequested = false

    mutating func take(_ entry: JournalEntry) {
        lastEventAt = entry.at
        switch entry.event {
        case .memoryCarried(let carried): take(carried)
        case .daemonStarted(let started):
            daemon = (started, entry.at)
            stopRequested = false
        case .settingsAdopted(let adopted): policy = adopted.policy
        case .windowChanged(let changed): window = changed
        case .workSeen: workProblem = nil
        case .workUnavailable(let problem): workProblem = problem
        case .stageEnded(let record):
            if let live = record.live { serving = (live.revision, entry.at) }
            triageAnswered = nil
        case .triageAnswered(let answer):
            triageAnswered = answer
            for incident in answer.incidents ?? [] { take(incident) }
        case .timerFired(let timer): if timer.name == .pauseEnds { pause = nil }
        case .pauseRequested(let request): pause = request
        case .operatorRequested(let request): take(request)
        case .stopRequested: stopRequested = true
        case .cycleSealed: triageAnswered = nil
        }
    }

    private mutating func take(_ carried: LoopMemory) {
        memory = carried
        (pause, window, policy) = (carried.pause, carried.window ?? window, carried.policy ?? policy)
        incidents = carried.incidents
    }

    private mutating func take(_ incident: Incident) {
        if let index = incidents.firstIndex(where: { $0.id == incident.id }) {
            incidents[index] = incident
        } else {
            incidents.append(incident)
        }
    }

    private mutating func take(_ request: OperatorRequest) {
        switch request.verb {
        case .resume: pause = nil
        case .acknowledge:
            for index in incidents.indices where incidents[index].id == request.argument {
                incidents[index].state = .acknowledged
            }
        case .trigger, .skip, .abort, .approve, .reject: break
        }
    }
}
