// SPDX-License-Identifier: Apache-2.0
// What a deploy script may write to `$NIGHTJAR_DEPLOYMENT`.

package import Domain
import Foundation

package enum DeploymentFile {
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
    package static func read(_ bytes: [UInt8]) throws -> [ServiceState] {
        try JSONDecoder().decode(Document.self, from: Data(bytes)).services.map { service in
            ServiceState(
                name: service.name, wanted: service.revision.map { Revision($0) }, commit: service.commit,
                trafficPercent: service.trafficPercent)
        }
    }
}
