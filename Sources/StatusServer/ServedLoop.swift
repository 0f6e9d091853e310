// SPDX-License-Identifier: Apache-2.0
// What the server is told: which loops there are, how their state is read, and its own limits.

package import Domain
package import Evidence
package import Platform
package import Reporting

/// The state of a loop at one moment, as its files tell it.
package struct LoopReading: Sendable {
    /// What `nightjar status` prints.
    package var status: StatusSnapshot
    /// The incidents that are not resolved, and those of the newest cycle, with their diagnoses.
    package var incidents: [Incident]
    /// The newest resolved ones, as far back as the loop remembers.
    package var resolved: [Incident]
    package var running: RunningStage?
    /// The sealed cycle of the newest verdict: the newest one that was not interrupted.
    package var record: CycleRecord?
    /// All sealed cycles that are kept, oldest first.
    package var cycles: [CycleBrief]
    /// Bytes of sealed evidence.
    package var evidenceBytes: Int64
    /// When the daemon's supervisor last answered; nil where none has run.
    package var lastSignOfLife: Timestamp?
    /// The newest lines of the cycle log, oldest first.
    package var log: [CycleLog.Entry]

    package init(
        status: StatusSnapshot, incidents: [Incident] = [], resolved: [Incident] = [],
        running: RunningStage? = nil, record: CycleRecord? = nil, cycles: [CycleBrief] = [],
        evidenceBytes: Int64 = 0, lastSignOfLife: Timestamp? = nil, log: [CycleLog.Entry] = []
    ) {
        self.status = status
        self.incidents = incidents
        self.resolved = resolved
        self.running = running
        self.record = record
        self.cycles = cycles
        self.evidenceBytes = evidenceBytes
        self.lastSignOfLife = lastSignOfLife
        self.log = log
    }
}

/// A loop whose files are served.
package struct ServedLoop: Sendable {
    package var name: String
    package var layout: EvidenceLayout
    /// Blocks while it reads; called by one thread at a time.
    package var read: @Sendable (Timestamp) throws -> LoopReading

    package init(
        name: String, layout: EvidenceLayout, read: @escaping @Sendable (Timestamp) throws -> LoopReading
    ) {
        self.name = name
        self.layout = layout
        self.read = read
    }
}

package struct ServerOptions: Sendable {
    package var listen: ListenAddress
    /// Names besides `localhost` and numeric addresses that the Host field may have.
    package var hosts: [String]
    /// What `Authorization: Bearer` must carry; nil asks for nothing.
    package var token: String?
    package var version: String
    package var limits: ServerLimits
    package var now: @Sendable () -> Timestamp

    package init(
        listen: ListenAddress, hosts: [String] = [], token: String? = nil, version: String,
        limits: ServerLimits = ServerLimits(), now: @escaping @Sendable () -> Timestamp
    ) {
        self.listen = listen
        self.hosts = hosts.map { $0.lowercased() }
        self.token = token
        self.version = version
        self.limits = limits
        self.now = now
    }
}

/// How much of anything a client can take.
package struct ServerLimits: Sendable {
    /// Open connections. Beyond it the connection that has been idle longest makes room.
    package var connections = 2048
    /// Of these, streams of events.
    package var listeners = 1024
    /// From the first byte of a request, or the connection, to the end of its head.
    package var head = Duration.seconds(10)
    /// Between two requests on a connection.
    package var idle = Duration.seconds(30)
    /// For computing an answer.
    package var answer = Duration.seconds(15)
    /// Without any byte taken by a client that has something coming.
    package var stall = Duration.seconds(15)
    /// A client must take its answer at this rate, counted over the whole answer and after `stall`.
    package var bytesPerSecond = 16 << 10
    /// What may wait for a listener.
    package var waitingEventBytes = 1 << 20
    /// Between two signs of life on a stream of events.
    package var beat = Duration.seconds(15)
    /// Between two looks at the files.
    package var look = Duration.seconds(1)
    /// A daemon that has not touched its file for so long does not move.
    package var patience = Duration.seconds(60)

    package init() {}
}
