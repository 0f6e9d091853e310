// SPDX-License-Identifier: Apache-2.0
// Files that tools wrote themselves, on their way into the evidence: secrets are replaced as the bytes pass.

package import Platform
import Shepherd

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
