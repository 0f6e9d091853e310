// SPDX-License-Identifier: Apache-2.0
// Speaks to a running daemon over its control socket: one JSON line there, one back.

import Domain
import Evidence
import Foundation
import Platform
import Reporting

enum ControlClient {
    /// How long a daemon may take to answer; it only writes a line to its journal.
    private static let patience = Duration.seconds(10)
    private static let replyBytes = 64 << 10

    /// Throws `notFound` where no daemon listens.
    static func ask(_ request: ControlRequest, _ loop: LoopPlace) async throws -> ControlReply {
        let path = loop.layout.controlSocket
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandError.notFound("no daemon runs loop '\(loop.name)': there is no \(path)")
        }
        let line = try JSONText.line(request) + "\n"
        let answer: [UInt8] = try await OwnThread.run { () throws(SocketError) in
            let deadline = SocketDeadline.after(patience)
            let socket = try Socket.connect(unix: path, deadline: deadline)
            try socket.write(Array(line.utf8), deadline: deadline)
            return try readLine(socket, deadline)
        } failing: { error in
            unreachable(error, loop)
        }
        guard let reply = ControlMessages.reply(answer) else {
            throw CommandError.unavailable(
                "the daemon's answer on \(path) is no reply: \(Printable.line(String(decoding: answer, as: UTF8.self)))"
            )
        }
        return reply
    }

    private static func readLine(_ socket: Socket, _ deadline: SocketDeadline) throws(SocketError) -> [UInt8] {
        var bytes: [UInt8] = []
        while !bytes.contains(UInt8(ascii: "\n")), bytes.count < replyBytes {
            let piece = try socket.read(upTo: 4096, deadline: deadline)
            if piece.isEmpty { break }
            bytes += piece
        }
        return Array(bytes.prefix { $0 != UInt8(ascii: "\n") })
    }

    private static func unreachable(_ error: SocketError, _ loop: LoopPlace) -> CommandError {
        switch error {
        case .system(operation: "connect to", let path, EACCES):
            Access.denied(path, EACCES) ?? .unavailable("\(error)")
        case .system(operation: "connect to", _, _):
            .notFound("no daemon runs loop '\(loop.name)': \(error)")
        default: .unavailable("the daemon of loop '\(loop.name)' did not answer: \(error)")
        }
    }
}

/// Blocking work on a thread of its own: tasks share two threads, which must never wait.
enum OwnThread {
    static func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value,
        failing: @escaping @Sendable (Failure) -> CommandError
    ) async throws(CommandError) -> Value {
        let result: Result<Value, CommandError> = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do throws(Failure) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(failing(error)))
                }
            }
        }
        return try result.get()
    }
}

/// What all commands that steer a daemon share.
enum ControlCommand {
    static let exits: [CommandDescription.Exit] = [
        .init(.ok, "done"), .init(.failing, "refused, with the reason"), .init(.infrastructure, "no answer"),
        .init(.notFound, "no daemon runs this loop"),
    ]
    static let options =
        CommandDescription.loopOptions + [
            .value("by", "NAME", "who says so, for the record (default: you)"), .json,
        ]

    static func send(
        _ verb: ControlRequest.Verb, argument: String? = nil, until: Timestamp? = nil, answer: ApprovalWords? = nil,
        _ context: Context
    ) async throws -> ExitCode {
        let loop = try LoopFinder.find(context)
        let by = context.arguments.value("by") ?? context.user
        let request = ControlRequest(verb: verb, by: by, argument: argument, until: until, answer: answer)
        let reply = try await ControlClient.ask(request, loop)
        if reply.ok || context.wantsJSON {
            try context.output.result(reply, json: context.wantsJSON) { Printable.line(reply.message) + "\n" }
        } else {
            context.output.problem(reply.message)
        }
        return reply.ok ? .ok : .failing
    }
}
