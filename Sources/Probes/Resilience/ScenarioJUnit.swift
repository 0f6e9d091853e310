// SPDX-License-Identifier: Apache-2.0
// The report of the scenarios as JUnit XML, with the KPIs as properties of their cases.

extension ResilienceReport {
    /// JUnit XML as test report readers take it: a suite for each scenario.
    package var junit: String {
        let cases = results.flatMap(\.cases)
        var text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
        text += "<testsuites name=\"\(Self.escape(name))\" \(Self.counts(cases, seconds: seconds))>\n"
        for result in results {
            text +=
                "<testsuite name=\"\(result.scenario.key)\" \(Self.counts(result.cases, seconds: result.seconds))>\n"
            text += "<properties>\(Self.property("status", result.status.rawValue))"
            if let value = result.value { text += Self.property("value", ScenarioKPI.short(value)) }
            for need in result.prerequisites { text += Self.property("prerequisite", need) }
            text += "</properties>\n"
            text += result.cases.map { Self.element($0, of: result.scenario) }.joined()
            text += "</testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    private static func counts(_ cases: [ScenarioCase], seconds: Double) -> String {
        func count(_ outcome: ScenarioCase.Outcome) -> Int { cases.count { $0.outcome == outcome } }
        return "tests=\"\(cases.count)\" failures=\"\(count(.failed))\" errors=\"\(count(.errored))\" "
            + "skipped=\"\(count(.skipped))\" time=\"\(time(seconds))\""
    }

    private static func time(_ seconds: Double) -> String { "\((seconds * 1000).rounded() / 1000)" }

    private static func element(_ found: ScenarioCase, of scenario: ScenarioKind) -> String {
        var text = "<testcase classname=\"resilience.\(scenario.key)\" name=\"\(escape(found.name))\" "
        text += "time=\"\(time(found.seconds))\">"
        if !found.kpis.isEmpty {
            text += "<properties>\(found.kpis.map(figures).joined())</properties>"
        }
        let reason = escape(found.reason ?? "")
        switch found.outcome {
        case .passed: break
        case .failed: text += "<failure type=\"ResilienceFailure\" message=\"\(reason)\">\(reason)</failure>"
        case .errored: text += "<error type=\"ResilienceError\" message=\"\(reason)\">\(reason)</error>"
        case .skipped: text += "<skipped message=\"\(reason)\"/>"
        }
        if !found.notes.isEmpty { text += "<system-out>\(escape(found.notes.joined(separator: "\n")))</system-out>" }
        return text + "</testcase>\n"
    }

    /// As a sentence, and as numbers with their units that a performance target can read: `reconnect.mean`.
    private static func figures(_ kpi: ScenarioKPI) -> String {
        func amount(_ value: Double) -> String { "\(ScenarioKPI.short(value)) \(kpi.unit)" }
        let name = kpi.name.replacing(" ", with: "-")
        var text = property("kpi", kpi.text) + property("\(name).\(kpi.statistic)", amount(kpi.measured))
        if let p95 = kpi.p95 { text += property("\(name).p95", amount(p95)) }
        return text + property("\(name).limit", amount(kpi.limit)) + property("\(name).n", "\(kpi.samples)")
    }

    private static func property(_ name: String, _ value: String) -> String {
        "<property name=\"\(name)\" value=\"\(escape(value))\"/>"
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 32 || (0xFFFE...0xFFFF).contains(scalar.value): result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
