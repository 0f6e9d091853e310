// SPDX-License-Identifier: Apache-2.0
// The one place where evidence becomes JSON and back: keys sorted, so that the same value has the same bytes.

import Domain
import Foundation

enum EvidenceCoding {
    /// One JSON object and its newline.
    static func line(_ value: some Encodable, _ what: String) throws(EvidenceError) -> [UInt8] {
        try bytes(value, what, [.sortedKeys, .withoutEscapingSlashes])
    }

    /// For documents that people open: indented, with a newline at the end.
    static func document(_ value: some Encodable, _ what: String) throws(EvidenceError) -> [UInt8] {
        try bytes(value, what, [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted])
    }

    private static func bytes(
        _ value: some Encodable, _ what: String, _ format: JSONEncoder.OutputFormatting
    ) throws(EvidenceError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = format
        do {
            var bytes = [UInt8](try encoder.encode(value))
            bytes.append(UInt8(ascii: "\n"))
            return bytes
        } catch {
            throw .unwritable(what: what, reason: "\(error)")
        }
    }

    /// Why bytes did not become a value.
    enum Misreading: Error {
        /// The bytes are no JSON: torn, or overwritten.
        case notJSON
        /// JSON of another shape.
        case otherShape(String)
        case newer(String)
    }

    static func value<Value: Decodable>(
        _ type: Value.Type, from bytes: some Collection<UInt8>
    ) throws(Misreading) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let unknown as UnknownEventKind {
            throw .newer("event kind '\(unknown.kind)'")
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw .notJSON
        } catch {
            throw .otherShape("\(error)")
        }
    }
}
