// SPDX-License-Identifier: Apache-2.0
// Looks at the surroundings before the first test, after the last one, and when a stage failed. Without entries of
// the operators it reads a few small files of /proc and opens one connection to each host; https costs a run of curl.

import Domain
import Evidence
import Execution
import Platform
import Probes

struct FingerprintTaker: Sendable {
    let context: LoopContext
    let run: StageRun

    private var settings: LoopSettings { context.settings.current }

    /// Before a stage: where no stabilization stands before the first suite, its start is the moment before the tests.
    func before() async -> Fingerprint? {
        guard run.kind == .test, run.purpose == .cycle, run.attempt == 1, settings.health.checks.isEmpty,
            settings.health.liveRevision.isEmpty, settings.suites.inRunOrder(\.priority).first?.name == run.subject
        else { return nil }
        return await take(.before)
    }

    func after(_ record: StageRecord) async -> Fingerprint? {
        let failed = record.outcome == .failed || record.outcome == .timedOut
        switch (run.kind, run.purpose) {
        case (.stabilize, .cycle), (.stabilize, .redeploy), (.stabilize, .reverify):
            return failed ? await take(.failure) : record.outcome == .succeeded ? await take(.before) : nil
        case (.stabilize, .recheck) where run.experiment == nil: return await take(.after)
        case (.test, .cycle), (.test, .reverify):
            if failed, !isKept(.failure) { return await take(.failure) }
            let last = settings.suites.inRunOrder(\.priority).last?.name
            let isLast = settings.health.liveRevision.isEmpty && last == run.subject
            return isLast && (failed || record.outcome == .succeeded) ? await take(.after) : nil
        case (.deploy, .cycle): return failed ? await take(.failure) : nil
        default: return nil
        }
    }

    /// Of many failing suites one is looked around at.
    private func isKept(_ moment: Fingerprint.Moment) -> Bool {
        let names = (try? Files.list(context.layout.cycle(run.cycle))) ?? []
        return names.contains { $0.hasPrefix("fingerprint-test") && $0 != name(moment) }
    }

    private func name(_ moment: Fingerprint.Moment) -> String { FingerprintFile.name(moment, run.folder) }

    // MARK: - Looking

    /// What an earlier daemon looked at before the tests still holds: a restart in the middle of them looks too late.
    private func take(_ moment: Fingerprint.Moment) async -> Fingerprint? {
        let path = "\(context.layout.cycle(run.cycle))/\(name(moment))"
        if moment == .before, run.purpose == .cycle, let kept = FingerprintFile.read(path) { return kept }
        let (machine, stall) = await machine()
        var entries = machine
        entries += await endpoints()
        entries += settings.fingerprint.files.map(file)
        for command in settings.fingerprint.commands { entries.append(await value(of: command)) }
        let fingerprint = Fingerprint(
            moment: moment, at: context.now(), path: name(moment), entries: entries, stall: stall)
        guard (try? FingerprintFile.write(fingerprint, to: path)) != nil else { return nil }
        return fingerprint
    }

    private func machine() async -> ([Fingerprint.Entry], Fingerprint.Stall) {
        let readings = HostReadings.now()
        var entries: [Fingerprint.Entry] = []
        for path in [context.layout.root] + settings.fingerprint.disks {
            entries += SurroundingWords.disk(path, settings.minFreeBytes)
        }
        entries += SurroundingWords.machine(readings)
        return (
            entries,
            Fingerprint.Stall(
                cpu: readings.cpuPressure?.someTotal, memory: readings.memoryPressure?.someTotal,
                io: readings.ioPressure?.someTotal, stolen: readings.stolen)
        )
    }

    private func endpoints() async -> [Fingerprint.Entry] {
        // Through a proxy, names and connections are not ours to look at.
        let proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"]
        guard !proxies.contains(where: { context.environment[$0]?.isEmpty == false }) else { return [] }
        let targets = settings.health.checks.map(\.target) + settings.health.liveRevision.map(\.target)
        var seen: Set<Endpoint> = []
        let endpoints = targets.compactMap { Endpoint($0) }.filter { seen.insert($0).inserted }
        let transport = ProbeTransport.system(environment: context.environment)
        let looks = await withTaskGroup(of: (Int, EndpointLook).self) { group in
            for (index, endpoint) in endpoints.enumerated() {
                group.addTask { (index, await EndpointLook.take(endpoint, transport: transport)) }
            }
            var looks: [Int: EndpointLook] = [:]
            for await (index, look) in group { looks[index] = look }
            return looks
        }
        let now = context.now()
        return endpoints.indices.flatMap { index in
            looks[index].map { SurroundingWords.endpoint(endpoints[index], $0, now) } ?? []
        }
    }

    private func file(_ path: String) -> Fingerprint.Entry {
        guard let size = Files.size(of: path), Files.kind(of: path, followingLinks: true) == .file else {
            return Fingerprint.Entry(.file, path, "not there", isProblem: true)
        }
        guard let hash = try? SHA256.hex(ofFile: path) else {
            return Fingerprint.Entry(.file, path, "\(size) bytes, not readable", isProblem: true)
        }
        return Fingerprint.Entry(.file, path, "\(size) bytes, SHA-256 \(hash.prefix(16))…")
    }

    private static let valueLimit = 400

    /// What a command prints; how it ended where that was not well.
    private func value(of entry: FingerprintSettings.Command) async -> Fingerprint.Entry {
        let command = entry.command
        do {
            let values = PlaceholderValues(run, StageSurroundings(cycleStartedAt: context.now()), settings)
            let secrets = try await context.secrets.fetch(command.secrets)
            let variables = context.environment.merging(command.environment) { $1 }.merging(secrets) { $1 }
            let output = try await HelperCommand.run(
                try values.placeholders.fill(command.argv), environment: variables,
                workingDirectory: command.workingDirectory ?? settings.baseDirectory, timeout: command.timeout,
                outputLimit: 64 << 10)
            let text = TextRedaction(needles: context.secrets.needles).text(output.text)
            let shown = String(text.trimmingWhitespace.prefix(FingerprintTaker.valueLimit))
            // A long answer is told apart by its hash as well.
            let rest = text.count > shown.count + 64 ? "… SHA-256 \(SHA256.hex(of: Array(text.utf8)))" : ""
            if output.succeeded { return Fingerprint.Entry(.command, entry.name, shown + rest) }
            let end = output.timedOut ? "over its timeout" : output.exit.map { "exit \($0)" } ?? "ended by a signal"
            return Fingerprint.Entry(
                .command, entry.name, "\(end)\(shown.isEmpty ? "" : ": \(shown)")", isProblem: true)
        } catch {
            return Fingerprint.Entry(.command, entry.name, "\(error)", isProblem: true)
        }
    }
}
