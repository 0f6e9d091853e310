// SPDX-License-Identifier: Apache-2.0
// What a command gets: its arguments and the world around it, so that tests can hand it another world.

package import Domain

package struct Context: Sendable {
    package var arguments: ParsedArguments
    package var output: Output
    package var workingDirectory: String
    package var environment: [String: String]
    /// The path of this program, for commands that start it again.
    package var program: String
    package var now: @Sendable () -> Timestamp

    package init(
        arguments: ParsedArguments, output: Output, workingDirectory: String, environment: [String: String],
        program: String, now: @escaping @Sendable () -> Timestamp
    ) {
        self.arguments = arguments
        self.output = output
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.program = program
        self.now = now
    }

    package var wantsJSON: Bool { arguments.flag("json") }

    /// A path as the user wrote it, seen from where the user stands.
    package func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : workingDirectory + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// A path as the user can type it: relative where it lies below the working directory.
    package func shown(_ path: String) -> String {
        path.hasPrefix(workingDirectory + "/") ? String(path.dropFirst(workingDirectory.count + 1)) : path
    }

    /// Who gives an order, for the record.
    package var user: String {
        environment["SUDO_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? "operator"
    }
}

/// One subcommand.
package protocol Command: Sendable {
    static var description: CommandDescription { get }
    init()
    func run(_ context: Context) async throws -> ExitCode
}
