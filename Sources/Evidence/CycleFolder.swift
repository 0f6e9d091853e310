// SPDX-License-Identifier: Apache-2.0
// What lies in the folder of one cycle.

import Platform

/// The files below one folder, as sealing and verification see them.
struct CycleFolder {
    /// Regular files, relative to the folder, sorted by their bytes.
    private(set) var files: [String] = []
    private(set) var bytes: Int64 = 0
    /// What has no sum: `symlink a -> b`, `fifo p`, sorted.
    private(set) var unlisted: [String] = []

    init(_ path: String) throws(EvidenceError) {
        try walk(path, "")
        files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        unlisted.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func walk(_ folder: String, _ prefix: String) throws(EvidenceError) {
        for name in try onDisk("list", folder, { () throws(DiskError) in try Disk.names(folder) }) {
            let relative = prefix + name
            if prefix.isEmpty, CycleFolder.isOfTheSeal(name) || EvidenceLayout.isDerived(name) { continue }
            let path = folder + "/" + name
            let status: Disk.Status
            do {
                status = try Disk.status(path)
            } catch {
                // A name that is no UTF-8 cannot be opened by the one that was read.
                unlisted.append("unreadable \(relative)")
                continue
            }
            switch status.kind {
            case .folder: try walk(path, relative + "/")
            case .file:
                files.append(relative)
                bytes += status.bytes
            case .symlink:
                let target = try? Disk.linkTarget(path)
                unlisted.append("symlink \(relative) -> \(target ?? "?")")
            case .fifo, .socket, .device:
                unlisted.append("\(status.kind.rawValue) \(relative)")
            }
        }
    }

    /// Files that sealing makes after looking; what they hold follows from the rest.
    private static func isOfTheSeal(_ name: String) -> Bool {
        name == EvidenceLayout.sumsFile || name == EvidenceLayout.sumsFile + ".new"
            || name == EvidenceLayout.unlistedFile
            || name == EvidenceLayout.unlistedFile + ".new"
    }

    /// The text of `unlisted.txt`; nil where there is nothing to say.
    var unlistedText: String? {
        unlisted.isEmpty ? nil : unlisted.map { $0.replacing("\n", with: "\\n") + "\n" }.joined()
    }
}
