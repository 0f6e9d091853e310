// SPDX-License-Identifier: Apache-2.0
// How well-known test tools are run so that they write a report that can be read.

enum SuiteGuesses {
    /// A suite for each tool that is recognized.
    static func all(in listing: FolderListing) -> [ScanGuess] {
        [pytest(listing), swift(listing), go(listing), node(listing), maven(listing)].compactMap(\.self)
    }

    /// Loads, and fails when it is run: a placeholder must never look like a pass.
    static let unknown = ScanGuess(
        because: "nothing was recognized; this fails until it runs your tests and writes JUnit XML to {report}",
        lines: [
            "{ name: \"tests\", priority: \"P1\", command: [\"./run-tests\", \"{report}\"],",
            "  real: true },  // held to what a run against staging takes; false for tests that talk to no service",
        ])

    private static func pytest(_ listing: FolderListing) -> ScanGuess? {
        guard let sign = pytestSign(listing) else { return nil }
        var tool = ["pytest"]
        var because = sign
        if listing.has("uv.lock") {
            tool = ["uv", "run", "pytest"]
            because += "; uv.lock says that uv runs it"
        } else if listing.has("poetry.lock") {
            tool = ["poetry", "run", "pytest"]
            because += "; poetry.lock says that poetry runs it"
        }
        return ScanGuess(
            because: because,
            lines: suite(
                "pytest", command: tool + ["-v", "--junitxml={report}"],
                select: tool + ["-v", "--junitxml={report}", "{tests}"], collect: tool + ["--collect-only", "-q"]))
    }

    private static func pytestSign(_ listing: FolderListing) -> String? {
        if listing.has("pytest.ini") { return "there is pytest.ini" }
        if listing.contents("pyproject.toml")?.contains("[tool.pytest") ?? false {
            return "pyproject.toml has a section [tool.pytest]"
        }
        if let file = listing.first(where: { $0 == "conftest.py" || $0.hasSuffix("/conftest.py") }) {
            return "there is \(plain(file))"
        }
        let isTest = { (entry: String) in
            let file = entry.split(separator: "/").last ?? ""
            return file.hasSuffix(".py") && (file.hasPrefix("test_") || file.hasSuffix("_test.py"))
        }
        return listing.first(where: isTest).map { "there is \(plain($0))" }
    }

    private static func swift(_ listing: FolderListing) -> ScanGuess? {
        guard listing.has("Package.swift") else { return nil }
        let command = ["swift", "test", "--xunit-output", ".build/nightjar.xml"]
        return ScanGuess(
            because: "there is Package.swift; swift test writes .build/nightjar.xml for XCTest and "
                + ".build/nightjar-swift-testing.xml for Swift Testing",
            lines: suite(
                "swift", command: command, select: command + ["--filter", "{testsRegex}"],
                collect: ["swift", "test", "list"],
                more: ["report: { format: \"junit\", path: \".build/nightjar*.xml\" },"]))
    }

    private static func go(_ listing: FolderListing) -> ScanGuess? {
        guard listing.has("go.mod") else { return nil }
        let tool = ["go", "test", "-json", "-count=1"]
        return ScanGuess(
            because: "there is go.mod; -count=1 keeps go from answering out of its cache",
            lines: suite(
                "go", command: tool + ["./..."], select: tool + ["-run", "{testsRegex}", "./..."],
                more: ["report: { format: \"go-test-json\" },"]))
    }

    private static func maven(_ listing: FolderListing) -> ScanGuess? {
        guard listing.has("pom.xml") else { return nil }
        let tool = listing.has("mvnw") ? "./mvnw" : "mvn"
        return ScanGuess(
            because: "there is pom.xml; surefire writes its reports to target/surefire-reports",
            lines: suite(
                "maven", command: [tool, "--batch-mode", "test"],
                more: ["report: { format: \"junit\", path: \"target/surefire-reports/TEST-*.xml\" },"]))
    }

    private static func node(_ listing: FolderListing) -> ScanGuess? {
        guard let package = listing.contents("package.json"),
            case .value(let value) = JSON5Parser.parse(Array(package.utf8)),
            let script = value["scripts"]?["test"]?.textValue, !script.contains("no test specified")
        else { return nil }
        let because = "package.json has a test script"
        for (word, tool, command, note) in nodeTools where script.contains(word) {
            return ScanGuess(because: "\(because) that uses \(tool)" + note, lines: suite(tool, command: command))
        }
        return ScanGuess(
            because: "\(because) of an unknown tool: make it write JUnit XML to junit.xml",
            lines: suite(
                "npm", command: ["npm", "test"], more: ["report: { format: \"junit\", path: \"junit.xml\" },"]))
    }

    /// Word of the script, tool, command, and what must be known about it.
    private static let nodeTools: [(String, String, [String], String)] = [
        (
            "playwright", "playwright",
            ["env", "PLAYWRIGHT_JUNIT_OUTPUT_NAME={report}", "npx", "playwright", "test", "--reporter=list,junit"], ""
        ),
        (
            "vitest", "vitest",
            ["npx", "vitest", "run", "--reporter=default", "--reporter=junit", "--outputFile.junit={report}"], ""
        ),
        (
            "jest", "jest",
            [
                "env", "JEST_JUNIT_OUTPUT_FILE={report}", "npx", "jest", "--ci", "--reporters=default",
                "--reporters=jest-junit",
            ], "; it needs the package jest-junit for its report"
        ),
        (
            "mocha", "mocha", ["npx", "mocha", "--reporter", "xunit", "--reporter-option", "output={report}"], ""
        ),
        (
            "node --test", "node",
            ["node", "--test", "--test-reporter=junit", "--test-reporter-destination={report}"], ""
        ),
    ]

    private static func suite(
        _ name: String, command: [String], select: [String]? = nil, collect: [String]? = nil, more: [String] = []
    ) -> [String] {
        var lines = [
            "{", "  name: \(name.jsonQuoted),", "  priority: \"P1\",  // P0 and P1 block a release",
            "  command: \(jsonList(command)),",
        ]
        lines.append(
            "  real: true,  // held to what a run against staging takes; false for tests that talk to no service")
        if let select { lines.append("  select: \(jsonList(select)),  // runs some tests alone") }
        if let collect { lines.append("  collect: \(jsonList(collect)),  // prints what would run") }
        lines += more.map { "  " + $0 }
        return lines + ["},"]
    }

    /// A file name inside a comment: a line end in it must not end the comment.
    static func plain(_ name: String) -> String { String(name.jsonQuoted.dropFirst().dropLast()) }
}
