// SPDX-License-Identifier: Apache-2.0
// A TCP proxy on this machine that makes trouble on purpose. Unprivileged; bytes of TLS pass as they are.

internal import Platform
internal import Synchronization
package import WebSocket

/// What a proxy has done so far.
package struct ProxyStatistics: Hashable, Sendable {
    package var connections = 0
    package var open = 0
    /// Connections that could not be made to the server.
    package var unreachable = 0
    /// Bytes passed on to the server, and to the client.
    package var up = 0
    package var down = 0
    /// How often each fault has struck.
    package var faults: [String: Int] = [:]

    package init() {}
}

/// A running fault proxy. One thread serves all of its connections; every method may be called from anywhere.
package final class FaultProxy: Sendable {
    /// Where connections go.
    package enum Target: Hashable, Sendable {
        case to(NetworkPath.Hop)
        /// Wherever the client asks for, as an HTTP proxy (`CONNECT`, and absolute `http://` addresses).
        case requested
    }

    /// The port it listens on.
    package let port: UInt16
    package let address: String
    private let control: ProxyControl

    /// Starts listening and serving. `rules` hold for every connection from its start; `report` gets a line for every
    /// connection and fault, on the proxy's thread.
    package init(
        address: String = "127.0.0.1", port: UInt16 = 0, target: Target, rules: [ProxyRule] = [], seed: UInt64 = 1,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        let listener = try SocketListener.tcp(address: address, port: port)
        let control = ProxyControl(poll: try SocketPoll())
        self.control = control
        self.port = listener.port
        self.address = address
        let settings = ProxySettings(
            address: address, port: listener.port, target: target, seed: seed, report: report)
        try PlatformThread.start("fault-proxy") {
            var engine = ProxyEngine(listener: listener, rules: rules, settings: settings, control: control)
            engine.run()
        }
    }

    /// The way through this proxy.
    package var hop: NetworkPath.Hop { NetworkPath.Hop(address, port) }

    /// Puts other rules in force, for the connections that are open as well.
    package func set(_ rules: [ProxyRule]) { control.post(.rules(rules)) }

    /// Ends all troubles.
    package func heal() { set([]) }

    /// Ends every open connection now: with a reset, or in order.
    package func cut(resetting: Bool) { control.post(.cut(resetting: resetting)) }

    package var statistics: ProxyStatistics { control.statistics.withLock { $0 } }

    /// Ends the listener, every connection and the thread. Harmless when repeated.
    package func stop() { control.post(.stop) }

    deinit { stop() }
}

struct ProxySettings: Sendable {
    let address: String
    let port: UInt16
    let target: FaultProxy.Target
    let seed: UInt64
    let report: @Sendable (String) -> Void
}

/// What other threads tell the proxy's own, and what it tells them.
final class ProxyControl: Sendable {
    enum Order: Sendable {
        case rules([ProxyRule])
        case cut(resetting: Bool)
        case connected(Int, Result<Socket, SocketError>, answer: Bool)
        case stop
    }

    let poll: SocketPoll
    let statistics = Mutex(ProxyStatistics())
    private let orders = Mutex<[Order]>([])

    init(poll: SocketPoll) { self.poll = poll }

    func post(_ order: Order) {
        orders.withLock { $0.append(order) }
        poll.wake()
    }

    func take() -> [Order] {
        orders.withLock { orders in
            defer { orders = [] }
            return orders
        }
    }
}
