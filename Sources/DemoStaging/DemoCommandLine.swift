// SPDX-License-Identifier: Apache-2.0
// Runs a short helper such as git and waits for it.

internal import Foundation

enum DemoCommandLine {
    /// Runs `arguments`, found through PATH, with just `environment`; output goes to `log`. Blocks until it ends and throws
    /// where it does not end with 0.
    static func run(_ arguments: [String], environment: [String: String], log: String) throws(DemoError) {
        let status = try status(of: arguments, environment: environment, log: log)
        guard status == 0 else {
            let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw .command(arguments.joined(separator: " "), status: status, output: String(output.prefix(500)))
        }
    }

    /// Runs `arguments` and returns the exit status, or 128 and the signal as shells do. Only the process itself is waited
    /// for, not what it leaves in the background.
    static func status(
        of arguments: [String], environment: [String: String], log: String
    ) throws(DemoError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Threads of a pool have signals blocked, and a child that inherits the mask could not be ended.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = arguments.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var process = pid_t()
        let code = posix_spawnp(&process, arguments[0], &actions, &attributes, words, variables)
        guard code == 0 else {
            let reason = String(cString: strerror(code))
            throw .command(arguments.joined(separator: " "), status: code, output: reason)
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 : 128 + (status & 0x7F)
    }
}
