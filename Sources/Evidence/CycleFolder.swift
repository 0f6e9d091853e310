// SPDX-License-Identifier: Apache-2.0
// What lies in the folder of one cycle.

import Platform

/// The files below one folder, as sealing and verification see them.
struct CycleFolder {
    /// Regular files, relative to the folder, sorted by their bytes.
    private(set) var files: [String] = []
    private(set) var bytes: Int64 = 0
    /// What has no sum: `symlink a -> b`, `special p`, sorted.
    private(set) var unlisted: [String] = []

    init(_ path: String) throws(EvidenceError) {
        try walk(path, "")
        files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        unlisted.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func walk(_ folder: String, _ prefix: String) throws(EvidenceError) {
        for name in try onDisk("list", folder, { () throws(SystemError) in try Files.list(folder) }) {
            let relative = prefix + name
            if prefix.isEmpty, CycleFolder.isOfTheSeal(name) || EvidenceLayout.isDerived(name) { continue }
            let path = folder + "/" + name
            switch Files.kind(of: path) {
            case .directory: try walk(path, relative + "/")
            case .file:
                files.append(relative)
                bytes += Files.size(of: path) ?? 0
            case .link: unlisted.append("symlink \(relative) -> \(Files.linkTarget(path) ?? "?")")
            case .other: unlisted.append("special \(relative)")
            // A name that is no UTF-8 cannot be opened by the one that was read.
            case nil: unlisted.append("unreadable \(relative)")
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
