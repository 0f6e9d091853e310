// SPDX-License-Identifier: Apache-2.0
// `nightjar init`: writes a configuration from what lies in the folder.

import Domain
import Foundation

struct InitCommand: Command {
    static let description = CommandDescription(
        "init", "write a first nightjar.json5 from what this folder holds",
        details: [
            "It looks at the project (test tools, deploy scripts, git) and proposes mode observe, which deploys nothing. "
                + "Read the file, then run nightjar check --probe and nightjar once."
        ],
        options: [
            .value("config", "FILE", short: "c", "where to write (default: ./nightjar.json5)", completion: .file),
            .flag("force", "overwrite a file that is there"),
            .flag("print", "print it instead of writing it"),
        ],
        examples: [.init("cd app && nightjar init && nightjar check", "The first minute with a project of your own.")],
        exits: [
            .init(.ok, "written"), .init(.usage, "there is one already"), .init(.infrastructure, "could not write"),
        ])

    func run(_ context: Context) async throws -> ExitCode {
        .ok
    }
}
