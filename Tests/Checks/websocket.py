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
import logging
import socket
import struct
import subprocess
import sys
import threading

import websocket_servers
from websocket_cases import all_cases
from websocket_frames import CLOSE, PATIENCE, TEXT, as_client, as_server, frame


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
            peer = websocket_servers.Server(kind)
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
                asyncio.run(asyncio.wait_for(getattr(websocket_servers, "client_" + kind)(f"ws://127.0.0.1:{port}/"), 60))
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
