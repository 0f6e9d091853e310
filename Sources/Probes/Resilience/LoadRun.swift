// SPDX-License-Identifier: Apache-2.0
// Many users at once over the contract of a scenario file: bounded, at a rate, and only against one's own environment.

internal import Platform
internal import Synchronization
internal import WebSocket

/// How many users, how long, how often each one speaks.
package struct LoadPlan: Hashable, Sendable {
    package static let maximumUsers = 1000

    package var users: Int
    package var duration: Duration
    /// The time between two messages of one user.
    package var interval: Duration

    package init(users: Int, duration: Duration, interval: Duration) {
        self.users = min(max(1, users), LoadPlan.maximumUsers)
        self.duration = duration
        self.interval = interval
    }
}

/// What came of it. Times in milliseconds.
package struct LoadReport: Codable, Hashable, Sendable {
    package var endpoint: String
    package var users: Int
    package var opened: Int
    /// Connections that were refused, by what the server said.
    package var refused: [String: Int]
    package var messages: Int
    /// What the plan asked of the users that got in. Each one waits for an answer before it speaks again, and the users
    /// of one thread for each other: a slow server is offered less than that, which must not pass for a load.
    package var planned: Int
    package var unanswered: Int
    /// Connections that ended before they were asked to.
    package var dropped: Int
    package var openP50: Double
    package var openP95: Double
    package var roundTripP50: Double
    package var roundTripP95: Double
    package var roundTripP99: Double
    package var messagesPerSecond: Double
    package var seconds: Double
}

extension LoadReport {
    /// With less of the plan sent than this share, the load was not the one that was asked for.
    package static let leastShare = 0.95

    /// The share of the planned messages that were sent.
    package var offered: Double {
        planned == 0 ? 0 : min(1, Double(messages + unanswered) / Double(planned))
    }
}

/// Why no load was put on anything.
package struct LoadRefused: Error, Sendable, CustomStringConvertible {
    package var description: String
}

package enum LoadRun {
    /// Opens the users' connections, lets each one send an echo at its interval, and counts. The scenario file must name
    /// the endpoint in `loadTargets`: a load on somebody else's server is an attack.
    package static func run(
        _ plan: LoadPlan, _ contract: ResilienceContract, environment: [String: String], workingDirectory: String
    ) async throws -> LoadReport {
        let started = ContinuousClock.now
        let probe = try ScenarioWorld(contract, environment: environment, workingDirectory: workingDirectory, seed: 1)
        defer { probe.proxy.stop() }
        let variables = TemplateVariables(values: contract.variables)
        guard contract.loadTargets.contains(where: { (try? variables.fill($0)) == probe.target }) else {
            throw LoadRefused(
                description: "the scenario file does not list \(probe.target) in loadTargets: load is for one's own "
                    + "environment only")
        }
        for (name, action) in [("login", contract.login), ("signUp", contract.signUp)] {
            guard let action, let url = try? HTTPAddress(variables.fill(action.url)) else { continue }
            let address = "\(url.host):\(url.port)"
            let isListed = contract.loadTargets.contains { (try? variables.fill($0)) == address }
            guard isListed else {
                throw LoadRefused(
                    description: "the scenario file does not list \(address) of \(name) in loadTargets: every user "
                        + "would go there as well")
            }
        }
        let tally = LoadCounter()
        let workers = min(8, plan.users)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                let share = plan.users / workers + (worker < plan.users % workers ? 1 : 0)
                group.addTask {
                    await onThread { LoadWorker.work(share, plan, contract, environment, workingDirectory, tally) }
                }
            }
        }
        return tally.withLock { $0.report(probe.endpoint, plan, seconds: milliseconds(since: started) / 1000) }
    }

    private static func onThread(_ work: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            do {
                try PlatformThread.start("load") {
                    work()
                    continuation.resume()
                }
            } catch {
                continuation.resume()
            }
        }
    }
}

/// What the workers count together.
private struct LoadTally: Sendable {
    var opens: [Double] = []
    var trips: [Double] = []
    var refused: [String: Int] = [:]
    var unanswered = 0
    var dropped = 0
    var busySeconds = 0.0

    func report(_ endpoint: String, _ plan: LoadPlan, seconds: Double) -> LoadReport {
        func percentile(_ values: [Double], _ share: Double) -> Double {
            let sorted = values.sorted()
            guard !sorted.isEmpty else { return 0 }
            return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
        }
        return LoadReport(
            endpoint: endpoint, users: plan.users, opened: opens.count, refused: refused, messages: trips.count,
            planned: opens.count * max(1, Int(plan.duration / plan.interval)),
            unanswered: unanswered, dropped: dropped, openP50: percentile(opens, 0.5), openP95: percentile(opens, 0.95),
            roundTripP50: percentile(trips, 0.5), roundTripP95: percentile(trips, 0.95),
            roundTripP99: percentile(trips, 0.99),
            messagesPerSecond: busySeconds > 0 ? Double(trips.count) / busySeconds : 0, seconds: seconds)
    }
}

/// The tally behind its lock.
private final class LoadCounter: Sendable {
    private let tally = Mutex(LoadTally())

    func withLock<Value: Sendable>(_ body: (inout LoadTally) -> Value) -> Value {
        tally.withLock { tally in body(&tally) }
    }
}

/// A share of the users, on one thread, one after the other.
private enum LoadWorker {
    static func work(
        _ share: Int, _ plan: LoadPlan, _ contract: ResilienceContract, _ environment: [String: String],
        _ folder: String, _ tally: LoadCounter
    ) {
        guard
            let world = try? ScenarioWorld(contract, environment: environment, workingDirectory: folder, seed: 1)
        else { return }
        defer { world.proxy.stop() }
        var clients: [ScenarioClient] = []
        for number in 0..<share {
            do {
                let variables = try world.signIn(number % contract.users.count)
                let (client, took) = try world.open(variables, way: .past(source: nil))
                clients.append(client)
                // Those that are in answer pings meanwhile: a server may drop who is silent.
                if number % 10 == 9 { for other in clients { _ = other.read(within: .zero) { _ in false } } }
                tally.withLock { $0.opens.append(took) }
            } catch {
                let reason = (error as? ScenarioFailure)?.reason ?? "\(error)"
                tally.withLock { $0.refused[Excerpt.cut(reason, limit: 80), default: 0] += 1 }
            }
        }
        let begun = ContinuousClock.now
        var nextRound = begun
        while !clients.isEmpty, ContinuousClock.now - begun < plan.duration {
            nextRound += plan.interval
            clients.removeAll { !speak($0, world, tally) }
            let left = nextRound - ContinuousClock.now
            if left > .zero { world.pause(left) }
        }
        let busy = milliseconds(since: begun) / 1000
        tally.withLock { $0.busySeconds = max($0.busySeconds, busy) }
    }

    /// One message and its answer; false where the connection is over.
    private static func speak(
        _ client: ScenarioClient, _ world: ScenarioWorld, _ tally: LoadCounter
    ) -> Bool {
        do {
            let took = try world.echo(client)
            tally.withLock { $0.trips.append(took) }
            return true
        } catch {
            let isOver = client.ending(within: .milliseconds(1)) != nil
            tally.withLock {
                $0.unanswered += 1
                if isOver { $0.dropped += 1 }
            }
            return !isOver
        }
    }
}
