// SPDX-License-Identifier: Apache-2.0
//
// Our JUnit reader beside Foundation's and Python's. Every reading happens in a process of its own, so that its peak of
// memory is its own; the readers take turns, so that a busy moment of the machine hits all of them.

import Domain
import Foundation
import Platform
import TestReports

#if canImport(FoundationXML)
    import FoundationXML
#endif

enum ReportBench {
    static let childName = "__read"

    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) throws {
        let cases = arguments.number("cases", standard: 100_000)
        let rounds = arguments.number("rounds", standard: 7)
        let folder = try WorkFolder()
        let files = [
            ("bare cases", try folder.write("bare.xml", document(cases, failureEvery: 0))),
            ("1 in 100 failed", try folder.write("failing.xml", document(cases, failureEvery: 100))),
        ]
        for (label, file) in files {
            let megabytes = Double(Files.size(of: file) ?? 0) / 1e6
            report.add("\(label), file", megabytes, "MB")
            var times: [String: [Double]] = [:]
            var peaks: [String: Double] = [:]
            for _ in 0..<rounds {
                for reader in readers {
                    guard let (seconds, peak) = try reading(reader, file, cases) else { continue }
                    times[reader, default: []].append(seconds)
                    peaks[reader] = max(peaks[reader] ?? 0, peak)
                }
            }
            for reader in readers {
                guard let taken = times[reader], let peak = peaks[reader] else { continue }
                report.add("\(label), \(reader)", megabytes / Samples.median(taken), "MB/s")
                report.add("\(label), \(reader), peak memory", peak, "MB")
            }
        }
    }

    private static let readers = ["nightjar", "XMLParser counting", "XMLParser same results", "expat", "ElementTree"]

    /// 100 cases a class, names with parameters, times: what pytest writes.
    private static func document(_ cases: Int, failureEvery: Int) -> String {
        let trace = (1...20).map { "    File &quot;tests/test_shop.py&quot;, line \($0), in test_case\n" }.joined()
        var text =
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites>\n<testsuite name=\"pytest\" tests=\"\(cases)\">\n"
        for number in 0..<cases {
            let start =
                "<testcase classname=\"tests.e2e.test_module_\(number / 100).TestClass\" "
                + "name=\"test_case_\(number)[param-\(number % 7)]\" time=\"0.\(number % 900 + 100)\""
            if failureEvery > 0, number % failureEvery == 0 {
                text +=
                    start
                    + "><failure message=\"AssertionError: assert \(number) == 0\">\(trace)</failure></testcase>\n"
            } else {
                text += start + " />\n"
            }
        }
        return text + "</testsuite>\n</testsuites>\n"
    }

    private static func reading(_ reader: String, _ file: String, _ cases: Int) throws -> (Double, Double)? {
        let process = Process()
        if reader == "expat" || reader == "ElementTree" {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", "-c", python, reader, file]
        } else {
            process.executableURL = URL(fileURLWithPath: Programs.bench)
            process.arguments = [childName, reader, file]
        }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let words = String(decoding: output, as: UTF8.self).split(separator: " ").map {
            Double($0.trimmingCharacters(in: .newlines)) ?? 0
        }
        guard process.terminationStatus == 0, words.count == 3 else {
            if process.executableURL?.path == "/usr/bin/env" { return nil }
            throw BenchError("the reader \(reader) failed on \(file)")
        }
        guard Int(words[2]) == cases else { throw BenchError("\(reader) found \(words[2]) cases, not \(cases)") }
        return (words[0], words[1])
    }

    /// Prints seconds, peak memory in MB, and the number of cases.
    static func child(_ operands: [String]) throws {
        guard operands.count == 2 else { throw BenchError("usage: \(childName) READER FILE") }
        let begin = SystemClock.monotonicNanoseconds
        let found: Int
        switch operands[0] {
        case "nightjar":
            var stream = ReportStream(.junit)
            try Files.readInPieces(operands[1]) { stream.push($0) }
            found = try stream.finish().results.count
        default:
            found = try FoundationReading.cases(operands[1], keeping: operands[0] == "XMLParser same results")
        }
        let seconds = Double(SystemClock.monotonicNanoseconds - begin) / 1e9
        print(seconds, try ProcessFigures("self").peakKilobytes / 1000, found)
    }

    private static let python = """
        resource, sys, time = map(__import__, ("resource", "sys", "time"))
        begin = time.perf_counter()
        found = 0
        if sys.argv[1] == "expat":
            def start(name, attributes):
                global found
                found += name == "testcase"
            parser = __import__("xml.parsers.expat", fromlist=["expat"]).ParserCreate()
            parser.StartElementHandler = start
            with open(sys.argv[2], "rb") as file:
                parser.ParseFile(file)
        else:
            tree = __import__("xml.etree.ElementTree", fromlist=["ElementTree"])
            found = sum(1 for _ in tree.parse(sys.argv[2]).iter("testcase"))
        print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, found)
        """
}

/// Foundation's parser over libxml2, with the least a reader of reports must do, or with what ours does.
private final class FoundationReading: NSObject, XMLParserDelegate {
    private struct Kept {
        var id: String
        var seconds: Double?
        var message: String?
        var details = ""
    }
    private let isKeeping: Bool
    private var found = 0
    private var kept: [Kept] = []
    private var ids: Set<String> = []
    private var isInProblem = false

    init(keeping: Bool) { isKeeping = keeping }

    static func cases(_ path: String, keeping: Bool) throws -> Int {
        guard let parser = XMLParser(contentsOf: URL(fileURLWithPath: path)) else {
            throw BenchError("XMLParser cannot open \(path)")
        }
        let reading = FoundationReading(keeping: keeping)
        parser.delegate = reading
        guard parser.parse() else { throw BenchError("XMLParser: \(String(describing: parser.parserError))") }
        return reading.found
    }

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if elementName == "testcase" {
            found += 1
            guard isKeeping else { return }
            let id = (attributes["classname"] ?? "") + "::" + (attributes["name"] ?? "")
            ids.insert(id)
            kept.append(Kept(id: id, seconds: attributes["time"].flatMap { Double($0) }))
        } else if elementName == "failure", isKeeping {
            kept[kept.count - 1].message = attributes["message"]
            isInProblem = true
        }
    }

    func parser(_ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?) {
        isInProblem = false
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if isInProblem { kept[kept.count - 1].details += string }
    }
}
