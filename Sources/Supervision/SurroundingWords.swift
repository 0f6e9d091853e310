// SPDX-License-Identifier: Apache-2.0
// What was measured around the tests, in words, and from when on it is a problem by itself.

import Domain
import Platform
import Probes

enum SurroundingWords {
    /// Shares of what there is, below or above which it is a problem.
    private static let leastFree = 0.01
    private static let leastMemory = 0.03
    private static let mostDescriptors = 0.9
    /// Percent of the last ten seconds in which tasks waited: beyond it time limits say little.
    static let heavyPressure = 80.0
    private static let heavyFullPressure = 20.0
    private static let mostClockOffset = 30.0
    private static let leastCertificateDays = 3.0

    static func disk(_ path: String, _ leastBytes: Int64) -> [Fingerprint.Entry] {
        guard let space = try? Files.space(at: path) else {
            return [Fingerprint.Entry(.disk, path, "not there", isProblem: true)]
        }
        let share = Double(space.freeBytes) / Double(max(1, space.bytes))
        var entries = [
            Fingerprint.Entry(
                .disk, path, "\(size(space.freeBytes)) free of \(size(space.bytes)) (\(percent(share)))",
                isProblem: share < leastFree || space.freeBytes < leastBytes)
        ]
        if let free = space.freeInodes, let all = space.inodes, all > 0 {
            let share = Double(free) / Double(all)
            entries.append(
                Fingerprint.Entry(
                    .inodes, path, "\(free) free of \(all) (\(percent(share)))", isProblem: share < leastFree))
        }
        return entries
    }

    static func machine(_ readings: HostReadings) -> [Fingerprint.Entry] {
        var entries: [Fingerprint.Entry] = []
        if let available = readings.availableMemory, let all = readings.memory, all > 0 {
            let share = Double(available) / Double(all)
            entries.append(
                Fingerprint.Entry(
                    .memory, "this machine", "\(size(available)) available of \(size(all)) (\(percent(share)))",
                    isProblem: share < leastMemory))
        }
        if let open = readings.openFiles, let most = readings.mostOpenFiles, most > 0 {
            entries.append(descriptors("this machine", Int(clamping: open), Int(clamping: most)))
        }
        if let open = readings.ownDescriptors, let most = readings.mostOwnDescriptors, most > 0 {
            entries.append(descriptors("nightjar", open, most))
        }
        if let load = readings.load {
            var words = "\(decimal(load)) on \(readings.processors) processors"
            let cpu = readings.cpuPressure?.someOfTen ?? 0
            let full = max(readings.memoryPressure?.fullOfTen ?? 0, readings.ioPressure?.fullOfTen ?? 0)
            if readings.cpuPressure != nil {
                words += "; tasks waited for a processor in \(decimal(cpu)) % of the last 10 s, "
                words += "all for memory or disk in \(decimal(full)) %"
            }
            entries.append(
                Fingerprint.Entry(
                    .load, "this machine", words, isProblem: cpu > heavyPressure || full > heavyFullPressure))
        }
        return entries
    }

    private static func descriptors(_ subject: String, _ open: Int, _ most: Int) -> Fingerprint.Entry {
        Fingerprint.Entry(
            .descriptors, subject, "\(open) open of \(most)",
            isProblem: Double(open) > mostDescriptors * Double(most))
    }

    static func endpoint(_ endpoint: Endpoint, _ look: EndpointLook, _ now: Timestamp) -> [Fingerprint.Entry] {
        var entries: [Fingerprint.Entry] = []
        if let problem = look.nameProblem {
            entries.append(Fingerprint.Entry(.name, endpoint.host, problem, isProblem: true))
        } else if !look.addresses.isEmpty {
            entries.append(
                Fingerprint.Entry(.name, endpoint.host, look.addresses.joined(separator: " "), isProblem: false))
        }
        guard look.nameProblem == nil else { return entries }
        entries.append(
            Fingerprint.Entry(
                .address, endpoint.name, look.connectProblem ?? "accepts connections",
                isProblem: look.connectProblem != nil))
        if let offset = look.clockOffset {
            entries.append(
                Fingerprint.Entry(
                    .clock, endpoint.name,
                    "\(decimal(abs(offset))) s \(offset < 0 ? "behind" : "ahead of") this machine",
                    isProblem: abs(offset) > mostClockOffset))
        }
        if let ends = look.certificateEnds {
            let days = Double(ends - now.milliseconds) / 86_400_000
            entries.append(
                Fingerprint.Entry(
                    .certificate, endpoint.name,
                    "\(days < 0 ? "ended" : "ends") \(Timestamp(milliseconds: ends))",
                    isProblem: days < leastCertificateDays))
        }
        return entries
    }

    // MARK: - Figures

    /// One decimal.
    static func decimal(_ value: Double) -> String {
        let tenths = (value * 10).rounded()
        guard tenths.isFinite, abs(tenths) < 1e15 else { return "\(value)" }
        let whole = Int(tenths)
        return "\(whole < 0 ? "-" : "")\(abs(whole) / 10).\(abs(whole) % 10)"
    }

    static func percent(_ share: Double) -> String { "\(decimal(share * 100)) %" }

    static func size(_ bytes: Int64) -> String {
        bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB"
    }
}
