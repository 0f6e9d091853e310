// SPDX-License-Identifier: Apache-2.0
// A whole loop in the test's own process: a real configuration, real locks and files, real commands under shepherds.

import Domain
import Engine
import Evidence
import Execution
import Foundation
import Platform
import Synchronization
import TestSupport

@testable import Configuration
@testable import Supervision

/// What a loop said and sealed, for a test that waits for it.
final class LoopEars: Sendable {
    private let lines = Mutex<[String]>([])
    private let records = Mutex<[CycleRecord]>([])

    func hear(_ line: String) { lines.withLock { $0.append(line) } }
    func take(_ record: CycleRecord) { records.withLock { $0.append(record) } }

    var sealed: [CycleRecord] { records.withLock { $0 } }
    var said: String { lines.withLock { $0.joined(separator: "\n") } }
}

struct LoopFixture {
    let folder: TemporaryFolder
    let ears = LoopEars()
    /// Unlike that of any other loop on this machine: locks on environments are shared by all of them.
    let name: String

    init() throws {
        folder = try TemporaryFolder()
        name = "story-\(folder.path.split(separator: "-").suffix(2).joined(separator: "-"))"
    }

    var layout: EvidenceLayout { EvidenceLayout(root: folder("state/\(name)")) }

    /// The configuration of the loop, with `more` in it.
    func settings(loop: String = "mode: \"observe\"", _ more: String) throws -> LoadedSettings {
        let text = """
            { loop: { name: "\(name)", \(loop) }, state: "state", schedule: { every: "50ms" },
              storage: { minFreeBytes: "64KiB" }, \(more) }
            """
        let path = folder("nightjar.json5")
        switch SettingsFile.load(bytes: Array(text.utf8), path: path, now: Timestamp(milliseconds: 0)) {
        case .success(let loaded): return loaded
        case .failure(let problems): throw problems
        }
    }

    /// A suite whose command is a line of shell and prints TAP.
    static func suite(_ name: String, _ shell: String, _ more: String = "") -> String {
        """
        { name: "\(name)", priority: "P0", value: 100, command: { shell: "\(shell)" }, report: { format: "tap" }, \(more) }
        """
    }

    func start(_ loaded: LoadedSettings, cycles: Int? = nil) -> LoopStart {
        let ears = ears
        return LoopStart(
            loaded: loaded, path: folder("nightjar.json5"), cycles: cycles, version: "test", host: "nj1",
            environment: StageFixture.environment, secretEnvironment: [:], echo: { ears.hear($0) },
            onSealed: { ears.take($0) })
    }

    func open(_ loaded: LoadedSettings, cycles: Int? = nil) async throws -> LoopHost {
        try await LoopHost.open(
            start(loaded, cycles: cycles), runner: try CommandRunner(executablePath: Nightjar.path))
    }

    func exists(_ name: String) -> Bool { Files.exists(folder(name)) }
}
