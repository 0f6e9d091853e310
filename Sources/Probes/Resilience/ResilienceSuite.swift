// SPDX-License-Identifier: Apache-2.0
// Runs scenarios against an endpoint, on a thread of their own.

internal import Platform

/// What the runner says while it goes.
package enum ResilienceProgress: Sendable {
    case began(ScenarioKind, endpoint: String)
    case tested(ScenarioKind, ScenarioCase)
    case ended(ScenarioResult)
}

/// Why no scenario could be run at all.
package struct ResilienceUnreachable: Error, Sendable, CustomStringConvertible {
    package var description: String
}

package enum ResilienceSuite {
    /// Runs `scenarios` one after the other and reports. Throws where the endpoint cannot be reached.
    ///
    /// - Parameters:
    ///   - environment: what the contract's commands get.
    ///   - seed: where faults strike at random, they strike there again with the same seed.
    package static func run(
        _ contract: ResilienceContract, scenarios: [ScenarioKind], environment: [String: String],
        workingDirectory: String, seed: UInt64, progress: @escaping @Sendable (ResilienceProgress) -> Void
    ) async throws -> ResilienceReport {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try PlatformThread.start("resilience") {
                    continuation.resume(
                        with: Result {
                            try runHere(
                                contract, scenarios, environment, workingDirectory, seed: seed, progress: progress)
                        })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private static func runHere(
        _ contract: ResilienceContract, _ scenarios: [ScenarioKind], _ environment: [String: String],
        _ workingDirectory: String, seed: UInt64, progress: @escaping @Sendable (ResilienceProgress) -> Void
    ) throws -> ResilienceReport {
        let started = ContinuousClock.now
        let world: ScenarioWorld
        let roundTrip: Double
        do {
            world = try ScenarioWorld(
                contract, environment: environment, workingDirectory: workingDirectory, seed: seed)
            roundTrip = try world.roundTrip()
        } catch let failure as ScenarioFailure {
            throw ResilienceUnreachable(description: failure.reason)
        } catch {
            throw ResilienceUnreachable(description: "\(error)")
        }
        defer { world.proxy.stop() }
        var results: [ScenarioResult] = []
        for scenario in scenarios {
            progress(.began(scenario, endpoint: world.endpoint))
            let begun = ContinuousClock.now
            // TCP, the upgrade, the greeting and the resume each cross the network once.
            let recorder = ScenarioRecorder(
                floor: 4 * roundTrip, accepted: contract.accepted, prepare: { world.proxy.heal() }
            ) {
                progress(.tested(scenario, $0))
            }
            Scenarios(world: world, recorder: recorder).run(scenario)
            let result = ScenarioResult(
                scenario, cases: recorder.cases, value: contract.values[scenario.key],
                seconds: milliseconds(since: begun) / 1000)
            results.append(result)
            progress(.ended(result))
        }
        return ResilienceReport(
            name: contract.name, endpoint: world.endpoint, seed: seed, results: results, roundTrip: roundTrip,
            seconds: milliseconds(since: started) / 1000, faults: world.proxy.statistics.faults)
    }
}
