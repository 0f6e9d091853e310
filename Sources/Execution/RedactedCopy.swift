// SPDX-License-Identifier: Apache-2.0
// What tools wrote themselves, on its way into the evidence: secrets are replaced in files as the bytes pass, and in the
// texts that were read from them.

package import Platform
import Shepherd

/// Texts of tests (names, messages, stacks) without secrets. A report is read as the tool wrote it, because a secret that
/// looks like markup must not damage it; what was read is redacted before it is written anywhere.
package struct TextRedaction: Sendable {
    private let redactor: Redactor

    package init(needles: [String]) {
        redactor = Redactor(Needles(needles))
    }

    /// Whether there is nothing to look for.
    package var isIdle: Bool { redactor.isIdle }

    package func text(_ text: String) -> String { isIdle ? text : redactor.redacted(text) }
}

package enum RedactedCopy {
    /// Copies a file in bounded memory with every form of `needles` replaced.
    package static func copy(_ source: String, to target: String, needles: [String]) throws(SystemError) {
        var redactor = Redactor(Needles(needles))
        if Files.exists(target) { try Files.remove(target) }
        let file = try AppendFile(target)
        var failure: SystemError?
        func write(_ bytes: UnsafeRawBufferPointer) {
            guard failure == nil, !bytes.isEmpty else { return }
            do throws(SystemError) { try file.append(Array(bytes)) } catch { failure = error }
        }
        try Files.readInPieces(source) { redactor.pass($0, to: write) }
        redactor.finish(to: write)
        if let failure { throw failure }
    }
}
