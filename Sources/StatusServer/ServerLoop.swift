// SPDX-License-Identifier: Apache-2.0
// The server's one thread: connections, requests, answers, listeners and limits. It never waits for a client or a disk.

import Domain
import Platform

final class ServerLoop {
    private static let listenerToken: UInt64 = 0
    private static let bellToken: UInt64 = 1

    let options: ServerOptions
    let router: Router
    let gate: Gate
    let counts: ServerCounts
    private let socket: ServerSocket
    private let mailbox: Mailbox
    private let workers: Workers
    private let poller: Poller
    var clients: [UInt64: Client] = [:]
    private var nextToken: UInt64 = 2
    private var isStopping = false
    private var isAccepting = true
    var clock = ContinuousClock.now
    private var sweptAt = ContinuousClock.now
    private var lookedAt: ContinuousClock.Instant?
    var board: Board?
    /// Who waits for which answer; several may wait for the same.
    private var waiting: [String: [(client: UInt64, request: HTTPRequest)]] = [:]
    private var shared: [String: (answer: HTTPResponse, until: ContinuousClock.Instant)] = [:]
    private var solitary: UInt64 = 0

    /// How often deadlines and files are looked at while somebody is there.
    private var tick: Duration { min(.seconds(1), options.limits.look) }

    init(socket: ServerSocket, router: Router, options: ServerOptions, mailbox: Mailbox, counts: ServerCounts)
        throws(SystemError)
    {
        self.socket = socket
        self.router = router
        self.options = options
        self.mailbox = mailbox
        self.counts = counts
        workers = Workers(mailbox: mailbox)
        gate = Gate(hosts: options.hosts, token: options.token)
        poller = try Poller()
        try poller.watch(socket.descriptor, .reading, token: Self.listenerToken)
        try poller.watch(mailbox.bell, .reading, token: Self.bellToken)
    }

    /// Serves until it is told to stop.
    func run() throws(SystemError) {
        while !isStopping {
            // With nobody there, nothing is done.
            let ready = try poller.wait(milliseconds: clients.isEmpty && isAccepting ? nil : Int(tick.milliseconds))
            clock = .now
            for event in ready { handle(event) }
            if clock - sweptAt >= tick { sweep() }
        }
        for client in clients.values { poller.forget(client.socket) }
        clients = [:]
    }

    private func handle(_ event: Poller.Ready) {
        switch event.token {
        case Self.listenerToken: accept()
        case Self.bellToken: for message in mailbox.takeAll() { take(message) }
        default:
            guard let client = clients[event.token] else { return }
            if event.isGone, !event.isReadable { return end(client) }
            if event.isWritable { write(client) }
            if event.isReadable, clients[event.token] != nil { read(client) }
        }
    }

    private func take(_ message: Message) {
        switch message {
        case .stop: isStopping = true
        case .board(let board):
            self.board = board
            tellListeners()
        case .answer(let key, let answer):
            if answer.isShared {
                if shared.count > 256 { shared = [:] }
                shared[key] = (answer, clock + options.limits.look)
            }
            for (token, request) in waiting.removeValue(forKey: key) ?? [] {
                if let client = clients[token], client.phase == .waiting { respond(client, request, answer) }
            }
        }
    }

    // MARK: Connections

    private func accept() {
        for _ in 0..<64 {
            switch socket.accept() {
            case .none: return
            case .noRoom:
                guard makeRoom() else {
                    // Nothing can be freed: the next sweep tries again, instead of being woken for ever.
                    poller.change(socket.descriptor, [], token: Self.listenerToken)
                    isAccepting = false
                    return
                }
            case .connection(let descriptor): admit(descriptor)
            }
        }
    }

    private func admit(_ descriptor: Descriptor) {
        counts.change { $0.accepted += 1 }
        if clients.count >= options.limits.connections, !makeRoom() {
            counts.change { $0.refused += 1 }
            _ = descriptor.send(
                HTTPResponse.plain(503, "too many connections").with("Retry-After", "5")
                    .head(at: options.now(), keepsAlive: false), from: 0)
            return
        }
        let token = nextToken
        nextToken += 1
        let client = Client(descriptor, token: token, now: clock, deadline: clock + options.limits.head)
        guard (try? poller.watch(descriptor, .reading, token: token)) != nil else { return }
        clients[token] = client
        counts.change { $0.connections = clients.count }
    }

    /// Ends the connection that has had nothing to say for longest; who is being answered stays.
    private func makeRoom() -> Bool {
        let idle = clients.values.filter { $0.phase == .reading || $0.phase == .draining }
        guard let victim = idle.min(by: { $0.idleSince < $1.idleSince }) else { return false }
        cut(victim, "room")
        return true
    }

    func cut(_ client: Client, _ reason: String) {
        counts.change { $0.cut[reason, default: 0] += 1 }
        end(client)
    }

    func end(_ client: Client) {
        guard clients.removeValue(forKey: client.token) != nil else { return }
        poller.forget(client.socket)
        counts.change { values in
            values.connections = clients.count
            if client.view != nil { values.listeners -= 1 }
        }
    }

    /// Waits for what the client's phase needs, and no more.
    func attend(_ client: Client) {
        var interest: Poller.Interest = client.hasOutput ? .writing : []
        switch client.phase {
        case .reading, .streaming, .draining: interest.insert(.reading)
        case .waiting, .sending: break
        }
        guard interest != client.interest else { return }
        client.interest = interest
        poller.change(client.socket, interest, token: client.token)
    }

    // MARK: Requests

    private func read(_ client: Client) {
        var piece: [UInt8] = []
        switch client.socket.receive(into: &piece, upTo: 16 << 10) {
        case .wouldBlock: return
        case .ended: end(client)
        case .moved:
            switch client.phase {
            // A listener has nothing more to say, and who was refused is not listened to.
            case .streaming, .draining, .waiting, .sending: break
            case .reading:
                if client.input.isEmpty { client.deadline = clock + options.limits.head }
                client.input += piece
                consider(client)
            }
        }
    }

    /// Takes the next request from what has come, where it is complete.
    func consider(_ client: Client) {
        switch HTTPHead.read(client.input) {
        case .incomplete: attend(client)
        case .refused(let refusal): refuse(client, refusal.status, refusal.reason)
        case .request(let request, let length):
            client.input.removeFirst(length)
            client.keepsAlive = request.keepsAlive
            client.isHead = request.isHead
            serve(client, request)
        }
    }

    /// Says why and ends the connection: what follows a request that was not understood could be anything.
    func refuse(_ client: Client, _ status: Int, _ reason: String) {
        client.keepsAlive = false
        client.isHead = false
        client.input = []
        var answer = HTTPResponse.plain(status, reason)
        if status == 405 { answer = answer.with("Allow", "GET, HEAD") }
        send(client, answer)
    }

    private func serve(_ client: Client, _ request: HTTPRequest) {
        let passage = gate.judge(request)
        if case .refused(let status, let reason) = passage {
            var answer = HTTPResponse.plain(status, reason)
            if status == 401 {
                answer = answer.with("WWW-Authenticate", "Bearer realm=\"nightjar\"")
                    .with("WWW-Authenticate", "Basic realm=\"nightjar\", charset=\"UTF-8\"")
            }
            return send(client, answer)
        }
        if let asset = router.asset(request) { return respond(client, request, asset) }
        let isTrusted = passage == .all
        let key = (isTrusted ? "+" : "-") + request.target
        let isOfBoard = router.isOfBoard(request)
        if let ready = shared[key], ready.until > clock { return respond(client, request, ready.answer) }
        // Single cycles are answered one by one; streams that begin at the same event share an answer, so that all browsers
        // may come back at once.
        if !isOfBoard { solitary += 1 }
        let isStream = request.path.first == "events"
        let slot = isOfBoard ? key + (isStream ? " \(request.lastEventID ?? "")" : "") : "\(solitary) \(key)"
        guard waiting.count < 256 else {
            return send(client, .plain(503, "too many requests at once").with("Retry-After", "2"))
        }
        client.phase = .waiting
        client.deadline = clock + options.limits.answer
        attend(client)
        let isFirst = waiting[slot] == nil
        waiting[slot, default: []].append((client.token, request))
        guard isFirst else { return }
        let router = router
        workers.answer(key: slot, ofBoard: isOfBoard) { router.answer(request, isTrusted: isTrusted) }
    }

    // MARK: Answers

    private func respond(_ client: Client, _ request: HTTPRequest, _ answer: HTTPResponse) {
        guard case .events(let order) = answer.body, !request.isHead else {
            return send(client, answer.unlessKnown(request.knownTags))
        }
        guard counts.now.listeners < options.limits.listeners else {
            return send(client, .plain(503, "too many listeners").with("Retry-After", "30"))
        }
        counts.change { $0.listeners += 1 }
        count(answer.status)
        client.phase = .streaming
        client.view = order.view
        client.version = order.version
        client.sentAt = clock
        client.keepsAlive = false
        client.input = []
        client.enqueue(answer.head(at: options.now(), keepsAlive: true) + EventText.greeting)
        if let board { tell(client, board) }
        write(client)
        look()
    }

    func send(_ client: Client, _ answer: HTTPResponse) {
        count(answer.status)
        client.answered += 1
        client.phase = .sending
        client.enqueue(answer.head(at: options.now(), keepsAlive: client.keepsAlive))
        var size = 0
        if !client.isHead {
            switch answer.body {
            case .bytes(let bytes):
                client.enqueue(bytes)
                size = bytes.count
            case .file(let file, let length):
                client.enqueue(file: file, size: length)
                size = Int(clamping: length)
            case .events: break
            }
        }
        client.deadline = clock + options.limits.stall + .seconds(size / max(1, options.limits.bytesPerSecond))
        client.sentAt = clock
        write(client)
    }

    private func count(_ status: Int) {
        counts.change { $0.answers[status / 100, default: 0] += 1 }
    }

    func write(_ client: Client) {
        switch client.flush() {
        case .broken: end(client)
        case .none: attend(client)
        case .some:
            client.sentAt = clock
            attend(client)
        case .all:
            client.sentAt = clock
            switch client.phase {
            case .sending: finish(client)
            case .reading, .waiting, .streaming, .draining: attend(client)
            }
        }
    }

    /// The answer is out: the next request, or the end.
    private func finish(_ client: Client) {
        client.idleSince = clock
        guard client.keepsAlive else {
            client.phase = .draining
            client.deadline = clock + .seconds(1)
            client.socket.finishSending()
            return attend(client)
        }
        client.phase = .reading
        client.deadline = clock + (client.input.isEmpty ? options.limits.idle : options.limits.head)
        // A client may have sent its next request already; it is answered after this one.
        if client.input.isEmpty { attend(client) } else { consider(client) }
    }

    // MARK: The clock

    private func sweep() {
        sweptAt = clock
        if !isAccepting {
            isAccepting = true
            poller.change(socket.descriptor, .reading, token: Self.listenerToken)
        }
        for client in Array(clients.values) { judge(client) }
        shared = shared.filter { $0.value.until > clock }
        if clients.values.contains(where: { $0.phase == .streaming }) { look() }
    }

    func look() {
        if let lookedAt, clock - lookedAt < options.limits.look { return }
        lookedAt = clock
        workers.look(router.keeper)
    }
}
