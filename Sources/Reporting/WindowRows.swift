// SPDX-License-Identifier: Apache-2.0
// The rows of the report over a window, as plain text; the renderers only lay them out.

import Domain

extension WindowReport {
    var title: String { "\(loop): \(cycleSpan)" }

    /// `cycles #195 to #214`
    var cycleSpan: String {
        firstCycle == lastCycle ? "cycle #\(lastCycle)" : "cycles #\(firstCycle) to #\(lastCycle)"
    }

    var times: String { "\(from.wholeSeconds) to \(to.wholeSeconds)" }

    /// `17 healthy, 2 failing, 1 unproven`
    var verdictCounts: String {
        let words = Verdict.allCases.compactMap { verdict in
            verdicts[verdict.rawValue].map { "\($0) \(verdict.rawValue)" }
        }
        return words.joined(separator: ", ")
    }

    var sentence: String {
        let ships = recommendation == .ship
        let newest = "the newest cycle\(interruption) is \(verdict.rawValue)"
        var parts = ["\(ships ? "Ship" : "Hold") \(revision.short): \(newest)"]
        parts.append("\(Plurals.count(cycles.count, "cycle")), \(verdictCounts)")
        if value.total > 0 {
            parts.append(
                "\(Numbers.grouped(value.protected)) of \(Numbers.value(value.total, value.unit)) protected "
                    + "(\(Numbers.percent(100 * value.protected / value.total)))\(conditions)")
        }
        let open = incidents.count { !$0.isResolved }
        parts.append(
            incidents.isEmpty
                ? "no incident"
                : "\(Plurals.count(incidents.count, "incident")), \(open == 0 ? "none open" : "\(open) open")")
        return parts.joined(separator: "; ") + "."
    }

    private var conditions: String { SignOff.conditions(value.conditional) }

    private var interruption: String {
        cycles.last?.verdict == .interrupted && verdict != .interrupted ? " that was not interrupted" : ""
    }

    var figures: [(label: String, figure: String, remark: String)] {
        var rows: [(String, String, String)] = []
        if value.total > 0 {
            rows.append(
                (
                    "protected", Numbers.grouped(value.protected),
                    "\(Numbers.percent(100 * value.protected / value.total)) of "
                        + "\(Numbers.value(value.total, value.unit))\(conditions)"
                ))
            rows.append(
                (
                    "at risk now", Numbers.grouped(exposure.now),
                    "most \(Numbers.grouped(exposure.most)), mean \(Numbers.grouped(exposure.mean.rounded()))"
                ))
        }
        if let readiness {
            let before = firstReadiness.map { "before \(Numbers.percent($0))" } ?? ""
            rows.append(("readiness", Numbers.percent(readiness.score), before))
        }
        rows.append(("cycles", "\(cycles.count)", verdictCounts))
        rows.append(
            (
                "incidents", "\(incidents.count { $0.openedInWindow }) opened",
                "\(incidents.count(where: \.isResolved)) resolved"
            ))
        rows.append(("tests run", Numbers.grouped(testsRun), "\(Numbers.seconds(testSeconds)) in tests"))
        return rows
    }

    /// Name, figure, and what exactly is counted.
    var deliveryRows: [(name: String, figure: String, meaning: String)] {
        let perDay =
            delivery.deploymentsPerDay.map { " (\(Numbers.grouped(($0 * 100).rounded() / 100)) per day)" }
            ?? " in \(Durations.text(seconds: to.since(from).inSeconds))"
        let rate = delivery.changeFailureRate.map(Numbers.percent) ?? "unknown: nothing was deployed"
        let success: String =
            cyclesToSuccess.isEmpty
            ? (cyclesWithoutSuccess > 0
                ? "none yet, \(Plurals.count(cyclesWithoutSuccess, "cycle")) without" : "nothing failed")
            : cyclesToSuccess.map(String.init).joined(separator: ", ")
                + (cyclesWithoutSuccess > 0 ? "; then \(cyclesWithoutSuccess) without" : "")
        return [
            (
                "deployment frequency", "\(delivery.deployments)\(perDay)",
                "revisions that were deployed; the same one again, experiments and ways back do not count"
            ),
            (
                "change failure rate", rate,
                "\(delivery.failedChanges) of \(Plurals.count(delivery.changes, "deployed revision")) failed in the environment or needed a cure"
            ),
            (
                "time to detect", time(incidents.compactMap(\.secondsToDetect)),
                "median, from the end of the deployment to the end of the first stage that failed"
            ),
            (
                "time to diagnose", time(incidents.compactMap(\.secondsToDiagnose)),
                "median, from the first failure to the last experiment before a likely or proven cause"
            ),
            (
                "time to restore", time(incidents.compactMap(\.secondsToRestore)),
                "median, from the first failure to the proof that the environment is well again and stays so"
            ),
            ("change lead time", "unknown", "when a change was committed is not in the evidence"),
            (
                "cycles to success", success,
                "cycles from the first that was not healthy to the next healthy one, that one counted"
            ),
        ]
    }

    private func time(_ values: [Double]) -> String {
        guard let median = WindowFigures.median(values) else { return "unknown" }
        return Durations.text(seconds: median) + (values.count > 1 ? " of \(values.count)" : "")
    }

    var exposureSentence: String {
        "\(Numbers.grouped(exposure.valueHours.rounded())) \(exposure.unit) x hours over "
            + "\(Durations.text(seconds: exposure.hours * 3600)): what each cycle found holds until the end of the next"
    }

    /// Suite, before, after, lowest, value, status.
    func suiteRow(_ suite: SuiteProgress) -> [String] {
        let first = suite.firstPassRate.map(Numbers.percent) ?? suite.firstStatus?.words ?? "-"
        let last = suite.lastPassRate.map(Numbers.percent) ?? suite.lastStatus.words
        return [
            "P\(suite.priority)", suite.suite, first + (suite.firstCycle.map { " (#\($0))" } ?? ""), last,
            suite.lowestPassRate.map(Numbers.percent) ?? "-", suite.value.map { Numbers.grouped($0) } ?? "-",
        ]
    }

    func incidentRow(_ incident: IncidentProgress) -> [String] {
        func time(_ seconds: Double?) -> String { seconds.map { Durations.text(seconds: $0) } ?? "unknown" }
        let span =
            incident.firstCycle == incident.lastCycle
            ? "#\(incident.firstCycle)" : "#\(incident.firstCycle) to #\(incident.lastCycle)"
        return [
            incident.isResolved ? "resolved" : "open", incident.id, incident.title, incident.cause, span,
            time(incident.secondsToDetect), time(incident.secondsToDiagnose), time(incident.secondsToRestore),
            incident.restoredBy ?? "-",
        ]
    }
}
