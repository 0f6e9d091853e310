#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts Nightjar's WebSocket client and server through the cases of the Autobahn test suite, re-created here.

The cases speak raw frames (struct, no library), so that nothing between them and the peer can repair or refuse one.
Controls: the same cases against the independent implementations that are installed (websockets, aiohttp, wsproto),
which shows that a case expects what others do. Then ordinary conversations: Nightjar's client with their servers, and
their clients with Nightjar's server.

usage: websocket.py --nightjar PATH [--only PREFIX] [--table FILE]
"""
import argparse
import asyncio
import base64
import hashlib
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PATIENCE = 10.0


# ---------------------------------------------------------------- frames

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


# ---------------------------------------------------------------- cases

class Case:
    """What to send, and what must come: messages echoed, then a clean close or the end of the connection."""

    def __init__(self, name, sends, echoes=(), fails=None, chop=None, pause=0, close=(CLOSE, struct.pack("!H", 1000)),
                 answers=(1000,), optional=False, late=None):
        self.name, self.sends, self.echoes, self.fails = name, sends, list(echoes), fails
        self.chop, self.pause, self.close, self.answers, self.optional = chop, pause, close, answers, optional
        self.late = late  # The end of the message, sent after a second to a peer that did not fail fast.


def message(opcode, payload, size=None):
    """Frames of a message, in fragments of `size`."""
    if size is None or size >= len(payload):
        return [(opcode, payload, True, 0)]
    parts = [payload[i:i + size] for i in range(0, len(payload), size)]
    return [(opcode if i == 0 else CONT, part, i == len(parts) - 1, 0) for i, part in enumerate(parts)]


def closing(code, reason=b""):
    return struct.pack("!H", code) + reason


def framing_cases():
    for group, opcode, byte in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for n, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            data = byte * size
            yield Case(f"1.{group}.{n}", message(opcode, data), [(opcode, data)])
        data = byte * 65536
        yield Case(f"1.{group}.8", message(opcode, data), [(opcode, data)], chop=997)


def ping_cases():
    yield Case("2.1", [(PING, b"", True, 0)], [(PONG, b"")])
    yield Case("2.2", [(PING, b"Hello, world!", True, 0)], [(PONG, b"Hello, world!")])
    binary = bytes([0, 255, 254, 253, 252, 251, 0, 255])
    yield Case("2.3", [(PING, binary, True, 0)], [(PONG, binary)])
    yield Case("2.4", [(PING, b"\xfe" * 125, True, 0)], [(PONG, b"\xfe" * 125)])
    yield Case("2.5", [(PING, b"\xfe" * 126, True, 0)], fails=(1002,))
    yield Case("2.6", [(PING, b"\xfe" * 125, True, 0)], [(PONG, b"\xfe" * 125)], chop=1)
    yield Case("2.7", [(PONG, b"", True, 0)])
    yield Case("2.8", [(PONG, b"unsolicited", True, 0)])
    yield Case("2.9", [(PONG, b"unsolicited", True, 0), (PING, b"ping", True, 0)], [(PONG, b"ping")])
    ten = [(PING, b"payload-%d" % n, True, 0) for n in range(10)]
    yield Case("2.10", ten, [(PONG, p) for _, p, _, _ in ten])
    yield Case("2.11", ten, [(PONG, p) for _, p, _, _ in ten], chop=1)


def reserved_cases():
    hello = b"Hello, world!"
    yield Case("3.1", [(TEXT, hello, True, 1)], fails=(1002,))
    before, after = (TEXT, hello, True, 0), (PING, b"", True, 0)
    for n, rsv, chop in ((2, 2, None), (3, 3, None), (4, 4, 1)):
        yield Case(f"3.{n}", [before, (TEXT, hello, True, rsv), after], [(TEXT, hello)], fails=(1002,), chop=chop)
    yield Case("3.5", [(BINARY, b"\xff" * 8, True, 5)], fails=(1002,))
    yield Case("3.6", [(PING, hello, True, 6)], fails=(1002,))
    yield Case("3.7", [(CLOSE, closing(1000), True, 7)], fails=(1002,))


def opcode_cases():
    hello = b"Hello, world!"
    for group, codes in ((1, range(3, 8)), (2, range(11, 16))):
        for n, opcode in enumerate(codes, 1):
            if n in (1, 2):
                yield Case(f"4.{group}.{n}", [(opcode, b"" if n == 1 else hello, True, 0)], fails=(1002,))
            else:
                sends = [(TEXT, hello, True, 0), (opcode, b"" if n in (3,) else hello, True, 0), (PING, b"", True, 0)]
                yield Case(f"4.{group}.{n}", sends, [(TEXT, hello)], fails=(1002,), chop=1 if n > 3 else None)


def fragment_cases():
    one, two, both = b"fragment1", b"fragment2", b"fragment1fragment2"
    yield Case("5.1", [(PING, one, False, 0), (CONT, two, True, 0)], fails=(1002,))
    yield Case("5.2", [(PONG, one, False, 0), (CONT, two, True, 0)], fails=(1002,))
    pair = [(TEXT, one, False, 0), (CONT, two, True, 0)]
    ping = (PING, b"pongme", True, 0)
    pong = (PONG, b"pongme")
    for n, chop in ((3, None), (4, 9), (5, 1)):
        yield Case(f"5.{n}", pair, [(TEXT, both)], chop=chop)
    for n, chop in ((6, None), (7, 9), (8, 1)):
        yield Case(f"5.{n}", [pair[0], ping, pair[1]], [pong, (TEXT, both)], chop=chop)
    stray = (CONT, b"non-continuation payload", True, 0)
    for n, chop in ((9, None), (10, 9), (11, 1)):
        yield Case(f"5.{n}", [stray, (TEXT, b"Hello, world!", True, 0)], fails=(1002,), chop=chop)
    stray = (CONT, b"non-continuation payload", False, 0)
    for n, chop in ((12, None), (13, 9), (14, 1)):
        yield Case(f"5.{n}", [stray, (TEXT, b"Hello, world!", True, 0)], fails=(1002,), chop=chop)
    yield Case("5.15", pair + [(CONT, b"fragment3", False, 0), (TEXT, b"fragment4", True, 0)], [(TEXT, both)],
               fails=(1002,), optional=True)
    for n, fin in ((16, False), (17, True)):
        yield Case(f"5.{n}", [(CONT, one, fin, 0), (TEXT, two, False, 0), (CONT, b"3", True, 0)], fails=(1002,))
    yield Case("5.18", [(TEXT, one, False, 0), (TEXT, two, True, 0)], fails=(1002,))
    parts = [b"fragment%d" % n for n in range(1, 6)]
    sends = [(TEXT, parts[0], False, 0), (CONT, parts[1], False, 0), (PING, b"pongme 1!", True, 0),
             (CONT, parts[2], False, 0), (CONT, parts[3], False, 0), (PING, b"pongme 2!", True, 0),
             (CONT, parts[4], True, 0)]
    wanted = [(PONG, b"pongme 1!"), (PONG, b"pongme 2!"), (TEXT, b"".join(parts))]
    yield Case("5.19", sends, wanted, chop=20, pause=0.01)
    yield Case("5.20", sends, wanted)


VALID = {
    "6.2": ["Hello-µ@ßöäüàá-UTF-8!!".encode()],
    "6.5": ["κόσμε".encode()],
    "6.7": [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    "6.9": [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    "6.11": [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"],
    "6.22": [c.encode() for c in map(chr, [0xFFFE, 0xFFFF] + [p << 16 | e for p in range(1, 17) for e in (0xFFFE, 0xFFFF)])],
    "6.23": [c.encode() for c in map(chr, range(0xFFF9, 0x10000))],
}
KOSME = "κόσμε".encode()
INVALID = {
    "6.3": [KOSME + b"\xed\xa0\x80edited"],
    "6.6": [KOSME[:n] for n in (1, 3, 5, 6, 8, 10) if not KOSME[:n].decode("utf-8", "ignore").encode() == KOSME[:n]],
    "6.8": [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    "6.10": [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "6.12": [b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf", b"\x80\xbf\x80\xbf\x80",
             b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xc0))],
    "6.13": [b"".join(bytes([b]) + b" " for b in block) for block in
             (range(0xc0, 0xe0), range(0xe0, 0xf0), range(0xf0, 0xf8), range(0xf8, 0xfc), range(0xfc, 0xfe))],
    "6.14": [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80", b"\xdf", b"\xef\xbf",
             b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"],
    "6.15": [b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf"],
    "6.16": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    "6.17": [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"],
    "6.18": [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"],
    "6.19": [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"],
    "6.20": [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80",
             b"\xed\xbf\xbf"],
    "6.21": [b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xa0\x80\xed\xbf\xbf", b"\xed\xad\xbf\xed\xb0\x80",
             b"\xed\xad\xbf\xed\xbf\xbf", b"\xed\xae\x80\xed\xb0\x80", b"\xed\xae\x80\xed\xbf\xbf",
             b"\xed\xaf\xbf\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf"],
}


def text_cases():
    yield Case("6.1.1", message(TEXT, b""), [(TEXT, b"")])
    yield Case("6.1.2", [(TEXT, b"", False, 0), (CONT, b"", False, 0), (CONT, b"", True, 0)], [(TEXT, b"")])
    yield Case("6.1.3", [(TEXT, b"", False, 0), (CONT, b"middle", False, 0), (CONT, b"", True, 0)], [(TEXT, b"middle")])
    hello = VALID["6.2"][0]
    for n, size in ((1, None), (2, 12), (3, 1), (4, 13)):
        yield Case(f"6.2.{n}", message(TEXT, hello, size), [(TEXT, hello)])
    bad = INVALID["6.3"][0]
    yield Case("6.3.1", message(TEXT, bad), fails=(1007,))
    yield Case("6.3.2", message(TEXT, bad, 1), fails=(1007,))
    # Fail fast: the rest of the message never comes.
    head, tail = KOSME, b"\xf4\x90\x80\x80"
    yield Case("6.4.1", [(TEXT, head, False, 0), (CONT, tail, False, 0)], fails=(1007,), late=(CONT, b""))
    yield Case("6.4.2", [(TEXT, head + b"\xf4", False, 0), (CONT, b"\x90", False, 0)], fails=(1007,), late=(CONT, b"\x80"))
    for group, values in VALID.items():
        if group == "6.2":
            continue
        for n, data in enumerate(values, 1):
            yield Case(f"{group}.{n}", message(TEXT, data), [(TEXT, data)])
    for group, values in INVALID.items():
        if group == "6.3":
            continue
        for n, data in enumerate(values, 1):
            yield Case(f"{group}.{n}", message(TEXT, data), fails=(1007,))


def close_cases():
    hello = (TEXT, b"Hello World!", True, 0)
    yield Case("7.1.1", [hello], [(TEXT, b"Hello World!")])
    for n, after in ((2, (CLOSE, closing(1000), True, 0)), (3, (PING, b"", True, 0)), (4, hello),
                     (5, (CONT, b"fragment2", True, 0))):
        first = [(TEXT, b"fragment1", False, 0)] if n == 5 else []
        yield Case(f"7.1.{n}", first + [(CLOSE, closing(1000), True, 0), after], close=None)
    big = b"BAsd7&jh23" * 26214
    yield Case("7.1.6", [(TEXT, big, True, 0), (CLOSE, closing(1000), True, 0), (PING, b"", True, 0)], [(TEXT, big)],
               close=None, optional=True)
    yield Case("7.3.1", [], close=(CLOSE, b""), answers=(None, 1000))
    yield Case("7.3.2", [(CLOSE, b"a", True, 0)], fails=(1002,))
    yield Case("7.3.3", [], close=(CLOSE, closing(1000)))
    yield Case("7.3.4", [], close=(CLOSE, closing(1000, b"Hello World!")))
    yield Case("7.3.5", [], close=(CLOSE, closing(1000, b"*" * 123)))
    yield Case("7.3.6", [(CLOSE, closing(1000, b"*" * 124), True, 0)], fails=(1002,))
    yield Case("7.5.1", [(CLOSE, closing(1000, KOSME + b"\xed\xa0\x80edited"), True, 0)], fails=(1007, 1002))
    for n, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
        yield Case(f"7.7.{n}", [], close=(CLOSE, closing(code)), answers=(code, 1000))
    for n, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield Case(f"7.9.{n}", [(CLOSE, closing(code), True, 0)], fails=(1002,))
    for n, code in enumerate((5000, 65535), 1):
        yield Case(f"7.13.{n}", [(CLOSE, closing(code), True, 0)], fails=(1002,))


def mask_cases():
    # Not in Autobahn's list, but a MUST of RFC 6455 section 5.1: told by the same means.
    yield Case("5.1-mask", [("wrong mask", b"Hello", True, 0)], fails=(1002,))


def large_cases():
    for group, opcode in ((1, TEXT), (2, BINARY)):
        for n, size in enumerate((65536, 262144, 1 << 20, 4 << 20, 8 << 20, 16 << 20), 1):
            data = b"*" * size
            yield Case(f"9.{group}.{n}", message(opcode, data), [(opcode, data)])
    four = b"*" * (4 << 20)
    for group, opcode in ((3, TEXT), (4, BINARY)):
        for n, size in enumerate((64, 256, 1024, 4096, 16384, 65536, 262144, 1 << 20, 4 << 20), 1):
            yield Case(f"9.{group}.{n}", message(opcode, four, size), [(opcode, four)])
    one = b"*" * (1 << 20)
    for group, opcode in ((5, TEXT), (6, BINARY)):
        for n, chop in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            yield Case(f"9.{group}.{n}", message(opcode, one), [(opcode, one)], chop=chop)
    for group, opcode in ((7, TEXT), (8, BINARY)):
        for n, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            data = b"*" * size
            yield Case(f"9.{group}.{n}", message(opcode, data) * 1000, [(opcode, data)] * 1000)
    data = b"*" * 65536
    yield Case("10.1.1", message(TEXT, data, 1300), [(TEXT, data)])


def all_cases():
    for part in (framing_cases, ping_cases, reserved_cases, opcode_cases, fragment_cases, text_cases, close_cases,
                 mask_cases, large_cases):
        yield from part()


# ---------------------------------------------------------------- judgment

def perform(case, peer):
    """OK, NON-STRICT (a SHOULD is broken) or the reason of a failure."""
    sender = threading.Thread(target=send_all, args=(case, peer), daemon=True)
    sender.start()
    seen = []
    try:
        for wanted in case.echoes:
            got = peer.message()
            if got[0] == CLOSE:
                seen.append(got)
                break
            if got != wanted:
                return f"expected {describe(wanted)}, got {describe(got)}"
        if case.fails is not None:
            return ended(case, peer, seen)
        if case.close is None:
            return closed(case, peer, seen)
        sender.join()
        peer.send(peer.frame(*case.close))
        return closed(case, peer, seen)
    except (EOFError, ConnectionError):
        if case.fails is not None:
            return "OK"
        return "OK" if case.close is None and case.optional else "the connection ended early"
    except socket.timeout:
        return f"nothing within {PATIENCE} s"
    except AssertionError as problem:
        return str(problem)
    finally:
        peer.sock.close()
        sender.join()


def send_all(case, peer):
    data = []
    for opcode, payload, fin, rsv in case.sends:
        if opcode == "wrong mask":
            data.append(frame(TEXT, payload, mask=peer.role != "client"))
        else:
            data.append(peer.frame(opcode, payload, fin=fin, rsv=rsv))
    try:
        peer.send(b"".join(data), chop=case.chop, pause=case.pause)
    except OSError:
        pass  # The peer has failed the connection already, as it may.


def describe(message_):
    return f"opcode {message_[0]} with {len(message_[1])} bytes"


def ended(case, peer, seen):
    """The connection must be failed: a close frame with the right code, or the end of it."""
    slow = False
    try:
        if case.late:
            peer.sock.settimeout(1)
        try:
            opcode, payload = seen[0] if seen else peer.message()
        except socket.timeout:
            if not case.late:
                raise
            slow = True
            peer.sock.settimeout(PATIENCE)
            peer.send(peer.frame(*case.late))
            opcode, payload = peer.message()
    except (EOFError, ConnectionError):
        return "NON-STRICT failed only at the end of the message" if slow else "OK"
    if opcode == CLOSE and slow:
        return "NON-STRICT failed only at the end of the message"
    if opcode != CLOSE:
        return f"went on: {describe((opcode, payload))}"
    code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
    return "OK" if code in case.fails else f"NON-STRICT close {code}, expected {case.fails[0]}"


def closed(case, peer, seen):
    opcode, payload = seen[0] if seen else peer.message()
    if opcode != CLOSE:
        return f"expected a close frame, got {describe((opcode, payload))}"
    code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
    if code not in case.answers:
        return f"closed with {code}, expected {case.answers}"
    if peer.role == "server":
        return "OK"
    # The server ends the connection first (RFC 6455 section 7.1.1).
    peer.sock.settimeout(2)
    try:
        while peer.sock.recv(4096):
            pass
    except socket.timeout:
        return "NON-STRICT the server left the connection open"
    except ConnectionError:
        pass
    return "OK"


# ---------------------------------------------------------------- peers

class Server:
    """An echo server of somebody else, in a thread of its own."""

    def __init__(self, kind):
        self.port, ready = None, threading.Event()
        self.loop = asyncio.new_event_loop()

        async def run():
            self.port = await globals()["serve_" + kind]()
            ready.set()

        def main():
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(run())
            self.loop.run_forever()

        threading.Thread(target=main, daemon=True).start()
        assert ready.wait(10), kind


async def serve_websockets():
    import websockets.asyncio.server as server

    async def echo(connection):
        async for data in connection:
            await connection.send(data)

    running = await server.serve(echo, "127.0.0.1", 0, max_size=32 << 20, compression=None, ping_interval=None,
                                 select_subprotocol=lambda _, offered: "chat.v2" if "chat.v2" in offered else None)
    return running.sockets[0].getsockname()[1]


async def serve_aiohttp():
    from aiohttp import WSMsgType, web

    async def echo(request):
        ws = web.WebSocketResponse(max_msg_size=32 << 20, protocols=("chat.v2",), compress=False)
        await ws.prepare(request)
        async for data in ws:
            if data.type == WSMsgType.TEXT:
                await ws.send_str(data.data)
            elif data.type == WSMsgType.BINARY:
                await ws.send_bytes(data.data)
        return ws

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1]


async def serve_wsproto():
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import (AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage)
    from wsproto.utilities import RemoteProtocolError

    async def handle(reader, writer):
        ws = WSConnection(ConnectionType.SERVER)
        parts = []
        try:
            while True:
                data = await reader.read(1 << 16)
                try:
                    ws.receive_data(data or None)
                    events = list(ws.events())
                except RemoteProtocolError as problem:
                    writer.write(ws.send(problem.event_hint))
                    break
                for event in events:
                    if isinstance(event, Request):
                        chosen = "chat.v2" if "chat.v2" in event.subprotocols else None
                        writer.write(ws.send(AcceptConnection(subprotocol=chosen)))
                    elif isinstance(event, Ping):
                        writer.write(ws.send(event.response()))
                    elif isinstance(event, (TextMessage, BytesMessage)):
                        parts.append(event.data)
                        if event.message_finished:
                            whole = type(event)(data=parts[0][:0].join(parts))
                            parts = []
                            writer.write(ws.send(whole))
                    elif isinstance(event, CloseConnection):
                        # wsproto reports a violation as a close of its own making.
                        try:
                            writer.write(ws.send(event.response()))
                        except Exception:
                            writer.write(ws.send(event))
                        await writer.drain()
                        return
                await writer.drain()
                if not data:
                    return
        except (ConnectionError, Exception):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    return running.sockets[0].getsockname()[1]


async def client_websockets(url):
    import websockets.asyncio.client as client
    async with client.connect(url, max_size=32 << 20, compression=None, subprotocols=["echo"]) as ws:
        assert ws.subprotocol == "echo", ws.subprotocol

        async def check(data):
            await ws.send(data)
            assert await ws.recv() == data, "echo"
        await conversation(check)
        await asyncio.wait_for(await ws.ping(b"abc"), 10)
    assert ws.close_code == 1000, ws.close_code


async def client_aiohttp(url):
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, max_msg_size=32 << 20, protocols=("echo",)) as ws:
            assert ws.protocol == "echo", ws.protocol

            async def check(data):
                await (ws.send_str(data) if isinstance(data, str) else ws.send_bytes(data))
                assert (await ws.receive()).data == data, "echo"
            await conversation(check)
            await ws.ping(b"abc")
            await ws.close(code=1000)
        assert ws.close_code == 1000, ws.close_code


async def client_wsproto(url):
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage
    port = int(url.rsplit(":", 1)[1].strip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ws = WSConnection(ConnectionType.CLIENT)
    writer.write(ws.send(Request(host="127.0.0.1", target="/", subprotocols=["echo"])))
    queue = []

    async def event():
        while not queue:
            data = await asyncio.wait_for(reader.read(1 << 16), 10)
            ws.receive_data(data or None)
            queue.extend(ws.events())
        return queue.pop(0)

    accepted = await event()
    assert isinstance(accepted, AcceptConnection) and accepted.subprotocol == "echo", accepted

    async def check(data):
        writer.write(ws.send(TextMessage(data) if isinstance(data, str) else BytesMessage(data)))
        got = data[:0]
        while True:
            piece = await event()
            got += piece.data
            if piece.message_finished:
                break
        assert got == data, "echo"
    await conversation(check)
    writer.write(ws.send(Ping(b"abc")))
    assert (await event()) == Pong(b"abc"), "pong"
    writer.write(ws.send(CloseConnection(code=1000)))
    assert (await event()).code == 1000, "close"
    writer.close()


async def conversation(check):
    for size in (0, 1, 125, 126, 127, 65535, 65536, 1 << 20):
        await check("*" * size)
        await check(b"\xfe" * size)
    await check("Hello-µ@ßöäüàá-UTF-8!! κόσμε 🌙")


# ---------------------------------------------------------------- runs

class Table:
    def __init__(self):
        self.rows = {}

    def add(self, column, case, verdict):
        self.rows.setdefault(column, {})[case] = verdict

    def summary(self, column):
        verdicts = self.rows[column].values()
        ok = sum(v == "OK" for v in verdicts)
        loose = sum(v.startswith("NON-STRICT") for v in verdicts)
        return ok, loose, len(verdicts) - ok - loose

    def lines(self):
        groups = sorted({name.split(".")[0] for column in self.rows.values() for name in column}, key=int)
        yield "| peer | " + " | ".join(f"cat. {g}" for g in groups) + " | non-strict | failed |"
        yield "|---|" + "---|" * (len(groups) + 2)
        for column, results in self.rows.items():
            cells = []
            for group in groups:
                of = [v for name, v in results.items() if name.split(".")[0] == group]
                cells.append(f"{sum(v == 'OK' for v in of)}/{len(of)}")
            _, loose, failed = self.summary(column)
            yield f"| {column} | " + " | ".join(cells) + f" | {loose} | {failed} |"


def case_client(table, column, port, cases):
    for case in cases:
        try:
            verdict = perform(case, as_client(port))
        except (OSError, EOFError, AssertionError) as problem:
            verdict = f"no connection: {problem}"
        table.add(column, case.name, verdict)


def case_server(table, column, cases, start):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    stop = start(listener.getsockname()[1], len(cases))
    try:
        for case in cases:
            try:
                verdict = perform(case, as_server(listener))
            except (OSError, EOFError, AssertionError) as problem:
                verdict = f"no connection: {problem}"
            table.add(column, case.name, verdict)
    finally:
        stop()
        listener.close()


def start_python_client(kind):
    def start(port, times):
        async def echo():
            for _ in range(times):
                try:
                    if kind == "websockets":
                        import websockets.asyncio.client as client
                        async with client.connect(f"ws://127.0.0.1:{port}/", max_size=32 << 20, compression=None,
                                                  ping_interval=None, close_timeout=2) as ws:
                            async for data in ws:
                                await ws.send(data)
                    else:
                        import aiohttp
                        async with aiohttp.ClientSession() as session:
                            async with session.ws_connect(f"ws://127.0.0.1:{port}/", max_msg_size=32 << 20) as ws:
                                async for data in ws:
                                    if data.type == aiohttp.WSMsgType.TEXT:
                                        await ws.send_str(data.data)
                                    elif data.type == aiohttp.WSMsgType.BINARY:
                                        await ws.send_bytes(data.data)
                except Exception:
                    pass
        thread = threading.Thread(target=lambda: asyncio.run(echo()), daemon=True)
        thread.start()
        return lambda: None
    return start


def start_nightjar_client(program):
    def start(port, times):
        process = subprocess.Popen([program, "__demo-echo", "--connect", f"ws://127.0.0.1:{port}/", "--times", str(times)],
                                   stdout=subprocess.DEVNULL)

        def stop():
            process.kill()
            process.wait()
        return stop
    return start


def installed():
    kinds = []
    for kind in ("websockets", "aiohttp", "wsproto"):
        try:
            __import__(kind)
            kinds.append(kind)
        except ImportError:
            pass
    return kinds


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nightjar", required=True)
    options.add_argument("--only", default="")
    options.add_argument("--table")
    options.add_argument("--controls", action="store_true", help="also the independent peers, for the table")
    arguments = options.parse_args()
    logging.disable(logging.CRITICAL)  # The peers complain loudly about what the cases do to them.
    cases = [case for case in all_cases() if case.name.startswith(arguments.only)]
    table, problems = Table(), []
    process = subprocess.Popen([arguments.nightjar, "__demo-echo", "--listen", "0"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        case_client(table, "nightjar, server", port, cases)
        case_server(table, "nightjar, client", cases, start_nightjar_client(arguments.nightjar))
        for column in list(table.rows):
            for name, verdict in table.rows[column].items():
                if verdict != "OK":
                    problems.append(f"{column}: case {name}: {verdict}")
        for kind in installed():
            peer = Server(kind)
            if arguments.controls:
                case_client(table, f"{kind}, server", peer.port, cases)
                if kind != "wsproto":
                    case_server(table, f"{kind}, client", cases, start_python_client(kind))
            drive = subprocess.run([arguments.nightjar, "__demo-echo", "--drive", f"ws://127.0.0.1:{peer.port}/"],
                                   capture_output=True, text=True, timeout=60)
            print(f"nightjar's client with a server of {kind}: {drive.stdout.strip()}")
            if drive.returncode != 0:
                problems.append(f"client with {kind}: {drive.stdout.strip()}")
            try:
                asyncio.run(asyncio.wait_for(globals()["client_" + kind](f"ws://127.0.0.1:{port}/"), 60))
                print(f"nightjar's server with a client of {kind}: passed")
            except Exception as problem:
                problems.append(f"server with {kind}: {type(problem).__name__} {problem}")
    finally:
        process.kill()
        process.wait()
    lines = list(table.lines())
    print("\n".join(lines))
    if arguments.table:
        with open(arguments.table, "w") as file:
            file.write("\n".join(lines) + "\n")
    if arguments.controls:
        for column, results in table.rows.items():
            for name, verdict in results.items():
                if verdict != "OK":
                    print(f"   {column}: {name}: {verdict}")
    for problem in problems:
        print("FAILED:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
