// SPDX-License-Identifier: Apache-2.0
// Suites: their commands, what their tools write, and what follows from the command.

package import Domain

extension SettingsDecoder {
    func suite(_ section: Section) -> SuiteSettings {
        let main = place(section)
        let name = section.text("name") ?? ""
        let priority = section.text("priority").flatMap { Int($0.dropFirst()) } ?? 1
        let command = command(section, "command", main, role: .suite) ?? .standIn
        let blocks = Derived(value: priority <= 1, because: "priority P\(priority)")
        var suite = SuiteSettings(
            name: name, priority: priority, value: section.amount("value"), command: command,
            blocking: section.flag("blocking", or: blocks) ?? blocks.value)
        suite.select = self.command(section, "select", main, role: .select)
        suite.collect = self.command(section, "collect", main.limited(.seconds(300)), role: .suite)
        suite.before = self.command(section, "before", main.limited(.seconds(600)), role: .suite)
        suite.after = self.command(section, "after", main.limited(.seconds(600)), role: .suite)
        suite.testTimeout = section.duration("testTimeout")
        readReport(section, into: &suite)
        suite.artifacts = section.texts("artifacts")
        suite.capabilities = sections(section, "capabilities", KeyTable.capability).map(capability)
        suite.owner = section.text("owner")
        suite.impact = section.text("impact")
        suite.real = section.flag("real") ?? false
        suite.exitCodes = section.integers("exitCodes")
        suite.allowAllSkipped = section.flag("allowAllSkipped") ?? false
        suite.leavesServices = section.flag("leavesServices") ?? false
        suite.failFast = section.flag("failFast") ?? false
        suite.attempts = section.integer("attempts") ?? 1
        suite.repository = section.section("repository", KeyTable.testRepository).map { section in
            RepositorySettings(
                path: resolve(section.text("path") ?? ""), ref: section.text("ref") ?? "main",
                fetch: section.flag("fetch") ?? false)
        }
        suite.worktree = section.flag("worktree") ?? false
        return suite
    }

    private func capability(_ section: Section) -> CapabilitySettings {
        CapabilitySettings(
            name: section.text("name") ?? "", tests: section.text("tests") ?? "", value: section.amount("value"),
            steps: section.texts("steps"))
    }

    private func readReport(_ section: Section, into suite: inout SuiteSettings) {
        let told = ConsoleFormat.told(by: suite.command)
        let report = section.sectionOrDefaults("report", KeyTable.report)
        let format = Derived(
            value: told == .goTestJSON ? ReportFormat.goTestJSON : .junit,
            because: told == .goTestJSON ? "the command is go test -json" : "most tools write it")
        suite.reportFormat = report.choice("format", ReportFormat.self, or: format) ?? format.value
        suite.reportPath = report.text("path")
        let console: Derived<ConsoleFormat>
        switch suite.reportFormat {
        case .tap where suite.reportPath == nil && !suite.command.mentions("report"):
            console = Derived(value: .tap, because: "the report is on the console")
        case .goTestJSON where suite.reportPath == nil && !suite.command.mentions("report"):
            console = Derived(value: .goTestJSON, because: "the report is on the console")
        default: console = Derived(value: told, because: told == .none ? "the command is not known" : "the command")
        }
        suite.console = section.choice("console", ConsoleFormat.self, or: console) ?? console.value
    }
}

extension ConsoleFormat {
    /// How a command will speak, from its words. Runners before the tool (`uv run`, `env`) do not matter.
    static func told(by command: CommandSettings) -> ConsoleFormat {
        let text = command.isShell ? command.arguments.suffix(1) : command.arguments[...]
        let words = text.flatMap { command.isShell ? $0.split(whereSeparator: \.isWhitespace) : [Substring($0)] }
            .map { $0.split(separator: "/").last.map(String.init) ?? "" }
        if words.contains("pytest") || words.contains("py.test") { return .pytest }
        let pairs = Array(zip(words, words.dropFirst()))
        if pairs.contains(where: { $0 == ("go", "test") }), words.contains("-json") { return .goTestJSON }
        if pairs.contains(where: { $0 == ("swift", "test") }) { return .swiftTesting }
        return .none
    }
}

extension CommandSettings {
    /// Whether a placeholder stands in one of the arguments.
    package func mentions(_ placeholder: String) -> Bool {
        arguments.contains { argument in Placeholders.uses(in: argument).contains { $0.name == placeholder } }
    }
}
