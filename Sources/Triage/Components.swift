// SPDX-License-Identifier: Apache-2.0
// Which part of the system a diagnosis is about: by the checks that fail, the names that failures and logs mention, and the
// folders that the culprit changed.

import Domain

struct Components {
    let account: Account
    let category: Category

    init(_ account: Account, _ category: Category) {
        self.account = account
        self.category = category
    }

    var component: String? {
        switch category {
        case .fakeEvidence, .testDefect: return "tests"
        case .flakyTest: return account.changedTest == nil ? nil : "tests"
        case .wrongRevision: return "deploy"
        case .deployFailure: return ofCulprit ?? "deploy"
        case .configChange: return account.culprit == nil ? nil : "config"
        case .codeRegression, .performanceRegression: return ofCulprit
        case .dependencyDown, .environmentDown, .transient, .expiredCredential:
            return account.suspicion.ailing(account.facts).component ?? mentioned
        case .dataState: return "database"
        // What runs out without a commit is of the machine, whichever service shows it.
        case .resourceExhaustion: return account.culprit == nil ? "host" : ofCulprit
        case .network: return "network"
        case .unknown: return nil
        }
    }

    /// What the revisions of an experiment share, in words.
    static func shared(_ account: Account) -> String {
        let names = names(account.facts)
        return names.isEmpty
            ? "services, data, configuration and credentials"
            : names.prefix(4).joined(separator: ", ") + ", their data and credentials"
    }

    // MARK: - By the files of the culprit

    /// The one part that the culprit's files belong to; nil where they belong to several.
    private var ofCulprit: String? {
        guard let culprit = account.culprit else { return nil }
        let files = culprit.files.filter { !FileKind.isTest($0) && !FileKind.isDocumentation($0) }
        let names = Set(Components.names(account.facts))
        let parts = Set(files.map { Components.part(of: $0, names) })
        guard parts.count == 1, let part = parts.first else { return nil }
        return part
    }

    private static func part(of path: String, _ names: Set<String>) -> String? {
        if Paths.isMigration(path) { return "database" }
        let folders = path.lowercased().split(separator: "/").dropLast().map(String.init)
        if let service = folders.last(where: names.contains) { return service }
        if Paths.isOfDeployment(path) { return "deploy" }
        if Paths.isConfiguration(path) { return "config" }
        return folders.last { !commonFolders.contains($0) }
    }

    private static let commonFolders: Set<String> = [
        "src", "lib", "app", "apps", "source", "sources", "internal", "pkg", "packages", "services", "cmd", "main",
        "java",
        "python", "common", "shared", "utils", "util", "core",
    ]

    // MARK: - By what is mentioned

    /// The names of services and dependencies that this loop's checks and logs use.
    static func names(_ facts: TriageCase) -> [String] {
        var found: [String] = []
        func add(_ name: String) {
            let name = name.lowercased()
            if name.utf8.count >= 2, !found.contains(name) { found.append(name) }
        }
        for name in facts.parts { add(name) }
        for record in facts.records {
            for service in record.live?.services ?? [] { add(service.name) }
            for service in record.services { add(service.name) }
            let ailing = Ailing(record)
            for name in ailing.unreachable + ailing.dependencies + ailing.unwell { add(name) }
        }
        return found
    }

    /// Services that answered after the tests, while these still failed.
    private static func answering(_ account: Account) -> Set<String> {
        guard account.isOfTests, account.undisturbed.count > 1, account.undisturbed.last == true,
            let look = account.suspicion.lookAfterTests(account.facts), look.outcome == .succeeded
        else { return [] }
        return Set((look.live?.services ?? []).filter { $0.live != nil }.map { $0.name.lowercased() })
    }

    /// What the failing tests say is away, although it answers the loop.
    static func awayButAnswering(_ account: Account) -> String? {
        if case .getsStable = account.suspicion.predicate {
            let ailing = account.suspicion.ailing(account.facts)
            return ailing.dependencies.first(where: ailing.answers)
        }
        guard account.isOfTests, let away = away(account, silence) else { return nil }
        return answering(account).contains(away) ? away : nil
    }

    /// Words of who could not be reached. A status is no such word: whoever sends one is there.
    private static let silence: Set<String> = [
        "unreachable", "refused", "down", "unavailable", "resolve", "connect", "timeout", "reset",
    ]
    private static let statuses: Set<String> = ["502", "503", "504"]

    /// The name that failing messages put beside words of silence: `auth answered 503`, `cannot connect to host auth:9001`,
    /// `upstream backend unreachable`.
    private static func away(_ account: Account, _ signs: Set<String>) -> String? {
        let names = Set(names(account.facts))
        var counts: [String: Int] = [:]
        let messages = (account.suspicion.results.prefix(40) + account.besides.prefix(40)).compactMap(\.message)
        let lines = account.facts.logs.filter(Signs.isTelling).prefix(30).map(\.template)
        for message in messages + lines {
            // The names of the statuses 502 and 504 are no service.
            let text = message.lowercased().replacing("bad gateway", with: "").replacing("gateway timeout", with: "")
            let words = text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
            var mentioned: Set<String> = []
            for (index, word) in words.enumerated() where signs.contains(word) {
                if let name = nearest(names, to: index, in: words) { mentioned.insert(name) }
            }
            for name in mentioned { counts[name, default: 0] += 1 }
        }
        return most(counts)
    }

    /// The name that a word of silence belongs to: the nearest, at most five words away; of two as near the one before it.
    private static func nearest(_ names: Set<String>, to index: Int, in words: [String]) -> String? {
        for distance in 1...5 {
            for place in [index - distance, index + distance] where words.indices.contains(place) {
                if names.contains(words[place]) { return words[place] }
            }
        }
        return nil
    }

    private static func most(_ counts: [String: Int]) -> String? {
        guard let highest = counts.values.max() else { return nil }
        let best = counts.filter { $0.value == highest }.keys
        return best.count == 1 ? best.first : nil
    }

    private static let storage = [
        "database", "sqlite", "postgres", "mysql", "storage_unavailable", "mongodb", "sqlstate",
    ]

    /// What is away by the words of the failures: a named part; the database by its usual words; or else the one dependency
    /// that is neither a service that answers nor the database, which those who use it call by another name.
    private var mentioned: String? {
        let facts = account.facts
        let answering = Components.answering(account)
        if let away = Components.away(account, Components.silence.union(Components.statuses)), !answering.contains(away)
        {
            return away
        }
        let consoles = account.suspicion.failedStages(facts).compactMap { facts.consoles[$0.run.folder]?.excerpt }
        let messages = (account.suspicion.results.prefix(40).compactMap(\.message) + consoles)
            .joined(separator: "\n").lowercased()
        let isOfStorage = Components.storage.contains(where: messages.contains)
        if isOfStorage { return "database" }
        let others = facts.parts.map { $0.lowercased() }.filter { name in
            !answering.contains(name) && !Components.storage.contains(where: name.contains)
        }
        return others.count == 1 && category == .dependencyDown && !messages.isEmpty ? others.first : nil
    }
}
