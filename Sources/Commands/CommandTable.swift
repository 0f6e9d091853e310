// SPDX-License-Identifier: Apache-2.0
// All commands there are, in the order in which help lists them.

enum CommandTable {
    struct Group: Sendable {
        var title: String
        var commands: [any Command.Type]
    }

    static let groups: [Group] = [
        Group(title: "begin", commands: [DemoCommand.self, InitCommand.self, CheckCommand.self]),
        Group(title: "run", commands: [RunCommand.self, OnceCommand.self]),
        Group(
            title: "look",
            commands: [
                StatusCommand.self, ProbeCommand.self, TailCommand.self, CyclesCommand.self, ShowCommand.self,
                WhyCommand.self,
                ReportCommand.self, RulesCommand.self, FlakesCommand.self, ServeCommand.self,
            ]),
        Group(
            title: "decide",
            commands: [
                GateCommand.self, BisectCommand.self, VerifyCommand.self, KeepCommand.self, AcceptBaselineCommand.self,
            ]),
        Group(title: "break on purpose", commands: [ResilienceCommand.self, LoadCommand.self, ProxyCommand.self]),
        Group(
            title: "steer a running daemon",
            commands: [
                PauseCommand.self, ResumeCommand.self, TriggerCommand.self, AcknowledgeCommand.self,
                ApproveCommand.self, RejectCommand.self, SkipCommand.self, AbortCommand.self, StopCommand.self,
            ]),
        Group(
            title: "more",
            commands: [SchemaCommand.self, CompletionsCommand.self, VersionCommand.self, HelpCommand.self]),
    ]

    static var all: [any Command.Type] { groups.flatMap(\.commands) }

    static func command(named name: String) -> (any Command.Type)? { all.first { $0.description.name == name } }
}
