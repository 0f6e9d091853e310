// SPDX-License-Identifier: Apache-2.0
// What a client may take in time, and what listeners are told.

import Domain
import Platform

extension ServerLoop {
    /// Ends a client whose time is over.
    func judge(_ client: Client) {
        switch client.phase {
        case .reading where clock >= client.deadline:
            // Half a request gets an answer; silence gets none.
            if client.input.isEmpty { return cut(client, "silent") }
            counts.change { $0.cut["slowRequest", default: 0] += 1 }
            refuse(client, 408, "the request took longer than \(options.limits.head)")
        case .waiting where clock >= client.deadline:
            client.keepsAlive = false
            send(client, .plain(503, "the answer took longer than \(options.limits.answer): is the disk slow?"))
        case .sending where clock >= client.deadline || clock - client.sentAt >= options.limits.stall:
            cut(client, "slowReader")
        case .draining where clock >= client.deadline: end(client)
        case .streaming: judgeListener(client)
        case .reading, .waiting, .sending, .draining: break
        }
    }

    private func judgeListener(_ client: Client) {
        let isStuck = client.hasOutput && clock - client.sentAt >= options.limits.stall
        guard !isStuck, client.waitingBytes <= options.limits.waitingEventBytes else {
            return cut(client, "slowReader")
        }
        guard !client.hasOutput, clock - client.sentAt >= options.limits.beat else { return }
        client.enqueue(EventText.beat(at: options.now()))
        write(client)
    }

    /// Hands what changed to everybody who watches it; the bytes are made once for all who have the same.
    func tellListeners() {
        guard let board else { return }
        var made: [View: [Int?: [UInt8]]] = [:]
        for client in Array(clients.values) where client.phase == .streaming {
            guard let view = client.view, client.version != board.version else { continue }
            let news =
                made[view]?[client.version]
                ?? EventText.news(board, view, after: client.version, epoch: router.epoch)
            made[view, default: [:]][client.version] = news
            hand(client, news, board.version)
        }
    }

    func tell(_ client: Client, _ board: Board) {
        guard let view = client.view, client.version != board.version else { return }
        hand(client, EventText.news(board, view, after: client.version, epoch: router.epoch), board.version)
    }

    private func hand(_ client: Client, _ news: [UInt8], _ version: Int) {
        client.version = version
        counts.change { $0.events += 1 }
        client.enqueue(news)
        guard client.waitingBytes <= options.limits.waitingEventBytes else { return cut(client, "slowReader") }
        write(client)
    }
}
