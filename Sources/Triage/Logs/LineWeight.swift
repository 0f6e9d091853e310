// SPDX-License-Identifier: Apache-2.0
// How much one line says about why something failed, from the way tools word their errors.

/// The weight of a line by its words alone.
struct LineWeight {
    /// Beyond 0 the line speaks of something bad; an exception's own line has about 5.
    var strength = 0.0
    /// It tells that a step failed, and not why: `Process completed with exit code 1`.
    var isEnd = false

    var isInteresting: Bool { strength > 0 && !isEnd }

    init(_ line: String, level: LogLevel?) {
        let message = LineWeight.message(of: line)
        let lowered = message.lowercased()
        if LineWeight.isQuoted(message) || LineWeight.isGood(lowered) || lowered.hasPrefix("traceback (") { return }
        isEnd = LineWeight.ends.contains { lowered.contains($0) }
        strength = LineWeight.shape(message, lowered, level)
        if strength == 0 {
            strength = LineWeight.wording(lowered)
        } else {
            strength += 0.3 * LineWeight.wording(lowered)
        }
        guard strength > 0 else { return }
        if LineWeight.isDetailed(message) { strength += 0.5 }
        // An exception may end with advice and is none.
        if strength < 5, LineWeight.asides.contains(where: { lowered.contains($0) }) { strength -= 2 }
        if lowered.contains("warning") || level == .warn { strength = min(strength, 2.5) - 1 }
    }

    /// Without the time, tags and brackets in front.
    private static func message(of line: String) -> String {
        var bytes = Array(line.utf8)
        return bytes.withUnsafeMutableBufferPointer { buffer in
            let all = Bytes(buffer)
            let head = LineHead(all) { _ in false }
            return String(decoding: all[head.messageStart...], as: UTF8.self)
        }
    }

    /// A command or a script that is shown before it runs, or a listing of variables.
    private static func isQuoted(_ message: String) -> Bool {
        if ["+ ", "++ ", "$ ", "> ", "[command]", "##[group]", "##[endgroup]", "::group::", "#"].contains(where: {
            message.hasPrefix($0) && !message.hasPrefix("##[error]")
        }) {
            return true
        }
        // `KEY: value`, `key-name: value` and nothing else.
        guard let colon = message.firstIndex(of: ":") else { return false }
        let key = message[..<colon]
        guard key.contains("_") || key.contains("-"),
            key.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" })
        else { return false }
        return message[colon...].split(separator: " ").count <= 3
    }

    private static func isGood(_ lowered: String) -> Bool {
        ["0 errors", "0 failures", "0 failed", "no errors", "without error", "errors: 0", "failures: 0"].contains {
            lowered.contains($0)
        } && !lowered.contains("exception")
            || lowered.contains(" passed") && !lowered.contains("failed")
            || lowered.contains("successful")
    }

    /// Forms in which tools print an error.
    private static func shape(_ message: String, _ lowered: String, _ level: LogLevel?) -> Double {
        let trimmed = message.drop { $0 == " " || $0 == "\t" || $0 == ">" || $0 == "|" }
        let isException = Array(trimmed.utf8).withUnsafeBufferPointer { ExceptionShape.name($0) != nil }
        if isException || trimmed.hasPrefix("Caused by: ") { return 5 }
        if lowered.contains("panicked at") || lowered.hasPrefix("panic:") { return 5 }
        if isCompilerError(lowered) { return 5 }
        if lowered.hasPrefix("error:") || lowered.hasPrefix("fatal:") || lowered.hasPrefix("fatal error") { return 4.5 }
        if lowered.contains("received signal") || lowered.contains("segmentation fault") { return 4.5 }
        if message.hasPrefix("E   ") { return 4.5 }
        if message.hasPrefix("##[error]") || message.hasPrefix("::error") { return 4 }
        if message.hasPrefix("FAILED ") || message.hasPrefix("--- FAIL") || message.hasPrefix("not ok ") { return 4 }
        if message.hasPrefix("____") && message.hasSuffix("____") { return 3.5 }
        if trimmed.utf8.count < message.utf8.count, lowered.contains("error:") { return 3.5 }
        if let level, level >= .error { return level == .fatal ? 4.2 : 4 }
        return 0
    }

    /// `file.c:12:3: error: …`, `File.java:[107,64] …`, `file.ts(3,4): error`.
    private static func isCompilerError(_ lowered: String) -> Bool {
        guard lowered.contains(": error") || lowered.contains(": fatal error") || lowered.contains(":[") else {
            return false
        }
        guard let colon = lowered.firstIndex(where: { $0 == ":" || $0 == "(" }) else { return false }
        let place = lowered[..<colon]
        let rest = lowered[colon...].dropFirst()
        return place.contains(".") && !place.contains(" ") && (rest.first?.isNumber == true || rest.first == "[")
    }

    /// Words of causes (3), of failures (2), of trouble (1).
    private static func wording(_ lowered: String) -> Double {
        if causes.contains(where: { lowered.contains($0) }) { return 3 }
        if failures.contains(where: { lowered.contains($0) }) { return 2 }
        return troubles.contains { lowered.contains($0) } ? 1 : 0
    }

    private static let causes = [
        "out of memory", "cannot allocate", "no space left", "disk quota", "too many open files", "permission denied",
        "access denied", "accessdenied", "not authorized", "unauthorized", "forbidden", "not found", "no such ",
        "timed out", "timeout", "connection refused", "connection reset", "unreachable", "could not resolve",
        "couldn't", "could not", "cannot ", "can't ", "unable to", "failed to ", "expired", "undefined reference",
        "undefined symbol", "out of sync", "conflict", "killed", "oomkill", "more than the", "exceed", "mismatch",
        "does not exist", "not a valid", "invalid ", "missing ", "is required", "incompatible", "deadlock", "corrupt",
        "was canceled", "was cancelled", "shutdown signal", "assertion", "sigbus", "sigsegv", "sigkill", "sigint",
        "returned error", "cannot find",
    ]
    private static let failures = [
        "failed", "failure", "fatal", "exception", "aborted", "crash", "rejected", "refused",
    ]
    private static let troubles = ["error", "abort", "denied", "wrong", "bad ", "unexpected"]

    /// The end of a step: that it failed, and not why.
    private static let ends = [
        "process completed with exit code", "failed with exit code", "exited with code", "got exit code",
        "returned non-zero", "exit status ", "build failure", "build failed", "marked build as failure",
        "finished: failure", "non-zero exit code", "make: ***", "make[", "npm err! code", "execution failed for task",
    ]

    /// Advice and wrappers around the error proper.
    private static let asides = [
        "for more information", "re-run ", "rerun ", "see the ", "please contact", "please read", "to see the full",
        "[help ", "this typically means", "is likely not a problem", "if you ", "did you mean", "keep running",
        "cancelled by", "try again", "back off", "errors occurred!", "a task was canceled", "retry",
        "failed to build one or more", "will be ignored", "deprecat", "ignor", "metric", "could contain errors",
    ]

    /// A text after a colon, or a quoted name.
    private static func isDetailed(_ message: String) -> Bool {
        guard let colon = message.range(of: ": ") else { return message.contains("'") || message.contains("\"") }
        return message[colon...].split(separator: " ").count >= 3
    }
}

extension String {
    /// Where `text` begins; nil where it does not occur.
    fileprivate func range(of text: String) -> String.Index? {
        guard let first = text.first else { return nil }
        var index = startIndex
        while index < endIndex {
            if self[index] == first, self[index...].hasPrefix(text) { return index }
            formIndex(after: &index)
        }
        return nil
    }
}
