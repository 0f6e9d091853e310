// SPDX-License-Identifier: Apache-2.0
// Colors of a terminal. The words carry the meaning; color only helps to find them.

package import Domain

/// Paints where the output is a terminal that wants color, and does nothing elsewhere.
package struct Palette: Sendable {
    /// The eight colors that every theme defines, so that light and dark terminals both stay readable.
    package enum Paint: String, Sendable {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case magenta = "35"
        case cyan = "36"
        case bold = "1"
        case dim = "2"
        case redBold = "1;31"
        case greenBold = "1;32"
        case yellowBold = "1;33"
    }

    package var isOn: Bool

    package init(isOn: Bool) {
        self.isOn = isOn
    }

    package static let plain = Palette(isOn: false)

    package func callAsFunction(_ text: String, _ paint: Paint?) -> String {
        guard isOn, let paint, !text.isEmpty else { return text }
        return "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m"
    }
}

extension LogLine.Mark {
    package var paint: Palette.Paint? {
        switch self {
        case .going, .skip: .dim
        case .ok: .green
        case .green: .greenBold
        case .fail: .red
        case .red: .redBold
        case .new: .magenta
        case .hold, .warn: .yellow
        case .gray: .yellowBold
        case .plan: .blue
        case .fact, .act: .cyan
        }
    }
}

extension Verdict {
    package var paint: Palette.Paint {
        switch self {
        case .healthy: .greenBold
        case .degraded, .unproven, .interrupted: .yellowBold
        case .failing: .redBold
        }
    }
}

extension StageOutcome {
    /// The word in reports; the same as in the cycle log.
    package var mark: LogLine.Mark {
        switch self {
        case .succeeded: .ok
        case .failed, .timedOut: .fail
        case .stopped, .neverRan: .skip
        case .refused: .hold
        case .couldNotRun, .lost: .warn
        }
    }

    /// The outcome in words that fit a sentence.
    package var words: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .timedOut: "timed out"
        case .stopped: "stopped"
        case .couldNotRun: "could not run"
        case .refused: "refused"
        case .neverRan: "never ran"
        case .lost: "lost"
        }
    }
}

extension SuiteRecord.Status {
    package var mark: LogLine.Mark {
        switch self {
        case .passed: .ok
        case .failed: .fail
        case .unproven: .warn
        case .notRun: .skip
        }
    }

    package var words: String { self == .notRun ? "not run" : rawValue }
}

extension TestOutcome {
    package var words: String {
        switch self {
        case .timedOut: "timed out"
        case .notRun: "not run"
        default: rawValue
        }
    }
}
