// SPDX-License-Identifier: Apache-2.0
// Removal of whole trees. What commands leave may have names that are no text, which `Files.list` cannot give back.

import Glibc

extension Files {
    /// Removes a file, or a folder with everything in it, following no links, whatever bytes the names are made of. No error
    /// where it is not there.
    package static func removeTree(_ path: String) throws(SystemError) {
        try removeTree(Array(path.utf8))
    }

    private static func removeTree(_ path: [UInt8]) throws(SystemError) {
        let shown = String(decoding: path, as: UTF8.self)
        var status = stat()
        if withPath(path, { lstat($0, &status) }) != 0 {
            if errno == ENOENT { return }
            throw .last("remove", shown)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            if withPath(path, { unlink($0) }) != 0, errno != ENOENT { throw .last("remove", shown) }
            return
        }
        // A stage may have left folders that even their owner cannot enter.
        _ = withPath(path) { chmod($0, 0o700) }
        for name in try rawNames(path) { try removeTree(path + [UInt8(ascii: "/")] + name) }
        if withPath(path, { rmdir($0) }) != 0, errno != ENOENT { throw .last("remove folder", shown) }
    }

    private static func rawNames(_ folder: [UInt8]) throws(SystemError) -> [[UInt8]] {
        guard let stream = withPath(folder, { opendir($0) }) else {
            throw .last("list", String(decoding: folder, as: UTF8.self))
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in Array(bytes.prefix { $0 != 0 }) }
            if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
        }
        return names
    }

    private static func withPath<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a terminated path is never empty") }
            return body(base)
        }
    }
}
