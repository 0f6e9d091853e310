// SPDX-License-Identifier: Apache-2.0
// Signals of the daemon, handed to ordinary code on a thread of its own.

import CShims
import Glibc
import Synchronization

package enum SignalSource {
    private static let isStarted = Atomic<Bool>(false)

    /// SIGPIPE ignored, SIGCHLD default: an ignored SIGCHLD would turn every failure of a child into success.
    package static func setDispositions() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGCHLD, SIG_DFL)
    }

    /// Delivers the given signals to `handler`, one after the other, on one thread. At most once in a process.
    package static func start(
        _ signals: [Int32], handler: @escaping @Sendable (Int32) -> Void
    ) throws(SystemError) {
        precondition(!isStarted.exchange(true, ordering: .relaxed), "signals have one receiver in a process")
        let (read, write) = try Descriptor.pipe()
        write.makeNonBlocking()
        try PlatformThread.start("signals") {
            var byte: UInt8 = 0
            while uninterrupted({ Glibc.read(read.number, &byte, 1) }) == 1 { handler(Int32(byte)) }
            withExtendedLifetime(write) {}
        }
        for signal in signals where nj_deliver_signal_to(signal, write.number) != 0 {
            throw .last("receive", "signal \(signal)")
        }
    }

    package static let terminate = SIGTERM
    package static let interrupt = SIGINT
    package static let hangup = SIGHUP
}
