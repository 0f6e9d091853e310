// SPDX-License-Identifier: Apache-2.0
// Which module may see which. docs/architecture.md says the same in words; Package.swift must agree.

enum Layers {
    /// What each module may import of this package, from the top down.
    static let allowed: [String: Set<String>] = [
        "nightjar": ["Shepherd", "Commands"],
        "Commands": [
            "Supervision", "StatusServer", "Notifications", "Engine", "Configuration", "Execution", "Evidence",
            "Triage",
            "TestReports", "Probes", "WebSocket", "Reporting", "DemoStaging", "Shepherd", "Platform", "Domain",
        ],
        "Supervision": [
            "Engine", "Configuration", "Execution", "Evidence", "Triage", "TestReports", "Probes", "Notifications",
            "Reporting", "Platform", "Domain",
        ],
        "StatusServer": ["Evidence", "Reporting", "Platform", "Domain"],
        "Notifications": ["Execution", "Platform", "Domain"],
        "Reporting": ["Domain"],
        "Triage": ["Domain"],
        "TestReports": ["Domain"],
        "Probes": ["WebSocket", "Execution", "Platform", "Domain"],
        "WebSocket": ["Platform"],
        "Engine": ["Domain"],
        "Configuration": ["Domain"],
        "Execution": ["Shepherd", "Platform", "Domain"],
        "Evidence": ["Platform", "Domain"],
        "Shepherd": ["Platform", "CShims"],
        "Platform": ["CShims"],
        "Domain": [],
        "CShims": [],
        "DemoStaging": ["WebSocket", "Platform"],
        "nightjar-bench": [
            "Supervision", "Engine", "Configuration", "Execution", "Evidence", "Triage", "TestReports", "Probes",
            "WebSocket", "Reporting", "Shepherd", "Platform", "Domain",
        ],
    ]

    /// What the toolchain ships, and who may use it. Foundation costs 6 MB of memory and 3 ms at start, and its coders
    /// belong where bytes meet values.
    static let toolchain: [String: Set<String>] = [
        "Glibc": ["Platform", "Shepherd"],
        "Foundation": [
            "nightjar", "Commands", "DemoStaging", "Supervision", "StatusServer", "Notifications", "Configuration",
            "Execution",
            "Evidence",
            "Reporting", "nightjar-bench",
        ],
        "FoundationEssentials": [
            "Commands", "Supervision", "StatusServer", "Notifications", "Configuration", "Execution", "Evidence",
            "Reporting", "nightjar-bench",
        ],
        // Needs libxml2 at run time: tests alone may use it, as a second opinion.
        "FoundationXML": ["nightjar-bench"],
        "FoundationNetworking": [],
        "Synchronization": Set(allowed.keys),
        "Dispatch": ["Platform", "Evidence", "Execution", "Supervision", "StatusServer", "Notifications", "Commands"],
    ]

    /// Modules that may say `JSONEncoder`, `JSONDecoder` or `JSONSerialization`.
    static let coders: Set<String> = ["Evidence", "Configuration", "Execution", "Reporting", "Notifications"]
}
