// SPDX-License-Identifier: Apache-2.0
// Reading what shepherds wrote: the claim and result.json.

import Domain
import Foundation
import Platform
import Shepherd

/// result.json, as `RunResult` in Shepherd writes it.
struct ResultFile: Decodable {
    var version: Int
    var stage: String
    var outcome: CommandResult.Outcome
    var exit: Int32?
    var signal: Int32?
    var limitHit: String?
    var startedAt: Int64
    var endedAt: Int64
    var durationSeconds: Double
    var cpuSeconds: Double
    var peakMemoryBytes: Int64
    var hosts: [String]
    var leftovers: [Leftover]
    var consoleBytes: Int64
    var consoleDroppedBytes: Int64
    var consoleSHA256: String
    var notes: [String]

    /// nil: there is none. Throws with a reason where it cannot be believed.
    static func read(in folder: StageFolder, stageID: String) throws(UnusableFile) -> CommandResult? {
        guard Files.exists(folder.result) else { return nil }
        let file = try decode(ResultFile.self, folder.result)
        guard file.version == 1 else {
            throw UnusableFile(reason: "\(folder.result) has version \(file.version), written by a newer nightjar")
        }
        guard file.stage == stageID else {
            throw UnusableFile(reason: "\(folder.result) is of run '\(file.stage)', not '\(stageID)'")
        }
        return CommandResult(
            outcome: file.outcome, exit: file.exit, signal: file.signal, limitHit: file.limitHit,
            startedAt: Timestamp(milliseconds: file.startedAt), endedAt: Timestamp(milliseconds: file.endedAt),
            durationSeconds: file.durationSeconds,
            resources: ResourceUse(cpuSeconds: file.cpuSeconds, peakMemoryBytes: file.peakMemoryBytes),
            hosts: file.hosts, leftovers: file.leftovers, consoleBytes: file.consoleBytes,
            consoleDroppedBytes: file.consoleDroppedBytes, consoleSHA256: file.consoleSHA256, notes: file.notes)
    }
}

/// The claim, as `Claim` in Shepherd writes it: one line, and a second with the command's pid once it was started.
struct ClaimFile: Decodable {
    var by: String
    var stage: String
    var pid: Int32
    var startTicks: UInt64
    var claimedAt: Int64
    /// The limits that the shepherd keeps, whatever the settings say by now; none in a fence.
    var timeoutMilliseconds: Int64?
    var graceMilliseconds: Int64?
    var command: Int32?

    private struct CommandLine: Decodable {
        var command: Int32
    }

    /// How long the shepherd may take by its own rules; nil where the claim does not say.
    var limit: Duration? {
        guard let timeoutMilliseconds, let graceMilliseconds else { return nil }
        return .milliseconds(timeoutMilliseconds) + .milliseconds(graceMilliseconds)
    }

    var isFence: Bool { by == Claim.Claimant.fence.rawValue }

    static func read(in folder: StageFolder) throws(UnusableFile) -> ClaimFile {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(folder.claim, limit: 64 << 10)
        } catch {
            throw UnusableFile(reason: error.description)
        }
        let lines = bytes.split(separator: 10)
        do {
            var claim = try JSONDecoder().decode(ClaimFile.self, from: Data(lines.first ?? []))
            if lines.count > 1 {
                claim.command = try? JSONDecoder().decode(CommandLine.self, from: Data(lines[1])).command
            }
            return claim
        } catch {
            throw UnusableFile(reason: "\(folder.claim) cannot be read as a claim")
        }
    }
}

/// A file of a run that is there and cannot be believed.
struct UnusableFile: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
}

private func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws(UnusableFile) -> Value {
    do {
        return try JSONDecoder().decode(type, from: Data(Files.read(path, limit: 1 << 20)))
    } catch let error as SystemError {
        throw UnusableFile(reason: error.description)
    } catch {
        throw UnusableFile(reason: "\(path) cannot be read as a result")
    }
}
