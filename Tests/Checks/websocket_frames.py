# SPDX-License-Identifier: Apache-2.0
"""Raw WebSocket frames over a socket, as client and as server: struct, no library."""

import base64
import hashlib
import os
import socket
import struct
import time


GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PATIENCE = 10.0


def frame(opcode, payload=b"", fin=True, rsv=0, mask=None, announced=None):
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    count = len(payload) if announced is None else announced
    bit = 0x80 if mask else 0
    if count < 126:
        head += bytes([bit | count])
    elif count < 65536:
        head += struct.pack("!BH", bit | 126, count)
    else:
        head += struct.pack("!BQ", bit | 127, count)
    if mask:
        key = os.urandom(4)
        head += key
        whole = (key * (len(payload) // 4 + 1))[:len(payload)]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(payload), "big")
    return head + payload


class Peer:
    """Raw frames over a socket after the handshake; `role` is the one that we play."""

    def __init__(self, sock, role, rest=b""):
        self.sock, self.role, self.buffer = sock, role, rest
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data, chop=None, pause=0):
        if not chop:
            self.sock.sendall(data)
            return
        for start in range(0, len(data), chop):
            self.sock.sendall(data[start:start + chop])
            if pause:
                time.sleep(pause)

    def frame(self, opcode, payload=b"", **more):
        return frame(opcode, payload, mask=self.role == "client", **more)

    def _need(self, count):
        while len(self.buffer) < count:
            data = self.sock.recv(1 << 18)
            if not data:
                raise EOFError
            self.buffer += data

    def read(self):
        """(fin, opcode, payload) of the next frame; EOFError at the end of the connection."""
        self._need(2)
        first, second = self.buffer[0], self.buffer[1]
        if first & 0x70:
            raise AssertionError("the peer set reserved bits")
        masked, count, at = second & 0x80, second & 0x7F, 2
        if bool(masked) == (self.role == "client"):
            raise AssertionError("the peer masks wrongly")
        if count == 126:
            self._need(4)
            count, at = struct.unpack("!H", self.buffer[2:4])[0], 4
        elif count == 127:
            self._need(10)
            count, at = struct.unpack("!Q", self.buffer[2:10])[0], 10
        key = b""
        if masked:
            self._need(at + 4)
            key, at = self.buffer[at:at + 4], at + 4
        pieces, have = [self.buffer[at:at + count]], min(count, len(self.buffer) - at)
        self.buffer = self.buffer[at + count:]
        while have < count:
            data = self.sock.recv(min(1 << 20, count - have))
            if not data:
                raise EOFError
            pieces.append(data)
            have += len(data)
        payload = b"".join(pieces)
        if key and payload:
            whole = (key * (count // 4 + 1))[:count]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(count, "big")
        return bool(first & 0x80), first & 0x0F, payload

    def message(self):
        """The next whole message, control frames included."""
        fin, opcode, payload = self.read()
        if opcode >= 8:
            return opcode, payload
        pieces = [payload]
        while not fin:
            fin, more, payload = self.read()
            if more >= 8:
                raise AssertionError("a control frame between the fragments of an echo")
            pieces.append(payload)
        return opcode, b"".join(pieces)


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            raise EOFError
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, value in (line.split(b":", 1) for line in lines[1:])}
    return lines[0], fields, rest


def as_client(port, path="/"):
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    key = base64.b64encode(os.urandom(16))
    sock.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % (path.encode(), port, key))
    line, fields, rest = read_head(sock)
    assert b" 101 " in line, line
    assert fields[b"sec-websocket-accept"] == accept_key(key), "the accept key"
    return Peer(sock, "client", rest)


def as_server(listener):
    sock, _ = listener.accept()
    sock.settimeout(PATIENCE)
    line, fields, rest = read_head(sock)
    key = fields[b"sec-websocket-key"]
    assert len(base64.b64decode(key)) == 16 and fields[b"sec-websocket-version"] == b"13", "the handshake of the client"
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept_key(key))
    return Peer(sock, "server", rest)
