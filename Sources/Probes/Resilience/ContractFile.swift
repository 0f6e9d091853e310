// SPDX-License-Identifier: Apache-2.0
// From the JSON of a scenario file to a contract.

extension ResilienceContract {
    /// Reads a scenario file. `environment` fills in what the file takes from it.
    package init(parsing bytes: [UInt8], environment: [String: String]) throws(ContractProblems) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw ContractProblems(problems: ["the file is no JSON: it \(error)"])
        }
        self.init()
        let problems = ContractSection.Problems()
        let file = ContractSection(value, path: "", problems: problems)
        name = file.text("name") ?? ""
        readPeople(file, environment)
        if let section = file.section("connect") {
            readConnect(section)
        } else {
            file.complain("connect", "is missing")
        }
        readConversation(file)
        readTroubles(file)
        readJudgment(file)
        file.end()
        guard problems.lines.isEmpty else { throw ContractProblems(problems: problems.lines) }
    }

    private mutating func readPeople(_ file: ContractSection, _ environment: [String: String]) {
        for (name, value) in file.members("variables") ?? [] {
            guard case .object(let members) = value else {
                variables[name] = value
                continue
            }
            var known: JSONValue?
            if members.count <= 2, case .string(let key)? = members.first(where: { $0.key == "env" })?.value {
                known = environment[key].map(JSONValue.string) ?? members.first { $0.key == "default" }?.value
            }
            if let known {
                variables[name] = known
            } else {
                file.complain("variables.\(name)", "is not in the environment")
            }
        }
        for element in file.list("users") ?? [] {
            guard case .object(let members) = element else {
                file.complain("users", "expected objects")
                continue
            }
            users.append(Dictionary(members.map { ($0.key, $0.value) }) { $1 })
        }
        if users.isEmpty { users = [[:]] }
        signUp = file.action("signUp")
        login = file.action("login")
        expiredLogin = file.action("expiredLogin")
        expiringLogin = file.action("expiringLogin")
        expiringAfter = file.duration("expiringAfter") ?? .seconds(1)
        tokenVariable = file.text("tokenVariable") ?? "token"
        sessionVariable = file.text("sessionVariable") ?? "session"
    }

    private mutating func readConnect(_ section: ContractSection) {
        connect.url = section.text("url") ?? ""
        if connect.url.isEmpty { section.complain("url", "is missing") }
        connect.headers = section.table("headers") ?? [:]
        connect.subprotocols = section.texts("subprotocols") ?? []
        connect.subprotocol = section.text("subprotocol")
        connect.authorities = section.text("authorities")
        connect.greeting = section.exchange("greeting")
        connect.authenticate = section.exchange("authenticate")
        connect.timeout = section.duration("timeout") ?? .seconds(5)
        let problems = section.list("answers") ?? []
        connect.answers = problems.enumerated().map { index, value in
            section.element("answers[\(index)]", value).exchange()
        }
        section.end()
    }

    private mutating func readConversation(_ file: ContractSection) {
        resume = file.exchange("resume")
        store = file.exchange("store")
        recall = file.exchange("recall")
        echo = file.exchange("echo")
        refresh = file.exchange("refresh")
        badRefresh = file.exchange("badRefresh")
        if let section = file.section("stream") {
            var stream = Stream()
            stream.start = section.value("start") ?? .null
            stream.item = section.pattern("item") ?? stream.item
            stream.sequence = section.pointer("sequence") ?? ""
            stream.end = section.pattern("end")
            stream.count = section.count("count", in: ResilienceContract.Stream.counts)
            stream.total = section.pointer("total")
            stream.timeout = section.duration("timeout") ?? stream.timeout
            if stream.end == nil { section.complain("end", "is missing") }
            if section.value("sequence") == nil { section.complain("sequence", "is missing: what counts the events") }
            section.end()
            self.stream = stream
        }
        if let section = file.section("queue") {
            var queue = Queue()
            queue.publish = section.action("publish")
            queue.start = section.value("start")
            queue.item = section.pattern("item") ?? queue.item
            queue.sequence = section.pointer("sequence") ?? ""
            queue.end = section.pattern("end")
            queue.count = section.count("count", in: 1...1000)
            if section.value("sequence") == nil { section.complain("sequence", "is missing: what counts the events") }
            if (queue.publish == nil) == (queue.start == nil) {
                section.complain("publish", "a queue has either publish or start")
            }
            if queue.start != nil, queue.end == nil { section.complain("end", "is missing: it ends what start began") }
            section.end()
            self.queue = queue
        }
    }

    private mutating func readTroubles(_ file: ContractSection) {
        if let section = file.section("heartbeat") {
            var beat = Heartbeat()
            beat.message = section.pattern("message")
            if let by = section.text("by") {
                if !["message", "ping"].contains(by) { section.complain("by", "expected message or ping") }
                beat.isPing = by == "ping"
                if beat.isPing, beat.message != nil { section.complain("message", "is not looked at with by: ping") }
            }
            beat.interval = section.duration("interval") ?? beat.interval
            beat.tolerance = section.number("tolerance") ?? beat.tolerance
            beat.dropsSilentAfter = section.duration("dropsSilentAfter")
            section.end()
            heartbeat = beat
        }
        if let section = file.section("restart") {
            var restart = Restart()
            restart.command = section.texts("command") ?? []
            if restart.command.isEmpty { section.complain("command", "is missing") }
            restart.timeout = section.duration("timeout") ?? restart.timeout
            restart.keepsSessions = section.flag("keepsSessions") ?? false
            restart.trials = section.count("trials", in: 1...100) ?? restart.trials
            section.end()
            self.restart = restart
        }
        if let section = file.section("refusal") {
            refusal.status = section.numbers("status") ?? refusal.status
            refusal.close = section.numbers("close") ?? refusal.close
            refusal.message = section.pattern("message")
            section.end()
        }
        error = file.pattern("error")
        malformed = file.texts("malformed") ?? []
        messageLimit = file.count("messageLimit", in: 1...(64 << 20))
        leaks = file.texts("leaks") ?? []
        secondAddress = file.text("secondAddress")
        loadTargets = file.texts("loadTargets") ?? []
        if let section = file.section("rateLimit") {
            var limit = RateLimit()
            limit.after = section.count("after", in: 1...10_000) ?? 0
            if limit.after == 0 { section.complain("after", "is missing") }
            limit.within = section.duration("within") ?? limit.within
            limit.answer = section.pattern("answer")
            limit.close = section.numbers("close") ?? limit.close
            section.end()
            rateLimit = limit
        }
        prefixDigits = file.flag("prefixDigits") ?? false
    }

    private mutating func readJudgment(_ file: ContractSection) {
        trials = file.count("trials", in: 1...1000) ?? trials
        if let section = file.section("limits") {
            limits.reconnect = section.number("reconnectMilliseconds") ?? limits.reconnect
            limits.context = section.number("contextMilliseconds") ?? limits.context
            limits.refresh = section.number("refreshMilliseconds") ?? limits.refresh
            limits.refusal = section.number("refusalMilliseconds") ?? limits.refusal
            limits.delivery = section.number("deliveryPercent") ?? limits.delivery
            limits.recovery = section.number("recoveryMilliseconds") ?? limits.recovery
            section.end()
        }
        for (index, value) in (file.list("accepted") ?? []).enumerated() {
            let section = file.element("accepted[\(index)]", value)
            let pattern = section.text("case") ?? ""
            let reason = section.text("reason") ?? ""
            if pattern.isEmpty || reason.isEmpty { section.complain("case", "case and reason are both needed") }
            section.end()
            accepted.append(Accepted(pattern: pattern, reason: reason))
        }
        if let section = file.section("values") {
            for scenario in ScenarioKind.allCases {
                if let value = section.number(scenario.key) { values[scenario.key] = value }
            }
            section.end()
        }
    }
}

extension ContractSection {
    /// An element of a list, as a section of its own.
    func element(_ name: String, _ value: JSONValue) -> ContractSection {
        ContractSection(value, inside: self, name: name)
    }

    private convenience init(_ value: JSONValue, inside parent: ContractSection, name: String) {
        self.init(value, path: parent.path.isEmpty ? name : "\(parent.path).\(name)", problems: parent.problems)
    }
}
