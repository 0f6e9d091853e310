// SPDX-License-Identifier: Apache-2.0
// The facts that drive a loop. Each is journaled before it is acted upon; the state is their fold.

/// The daemon started (or started again) on this loop.
package struct DaemonStarted: Codable, Hashable, Sendable {
    package var pid: Int32
    package var host: String
    package var version: String
    /// How many cycles this start is to run; nil for a daemon that goes on.
    package var cycles: Int?
    /// A revision known to be good before the loop has a green cycle of its own.
    package var green: Revision?
    /// Names of the commands that were begun in the cycle under way, as its folder has them; nil where none is under way.
    package var begun: [String]?

    package init(
        pid: Int32, host: String, version: String, cycles: Int? = nil, green: Revision? = nil, begun: [String]? = nil
    ) {
        self.green = green
        self.begun = begun
        self.pid = pid
        self.host = host
        self.version = version
        self.cycles = cycles
    }
}

/// Settings came into force.
package struct SettingsAdopted: Codable, Hashable, Sendable {
    package var policy: LoopPolicy
    package var hash: String
    package var path: String

    package init(policy: LoopPolicy, hash: String, path: String) {
        self.policy = policy
        self.hash = hash
        self.path = path
    }
}

/// A look for something to do found what it names.
package struct WorkSeen: Codable, Hashable, Sendable {
    package var trigger: Trigger
    /// The head of the ref, or what the revision command printed; in observe and verify mode the live revision.
    package var wanted: Revision
    package var subject: String?
    package var author: String?
    package var ref: String?
    /// Commits between the last green revision and `wanted`; nil where not known.
    package var commitsAfterGreen: Int?
    /// False where git tells that the last green revision is no ancestor of `wanted`: the branch was rewritten.
    package var greenIsAncestor: Bool?
    /// What is live now, where it could be read.
    package var live: Revision?
    /// Known-bad revisions that `wanted` contains, as git tells.
    package var containsKnownBad: [Revision]
    /// Open incidents whose proven culprit `wanted` contains, as git tells.
    package var containsCulpritOf: [String]?
    /// Why nothing may be deployed across the change between the last green revision and `wanted`.
    package var irreversible: String?

    package init(
        trigger: Trigger, wanted: Revision, subject: String? = nil, author: String? = nil, ref: String? = nil,
        commitsAfterGreen: Int? = nil, live: Revision? = nil, containsKnownBad: [Revision] = [],
        containsCulpritOf: [String]? = nil
    ) {
        self.containsCulpritOf = containsCulpritOf
        self.trigger = trigger
        self.wanted = wanted
        self.subject = subject
        self.author = author
        self.ref = ref
        self.commitsAfterGreen = commitsAfterGreen
        self.live = live
        self.containsKnownBad = containsKnownBad
    }
}

/// A look for something to do could not tell.
package struct WorkUnavailable: Codable, Hashable, Sendable {
    package var trigger: Trigger
    /// What was attempted, on what, what happened.
    package var reason: String
    /// `revision`, `disk`, `live-revision`
    package var source: String

    /// The environment does not say what it runs.
    package static let liveRevision = "live-revision"

    package init(trigger: Trigger, reason: String, source: String) {
        self.trigger = trigger
        self.reason = reason
        self.source = source
    }
}

/// Triage's answer: the next experiment, or what it concluded.
package struct TriageAnswered: Codable, Hashable, Sendable {
    package var cycle: Int
    /// One of the two is set.
    package var experiment: Experiment?
    package var incidents: [Incident]?
    /// Why nothing may be deployed across the change between last green and wanted: an irreversible file changed.
    package var irreversible: String?
    /// Failures as they are grouped before they are asked about: what has not been announced in this cycle yet.
    package var opened: [Incident]?
    /// What the newest experiment came to: value against threshold.
    package var finding: String?

    package init(cycle: Int, experiment: Experiment) {
        self.cycle = cycle
        self.experiment = experiment
    }

    package init(cycle: Int, incidents: [Incident]) {
        self.cycle = cycle
        self.incidents = incidents
    }
}

/// A timer of the machine: a timer whose state is long gone is ignored.
package struct TimerID: Codable, Hashable, Sendable {
    package enum Name: String, Codable, Sendable, CaseIterable {
        case nextLook, backOff, pauseEnds, stopGrace, approval
    }
    package var name: Name
    /// Counted up whenever a timer of this name is set, so that an old one cannot fire for a new one.
    package var serial: Int

    package init(name: Name, serial: Int) {
        self.name = name
        self.serial = serial
    }
}

package struct WindowChanged: Codable, Hashable, Sendable {
    package var isOpen: Bool
    /// When it closes, or opens next; nil where there is no window.
    package var until: Timestamp?

    package init(isOpen: Bool, until: Timestamp?) {
        self.isOpen = isOpen
        self.until = until
    }
}

package struct PauseRequested: Codable, Hashable, Sendable {
    package var owner: String
    package var reason: String
    package var until: Timestamp?
    /// The user who asked, as the kernel tells it; `owner` is the name that was given.
    package var uid: UInt32?

    package init(owner: String, reason: String, until: Timestamp?) {
        self.owner = owner
        self.reason = reason
        self.until = until
    }

    /// What somebody hears who asked for a cycle and gets none.
    package var insteadOfCycle: String {
        "paused by \(owner): \(reason); no cycle was run; nightjar resume ends the pause"
    }
}

/// An operator's word, with who said it.
package struct OperatorRequest: Codable, Hashable, Sendable {
    package enum Verb: String, Codable, Sendable, CaseIterable {
        case resume, trigger, skip, abort, acknowledge, approve, reject
    }
    package var verb: Verb
    package var by: String
    /// An incident id, a reason, a revision: what the verb is about.
    package var argument: String?
    /// Of `approve` and `reject`: what it is about, where the operator said so.
    package var answer: ApprovalWords?
    /// The user who asked, as the kernel tells it; `by` is the name that was given.
    package var uid: UInt32?

    package init(verb: Verb, by: String, argument: String? = nil, answer: ApprovalWords? = nil) {
        self.verb = verb
        self.by = by
        self.argument = argument
        self.answer = answer
    }
}

package struct StopRequested: Codable, Hashable, Sendable {
    /// A second request: end at once.
    package var now: Bool
    package var by: String
    /// Of a request over the socket: the user who asked, as the kernel tells it.
    package var uid: UInt32?

    package init(now: Bool, by: String) {
        self.now = now
        self.by = by
    }
}

package struct CycleSealed: Codable, Hashable, Sendable {
    package var cycle: Int
    /// Of `SHA256SUMS`, which names `cycle.json` and everything else.
    package var sha256: String
    package var verdict: Verdict

    package init(cycle: Int, sha256: String, verdict: Verdict) {
        self.cycle = cycle
        self.sha256 = sha256
        self.verdict = verdict
    }
}

/// Everything that can happen to a loop.
package enum Event: Hashable, Sendable {
    case daemonStarted(DaemonStarted)
    case settingsAdopted(SettingsAdopted)
    /// The first line of a new journal segment: what the segments before it came to.
    case memoryCarried(LoopMemory)
    case windowChanged(WindowChanged)
    case workSeen(WorkSeen)
    case workUnavailable(WorkUnavailable)
    case stageEnded(StageRecord)
    case triageAnswered(TriageAnswered)
    case timerFired(TimerID)
    case pauseRequested(PauseRequested)
    case operatorRequested(OperatorRequest)
    case stopRequested(StopRequested)
    case cycleSealed(CycleSealed)
}

/// What a loop carries from cycle to cycle.
package struct LoopMemory: Codable, Hashable, Sendable {
    /// The number of the newest cycle; 0 before the first.
    package var cycle = 0
    package var lastVerdict: Verdict?
    /// The wanted revision of the newest sealed cycle.
    package var lastTested: Revision?
    package var lastGreen: Revision?
    package var lastGreenCycle: Int?
    /// The revision that staging was last proven to serve.
    package var serving: Revision?
    /// Set while the environment does not say what it runs.
    package var unreadable: Unreadable?
    /// What the newest deployments said about their services, newest last.
    package var deployments: [DeployedServices]?
    package var knownBad: [KnownBad] = []
    /// Set while the newest cycle about a revision is one that was aborted: the schedule does not deploy it again.
    package var aborted: Aborted?
    package var incidents: [Incident] = []
    package var incidentCount = 0
    package var pause: PauseRequested?
    package var window: WindowChanged?
    package var policy: LoopPolicy?
    package var settingsHash: String?
    package var rollbacks: [RollbackSpent] = []
    /// Deploys by experiments since the window opened (or in the last 24 h where there is none).
    package var experimentDeploys = 0
    package var experimentDeploysSince: Timestamp?
    /// Infrastructure failures in a row: they set the back-off.
    package var infrastructureFailures = 0
    package var sealedHash: String?
    /// Sound cycles in a row in which an open incident (by id) was not seen.
    package var greenCycles: [String: Int] = [:]
    /// Runbook commands and fixes that were tried for an incident.
    package var remediesSpent: [RemedySpent]?
    /// Runbook commands (by name) since the window opened, or in the last 24 h where there is none.
    package var runbooksTonight: [String: Int]?
    /// What people asked for since the newest cycle was concluded; the next one writes it down.
    package var requests: [RequestRecord]?

    /// Looks that could not read the live revision, one after another.
    package struct Unreadable: Codable, Hashable, Sendable {
        package var since: Timestamp
        /// What the newest look met.
        package var reason: String
        package var nextLook: Timestamp?
        /// The cycle that recorded it.
        package var cycle: Int?

        package init(since: Timestamp, reason: String, nextLook: Timestamp? = nil, cycle: Int? = nil) {
            self.since = since
            self.reason = reason
            self.nextLook = nextLook
            self.cycle = cycle
        }
    }

    package struct RemedySpent: Codable, Hashable, Sendable {
        package var incident: String
        package var kind: RemedyKind
        package var name: String?
        package var count: Int

        package init(incident: String, kind: RemedyKind, name: String?, count: Int) {
            self.incident = incident
            self.kind = kind
            self.name = name
            self.count = count
        }
    }

    package struct KnownBad: Codable, Hashable, Sendable {
        package var revision: Revision
        package var cycle: Int
        package var because: String
        /// True where its cycle ended as failing and nothing brought another revision back: it may still be live.
        package var isLeft: Bool?

        package init(revision: Revision, cycle: Int, because: String, isLeft: Bool? = nil) {
            self.revision = revision
            self.cycle = cycle
            self.because = because
            self.isLeft = isLeft
        }
    }

    package struct Aborted: Codable, Hashable, Sendable {
        package var revision: Revision
        package var cycle: Int
        /// `aborted by ann: wrong moment`
        package var because: String

        package init(revision: Revision, cycle: Int, because: String) {
            self.revision = revision
            self.cycle = cycle
            self.because = because
        }
    }

    package struct RollbackSpent: Codable, Hashable, Sendable {
        package var incident: String
        package var count: Int
        /// The revision that was given up. An older nightjar did not tell.
        package var revision: Revision?

        package init(incident: String, count: Int, revision: Revision? = nil) {
            self.incident = incident
            self.count = count
            self.revision = revision
        }
    }

    package init() {}
}

/// One line of the journal.
package struct JournalEntry: Hashable, Sendable {
    /// Counted from 1 over the life of the loop, without gaps.
    package var sequence: Int
    package var at: Timestamp
    /// The cycle that was running or had last run.
    package var cycle: Int
    package var event: Event

    package init(sequence: Int, at: Timestamp, cycle: Int, event: Event) {
        self.sequence = sequence
        self.at = at
        self.cycle = cycle
        self.event = event
    }
}
