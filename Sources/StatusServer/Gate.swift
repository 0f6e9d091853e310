// SPDX-License-Identifier: Apache-2.0
// Who may ask: the Host field against DNS rebinding, and the token where one is set.

import Foundation
import Platform

struct Gate: Sendable {
    /// What a request may see.
    enum Passage: Hashable, Sendable {
        case all
        /// Whether things are well, in one word.
        case healthOnly
        case refused(Int, String)
    }

    private let names: Set<String>
    /// Of the token, so that comparing takes the same time whatever is compared.
    private let tokenHash: [UInt8]?

    init(hosts: [String], token: String?) {
        names = Set(hosts).union(["localhost"])
        tokenHash = token.map { Gate.hash($0) }
    }

    func judge(_ request: HTTPRequest) -> Passage {
        guard request.host.map(isAllowed) ?? true else {
            return .refused(
                421, "this server is not known by that name; nightjar serve --host NAME makes it known")
        }
        guard let tokenHash else { return .all }
        if let given = Gate.token(request.authorization), Gate.isEqual(Gate.hash(given), tokenHash) { return .all }
        if request.path == ["healthz"] || request.path == ["readyz"] { return .healthOnly }
        return .refused(401, "this server wants a token: Authorization: Bearer TOKEN, or the token as the password")
    }

    /// A page of a stranger reaches this server under the stranger's name, never under a numeric address.
    private func isAllowed(_ host: String) -> Bool {
        if names.contains(host) { return true }
        if host.hasPrefix("[") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The token of `Bearer TOKEN`, or the password of `Basic`, which is what a browser can send (RFC 6750, RFC 7617).
    private static func token(_ field: String?) -> String? {
        guard let field else { return nil }
        let words = field.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return words[1]
        case "basic":
            guard let data = Data(base64Encoded: words[1]) else { return nil }
            let pair = String(decoding: data, as: UTF8.self)
            return pair.firstIndex(of: ":").map { String(pair[pair.index(after: $0)...]) }
        default: return nil
        }
    }

    private static func hash(_ text: String) -> [UInt8] { Array(SHA256.hex(of: Array(text.utf8)).utf8) }

    /// Looks at every byte, whether an earlier one differs or not.
    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        var difference: UInt8 = left.count == right.count ? 0 : 1
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
