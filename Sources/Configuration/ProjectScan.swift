// SPDX-License-Identifier: Apache-2.0
// What `init` writes: a first configuration from what lies in a folder, where every guess says why it was made.

/// What of a folder is looked at.
package struct FolderListing: Sendable {
    /// The folder's own name.
    package var name: String
    /// Files and folders relative to it, two levels deep; folders end with `/`.
    package var entries: Set<String>
    /// The text of a small file, where it can be read.
    package var contents: @Sendable (String) -> String?

    package init(name: String, entries: Set<String>, contents: @escaping @Sendable (String) -> String?) {
        self.name = name
        self.entries = entries
        self.contents = contents
    }

    func has(_ entry: String) -> Bool { entries.contains(entry) }

    /// The first entry, by name, that fits.
    func first(where fits: (String) -> Bool) -> String? { entries.sorted().first(where: fits) }
}

/// One recognized thing: text for the file, with its reason in front.
struct ScanGuess {
    var because: String
    var lines: [String]
}

/// Recognizes how a project is tested and deployed.
package enum ProjectScan {
    /// The text of a `nightjar.json5` for the folder, in mode observe. It loads as it is.
    package static func configuration(for listing: FolderListing) -> String {
        let suites = SuiteGuesses.all(in: listing)
        let name = fileName(listing.name)
        var text = header(name, recognized: !suites.isEmpty)
        text += repository(listing)
        text += deploy(listing)
        text += health(listing)
        text += "  suites: [\n"
        for guess in suites.isEmpty ? [SuiteGuesses.unknown] : suites { text += indented(guess, by: 4) }
        text += "  ],\n"
        return text + "}\n"
    }

    /// A name made of what names may be made of.
    static func fileName(_ name: String) -> String {
        let mapped = name.unicodeScalars.map { scalar -> Character in
            let plain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            return plain || "._-".unicodeScalars.contains(scalar) ? Character(scalar) : "-"
        }
        let trimmed = String(mapped.drop { "._-".contains($0) }.prefix(64))
        return trimmed.isEmpty ? "loop" : trimmed
    }

    private static func header(_ name: String, recognized: Bool) -> String {
        """
        // Written by `nightjar init`. Every guess says why it was made: read them, then run `nightjar check`.
        {
          loop: {
            name: "\(name)",  // the folder's name
            // observe deploys nothing: it tests what is there and says what it would have done.
            // verify waits for revisions that others deploy, operate deploys.
            mode: "observe",
          },
          schedule: {
            every: "10m",  // pause between two cycles
            // window: { from: "22:00", to: "06:00", timeZone: "Europe/Berlin", days: ["mon", "tue", "wed", "thu", "fri"] },
          },

        """
    }

    private static func repository(_ listing: FolderListing) -> String {
        guard listing.has(".git/") || listing.has(".git") else { return "" }
        return indented(
            ScanGuess(
                because: "there is a git repository here; name the branch that is wanted live",
                lines: ["repository: { path: \".\", ref: \"main\" },"]), by: 2)
    }

    private static func deploy(_ listing: FolderListing) -> String {
        guard let guess = deployGuess(listing) else {
            return indented(
                ScanGuess(
                    because: "nothing that deploys was recognized; mode operate needs it",
                    lines: ["// deploy: { command: [\"./deploy.sh\", \"{revision}\"], timeout: \"30m\" },"]), by: 2)
        }
        return indented(guess, by: 2)
    }

    private static func deployGuess(_ listing: FolderListing) -> ScanGuess? {
        let isScript = { (entry: String) in
            let file = entry.split(separator: "/").last ?? ""
            return !entry.hasSuffix("/") && (file == "deploy" || file.hasPrefix("deploy.") || file.hasPrefix("deploy-"))
                && (!entry.contains("/") || entry.hasPrefix("scripts/") || entry.hasPrefix("bin/"))
                && (file == "deploy" || [".sh", ".py", ".rb", ".js"].contains(where: file.hasSuffix))
        }
        if let script = listing.has("deploy.sh") ? "deploy.sh" : listing.first(where: isScript) {
            return ScanGuess(
                because:
                    "there is \(SuiteGuesses.plain(script)); not run in mode observe. See whether it takes the revision as its argument",
                lines: ["deploy: { command: [\(quoted("./" + script)), \"{revision}\"], timeout: \"30m\" },"])
        }
        if let makefile = ["GNUmakefile", "Makefile", "makefile"].first(where: listing.has),
            listing.contents(makefile)?.split(separator: "\n").contains(where: { $0.hasPrefix("deploy:") }) ?? false
        {
            return ScanGuess(
                because: "\(makefile) has a target deploy; not run in mode observe",
                lines: ["deploy: { command: [\"make\", \"deploy\", \"REVISION={revision}\"], timeout: \"30m\" },"])
        }
        guard let compose = composeFile(listing) else { return nil }
        return ScanGuess(
            because: "there is \(compose); not run in mode observe. It deploys the files of the revision's worktree",
            lines: [
                "deploy: {",
                "  command: [\"docker\", \"compose\", \"--file\", \(quoted(compose)), \"up\", \"--detach\", \"--build\", "
                    + "\"--wait\"],",
                "  timeout: \"30m\",",
                "  logs: [\"docker\", \"compose\", \"--file\", \(quoted(compose)), \"logs\", \"--since\", \"{stageStart}\"],",
                "},",
            ])
    }

    private static func composeFile(_ listing: FolderListing) -> String? {
        ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"].first(where: listing.has)
    }

    private static func health(_ listing: FolderListing) -> String {
        let port = composeFile(listing).flatMap(listing.contents).flatMap(publishedPort)
        let example = "http://localhost:\(port ?? 8080)/health"
        let reason = port.map { "the compose file publishes port \($0); fill in what answers there" }
        return indented(
            ScanGuess(
                because: reason ?? "nothing here tells where the environment answers; fill it in",
                lines: [
                    "health: {",
                    "  // checks: [{ http: \"\(example)\", expect: { status: 200 } }],",
                    "  // liveRevision: { http: \"\(example)\", pointer: \"/revision\" },  // proves what runs",
                    "},",
                ]), by: 2)
    }

    /// The host's port of the first `- "8080:80"` of a compose file.
    static func publishedPort(_ compose: String) -> Int? {
        for line in compose.split(separator: "\n") {
            let words = line.split { " -\"'\t".contains($0) }
            guard line.contains("-"), words.count == 1, let word = words.first else { continue }
            let numbers = word.split(separator: ":").map { Int($0) }
            if numbers.count == 2, let port = numbers[0], numbers[1] != nil, (1...65_535).contains(port) { return port }
        }
        return nil
    }

    private static func indented(_ guess: ScanGuess, by count: Int) -> String {
        let space = String(repeating: " ", count: count)
        return (["// Guessed: \(guess.because)."] + guess.lines).map { space + $0 + "\n" }.joined()
    }

    /// A text of the folder as JSON; its control characters are escaped.
    static func quoted(_ text: String) -> String { text.jsonQuoted }
}
