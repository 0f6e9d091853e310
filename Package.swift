// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// One set of settings for every Swift target: what a reader sees in a file is what the file uses, and nothing warns.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: fixtures ? ["Fixtures"] : [], swiftSettings: strict)
}

// Arrows point down only; docs/architecture.md lists the layers and TidyTests holds this list to them.
let package = Package(
    name: "nightjar",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "nightjar", targets: ["nightjar"])],
    targets: [
        .target(name: "CShims"),
        module("Domain"),
        module("Platform", ["CShims"]),
        module("Shepherd", ["Platform", "CShims"]),
        module("Engine", ["Domain"]),
        module("Triage", ["Domain"]),
        module("TestReports", ["Domain"]),
        module("Reporting", ["Domain"]),
        module("Configuration", ["Domain"]),
        module("Evidence", ["Platform", "Domain"]),
        module("Execution", ["Shepherd", "Platform", "Domain"]),
        module("Notifications", ["Execution", "Platform", "Domain"]),
        module("WebSocket", ["Platform"]),
        module("Probes", ["WebSocket", "Execution", "Platform", "Domain"]),
        module(
            "Supervision",
            [
                "Engine", "Configuration", "Execution", "Evidence", "Triage", "TestReports", "Probes", "Notifications",
                "Reporting", "Platform", "Domain",
            ]),
        module("StatusServer", ["Evidence", "Reporting", "Platform", "Domain"]),
        module("DemoStaging", ["WebSocket", "Platform"]),
        module(
            "Commands",
            [
                "Supervision", "StatusServer", "Engine", "Configuration", "Execution", "Evidence", "Triage",
                "TestReports", "Probes", "WebSocket", "Reporting", "DemoStaging", "Platform", "Domain",
            ]),
        .executableTarget(name: "nightjar", dependencies: ["Shepherd", "Commands"], swiftSettings: strict),
        .executableTarget(
            name: "nightjar-bench",
            dependencies: [
                "Supervision", "Engine", "Configuration", "Execution", "Triage", "TestReports", "Probes", "WebSocket",
                "Platform",
                "Domain",
            ],
            swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Platform", "Domain"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests("PlatformTests", ["Platform", "TestSupport"]),
        tests("ShepherdTests", ["Shepherd", "Platform", "TestSupport"]),
        tests("ExecutionTests", ["Execution", "Shepherd", "Platform", "Domain", "TestSupport", "nightjar"]),
        tests("DomainTests", ["Domain"]),
        tests("EngineTests", ["Engine", "Triage", "Configuration", "Domain"]),
        tests("TriageTests", ["Triage", "Configuration", "Domain"]),
        tests("TestReportsTests", ["TestReports", "Domain"]),
        tests("ConfigurationTests", ["Configuration", "Domain"]),
        tests("EvidenceTests", ["Evidence", "Platform", "Domain", "TestSupport"], fixtures: true),
        tests("ReportingTests", ["Reporting", "Domain"], fixtures: true),
        tests("NotificationsTests", ["Notifications", "Platform", "Domain", "TestSupport"]),
        tests("WebSocketTests", ["WebSocket", "Platform"]),
        tests("StatusServerTests", ["StatusServer", "Evidence", "Reporting", "Platform", "Domain", "TestSupport"]),
        tests("DemoStagingTests", ["DemoStaging", "WebSocket", "Platform", "nightjar"]),
        tests("ProbesTests", ["Probes", "WebSocket", "Platform", "Domain"]),
        tests(
            "SupervisionTests",
            [
                "Supervision", "Configuration", "Engine", "Evidence", "Execution", "Probes", "Triage", "Platform",
                "Domain", "TestSupport", "nightjar",
            ]),
        tests(
            "CommandsTests",
            ["Commands", "Configuration", "Evidence", "Reporting", "Platform", "Domain", "TestSupport"]),
        tests("TidyTests", []),
    ]
)
