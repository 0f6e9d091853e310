// SPDX-License-Identifier: Apache-2.0
// Small JSON files and lines between the daemon and the people who look at it: `running.json` and the control socket.

package import Domain
import Platform

package enum RunningFile {
    /// Replaces `running.json`; nil says that nothing is under way.
    package static func write(_ stage: RunningStage?, to path: String) throws(EvidenceError) {
        let bytes =
            try stage.map { value throws(EvidenceError) in try EvidenceCoding.line(value, "running.json") }
            ?? Array("null\n".utf8)
        try onDisk("write", path) { () throws(SystemError) in try Disk.replace(path, with: bytes, durable: false) }
    }

    /// What is under way; nil where nothing is, or it cannot be read.
    package static func read(_ path: String) -> RunningStage? {
        guard let bytes = try? contents(path) else { return nil }
        return try? EvidenceCoding.value(RunningStage.self, from: bytes)
    }
}

extension EvidenceLayout {
    /// Touched by a daemon whose supervisor answers.
    package var alive: String { root + "/alive" }
}

package enum ControlMessages {
    package static func line(_ reply: ControlReply) -> [UInt8] {
        (try? EvidenceCoding.line(reply, "a reply"))
            ?? Array("{\"ok\":false,\"message\":\"no reply could be made\"}\n".utf8)
    }

    /// The reply in the first line of `bytes`; nil where it is none.
    package static func reply(_ bytes: [UInt8]) -> ControlReply? {
        try? EvidenceCoding.value(ControlReply.self, from: bytes.prefix { $0 != 10 })
    }

    /// The request in the first line of `bytes`; nil where it is none.
    package static func request(_ bytes: [UInt8]) -> ControlRequest? {
        try? EvidenceCoding.value(ControlRequest.self, from: bytes.prefix { $0 != 10 })
    }
}

extension TestsFile {
    /// The id in one line of `tests.jsonl`.
    package static func id(ofLine line: some Collection<UInt8>) -> String? {
        (try? EvidenceCoding.value(Named.self, from: line))?.id
    }
}

/// The one key of a test line that finding it needs.
private struct Named: Decodable {
    var id: String
}
