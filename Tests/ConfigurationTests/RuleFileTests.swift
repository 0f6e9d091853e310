// SPDX-License-Identifier: Apache-2.0
// Rule files of triage: the built-in one, what extends it, and what is wrong with others.

import Domain
import Testing

@testable import Configuration

struct RuleFileTests {
    private func problems(_ text: String) -> [String] {
        if case .failure(let found) = RuleFile.load(bytes: Array(text.utf8), file: "more.json") {
            found.problems.map(\.description)
        } else {
            []
        }
    }

    @Test func `the built-in rules have no problem`() throws {
        let rules = try RuleFile.load(bytes: Array(RuleFile.builtInText.utf8), file: "built-in").get()
        #expect(rules == RuleFile.builtIn)
        #expect(rules.rules.count > 40)
        #expect(Set(rules.prior.keys) == Set(Domain.Category.allCases))
        for (kind, chances) in rules.shows {
            #expect(Set(chances.keys) == Set(Domain.Category.allCases), "\(kind) must speak of all categories")
        }
        for rule in rules.rules {
            #expect(!rule.weights.isEmpty, "\(rule.name) speaks of nothing")
            #expect(rule.words.allSatisfy { $0 == $0.lowercased() }, "\(rule.name): letter case")
        }
    }

    /// A sign that no rule asks about is not worth its line; `passes-on-green` and `fails-again` are for user rules.
    @Test func `every sign has its words`() {
        for sign in TriageSign.allCases {
            #expect(!sign.meaning.isEmpty && !sign.meaning.hasSuffix("."), "\(sign.rawValue)")
        }
    }

    @Test func `a user's file adds rules, and replaces those of the same name`() throws {
        let text = """
            { prior: { network: 9 }, shows: { again: { network: 0.5 } }, rules: [
              { name: "vpn", says: "the VPN is down", words: ["VPN Tunnel"], in: ["log"], for: { network: 3 } },
              { name: "slow", says: "other", when: ["slow"], for: { transient: -1 } } ] }
            """
        let more = try RuleFile.load(bytes: Array(text.utf8), file: "more.json").get()
        let all = RuleFile.builtIn.extended(by: more)
        #expect(all.rules.count == RuleFile.builtIn.rules.count + 1)
        #expect(all.rules.last?.words == ["vpn tunnel"])
        #expect(all.rules.first { $0.name == "slow" }?.weights == [.transient: -1])
        #expect(all.prior[.network] == 9 && all.prior[.codeRegression] == RuleFile.builtIn.prior[.codeRegression])
        #expect(all.shows[.again]?[.network] == 0.5)
    }

    @Test func `a list stands for its words, and a user's words for one that is built in count wherever it is used`() throws {
        let text = """
            { lists: { full: ["Tenant quota reached"], vpn: ["tunnel lost"] }, rules: [
              { name: "vpn", says: "the VPN is down", words: ["@vpn", "ipsec"], for: { network: 3 } } ] }
            """
        let more = try RuleFile.load(bytes: Array(text.utf8), file: "more.json").get()
        #expect(more.rules.first?.words == ["ipsec", "tunnel lost"])
        let all = RuleFile.builtIn.extended(by: more)
        let users = RuleFile.builtIn.rules.filter { $0.lists.contains("full") }.map(\.name)
        #expect(users.count >= 3)
        for rule in all.rules {
            #expect(rule.words.contains("tenant quota reached") == users.contains(rule.name), "\(rule.name)")
            #expect(rule.words.allSatisfy { !$0.hasPrefix("@") }, "\(rule.name)")
        }
        #expect(all.lists["full"]?.last == "tenant quota reached")
    }

    @Test(arguments: [
        (
            #"{ rules: [{ name: "a", says: "b", words: ["@fll"], for: {} }] }"#, "rules[0].words[0]",
            "did you mean @full?"
        ),
        (#"{ rules: [{ name: "a", says: "b", when: ["slwo"], for: {} }] }"#, "rules[0].when[0]", "did you mean slow?"),
        (
            #"{ rules: [{ name: "a", says: "b", when: ["slow"], for: { netwrk: 1 } }] }"#, "rules[0].for.netwrk",
            "network"
        ),
        (
            #"{ rules: [{ name: "a", says: "b", when: ["slow"], for: { network: 11 } }] }"#, "rules[0].for.network",
            "-10 to 10"
        ),
        (#"{ rules: [{ name: "a", says: "b", for: { network: 1 } }] }"#, "rules[0]", "when, words, files"),
        (#"{ rules: [{ says: "b", when: ["slow"], for: {} }] }"#, "rules[0].name", "missing"),
        (
            #"{ rules: [{ name: "a", says: "b", when: ["slow"], for: {} }, { name: "a", says: "b", when: ["slow"], for: {} }] }"#,
            "rules[1].name", "twice"
        ),
        (#"{ rules: [{ name: "a", says: "b", words: ["x"], in: ["logs"], for: {} }] }"#, "rules[0].in[0]", "log"),
        (#"{ shows: { bisect: {} } }"#, "shows.bisect", "unknown key"),
        ("{ rules: ", "more.json:1", ""),
    ])
    func `what is wrong is said with its place and what is allowed`(_ text: String, _ path: String, _ hint: String) {
        let found = problems(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(path) == true && found.first?.contains(hint) == true, "\(found)")
    }

    @Test func `the problems of a rule file are problems of the configuration`() {
        let text = minimal(#"triage: { rules: ["rules.json", "gone.json"] }"#)
        let loaded = SettingsFile.load(bytes: Array(text.utf8), path: "/srv/app/nightjar.json5", now: today) { path in
            path == "/srv/app/rules.json" ? Array(#"{ rule: [] }"#.utf8) : nil
        }
        guard case .failure(let found) = loaded else {
            Issue.record("loaded in spite of its rule files")
            return
        }
        #expect(found.problems.map(\.file) == ["nightjar.json5", "rules.json"])
        #expect(found.problems.first?.path == "triage.rules[1]")
    }
}
