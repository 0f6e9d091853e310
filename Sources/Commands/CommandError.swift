// SPDX-License-Identifier: Apache-2.0
// Why a command could not do what it was asked, with the exit code that says so.

/// An error that knows its exit code.
package protocol ExitingError: Error, CustomStringConvertible {
    var exitCode: ExitCode { get }
}

package enum CommandError: ExitingError, Equatable {
    /// The command line is wrong; `command` names whose help would tell, nil for the top level.
    case usage(String, command: String?)
    /// The configuration is wrong: all problems, one per line.
    case configuration(String)
    case notFound(String)
    case held(String)
    /// A file, a socket or a program failed.
    case unavailable(String)
    /// Something that is not built into this command yet or refused by the daemon.
    case refused(String)

    package var exitCode: ExitCode {
        switch self {
        case .usage, .configuration: .usage
        case .notFound: .notFound
        case .held: .held
        case .unavailable: .infrastructure
        case .refused: .failing
        }
    }

    package var description: String {
        switch self {
        case .usage(let text, let command):
            "\(text)\nhint: nightjar help\(command.map { " \($0)" } ?? "")"
        case .configuration(let text):
            CommandError.counted(text)
        case .notFound(let text), .held(let text), .unavailable(let text), .refused(let text):
            text
        }
    }

    /// Several problems have a line before them, so that each begins with its place and editors can jump there.
    private static func counted(_ problems: String) -> String {
        let count = problems.split(separator: "\n").count
        return count > 1 ? "\(count) problems in the configuration\n\(problems)" : problems
    }
}
