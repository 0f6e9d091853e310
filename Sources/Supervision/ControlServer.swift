// SPDX-License-Identifier: Apache-2.0
// The Unix socket over which operators speak to a running loop: one request line, one reply line. The file system
// guards it: the socket is 0600 in a 0700 folder, and the peer must be the same user or root.

import Dispatch
import Domain
import Evidence
import Platform

final class ControlServer: Sendable {
    private let listener: SocketListener
    private let path: String

    private let ended = DispatchSemaphore(value: 0)

    /// A peer that says nothing is let go after this; others wait for it.
    private static let patience = Duration.seconds(1)

    /// Listens at `path` and answers each request with `answer`, which is told the user who asks, on a thread of its own.
    init(
        path: String, answer: @escaping @Sendable (ControlRequest, _ uid: UInt32) -> ControlReply
    ) throws {
        self.path = path
        listener = try SocketListener.unix(path: path)
        let (listener, ended) = (listener, ended)
        try PlatformThread.start("control") {
            while true {
                do throws(SocketError) {
                    ControlServer.serve(try listener.accept(), answer)
                } catch {
                    if case .closed = error { break }
                    // No descriptor is left, for example: that passes, and operators must be heard afterwards.
                    _ = ended.wait(timeout: .now() + .milliseconds(250))
                }
            }
            ended.signal()
        }
    }

    /// Lets the answer that is on its way go out (to `stop`, for example), and listens no more. The socket's name is
    /// removed where it is still ours.
    func close(isOurs: Bool = true) {
        listener.shutdown()
        _ = ended.wait(timeout: .now() + .seconds(1))
        if isOurs { try? Files.remove(path) }
    }

    private static func serve(_ socket: Socket, _ answer: (ControlRequest, UInt32) -> ControlReply) {
        let deadline = SocketDeadline.after(patience)
        var line: [UInt8] = []
        while !line.contains(10), line.count < Limits.controlRequestBytes {
            guard let bytes = try? socket.read(upTo: 4096, deadline: deadline), !bytes.isEmpty else { break }
            line += bytes
        }
        let reply: ControlReply
        if let uid = allowedUser(socket) {
            reply =
                ControlMessages.request(line).map { answer($0, uid) }
                ?? ControlReply(ok: false, message: "the request is no line of JSON with a known verb")
        } else {
            reply = ControlReply(ok: false, message: "refused: only the daemon's own user or root may control it")
        }
        try? socket.write(ControlMessages.line(reply), deadline: .after(patience))
    }

    /// Who is at the other end, as the kernel tells it (SO_PEERCRED); nil for whoever may not steer the loop.
    private static func allowedUser(_ socket: Socket) -> UInt32? {
        guard let peer = try? socket.peerCredentials() else { return nil }
        return peer.user == 0 || peer.user == ThisProcess.userID ? peer.user : nil
    }
}
