// SPDX-License-Identifier: Apache-2.0
// `nightjar serve`: the status page, metrics and JSON interface, as a process of its own.

import Configuration
import Domain
import Evidence
import Foundation
import Platform
import Reporting
import StatusServer
import Supervision
import Synchronization

struct ServeCommand: Command {
    static let description = CommandDescription(
        "serve", "the status page: live state, cycles, metrics and JSON over HTTP, read-only",
        details: [
            "Reads what the daemon leaves on disk and nothing else, so it may crash, be stopped or be attacked without the loop noticing. GET and HEAD only; nothing can be changed over HTTP.",
            "/ and /loops/NAME are pages that follow the loop; /metrics is for Prometheus, /healthz and /readyz for probes, /api/v1/loops for programs, /badge.svg for a README.",
        ],
        operands: [
            OperandDescription(
                "PLACE", "configuration files, or state directories with one or more loops (default: ./nightjar.json5)",
                repeats: true)
        ],
        options: [
            .value(
                "listen", "ADDRESS", "numeric address and port (default 127.0.0.1:8787); port 0 takes a free one"),
            .value(
                "token-file", "FILE", "ask every client for the token in this file; needed beyond loopback",
                completion: .file),
            .value("host", "NAME", "answer to this host name too, such as that of a proxy", repeats: true),
            .flag("json", "say as JSON where it listens, once it does"),
        ],
        examples: [
            .init("nightjar serve", "The loop of ./nightjar.json5 on http://127.0.0.1:8787/."),
            .init("nightjar serve /var/lib/nightjar", "All loops below that directory; no configuration is read."),
            .init(
                "nightjar serve --listen 0.0.0.0:8787 --token-file /etc/nightjar/page.token --host ci.example.org",
                "For others, with a token; put TLS in front of it."),
        ],
        exits: [
            .init(.ok, "stopped as asked"), .init(.usage, "wrong options, or an open address without a token"),
            .init(.infrastructure, "the address cannot be listened on"), .init(.notFound, "no such loop"),
        ])

    struct Answer: Codable {
        var address: String
        var loops: [String]
    }

    func run(_ context: Context) async throws -> ExitCode {
        let loops = try places(context)
        let options = try options(context)
        let server: StatusServer
        do {
            server = try StatusServer(loops, options)
        } catch {
            throw CommandError.unavailable("\(error)")
        }
        let host = options.listen.host.contains(":") ? "[\(options.listen.host)]" : options.listen.host
        let names = loops.map(\.name).joined(separator: ", ")
        let address = "http://\(host):\(server.port)/"
        let answer = Answer(address: address, loops: loops.map(\.name))
        context.output.line(context.wantsJSON ? try JSONText.line(answer) : "serving \(names) on \(address)")
        SignalSource.setDispositions()
        _ = ThisProcess.allowDescriptors(options.limits.connections + 64)
        try SignalSource.start([SignalSource.terminate, SignalSource.interrupt]) { _ in server.stop() }
        let manager = context.environment["NOTIFY_SOCKET"]
        if let manager { try? UnixDatagram.send(Array("READY=1\nSTATUS=serving \(names)".utf8), to: manager) }
        let failure = await withCheckedContinuation { continuation in
            let body: @Sendable () -> Void = {
                do throws(SystemError) {
                    try server.run()
                    continuation.resume(returning: String?.none)
                } catch {
                    continuation.resume(returning: "\(error)")
                }
            }
            do throws(SystemError) {
                try PlatformThread.start("page", body)
            } catch {
                continuation.resume(returning: "\(error)")
            }
        }
        if let failure { throw CommandError.unavailable(failure) }
        return .ok
    }

    // MARK: Options

    private func options(_ context: Context) throws(CommandError) -> ServerOptions {
        let text = context.arguments.value("listen") ?? "127.0.0.1:8787"
        guard let listen = ListenAddress(text) else {
            throw .usage(
                "--listen \(text): found no numeric address with a port, such as 127.0.0.1:8787 or [::1]:8787",
                command: "serve")
        }
        let token = try context.arguments.value("token-file").map { file throws(CommandError) in
            try self.token(in: file, context)
        }
        guard listen.isLoopback || token != nil else {
            throw .usage(
                "--listen \(text) can be reached from other machines, and evidence may hold what they should not see: "
                    + "add --token-file FILE, or listen on 127.0.0.1 and put a proxy or ssh -L in front",
                command: "serve")
        }
        return ServerOptions(
            listen: listen, hosts: context.arguments.all("host"), token: token, version: NightjarVersion.number,
            now: context.now)
    }

    /// Anybody may read a token that has other readers than its owner and a group that was chosen for it.
    private func token(in file: String, _ context: Context) throws(CommandError) -> String {
        let path = context.absolute(file)
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(path, limit: 4096)
        } catch {
            throw .usage("--token-file \(file): \(error)", command: "serve")
        }
        let token = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard token.utf8.count >= 16, token.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw .usage(
                "--token-file \(file): a token is one line of at least 16 visible ASCII characters, such as from: openssl rand -hex 24",
                command: "serve")
        }
        return token
    }

    // MARK: Loops

    private func places(_ context: Context) throws(CommandError) -> [ServedLoop] {
        let words = context.arguments.operands.isEmpty ? [SettingsFile.defaultName] : context.arguments.operands
        var places: [LoopPlace] = []
        for word in words { places += try loops(word, context) }
        for (index, place) in places.enumerated() where places[..<index].contains(where: { $0.name == place.name }) {
            throw .usage("two loops are named '\(place.name)': serve them apart", command: "serve")
        }
        return places.map { place in
            let memory = Mutex(StatusMemory(place.layout))
            return ServedLoop(name: place.name, layout: place.layout) { now in
                try memory.withLock { try StatusReader(place, now: now).reading(&$0) }
            }
        }
    }

    /// A folder is a state directory, or the folder of one loop; anything else a configuration file.
    private func loops(_ word: String, _ context: Context) throws(CommandError) -> [LoopPlace] {
        let path = context.absolute(word)
        guard Files.kind(of: path, followingLinks: true) == .directory else {
            let settings = try SettingsLoader.load(path, context).settings
            return [
                LoopPlace(
                    name: settings.name, layout: EvidenceLayout(root: settings.stateDirectory), settings: settings)
            ]
        }
        let found = LoopFinder.all(in: path)
        guard !found.isEmpty else { throw .notFound("there is no loop in \(word)") }
        return found
    }
}
