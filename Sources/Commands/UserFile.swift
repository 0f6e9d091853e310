// SPDX-License-Identifier: Apache-2.0
// A file that the user named for a result.

import Foundation
import Platform

enum UserFile {
    /// Replaces a file in one step. A device, a pipe or a socket stays what it is and is written into.
    static func write(_ text: String, to path: String, shown: String) throws(CommandError) {
        do {
            switch Files.kind(of: path, followingLinks: true) {
            case nil, .file, .link:
                try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            case .directory: throw CommandError.unavailable("could not write \(shown): it is a folder")
            case .other:
                try Descriptor.open(path, O_WRONLY).writeAll(Array(text.utf8), path: path)
            }
        } catch let error as CommandError {
            throw error
        } catch let error as SystemError {
            throw .unavailable("could not write \(shown): \(SystemError.text(error.code))")
        } catch {
            throw .unavailable("could not write \(shown): \(error.localizedDescription)")
        }
    }
}
