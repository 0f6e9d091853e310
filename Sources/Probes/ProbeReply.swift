// SPDX-License-Identifier: Apache-2.0
// What came back from asking, and whether it is what was expected.

package import Domain

/// How long the parts of one exchange took, in milliseconds from its start, as far as they are known.
package struct ProbeTimings: Hashable, Sendable {
    package var nameLookup: Double?
    package var connect: Double?
    package var tls: Double?
    package var firstByte: Double?
    package var total: Double

    package init(
        nameLookup: Double? = nil, connect: Double? = nil, tls: Double? = nil, firstByte: Double? = nil, total: Double
    ) {
        self.nameLookup = nameLookup
        self.connect = connect
        self.tls = tls
        self.firstByte = firstByte
        self.total = total
    }
}

/// What one question brought back.
package enum ProbeReply: Hashable, Sendable {
    case http(status: Int, body: [UInt8], timings: ProbeTimings)
    case connected(ProbeTimings)
    case exited(status: Int32, output: [UInt8], timings: ProbeTimings)
    /// No answer; the problem in words: `connection refused 127.0.0.1:8080`.
    case noAnswer(problem: String, timings: ProbeTimings)

    package var timings: ProbeTimings {
        switch self {
        case .http(_, _, let timings), .connected(let timings), .exited(_, _, let timings),
            .noAnswer(_, let timings):
            timings
        }
    }
}

/// One answered check.
package struct ProbeAnswer: Hashable, Sendable {
    package var check: String
    package var ok: Bool
    /// What was found, with the expectation it missed: `status 503, expected 200`.
    package var finding: String
    package var timings: ProbeTimings

    package init(check: String, ok: Bool, finding: String, timings: ProbeTimings) {
        self.check = check
        self.ok = ok
        self.finding = finding
        self.timings = timings
    }

    /// The answer as the record keeps it.
    package func sample(at time: Timestamp) -> ProbeSample {
        var sample = ProbeSample(
            check: check, at: time, ok: ok, finding: finding, milliseconds: timings.total,
            connectMilliseconds: timings.connect, firstByteMilliseconds: timings.firstByte)
        (sample.nameLookupMilliseconds, sample.tlsMilliseconds) = (timings.nameLookup, timings.tls)
        return sample
    }
}

extension CheckSettings {
    /// Judges a reply by the expectations of this check: the first one that is missed is the finding, without secrets.
    package func judge(_ reply: ProbeReply, redact: (String) -> String = { $0 }) -> ProbeAnswer {
        let (found, missed) = findings(reply, redact)
        return ProbeAnswer(check: name, ok: missed == nil, finding: redact(missed ?? found), timings: reply.timings)
    }

    private func findings(_ reply: ProbeReply, _ redact: (String) -> String) -> (found: String, missed: String?) {
        switch reply {
        case .noAnswer(let problem, _):
            return (problem, problem)
        case .connected:
            return ("connected", nil)
        case .http(let status, let body, _):
            let found = "status \(status)"
            let ok = statuses.isEmpty ? (200...299).contains(status) : statuses.contains(status)
            guard ok else { return (found, "\(found), expected \(Self.list(statuses, otherwise: "200...299"))") }
            return (found, missedInBody(body, redact))
        case .exited(let status, let output, _):
            let found = "exit \(status)"
            let ok = statuses.isEmpty ? status == 0 : statuses.contains(Int(status))
            guard ok else { return (found, "\(found), expected \(Self.list(statuses, otherwise: "0"))") }
            return (found, missedInBody(output, redact))
        }
    }

    private static func list(_ numbers: [Int], otherwise: String) -> String {
        numbers.isEmpty ? otherwise : numbers.map(String.init).joined(separator: " or ")
    }

    private func missedInBody(_ body: [UInt8], _ redact: (String) -> String) -> String? {
        if let contains, !contains.isEmpty, !body.holds(Array(contains.utf8)) {
            return "the answer does not contain \"\(contains)\": \(Excerpt.line(body, redact: redact))"
        }
        guard !json.isEmpty else { return nil }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: body)
        } catch {
            return "the answer is no JSON: it \(error): \(Excerpt.line(body, redact: redact))"
        }
        for expectation in json {
            if let missed = expectation.missed(in: document, redact) { return missed }
        }
        return nil
    }
}

extension CheckSettings.JSONExpectation {
    func missed(in document: JSONValue, _ redact: (String) -> String) -> String? {
        // Text that is no JSON was meant as a string: the file may say `healthy` without quotation marks.
        let wanted = (try? JSONValue(parsing: value)) ?? .string(value)
        guard let found = document.value(at: pointer) else { return "\(pointer) is missing, expected \(wanted)" }
        return found == wanted ? nil : "\(pointer) is \(Excerpt.cut(redact(found.description))), expected \(wanted)"
    }
}

extension LiveRevisionSettings {
    /// The revision that a reply names, without secrets. A plain answer must be one word: an error page is no revision, and
    /// neither is a secret.
    package func answer(_ reply: ProbeReply, redact: (String) -> String = { $0 }) -> RevisionAnswer {
        let milliseconds = reply.timings.total
        let body: [UInt8]
        switch reply {
        case .noAnswer(let problem, _):
            return RevisionAnswer(revision: nil, problem: redact(problem), milliseconds: milliseconds)
        case .connected:
            return RevisionAnswer(
                revision: nil, problem: "a TCP connection names no revision", milliseconds: milliseconds)
        case .http(let status, let bytes, _):
            guard (200...299).contains(status) else {
                return RevisionAnswer(
                    revision: nil, problem: "status \(status), expected 200...299", milliseconds: milliseconds)
            }
            body = bytes
        case .exited(let status, let bytes, _):
            guard status == 0 else {
                return RevisionAnswer(revision: nil, problem: "exit \(status), expected 0", milliseconds: milliseconds)
            }
            body = bytes
        }
        let (revision, problem) = read(body, redact)
        return RevisionAnswer(revision: revision, problem: problem, milliseconds: milliseconds)
    }

    private func read(_ body: [UInt8], _ redact: (String) -> String) -> (Revision?, String?) {
        guard let pointer else {
            return word(redact(String(decoding: body.trimmed, as: UTF8.self)), of: "the answer")
        }
        do {
            switch try JSONValue(parsing: body).value(at: pointer) {
            case .string(let text), .number(let text): return word(redact(text), of: pointer)
            case nil: return (nil, "\(pointer) is missing in the answer")
            case let other?:
                return (nil, "\(pointer) is \(Excerpt.cut(redact(other.description))), expected a revision")
            }
        } catch {
            return (nil, "the answer is no JSON: it \(error): \(Excerpt.line(body, redact: redact))")
        }
    }

    private func word(_ text: String, of place: String) -> (Revision?, String?) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return (nil, "\(place) is empty, expected a revision") }
        guard bytes.count <= 200, bytes.allSatisfy({ (33...126).contains($0) }) else {
            return (nil, "\(place) is no single word: \(Excerpt.line(bytes))")
        }
        guard bytes.allSatisfy(Self.isOfRevision), let first = bytes.first, Self.isLetterOrDigit(first) else {
            return (nil, "\(place) is no revision (letters, digits and \(Self.signs)): \(Excerpt.line(bytes))")
        }
        return (Revision(text), nil)
    }

    /// Enough for commits, versions and image names with a digest. A revision goes into the commands of operators, where
    /// it must be neither an option nor anything that a shell would obey.
    private static let signs = "._-+/:@="

    private static func isOfRevision(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || signs.utf8.contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}

/// Foreign text for findings: one line, bounded, nothing that a terminal would obey.
enum Excerpt {
    /// So much beyond the excerpt is looked at for the rest of a secret that begins in it.
    private static let lookAhead = 8 << 10

    static func line(_ bytes: [UInt8], limit: Int = 120, redact: (String) -> String = { $0 }) -> String {
        guard !bytes.isEmpty else { return "(empty)" }
        return cut(redact(String(decoding: bytes.prefix(limit * 4 + lookAhead), as: UTF8.self)), limit: limit)
    }

    static func cut(_ text: String, limit: Int = 120) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) {
            let control = scalar.value < 32 || (127...159).contains(scalar.value)
            // Line separators and direction marks can forge a log line as well as control characters can.
            let deceptive = scalar.properties.generalCategory == .format || (0x2028...0x2029).contains(scalar.value)
            result.append(control || deceptive ? " " : scalar)
        }
        return String(result) + (text.unicodeScalars.count > limit ? "…" : "")
    }
}

extension [UInt8] {
    var trimmed: ArraySlice<UInt8> {
        let space: Set<UInt8> = [32, 9, 10, 13]
        guard let first = firstIndex(where: { !space.contains($0) }),
            let last = lastIndex(where: { !space.contains($0) })
        else { return [] }
        return self[first...last]
    }

    /// Whether `needle` occurs. Plain search: bodies are at most 1 MiB.
    func holds(_ needle: [UInt8]) -> Bool {
        guard let first = needle.first, count >= needle.count else { return needle.isEmpty }
        var from = 0
        while let at = self[from...(count - needle.count)].firstIndex(of: first) {
            if self[at..<at + needle.count].elementsEqual(needle) { return true }
            from = at + 1
            if from > count - needle.count { return false }
        }
        return false
    }
}
