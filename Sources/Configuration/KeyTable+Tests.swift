// SPDX-License-Identifier: Apache-2.0
// The keys of suites, triage, remedies and of what is kept.

import Domain

extension KeyTable {
    static let suite = ObjectShape(
        name: "suite",
        keys: [
            KeyShape(
                name: "name", shape: .text(.name), isRequired: true, help: "Names the suite in evidence and commands."),
            KeyShape(
                name: "priority", shape: .choice(["P0", "P1", "P2", "P3"]), standard: "\"P1\"",
                help: "How much hangs on it. P0 runs first."),
            KeyShape(
                name: "value", shape: .amount, otherwise: "not counted",
                help: "The business value that the suite guards, in loop.valueUnit."),
            KeyShape(name: "command", shape: .command, isRequired: true, help: "Runs all its tests."),
            KeyShape(
                name: "select", shape: .command, otherwise: "tests cannot be run alone",
                help: "Runs some tests: {tests} becomes one argument per test, {testNames} `a or b`, "
                    + "{testsRegex} `^(a|b)$`."),
            KeyShape(
                name: "collect", shape: .command, otherwise: "not collected",
                help: "Prints the tests that would run, one per line. Timeout 5m."),
            KeyShape(name: "before", shape: .command, help: "Run before the tests. Timeout 10m."),
            KeyShape(
                name: "after", shape: .command,
                help: "Run after the tests, however they ended, and where before failed. Timeout 10m."),
            KeyShape(
                name: "leavesServices", shape: .flag, standard: "false",
                help: "Whether services that before, command or select start in a session of their own may be left "
                    + "running. Otherwise they are ended with the command and reported."),
            KeyShape(
                name: "timeout", shape: .duration(zeroAllowed: false), standard: "\"30m\"",
                help: "Limit of command and select."),
            KeyShape(
                name: "idleTimeout", shape: .duration(zeroAllowed: false), otherwise: "no limit",
                help: "Limit of command and select without output."),
            KeyShape(
                name: "testTimeout", shape: .duration(zeroAllowed: false), otherwise: "no limit",
                help: "Limit of one test, where the console tells when it started."),
            KeyShape(
                name: "repository", shape: .object(testRepository), otherwise: "the tests lie beside the configuration",
                help: "Where the tests live: they run in a clean worktree of it."),
            KeyShape(
                name: "worktree", shape: .flag, standard: "false",
                help: "Whether the tests are those of the revision under test, run in a clean worktree of it. "
                    + "Experiments hold them at the wanted revision while the code varies."),
        ] + place + suiteResults,
        unsupported: ["runner", "roles", "audit", "shards"])

    static let testRepository = ObjectShape(
        name: "test repository",
        keys: [
            KeyShape(name: "path", shape: .text(.path), isRequired: true, help: "Folder of the repository."),
            KeyShape(
                name: "ref", shape: .text(.words), standard: "\"main\"", help: "The branch, tag or commit of the tests."
            ),
            KeyShape(
                name: "fetch", shape: .flag, standard: "false", help: "Whether to fetch from origin before each run."),
        ])

    private static let suiteResults = [
        KeyShape(name: "report", shape: .object(report), help: "What the tool writes about its tests."),
        KeyShape(
            name: "console", shape: .choice(ConsoleFormat.allCases.map(\.rawValue)), otherwise: "told by the command",
            help: "How the tool speaks on its console, for following tests while they run."),
        KeyShape(
            name: "artifacts", shape: .list(.text(.words), atLeast: 0), standard: "[]",
            help: "Globs of files to keep, relative to the working directory."),
        KeyShape(
            name: "capabilities", shape: .list(.object(capability), atLeast: 0), standard: "[]",
            help: "Features that some of the tests prove."),
        KeyShape(name: "owner", shape: .text(.words), otherwise: "nobody", help: "Whom failures concern."),
        KeyShape(
            name: "impact", shape: .text(.words), otherwise: "not said", help: "What breaks for users, in a sentence."),
        KeyShape(
            name: "blocking", shape: .flag, otherwise: "true for P0 and P1",
            help: "Whether failures make the cycle failing."),
        KeyShape(
            name: "real", shape: .flag, standard: "false",
            help:
                "Whether the tests talk to the environment, so that a run that looks as if it had not is doubted. A drop "
                + "in the number of tests is doubted in every suite."),
        KeyShape(
            name: "exitCodes", shape: .list(.integer(1...255), atLeast: 0), standard: "[]",
            help: "Exit statuses that do not contradict a report in which all passed."),
        KeyShape(
            name: "allowAllSkipped", shape: .flag, standard: "false",
            help: "Whether a run that skips all tests is well."),
        KeyShape(
            name: "failFast", shape: .flag, standard: "false",
            help: "Whether the run is ended at the first failure that the console tells of."),
        KeyShape(
            name: "attempts", shape: .integer(1...5), standard: "1",
            help: "How often the suite is run when it ends without a usable result."),
    ]

    static let report = ObjectShape(
        name: "report",
        keys: [
            KeyShape(
                name: "format", shape: .choice(ReportFormat.allCases.map(\.rawValue)),
                otherwise: "told by the command, or junit",
                help: "console: what the console says is the result."),
            KeyShape(
                name: "path", shape: .text(.path), otherwise: "{report} in the command",
                help: "Where the tool writes it when it cannot be told: a glob relative to the working directory."),
        ])

    static let capability = ObjectShape(
        name: "capability",
        keys: [
            KeyShape(name: "name", shape: .text(.words), isRequired: true, help: "Names the feature."),
            KeyShape(name: "tests", shape: .text(.words), isRequired: true, help: "A glob over the ids of its tests."),
            KeyShape(
                name: "value", shape: .amount, otherwise: "not counted", help: "Its business value, in loop.valueUnit."),
            KeyShape(
                name: "steps", shape: .list(.text(.words), atLeast: 0), standard: "[]",
                help: "The steps of a flow in their order, each a glob over the ids of its tests."),
        ])

    static let triage = ObjectShape(
        name: "triage",
        keys: [
            KeyShape(
                name: "budget", shape: .duration(zeroAllowed: true), standard: "\"2h\"",
                help: "Time for experiments in one cycle."),
            KeyShape(
                name: "mayDeploy", shape: .flag, standard: "false",
                help: "Whether experiments may deploy other revisions."),
            KeyShape(
                name: "deploysPerIncident", shape: .integer(0...1000), standard: "6",
                help: "Deployments that experiments on one incident may make."),
            KeyShape(
                name: "deploysPerNight", shape: .integer(0...1000), standard: "12",
                help: "Deployments that experiments may make between two openings of the window."),
            KeyShape(
                name: "experiments", shape: .list(.choice(Experiment.Kind.allCases.map(\.rawValue)), atLeast: 0),
                standard: "[" + Experiment.Kind.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") + "]",
                help: "The kinds of experiments that may be made."),
            KeyShape(
                name: "burnIn", shape: .object(burnIn),
                help: "How tests that are new or changed are tried before a revision may be healthy."),
            KeyShape(
                name: "rules", shape: .list(.text(.path), atLeast: 0), standard: "[]",
                help: "Rule files that add to the built-in rules, see docs/triage.md."),
        ])

    static let burnIn = ObjectShape(
        name: "burnIn",
        keys: [
            KeyShape(
                name: "runs", shape: .integer(0...100), standard: "9",
                help:
                    "Runs of each test on top of its first pass, on the first pass over a revision; 0 for none."
            ),
            KeyShape(
                name: "tests", shape: .integer(1...1000), standard: "20",
                help: "At most so many tests, the fastest first."
            ),
            KeyShape(
                name: "budget", shape: .duration(zeroAllowed: true), standard: "\"5m\"",
                help: "Time for it in one cycle."),
        ])

    static let quarantine = ObjectShape(
        name: "quarantine",
        keys: [
            KeyShape(name: "test", shape: .text(.words), isRequired: true, help: "A glob over the ids of tests."),
            KeyShape(name: "owner", shape: .text(.words), isRequired: true, help: "Who repairs it."),
            KeyShape(name: "reason", shape: .text(.words), isRequired: true, help: "Why it may fail."),
            KeyShape(
                name: "until", shape: .text(.date), isRequired: true,
                help: "A date at most one year ahead. It ends at 09:00 UTC of the next working day after it."),
        ])

    static let retention = ObjectShape(
        name: "retention",
        keys: [
            KeyShape(name: "cycles", shape: .integer(1...Int.max), standard: "1000", help: "Cycles to keep."),
            KeyShape(
                name: "age", shape: .duration(zeroAllowed: false), standard: "\"90d\"", help: "How old they may get."),
            KeyShape(name: "bytes", shape: .size, standard: "\"20GB\"", help: "How much room they may take."),
        ])

    static let storage = ObjectShape(
        name: "storage",
        keys: [
            KeyShape(
                name: "outputBytes", shape: .size, standard: "\"64MiB\"",
                help: "Console output to keep of one command; head and tail of more."),
            KeyShape(
                name: "minFreeBytes", shape: .size, standard: "\"100MiB\"",
                help: "No new cycle starts with less free space than this beside the evidence."),
        ])
}
