// SPDX-License-Identifier: Apache-2.0
// The hidden subcommand `__demo-live`: starts the live service, and restarts one that runs.

internal import Foundation
internal import Platform

/// The hidden subcommand `__demo-live`.
enum LiveMain {
    static let usage = """
        usage: nightjar __demo-live --root DIR [--port PORT] [--break NAME]
               nightjar __demo-live --restart DIR
        NAME is one of \(LiveBreakage.allCases.map(\.rawValue).joined(separator: ", "))

        """

    /// Runs it; nil where the arguments are wrong. Blocks the calling thread.
    static func run(_ arguments: [String], program: String) -> Int32? {
        if arguments.count == 2, arguments[0] == "--restart" { return restart(arguments[1], program: program) }
        var options: [String: String] = [:]
        for index in stride(from: 0, to: arguments.count - 1, by: 2) {
            options[arguments[index]] = arguments[index + 1]
        }
        let names = (options["--break"] ?? "").split(separator: "+").map(String.init)
        let breakages = names.compactMap(LiveBreakage.init)
        guard arguments.count.isMultiple(of: 2), Set(options.keys).isSubset(of: ["--root", "--port", "--break"]),
            let root = options["--root"], let port = UInt16(options["--port"] ?? "0"), breakages.count == names.count
        else { return nil }
        return serve(root, port: port, breakages: Set(breakages))
    }

    private static func serve(_ root: String, port: UInt16, breakages: Set<LiveBreakage>) -> Int32 {
        do {
            try DemoFiles.makeDirectory(root)
            let service = try LiveService(folder: root, port: port, breakages: breakages)
            try SignalSource.start([SignalSource.terminate, SignalSource.interrupt]) { _ in service.stop() }
            let names = breakages.map(\.rawValue).sorted().joined(separator: "+")
            try DemoFiles.write("\(service.port)\n\(names)\n", to: root + "/settings")
            try DemoFiles.write("\(getpid())\n", to: root + "/service.pid")
            // The port comes last: who sees it may connect.
            try DemoFiles.write("\(service.port)\n", to: root + "/port")
            service.run()
            try? FileManager.default.removeItem(atPath: root + "/service.pid")
            return 0
        } catch {
            try? FileHandle.standardError.write(contentsOf: Data("\(error)\n".utf8))
            return 1
        }
    }

    /// Ends the service of `root` and starts it again on the same port; returns when it listens.
    private static func restart(_ root: String, program: String) -> Int32 {
        func read(_ name: String) -> [String] {
            let text = (try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)) ?? ""
            return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        if let pid = read("service.pid").first.flatMap(pid_t.init), let process = try? Pidfd(pid) {
            process.send(SignalSource.terminate)
            let limit = SocketDeadline.after(.seconds(5))
            while !process.hasEnded, !limit.isPast { usleep(5000) }
            process.send(SIGKILL)
        }
        let settings = read("settings")
        guard settings.count >= 2, let port = UInt16(settings[0]) else { return 1 }
        try? FileManager.default.removeItem(atPath: root + "/port")
        var command = [program, "__demo-live", "--root", root, "--port", settings[0]]
        if !settings[1].isEmpty { command += ["--break", settings[1]] }
        // A service belongs to nobody: a shell lets go of it, as a deploy script would.
        let words = command.map { "'\($0)'" }.joined(separator: " ")
        let shell = ["/bin/sh", "-c", "setsid nohup \(words) </dev/null >>'\(root)/live.log' 2>&1 &"]
        guard (try? DemoCommandLine.status(of: shell, environment: ["PATH": "/usr/bin:/bin"], log: "/dev/null")) == 0
        else { return 1 }
        let limit = SocketDeadline.after(.seconds(30))
        while (try? Socket.connect(host: "127.0.0.1", port: port, deadline: limit)) == nil {
            if limit.isPast { return 1 }
            usleep(5000)
        }
        return 0
    }
}
