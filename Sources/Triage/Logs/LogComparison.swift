// SPDX-License-Identifier: Apache-2.0
// Which kinds of log entries are new or have grown since the loop was last green, and how telling each is.
//
// Grown: under equal rates the count now is binomial given both counts, with the ratio of the two logs' sizes as its odds
// (the conditional test of two Poisson rates: Przyborowski and Wilenski 1940). Its tail is bounded by exp(-n KL)
// (Chernoff, Hoeffding 1963), and the level is divided by the number of kinds (Bonferroni). The ratio of sizes is the
// median ratio of the kinds that both logs have (as Anders and Huber 2010 do for counts of genes), per source, so that
// neither twice as many requests nor one flooding line makes every other line look changed.

/// A kind of entry that is not as it was.
package struct LogChange: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case new, grown
        /// Bad by itself, and there is no other log to compare with.
        case bad
    }
    package var kind: Kind
    package var template: LogTemplate
    /// What the earlier count would have come to in a log of this size.
    package var expected: Double
    /// At most so probable under an unchanged rate; 1 where that was not asked.
    package var probability: Double
    /// For ordering alone.
    package var score: Double
}

/// What is known of the failure that the logs may tell about.
package struct LogContext: Hashable, Sendable {
    /// Lowercased words of the failing tests and their messages.
    package var words: Set<String>
    /// When the failing tests ran, in milliseconds since 1970.
    package var window: ClosedRange<Int64>?

    package init(words: Set<String> = [], window: ClosedRange<Int64>? = nil) {
        self.words = words
        self.window = window
    }

    /// - Parameter texts: names and messages of failing tests; short and everyday words are left out.
    package init(about texts: some Sequence<String>, window: ClosedRange<Int64>? = nil) {
        var words: Set<String> = []
        for text in texts {
            for word in text.prefix(4000).lowercased().split(whereSeparator: { !$0.isLetter }) where word.count >= 4 {
                if words.count < 400 { words.insert(String(word)) }
            }
        }
        self.init(words: words.subtracting(LogContext.everyday), window: window)
    }

    private static let everyday: Set<String> = [
        "test", "tests", "error", "assert", "assertionerror", "expected", "failed", "failure", "true", "false", "none",
        "null", "with", "from", "that", "this", "have", "when", "then", "after", "before", "should", "must", "does",
        "http", "https", "json", "class", "self", "where", "equal", "equals", "actual", "status", "code", "line",
        "file", "python", "call", "value", "response", "request", "get", "post", "info", "conftest", "localhost",
    ]

    func mentions(_ template: LogTemplate) -> Bool {
        guard !words.isEmpty else { return false }
        return template.text.lowercased().split(whereSeparator: { !$0.isLetter }).contains {
            words.contains(String($0))
        }
    }
}

package enum LogComparison {
    /// The changes from `before`, the most telling first. `now` must have been mined knowing the templates of `before`.
    ///
    /// - Parameter isPart: `before` is of fewer tests than `now`: that a harmless kind is missing in it says nothing.
    package static func changes(
        _ now: LogProfile, before: LogProfile?, isPart: Bool = false, context: LogContext = LogContext(),
        limit: Int = 20
    ) -> [LogChange] {
        var changes: [LogChange] = []
        let ratios = before.map { Ratios(now, $0) }
        for template in now.templates {
            guard let change = change(template, ratios, of: now.templates.count) else { continue }
            if isPart, change.kind == .new, !isBad(template) { continue }
            var scored = change
            scored.score = score(change, context)
            changes.append(scored)
        }
        changes.sort {
            ($1.score, $0.template.file, $0.template.firstLine) < ($0.score, $1.template.file, $1.template.firstLine)
        }
        return Array(changes.prefix(limit))
    }

    private static let level = 0.01

    private static func change(_ template: LogTemplate, _ ratios: Ratios?, of kinds: Int) -> LogChange? {
        guard let ratios else {
            return isBad(template)
                ? LogChange(kind: .bad, template: template, expected: 0, probability: 1, score: 0) : nil
        }
        guard let before = template.countBefore, before > 0 else {
            return LogChange(kind: .new, template: template, expected: 0, probability: 1, score: 0)
        }
        let ratio = ratios.of(template.source)
        let expected = Double(before) * ratio
        let probability = tail(template.count, before, ratio)
        guard probability < level / Double(max(1, kinds)), Double(template.count) >= 2 * expected else { return nil }
        return LogChange(kind: .grown, template: template, expected: expected, probability: probability, score: 0)
    }

    /// By level, exception, words, or the status of a refused request.
    private static func isBad(_ template: LogTemplate) -> Bool {
        (template.severity ?? .debug) >= .warn || template.exception != nil || BadWords.count(template) > 0
            || template.template.contains("status=4")
    }

    /// A bound on the probability of `now` and more, given `now + before`, where the rates are as `ratio`.
    static func tail(_ now: Int, _ before: Int, _ ratio: Double) -> Double {
        let total = Double(now + before)
        let (share, null) = (Double(now) / total, ratio / (1 + ratio))
        guard share > null else { return 1 }
        var divergence = share * RealMath.log(share / null)
        if share < 1 { divergence += (1 - share) * RealMath.log((1 - share) / (1 - null)) }
        return RealMath.exp(-total * divergence)
    }

    private static func score(_ change: LogChange, _ context: LogContext) -> Double {
        let template = change.template
        var score: Double
        switch template.severity {
        case .fatal: score = 4
        case .error: score = 3
        case .warn: score = 1.5
        case nil: score = 0.6
        case .info: score = 0.4
        case .debug: score = 0.1
        }
        if template.exception != nil { score += 1.5 }
        score += min(1, 0.5 * Double(BadWords.count(template)))
        switch change.kind {
        case .new: score += 1.5
        case .grown:
            let growth = Double(template.count) / max(1, change.expected)
            score += min(1.5, 0.3 * RealMath.log(growth) / RealMath.log(2))
        case .bad: break
        }
        if context.mentions(template) { score += 1 }
        if let window = context.window, let first = template.firstTime, let last = template.lastTime {
            score += first <= window.upperBound && last >= window.lowerBound ? 0.5 : -0.5
        }
        return score
    }
}

/// How much larger one log is than another, by source.
private struct Ratios {
    private var bySource: [String: Double] = [:]
    private var overall: Double

    init(_ now: LogProfile, _ before: LogProfile) {
        var shared: [String: [LogTemplate]] = [:]
        for template in now.templates where (template.countBefore ?? 0) > 0 {
            shared[template.source, default: []].append(template)
        }
        overall = Ratios.ratio(shared.values.flatMap { $0 }) ?? 1
        for (source, templates) in shared {
            if let ratio = Ratios.ratio(templates) { bySource[source] = ratio }
        }
    }

    func of(_ source: String) -> Double { bySource[source] ?? overall }

    /// The median, each kind weighing as much as the other; nil where too few are counted often enough to tell.
    private static func ratio(_ templates: [LogTemplate]) -> Double? {
        let often = templates.filter { $0.count + ($0.countBefore ?? 0) >= 10 }
        guard often.count >= 3 else { return nil }
        let ratios = often.map { Double($0.count) / Double($0.countBefore ?? 1) }.sorted()
        return ratios[ratios.count / 2]
    }
}

/// Words that name what is bad, whatever the level of the line.
enum BadWords {
    private static let words: Set<String> = [
        "error", "errors", "fail", "failed", "failing", "failure", "fatal", "exception", "panic", "crash", "crashed",
        "refused", "denied", "rejected", "timeout", "timed", "expired", "invalid", "unavailable", "unhealthy",
        "unreachable", "corrupt", "corrupted", "exceeded", "exhausted", "killed", "aborted", "unable", "cannot",
        "forbidden", "unauthorized", "traceback", "deadlock", "overflow", "undefined", "mismatch", "locked", "dropped",
    ]

    static func count(_ template: LogTemplate) -> Int {
        template.text.lowercased().split(whereSeparator: { !$0.isLetter }).reduce(0) {
            $0 + (words.contains(String($1)) ? 1 : 0)
        }
    }
}
