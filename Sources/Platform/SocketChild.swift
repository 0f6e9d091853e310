// SPDX-License-Identifier: Apache-2.0
// A small command whose standard input and output are one socket of ours: how TLS is borrowed from openssl.

internal import CShims
internal import Glibc
internal import Synchronization

/// A child that we talk to over a socket. It is ended and reaped at the latest when the last reference goes.
package final class SocketChild: Sendable {
    /// Our end: what is written here is the child's standard input, what is read is its standard output.
    package let socket: Socket
    private let process: Pidfd
    private let errors: Descriptor
    private let reaped = Mutex<(isDone: Bool, end: ProcessEnd?)>((false, nil))

    /// Starts the command in a group of its own.
    ///
    /// - Parameters:
    ///   - argv: the program is searched in the PATH of `environment`.
    ///   - environment: the complete environment, `NAME=value`.
    package init(
        _ argv: [String], environment: [String], workingDirectory: String? = nil
    ) throws(SystemError) {
        let ends: (near: Socket, far: Socket)
        do throws(SocketError) {
            let (near, far) = try Socket.pair()
            ends = (near, far)
        } catch {
            throw SystemError(code: EMFILE, attempted: "create", path: "a socket pair")
        }
        // The child knows nothing of sockets that do not wait.
        _ = fcntl(ends.far.descriptor, F_SETFL, fcntl(ends.far.descriptor, F_GETFL) & ~O_NONBLOCK)
        // A file, not a pipe: nobody has to read along, and what was said last is there when the child has ended.
        errors = try Descriptor.memory([])
        let spawn = ChildSpawn(
            arguments: argv, environment: environment, workingDirectory: workingDirectory, standing: .ownGroup)
        let far = ends.far.descriptor
        let pid = try spawn.start(input: far, output: far, error: errors.number)
        do throws(SystemError) {
            process = try Pidfd(pid)
        } catch {
            kill(pid, SIGKILL)
            _ = uninterrupted { waitpid(pid, nil, 0) }
            throw error
        }
        socket = ends.near
    }

    /// What the child has said on standard error, at most 4 KiB of its end.
    package var errorText: String {
        let limit = 4096
        var bytes = [UInt8](repeating: 0, count: limit)
        let start = max(0, (errors.size ?? 0) - Int64(limit))
        let count = pread(errors.number, &bytes, limit, off_t(start))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Waits until the child has ended, so that `errorText` is complete; false at the deadline.
    package func waitForEnd(deadline: SocketDeadline) -> Bool {
        while !process.hasEnded {
            if deadline.isPast { return false }
            var entry = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, deadline.pollMilliseconds)
        }
        return true
    }

    /// Ends the child at once. Harmless when repeated.
    package func end() {
        socket.shutdown()
        reap()
    }

    @discardableResult
    private func reap() -> ProcessEnd? {
        reaped.withLock { reaped in
            guard !reaped.isDone else { return reaped.end }
            process.send(SIGKILL)
            var status: Int32 = 0
            _ = uninterrupted { waitpid(process.pid, &status, 0) }
            reaped = (true, ProcessEnd(status: status))
            return reaped.end
        }
    }

    /// Waits for the end of a command that is only run for its effect: nil at the deadline, when it is ended. What it
    /// prints is read and returned, at most 4 KiB of it; what it leaves in the background holds nothing up.
    package func finish(deadline: SocketDeadline) -> (end: ProcessEnd?, output: String) {
        var output: [UInt8] = []
        var isOpen = true
        while !process.hasEnded, !deadline.isPast {
            let slice = deadline.atMost(.milliseconds(20))
            if isOpen, let bytes = try? socket.read(upTo: 4096, deadline: slice) {
                isOpen = !bytes.isEmpty
                output = Array((output + bytes).suffix(4096))
            } else {
                _ = waitForEnd(deadline: slice)
            }
        }
        let isInTime = process.hasEnded
        let end = reap()
        return (isInTime ? end : nil, String(decoding: output, as: UTF8.self) + errorText)
    }

    deinit { end() }
}
