// SPDX-License-Identifier: Apache-2.0
// What a deploy script may write about its services, and what is said of anything else.

import Domain
import Execution
import Testing

struct DeploymentFileTests {
    @Test func `services are read with what is known of them`() throws {
        let text = #"{"services": [{"name": "api", "revision": "api-7", "trafficPercent": 100}, {"name": "web"}]}"#
        let services = try DeploymentFile.read(Array(text.utf8))
        #expect(services.map(\.name) == ["api", "web"])
        #expect(services[0].wanted == Revision("api-7"))
    }

    @Test func `secrets are taken out`() throws {
        let text = #"{"services": [{"name": "api-tok3n", "revision": "r-tok3n-1", "commit": "tok3n-c0ffee"}]}"#
        let read = try DeploymentFile.read(Array(text.utf8), redaction: TextRedaction(needles: ["tok3n-"]))
        #expect(!"\(read)".contains("tok3n-"))
    }

    @Test(arguments: [
        ("services: api", "it is not valid JSON"), ("{}", "'services' is missing"),
        (#"{"services": [{"name": "a"}, {}]}"#, "'services[1].name' is missing"),
        (#"{"services": [{"name": 7}]}"#, "'services[0].name' is of another kind"),
    ])
    func `anything else is said in words`(_ text: String, _ words: String) {
        let error = #expect(throws: DeploymentFile.Problem.self) { try DeploymentFile.read(Array(text.utf8)) }
        #expect(error?.description == words)
    }
}
