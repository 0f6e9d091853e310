// SPDX-License-Identifier: Apache-2.0
// How telling people goes, read from the files of the notifier: for `nightjar status` and the page.

package import Domain
package import Evidence
import Notifications
package import Platform
import Reporting

package struct NoticeStanding: Hashable, Sendable {
    /// Messages that wait for their receivers.
    package var spooled: Int
    /// Receivers that lost their newest message, and how.
    package var lost: [String: String]
    /// When pages were sent, newest last.
    package var pages: [Timestamp]
    /// How the newest dead-man's ping went; nil before the first.
    package var deadman: DeadmanStanding?

    /// What the files in a loop's folder say; a file that cannot be read says nothing.
    package init(_ layout: EvidenceLayout) {
        let spool = Spool(NoticeStanding.folder(layout))
        spooled = spool.count()
        lost = spool.troubles()
        pages = (try? spool.memory())?.pages ?? []
        deadman = DeadmanStanding(layout)
    }

    /// Changes when what is read would.
    package static func stamps(_ layout: EvidenceLayout) -> [FileStamp?] {
        ["spool", "sent.jsonl", "memory.json", "deadman"].map { Files.stamp("\(folder(layout))/\($0)") }
    }

    private static func folder(_ layout: EvidenceLayout) -> String { "\(layout.root)/notify" }
}

/// The file `notify/deadman`: when a ping was last taken (or `-`), and what the newest one met instead.
package struct DeadmanStanding: Hashable, Sendable {
    package var takenAt: Timestamp?
    package var problem: String?

    init() {}

    /// Nil where no ping was ever sent, or the file says nothing that is known.
    package init?(_ layout: EvidenceLayout) {
        guard let bytes = try? Files.read(DeadmanStanding.path(layout), limit: 4096) else { return nil }
        let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        let words = line.split(separator: " ", maxSplits: 1)
        guard let first = words.first, first == "-" || Timestamp(first) != nil else { return nil }
        takenAt = Timestamp(first)
        problem = words.count > 1 ? String(words[1]) : nil
    }

    /// For people who look: where it cannot be written they see an older one.
    func write(_ layout: EvidenceLayout) {
        let words = problem.map { " " + Printable.line($0, columns: 200) } ?? ""
        let line = "\(takenAt?.description ?? "-")\(words)\n"
        // Without receivers nobody else has made the folder.
        try? Files.createDirectories(Files.parent(of: DeadmanStanding.path(layout)))
        try? AtomicFile.write(Array(line.utf8), to: DeadmanStanding.path(layout), durable: false)
    }

    private static func path(_ layout: EvidenceLayout) -> String { "\(layout.root)/notify/deadman" }
}
