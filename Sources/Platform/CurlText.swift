// SPDX-License-Identifier: Apache-2.0
// How values are written into the configuration that curl reads from its standard input.

package enum CurlText {
    /// A value in quotes, with the five escapes that curl knows. A NUL would end the line, and is left out.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\0": continue
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
