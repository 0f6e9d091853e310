// SPDX-License-Identifier: Apache-2.0
// The message contract of a server, as a scenario file describes it: what to send, what to expect, where values are.

/// What a message must hold: JSON pointers and conditions. All of them must be met.
package struct MessagePattern: Sendable, Equatable {
    package enum Condition: Sendable, Equatable {
        case equals(JSONValue)
        case matches(String)
        case oneOf([JSONValue])
        case exists(Bool)
    }

    package var conditions: [(pointer: String, condition: Condition)]

    package static func == (left: MessagePattern, right: MessagePattern) -> Bool {
        left.conditions.elementsEqual(right.conditions) { $0.pointer == $1.pointer && $0.condition == $1.condition }
    }
}

/// Something said and the answer to it.
package struct MessageExchange: Sendable, Equatable {
    package var send: JSONValue?
    package var expect: MessagePattern?
    /// Variables to take out of the answer: name to pointer.
    package var capture: [String: String] = [:]
    /// The answer that openly says no.
    package var refused: MessagePattern?
}

/// An HTTP request that stands for an action, such as a login.
package struct HTTPAction: Sendable, Equatable {
    package var method = "POST"
    package var url = ""
    package var headers: [String: String] = [:]
    package var json: JSONValue?
    package var status: [Int] = []
    package var capture: [String: String] = [:]
    /// How long to wait afterwards, for tokens that must expire first.
    package var wait = Duration.zero
}

/// Everything that the scenarios need to know about a server. What is nil cannot be tested, and the report says so.
package struct ResilienceContract: Sendable {
    package struct Connect: Sendable, Equatable {
        package var url = ""
        package var headers: [String: String] = [:]
        package var subprotocols: [String] = []
        /// The subprotocol that the server must choose.
        package var subprotocol: String?
        package var authorities: String?
        /// What the server says by itself once the connection stands.
        package var greeting: MessageExchange?
        /// For contracts that carry the token in the first message.
        package var authenticate: MessageExchange?
        /// Messages of the server that must be answered, such as the pings of Engine.IO.
        package var answers: [MessageExchange] = []
        package var timeout = Duration.seconds(5)
    }

    package struct Stream: Sendable, Equatable {
        package var start: JSONValue = .null
        package var item = MessagePattern(conditions: [])
        package var sequence = ""
        package var end: MessagePattern?
        /// How many numbered events it brings, the end among them where it carries a number; nil where nobody says it.
        package var count: Int?
        /// For streams of any length: where the end says the number of the last event.
        package var total: String?
        package var timeout = Duration.seconds(10)

        /// How many events a stream may have that is held to its number.
        static let counts = 1...100_000
    }

    package struct Queue: Sendable, Equatable {
        /// Published from outside while the client is away; or nil where `start` on the connection makes events go on.
        package var publish: HTTPAction?
        package var start: JSONValue?
        package var item = MessagePattern(conditions: [])
        package var sequence = ""
        package var end: MessagePattern?
        /// How many events there are: to publish (nil: 25), or that `start` brings (nil: nobody says it).
        package var count: Int?

        package static let usualCount = 25
    }

    package struct Heartbeat: Sendable, Equatable {
        package var message: MessagePattern?
        /// The server's ping frames are the heartbeat, instead of messages.
        package var isPing = false
        package var interval = Duration.seconds(30)
        package var tolerance = 0.1
        /// After how long a client that answers nothing is dropped; nil where the server promises nothing.
        package var dropsSilentAfter: Duration?
    }

    package struct Restart: Sendable, Equatable {
        package var command: [String] = []
        package var timeout = Duration.seconds(60)
        /// Whether sessions are promised to survive it.
        package var keepsSessions = false
        package var trials = 3
    }

    package struct Refusal: Sendable, Equatable {
        package var status = [401, 403]
        package var close = [1008, 3000, 4401, 4403]
        package var message: MessagePattern?
    }

    /// What one connection may say, and what it is told when it says more.
    package struct RateLimit: Sendable, Equatable {
        /// So many messages are served...
        package var after = 0
        /// ...in this time.
        package var within = Duration.seconds(1)
        /// The message that refuses what is too much.
        package var answer: MessagePattern?
        /// The codes that may close the connection for it.
        package var close = [1008, 1013, 4429]
    }

    /// A failure that somebody has accepted: it makes a scenario conditional, and the report names it.
    package struct Accepted: Sendable, Equatable {
        /// The name of the case; `*` stands for anything.
        package var pattern: String
        package var reason: String
    }

    package var name = ""
    package var accepted: [Accepted] = []
    package var variables: [String: JSONValue] = [:]
    package var users: [[String: JSONValue]] = []
    package var connect = Connect()
    /// Makes the account of a user, once; an account that is there already must be among its `status`.
    package var signUp: HTTPAction?
    package var login: HTTPAction?
    package var expiredLogin: HTTPAction?
    package var expiringLogin: HTTPAction?
    /// How long the token of `expiringLogin` lasts.
    package var expiringAfter = Duration.seconds(1)
    package var resume: MessageExchange?
    /// Names of the variables that the scenarios read and write.
    package var sessionVariable = "session"
    package var tokenVariable = "token"
    package var store: MessageExchange?
    package var recall: MessageExchange?
    package var echo: MessageExchange?
    package var stream: Stream?
    package var queue: Queue?
    package var heartbeat: Heartbeat?
    package var refresh: MessageExchange?
    package var badRefresh: MessageExchange?
    package var refusal = Refusal()
    package var restart: Restart?
    package var error: MessagePattern?
    package var malformed: [String] = []
    package var messageLimit: Int?
    package var leaks: [String] = []
    package var secondAddress: String?
    /// The endpoints, `host:port`, that may be put under load: one's own.
    package var loadTargets: [String] = []
    package var rateLimit: RateLimit?
    package var prefixDigits = false
    package var trials = 20
    package var limits = ResilienceLimits()
    package var values: [String: Double] = [:]

    package init() {}
}

/// The limits of the KPIs.
package struct ResilienceLimits: Sendable, Equatable {
    package var reconnect = 500.0
    package var context = 1000.0
    package var refresh = 100.0
    package var refusal = 1000.0
    package var delivery = 99.95
    package var recovery = 30_000.0
}
