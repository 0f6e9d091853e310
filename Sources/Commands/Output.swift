// SPDX-License-Identifier: Apache-2.0
// Where commands write: results to standard output, chatter and problems to standard error.

import Platform
package import Reporting
import Synchronization

package struct Output: Sendable {
    package typealias Sink = @Sendable (String) -> Void

    private let standardOutput: Sink
    private let standardError: Sink
    /// Whether standard output is a terminal.
    package private(set) var isTerminal: Bool
    package var columns: Int
    package var palette: Palette
    /// Why a part of the result could not be written; nil while all was, and where its reader went away.
    package var failure: @Sendable () -> String?

    package init(
        standardOutput: @escaping Sink, standardError: @escaping Sink, isTerminal: Bool = false, columns: Int = 80,
        palette: Palette = .plain, failure: @escaping @Sendable () -> String? = { nil }
    ) {
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.isTerminal = isTerminal
        self.columns = columns
        self.palette = palette
        self.failure = failure
    }

    /// Writes `text` as it is.
    package func write(_ text: String) { standardOutput(text) }

    package func line(_ text: String) { standardOutput(text + "\n") }

    /// With everything as chatter: what comes before a result that is one JSON document.
    package var asNotes: Output {
        var notes = Output(
            standardOutput: standardError, standardError: standardError, columns: columns, failure: failure)
        notes.isTerminal = false
        return notes
    }

    /// Something that is not the result.
    package func note(_ text: String) { standardError(text + "\n") }

    /// A problem: `nightjar: …`; each line of it made harmless.
    package func problem(_ text: String) {
        let lines = Printable.lines(text, limit: 200)
        standardError("nightjar: " + lines.joined(separator: "\n") + "\n")
    }

    /// A result: its JSON twin with `--json`, its text otherwise.
    package func result(_ value: some Encodable, json: Bool, text: () -> String) throws {
        if json {
            line(try JSONText.pretty(value))
        } else {
            write(text())
        }
    }
}

extension Output {
    /// The process's own streams. A reader that went away ends the output quietly.
    package static func process(environment: [String: String], color: String?) -> Output {
        let isTerminal = Terminal.isTerminal(.standardOutput)
        let wanted =
            switch color {
            case "always": true
            case "never": false
            default: isTerminal && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
            }
        var output = Output.writing(
            to: Terminal.Stream.standardOutput.rawValue, problemsTo: Terminal.Stream.standardError.rawValue)
        output.isTerminal = isTerminal
        output.columns = Terminal.columns(environment: environment)
        output.palette = Palette(isOn: wanted)
        return output
    }

    /// Writes to open descriptors. What follows a failure is left out, so that no result has a hole.
    static func writing(to result: Int32, problemsTo problems: Int32) -> Output {
        let first = FirstFailure()
        return Output(
            standardOutput: { text in
                guard first.error.withLock({ $0 }) == nil else { return }
                do throws(SystemError) {
                    try StandardStream.write(Array(text.utf8), to: result, name: "standard output")
                } catch {
                    first.error.withLock { $0 = error }
                }
            },
            // Nobody is left to be told where this fails.
            standardError: { try? StandardStream.write(Array($0.utf8), to: problems, name: "standard error") },
            failure: { first.error.withLock { $0 }.flatMap { $0.isReaderGone ? nil : $0.description } })
    }

    private final class FirstFailure: Sendable {
        let error = Mutex<SystemError?>(nil)
    }
}
