// SPDX-License-Identifier: Apache-2.0
// What answers cite: the words of each test's result where they stand, and what a culprit changes.

import Domain
import Engine
import Evidence
import Execution
import Platform
import Triage

/// Words of a file as they stand there.
enum Excerpt {
    /// Without a character at the end that was cut through: its replacement stands nowhere in the file.
    static func text(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        String(decoding: whole(bytes), as: UTF8.self)
    }

    /// The bytes without a last character that is not all there.
    static func whole<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
        let tail = bytes.suffix(4)
        guard let lead = tail.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return bytes[...] }
        let byte = bytes[lead]
        let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
        return needed > bytes.distance(from: lead, to: bytes.endIndex) ? bytes[..<lead] : bytes[...]
    }
}

extension TriageRoom {
    /// Of a test's line, bytes.
    private static let excerptBytes = 1000
    /// Failing tests of a run that can be cited.
    private static let citedPerRun = 100
    /// A commit that changes more is known by its beginning.
    private static let patchBytes = 256 << 10

    /// For each test record the line of each interesting test: those that did not pass, all of a selection, and what
    /// failed in other runs of the same suite, for its passes are evidence, too.
    func references(_ cycle: CycleProgress) -> [String: EvidenceReference] {
        let tests = cycle.records.filter { $0.run.kind == .test }
        var failing: [String: Set<String>] = [:]
        for record in tests {
            guard let suite = record.run.subject, let listed = record.suite?.notPassed else { continue }
            let failed = listed.lazy.filter(\.outcome.isFailure).prefix(TriageRoom.citedPerRun).map(\.id)
            failing[suite, default: []].formUnion(failed)
        }
        var found: [String: EvidenceReference] = [:]
        for record in tests {
            guard let file = record.suite?.testsFile else { continue }
            var wanted = Set(record.run.only ?? [])
            wanted.formUnion(record.suite?.notPassed.prefix(TriageRoom.citedPerRun).map(\.id) ?? [])
            wanted.formUnion(record.run.subject.flatMap { failing[$0] } ?? [])
            guard !wanted.isEmpty,
                let bytes = try? Files.read("\(context.layout.cycle(cycle.number))/\(file)", limit: 256 << 20)
            else { continue }
            var number = 0
            for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
                number += 1
                guard !line.isEmpty, let id = TestsFile.id(ofLine: line), wanted.contains(id) else { continue }
                let said = Excerpt.whole(TriageRoom.said(line).prefix(TriageRoom.excerptBytes))
                // A slice has the indices of what it was cut from: they are the offsets in the file.
                found[TriageCase.referenceKey(id, in: record.run.folder)] = EvidenceReference(
                    path: file, lines: [number, number], bytes: [said.startIndex, said.endIndex],
                    excerpt: String(decoding: said, as: UTF8.self))
            }
        }
        return found
    }

    /// The part of a result's line that says something: the message, before which the details stand; without a message the
    /// name and the outcome.
    private static func said(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        // Within a text quotes are escaped: with the comma before it a key is a key.
        for key in [",\"message\":\"", ",\"id\":\""] {
            if let place = line.firstRange(of: Array(key.utf8)) { return line[(place.lowerBound + 1)...] }
        }
        return line
    }

    // MARK: - What a culprit changes

    /// Keeps the patches of commits in the cycle folder; what git does not tell is left out.
    func keepPatches(_ commits: [Revision], _ cycle: Int) async -> [Revision: KeptPatch] {
        guard let repository = context.repository else { return [:] }
        var found: [Revision: KeptPatch] = [:]
        for commit in commits where found[commit] == nil {
            guard let patch = await repository.patch(of: commit, limit: TriageRoom.patchBytes) else { continue }
            let text = TextRedaction(needles: context.secrets.needles).text(patch)
            let name = "patch-\(StageRun.fileName(commit.short)).diff"
            let path = "\(context.layout.cycle(cycle))/\(name)"
            guard (try? AtomicFile.write(Array(text.utf8), to: path, durable: false)) != nil else { continue }
            found[commit] = KeptPatch(path: name, text: text)
        }
        return found
    }
}

extension Repository {
    /// What a commit changes against its first parent, with its message; of a large one the whole lines of the first
    /// `limit` bytes and a line that says so. Nil where git fails or takes too long.
    func patch(of commit: Revision, limit: Int) async -> String? {
        let arguments = [
            "-C", path, "log", "-1", "--first-parent", "-m", "--patch", "--find-renames", "--no-color", "--no-ext-diff",
            "--no-textconv", "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/",
            "--format=commit %H%nAuthor: %an%nDate: %cI%n%n%w(0,4,4)%B%w(0,0,0)", "--end-of-options", commit.id, "--",
        ]
        let output = try? await GitCommand.output(
            arguments, environment: environment, timeout: .seconds(30), limit: limit)
        guard let output, output.truncated || output.succeeded, !output.standardOutput.isEmpty else { return nil }
        guard output.truncated else { return String(decoding: output.standardOutput, as: UTF8.self) }
        let whole = output.standardOutput[..<(output.standardOutput.lastIndex(of: 10) ?? 0)]
        return String(decoding: whole, as: UTF8.self)
            + "\n[cut at \(limit) bytes; git show \(commit.id) has the rest]\n"
    }
}
