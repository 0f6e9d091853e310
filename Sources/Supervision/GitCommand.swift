// SPDX-License-Identifier: Apache-2.0
// How git is run, whoever asks: without hooks, without questions, and never believed where its answer was cut off.

import Domain
import Platform

/// Why a run of git gave no whole answer.
struct GitProblem: Error, CustomStringConvertible {
    var description: String
}

enum GitCommand {
    /// Bytes of an answer that are kept.
    static let outputLimit = 16 << 20

    /// What git answers, whole or not: for those who can use a part of it.
    ///
    /// - Parameter arguments: all of them, without `git` itself.
    static func output(
        _ arguments: [String], environment: [String: String], workingDirectory: String? = nil, timeout: Duration,
        limit: Int = GitCommand.outputLimit
    ) async throws(GitProblem) -> HelperOutput {
        do {
            return try await HelperCommand.run(
                ["git", "-c", "core.hooksPath=/dev/null"] + arguments,
                environment: environment.merging(["GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"]) { $1 },
                workingDirectory: workingDirectory, timeout: timeout, outputLimit: limit)
        } catch {
            throw GitProblem(description: "\(error)")
        }
    }

    /// The whole answer of a run that succeeded. A list that was cut off looks like a shorter list: it is an error.
    static func run(
        _ arguments: [String], environment: [String: String], workingDirectory: String? = nil, timeout: Duration,
        limit: Int = GitCommand.outputLimit
    ) async throws(GitProblem) -> [UInt8] {
        let output = try await output(
            arguments, environment: environment, workingDirectory: workingDirectory, timeout: timeout, limit: limit)
        if output.timedOut {
            throw GitProblem(description: "git did not end within \(timeout.milliseconds / 1000)s")
        }
        guard output.exit == 0 else {
            let words = String(decoding: output.standardError.suffix(600), as: UTF8.self).trimmingWhitespace
            let end = output.exit.map { "git exited with \($0)" } ?? "git was ended by a signal"
            throw GitProblem(description: words.isEmpty ? end : words)
        }
        guard !output.truncated else {
            throw GitProblem(description: "git answered more than \(limit) bytes")
        }
        return output.standardOutput
    }
}
