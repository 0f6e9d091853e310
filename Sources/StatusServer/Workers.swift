// SPDX-License-Identifier: Apache-2.0
// Where answers are computed, and the box in which they come back to the server's thread.

import Dispatch
import Platform
import Synchronization

/// What the server's thread is told by others.
enum Message: Sendable {
    case answer(key: String, HTTPResponse)
    case board(Board)
    case stop
}

final class Mailbox: Sendable {
    let bell: Descriptor
    private let ring: Descriptor
    private let messages = Mutex<[Message]>([])

    init() throws(SystemError) {
        (bell, ring) = try Descriptor.pipe()
        bell.makeNonBlocking()
        ring.makeNonBlocking()
    }

    func post(_ message: Message) {
        let wasEmpty = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        // A full pipe has rung already.
        if wasEmpty { try? ring.writeAll([1]) }
    }

    func takeAll() -> [Message] {
        bell.discard()
        return messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}

/// Two lines of work, so that a large cycle keeps nobody from the status.
struct Workers: Sendable {
    private let status = DispatchQueue(label: "nightjar.page.status")
    private let evidence = DispatchQueue(label: "nightjar.page.evidence")
    let mailbox: Mailbox

    func answer(key: String, ofBoard: Bool, _ work: @escaping @Sendable () -> HTTPResponse) {
        (ofBoard ? status : evidence).async { mailbox.post(.answer(key: key, work())) }
    }

    func look(_ keeper: BoardKeeper) {
        status.async { mailbox.post(.board(keeper.current())) }
    }
}
