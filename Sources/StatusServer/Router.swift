// SPDX-License-Identifier: Apache-2.0
// Which answer belongs to which path. Everything here may block on a disk, so it runs on the workers.

import Domain
import Evidence
import Reporting

struct Router: Sendable {
    let loops: [ServedLoop]
    let options: ServerOptions
    let keeper: BoardKeeper
    let counts: ServerCounts
    /// Names this process: versions of boards mean nothing to another one.
    let epoch: String

    /// Files of our own, which need no disk.
    func asset(_ request: HTTPRequest) -> HTTPResponse? {
        guard request.path.count == 2, request.path[0] == "assets" else { return nil }
        let name = request.path[1]
        switch name {
        case "page.css": return HTTPResponse(200, type: "text/css; charset=utf-8", PageStyle.sheet).tagged()
        case "page.js": return HTTPResponse(200, type: "text/javascript; charset=utf-8", PageScript.text).tagged()
        default:
            guard name.hasSuffix(".svg"), let tone = Tone(rawValue: String(name.dropLast(4))) else { return nil }
            return HTTPResponse(200, type: "image/svg+xml", PageShell.icon(tone)).tagged()
        }
    }

    /// Whether the answer needs only the board, and not the evidence of a single cycle.
    func isOfBoard(_ request: HTTPRequest) -> Bool {
        !(request.path.contains("cycles") && request.path.last != "cycles")
    }

    func answer(_ request: HTTPRequest, isTrusted: Bool) -> HTTPResponse {
        switch request.path.first {
        case nil: return overview()
        case "healthz" where request.path.count == 1:
            return HealthAnswers.health(
                keeper.current(), loop: isTrusted ? request.query["loop"] : nil, patience: options.limits.patience,
                isTrusted: isTrusted)
        case "readyz" where request.path.count == 1:
            return HealthAnswers.readiness(keeper.current(), isTrusted: isTrusted)
        case "metrics" where request.path.count == 1:
            let text = Metrics.text(keeper.current(), options, counts.now)
            return HTTPResponse(200, type: "text/plain; version=0.0.4; charset=utf-8", text).shared()
        case "badge.svg" where request.path.count == 1: return badge(request)
        case "events" where request.path.count == 1: return events(request)
        case "loops": return loopPage(request, Array(request.path.dropFirst()))
        case "api": return interface(request, Array(request.path.dropFirst()))
        default: return missing(request)
        }
    }

    private func missing(_ request: HTTPRequest) -> HTTPResponse {
        if request.path.first == "api" { return Interface.failure(404, "there is no such document") }
        let shell = PageShell(title: "Not found")
        let text = shell.page(
            "<h2>Not found</h2><p>There is nothing here. <a href=\"/\">All loops</a></p>", at: options.now())
        return HTTPResponse(404, type: PageShell.type, text)
    }

    // MARK: Pages

    private func overview() -> HTTPResponse {
        let board = keeper.current()
        // With one loop there is nothing to choose.
        if board.loops.count == 1, let only = board.loops.first { return live(board, .loop(only.loop.name)) }
        return live(board, .overview)
    }

    private func live(_ board: Board, _ view: View) -> HTTPResponse {
        let sections = board.views[view] ?? []
        var shell = PageShell(title: Headline.title(board, view))
        shell.tone = Headline.tone(board, view)
        switch view {
        case .overview: shell.events = "/events?since=\(epoch).\(board.version)"
        case .loop(let name):
            shell.events = "/events?loop=\(Markup.pathPart(name))&since=\(epoch).\(board.version)"
            if board.loops.count > 1 { shell.trail = [(name, "/loops/" + Markup.pathPart(name))] }
        }
        let content: Markup =
            switch view {
            case .overview: Headline.articles(board, sections)
            case .loop: "<article>\(sections.map(PageShell.section))</article>"
            }
        shell.heading = "Nightjar status"
        return HTTPResponse(200, type: PageShell.type, shell.page(content, at: board.at)).shared()
    }

    private func loopPage(_ request: HTTPRequest, _ rest: [String]) -> HTTPResponse {
        let board = keeper.current()
        guard let name = rest.first, let state = board.loop(name) else { return missing(request) }
        let base = "/loops/" + Markup.pathPart(name)
        if rest.count == 1 { return live(board, .loop(name)) }
        guard rest[1] == "cycles", let reading = state.reading else { return missing(request) }
        var shell = PageShell(title: "Cycles of \(name)")
        shell.trail = [(name, base), ("cycles", base + "/cycles")]
        if rest.count == 2 {
            let content = CyclesPage.content(
                reading, base: base, before: request.query["before"].flatMap { Int($0) }, at: board.at)
            return HTTPResponse(200, type: PageShell.type, shell.page(content, at: board.at)).shared()
        }
        guard let number = Int(rest[2]), String(number) == rest[2], number > 0 else { return missing(request) }
        if rest.count > 3, rest[3] == "files" {
            return EvidenceFiles.answer(state.loop.layout, cycle: number, parts: Array(rest.dropFirst(4)))
        }
        guard rest.count == 3 else { return missing(request) }
        return cycle(request, state.loop, reading, number, base, shell)
    }

    private func cycle(
        _ request: HTTPRequest, _ loop: ServedLoop, _ reading: LoopReading, _ number: Int, _ base: String,
        _ shell: PageShell
    ) -> HTTPResponse {
        let record: CycleRecord
        do throws(EvidenceError) {
            record = try CycleReader(loop.layout).sealedRecord(number)
        } catch {
            if case .notFound = error { return missing(request) }
            let text = shell.page("<h2>Cycle \(number)</h2><p class=\"problem\">\("\(error)")</p>", at: options.now())
            return HTTPResponse(500, type: PageShell.type, text)
        }
        let (files, more) = EvidenceFiles.list(loop.layout, cycle: number)
        var page = CyclePage(record: record, files: files, moreFiles: more, base: base, now: options.now())
        page.previous = reading.cycles.last { $0.cycle < number }?.cycle
        page.next = reading.cycles.first { $0.cycle > number }?.cycle
        var shell = shell
        shell.title = "\(loop.name) #\(number) \(record.verdict.rawValue)"
        shell.tone = Tone(record.verdict)
        shell.trail.append(("\(number)", "\(base)/cycles/\(number)"))
        return HTTPResponse(200, type: PageShell.type, shell.page(page.content, at: options.now())).tagged()
    }

    private func badge(_ request: HTTPRequest) -> HTTPResponse {
        let board = keeper.current()
        let state = request.query["loop"].map { board.loop($0) } ?? board.loops.first
        guard let state else { return .plain(404, "there is no such loop") }
        return Badge.answer(state)
    }

    // MARK: Events

    private func events(_ request: HTTPRequest) -> HTTPResponse {
        let board = keeper.current()
        var view = View.overview
        if let name = request.query["loop"] {
            guard board.loop(name) != nil else { return .plain(404, "there is no such loop") }
            view = .loop(name)
        }
        // What the browser says on its own when it connects again is newer than what its page was made with.
        let known = (request.lastEventID ?? request.query["since"])?.split(separator: ".") ?? []
        let version = known.count == 2 && known[0] == epoch ? Int(known[1]) : nil
        var answer = HTTPResponse(200, type: "text/event-stream; charset=utf-8", [])
        answer.body = .events(EventOrder(view: view, version: version))
        return answer.with("Cache-Control", "no-store")
    }

    // MARK: Interface

    private func interface(_ request: HTTPRequest, _ rest: [String]) -> HTTPResponse {
        guard rest.count >= 2, rest[0] == "v1" else { return missing(request) }
        let board = keeper.current()
        guard rest[1] == "loops" else {
            guard rest.count == 2, ["cycles", "incidents"].contains(rest[1]) else { return missing(request) }
            let only = board.loops.count == 1 ? board.loops.first?.loop.name : nil
            guard let name = request.query["loop"] ?? only else {
                return Interface.failure(400, "of which loop? loop=NAME, see /api/v1/loops")
            }
            let address = "/api/v1/\(rest[1])?loop=\(Markup.pathPart(name))"
            return list(rest[1], of: board.loop(name), request, at: address)
        }
        let patience = options.limits.patience
        if rest.count == 2 {
            let loops = board.loops.map { Interface.loop($0, at: board.at, patience: patience) }
            return Interface.answer(loops, version: options.version).shared()
        }
        let state = board.loop(rest[2])
        if rest.count == 3, let state {
            return Interface.answer(Interface.loop(state, at: board.at, patience: patience)).shared()
        }
        if rest.count == 4 {
            return list(rest[3], of: state, request, at: "/api/v1/loops/\(Markup.pathPart(rest[2]))/\(rest[3])")
        }
        guard let state else { return Interface.failure(404, "there is no such loop") }
        guard rest.count == 5, rest[3] == "cycles" else { return missing(request) }
        guard let number = Int(rest[4]), String(number) == rest[4], number > 0 else {
            return Interface.failure(404, "there is no such cycle")
        }
        return document(state.loop, number)
    }

    private func list(
        _ what: String, of state: LoopState?, _ request: HTTPRequest, at address: String
    ) -> HTTPResponse {
        guard let state else { return Interface.failure(404, "there is no such loop") }
        guard let reading = state.reading else {
            return Interface.failure(503, state.problem ?? "the state of the loop cannot be read")
        }
        switch what {
        case "cycles": return Interface.cycles(reading, request.query, at: address).shared()
        case "incidents": return Interface.incidents(reading, request.query, at: address).shared()
        default: return missing(request)
        }
    }

    /// `cycle.json`, byte for byte; the checksum of it stands in SHA256SUMS.
    private func document(_ loop: ServedLoop, _ number: Int) -> HTTPResponse {
        do throws(EvidenceError) {
            guard let bytes = try CycleReader(loop.layout).documentBytes(number) else {
                return Interface.failure(404, "there is no such cycle")
            }
            return HTTPResponse(200, type: "application/json", bytes).tagged()
        } catch {
            return Interface.failure(500, "\(error)")
        }
    }
}

extension PageShell {
    static let type = "text/html; charset=utf-8"
}

/// What a view says in one line, for the tab of a browser.
enum Headline {
    static func tone(_ board: Board, _ view: View) -> Tone {
        let tones = states(board, view).map(tone)
        return [Tone.bad, .doubt, .quiet, .good].first { tones.contains($0) } ?? .quiet
    }

    static func tone(_ state: LoopState) -> Tone {
        guard let reading = state.reading else { return .doubt }
        guard reading.status.verdict != nil else { return .quiet }
        let tone = Tone(reading.status.light)
        return tone == .good && !reading.status.daemon.alive ? .doubt : tone
    }

    static func title(_ board: Board, _ view: View) -> String {
        let words = states(board, view).prefix(4).map { state in
            let word = state.reading.map {
                $0.status.verdict == nil ? "no verdict" : $0.status.light.rawValue.uppercased()
            }
            return "\(Printable.line(state.loop.name, columns: 40)) \(word ?? "UNKNOWN")"
        }
        return words.joined(separator: ", ") + " · Nightjar"
    }

    private static func states(_ board: Board, _ view: View) -> [LoopState] {
        switch view {
        case .overview: board.loops
        case .loop(let name): board.loops.filter { $0.loop.name == name }
        }
    }

    /// The sections of the overview, those of each loop together.
    static func articles(_ board: Board, _ sections: [Section]) -> Markup {
        let above = sections.filter { $0.id == Views.summary }.map(PageShell.section)
        let articles = board.loops.map { state -> Markup in
            let own = sections.filter { $0.id.hasPrefix("l\(state.index)-") }
            return "<article aria-label=\"\(state.loop.name, limit: 80)\">\(own.map(PageShell.section))</article>\n"
        }
        return "\(above)\(articles)"
    }
}
