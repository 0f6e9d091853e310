// SPDX-License-Identifier: Apache-2.0
// Who descends from whom: after a rebase or a force push the last green revision is no ancestor of the wanted one.

package import Domain

extension Repository {
    /// Whether `revision` descends from `older`, or is it; nil where git does not tell.
    package func isAncestor(_ older: Revision, of revision: Revision) async -> Bool? {
        let range = "\(revision.id)..\(older.id)"
        let text = try? await git(
            ["rev-list", "--count", "--max-count=1", "--end-of-options", range, "--"], to: "compare commits")
        return text.flatMap { Int($0.trimmingWhitespace) }.map { $0 == 0 }
    }

    /// The commits that `revision` was made on, the first parent first; nil where git does not tell.
    package func parents(of revision: Revision) async -> [Revision]? {
        let text = try? await git(
            ["rev-list", "--parents", "--max-count=1", "--end-of-options", revision.id, "--"],
            to: "read the parents of \(revision.short)")
        return text?.trimmingWhitespace.split(separator: " ").dropFirst().map { Revision(String($0)) }
    }
}
