// SPDX-License-Identifier: Apache-2.0
// Durations, numbers and plurals as people read them.

import Reporting
import Testing

@Suite struct WordingTests {
    @Test(
        arguments: [
            (0, "0s"), (0.0004, "1ms"), (0.012, "12ms"), (0.4, "0.4s"), (8.4, "8.4s"), (9.94, "9.9s"), (9.96, "10s"),
            (31, "31s"),
            (78, "78s"), (89.6, "1m30s"), (90, "1m30s"), (465, "7m45s"), (2160, "36m"), (2165, "36m05s"),
            (3599.7, "1h"),
            (7200, "2h"), (7500, "2h05m"), (86_399, "1d"), (90_000, "1d1h"), (12 * 86_400, "12d"), (-31, "-31s"),
            (Double.nan, "unknown"), (Double.infinity, "unknown"),
        ] as [(Double, String)])
    func `durations read as people say them`(seconds: Double, text: String) {
        #expect(Durations.text(seconds: seconds) == text)
    }

    @Test(
        arguments: [
            (8, "8s"), (59.9, "59s"), (2520, "42m"), (7199, "119m"), (7200, "2h"), (12 * 86_400, "12d"), (-5, "0s"),
        ] as [(Double, String)])
    func `ages have one unit`(seconds: Double, text: String) { #expect(Durations.age(seconds: seconds) == text) }

    @Test func `numbers have groups`() {
        #expect(Numbers.grouped(120_000) == "120,000")
        #expect(Numbers.grouped(999) == "999")
        #expect(Numbers.grouped(-1_234_567) == "-1,234,567")
        #expect(Numbers.grouped(Int.min) == "-9,223,372,036,854,775,808")
        #expect(Numbers.grouped(1234.5) == "1,234.5")
        #expect(Numbers.grouped(0.254) == "0.25")
        #expect(Numbers.grouped(0.05) == "0.05")
        #expect(Numbers.grouped(Double.nan) == "unknown")
        #expect(Numbers.bytes(812) == "812 B")
        #expect(Numbers.bytes(4_200_000) == "4.2 MB")
        #expect(Numbers.bytes(20_000_000_000) == "20 GB")
        #expect(Numbers.bytes(999_999) == "1 MB")
    }

    @Test func `a probability is never rounded to certainty`() {
        #expect(Numbers.probability(0.998) == "0.998")
        #expect(Numbers.probability(0.99999) == ">0.999")
        #expect(Numbers.probability(0.00001) == "<0.001")
        #expect(Numbers.probability(1) == "1")
        #expect(Numbers.probability(0) == "0")
        #expect(Numbers.probability(0.5) == "0.5")
    }

    @Test func `plurals and lists`() {
        #expect(Plurals.count(1, "test") == "1 test")
        #expect(Plurals.count(0, "test") == "0 tests")
        #expect(Plurals.count(1200, "retry", "retries") == "1,200 retries")
        #expect(Plurals.list(["a", "b", "c"], limit: 2) == "a, b and 1 more")
    }

    @Test func `a progress line is never wider than the terminal`() {
        let line = ProgressLine(
            name: "test authentication", elapsed: .seconds(41), usual: .seconds(78), done: 12, total: 25, failed: 1,
            current: "tests/p0_auth/test_streaming.py::test_023_streaming")
        for columns in 12...200 { #expect(Printable.columns(line.text(columns: columns)) < columns) }
        Snapshot.expect(
            [40, 80, 120].map { line.text(columns: $0) + "\n" }.joined()
                + ProgressLine(name: "deploy 9f3c1e2", elapsed: .seconds(100), usual: .seconds(465)).text(columns: 80)
                + "\n" + ProgressLine(name: "deploy 9f3c1e2", elapsed: .seconds(5)).text(columns: 80) + "\n",
            "progress.txt")
    }
}
