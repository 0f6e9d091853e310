// SPDX-License-Identifier: Apache-2.0
// Where commands write: results to standard output, chatter and problems to standard error.

import Foundation
package import Reporting

package struct Output: Sendable {
    package typealias Sink = @Sendable (String) -> Void

    private let standardOutput: Sink
    private let standardError: Sink
    /// Whether standard output is a terminal.
    package let isTerminal: Bool
    package var columns: Int
    package var palette: Palette

    package init(
        standardOutput: @escaping Sink, standardError: @escaping Sink, isTerminal: Bool = false, columns: Int = 80,
        palette: Palette = .plain
    ) {
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.isTerminal = isTerminal
        self.columns = columns
        self.palette = palette
    }

    /// Writes `text` as it is.
    package func write(_ text: String) { standardOutput(text) }

    package func line(_ text: String) { standardOutput(text + "\n") }

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
        return Output(
            standardOutput: { try? FileHandle.standardOutput.write(contentsOf: Data($0.utf8)) },
            standardError: { try? FileHandle.standardError.write(contentsOf: Data($0.utf8)) },
            isTerminal: isTerminal, columns: Terminal.columns(environment: environment),
            palette: Palette(isOn: wanted))
    }
}
