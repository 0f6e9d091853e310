// SPDX-License-Identifier: Apache-2.0
// The addresses that this module can open: http and ws over plain sockets, https and wss through openssl.

/// A parsed `http://`, `https://`, `ws://` or `wss://` address.
package struct HTTPAddress: Hashable, Sendable {
    package var host: String
    package var port: UInt16
    /// Whether it asks for TLS.
    package var isSecure: Bool
    /// The path and query as they go into the request line.
    package var target: String

    /// What the `Host` header says: the port only where it is not the usual one, brackets around an IPv6 address.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Parses `text`, whose scheme must be one of `schemes` or the same with TLS. The fragment is dropped.
    package init(_ text: String, schemes: [String] = ["http"]) throws(HTTPError) {
        let printable = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard printable else {
            throw .badAddress(text, reason: "it contains a space or a character outside ASCII; encode it with %XX")
        }
        guard let colon = text.range(of: "://") else {
            throw .badAddress(text, reason: "it has no scheme; write \(schemes[0])://host/path")
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        isSecure = scheme == "https" || scheme == "wss"
        guard schemes.contains(isSecure ? String(scheme.dropLast()) : scheme) else {
            let known = schemes.flatMap { [$0, $0 + "s"] }.joined(separator: ", ")
            throw .badAddress(text, reason: "the scheme \(scheme) is not one of \(known)")
        }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw .badAddress(text, reason: "a user name in an address ends up in logs; send a header instead")
        }
        let target = String(rest[authority.endIndex...])
        self.target = target.hasPrefix("/") ? target : "/" + target
        (host, port) = try Self.split(authority, usual: isSecure ? 443 : 80, of: text)
    }

    private static func split(
        _ authority: Substring, usual: UInt16, of text: String
    ) throws(HTTPError) -> (String, UInt16) {
        var host = authority
        var port = usual
        let closing = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), closing.map({ $0 < colon }) ?? true {
            host = authority[..<colon]
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else {
                throw .badAddress(text, reason: "the port is not a number from 1 to 65535")
            }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw .badAddress(text, reason: "it names no host") }
        return (String(host), port)
    }
}

extension String {
    /// Where `needle` first occurs. The standard library has this only for collections of its own kind.
    fileprivate func range(of needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            let rest = self[start...]
            if rest.hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
