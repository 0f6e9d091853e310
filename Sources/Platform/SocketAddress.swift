// SPDX-License-Identifier: Apache-2.0
// Socket addresses: numeric ones, names through the resolver, and paths of Unix sockets.

internal import Glibc
internal import Synchronization

/// An address as the kernel takes it.
struct SocketAddress: Sendable {
    private let storage: sockaddr_storage
    private let length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// Copies an address that the kernel or the resolver wrote.
    init(copying pointer: UnsafeRawPointer, length: socklen_t) {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { target in
            target.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: min(Int(length), target.count)))
        }
        self.storage = storage
        self.length = length
    }

    func withPointer<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// The numeric address that `text` spells, or nil where it is a name.
    static func numeric(_ text: String, port: UInt16) -> SocketAddress? {
        var four = sockaddr_in()
        if inet_pton(AF_INET, text, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            return SocketAddress(copying: &four, length: socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        var six = sockaddr_in6()
        if inet_pton(AF_INET6, text, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            return SocketAddress(copying: &six, length: socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
        return nil
    }

    /// The address of a Unix socket. A leading `@` means the abstract name space, as in sd_notify(3).
    static func unix(_ path: String) throws(SocketError) -> SocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        if isAbstract { name[0] = 0 }
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard !name.isEmpty else { throw .badPath(path: path, reason: "it is empty") }
        guard isAbstract || !name.contains(0) else { throw .badPath(path: path, reason: "it contains a zero byte") }
        guard name.count < capacity else {
            throw .badPath(path: path, reason: "it has \(name.count) bytes and \(capacity - 1) are allowed")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // An abstract name is as long as the length says; a path ends with its zero byte.
        let used = MemoryLayout<sa_family_t>.size + name.count + (isAbstract ? 0 : 1)
        return SocketAddress(copying: &address, length: socklen_t(used))
    }

    /// The port a bound socket got.
    static func boundPort(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }
}

extension SocketAddress {
    /// The addresses of a host, in the resolver's order of preference.
    ///
    /// `getaddrinfo` knows no deadline, so it runs on a thread of its own that is abandoned when the deadline passes; it
    /// ends by itself when the resolver gives up.
    static func resolve(
        host: String, port: UInt16, deadline: SocketDeadline
    ) throws(SocketError) -> [SocketAddress] {
        if let address = numeric(host, port: port) { return [address] }
        let (near, far) = try Socket.pair()
        let resolution = Resolution(host: host, port: port)
        try resolution.start(signaling: far)
        do {
            _ = try near.read(upTo: 1, deadline: deadline)
        } catch .timedOut {
            throw .timedOut(operation: "resolve", target: host)
        }
        return try resolution.result()
    }
}

/// One question to the resolver, asked on a thread of its own.
private final class Resolution: Sendable {
    private let host: String
    private let port: UInt16
    private let answer = Mutex<Result<[SocketAddress], SocketError>?>(nil)

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// What the thread carries: letting go of `done` closes it, which wakes the asker.
    private final class Errand: Sendable {
        let resolution: Resolution
        let done: Socket

        init(resolution: Resolution, done: Socket) {
            self.resolution = resolution
            self.done = done
        }
    }

    func start(signaling done: Socket) throws(SocketError) {
        let errand = Unmanaged.passRetained(Errand(resolution: self, done: done))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let errand = Unmanaged<Errand>.fromOpaque(raw).takeRetainedValue()
                errand.resolution.ask()
                errand.done.shutdown()
                return nil
            }, errand.toOpaque())
        guard code == 0 else {
            errand.release()
            throw .system(operation: "start a resolver thread for", target: host, code: code)
        }
        pthread_detach(thread)
    }

    func result() throws(SocketError) -> [SocketAddress] {
        guard let result = answer.withLock({ $0 }) else {
            throw .unresolved(host: host, reason: "the resolver gave no answer")
        }
        return try result.get()
    }

    private func ask() {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            answer.withLock { $0 = .failure(.unresolved(host: host, reason: reason)) }
            return
        }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr {
                found.append(SocketAddress(copying: address, length: entry.pointee.ai_addrlen))
            }
            next = entry.pointee.ai_next
        }
        answer.withLock { [found] in $0 = .success(found) }
    }
}

/// Names of hosts.
package enum HostName {
    /// The addresses of a host in numbers, sorted; a host that is an address has itself.
    package static func addresses(_ host: String, deadline: SocketDeadline) throws(SocketError) -> [String] {
        let found = try SocketAddress.resolve(host: host, port: 0, deadline: deadline)
        return Set(found.compactMap(\.text)).sorted()
    }
}

extension SocketAddress {
    /// The numeric form, without the port.
    fileprivate var text: String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withPointer { pointer, length in
            getnameinfo(pointer, length, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
        }
        guard code == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
