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
        case .dataState: return mentioned ?? "database"
        case .resourceExhaustion: return account.suspicion.ailing(account.facts).component ?? "host"
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
        for record in facts.records {
            for service in record.live?.services ?? [] { add(service.name) }
            for service in record.services { add(service.name) }
            let ailing = Ailing(record)
            for name in ailing.unreachable + ailing.dependencies + ailing.unwell { add(name) }
        }
        for finding in facts.logs { add(finding.source) }
        return found
    }

    /// The one known name that the failures, or else the new errors in the logs, are about.
    private var mentioned: String? {
        let messages = account.suspicion.results.prefix(20).compactMap(\.message)
        if let name = single(in: messages) { return name }
        let findings = account.facts.logs.filter(Signs.isTelling)
        return single(in: findings.map(\.reference.excerpt))
    }

    /// The name that is mentioned as a whole word in most texts, where no other is mentioned as often.
    private func single(in texts: [String]) -> String? {
        var counts: [String: Int] = [:]
        for text in texts {
            // The names of the statuses 502 and 504 are no service.
            let text = text.lowercased().replacing("bad gateway", with: "").replacing("gateway timeout", with: "")
            let words = Set(text.split { !$0.isLetter && !$0.isNumber }.map(String.init))
            for name in Components.names(account.facts) where words.contains(name) { counts[name, default: 0] += 1 }
        }
        guard let most = counts.values.max() else { return nil }
        let best = counts.filter { $0.value == most }.keys
        return best.count == 1 ? best.first : nil
    }
}
