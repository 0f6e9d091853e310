// SPDX-License-Identifier: Apache-2.0
//
// The same past in SQLite, by the sqlite3 program: once with a row for every test of every run, and once as lean as ours,
// with rows only for what did not pass. Both are asked for the flake rate of one test by the rule of the index.

import Domain
import Evidence
import Foundation
import Platform

final class HistoryPeer {
    private static let rowsAtMost = 30_000_000
    private let folder: WorkFolder
    private let runs: FileHandle
    private let exceptions: FileHandle
    private var lines: (runs: String, exceptions: String) = ("", "")
    private var count = 0

    /// Nil where there is no sqlite3.
    init?(_ folder: WorkFolder) {
        guard Files.isExecutable("/usr/bin/sqlite3") else { return nil }
        self.folder = folder
        func file(_ name: String) -> FileHandle? {
            _ = FileManager.default.createFile(atPath: "\(folder.path)/\(name)", contents: nil)
            return FileHandle(forWritingAtPath: "\(folder.path)/\(name)")
        }
        guard let runs = file("runs.csv"), let exceptions = file("exceptions.csv") else { return nil }
        self.runs = runs
        self.exceptions = exceptions
    }

    /// run, cycle, revision, whole, counts; and test, run, outcome for what did not pass, with passes of reruns.
    func take(_ cycle: HistoryCycle) throws {
        for run in cycle.runs {
            count += 1
            let counts = run.isMassFailure ? 0 : 1
            lines.runs += "\(count),\(cycle.cycle),\(run.revision.id),\(run.isWhole ? 1 : 0),\(counts)\n"
            for test in run.tests where test.outcome != .passed || !run.isWhole {
                let number = test.id.utf8.reversed().prefix { (48...57).contains($0) }.reversed()
                let outcome = test.outcome == .passed ? 0 : 1
                lines.exceptions += "\(String(decoding: Array(number), as: UTF8.self)),\(count),\(outcome)\n"
            }
        }
        if lines.runs.utf8.count + lines.exceptions.utf8.count > 1 << 20 { try flush() }
    }

    private func flush() throws {
        try runs.write(contentsOf: Data(lines.runs.utf8))
        try exceptions.write(contentsOf: Data(lines.exceptions.utf8))
        lines = ("", "")
    }

    private func load(tests: Int) -> String {
        """
        PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
        CREATE TABLE run(id INTEGER PRIMARY KEY, cycle INT, revision TEXT, whole INT, counts INT);
        CREATE TABLE seen(test INT, run INT, outcome INT, PRIMARY KEY(test, run)) WITHOUT ROWID;
        .mode csv
        .import \(folder.path)/runs.csv run
        .import \(folder.path)/exceptions.csv seen
        """
    }

    private func full(tests: Int) -> String {
        """
        CREATE TABLE outcome(test INT, run INT, outcome INT, PRIMARY KEY(test, run)) WITHOUT ROWID;
        WITH RECURSIVE test(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM test WHERE id < \(tests - 1))
        INSERT INTO outcome SELECT test.id, run.id, coalesce(seen.outcome, 0) FROM test CROSS JOIN run
          LEFT JOIN seen ON seen.test = test.id AND seen.run = run.id
          WHERE run.whole OR seen.run IS NOT NULL ORDER BY test.id, run.id;
        DROP TABLE seen; VACUUM;
        """
    }

    private static func question(_ test: Int, isFull: Bool) -> String {
        let rows =
            isFull
            ? "SELECT revision, whole, outcome FROM outcome JOIN run ON run.id = run WHERE test = \(test) AND counts"
            : "SELECT revision, whole, coalesce(outcome, 0) AS outcome FROM run LEFT JOIN seen ON seen.test = \(test) "
                + "AND seen.run = run.id WHERE counts AND (whole OR seen.run IS NOT NULL)"
        return """
            WITH o AS MATERIALIZED (\(rows)),
              green AS (SELECT revision FROM o GROUP BY revision HAVING min(outcome) = 0)
            SELECT count(*), sum(outcome) FROM o WHERE whole AND revision IN green;
            """
    }

    func compare(_ asked: [Int], _ flakes: [Rate], tests: Int, _ report: inout BenchReport) throws {
        try flush()
        let lean = "\(folder.path)/lean.db"
        try sqlite(lean, load(tests: tests))
        try measure("SQLite, rows for what did not pass", lean, false, asked, flakes, &report)
        // A row for each of a hundred million outcomes takes SQLite minutes to load and gigabytes to keep.
        guard tests * count <= HistoryPeer.rowsAtMost else { return }
        let whole = "\(folder.path)/full.db"
        let begin = SystemClock.monotonicNanoseconds
        try sqlite(whole, load(tests: tests) + "\n" + full(tests: tests))
        report.add(
            "SQLite, a row for each outcome, loading", Double(SystemClock.monotonicNanoseconds - begin) / 1e9, "s")
        try measure("SQLite, a row for each outcome", whole, true, asked, flakes, &report)
    }

    private func measure(
        _ name: String, _ path: String, _ isFull: Bool, _ asked: [Int], _ flakes: [Rate], _ report: inout BenchReport
    ) throws {
        report.add("\(name), on disk", Double(Files.size(of: path) ?? 0) / 1e6, "MB")
        let cold = try asked.prefix(20).map { test -> Int64 in
            try PageCache.forget(path)
            return try timed(path, [HistoryPeer.question(test, isFull: isFull)])[0].nanoseconds
        }
        report.add("\(name), one test, cold, fresh process", nanoseconds: cold)
        let warm = try timed(
            path, ["PRAGMA cache_size=-2000000;"] + asked.map { HistoryPeer.question($0, isFull: isFull) })
        report.add("\(name), one test, warm", nanoseconds: warm.dropFirst().map(\.nanoseconds))
        for (answer, ours) in zip(warm.dropFirst(), flakes) where answer.text != "\(ours.runs)|\(ours.failures)" {
            throw BenchError("SQLite says \(answer.text), the index \(ours.runs)|\(ours.failures)")
        }
    }

    /// Each statement's answer and its time by the program's own timer.
    private func timed(_ path: String, _ statements: [String]) throws -> [(text: String, nanoseconds: Int64)] {
        let output = try sqlite(path, ".timer on\n" + statements.joined(separator: "\n") + "\n")
        var answers: [(text: String, nanoseconds: Int64)] = []
        var text = ""
        for line in output.split(separator: "\n") {
            guard line.hasPrefix("Run Time: real ") else {
                text = String(line)
                continue
            }
            let seconds = line.dropFirst(15).split(separator: " ").first.flatMap { Double($0) } ?? .nan
            answers.append((text, Int64(seconds * 1e9)))
            text = ""
        }
        guard answers.count == statements.count else {
            throw BenchError("sqlite3 timed \(answers.count) of \(statements.count) statements")
        }
        return answers
    }

    @discardableResult
    private func sqlite(_ path: String, _ script: String) throws -> String {
        let file = try folder.write("script.sql", script)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-batch", "-init", file, path, ""]
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchError("sqlite3 failed on \(path)") }
        return String(decoding: output, as: UTF8.self)
    }
}
