// SPDX-License-Identifier: Apache-2.0
// What roles read and answer, as JSON.

package import Domain
import Foundation

/// Why an answer is none.
package struct RoleAnswerError: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) {
        self.description = description
    }
}

package enum RoleFile {
    package static func request(_ request: RoleRequest) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(request)) + [10]
    }

    /// Lines from which the answer may begin, from the end backward.
    private static let attempts = 400

    /// The answer in what a role printed: the JSON object with which the output ends. What stands before it is talk.
    package static func answer(_ output: [UInt8]) throws(RoleAnswerError) -> RoleAnswer {
        var end = output.count
        while end > 0, output[end - 1] <= 32 { end -= 1 }
        guard end > 0 else { throw RoleAnswerError(description: "it answered nothing") }
        guard output[end - 1] == UInt8(ascii: "}") else {
            throw RoleAnswerError(description: "its output does not end with a JSON object")
        }
        var start = end
        var problem: String?
        for _ in 0..<attempts {
            guard let line = lineStart(output, before: start) else { break }
            start = line
            guard output[line...].first(where: { $0 > 32 }) == UInt8(ascii: "{") else { continue }
            do {
                let answer = try JSONDecoder().decode(RoleAnswer.self, from: Data(output[line..<end]))
                if let schema = answer.schema, schema != RoleAnswer.schemaName {
                    throw RoleAnswerError(description: "its schema is \(schema), not \(RoleAnswer.schemaName)")
                }
                return answer
            } catch let error as RoleAnswerError {
                throw error
            } catch DecodingError.keyNotFound(let key, _) {
                problem = "its answer has no \(key.stringValue)"
            } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
                problem = "its answer is wrong at \(context.codingPath.map(\.stringValue).joined(separator: "."))"
            } catch {
                problem = problem ?? "its answer is no JSON that docs/roles.md describes"
            }
        }
        throw RoleAnswerError(description: problem ?? "its output does not end with a JSON object")
    }

    /// The beginning of the line that ends before `position`.
    private static func lineStart(_ bytes: [UInt8], before position: Int) -> Int? {
        guard position > 0 else { return nil }
        var index = position - 1
        while index > 0, bytes[index - 1] != 10 { index -= 1 }
        return index
    }
}
