// SPDX-License-Identifier: Apache-2.0
// What can go wrong with evidence: what was attempted, on what, what happened, and what to do.

/// Why evidence could not be written or read.
package enum EvidenceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The disk (or quota) is full. Nothing half written was left; the same call may be repeated.
    case noSpace(attempt: String, path: String)
    /// The system refused for another reason.
    case system(attempt: String, path: String, reason: String)
    /// Another process writes this loop's evidence.
    case locked(path: String, owner: String)
    /// Written by a newer nightjar.
    case newerFormat(path: String, found: String)
    /// The bytes are not what was written.
    case damaged(path: String, line: Int?, reason: String)
    case notFound(what: String, path: String)
    /// A value that has no form on disk, such as a ratio that is not a number.
    case unwritable(what: String, reason: String)

    package var description: String {
        switch self {
        case .noSpace(let attempt, let path):
            "could not \(attempt) \(path): no space left; free some, the same step is then repeated"
        case .system(let attempt, let path, let reason):
            "could not \(attempt) \(path): \(reason)"
        case .locked(let path, let owner):
            "\(path) is held by \(owner); stop that instance, or use another state directory"
        case .newerFormat(let path, let found):
            "\(path) has \(found): written by a newer nightjar; start that version, or move the state away"
        case .damaged(let path, let line, let reason):
            "\(path)\(line.map { " line \($0)" } ?? "") is damaged: \(reason); run 'nightjar verify'"
        case .notFound(let what, let path):
            "there is no \(what) at \(path)"
        case .unwritable(let what, let reason):
            "could not put \(what) into words: \(reason)"
        }
    }
}
