// SPDX-License-Identifier: Apache-2.0
// Building specifications for runs of small scripts.

import Domain
import Execution
import Platform
import TestSupport

extension CommandSpec {
    /// A run of a shell script in `folder/name`.
    static func shell(
        _ script: String, in folder: TemporaryFolder, name: String = "run", timeout: Duration = .seconds(60),
        idleTimeout: Duration? = nil, grace: Duration = .seconds(2), leavesServices: Bool = false,
        outputLimit: Int64 = 1 << 20, needles: [String] = [], environment: [String: String] = [:],
        standardInput: [UInt8] = []
    ) -> CommandSpec {
        var complete = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
        complete.merge(environment) { $1 }
        return CommandSpec(
            argv: ["/bin/sh", "-c", script], environment: complete, workingDirectory: folder.path,
            stageID: "\(folder.path)/\(name)", folder: folder(name), timeout: timeout, idleTimeout: idleTimeout,
            grace: grace, leavesServices: leavesServices, outputLimit: outputLimit, needles: needles,
            standardInput: standardInput)
    }
}

extension CommandRunner {
    static func forTests() throws(SystemError) -> CommandRunner {
        try CommandRunner(executablePath: Nightjar.path)
    }
}

/// The processes of the run in `folder/name` that are alive.
func survivors(_ folder: TemporaryFolder, _ name: String = "run") -> [ProcessEntry] {
    ProcessTable.withEnvironment("NIGHTJAR_STAGE=\(folder.path)/\(name)")
}
