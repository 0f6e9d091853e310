// SPDX-License-Identifier: Apache-2.0
// Where everything is kept. One folder per loop, `<state>/<loop>`, mode 0700:
//
//     lock                                       flock of the one writer; names its owner
//     control.sock                               requests of operators to the running daemon
//     cycle.log                                  one line per decision, for `tail -F`
//     journal/000001.jsonl                       events, one per line; the newest segment is appended to
//     journal/torn-1                             bytes that a crash left after the last whole line
//     cycles/000123/cycle.json                   the evidence document, schema nightjar.cycle/1
//     cycles/000123/deploy-1/console.log         what a stage's command printed, redacted
//     cycles/000123/deploy-1/result.json         how it ended, as its shepherd wrote it
//     cycles/000123/stabilize-1/probes.jsonl     one answer of one check per line
//     cycles/000123/test-1-chat/tests.jsonl      one test per line
//     cycles/000123/previous                     the cycle before and the hash of its SHA256SUMS
//     cycles/000123/journal                      the journal lines that led here, and their hash
//     cycles/000123/unlisted.txt                 only where there are links or unreadable files, which have no sum
//     cycles/000123/SHA256SUMS                   over all of the above; `sha256sum -c` reads it
//     cycles/000123/report.md, report.html       rendered after sealing from the above, and not sealed
//     latest -> cycles/000123                    the newest sealed cycle
//     index.jsonl                                one line per sealed cycle; can be made again from the folders
//     history/                                   what each test did in every cycle, kept when cycles are deleted
//     tombstones.jsonl                           one line per cycle that retention deleted
//     pinned/000123                              `nightjar keep 123`: never deleted
//     aside/000124-1                             folders of a cycle whose beginning the journal lost
//     trash/                                     folders on their way out
//
// Numbers have six digits so that names sort as numbers do, and more where six do not suffice.

package import Domain

/// The paths of one loop's state.
package struct EvidenceLayout: Hashable, Sendable {
    /// Absolute path of `<state>/<loop>`.
    package let root: String

    package init(root: String) {
        self.root = root
    }

    package var lock: String { root + "/lock" }
    package var controlSocket: String { root + "/control.sock" }
    package var cycleLog: String { root + "/cycle.log" }
    package var journal: String { root + "/journal" }
    package var cycles: String { root + "/cycles" }
    package var latest: String { root + "/latest" }
    package var index: String { root + "/index.jsonl" }
    package var tombstones: String { root + "/tombstones.jsonl" }
    package var pinned: String { root + "/pinned" }
    package var trash: String { root + "/trash" }

    package func segment(_ number: Int) -> String { "\(journal)/\(EvidenceLayout.name(number)).jsonl" }
    package func tornTail(_ number: Int) -> String { "\(journal)/torn-\(number)" }
    package func pin(_ cycle: Int) -> String { "\(pinned)/\(EvidenceLayout.name(cycle))" }
    package func trashed(_ cycle: Int) -> String { "\(trash)/\(EvidenceLayout.name(cycle))" }

    /// The folder of one cycle.
    package func cycle(_ number: Int) -> String { "\(cycles)/\(EvidenceLayout.name(number))" }
    package func document(_ cycle: Int) -> String { self.cycle(cycle) + "/cycle.json" }
    package func sums(_ cycle: Int) -> String { self.cycle(cycle) + "/" + EvidenceLayout.sumsFile }

    /// The folder of one stage run.
    package func stage(_ run: StageRun) -> String { cycle(run.cycle) + "/" + run.folder }

    /// `path`, which is relative to the folder of `cycle`, as an absolute path; nil where it would leave that folder.
    package func file(_ path: String, inCycle cycle: Int) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        guard !path.utf8.contains(0) else { return nil }
        return self.cycle(cycle) + "/" + path
    }

    package static let sumsFile = "SHA256SUMS"
    package static let previousFile = "previous"
    package static let journalFile = "journal"
    package static let unlistedFile = "unlisted.txt"
    package static let testsFile = "tests.jsonl"

    /// Whether a file at the top of a cycle folder is rendered after sealing, and so never sealed; also what a crash while
    /// rendering leaves.
    package static func isDerived(_ path: String) -> Bool {
        ["report.md", "report.html", "report.md.new", "report.html.new"].contains(path)
    }

    /// At least six digits.
    package static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The number that `name` made; nil for any other text.
    package static func number(_ name: some StringProtocol) -> Int? {
        guard name.utf8.count >= 6, let number = Int(name), number > 0, EvidenceLayout.name(number) == name else {
            return nil
        }
        return number
    }
}
