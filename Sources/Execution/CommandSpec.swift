// SPDX-License-Identifier: Apache-2.0
// What to run under a shepherd, and how it ended.

package import Domain
import Shepherd

/// One command, complete: nothing is inherited from the daemon.
package struct CommandSpec: Sendable {
    /// The program is searched in the PATH of `environment`.
    package var argv: [String]
    /// The complete environment.
    package var environment: [String: String]
    package var workingDirectory: String
    /// The cookie: unique for ever on this machine.
    package var stageID: String
    /// The absolute path of a folder that the runner creates and owns; its existence tells recovery from a first run.
    package var folder: String
    package var timeout: Duration
    /// Ends a command that prints nothing for so long.
    package var idleTimeout: Duration?
    /// Between SIGTERM and SIGKILL.
    package var grace: Duration
    /// Whether processes that outlive the command are services that stay.
    package var leavesServices: Bool
    /// Bytes of console output that are kept: the first half and the last half.
    package var outputLimit: Int64
    /// Values that must not reach the disk.
    package var needles: [String]
    package var standardInput: [UInt8]
    /// A file that the shepherd holds locked as long as it lives: of all runs with the same one, only one at a time.
    package var lock: String?

    package init(
        argv: [String], environment: [String: String], workingDirectory: String, stageID: String, folder: String,
        timeout: Duration, idleTimeout: Duration? = nil, grace: Duration = .seconds(10), leavesServices: Bool = false,
        outputLimit: Int64 = 64 << 20, needles: [String] = [], standardInput: [UInt8] = [], lock: String? = nil
    ) {
        self.argv = argv
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.stageID = stageID
        self.folder = folder
        self.timeout = timeout
        self.idleTimeout = idleTimeout
        self.grace = grace
        self.leavesServices = leavesServices
        self.outputLimit = outputLimit
        self.needles = needles
        self.standardInput = standardInput
        self.lock = lock
    }

    var order: ShepherdOrder {
        ShepherdOrder(
            stageID: stageID, folder: folder, arguments: argv,
            environment: environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" },
            workingDirectory: workingDirectory, timeoutMilliseconds: timeout.milliseconds,
            idleTimeoutMilliseconds: idleTimeout?.milliseconds ?? 0, graceMilliseconds: grace.milliseconds,
            leavesServices: leavesServices, outputLimit: outputLimit, needles: needles, standardInput: standardInput,
            lock: lock)
    }
}

/// How a supervised command ended.
package struct CommandResult: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Sendable, CaseIterable {
        /// By itself, with `exit`.
        case exited
        /// By a signal that the shepherd did not send.
        case signaled
        /// By the limit in `limitHit`; never a pass, whatever it exited with.
        case timedOut, idleTimedOut
        /// Because somebody asked.
        case stopped
        /// The system refused to start it: the reason is in `notes`.
        case couldNotStart
        /// Its end was not seen: whether it had an effect is unknown.
        case lost
        /// It was fenced off before it could start.
        case neverRan
    }
    package var outcome: Outcome
    package var exit: Int32?
    package var signal: Int32?
    /// `timeout 30m`, `idleTimeout 20m`.
    package var limitHit: String?
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    /// By the monotonic clock where the shepherd saw it all.
    package var durationSeconds: Double
    package var resources: ResourceUse?
    /// Remote addresses (`host:port`) that the process tree was seen connected to.
    package var hosts: [String]
    package var leftovers: [Leftover]
    package var consoleBytes: Int64
    package var consoleDroppedBytes: Int64
    /// Of the finished console.log; empty where there is none.
    package var consoleSHA256: String
    package var notes: [String]
    /// Set where the daemon did not see the run from start to end: what it found.
    package var recovery: String?

    package init(
        outcome: Outcome, exit: Int32? = nil, signal: Int32? = nil, limitHit: String? = nil, startedAt: Timestamp,
        endedAt: Timestamp, durationSeconds: Double, resources: ResourceUse? = nil, hosts: [String] = [],
        leftovers: [Leftover] = [], consoleBytes: Int64 = 0, consoleDroppedBytes: Int64 = 0, consoleSHA256: String = "",
        notes: [String] = [], recovery: String? = nil
    ) {
        self.outcome = outcome
        self.exit = exit
        self.signal = signal
        self.limitHit = limitHit
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.durationSeconds = durationSeconds
        self.resources = resources
        self.hosts = hosts
        self.leftovers = leftovers
        self.consoleBytes = consoleBytes
        self.consoleDroppedBytes = consoleDroppedBytes
        self.consoleSHA256 = consoleSHA256
        self.notes = notes
        self.recovery = recovery
    }

    /// Whether the command itself was ever started, as far as is known.
    package var wasStarted: Bool {
        switch outcome {
        case .couldNotStart, .neverRan: false
        case .stopped: !notes.contains(RunNote.stoppedBeforeStart)
        case .exited, .signaled, .timedOut, .idleTimedOut, .lost: true
        }
    }

    /// It ended by itself with status 0.
    package var succeeded: Bool { outcome == .exited && exit == 0 }

    /// The element of `commands` in a stage's record.
    ///
    /// - Parameters:
    ///   - role: `main`, `permit`, `cleanup` …
    ///   - command: the argument vector as it is shown to people.
    ///   - log: the path of console.log inside the cycle folder.
    package func record(role: String, command: [String], log: String?) -> CommandRecord {
        let hasLog = !consoleSHA256.isEmpty
        return CommandRecord(
            role: role, command: command, exit: outcome == .exited ? exit : nil, signal: signal, limitHit: limitHit,
            startedAt: startedAt, durationSeconds: durationSeconds, resources: resources, hosts: hosts,
            leftovers: leftovers, log: log, logBytes: hasLog ? consoleBytes : nil,
            logDroppedBytes: hasLog ? consoleDroppedBytes : nil, logSHA256: hasLog ? consoleSHA256 : nil,
            problem: notes.isEmpty ? nil : notes.joined(separator: "; "))
    }
}
