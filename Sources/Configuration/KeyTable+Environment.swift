// SPDX-License-Identifier: Apache-2.0
// The keys that say how to deploy, and how to see what runs.

import Domain

extension KeyTable {
    static let deploy = ObjectShape(
        name: "deploy",
        keys: [
            KeyShape(
                name: "command", shape: .command, isRequired: true,
                help: "Deploys {revision}. Services may be left running. The script may write services[] {name, "
                    + "revision, commit, trafficPercent} to the file in $NIGHTJAR_DEPLOYMENT."),
            KeyShape(
                name: "rollback", shape: .command, otherwise: "command with the last green revision",
                help: "Brings back {lastGreen}."),
            KeyShape(
                name: "permit", shape: .command, otherwise: "always permitted",
                help:
                    "Asked before each deployment: exit 0 go, 75 not now, with the reason on standard output. Timeout 1m."
            ),
            KeyShape(
                name: "cleanup", shape: .command,
                help: "Run after a deployment that had to be ended: at a limit or by an abort. Timeout 5m."),
            KeyShape(
                name: "logs", shape: .command, help: "Prints the environment's logs since {stageStart}. Timeout 1m."),
            KeyShape(
                name: "timeout", shape: .duration(zeroAllowed: false), standard: "\"30m\"",
                help: "Limit of command and rollback."),
            KeyShape(
                name: "idleTimeout", shape: .duration(zeroAllowed: false), otherwise: "no limit",
                help: "Limit of command and rollback without output."),
        ] + place + [
            KeyShape(
                name: "attempts", shape: .integer(1...10), standard: "1",
                help: "How often a failing deployment is tried."),
            KeyShape(
                name: "grace", shape: .duration(zeroAllowed: true), standard: "\"2m\"",
                help: "Time between SIGTERM and SIGKILL when a deployment has to be ended."),
            KeyShape(
                name: "leavesServices", shape: .flag, standard: "true",
                help: "Whether processes that are still there at the end belong to the environment."),
            KeyShape(
                name: "worktree", shape: .flag, otherwise: "true where there is a repository",
                help: "Whether the commands run in a clean worktree of the revision."),
            KeyShape(
                name: "irreversible", shape: .list(.text(.words), atLeast: 0), standard: "[]",
                help: "Path globs. Where one matches a file that a commit between two revisions changed, no rollback, "
                    + "baseline or bisect goes across it, even if a later commit took the change back."),
        ],
        unsupported: ["runner"])

    /// Where the commands of one section run, and with what.
    static let place = [
        KeyShape(
            name: "workingDirectory", shape: .text(.path), otherwise: "the worktree, or the folder of the file",
            help: "Where the commands of this section run."),
        KeyShape(
            name: "environment", shape: .map(key: .variable, value: .hiddenText), standard: "{}",
            help: "Variables for the commands of this section."),
        KeyShape(
            name: "secrets", shape: .list(.text(.variable), atLeast: 0), standard: "[]",
            help: "Secrets for the commands of this section."),
    ]

    static let health = ObjectShape(
        name: "health",
        keys: [
            KeyShape(
                name: "checks", shape: .list(.object(check), atLeast: 0), standard: "[]",
                help: "What must answer before tests mean anything."),
            KeyShape(
                name: "liveRevision", shape: .oneOrMany(.object(liveRevision)), otherwise: "the revision is not proven",
                help: "Where the environment says which revision runs: one object, or one per service."),
            KeyShape(
                name: "stableFor", shape: .duration(zeroAllowed: true), standard: "\"30s\"",
                help: "How long all checks must pass without a break."),
            KeyShape(
                name: "deadline", shape: .duration(zeroAllowed: false), standard: "\"10m\"",
                help: "How long the environment may take to become stable."),
            KeyShape(
                name: "interval", shape: .duration(zeroAllowed: false), standard: "\"1s\"",
                help: "Time between two rounds of checks."),
        ])

    /// Details of an HTTP request.
    static let request = [
        KeyShape(name: "method", shape: .choice(methods), standard: "\"GET\"", help: "The HTTP method."),
        KeyShape(
            name: "headers", shape: .map(key: .header, value: .hiddenText), standard: "{}",
            help: "HTTP headers to send."),
        KeyShape(name: "body", shape: .hiddenText, otherwise: "none", help: "The body to send."),
    ]

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    static let http = ObjectShape(
        name: "http",
        keys: [KeyShape(name: "url", shape: .text(.url), isRequired: true, help: "The address.")] + request)

    static let check = ObjectShape(
        name: "check",
        keys: [
            KeyShape(
                name: "name", shape: .text(.words), otherwise: "what is asked", help: "Names the check in evidence."),
            KeyShape(
                name: "http", shape: .either(.text(.url), http),
                help: "An address to ask, or an object with url, method, headers and body."),
            KeyShape(name: "tcp", shape: .text(.hostPort), help: "Host and port that must accept a connection."),
            KeyShape(name: "command", shape: .command, help: "A command that must end well."),
        ] + request + [
            KeyShape(name: "expect", shape: .object(expect), help: "What the answer must be."),
            KeyShape(
                name: "timeout", shape: .duration(zeroAllowed: false), standard: "\"5s\"", help: "Limit of one answer."),
        ],
        oneOf: ["http", "tcp", "command"])

    static let expect = ObjectShape(
        name: "expect",
        keys: [
            KeyShape(
                name: "status", shape: .oneOrMany(.integer(100...599)), otherwise: "200 to 299",
                help: "HTTP status, or statuses, that are well."),
            KeyShape(
                name: "json", shape: .map(key: .pointer, value: .json), standard: "{}",
                help: "JSON pointers into the answer, each with the value that must stand there."),
            KeyShape(
                name: "contains", shape: .text(.words), otherwise: "anything",
                help: "Text that the answer must contain."),
            KeyShape(
                name: "exit", shape: .oneOrMany(.integer(0...255)), otherwise: "0",
                help: "Exit status, or statuses, of a command that are well."),
        ])

    static let liveRevision = ObjectShape(
        name: "liveRevision",
        keys: [
            KeyShape(
                name: "service", shape: .text(.words), otherwise: "the whole environment",
                help: "Which service this is; needed where there are several."),
            KeyShape(
                name: "http", shape: .either(.text(.url), http),
                help: "An address to ask, or an object with url, method, headers and body."),
            KeyShape(name: "command", shape: .command, help: "A command that prints the answer."),
        ] + request + [
            KeyShape(
                name: "pointer", shape: .text(.pointer), otherwise: "the whole answer",
                help: "Where in a JSON answer the revision stands."),
            KeyShape(
                name: "answers", shape: .integer(1...1000), standard: "5",
                help:
                    "How many answers must all name the wanted revision: with a load balancer, several times the instances."
            ),
            KeyShape(
                name: "timeout", shape: .duration(zeroAllowed: false), standard: "\"5s\"", help: "Limit of one answer."),
        ],
        oneOf: ["http", "command"])
}
