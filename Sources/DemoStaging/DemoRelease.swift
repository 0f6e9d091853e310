// SPDX-License-Identifier: Apache-2.0
// What a deployed release says about itself: its revision, and the behavior that its service.json asks for.

internal import Foundation

/// The behavior of the staging service, as `service.json` of a release decides it.
struct DemoRelease: Hashable, Sendable {
    /// How answers and messages reach their readers.
    enum Delivery: Hashable, Sendable {
        case immediate
        /// Held back until so many are waiting. With less traffic than that, for ever.
        case batched(Int)
    }

    var revision: String
    var greeting: String
    var threads: Int
    var pageSize: Int
    var partials: Int
    var streamInterval: Duration
    var delivery: Delivery

    /// Reads the files `REVISION` and `service.json` in `folder`.
    static func read(_ folder: String) throws(DemoError) -> DemoRelease {
        let revision = try text(folder + "/REVISION").trimmingCharacters(in: .whitespacesAndNewlines)
        let path = folder + "/service.json"
        guard let settings = DemoJSON(parsing: try text(path)) else {
            throw .badRelease(path: path, reason: "it is not JSON")
        }
        return try DemoRelease(revision: revision, settings: settings, path: path)
    }

    init(revision: String, settings: DemoJSON, path: String) throws(DemoError) {
        func number(_ section: String, _ key: String) throws(DemoError) -> Int {
            guard let number = settings[section]?[key]?.number, (1...10_000).contains(number) else {
                throw .badRelease(path: path, reason: "\(section).\(key) is not a number from 1 to 10000")
            }
            return number
        }
        guard let greeting = settings["greeting"]?.text else {
            throw .badRelease(path: path, reason: "greeting is not a text")
        }
        self.revision = revision
        self.greeting = greeting
        threads = try number("threads", "total")
        pageSize = try number("threads", "pageSize")
        partials = try number("stream", "partials")
        streamInterval = .milliseconds(try number("stream", "intervalMilliseconds"))
        switch settings["delivery"]?["mode"]?.text {
        case "immediate": delivery = .immediate
        case "batched": delivery = .batched(try number("delivery", "batchSize"))
        default: throw .badRelease(path: path, reason: "delivery.mode is neither immediate nor batched")
        }
    }

    private static func text(_ path: String) throws(DemoError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .badRelease(path: path, reason: "it cannot be read (\(error.localizedDescription))")
        }
    }
}

/// What can go wrong while the demo is set up.
package enum DemoError: Error, Hashable, Sendable {
    case badRelease(path: String, reason: String)
    case file(path: String, reason: String)
    case command(String, status: Int32, output: String)
    case badLayout(String)
}

extension DemoError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badRelease(let path, let reason): "cannot serve the release with \(path): \(reason)"
        case .file(let path, let reason): "cannot write \(path): \(reason)"
        case .command(let command, let status, let output): "cannot run \(command): it ended with \(status): \(output)"
        case .badLayout(let reason): "cannot set up the demo: \(reason)"
        }
    }
}
