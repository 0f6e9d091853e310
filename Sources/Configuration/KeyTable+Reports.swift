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
                name: "command", shape: .command, otherwise: "tests says what is measured",
                help: "Prints one number per line, each in the unit of the limit or with its own. Timeout 5m."),
            KeyShape(
                name: "tests", shape: .text(.words), otherwise: "command says what is measured",
                help: "A glob over test ids of the suite: how long these took, as their report says."),
            KeyShape(
                name: "suite", shape: .text(.name), otherwise: "the last suite",
                help: "After which suite it is measured. It is not where that suite does not run."),
            KeyShape(
                name: "percentile", shape: .integer(1...100), standard: "95",
                help: "Which percentile of the numbers is compared, by nearest rank."),
            KeyShape(
                name: "blocking", shape: .flag, standard: "false",
                help: "Whether a miss makes the cycle failing; otherwise degraded."),
        ],
        oneOf: ["tests", "command"])

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
