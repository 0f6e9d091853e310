// SPDX-License-Identifier: Apache-2.0
// Many users at once over the contract of a scenario file: bounded, at a rate, and only against one's own environment.

internal import Platform
internal import WebSocket

/// Why no load was put on anything.
package struct LoadRefused: Error, Sendable, CustomStringConvertible {
    package var description: String
}

package enum LoadRun {
    /// Opens the users' connections, lets each one send an echo at its interval whether the one before was answered or
    /// not, and counts; then finds out about the rate limit, if the file has one. The scenario file must name every
    /// endpoint that a user needs in `loadTargets`: a load on somebody else's server is an attack.
    package static func run(
        _ plan: LoadPlan, _ contract: ResilienceContract, environment: [String: String], workingDirectory: String
    ) async throws -> LoadReport {
        let started = ContinuousClock.now
        let allowed = try targets(of: contract)
        let world = try ScenarioWorld(
            contract, environment: environment, workingDirectory: workingDirectory, seed: 1, allowed: allowed)
        defer { world.proxy.stop() }
        let endpoint = world.endpoint
        let marks = LoadMarks(
            run: "nj" + String(UInt32.random(in: .min ... .max), radix: 36), accounts: contract.users.count)
        let workers = min(8, plan.users)
        var tally = LoadTally()
        await withTaskGroup(of: LoadTally.self) { group in
            for worker in 0..<workers {
                // User n is with worker n % workers.
                let numbers = Array(stride(from: worker, to: plan.users, by: workers))
                group.addTask {
                    await onThread {
                        LoadWorker.work(numbers, plan, contract, environment, workingDirectory, allowed, marks)
                    } ?? LoadTally()
                }
            }
            for await share in group { tally.add(share) }
        }
        var report = tally.report(
            endpoint, plan, isolation: whatIsolationNeeds(contract, plan), seconds: milliseconds(since: started) / 1000)
        let limit = await onThread {
            LoadLimit.probe(contract, environment, workingDirectory, allowed, marks, firstUser: plan.users)
        }
        report.cases += limit ?? []
        report.seconds = milliseconds(since: started) / 1000
        return report
    }

    /// The endpoints that may be put under load. Throws where a user's way leads to any other.
    static func targets(of contract: ResilienceContract) throws(LoadRefused) -> Set<String> {
        var variables = TemplateVariables(values: contract.variables)
        let allowed = Set(contract.loadTargets.compactMap { try? variables.fill($0) })
        for user in contract.users {
            variables.values = contract.variables.merging(user) { $1 }
            let ways = [
                ("connect", contract.connect.url), ("signUp", contract.signUp?.url), ("login", contract.login?.url),
            ]
            for case (let name, let url?) in ways {
                let target = ScenarioWorld.target(of: url, variables)
                guard let target, allowed.contains(target) else {
                    throw LoadRefused(
                        description:
                            "the scenario file does not list \(target ?? url) (\(name)) in loadTargets: load is "
                            + "for one's own environment only")
                }
            }
        }
        return allowed
    }

    /// What is missing for telling whether one user gets what is another's; nil where nothing is.
    static func whatIsolationNeeds(_ contract: ResilienceContract, _ plan: LoadPlan) -> String? {
        if contract.users.count < 2 || plan.users < 2 { return "a second user (users)" }
        let isMarked = contract.echo?.send?.description.contains("{unique}") ?? false
        return isMarked ? nil : "an echo that carries {unique} (echo)"
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
            do {
                try PlatformThread.start("load") { continuation.resume(returning: work()) }
            } catch {
                continuation.resume(returning: nil)
            }
        }
    }
}

/// A share of the users, on one thread.
private enum LoadWorker {
    static func work(
        _ numbers: [Int], _ plan: LoadPlan, _ contract: ResilienceContract, _ environment: [String: String],
        _ folder: String, _ allowed: Set<String>, _ marks: LoadMarks
    ) -> LoadTally {
        var tally = LoadTally()
        do {
            let world = try ScenarioWorld(
                contract, environment: environment, workingDirectory: folder, seed: 1, allowed: allowed)
            defer { world.proxy.stop() }
            let users = open(numbers, world, marks, &tally)
            let begun = ContinuousClock.now
            speak(users, plan, patience: contract.connect.timeout, poll: try SocketPoll())
            tally.busySeconds = milliseconds(since: begun) / 1000
            for user in users { tally.add(user.tally) }
        } catch {
            tally.refused["\(error)", default: 0] += numbers.count
        }
        return tally
    }

    private static func open(
        _ numbers: [Int], _ world: ScenarioWorld, _ marks: LoadMarks, _ tally: inout LoadTally
    ) -> [LoadUser] {
        var users: [LoadUser] = []
        for number in numbers {
            do {
                let variables = try world.signIn(number % marks.accounts)
                let (client, took) = try world.open(variables, way: .past(source: nil))
                users.append(LoadUser(client, number: number, marks))
                // Those that are in answer pings meanwhile: a server may drop who is silent.
                if users.count.isMultiple(of: 10) { for user in users { user.listen() } }
                tally.opens.append(took)
            } catch {
                let reason = (error as? ScenarioFailure)?.reason ?? "\(error)"
                tally.refused[Excerpt.cut(reason, limit: 80), default: 0] += 1
            }
        }
        return users
    }

    /// Every user sends at its own moments, spread over the interval; nobody waits for an answer. What the plan has and
    /// this thread cannot send in its time stays unsent, and counts as not offered.
    private static func speak(_ users: [LoadUser], _ plan: LoadPlan, patience: Duration, poll: SocketPoll) {
        guard !users.isEmpty else { return }
        for (index, user) in users.enumerated() { user.watch(with: poll, tag: index) }
        let begun = ContinuousClock.now
        let end = begun + plan.interval * plan.rounds
        func moment(_ index: Int) -> ContinuousClock.Instant {
            let (round, place) = index.quotientAndRemainder(dividingBy: users.count)
            return begun + plan.interval * round + plan.interval * place / users.count
        }
        func listen(until moment: ContinuousClock.Instant) {
            for event in poll.wait(min(max(.zero, moment - .now), .milliseconds(50))) {
                guard event.tag < UInt64(users.count) else { continue }
                let user = users[Int(event.tag)]
                user.listen()
                if user.ending != nil { user.forget(by: poll) }
            }
        }
        // What came together with the last answers before is not seen by the poll.
        for user in users { user.listen() }
        var next = 0
        let last = users.count * plan.rounds
        while next < last, ContinuousClock.now < end {
            var sent = 0
            while next < last, sent < 64, moment(next) <= .now {
                users[next % users.count].speak(planned: moment(next))
                next += 1
                sent += 1
            }
            listen(until: next < last ? moment(next) : .now)
        }
        let limit = ContinuousClock.now + patience
        while ContinuousClock.now < limit, users.contains(where: \.isWaiting) { listen(until: limit) }
        for user in users { user.giveUp() }
    }
}

/// One user who says too much, and another who does not.
private enum LoadLimit {
    static func probe(
        _ contract: ResilienceContract, _ environment: [String: String], _ folder: String, _ allowed: Set<String>,
        _ marks: LoadMarks, firstUser: Int
    ) -> [ScenarioCase] {
        let recorder = ScenarioRecorder(floor: 0, accepted: [], prepare: {}, progress: { _ in })
        let name = "who says too much is refused, and others are served"
        recorder.test(name, needs: [("a rate limit (rateLimit)", contract.rateLimit != nil)]) {
            guard let limit = contract.rateLimit else { return .none }
            let world = try ScenarioWorld(
                contract, environment: environment, workingDirectory: folder, seed: 1, allowed: allowed)
            defer { world.proxy.stop() }
            let other = try world.open(world.signIn(1), way: .past(source: nil)).client
            let variables = try world.signIn()
            let client = try world.open(variables, way: .past(source: nil)).client
            let user = LoadUser(client, number: firstUser, marks)
            let seconds = burst(user, limit, patience: contract.connect.timeout, poll: try SocketPoll())
            let findings = try judge(user, limit, seconds: seconds)
            try world.echo(other)
            // A limit ends: the same user is served again.
            world.pause(limit.within)
            try world.proveAlive(variables)
            return findings
        }
        return recorder.cases
    }

    /// Twice as many messages as there may be, as fast as they go; returns the seconds that it took.
    private static func burst(
        _ user: LoadUser, _ limit: ResilienceContract.RateLimit, patience: Duration, poll: SocketPoll
    ) -> Double {
        let begun = ContinuousClock.now
        let most = 2 * limit.after + 10
        while user.tally.sent < most, user.ending == nil, ContinuousClock.now - begun < limit.within {
            user.speak(planned: .now)
            if user.tally.sent.isMultiple(of: 32) { user.listen() }
        }
        let seconds = milliseconds(since: begun) / 1000
        let end = SocketDeadline.after(patience)
        user.watch(with: poll, tag: 0)
        user.listen()
        while user.isWaiting, !end.isPast {
            _ = poll.wait(.milliseconds(50))
            user.listen()
        }
        return seconds
    }

    private static func judge(
        _ user: LoadUser, _ limit: ResilienceContract.RateLimit, seconds: Double
    ) throws -> CaseFindings {
        let tally = user.tally
        let (sent, served) = (tally.sent, tally.trips.count)
        let said = "\(sent) messages in \(ScenarioKPI.short(seconds)) s, \(served) answered, \(tally.limited) refused"
        if let ending = user.ending {
            guard let code = ending.code, limit.close.contains(Int(code)) else {
                throw ScenarioFailure(reason: "the connection \(ending.words) after \(said)")
            }
            return CaseFindings(notes: ["\(said); the connection \(ending.words)"])
        }
        guard tally.limited > 0 else {
            if sent < 2 * limit.after + 10 {
                return CaseFindings(needs: "a faster sender: \(said)")
            }
            throw ScenarioFailure(reason: "nothing was refused: \(said)")
        }
        return CaseFindings(
            kpis: [
                ScenarioKPI(
                    name: "served before the limit", unit: "messages", statistic: "count", comparator: ">=",
                    limit: Double(limit.after) * 0.9, measured: Double(served), samples: sent)
            ], notes: [said])
    }
}
