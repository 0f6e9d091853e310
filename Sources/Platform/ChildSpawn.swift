// SPDX-License-Identifier: Apache-2.0
// Starting a child: three descriptors, default signals, an empty mask, nothing else inherited.

import CShims
import Glibc

/// How a process ended.
package enum ProcessEnd: Hashable, Sendable {
    case exited(Int32)
    case signaled(Int32)

    /// From the status of wait4.
    package init(status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .signaled(signal)
    }
}

/// What to start.
package struct ChildSpawn: Sendable {
    package enum Standing: Sendable {
        /// Stays in the caller's group, as a terminal expects.
        case sameGroup
        case ownGroup
        /// Cut off from the terminal and from the signals of the caller's group.
        case ownSession
    }
    /// The program is searched in the PATH of `environment`, never in the caller's own.
    package var arguments: [String]
    /// The complete environment, `NAME=value`.
    package var environment: [String]
    package var workingDirectory: String?
    package var standing: Standing

    package init(arguments: [String], environment: [String], workingDirectory: String?, standing: Standing) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.standing = standing
    }

    /// Starts it; answers its pid. The caller must reap it.
    package func start(input: Descriptor, output: Descriptor, error: Descriptor) throws(SystemError) -> Int32 {
        try start(input: input.number, output: output.number, error: error.number)
    }

    /// Starts it with descriptors that somebody else keeps open.
    package func start(input: Int32, output: Int32, error: Int32) throws(SystemError) -> Int32 {
        guard let name = arguments.first, !name.isEmpty else {
            throw SystemError(code: EINVAL, attempted: "start", path: "a command without words")
        }
        if let workingDirectory, Files.kind(of: workingDirectory, followingLinks: true) != .directory {
            throw SystemError(code: ENOENT, attempted: "enter the working directory", path: workingDirectory)
        }
        let path = environment.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        guard let program = Files.executable(name, path: path, directory: workingDirectory) else {
            throw SystemError(code: ENOENT, attempted: "start", path: name)
        }
        var flags = 0
        switch standing {
        case .sameGroup: break
        case .ownGroup: flags = NJ_OWN_GROUP
        case .ownSession: flags = NJ_OWN_SESSION
        }
        var pid: Int32 = 0
        // A relative program was found from the working directory, and is looked up again after entering it.
        let spawned = name.contains("/") ? name : program
        let failure = withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                nj_spawn(&pid, spawned, argv, envp, workingDirectory, input, output, error, Int32(flags))
            }
        }
        guard failure == 0 else { throw SystemError(code: failure, attempted: "start", path: name) }
        return pid
    }
}

/// Calls `body` with a null-terminated array of C strings. Text after a NUL is cut, as the system would.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an array with a terminator is not empty") }
        return body(base)
    }
}
