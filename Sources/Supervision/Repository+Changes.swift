// SPDX-License-Identifier: Apache-2.0
// What the commits between two revisions changed, line by line: triage weighs it against what the failing tests say.

package import Domain
import Platform
package import Triage

extension Repository {
    /// At most this much of the patches is read, the newest commits first.
    private static let patchLimit = 16 << 20

    /// The commits after `green` up to `wanted` as `commits` lists them, with their changes as far as git tells them
    /// within its limits of bytes and time. Where it does not, the changes are left out and the rest stands.
    package func commitsWithChanges(
        after green: Revision, upTo wanted: Revision
    ) async throws(RepositoryError) -> [CommitInfo] {
        var list = try await commits(after: green, upTo: wanted)
        guard !list.isEmpty else { return [] }
        let changes = await changes(after: green, upTo: wanted)
        for index in list.indices { list[index].changes = changes[list[index].revision] ?? [] }
        return list
    }

    /// Empty where git fails or takes too long: a prior is a help, no condition.
    private func changes(after green: Revision, upTo wanted: Revision) async -> [Revision: [FileChange]] {
        let arguments = [
            "-C", path, "log", "--first-parent", "-m", "--raw", "--patch",
            "--unified=0", "--find-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all",
            "--src-prefix=a/", "--dst-prefix=b/", "--format=%x01%H", "--end-of-options", "\(green.id)..\(wanted.id)",
            "--",
        ]
        let output = try? await GitCommand.output(
            arguments, environment: environment, timeout: .seconds(30), limit: Repository.patchLimit)
        guard let output else { return [:] }
        return PatchReader.read(output.standardOutput, isWhole: output.succeeded && !output.truncated)
    }
}
