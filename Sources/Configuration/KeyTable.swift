// SPDX-License-Identifier: Apache-2.0
// The one table of keys. The decoder accepts just these, the schema and the reference are printed from it.

import Domain

enum KeyTable {
    static let root = ObjectShape(
        name: "configuration",
        keys: [
            KeyShape(name: "$schema", shape: .text(.any), help: "Address of the JSON Schema, for editors. Not read."),
            KeyShape(name: "loop", shape: .object(loop), isRequired: true, help: "What the loop is called and may do."),
            KeyShape(
                name: "state", shape: .text(.path), standard: "\".nightjar\"",
                help: "Folder of the evidence. The loop's own part is the folder in it that has the loop's name."),
            KeyShape(name: "schedule", shape: .object(schedule), help: "When cycles run."),
            KeyShape(
                name: "secrets", shape: .map(key: .variable, value: .object(secret)),
                help: "Secrets by name. Only where a value comes from is written here, never the value."),
            KeyShape(
                name: "repository", shape: .object(repository),
                help: "The git repository whose revisions are deployed and searched."),
            KeyShape(name: "deploy", shape: .object(deploy), help: "How to deploy. Needed for mode operate."),
            KeyShape(
                name: "health", shape: .object(health), help: "How to see that the environment is up, and what runs."),
            KeyShape(
                name: "suites", shape: .list(.object(suite), atLeast: 1), isRequired: true,
                help: "The groups of tests."),
            KeyShape(
                name: "targets", shape: .list(.object(target), atLeast: 0), standard: "[]",
                help: "Numbers that must hold, measured after the tests."),
            KeyShape(
                name: "readiness", shape: .object(readiness), otherwise: "no score",
                help: "What the readiness of a cycle is computed from."),
            KeyShape(name: "triage", shape: .object(triage), help: "How far the search for a cause may go."),
            KeyShape(name: "remedy", shape: .object(remedy), help: "What may be done about a cause."),
            KeyShape(
                name: "quarantine", shape: .list(.object(quarantine), atLeast: 0), standard: "[]",
                help: "Tests whose failures do not block for a while. They still run and are reported."),
            KeyShape(
                name: "notify", shape: .list(.object(receiver), atLeast: 0), standard: "[]",
                help: "Whom to tell. A message goes out on a change of state only."),
            KeyShape(name: "paging", shape: .object(paging), help: "When a person is called, and how often at most."),
            KeyShape(
                name: "deadman", shape: .object(deadman), otherwise: "nobody is told that the loop lives",
                help: "A sign of life."),
            KeyShape(
                name: "fingerprint", shape: .object(fingerprint),
                help: "What must stay as it is while the tests run."),
            KeyShape(name: "retention", shape: .object(retention), help: "How much evidence is kept."),
            KeyShape(name: "storage", shape: .object(storage), help: "Bounds on what is written."),
        ],
        unsupported: ["runner"])

    static let loop = ObjectShape(
        name: "loop",
        keys: [
            KeyShape(
                name: "name", shape: .text(.name), isRequired: true, help: "Names the loop in evidence and commands."),
            KeyShape(
                name: "mode", shape: .choice(Mode.allCases.map(\.rawValue)), isRequired: true,
                help: "observe deploys nothing and tests what is live; verify waits for a revision that others deploy, "
                    + "and tests it; operate deploys."),
            KeyShape(
                name: "environment", shape: .text(.name), otherwise: "the loop's name",
                help: "Loops with the same environment exclude each other."),
            KeyShape(
                name: "shipDegraded", shape: .flag, standard: "false",
                help: "Whether a degraded cycle is recommended to ship."),
            KeyShape(
                name: "failFast", shape: .flag, standard: "false",
                help: "Whether failures of one priority keep the lower priorities from running."),
            KeyShape(
                name: "stopGrace", shape: .duration(zeroAllowed: true), standard: "\"60s\"",
                help: "How long a stopping daemon waits for a deployment before it leaves it to the next start."),
            KeyShape(
                name: "valueUnit", shape: .text(.words), standard: "\"USD/month\"",
                help: "What the values of suites and capabilities are counted in."),
        ])

    static let schedule = ObjectShape(
        name: "schedule",
        keys: [
            KeyShape(
                name: "window", shape: .object(window), otherwise: "always open",
                help: "The hours in which cycles may start."),
            KeyShape(
                name: "every", shape: .duration(zeroAllowed: true), standard: "\"10m\"",
                help: "Pause between the end of a cycle and the start of the next."),
            KeyShape(
                name: "stopWhen", shape: .choice(ScheduleSettings.StopWhen.allCases.map(\.rawValue)),
                standard: "\"never\"", help: "healthy ends the loop with the first healthy cycle."),
            KeyShape(
                name: "maxCycles", shape: .integer(1...Int.max), otherwise: "no limit",
                help: "Ends the loop once it has run this many cycles in all, over every start. A start that was "
                    + "asked for a number of cycles (once, run --max-cycles) runs them."),
            KeyShape(
                name: "skipUnchanged", shape: .flag, standard: "false",
                help: "Whether a revision that is live and green is left alone."),
        ])

    static let window = ObjectShape(
        name: "window",
        keys: [
            KeyShape(name: "from", shape: .text(.timeOfDay), isRequired: true, help: "When the window opens."),
            KeyShape(
                name: "to", shape: .text(.timeOfDay), isRequired: true,
                help: "When it closes; on the next day where this is earlier than from."),
            KeyShape(
                name: "timeZone", shape: .text(.timeZone), isRequired: true,
                help: "The zone of both times, by its name in the time zone database."),
            KeyShape(
                name: "days", shape: .list(.choice(dayNames), atLeast: 1), otherwise: "every day",
                help: "Days on which the window opens."),
        ])

    static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    static let secret = ObjectShape(
        name: "secret",
        keys: [
            KeyShape(
                name: "fromFile", shape: .text(.path), help: "A file that holds the value; a final line end is dropped."
            ),
            KeyShape(name: "fromEnv", shape: .text(.variable), help: "A variable of the daemon's environment."),
            KeyShape(
                name: "fromCommand", shape: .list(.text(.any), atLeast: 1),
                help: "A command, as a list of arguments, that prints the value."),
        ],
        oneOf: ["fromFile", "fromEnv", "fromCommand"])

    static let repository = ObjectShape(
        name: "repository",
        keys: [
            KeyShape(name: "path", shape: .text(.path), isRequired: true, help: "Folder of the repository."),
            KeyShape(
                name: "ref", shape: .text(.words), standard: "\"main\"", help: "The branch or tag that is wanted live."),
            KeyShape(
                name: "fetch", shape: .flag, standard: "false", help: "Whether to fetch from origin before each cycle."),
            KeyShape(
                name: "revisionCommand", shape: .command, otherwise: "git is asked for ref",
                help: "Prints the wanted revision."),
            KeyShape(
                name: "green", shape: .text(.words), otherwise: "none until a cycle is healthy",
                help: "A name that git resolves to a revision known to be good, for a loop without a healthy cycle."),
        ])

    static let command = ObjectShape(
        name: "command",
        keys: [
            KeyShape(
                name: "command", shape: .list(.text(.any), atLeast: 1),
                help: "The arguments, the program first. No shell takes part."),
            KeyShape(name: "shell", shape: .text(.words), help: "Text for /bin/sh -c."),
            KeyShape(
                name: "timeout", shape: .duration(zeroAllowed: false), otherwise: "that of the place",
                help: "The command is ended after this time."),
            KeyShape(
                name: "idleTimeout", shape: .duration(zeroAllowed: false), otherwise: "that of the place, or none",
                help: "The command is ended after this time without output."),
            KeyShape(
                name: "workingDirectory", shape: .text(.path), otherwise: "that of the place",
                help: "Where it runs."),
            KeyShape(
                name: "environment", shape: .map(key: .variable, value: .hiddenText), otherwise: "that of the place",
                help: "Variables to set."),
            KeyShape(
                name: "secrets", shape: .list(.text(.variable), atLeast: 0), otherwise: "those of the place",
                help: "Names of the secrets that it gets, as variables of the same names."),
        ],
        oneOf: ["command", "shell"])
}
