// SPDX-License-Identifier: Apache-2.0
// The reports as JUnit XML, with the figures as properties: one sentence to read, and numbers for the loop's targets.

extension ResilienceReport {
    /// JUnit XML as test report readers take it: a suite for each scenario.
    package var junit: String {
        let suites = results.map { result -> String in
            var properties = JUnitText.property("status", result.status.rawValue)
            if let value = result.value { properties += JUnitText.property("value", JUnitText.number(value)) }
            for need in result.prerequisites { properties += JUnitText.property("prerequisite", need) }
            return JUnitText.suite(
                result.scenario.key, "resilience.\(result.scenario.key)", result.cases, properties,
                seconds: result.seconds)
        }
        return JUnitText.document(name, results.flatMap(\.cases), suites, seconds: seconds)
    }
}

extension LoadReport {
    /// JUnit XML: one suite, `load`, with the times as its properties.
    package var junit: String {
        let properties = figures.map { JUnitText.property($0.name, "\(JUnitText.number($0.value)) \($0.unit)") }
        let suite = JUnitText.suite("load", "load", cases, properties.joined(), seconds: seconds)
        return JUnitText.document("load on \(endpoint)", cases, [suite], seconds: seconds)
    }

    private var figures: [(name: String, value: Double, unit: String)] {
        [
            ("open.p50", openP50, "ms"), ("open.p95", openP95, "ms"), ("roundTrip.p50", roundTripP50, "ms"),
            ("roundTrip.p95", roundTripP95, "ms"), ("roundTrip.p99", roundTripP99, "ms"),
            ("messages.rate", messagesPerSecond, "/s"),
        ]
    }
}

/// The parts of a JUnit file.
enum JUnitText {
    static func document(_ name: String, _ cases: [ScenarioCase], _ suites: [String], seconds: Double) -> String {
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites name=\"\(escape(name))\" "
            + "\(counts(cases, seconds: seconds))>\n\(suites.joined())</testsuites>\n"
    }

    /// `properties` are elements already.
    static func suite(
        _ name: String, _ classname: String, _ cases: [ScenarioCase], _ properties: String, seconds: Double
    ) -> String {
        "<testsuite name=\"\(escape(name))\" \(counts(cases, seconds: seconds))>\n<properties>\(properties)</properties>\n"
            + cases.map { element($0, classname) }.joined() + "</testsuite>\n"
    }

    private static func counts(_ cases: [ScenarioCase], seconds: Double) -> String {
        func count(_ outcome: ScenarioCase.Outcome) -> Int { cases.count { $0.outcome == outcome } }
        return "tests=\"\(cases.count)\" failures=\"\(count(.failed))\" errors=\"\(count(.errored))\" "
            + "skipped=\"\(count(.skipped))\" time=\"\(number(seconds))\""
    }

    /// With three decimals at most; a whole number without any.
    static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }

    private static func element(_ found: ScenarioCase, _ classname: String) -> String {
        var text = "<testcase classname=\"\(escape(classname))\" name=\"\(escape(found.name))\" "
        text += "time=\"\(number(found.seconds))\">"
        if !found.kpis.isEmpty { text += "<properties>\(found.kpis.map(properties).joined())</properties>" }
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

    /// The sentence, and `reconnect.mean`, `.p95`, `.n` and `.limit` as numbers with their unit.
    private static func properties(_ kpi: ScenarioKPI) -> String {
        let unit = kpi.unit.isEmpty ? "" : " " + kpi.unit
        var text = property("kpi", kpi.text)
        text += property("\(kpi.key).\(kpi.statistic)", number(kpi.measured) + unit)
        if let p95 = kpi.p95 { text += property("\(kpi.key).p95", number(p95) + unit) }
        text += property("\(kpi.key).n", "\(kpi.samples)")
        return text + property("\(kpi.key).limit", number(kpi.limit) + unit)
    }

    static func property(_ name: String, _ value: String) -> String {
        "<property name=\"\(escape(name))\" value=\"\(escape(value))\"/>"
    }

    static func escape(_ text: String) -> String {
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

extension ScenarioKPI {
    /// The name as one word: `heartbeatGap` for `heartbeat gap`.
    var key: String {
        let words = name.split(separator: " ")
        return words.prefix(1).joined()
            + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
