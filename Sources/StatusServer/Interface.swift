// SPDX-License-Identifier: Apache-2.0
// `/api/v1/…`: the state as JSON, read-only, with entity tags.

import Domain
import Evidence
import Reporting

/// Documents of the interface; their keys are stable, additions are no new version.
enum Interface {
    struct Loop: Codable {
        var name: String
        var health: Health
        var status: StatusSnapshot?
        var running: RunningStage?
        var problem: String?
    }

    struct Loops: Codable {
        var schema = "nightjar.api.loops/1"
        var version: String
        var loops: [Loop]
    }

    struct Cycles: Codable {
        var schema = "nightjar.api.cycles/1"
        var loop: String
        /// Newest first.
        var cycles: [CycleBrief]
        /// Where the older ones are; absent at the end.
        var next: String?
    }

    struct Incidents: Codable {
        var schema = "nightjar.api.incidents/1"
        var loop: String
        /// Newest first.
        var incidents: [Incident]
        /// Where the older ones are; absent at the end.
        var next: String?
    }

    struct Failure: Codable {
        struct Error: Codable {
            var status: Int
            var reason: String
        }
        var error: Error
    }

    static func loop(_ state: LoopState, at now: Timestamp, patience: Duration) -> Loop {
        Loop(
            name: state.loop.name, health: Health(state, at: now, patience: patience), status: state.reading?.status,
            running: state.reading?.running, problem: state.problem)
    }

    /// A document whose tag does not change with the clock alone.
    static func answer(_ loops: [Loop], version: String) -> HTTPResponse {
        json(Loops(version: version, loops: loops), tagOver: Loops(version: version, loops: loops.map(still)))
    }

    static func answer(_ loop: Loop) -> HTTPResponse { json(loop, tagOver: still(loop)) }

    private static func still(_ loop: Loop) -> Loop {
        var loop = loop
        loop.status?.at = Timestamp(milliseconds: 0)
        // Its words count the seconds; what matters of it is whether it moves.
        loop.health.reason = ""
        return loop
    }

    /// - Parameter address: where the document is, with the parameters that name the loop.
    static func cycles(_ reading: LoopReading, _ query: [String: String], at address: String) -> HTTPResponse {
        guard let limit = limit(query) else { return failure(400, "limit is a number from 1 to 200") }
        guard let before = Int(query["before"] ?? "\(Int.max)") else {
            return failure(400, "before is the number of a cycle")
        }
        let older = reading.cycles.filter { $0.cycle < before }
        let page = Array(older.suffix(limit).reversed())
        let next = page.last.flatMap { last in
            older.count > limit ? more(address, "before=\(last.cycle)&limit=\(limit)") : nil
        }
        return json(Cycles(loop: reading.status.loop, cycles: page, next: next))
    }

    /// `state` is `open` (the default; acknowledged ones are open), `resolved` or `all`.
    static func incidents(_ reading: LoopReading, _ query: [String: String], at address: String) -> HTTPResponse {
        guard let limit = limit(query) else { return failure(400, "limit is a number from 1 to 200") }
        let state = query["state"] ?? "open"
        let known: [Incident]
        switch state {
        case "open": known = reading.incidents
        case "resolved": known = reading.resolved
        case "all": known = reading.incidents + reading.resolved
        default: return failure(400, "state is open, resolved or all")
        }
        var before = Int.max
        if let text = query["before"] {
            guard let number = number(text) else { return failure(400, "before is an incident such as INC-57") }
            before = number
        }
        let older = known.compactMap { incident in number(incident.id).map { (number: $0, incident: incident) } }
            .filter { $0.number < before }.sorted { $0.number > $1.number }
        let page = older.prefix(limit)
        let next = page.last.flatMap { last in
            older.count > limit ? more(address, "state=\(state)&before=INC-\(last.number)&limit=\(limit)") : nil
        }
        return json(Incidents(loop: reading.status.loop, incidents: page.map(\.incident), next: next))
    }

    private static func limit(_ query: [String: String]) -> Int? {
        Int(query["limit"] ?? "20").flatMap { (1...200).contains($0) ? $0 : nil }
    }

    /// 57 of `INC-57`.
    private static func number(_ id: String) -> Int? {
        id.hasPrefix("INC-") ? Int(id.dropFirst(4)).flatMap { $0 > 0 ? $0 : nil } : nil
    }

    private static func more(_ address: String, _ query: String) -> String {
        address + (address.contains("?") ? "&" : "?") + query
    }

    static func failure(_ status: Int, _ reason: String) -> HTTPResponse {
        let document = Failure(error: .init(status: status, reason: Printable.line(reason, columns: 400)))
        let text = (try? JSONText.pretty(document)) ?? "{\"error\":{\"status\":\(status)}}"
        return HTTPResponse(status, type: "application/json", text + "\n")
    }

    private static func json(_ value: some Encodable, tagOver still: (any Encodable)? = nil) -> HTTPResponse {
        do {
            let text = try JSONText.pretty(value) + "\n"
            let answer = HTTPResponse(200, type: "application/json", text)
            guard let still else { return answer.tagged() }
            return answer.tagged(Array(try JSONText.line(still).utf8), isWeak: true)
        } catch {
            return failure(500, "the document could not be written: \(error)")
        }
    }
}
