// SPDX-License-Identifier: Apache-2.0
// The entry of the command line: finds the command, runs it, and turns what happens into an exit code.

import DemoStaging
package import Domain
import Foundation
import Platform
import Reporting

package enum NightjarCommands {
    /// Runs the process's own command line. `arguments` begins with the program's name.
    package static func main(arguments: [String]) async -> Int32 {
        if let status = DemoMain.runIfAsked(arguments) { return status }
        let environment = ProcessInfo.processInfo.environment
        let output = Output.process(environment: environment, color: colorOption(arguments))
        return await run(
            arguments, output: output, workingDirectory: FileManager.default.currentDirectoryPath,
            environment: environment, now: { Timestamp.wallClock() }
        ).rawValue
    }

    /// Runs a command line in the world that is handed in. A result that could not be written is no success.
    package static func run(
        _ arguments: [String], output: Output, workingDirectory: String, environment: [String: String],
        now: @escaping @Sendable () -> Timestamp
    ) async -> ExitCode {
        let code = await perform(
            arguments, output: output, workingDirectory: workingDirectory, environment: environment, now: now)
        // What a daemon does is not what it prints.
        guard !["run", "serve"].contains(arguments.dropFirst().first), let failure = output.failure() else {
            return code
        }
        output.problem(failure)
        return code == .ok ? .infrastructure : code
    }

    private static func perform(
        _ arguments: [String], output: Output, workingDirectory: String, environment: [String: String],
        now: @escaping @Sendable () -> Timestamp
    ) async -> ExitCode {
        let program = arguments.first ?? "nightjar"
        do {
            let (type, rest) = try choose(Array(arguments.dropFirst()))
            let parsed = try ArgumentParser(type.description).parse(rest)
            if parsed.flag("help") {
                output.write(HelpText.command(type.description, columns: output.columns, palette: output.palette))
                return .ok
            }
            let context = Context(
                arguments: parsed, output: output, workingDirectory: workingDirectory, environment: environment,
                program: program, now: now)
            return try await type.init().run(context)
        } catch let error as any ExitingError {
            output.problem(error.description)
            return error.exitCode
        } catch is CancellationError {
            return .interrupted
        } catch {
            output.problem(String(describing: error))
            return .infrastructure
        }
    }

    /// The command and its own arguments; help where nothing or `--help` was said.
    private static func choose(_ words: [String]) throws(CommandError) -> (any Command.Type, [String]) {
        guard let name = words.first else { return (HelpCommand.self, []) }
        switch name {
        case "--help", "-h": return (HelpCommand.self, [])
        case "--version", "-V": return (VersionCommand.self, Array(words.dropFirst()))
        default: break
        }
        if let type = CommandTable.command(named: name) { return (type, Array(words.dropFirst())) }
        if name.hasPrefix("-") {
            throw .usage("'\(name)' stands before the command; options follow it", command: nil)
        }
        let names = CommandTable.all.map { $0.description.name }
        throw .usage("unknown command '\(name)'\(NearestWord.hint(name, among: names))", command: nil)
    }

    /// Color is decided before the command line is understood, so that its errors are colored alike.
    private static func colorOption(_ arguments: [String]) -> String? {
        for (index, word) in arguments.enumerated() {
            if word.hasPrefix("--color=") { return String(word.dropFirst(8)) }
            if word == "--color", index + 1 < arguments.count { return arguments[index + 1] }
        }
        return nil
    }
}

extension Timestamp {
    /// Now, as the system's clock has it.
    static func wallClock() -> Timestamp {
        Timestamp(milliseconds: SystemClock.wallMilliseconds)
    }
}
