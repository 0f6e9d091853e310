// SPDX-License-Identifier: Apache-2.0
// Raw files of a cycle folder: what lies there, and how it is sent so that no browser takes it for anything but text.

import Domain
import Evidence
import Platform

enum EvidenceFiles {
    private static let listed = 400

    /// The regular files below a cycle folder, with their sizes; links are not followed and not shown.
    static func list(_ layout: EvidenceLayout, cycle: Int) -> (files: [EvidenceFile], more: Bool) {
        var found: [EvidenceFile] = []
        var folders = [""]
        while let folder = folders.popLast(), found.count <= listed {
            let root = layout.cycle(cycle) + (folder.isEmpty ? "" : "/" + folder)
            for name in ((try? Files.list(root)) ?? []).prefix(5000) {
                let path = folder.isEmpty ? name : folder + "/" + name
                switch Files.kind(of: layout.cycle(cycle) + "/" + path) {
                case .file:
                    found.append(EvidenceFile(path: path, bytes: Files.size(of: layout.cycle(cycle) + "/" + path) ?? 0))
                case .directory where path.split(separator: "/").count < 8: folders.append(path)
                default: break
                }
            }
        }
        // Documents of the whole cycle first, then its stages.
        let sorted = found.sorted {
            let depths = ($0.path.contains("/"), $1.path.contains("/"))
            return depths.0 != depths.1 ? !depths.0 : $0.path < $1.path
        }
        return (Array(sorted.prefix(listed)), sorted.count > listed)
    }

    static func answer(_ layout: EvidenceLayout, cycle: Int, parts: [String]) -> HTTPResponse {
        guard !parts.isEmpty, layout.file(parts.joined(separator: "/"), inCycle: cycle) != nil else {
            return .plain(404, "there is no such file in cycle \(cycle)")
        }
        let file: Descriptor
        do {
            file = try Descriptor.openBeneath(layout.cycle(cycle), parts)
        } catch {
            return .plain(404, "there is no such file in cycle \(cycle)")
        }
        let size = file.size ?? 0
        let name = parts.last ?? "file"
        let isReport = parts == ["report.html"]
        let isText = ["log", "json", "jsonl", "txt", "md", "xml", "csv", "yaml", "yml", "out", "err"].contains(
            ending(name))
        let isOurs = ["SHA256SUMS", "journal", "previous", "claim"].contains(name)
        var answer = HTTPResponse(
            200,
            type: isReport
                ? "text/html; charset=utf-8"
                : isText || isOurs ? "text/plain; charset=utf-8" : "application/octet-stream",
            [])
        answer.body = .file(file, size: size)
        answer.policy = isReport ? .report : .evidence
        // What is not known to be text is saved and not shown.
        let way = isReport || isText || isOurs ? "inline" : "attachment"
        return answer.with("Content-Disposition", "\(way); filename=\"\(safe(name))\"")
    }

    private static func ending(_ name: String) -> String {
        name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]).lowercased() } ?? ""
    }

    /// A name that needs no quoting in any field.
    private static func safe(_ name: String) -> String {
        String(
            name.unicodeScalars.prefix(100).map { scalar in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": Character(scalar)
                default: "_"
                }
            })
    }
}
