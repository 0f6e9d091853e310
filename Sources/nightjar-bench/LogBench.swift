// SPDX-License-Identifier: Apache-2.0
//
// Mining of log templates, beside drain3 (the reference in Python), grep and awk on the same bytes. The readers take
// turns; each of the others runs in a process of its own. drain3 reads a part, because it is slow.

import Foundation
import Platform
import Triage

enum LogBench {
    static func run(_ arguments: BenchArguments, _ report: inout BenchReport) throws {
        let megabytes = arguments.number("megabytes", standard: 200)
        let rounds = arguments.number("rounds", standard: 5)
        let folder = try WorkFolder()
        for (label, line) in [("JSON lines", json), ("plain lines", plain)] {
            let file = try write(folder, label.replacing(" ", with: "-"), megabytes << 20, line)
            let part = try write(folder, "part", min(megabytes, 8) << 20, line)
            var rates: [String: [Double]] = [:]
            for _ in 0..<rounds {
                let (rate, profile) = try mine(file)
                rates["nightjar", default: []].append(rate)
                if rates["nightjar"]?.count == 1 {
                    report.add("\(label), templates", Double(profile.templates.count), "")
                    report.add("\(label), bytes per line", Double(profile.bytes) / Double(max(1, profile.lines)), "")
                }
                for (name, command, input) in peers(file, part) {
                    guard let rate = try time(command, input) else { continue }
                    rates[name, default: []].append(rate)
                }
            }
            for name in ["nightjar", "grep -c error", "awk, digits masked", "drain3"] {
                guard let taken = rates[name] else { continue }
                report.add("\(label), \(name)", Samples.median(taken), "MB/s")
            }
        }
        report.add("peak memory of nightjar-bench", Double(peakKibibytes()) / 1024, "MiB")
    }

    // MARK: - Logs like those of services

    private static func json(_ index: Int) -> String {
        let time = "2026-11-21T04:\(10 + index / 60 % 50):\(10 + index % 50).\(100 + index % 900)Z"
        switch index % 200 {
        case 0:
            return
                #"{"ts": "\#(time)", "level": "error", "service": "backend", "logger": "app", "msg": "unhandled error in request \#(index)", "exc_info": "Traceback (most recent call last):\n  File \"store.py\", line 12, in save\nStoreError: no column named topic_\#(index % 7)"}"#
                + "\n"
        case let kind where kind % 3 == 0:
            return
                #"{"ts": "\#(time)", "level": "info", "service": "auth", "logger": "auth.tokens", "msg": "token of user u\#(index % 5000) checked in \#(index % 40) ms"}"#
                + "\n"
        default:
            return
                #"{"ts": "\#(time)", "level": "info", "service": "gateway", "logger": "http", "msg": "GET /api/threads/\#(index)/messages", "status": 200, "ms": \#(index % 90)}"#
                + "\n"
        }
    }

    private static func plain(_ index: Int) -> String {
        let time = "2026-11-21 04:\(10 + index / 60 % 50):\(10 + index % 50),\(100 + index % 900)"
        switch index % 200 {
        case 0:
            return "\(time) ERROR [worker-\(index % 8)] Store - save of message \(index) failed\n"
                + "java.io.IOException: Connection reset by peer \(index)\n"
                + (1...12).map { "\tat com.example.store.Store.save(Store.java:\($0 * 7))\n" }.joined()
        case let kind where kind % 3 == 0:
            return
                "\(time) INFO  [http-\(index % 16)] Access - 10.0.\(index % 250).\(index % 240):\(40000 + index % 20000) "
                + "\"POST /api/threads/\(index) HTTP/1.1\" 201 \(index % 4000)\n"
        default:
            return
                "\(time) DEBUG [pool-\(index % 4)-thread-\(index % 32)] Cache - entry 0x\(String(index, radix: 16)) "
                + "of session 3f2a\(index % 9000)-77c1 kept for \(index % 300) s\n"
        }
    }

    private static func write(
        _ folder: WorkFolder, _ name: String, _ bytes: Int, _ line: (Int) -> String
    ) throws -> String {
        let path = "\(folder.path)/\(name).log"
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw BenchError("could not write \(path)") }
        var (index, written) = (0, 0)
        while written < bytes {
            var piece = ""
            for _ in 0..<5000 {
                piece += line(index)
                index += 1
            }
            try file.write(contentsOf: Data(piece.utf8))
            written += piece.utf8.count
        }
        try file.close()
        return path
    }

    // MARK: - Readers

    private static func mine(_ file: String) throws -> (Double, LogProfile) {
        let started = SystemClock.monotonicNanoseconds
        let miner = LogMiner()
        miner.begin(file: "bench.log", source: "services")
        try Files.readInPieces(file) { miner.take($0) }
        let profile = miner.finish()
        let seconds = Double(SystemClock.monotonicNanoseconds - started) / 1e9
        return (Double(profile.bytes) / 1e6 / seconds, profile)
    }

    private static func peers(_ file: String, _ part: String) -> [(String, [String], String)] {
        let python = ProcessInfo.processInfo.environment["NIGHTJAR_PYTHON"] ?? "python3"
        return [
            ("grep -c error", ["grep", "-c", "-i", "error", file], file),
            ("awk, digits masked", ["awk", #"{ gsub(/[0-9]+/, "*"); n[$0]++ } END { print length(n) }"#, part], part),
            ("drain3", [python, "-c", drain, part], part),
        ]
    }

    /// Without its masks, and so with less work than ours.
    private static let drain = """
        load = __import__
        sys, time = load("sys"), load("time")
        miner = load("drain3").TemplateMiner()
        started = time.perf_counter()
        for line in open(sys.argv[1], errors="replace"):
            miner.add_log_message(line.rstrip())
        print("seconds", time.perf_counter() - started)
        """

    /// In MB/s; nil where the command is not there. drain3 tells its own time, without the start of Python.
    private static func time(_ command: [String], _ input: String) throws -> Double? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let started = SystemClock.monotonicNanoseconds
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // Without drain3 Python ends with a traceback and 1; grep and awk end with 0 here.
        guard process.terminationStatus == 0 else { return nil }
        var seconds = Double(SystemClock.monotonicNanoseconds - started) / 1e9
        if let told = text.split(separator: " ").last, text.hasPrefix("seconds") {
            seconds = Double(told.trimmingCharacters(in: .whitespacesAndNewlines)) ?? seconds
        }
        return Double(Files.size(of: input) ?? 0) / 1e6 / seconds
    }

    private static func peakKibibytes() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    }
}
