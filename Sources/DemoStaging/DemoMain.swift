// SPDX-License-Identifier: Apache-2.0
// The hidden subcommands of the demo: `__demo-service`, `__demo-check`, `__demo-live` and `__demo-echo`.

internal import Foundation
internal import Platform

/// The entry to the hidden subcommands.
package enum DemoMain {
    /// Runs the hidden subcommand that `arguments` (with the program's name first) ask for, and returns its exit code; nil
    /// where they ask for something else. Blocks the calling thread: to be called from the main thread before anything else.
    package static func runIfAsked(_ arguments: [String]) -> Int32? {
        let rest = Array(arguments.dropFirst(2))
        switch arguments.dropFirst().first {
        case "__demo-service": return serve(rest)
        case "__demo-live":
            guard let status = LiveMain.run(rest, program: ownPath ?? arguments[0]) else {
                write(LiveMain.usage, to: .standardError)
                return 2
            }
            return status
        case "__demo-echo":
            guard let status = EchoPeer(print: { write($0, to: .standardOutput) }).run(rest) else {
                write(EchoPeer.usage, to: .standardError)
                return 2
            }
            return status
        case "__demo-check":
            guard let check = DemoCheck(arguments: rest, print: { write($0, to: .standardOutput) }) else {
                write(DemoCheck.usage, to: .standardError)
                return DemoCheck.Exit.usage
            }
            return check.run()
        default: return nil
        }
    }

    /// Where this program is, whatever name it was started with.
    private static var ownPath: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    private static func serve(_ arguments: [String]) -> Int32 {
        var options: [String: String] = [:]
        for index in stride(from: 0, to: arguments.count - 1, by: 2) {
            options[arguments[index]] = arguments[index + 1]
        }
        let known = Set(options.keys).isSubset(of: ["--root", "--release", "--port"])
        guard arguments.count.isMultiple(of: 2), known, let root = options["--root"],
            let port = UInt16(options["--port"] ?? "0")
        else {
            write("usage: nightjar __demo-service --root DIR [--release DIR] [--port PORT]\n", to: .standardError)
            return 2
        }
        let log: DemoService.Log = { line in
            let seconds = Double(SystemClock.wallMilliseconds) / 1000
            let time = Date(timeIntervalSince1970: seconds).formatted(
                Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            write("\(time) \(line)\n", to: .standardOutput)
        }
        do {
            let release = try DemoRelease.read(options["--release"] ?? root + "/current")
            let service = try DemoService(release: release, port: port, log: log)
            // The port comes last: who sees it may connect, and may read the process id.
            try DemoFiles.write("\(getpid())\n", to: root + "/service.pid")
            try DemoFiles.write("\(service.port)\n", to: root + "/port")
            service.run()
            return 0
        } catch {
            log("ERROR \(error)")
            return 1
        }
    }

    /// Writes at once, without a buffer between: followers read it live, and threads may write at the same time.
    private static func write(_ text: String, to handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
