// SPDX-License-Identifier: Apache-2.0
// Runs a short helper such as git and waits for it.

internal import Foundation

enum DemoCommandLine {
    /// Runs `arguments`, found through PATH, with just `environment`; output goes to `log`. Blocks until it ends and throws
    /// where it does not end with 0.
    static func run(_ arguments: [String], environment: [String: String], log: String) throws(DemoError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let words = arguments.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var process = pid_t()
        let name = arguments.joined(separator: " ")
        let code = posix_spawnp(&process, arguments[0], &actions, nil, words, variables)
        guard code == 0 else {
            throw .command(name, status: code, output: String(cString: strerror(code)))
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw .command(name, status: status >> 8, output: String(output.prefix(500)))
        }
    }
}
