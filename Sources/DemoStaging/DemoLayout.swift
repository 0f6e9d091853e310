// SPDX-License-Identifier: Apache-2.0
// Where the demo keeps its things.

internal import Foundation
package import Platform

/// The folder of one demo and what is in it.
package struct DemoLayout: Hashable, Sendable {
    /// The folder that holds everything; absolute.
    package let root: String
    /// The absolute path of the nightjar binary that scripts and commands call.
    package let executable: String
    /// The port of the staging service.
    package let port: UInt16

    /// Checks that the paths can be written into a shell script and a configuration.
    package init(root: String, executable: String, port: UInt16) throws(DemoError) {
        for path in [root, executable] {
            guard path.hasPrefix("/") else { throw .badLayout("the path \(path) is not absolute") }
            guard path.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !"'\"\\{}".unicodeScalars.contains($0) }) else {
                throw .badLayout("the path \(path) contains a quote, a brace, a backslash or a control character")
            }
        }
        self.root = root
        self.executable = executable
        self.port = port
    }

    /// A port of 127.0.0.1 that nobody uses now.
    package static func freePort() throws(SocketError) -> UInt16 {
        try SocketListener.loopback().port
    }

    /// The git repository with the commits that are deployed.
    package var repository: String { root + "/repository" }
    /// The staging machine: releases, log, pid and port of the running service.
    package var staging: String { root + "/staging" }
    /// Where the loop keeps its evidence.
    package var state: String { root + "/state" }
    package var configuration: String { root + "/nightjar.json5" }
    /// The address of the service.
    package var url: String { "http://127.0.0.1:\(port)" }
}

enum DemoFiles {
    static func makeDirectory(_ path: String) throws(DemoError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .file(path: path, reason: error.localizedDescription)
        }
    }

    /// Writes a file whole or not at all.
    static func write(_ text: String, to path: String, executable: Bool = false) throws(DemoError) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            if executable {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
        } catch {
            throw .file(path: path, reason: error.localizedDescription)
        }
    }
}
