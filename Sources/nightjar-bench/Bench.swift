// SPDX-License-Identifier: Apache-2.0
//
// What all benchmarks share: arguments, a folder to work in, figures and how they are printed.

import Foundation
import Platform

/// The words of the command line.
struct BenchArguments {
    private(set) var name = ""
    private(set) var operands: [String] = []
    private(set) var wantsJSON = false
    private var values: [String: Int] = [:]

    init(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--json" {
                wantsJSON = true
            } else if word.hasPrefix("--") {
                values[String(word.dropFirst(2))] = rest.popFirst().flatMap { Int($0) }
            } else if name.isEmpty {
                name = word
            } else {
                operands.append(word)
            }
        }
    }

    func number(_ name: String, standard: Int) -> Int { values[name] ?? standard }
}

/// Why a benchmark gave no figure.
struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// The figures of one benchmark, in the order in which they were taken.
struct BenchReport {
    struct Figure {
        var name: String
        var value: Double
        var unit: String
    }
    let benchmark: String
    private(set) var figures: [Figure] = []
    /// What is printed instead of the list of figures, where they make a table.
    var table: String?

    init(benchmark: String) { self.benchmark = benchmark }

    mutating func add(_ name: String, _ value: Double, _ unit: String) {
        figures.append(Figure(name: name, value: value, unit: unit))
    }

    /// Adds the 50th and 95th percentile of times in nanoseconds.
    mutating func add(_ name: String, nanoseconds: [Int64]) {
        add("\(name), p50", Samples.percentile(nanoseconds, 0.50) / 1e6, "ms")
        add("\(name), p95", Samples.percentile(nanoseconds, 0.95) / 1e6, "ms")
    }

    var text: String {
        if let table { return "\(benchmark)\n\(table)" }
        let width = figures.map(\.name.count).max() ?? 0
        let lines = figures.map { figure in
            figure.name.padding(toLength: width + 2, withPad: " ", startingAt: 0)
                + String(format: "%10.3f", figure.value) + " " + figure.unit
        }
        return ([benchmark] + lines).joined(separator: "\n")
    }

    /// One line of JSON. Names and units are our own words and need no escaping.
    var json: String {
        let list = figures.map { figure in
            "{\"name\":\"\(figure.name)\",\"value\":\(figure.value),\"unit\":\"\(figure.unit)\"}"
        }
        let processors = ProcessInfo.processInfo.activeProcessorCount
        return
            "{\"benchmark\":\"\(benchmark)\",\"processors\":\(processors),\"figures\":[\(list.joined(separator: ","))]}"
    }
}

enum Samples {
    /// The nearest-rank percentile.
    static func percentile(_ values: [Int64], _ share: Double) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return .nan }
        return Double(sorted[min(sorted.count - 1, max(0, Int((Double(sorted.count) * share).rounded(.up)) - 1))])
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }
}

/// A folder that is removed at the end.
final class WorkFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "nightjar-bench-\(ThisProcess.id)"
        try Files.createDirectories(path)
    }

    deinit { try? Files.removeTree(path) }

    func write(_ name: String, _ text: String) throws -> String {
        try AtomicFile.write(Array(text.utf8), to: "\(path)/\(name)", durable: false)
        return "\(path)/\(name)"
    }
}

enum Programs {
    private static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// The program under measurement, built beside this one.
    static func nightjar() throws -> String {
        let path = "\(folder)/nightjar"
        guard Files.isExecutable(path) else { throw BenchError("there is no \(path): build nightjar first") }
        return path
    }

    static let bench = "\(folder)/nightjar-bench"
    static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"]
}

/// What the kernel says about a process.
struct ProcessFigures {
    var residentKilobytes = 0.0
    var anonymousKilobytes = 0.0
    var peakKilobytes = 0.0
    var threads = 0.0
    var descriptors = 0.0
    /// User and system time of all its threads, also of those that have ended.
    var processorNanoseconds = 0.0

    init(_ pid: String) throws {
        let root = "/proc/\(pid)"
        let status = try Self.members("\(root)/status")
        residentKilobytes = status["VmRSS"] ?? 0
        anonymousKilobytes = status["RssAnon"] ?? 0
        peakKilobytes = status["VmHWM"] ?? 0
        threads = status["Threads"] ?? 0
        descriptors = Double(try Files.list("\(root)/fd").count)
        processorNanoseconds = Self.processorTime(of: pid)
    }

    /// The processor clock of a process has the number `~pid << 3 | 2` (clock_getcpuclockid(3) on Linux).
    private static func processorTime(of pid: String) -> Double {
        let clock = Int32(pid).map { ~$0 << 3 | 2 } ?? CLOCK_PROCESS_CPUTIME_ID
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return .nan }
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    private static func members(_ path: String) throws -> [String: Double] {
        let text = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        return text.split(separator: "\n").reduce(into: [:]) { members, line in
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
            if parts.count > 1, let value = Double(parts[1]) { members[String(parts[0])] = value }
        }
    }
}
