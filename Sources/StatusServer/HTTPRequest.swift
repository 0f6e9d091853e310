// SPDX-License-Identifier: Apache-2.0
// What a client asks, after everything doubtful was refused.

/// A GET or HEAD without a body (RFC 9110).
struct HTTPRequest: Hashable, Sendable {
    var isHead: Bool
    /// The target as it came, without its query; for caching.
    var target: String
    /// The decoded parts of the path, without empty ones; `/` has none.
    var path: [String]
    var query: [String: String]
    /// The host of the request, without its port, in lower case.
    var host: String?
    var authorization: String?
    /// Entity tags of If-None-Match, `*` among them.
    var knownTags: [String] = []
    var lastEventID: String?
    /// Whether the client may send another request on this connection.
    var keepsAlive: Bool
}

/// Why a request is not answered as asked. The connection ends after it, since what follows cannot be trusted to begin
/// where it seems to.
struct HTTPRefusal: Error, Hashable, Sendable {
    var status: Int
    var reason: String

    init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}

enum HeadReading: Hashable, Sendable {
    /// More bytes are needed.
    case incomplete
    /// A request, and how many bytes it took.
    case request(HTTPRequest, length: Int)
    case refused(HTTPRefusal)
}
