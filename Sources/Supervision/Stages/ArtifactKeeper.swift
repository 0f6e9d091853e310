// SPDX-License-Identifier: Apache-2.0
// Files that a suite leaves and that are to be kept: text with its secrets replaced, anything else as it is and said so.

import Domain
import Execution
import Platform

struct ArtifactKeeper: Sendable {
    let context: LoopContext
    let run: StageRun

    /// A file larger than this is not kept: evidence is not a backup.
    private static let mostBytes: Int64 = 64 << 20
    private static let mostFiles = 200
    /// A NUL byte this early makes a file binary, as git decides it.
    private static let lookBytes = 8000

    /// Copies what the globs match, relative to `directory`, into `<stage>.artifacts/`. What is left out is listed too.
    func keep(_ patterns: [String], from directory: String) {
        guard !patterns.isEmpty else { return }
        let folder = "\(context.folder(run)).artifacts"
        // A secret may be in the name of a file as well as in it.
        let redaction = context.secrets.redaction
        var listing: [String] = []
        let found = patterns.flatMap { Reports.find($0, in: directory) }
        for (number, path) in found.prefix(ArtifactKeeper.mostFiles).enumerated() {
            let name = path.hasPrefix(directory + "/") ? String(path.dropFirst(directory.count + 1)) : path
            do {
                listing.append(redaction.text("\(name): \(try copy(path, to: folder, number + 1, redaction))"))
            } catch {
                listing.append(redaction.text("\(name): not kept: \(error)"))
            }
        }
        if found.count > ArtifactKeeper.mostFiles {
            let rest = found.count - ArtifactKeeper.mostFiles
            listing.append("\(rest) more files were not kept (at most \(ArtifactKeeper.mostFiles))")
        }
        guard !listing.isEmpty else { return }
        let text = listing.joined(separator: "\n") + "\n"
        try? AtomicFile.write(Array(text.utf8), to: "\(folder)/LIST", durable: false)
    }

    private func copy(
        _ path: String, to folder: String, _ number: Int, _ redaction: TextRedaction
    ) throws(SystemError) -> String {
        let size = Files.size(of: path) ?? 0
        guard size <= ArtifactKeeper.mostBytes else { return "not kept: \(size) bytes > \(ArtifactKeeper.mostBytes)" }
        try Files.createDirectories(folder)
        let last = path.split(separator: "/").last.map(String.init) ?? "file"
        let target = "\(number)-\(StageRun.fileName(redaction.text(last)))"
        let bytes = try Files.read(path, limit: Int(ArtifactKeeper.mostBytes))
        if bytes.prefix(ArtifactKeeper.lookBytes).contains(0) {
            try AtomicFile.write(bytes, to: "\(folder)/\(target)", durable: false)
            return "\(target), binary, unredacted"
        }
        try RedactedCopy.copy(path, to: "\(folder)/\(target)", needles: context.secrets.needles)
        return target
    }
}
