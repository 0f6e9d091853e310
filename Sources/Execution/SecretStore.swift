// SPDX-License-Identifier: Apache-2.0
// Secrets: fetched each time they are used, never kept but as needles, never printed.

package import Domain
import Foundation
import Platform
import Synchronization

/// Why a secret could not be had. Carries its name and source, never its value.
package struct SecretError: Error, Hashable, Sendable, CustomStringConvertible {
    package var name: String
    package var reason: String

    package var description: String { "could not fetch secret \(name): \(reason)" }
}

/// Fetches secrets and remembers every value it ever saw, so that output stays redacted after a secret was changed.
package final class SecretStore: Sendable, CustomStringConvertible {
    private static let commandTimeout = Duration.seconds(30)
    private static let mostBytes = 64 << 10

    private let sources: [String: SecretSource]
    private let environment: [String: String]
    private let seen = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - sources: by the name under which a command gets the secret.
    ///   - environment: the daemon's own, for secrets that come from there and for the commands that print secrets.
    package init(_ sources: [String: SecretSource], environment: [String: String]) {
        self.sources = sources
        self.environment = environment
    }

    /// Names only.
    package var description: String { "secrets " + sources.keys.sorted().joined(separator: ", ") }

    /// Every value seen so far, sorted: the needles for a run that starts now.
    package var needles: [String] { seen.withLock { $0.sorted() } }

    /// Reads what files and variables hold already, for the needles: staging may echo a token before this process was asked
    /// for it, because an earlier one used it. What only a command prints is known with its first use.
    package func learn() {
        for source in sources.values {
            switch source {
            case .file(let path):
                if let bytes = try? Files.read(path, limit: SecretStore.mostBytes) {
                    remember(SecretStore.trimmed(bytes))
                }
            case .environment(let variable): environment[variable].map(remember)
            case .command: continue
            }
        }
    }

    /// Adds a value that must not be printed.
    private func remember(_ value: String) {
        if !value.isEmpty { _ = seen.withLock { $0.insert(value) } }
    }

    /// The present values of the named secrets.
    package func fetch(_ names: [String]) async throws(SecretError) -> [String: String] {
        var values: [String: String] = [:]
        for name in names { values[name] = try await fetch(name) }
        return values
    }

    /// The present value of one secret, without the line end that a file or command has after it.
    package func fetch(_ name: String) async throws(SecretError) -> String {
        guard let source = sources[name] else {
            throw SecretError(name: name, reason: "the configuration has no such secret; declare it under 'secrets'")
        }
        let value = try await read(source, name)
        guard !value.isEmpty else { throw SecretError(name: name, reason: "\(SecretStore.text(source)) is empty") }
        remember(value)
        return value
    }

    private func read(_ source: SecretSource, _ name: String) async throws(SecretError) -> String {
        do throws(SystemError) {
            switch source {
            case .file(let path):
                return SecretStore.trimmed(try Files.read(path, limit: SecretStore.mostBytes))
            case .environment(let variable):
                guard let value = environment[variable] else {
                    throw SystemError(code: ENOENT, attempted: "read", path: "environment variable \(variable)")
                }
                return value
            case .command(let words):
                let output = try await HelperCommand.run(
                    words, environment: environment, timeout: SecretStore.commandTimeout,
                    outputLimit: SecretStore.mostBytes)
                let value = SecretStore.trimmed(output.standardOutput)
                if !value.isEmpty { remember(value) }
                guard output.succeeded, !output.truncated else {
                    throw SystemError(
                        code: output.timedOut ? ETIMEDOUT : EIO, attempted: "run",
                        path: "\(words.first ?? "") (exit \(output.exit.map { String($0) } ?? "none"))")
                }
                return value
            }
        } catch {
            throw SecretError(name: name, reason: error.description)
        }
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 10 || bytes[end - 1] == 13 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    private static func text(_ source: SecretSource) -> String {
        switch source {
        case .file(let path): "file \(path)"
        case .environment(let name): "environment variable \(name)"
        case .command(let words): "the output of \(words.first ?? "its command")"
        }
    }
}
