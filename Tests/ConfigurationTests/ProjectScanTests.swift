// SPDX-License-Identifier: Apache-2.0
// What `init` writes for each kind of project: it loads, and it is what the folder speaks for.

import Domain
import Testing

@testable import Configuration

struct ProjectScanTests {
    private func scan(_ files: [String: String], folder: String = "shop") -> String {
        ProjectScan.configuration(
            for: FolderListing(name: folder, entries: Set(files.keys), contents: { files[$0] }))
    }

    static let kinds: [(files: [String: String], arguments: [String], format: ReportFormat, path: String?)] = [
        (["pytest.ini": ""], ["pytest", "-v", "--junitxml={report}"], .junit, nil),
        (
            ["pyproject.toml": "[tool.pytest.ini_options]", "uv.lock": ""],
            ["uv", "run", "pytest", "-v", "--junitxml={report}"], .junit, nil
        ),
        (
            ["tests/conftest.py": "", "poetry.lock": ""], ["poetry", "run", "pytest", "-v", "--junitxml={report}"],
            .junit, nil
        ),
        (["tests/test_a.py": "", "tests/": ""], ["pytest", "-v", "--junitxml={report}"], .junit, nil),
        (
            ["Package.swift": ""], ["swift", "test", "--xunit-output", ".build/nightjar.xml"], .junit,
            ".build/nightjar*.xml"
        ),
        (["go.mod": "module a"], ["go", "test", "-json", "-count=1", "./..."], .goTestJSON, nil),
        (
            ["pom.xml": "", "mvnw": ""], ["./mvnw", "--batch-mode", "test"], .junit,
            "target/surefire-reports/TEST-*.xml"
        ),
        (
            ["package.json": #"{"scripts":{"test":"vitest"}}"#],
            ["npx", "vitest", "run", "--reporter=default", "--reporter=junit", "--outputFile.junit={report}"], .junit,
            nil
        ),
        (["package.json": #"{"scripts":{"test":"make check"}}"#], ["npm", "test"], .junit, "junit.xml"),
        (
            ["package.json": #"{"scripts":{"test":"mocha"}}"#],
            ["npx", "mocha", "--reporter", "xunit", "--reporter-option", "output={report}"], .junit, nil
        ),
        (
            ["package.json": #"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#],
            ["./run-tests", "{report}"], .junit, nil
        ),
        (["package.json": "broken"], ["./run-tests", "{report}"], .junit, nil),
        ([:], ["./run-tests", "{report}"], .junit, nil),
    ]

    @Test(arguments: kinds.indices)
    func `each kind of project gets a suite that loads`(index: Int) throws {
        let kind = Self.kinds[index]
        let settings = try loaded(scan(kind.files)).settings
        #expect(settings.mode == .observe && settings.name == "shop" && settings.deploy == nil)
        #expect(settings.suites.map(\.command.arguments) == [kind.arguments])
        #expect(settings.suites.map(\.reportFormat) == [kind.format])
        #expect(settings.suites.map(\.reportPath) == [kind.path])
        #expect(settings.suites.map(\.real) == [true])
    }

    static let deploys: [(files: [String: String], arguments: [String]?)] = [
        (["deploy.sh": ""], ["./deploy.sh", "{revision}"]),
        (["scripts/deploy-staging.sh": "", "scripts/deploy.md": ""], ["./scripts/deploy-staging.sh", "{revision}"]),
        (["bin/deploy": ""], ["./bin/deploy", "{revision}"]),
        (["Makefile": "all:\n\ndeploy: build\n"], ["make", "deploy", "REVISION={revision}"]),
        (["Makefile": "all:\n"], nil), (["docs/deploy.sh": "", "deploy/": ""], nil),
        (
            ["compose.yaml": "services:\n  a:\n    ports:\n      - \"8088:80\"\n"],
            ["docker", "compose", "--file", "compose.yaml", "up", "--detach", "--build", "--wait"]
        ),
    ]

    @Test(arguments: deploys.indices)
    func `ways to deploy are found`(index: Int) throws {
        let text = scan(Self.deploys[index].files)
        #expect(try loaded(text).settings.deploy?.command.arguments == Self.deploys[index].arguments)
        #expect(
            text.contains("http://localhost:\(Self.deploys[index].files["compose.yaml"] == nil ? 8080 : 8088)/health"))
    }

    @Test func `several tools in one folder are several suites, each with its reason`() throws {
        var files: [String: String] = [".git/": "", "deploy.sh": "", "compose.yml": ""]
        for kind in Self.kinds.prefix(8) { files.merge(kind.files) { $1 } }
        let text = scan(files)
        let settings = try loaded(text).settings
        #expect(settings.suites.map(\.name) == ["pytest", "swift", "go", "vitest", "maven"])
        #expect(settings.repository?.path == "/srv/app")
        #expect(settings.deploy?.worktree == true)
        #expect(text.split(separator: "\n").filter { $0.contains("// Guessed: ") }.count == 8)
    }

    @Test func `hostile names of files and folders stay text`() throws {
        let text = scan(
            ["tests/\n}],x: {\"\\/conftest.py": "", "scripts/deploy-\"a\n.sh": ""], folder: "../ö b\n\"x\"")
        let settings = try loaded(text).settings
        #expect(settings.name == "b--x-" && settings.suites.map(\.name) == ["pytest"])
        #expect(settings.deploy?.command.arguments.first == "./scripts/deploy-\"a\n.sh")
    }
}
