# SPDX-License-Identifier: Apache-2.0
"""The cases of the Autobahn test suite, re-created: what to send, and what must come."""

import struct

from websocket_frames import BINARY, CLOSE, CONT, PING, PONG, TEXT


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
