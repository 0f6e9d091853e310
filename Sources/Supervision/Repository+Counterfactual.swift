// SPDX-License-Identifier: Apache-2.0
// What never was: the wanted revision without one of its commits. The failure must go with it, if that commit is at fault.

package import Domain
import Platform

extension Repository {
    /// A commit on top of `wanted` that takes `culprit` alone back, kept reachable for the loop.
    ///
    /// Its dates are those of `wanted`, so that asking again gives the same commit. Throws where git finds conflicts:
    /// later commits build on the culprit, and nothing can be learned by taking it back alone.
    package func revert(
        _ culprit: Revision, on wanted: Revision, loop: String, at folder: String
    ) async throws(RepositoryError) -> Revision {
        try await makeWorktree(of: wanted, at: folder)
        let tree = Repository(path: folder, environment: environment)
        let made: Result<Revision, RepositoryError>
        do throws(RepositoryError) {
            made = .success(try await tree.commitReverting(culprit, wanted))
        } catch {
            made = .failure(error)
        }
        await removeWorktree(at: folder)
        let revision = try made.get()
        _ = try await git(
            [
                "update-ref", "-m", "nightjar: counterfactual", "--end-of-options", reference(loop, culprit),
                revision.id,
            ],
            to: "keep the commit without \(culprit.short)")
        return revision
    }

    private func reference(_ loop: String, _ culprit: Revision) -> String {
        "refs/nightjar/\(StageRun.fileName(loop))/without-\(StageRun.fileName(culprit.id))"
    }

    private func commitReverting(_ culprit: Revision, _ wanted: Revision) async throws(RepositoryError) -> Revision {
        let parents = try await git(
            ["rev-list", "--parents", "--max-count=1", "--end-of-options", culprit.id, "--"],
            to: "read the parents of \(culprit.short)")
        let isMerge = parents.split(separator: " ").count > 2
        _ = try await git(
            ["revert", "--no-commit"] + (isMerge ? ["--mainline", "1"] : []) + ["--end-of-options", culprit.id],
            to: "take \(culprit.short) alone back", timeout: .seconds(120))
        let treeID = try await git(["write-tree"], to: "write the tree without \(culprit.short)").trimmingWhitespace
        let date = try await git(
            ["show", "--no-patch", "--format=%cI", "--end-of-options", wanted.id, "--"],
            to: "read the date of \(wanted.short)"
        ).trimmingWhitespace
        let message = "Without \(culprit.id)\n\nMade by nightjar to see whether a failure goes with that commit."
        let identity = [
            "GIT_AUTHOR_NAME": "nightjar", "GIT_AUTHOR_EMAIL": "nightjar@localhost", "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "nightjar", "GIT_COMMITTER_EMAIL": "nightjar@localhost", "GIT_COMMITTER_DATE": date,
        ]
        let writer = Repository(path: path, environment: environment.merging(identity) { $1 })
        let id = try await writer.git(
            ["commit-tree", "--no-gpg-sign", "-p", wanted.id, "-m", message, treeID],
            to: "make the commit without \(culprit.short)")
        return Revision(id.trimmingWhitespace)
    }
}
