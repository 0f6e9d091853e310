// SPDX-License-Identifier: Apache-2.0
// The lists of the JSON interface: paged, by state, with entity tags, of the loop that is named.

import Domain
import Foundation
import Reporting
import Testing

@testable import StatusServer

struct InterfaceTests {
    private static func incident(_ number: Int, _ state: Incident.State) -> Incident {
        Incident(
            id: "INC-\(number)", signature: "s\(number)", title: "t", tests: [], suites: [], state: state,
            firstSeen: Scene.now, firstCycle: 1)
    }

    /// Open: 57 and 9 (acknowledged); resolved: 1 to 6.
    private func server(_ names: [String] = ["staging"]) throws -> RunningServer {
        try RunningServer(
            names.map { name in
                var reading = Scene.reading(name, .failing)
                reading.incidents = [Self.incident(9, .acknowledged), Self.incident(57, .open)]
                reading.resolved = (1...6).map { Self.incident($0, .resolved) }
                return Scene.loop(reading)
            })
    }

    private func page(_ answer: Answer) throws -> (ids: [String], next: String?) {
        #expect(answer.status == 200, "\(answer.body)")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
        let incidents = try #require(object["incidents"] as? [[String: Any]])
        return (incidents.compactMap { $0["id"] as? String }, object["next"] as? String)
    }

    @Test func `incidents are paged, newest first, by state`() async throws {
        let server = try server()
        let base = "/api/v1/loops/staging/incidents"
        #expect(try page(await server.get(base)).ids == ["INC-57", "INC-9"])
        #expect(try page(await server.get(base + "?state=resolved")).ids.first == "INC-6")
        #expect(try page(await server.get(base + "?state=all")).ids.count == 8)
        var seen: [String] = []
        var address: String? = base + "?state=all&limit=3"
        while let next = address {
            let found = try page(await server.get(next))
            seen += found.ids
            address = found.next
        }
        #expect(seen == ["INC-57", "INC-9", "INC-6", "INC-5", "INC-4", "INC-3", "INC-2", "INC-1"])
        for wrong in ["?state=new", "?limit=0", "?limit=201", "?before=57", "?before=INC-x"] {
            #expect(try await server.get(base + wrong).status == 400, "\(wrong)")
        }
    }

    @Test func `a tag that is known is answered with 304`() async throws {
        let server = try server()
        let target = "/api/v1/loops/staging/incidents?state=all&limit=3"
        let tag = try #require(try await server.get(target).fields["etag"])
        let again = try await server.get(target, "If-None-Match: \(tag)\r\n")
        #expect(again.status == 304 && again.body.isEmpty)
        let other = try await server.get("/api/v1/loops/staging/incidents", "If-None-Match: \(tag)\r\n")
        #expect(other.status == 200)
    }

    @Test func `the short addresses name their loop, or mean the only one`() async throws {
        let one = try server()
        #expect(try page(await one.get("/api/v1/incidents?state=open")).ids == ["INC-57", "INC-9"])
        #expect(try await one.get("/api/v1/cycles").status == 200)
        let next = try page(await one.get("/api/v1/incidents?state=all&limit=7")).next
        #expect(next == "/api/v1/incidents?loop=staging&state=all&before=INC-2&limit=7")
        #expect(try page(await one.get(try #require(next))).ids == ["INC-1"])
        let two = try server(["api", "web"])
        #expect(try await two.get("/api/v1/incidents").status == 400)
        #expect(try await two.get("/api/v1/incidents?loop=web").body.contains("\"loop\" : \"web\""))
        #expect(try await two.get("/api/v1/incidents?loop=other").status == 404)
        #expect(try await two.get("/api/v1/tests?loop=web").status == 404)
    }
}
