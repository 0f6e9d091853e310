// SPDX-License-Identifier: Apache-2.0
// The keys of what reports compute beyond pass and fail: targets and readiness.

import Domain

extension KeyTable {
    static let target = ObjectShape(
        name: "target",
        keys: [
            KeyShape(name: "name", shape: .text(.words), isRequired: true, help: "Names the target."),
            KeyShape(
                name: "limit", shape: .text(.measure), isRequired: true, help: "The most that will do, such as 100ms."),
            KeyShape(
                name: "atLeast", shape: .flag, standard: "false",
                help: "Whether the limit is the least that will do, such as 99.95%."),
            KeyShape(
                name: "command", shape: .command, otherwise: "another key says what is measured",
                help: "Prints one number per line, each in the unit of the limit or with its own. Timeout 5m."),
            KeyShape(
                name: "tests", shape: .text(.words), otherwise: "another key says what is measured",
                help: "A glob over test ids of the suite: how long these took, as their report says."),
            KeyShape(
                name: "property", shape: .text(.words), otherwise: "another key says what is measured",
                help: "The numbers of a <property> of this name in the suite's JUnit report, of the suite or of its "
                    + "passed tests."),
            KeyShape(
                name: "http", shape: .either(.text(.url), http),
                help: "An address to ask again and again, or an object with url, method, headers and body: how long "
                    + "an answer takes, each on a new connection."),
            KeyShape(
                name: "websocket", shape: .either(.text(.socketURL), socket),
                help: "A ws:// or wss:// address, or an object: how long a ping, or a message and its answer, takes "
                    + "on one connection."),
        ] + request + [
            KeyShape(
                name: "expect", shape: .object(expect),
                help: "What each HTTP answer must be; another one is a failed sample."
            ),
            KeyShape(
                name: "timing", shape: .choice(TargetTiming.allCases.map(\.rawValue)), standard: "\"total\"",
                help: "Which time of the HTTP exchange counts, each from its start."),
            KeyShape(
                name: "samples", shape: .integer(1...1000), standard: "20",
                help: "How many HTTP or WebSocket samples count."),
            KeyShape(
                name: "warmup", shape: .integer(0...1000), otherwise: "3 for http and websocket, otherwise 0",
                help: "How many numbers at the beginning do not count."),
            KeyShape(
                name: "interval", shape: .duration(zeroAllowed: true), standard: "\"100ms\"",
                help: "From the beginning of an HTTP or WebSocket sample to the beginning of the next."),
            KeyShape(
                name: "timeout", shape: .duration(zeroAllowed: false), standard: "\"5s\"",
                help: "Limit of one HTTP or WebSocket sample. One that takes longer has failed."),
            KeyShape(
                name: "mayFail", shape: .number(0...50), standard: "10",
                help:
                    "How many samples in percent may fail. With more, nothing is measured; up to then each ranks behind "
                    + "all values."),
            KeyShape(
                name: "secrets", shape: .list(.text(.variable), atLeast: 0), standard: "[]",
                help: "Secrets whose {NAME} in address, headers, body and message is replaced."),
            KeyShape(
                name: "relevant", shape: .number(0...1000), standard: "10",
                help: "A difference to the last green cycle below so many percent is no regression."),
            KeyShape(
                name: "suite", shape: .text(.name), otherwise: "the last suite",
                help: "After which suite it is measured. It is not where that suite does not run."),
            KeyShape(
                name: "percentile", shape: .integer(1...100), standard: "95",
                help:
                    "Which percentile of the numbers is compared, by nearest rank, counted from the good side: 95 means "
                    + "that 95 % are as good or better."),
            KeyShape(
                name: "blocking", shape: .flag, standard: "false",
                help: "Whether a miss makes the cycle failing; otherwise degraded."),
        ],
        oneOf: ["http", "websocket", "property", "tests", "command"])

    /// What goes over a WebSocket.
    static let socket = ObjectShape(
        name: "socket",
        keys: [
            KeyShape(name: "url", shape: .text(.socketURL), isRequired: true, help: "The address."),
            KeyShape(
                name: "headers", shape: .map(key: .header, value: .hiddenText), standard: "{}",
                help: "HTTP headers of the handshake."),
            KeyShape(
                name: "subprotocols", shape: .list(.text(.words), atLeast: 0), standard: "[]",
                help: "Subprotocols to offer."),
            KeyShape(
                name: "send", shape: .hiddenText, otherwise: "a ping",
                help: "A text message; {sample} in it is the number of the round trip."),
            KeyShape(
                name: "receive", shape: .text(.words), otherwise: "the next message",
                help: "Text that the answer must contain; {sample} as in send. Other messages are passed over."),
        ])

    static let readiness = ObjectShape(
        name: "readiness",
        keys: [
            KeyShape(
                name: "components", shape: .list(.object(component), atLeast: 1), isRequired: true,
                help: "The parts of the score: sum of weight times score over sum of weights.")
        ])

    static let component = ObjectShape(
        name: "component",
        keys: [
            KeyShape(name: "name", shape: .text(.words), isRequired: true, help: "Names the component."),
            KeyShape(name: "weight", shape: .amount, standard: "1", help: "How much it counts."),
            KeyShape(
                name: "from", shape: .object(componentSource), isRequired: true,
                help: "Its score: passed tests and met targets in percent of all of them."),
        ])

    private static let componentSource = ObjectShape(
        name: "component source",
        keys: [
            KeyShape(
                name: "suites", shape: .list(.text(.name), atLeast: 0), standard: "[]", help: "Names of suites."),
            KeyShape(
                name: "capabilities", shape: .list(.text(.words), atLeast: 0), standard: "[]",
                help: "Names of capabilities."),
            KeyShape(
                name: "targets", shape: .list(.text(.words), atLeast: 0), standard: "[]", help: "Names of targets."),
        ])

    static func sourceOf(_ component: Section) -> Section {
        component.sectionOrDefaults("from", componentSource)
    }
}
