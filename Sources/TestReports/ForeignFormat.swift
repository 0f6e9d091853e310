// SPDX-License-Identifier: Apache-2.0
// XML files that get mistaken for JUnit reports, by root element.

enum ForeignFormat {
    /// What a root element (without prefix) belongs to, or nil where it is not known.
    static func name(ofRoot root: String) -> String? {
        switch root {
        case "test-run": "an NUnit 3 report"
        case "test-results": "an NUnit 2 report"
        case "assemblies", "assembly": "an xUnit.net report"
        case "TestRun", "tests": "a report of TRX (Visual Studio), CppUnit or the like"
        case "Site": "a CTest dashboard file"
        case "robot": "a Robot Framework report"
        case "testng-results": "a TestNG report"
        case "testExecutions": "a SonarQube generic test report"
        case "Catch2TestRun", "Catch": "a Catch2 XML report (its reporter `junit` writes JUnit)"
        case "doctest": "a doctest XML report (its reporter `junit` writes JUnit)"
        case "test-suite": "an Allure 1 report"
        case "coverage": "a Cobertura coverage report"
        case "report": "a JaCoCo coverage report"
        case "CoverageSession": "an OpenCover coverage report"
        case "checkstyle": "a Checkstyle report"
        case "html", "HTML": "a web page"
        default: nil
        }
    }
}
