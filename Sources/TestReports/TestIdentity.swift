// SPDX-License-Identifier: Apache-2.0
// One test, three names: what the console says, what the report says, and what selects it on a command line.

package import Domain

package enum TestIdentity {
    /// The id that pytest's JUnit report gives a node id:
    /// `tests/e2e/test_x.py::TestC::test_y[a]` becomes `tests.e2e.test_x.TestC::test_y[a]`.
    ///
    /// The rule is pytest's own (`_pytest/junitxml.py`, `mangle_test_address`): parameters are set aside, separators
    /// of the path become points, and all but the last name form the class.
    package static func reportID(pytest nodeID: String) -> String {
        let bracket = nodeID.firstIndex(of: "[") ?? nodeID.endIndex
        var names = nodeID[..<bracket].split(separator: "::").map(String.init)
        guard names.count > 1 else { return nodeID }
        if names[0].hasSuffix(".py") { names[0].removeLast(3) }
        names[0] = String(names[0].map { $0 == "/" || $0 == "\\" ? "." : $0 })
        let last = names.removeLast() + nodeID[bracket...]
        return names.joined(separator: ".") + "::" + last
    }

    /// The id that a name on the console most likely has in the report.
    package static func reportID(console name: String, format: ConsoleFormat) -> String {
        switch format {
        case .pytest: reportID(pytest: name)
        case .swiftTesting:
            // XCTest writes `Module.Class.method` or `Class.method`, its report class and name apart.
            if !name.contains("("), let point = name.lastIndex(of: ".") {
                "\(name[..<point])::\(name[name.index(after: point)...])"
            } else {
                name
            }
        case .none, .goTestJSON, .tap: name
        }
    }

    /// A pytest node id for a report id, for reports that were read without collecting first.
    ///
    /// The report does not say where the path ends and the classes begin. `file` decides where the report gives it;
    /// otherwise trailing names that begin with a capital are classes, as PEP 8 has it.
    package static func pytestNodeID(reportID: String, file: String? = nil) -> String? {
        let bracket = reportID.firstIndex(of: "[") ?? reportID.endIndex
        guard let colons = reportID[..<bracket].ranges(of: "::").last else { return nil }
        let names = reportID[..<colons.lowerBound].split(separator: ".").map(String.init)
        let test = reportID[colons.upperBound...]
        if let file {
            let module = (file.hasSuffix(".py") ? String(file.dropLast(3)) : file).split(separator: "/").map(
                String.init)
            guard names.starts(with: module) else { return nil }
            return ([file] + names.dropFirst(module.count)).joined(separator: "::") + "::" + test
        }
        let module = names.prefix { $0.first?.isUppercase != true }
        guard !module.isEmpty else { return nil }
        let path = module.joined(separator: "/") + ".py"
        return ([path] + names.dropFirst(module.count)).joined(separator: "::") + "::" + test
    }

    /// The tests that `pytest --collect-only -q` or any command with one name per line printed.
    ///
    /// For pytest the list ends at the first blank line after it began, or at a summary; lines before the first node
    /// id (warnings, plug-ins) are skipped.
    package static func collected(_ text: String, format: ConsoleFormat) -> [String] {
        var names: [String] = []
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let name = TAPLine.trimmed(line)
            if format != .pytest {
                if !name.isEmpty { names.append(name) }
                continue
            }
            let isNodeID = name.contains("::") && !name.hasPrefix("=") && !name.hasPrefix("ERROR ")
            if isNodeID { names.append(name) } else if !names.isEmpty { break }
        }
        return names
    }
}
