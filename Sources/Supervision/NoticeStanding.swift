// SPDX-License-Identifier: Apache-2.0
// How telling people goes, read from the files of the notifier: for `nightjar status` and the page.

package import Domain
package import Evidence
import Notifications
package import Platform

package struct NoticeStanding: Hashable, Sendable {
    /// Messages that wait for their receivers.
    package var spooled: Int
    /// Receivers that lost their newest message, and how.
    package var lost: [String: String]
    /// When pages were sent, newest last.
    package var pages: [Timestamp]

    /// What the files in a loop's folder say; a file that cannot be read says nothing.
    package init(_ layout: EvidenceLayout) {
        let spool = Spool(NoticeStanding.folder(layout))
        spooled = spool.count()
        lost = spool.troubles()
        pages = (try? spool.memory())?.pages ?? []
    }

    /// Changes when what is read would.
    package static func stamps(_ layout: EvidenceLayout) -> [FileStamp?] {
        ["spool", "sent.jsonl", "memory.json"].map { Files.stamp("\(folder(layout))/\($0)") }
    }

    private static func folder(_ layout: EvidenceLayout) -> String { "\(layout.root)/notify" }
}
