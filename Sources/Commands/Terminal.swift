// SPDX-License-Identifier: Apache-2.0
// What is asked of a terminal: whether it is one, and how wide.

import Foundation

enum Terminal {
    enum Stream: Int32 {
        case standardInput = 0
        case standardOutput = 1
        case standardError = 2
    }

    static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

    /// The width of the terminal, `COLUMNS` where that is set, 80 otherwise.
    static func columns(environment: [String: String]) -> Int {
        if let text = environment["COLUMNS"], let columns = Int(text), (20...1000).contains(columns) { return columns }
        var size = winsize()
        for stream in [Stream.standardOutput, .standardError] {
            if ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 { return Int(size.ws_col) }
        }
        return 80
    }
}
