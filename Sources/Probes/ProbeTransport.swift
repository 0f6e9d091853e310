// SPDX-License-Identifier: Apache-2.0
// The three ways to reach an environment, as values: what to ask is decided elsewhere, how it travels here.

/// A small command to run for a check.
package struct ProbeCommand: Hashable, Sendable {
    package var arguments: [String]
    /// Added to, or put over, the environment of the daemon.
    package var environment: [String: String]
    /// Names of secrets to hand over by environment.
    package var secrets: [String]
    package var workingDirectory: String?
    package var input: [UInt8]
    package var timeout: Duration
    /// What is kept of each output stream, in bytes; one more tells that there was more.
    package var outputLimit: Int

    package init(
        arguments: [String], environment: [String: String] = [:], secrets: [String] = [],
        workingDirectory: String? = nil, input: [UInt8] = [], timeout: Duration, outputLimit: Int
    ) {
        self.arguments = arguments
        self.environment = environment
        self.secrets = secrets
        self.workingDirectory = workingDirectory
        self.input = input
        self.timeout = timeout
        self.outputLimit = outputLimit
    }
}

/// How a small command ended.
package enum ProbeCommandEnd: Hashable, Sendable {
    case exited(Int32)
    case signaled(Int32)
    case timedOut
    case didNotStart(String)
}

package struct ProbeCommandReply: Hashable, Sendable {
    package var end: ProbeCommandEnd
    package var output: [UInt8]
    package var errors: [UInt8]
    package var milliseconds: Double

    package init(end: ProbeCommandEnd, output: [UInt8] = [], errors: [UInt8] = [], milliseconds: Double = 0) {
        self.end = end
        self.output = output
        self.errors = errors
        self.milliseconds = milliseconds
    }
}

/// A plain `http://` request that needs neither TLS nor a proxy.
package struct PlainRequest: Hashable, Sendable {
    package var url: String
    package var method: String
    package var headers: [String: String]
    package var body: String?
    package var timeout: Duration

    package init(url: String, method: String, headers: [String: String], body: String?, timeout: Duration) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

/// How questions travel. Tests put their own functions here; `ProbeTransport.system` uses sockets and commands.
package struct ProbeTransport: Sendable {
    package var run: @Sendable (ProbeCommand) async -> ProbeCommandReply
    package var exchange: @Sendable (PlainRequest) async -> ProbeReply
    package var connect: @Sendable (_ host: String, _ port: Int, _ timeout: Duration) async -> ProbeReply

    package init(
        run: @escaping @Sendable (ProbeCommand) async -> ProbeCommandReply,
        exchange: @escaping @Sendable (PlainRequest) async -> ProbeReply,
        connect: @escaping @Sendable (_ host: String, _ port: Int, _ timeout: Duration) async -> ProbeReply
    ) {
        self.run = run
        self.exchange = exchange
        self.connect = connect
    }
}
