// SPDX-License-Identifier: Apache-2.0
// Whatever a test calls itself, it cannot leave its place in any of the texts.

import Domain
import Foundation
import Reporting
import Testing

@Suite struct HostileTextTests {
    private static let payloads = [
        "\u{1B}]0;owned\u{7}\u{1B}[2J\u{1B}[1;31m", "\u{9B}2J\u{9D}0;x\u{9C}", "a\r\nb\u{2028}c\u{85}d",
        "\u{202E}gnp.exe\u{2066}\u{200F}\u{61C}", "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "\"><svg/onload=alert(1)>' onmouseover='x", "| a | b |\n# heading\n```\n[x](javascript:1) ![y](http://e/x.png)",
        "````\n<b>", "\u{E0041}\u{E0042}\u{FEFF}\u{200B}\u{AD}\u{3164}", String(repeating: "\u{301}", count: 500),
        "--></style></main><h1>PASS</h1>", "\u{0}\u{8}\u{7F}", "$(rm -rf /) `id` ; &&", "P0 ok\u{85}GREEN", "日本語テスト🎉",
    ]

    private func poisoned(_ text: String) -> CycleRecord {
        var record = Night.failing
        record.loop = text
        record.reasons = [Reason(rule: text, verdict: .failing, text: text, subject: text, evidence: text)]
        record.revision = RevisionRecord(
            wanted: Revision(text), subject: text, author: text, ref: text, live: Revision(text))
        record.value.unit = text
        record.writtenBy = text
        record.settingsHash = text
        for index in record.stages.indices { record.stages[index].summary = text }
        for index in record.suites.indices {
            record.suites[index].name = text
            record.suites[index].because = text
            record.suites[index].notPassed = [
                TestResult(id: text, outcome: .failed, message: text, type: text, details: text, file: text, line: 1)
            ]
        }
        record.capabilities[0].name = text
        record.incidents[0].title = text
        record.incidents[0].tests = [text, text]
        record.incidents[0].diagnosis?.summary = text
        record.incidents[0].diagnosis?.component = text
        record.incidents[0].diagnosis?.culprit?.subject = text
        record.incidents[0].diagnosis?.culprit?.files = [text]
        record.incidents[0].diagnosis?.whys = [
            Why(
                n: 1, question: text, answer: text, confidence: 1,
                evidence: [EvidenceReference(path: text, lines: [1, 2], excerpt: text)])
        ]
        record.experiments[0].result = text
        record.actions[0].because = text
        record.environment.services = [ServiceState(name: text, live: Revision(text))]
        record.capabilities[0].steps = [StepRecord(name: text, status: .passed, test: text, position: 1)]
        record.targets = [
            TargetRecord(name: text, limit: 1, unit: text, status: .notMeasured, evidence: text, because: text),
            slowTarget(text),
        ]
        let pause = PauseRequested(owner: text, reason: text, until: nil)
        record.requests = [RequestRecord(.pauseRequested(pause), at: record.startedAt)].compactMap { $0 }
        record.requests?[0].answer = text
        record.readiness = ReadinessRecord(
            components: [.init(name: text, weight: 1, good: 1, counted: 2, score: 50, from: [text])], score: 50)
        return record
    }

    /// A measured target whose every text is hostile, with charts, warnings and a failed sample.
    private func slowTarget(_ text: String) -> TargetRecord {
        var target = TargetRecord(
            name: text + "2", limit: 10, unit: text, measured: 9, betterByPercent: 10, status: .met, samples: 3,
            percentile: 95, values: [7, 8, 9], evidence: text)
        (target.source, target.failedSamples, target.failure) = (text, 1, text)
        target.interval = TargetInterval(low: 7, high: nil, confidence: 0.95)
        var change = TargetChange(finding: .worse, cycle: 1, before: 5)
        (change.worseByPercent, change.probability, change.because) = (80, 0.001, text)
        target.sinceGreen = change
        target.trend = TargetTrend(cycles: 9, fromCycle: 1, slopePerCycle: 1, probability: 0.001, cyclesToLimit: 1)
        return target
    }

    private func isHarmless(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            if scalar == "\n" { return true }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                return false
            default: return true
            }
        }
    }

    @Test(arguments: payloads) func `reports of a hostile cycle hold nothing invisible`(payload: String) throws {
        let record = poisoned(payload)
        #expect(isHarmless(TextReport(record, columns: 80, folder: "x").text))
        #expect(isHarmless(MarkdownReport.text(record)))
        #expect(isHarmless(HTMLReport.text(record)))
        let context = ReportContext(previous: poisoned(payload + "x"), history: [CycleBrief(record)])
        #expect(isHarmless(HTMLReport.text(record, context)))
        #expect(isHarmless(MarkdownReport.text(record, context)))
        let window = try #require(WindowReport([record, record], from: record.startedAt, to: record.endedAt))
        #expect(isHarmless(window.text(columns: 80)) && isHarmless(window.markdown) && isHarmless(window.html()))
        #expect(isHarmless(try JSONText.pretty(window)))
        #expect(isHarmless(CyclesTable.text([CycleBrief(record)])))
        #expect(isHarmless(try JSONText.pretty(record)))
        #expect(isHarmless(ProgressLine(name: payload, elapsed: .seconds(1), current: payload).text(columns: 80)))
    }

    @Test(arguments: payloads) func `the status of a hostile loop holds nothing invisible`(payload: String) {
        var status = Night.status
        status.loop = payload
        status.servingState = payload
        status.revision = Revision(payload)
        status.doing.text = payload
        status.incidents[0].title = payload
        status.incidents[0].cause = payload
        status.pause = PauseRequested(owner: payload, reason: payload, until: nil)
        status.daemon.journalProblem = payload
        #expect(isHarmless(StatusText(status).text))
    }

    @Test(arguments: payloads) func `HTML has the same tags whatever the text says`(payload: String) {
        func tags(_ html: String) -> [Substring] {
            html.split(separator: "<").dropFirst().map { $0.prefix { $0.isLetter || $0 == "/" || $0 == "!" } }
        }
        // Plain text of the same shape: as many lines, since those decide nothing but the text of a block.
        #expect(tags(HTMLReport.text(poisoned(payload))) == tags(HTMLReport.text(poisoned("plain"))))
        func window(_ text: String) -> String {
            let record = poisoned(text)
            return WindowReport([record], from: record.startedAt, to: record.endedAt)?.html() ?? ""
        }
        #expect(tags(window(payload)) == tags(window("plain")))
    }

    @Test func `JSON that was made harmless is the same value`() throws {
        for payload in Self.payloads {
            let text = try JSONText.line([payload])
            #expect(try JSONDecoder().decode([String].self, from: Data(text.utf8)) == [payload])
        }
    }

    @Test func `Markdown cannot be left through a fence or a table`() {
        let text = MarkdownReport.text(poisoned("````\n| a | b |\n# heading\n<b>"))
        #expect(!text.contains("\n# heading"))
        #expect(!text.contains("\n<b>"))
        #expect(text.contains("`````text"))
    }

    @Test func `a fuzzed name never breaks a line`() {
        let seed = UInt64(20_261_121)
        var generator = SplitMix(state: seed)
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                let value = UInt32.random(in: 0...0x10FFFF, using: &generator)
                if let scalar = Unicode.Scalar(value % (Bool.random(using: &generator) ? 0x300 : 0x11_0000)) {
                    text.unicodeScalars.append(scalar)
                }
            }
            let line = Printable.line(text)
            #expect(isHarmless(line) && !line.contains("\n"), "seed \(seed)")
            let cut = Printable.cut(line, to: 20)
            #expect(Printable.columns(cut) <= 20, "seed \(seed)")
            let wrapped = Printable.wrapped(line, width: 10)
            #expect(wrapped.allSatisfy { Printable.columns($0) <= 10 }, "seed \(seed)")
        }
    }
}

/// A small generator with a seed (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
