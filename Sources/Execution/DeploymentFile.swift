// SPDX-License-Identifier: Apache-2.0
// What a deploy script may write to `$NIGHTJAR_DEPLOYMENT`.

package import Domain
import Foundation

package enum DeploymentFile {
    /// What is wrong with the file, for the person who wrote the script.
    package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String

        fileprivate init(_ error: DecodingError) {
            func place(_ keys: [any CodingKey]) -> String {
                keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
                    .replacing(".[", with: "[")
            }
            description =
                switch error {
                case .keyNotFound(let key, let context): "'\(place(context.codingPath + [key]))' is missing"
                case .typeMismatch(_, let context), .valueNotFound(_, let context):
                    "'\(place(context.codingPath))' is of another kind"
                case .dataCorrupted: "it is not valid JSON"
                @unknown default: "it is not as expected"
                }
        }
    }

    private struct Document: Decodable {
        struct Service: Decodable {
            var name: String
            var revision: String?
            var commit: String?
            var trafficPercent: Double?
        }
        var services: [Service]
    }

    /// Reads `{"services": [{"name": "api", "revision": "api-00223-kvq", "commit": "9f3c1e2…", "trafficPercent": 100}]}`.
    /// - Parameter redaction: takes secrets out of what the script wrote.
    package static func read(
        _ bytes: [UInt8], redaction: TextRedaction = TextRedaction(needles: [])
    ) throws -> [ServiceState] {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw Problem(error)
        }
        return document.services.map { service in
            ServiceState(
                name: redaction.text(service.name), wanted: service.revision.map { Revision(redaction.text($0)) },
                commit: service.commit.map(redaction.text),
                trafficPercent: service.trafficPercent)
        }
    }
}
