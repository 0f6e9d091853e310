// SPDX-License-Identifier: Apache-2.0
// What surrounds a test run at one moment: disks, memory, load, clock, names, certificates, files, and what the
// operators' own commands say. Two of them tell whether the environment changed while it was being tested.

/// One look at the surroundings.
package struct Fingerprint: Codable, Hashable, Sendable {
    package enum Moment: String, Codable, Sendable, CaseIterable {
        /// Before the first test.
        case before
        /// After the last one.
        case after
        /// When a stage had failed.
        case failure
    }
    package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case disk, inodes, memory, descriptors, load, clock, certificate, name, address, file, command
    }
    package struct Entry: Codable, Hashable, Sendable {
        package var kind: Kind
        /// The path, host or command that was looked at.
        package var subject: String
        /// In words, with value and unit.
        package var value: String
        /// Whether this is a problem by itself; nil where only a change would tell.
        package var isProblem: Bool?

        package init(_ kind: Kind, _ subject: String, _ value: String, isProblem: Bool? = nil) {
            self.kind = kind
            self.subject = subject
            self.value = value
            self.isProblem = isProblem
        }

        package var key: String { "\(kind.rawValue) \(subject)" }
    }
    /// Microseconds since boot in which some task waited for a resource (`/proc/pressure`), and processor time that the
    /// hypervisor gave to others; nil where the kernel does not say.
    package struct Stall: Codable, Hashable, Sendable {
        package var cpu: Int64?
        package var memory: Int64?
        package var io: Int64?
        package var stolen: Int64?

        package init(cpu: Int64? = nil, memory: Int64? = nil, io: Int64? = nil, stolen: Int64? = nil) {
            self.cpu = cpu
            self.memory = memory
            self.io = io
            self.stolen = stolen
        }
    }

    package var moment: Moment
    package var at: Timestamp
    /// The file inside the cycle folder that says the same, one entry on each line.
    package var path: String
    package var entries: [Entry]
    package var stall: Stall?

    package init(moment: Moment, at: Timestamp, path: String, entries: [Entry], stall: Stall? = nil) {
        self.moment = moment
        self.at = at
        self.path = path
        self.entries = entries
        self.stall = stall
    }
}

/// What is not as it was.
package struct FingerprintChange: Codable, Hashable, Sendable {
    package var kind: Fingerprint.Kind
    package var subject: String
    package var before: String?
    package var after: String?

    package init(kind: Fingerprint.Kind, subject: String, before: String?, after: String?) {
        self.kind = kind
        self.subject = subject
        self.before = before
        self.after = after
    }

    /// Whether a change during the tests leaves their results without a meaning: a configured file or command. The live
    /// revision has rules of its own.
    package var voidsTests: Bool { kind == .file || kind == .command }

    package var text: String { "\(kind.rawValue) \(subject): \(before ?? "not there") → \(after ?? "not there")" }
}

extension Fingerprint {
    /// Kinds of which another value is a change: measures such as free space always differ a little.
    private static let comparable: Set<Kind> = [.certificate, .name, .address, .file, .command]

    /// What changed from `earlier` to this one, in the order of the entries.
    package func changes(since earlier: Fingerprint) -> [FingerprintChange] {
        let old = Dictionary(earlier.entries.map { ($0.key, $0) }) { first, _ in first }
        let new = Set(entries.map(\.key))
        var changes = entries.filter { Fingerprint.comparable.contains($0.kind) && old[$0.key]?.value != $0.value }
            .map { FingerprintChange(kind: $0.kind, subject: $0.subject, before: old[$0.key]?.value, after: $0.value) }
        for entry in earlier.entries where Fingerprint.comparable.contains(entry.kind) && !new.contains(entry.key) {
            changes.append(
                FingerprintChange(kind: entry.kind, subject: entry.subject, before: entry.value, after: nil))
        }
        return changes
    }
}

/// The fingerprints around the tests, in `cycle.json`.
package struct FingerprintRecord: Codable, Hashable, Sendable {
    package var before: Fingerprint?
    package var after: Fingerprint?
    package var changed: [FingerprintChange]

    package init(before: Fingerprint?, after: Fingerprint?, changed: [FingerprintChange] = []) {
        self.before = before
        self.after = after
        self.changed = changed
    }

    /// Of the newest pass in `records`: its last look before the tests, and the last one after that.
    package init?(_ records: some BidirectionalCollection<StageRecord>) {
        let all = records.flatMap { $0.fingerprints ?? [] }
        guard let start = all.lastIndex(where: { $0.moment == .before }) else { return nil }
        let after = all[start...].last { $0.moment == .after }
        self.init(before: all[start], after: after, changed: after.map { $0.changes(since: all[start]) } ?? [])
    }
}

/// What is looked at beyond what every fingerprint holds.
package struct FingerprintSettings: Hashable, Sendable {
    /// Files whose contents are hashed.
    package var files: [String]
    /// Folders whose disks are looked at, beside that of the evidence.
    package var disks: [String]
    /// Commands that print a value: a schema version, feature flags.
    package var commands: [Command]

    package struct Command: Hashable, Sendable {
        package var name: String
        package var command: CommandSettings

        package init(name: String, command: CommandSettings) {
            self.name = name
            self.command = command
        }
    }

    package init(files: [String] = [], disks: [String] = [], commands: [Command] = []) {
        self.files = files
        self.disks = disks
        self.commands = commands
    }
}
