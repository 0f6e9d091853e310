// SPDX-License-Identifier: Apache-2.0
// The status page as a process of its own: it reads what the daemon leaves on disk and answers GET and HEAD.

import Domain
package import Platform

package final class StatusServer: Sendable {
    /// The port it listens on, also where 0 was asked for.
    package let port: UInt16
    private let socket: ServerSocket
    private let router: Router
    private let options: ServerOptions
    private let mailbox: Mailbox
    private let counts = ServerCounts()

    /// Binds at once, so that what is wrong with the address is said before anything runs. The first look at the files is
    /// made by the first who asks.
    package init(_ loops: [ServedLoop], _ options: ServerOptions) throws {
        self.options = options
        socket = try ServerSocket(options.listen)
        port = socket.port
        mailbox = try Mailbox()
        let epoch = String(options.now().milliseconds, radix: 36)
        router = Router(
            loops: loops, options: options, keeper: BoardKeeper(loops: loops, options: options), counts: counts,
            epoch: epoch)
    }

    /// Serves on the calling thread until `stop()`.
    package func run() throws(SystemError) {
        let loop = try ServerLoop(
            socket: socket, router: router, options: options, mailbox: mailbox, counts: counts)
        try loop.run()
    }

    /// From any thread.
    package func stop() { mailbox.post(.stop) }
}
