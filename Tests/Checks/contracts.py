#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example scenario files for Socket.IO, Phoenix channels and graphql-ws, each against a server of its contract.

The servers are small ones on the library `websockets`: the protocol's own messages, tokens, and sessions where the
protocol has a way to resume one. A real Socket.IO server (python-socketio) is tried as well where it is installed. Each
good server must be rejected nowhere; each broken variant must be rejected by the scenario that is there for it.

usage: contracts.py --nightjar PATH --examples DIR --work DIR [--only NAME]
"""
import argparse
import asyncio
import hashlib
import hmac
import http
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

BEAT, PATIENCE = 0.4, 1.2


class Session:
    """Numbered events that are kept, and the connection that gets them."""

    def __init__(self, user):
        self.id, self.resume, self.user = secrets.token_hex(8), secrets.token_hex(12), user
        self.events, self.emit = [], None


class Service:
    """Tokens and sessions; `broken` names what is wrong with it."""

    def __init__(self, broken=""):
        self.key, self.broken, self.sessions = secrets.token_bytes(16), broken, {}

    def token(self, user, ttl, kind="access"):
        body = f"{kind}-{user}-{int((time.time() + ttl) * 1000)}-{secrets.token_hex(4)}"
        return f"{body}.{self._seal(body)}"

    def _seal(self, body):
        return hmac.new(self.key, body.encode(), hashlib.sha256).hexdigest()

    def check(self, token, kind="access"):
        """(user, seconds left), or None."""
        body, _, seal = str(token).rpartition(".")
        if not hmac.compare_digest(seal, self._seal(body)):
            return None
        found, user, end, _ = body.split("-")
        left = int(end) / 1000 - time.time()
        if left <= 0 and self.broken == "accepts-expired":
            left = 3600
        return (user, left) if found == kind and left > 0 else None

    def session(self, user, resume):
        old = self.sessions.get(resume)
        if old and (old.user == user or self.broken == "leaks-sessions") and self.broken != "loses-session":
            return old
        new = Session(user)
        self.sessions[new.resume] = new
        return new

    async def stream(self, session, count, interval):
        if self.broken == "drops-tail":
            count //= 2
        for number in range(count):
            event = {"seq": len(session.events) + 1, "last": number == count - 1}
            session.events.append(event)
            if session.emit:
                try:
                    await session.emit(event)
                except ConnectionClosed:
                    session.emit = None
            await asyncio.sleep(interval)

    async def attach(self, session, emit, last):
        """Sends what was missed, then everything that comes."""
        missed = session.events[last - (self.broken == "repeats-events" and last > 0):]
        if self.broken == "drops-missed":
            missed = []
        for event in missed:
            await emit(event)
        # Between the last one that was missed and here nothing else ran.
        session.emit = emit

    def answer(self, connection, request):
        """A login; None lets the handshake go on."""
        parts = urllib.parse.urlsplit(request.path)
        if parts.path == "/login":
            query = urllib.parse.parse_qs(parts.query)
            user, ttl = query["user"][0], int(query.get("ttl", ["900000"])[0]) / 1000
            body = json.dumps({"token": self.token(user, ttl), "refresh": self.token(user, 9000, "refresh")}).encode()
            return Response(http.HTTPStatus.OK, "OK", Headers({
                "Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}), body)
        if "Upgrade" not in request.headers:
            return connection.respond(http.HTTPStatus.NOT_FOUND, "not found\n")
        return None


class Conversation:
    """One connection; the subclasses are the contracts."""

    subprotocols = None

    def __init__(self, service, connection):
        self.service, self.connection, self.session = service, connection, None
        self.heard, self.tasks = time.monotonic(), []

    def start(self, work):
        self.tasks.append(asyncio.create_task(work))

    async def run(self):
        try:
            await self.greet()
            async for text in self.connection:
                self.heard = time.monotonic()
                await self.hear(text)
        except ConnectionClosed:
            pass
        finally:
            if self.session and self.session.emit == self.emit:
                self.session.emit = None
            for task in self.tasks:
                task.cancel()

    async def greet(self):
        pass

    async def send(self, message):
        await self.connection.send(message if isinstance(message, str) else json.dumps(message))

    async def beat(self, message):
        """Pings of the contract; who answers none is dropped."""
        while self.service.broken != "no-heartbeat":
            await asyncio.sleep(BEAT)
            if time.monotonic() - self.heard > BEAT + PATIENCE:
                await self.connection.close(1008, "ping timeout")
                return
            await self.send(message)

    async def expire(self, left):
        await asyncio.sleep(left)
        await self.connection.close(4401, "token expired")

    def stream(self, count, interval):
        # The events go on while the client is away.
        asyncio.create_task(self.service.stream(self.session, count, interval))


class SocketIO(Conversation):
    """Engine.IO 4 and Socket.IO 5 over WebSocket, with connection state recovery by `pid` and `offset`."""

    async def greet(self):
        await self.send('0{"sid":"%s","upgrades":[],"pingInterval":400,"pingTimeout":1200,"maxPayload":65536}'
                        % secrets.token_hex(8))
        self.start(self.beat("2"))

    async def emit(self, event):
        await self.send("42" + json.dumps(["end" if event["last"] else "event", event]))

    async def hear(self, text):
        digits = text[:len(text) - len(text.lstrip("0123456789"))]
        try:
            value = json.loads(text[len(digits):] or "null")
        except (ValueError, RecursionError):
            await self.connection.close(1008, "parse error")
            return
        if digits == "40" and isinstance(value, dict):
            known = self.service.check(value.get("token"))
            if not known:
                await self.send('44{"message":"unauthorized"}')
                return
            self.session = self.service.session(known[0], value.get("pid"))
            await self.send("40" + json.dumps({"sid": self.session.id, "pid": self.session.resume}))
            await self.service.attach(self.session, self.emit, int(value.get("offset") or 0))
        elif digits.startswith("42") and self.session and isinstance(value, list) and value:
            if value[0] == "stream":
                self.stream(value[1]["count"], value[1]["interval"] / 1000)
            elif value[0] == "echo" and len(digits) > 2:
                await self.send("43" + digits[2:] + json.dumps(value[1:]))
        elif digits != "3":
            await self.connection.close(1008, "parse error")


class Phoenix(Conversation):
    """Phoenix channels, serializer 2.0.0: [join_ref, ref, topic, event, payload]."""

    async def emit(self, event):
        await self.send(["1", None, "room:a", "end" if event["last"] else "event", event])

    async def hear(self, text):
        try:
            join, ref, topic, event, payload = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            await self.connection.close(1011, "")
            return

        async def reply(status, **response):
            await self.send([join, ref, topic, "phx_reply", {"status": status, "response": response}])
        if event == "phx_join":
            known = self.service.check(payload.get("token"))
            if not known:
                await reply("error", reason="unauthorized")
                return
            self.session = self.service.session(known[0], payload.get("resume"))
            self.expiry = asyncio.create_task(self.expire(known[1]))
            self.tasks.append(self.expiry)
            await reply("ok", session=self.session.id, resume=self.session.resume)
            await self.service.attach(self.session, self.emit, int(payload.get("last_seen") or 0))
        elif event == "heartbeat" or event == "echo" and self.session:
            await reply("ok")
        elif event == "stream" and self.session:
            self.stream(payload["count"], payload["interval"] / 1000)
        elif event == "refresh" and self.session:
            known = self.service.check(payload.get("refresh"), "refresh")
            if not known:
                await reply("error", reason="unauthorized")
                return
            if self.service.broken == "disconnects-on-refresh":
                await self.connection.close(4401, "token expired")
                return
            self.expiry.cancel()
            await reply("ok", token=self.service.token(known[0], 900), refresh=self.service.token(known[0], 9000, "refresh"))
        else:
            await reply("error", reason="unmatched topic")


class GraphQL(Conversation):
    """graphql-transport-ws (the protocol of the library graphql-ws)."""

    subprotocols = ["graphql-transport-ws"]

    async def emit(self, event):
        await self.send({"id": "s", "type": "next", "payload": {"data": {"events": {"seq": event["seq"]}}}})
        if event["last"]:
            await self.send({"id": "s", "type": "complete"})

    async def hear(self, text):
        try:
            message = json.loads(text)
            kind = message["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            await self.connection.close(4400, "Invalid message received")
            return
        if kind == "connection_init":
            if self.session:
                await self.connection.close(4429, "Too many initialisation requests")
                return
            known = self.service.check((message.get("payload") or {}).get("token"))
            if not known:
                await self.connection.close(4403, "Forbidden")
                return
            self.session = self.service.session(known[0], None)
            await self.service.attach(self.session, self.emit, 0)
            await self.send({"type": "connection_ack"})
            self.start(self.expire(known[1]))
            self.start(self.beat({"type": "ping"}))
        elif kind == "ping":
            await self.send({"type": "pong"})
        elif kind == "subscribe" and self.session:
            query = message["payload"]["query"]
            if "echo" in query:
                text = query.split('"')[1]
                await self.send({"id": message["id"], "type": "next", "payload": {"data": {"echo": text}}})
                await self.send({"id": message["id"], "type": "complete"})
            elif self.service.broken == "loses-events":
                self.session.events.append({"seq": 1, "last": False})
                self.stream(29, 0.01)
            else:
                self.stream(30, 0.01)
        elif kind not in ("pong", "complete"):
            await self.connection.close(4401 if kind == "subscribe" else 4400, "Unauthorized")


class Running:
    """A server in a thread of its own."""

    def __init__(self, contract, broken):
        self.port, ready = None, threading.Event()
        self.loop = asyncio.new_event_loop()
        service = Service(broken)

        async def main():
            server = await serve(
                lambda connection: contract(service, connection).run(), "127.0.0.1", 0, process_request=service.answer,
                subprotocols=contract.subprotocols, compression=None, max_size=65536, ping_interval=None, close_timeout=1)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await asyncio.Future()

        def run():
            asyncio.set_event_loop(self.loop)
            self.task = self.loop.create_task(main())
            try:
                self.loop.run_until_complete(self.task)
            except asyncio.CancelledError:
                pass
        threading.Thread(target=run, daemon=True).start()
        assert ready.wait(20)

    def stop(self):
        self.loop.call_soon_threadsafe(self.task.cancel)


class RealSocketIO:
    """A server of python-socketio, in a process of its own: what others take for Socket.IO. It cannot resume."""

    TEXT = """
import secrets, sys, time
import socketio
from aiohttp import web
io = socketio.AsyncServer(async_mode="aiohttp", ping_interval=0.4, ping_timeout=1.2, max_http_buffer_size=65536)
app, tokens = web.Application(), {}
io.attach(app)
async def login(request):
    token = secrets.token_hex(8) + "." + secrets.token_hex(8)
    tokens[token] = time.time() + int(request.query.get("ttl", "900000")) / 1000
    return web.json_response({"token": token})
app.router.add_get("/login", login)
@io.event
async def connect(sid, environ, auth):
    if tokens.get((auth or {}).get("token"), 0) < time.time():
        raise socketio.exceptions.ConnectionRefusedError("unauthorized")
@io.event
async def echo(sid, text):
    return text
@io.event
async def stream(sid, order):
    for number in range(1, order["count"] + 1):
        await io.emit("end" if number == order["count"] else "event", {"seq": number}, to=sid)
        await io.sleep(order["interval"] / 1000)
async def main():
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await __import__("asyncio").Future()
__import__("asyncio").run(main())
"""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", self.TEXT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()


# contract: (the file, the server, scenarios that must be approved, breakage -> the scenario that is there for it)
CONTRACTS = {
    "socket-io": (SocketIO, {"midStream", "queueing", "flapping", "heartbeat", "malformed", "security"},
                  {"loses-session": "reconnection", "drops-missed": "midStream", "repeats-events": "midStream",
                   "drops-tail": "queueing",
                   "accepts-expired": "expiredToken", "no-heartbeat": "heartbeat", "leaks-sessions": "security"}),
    "phoenix": (Phoenix, {"midStream", "queueing", "expiredToken", "flapping", "malformed", "tokenRefresh", "security"},
                {"loses-session": "reconnection", "drops-missed": "midStream", "drops-tail": "queueing",
                 "accepts-expired": "expiredToken",
                 "disconnects-on-refresh": "tokenRefresh", "leaks-sessions": "security"}),
    "graphql-ws": (GraphQL, {"heartbeat", "malformed"},
                   {"loses-events": "midStream", "drops-tail": "midStream", "accepts-expired": "expiredToken",
                    "no-heartbeat": "heartbeat"}),
}


def scenarios(arguments, contract, port, *only):
    path = Path(arguments.work, "scenarios.json")
    path.write_text(json.dumps(contract))
    done = subprocess.run([arguments.nightjar, "resilience", "--config", str(path), "--json", "--quiet", *only],
                          capture_output=True, text=True, timeout=300,
                          env={**os.environ, "RESILIENCE_ADDRESS": f"127.0.0.1:{port}"})
    if done.returncode not in (0, 1, 3):
        raise AssertionError(f"exit {done.returncode}: {done.stderr.strip()[:400]}")
    return {result["scenario"]: result for result in json.loads(done.stdout)["results"]}


def reasons(result, *outcomes):
    return "; ".join(f'{case["name"]}: {case.get("reason")}' for case in result["cases"] if case["outcome"] in outcomes)


def good(arguments, name, contract, port, approved):
    """Rejected nowhere (a scenario that is, is run once more by itself), and approved where the contract has it all."""
    found, problems = scenarios(arguments, contract, port), []
    for scenario, result in found.items():
        if result["status"] == "REJECTED":
            print(f"   {name}: {scenario} is run twice; at first {reasons(result, 'failed', 'errored')}", flush=True)
            result = found[scenario] = scenarios(arguments, contract, port, "--scenario", scenario)[scenario]
        if result["status"] == "REJECTED":
            problems.append(f"{name}: {scenario} is rejected: {reasons(result, 'failed', 'errored')}")
        elif scenario in approved and result["status"] != "APPROVED":
            problems.append(f"{name}: {scenario} is not approved: {reasons(result, 'skipped')}")
    words = {"APPROVED": "yes", "CONDITIONAL": "cond.", "REJECTED": "no"}
    print(f"   {name}: " + ", ".join(f"{scenario} {words[result['status']]}" for scenario, result in found.items()), flush=True)
    return problems


def main():
    options = argparse.ArgumentParser()
    for option in ("nightjar", "examples", "work"):
        options.add_argument("--" + option, required=True)
    options.add_argument("--only", default="")
    arguments = options.parse_args()
    logging.disable(logging.CRITICAL)  # Connections that are cut are what this is about.
    problems = []
    for name, (kind, approved, breakages) in CONTRACTS.items():
        if arguments.only not in name:
            continue
        contract = json.loads(Path(arguments.examples, f"{name}.json").read_text())
        # Times that a busy machine keeps.
        contract["trials"] = 8
        if "heartbeat" in contract:
            contract["heartbeat"]["tolerance"] = 0.6
        server = Running(kind, "")
        problems += good(arguments, name, contract, server.port, approved)
        server.stop()
        for broken, scenario in breakages.items():
            server = Running(kind, broken)
            result = scenarios(arguments, contract, server.port, "--scenario", scenario)[scenario]
            server.stop()
            if result["status"] == "REJECTED":
                print(f"   {name}, {broken}: {scenario} says {reasons(result, 'failed', 'errored')[:140]}", flush=True)
            else:
                problems.append(f"{name}: {broken} is not caught by {scenario}")
        if name == "socket-io":
            try:
                __import__("socketio")
            except ImportError:
                print("   python-socketio is not installed: no real Socket.IO server was tried")
                continue
            server = RealSocketIO()
            for key in ("resume", "queue"):
                contract.pop(key)
            contract["connect"]["authenticate"]["capture"] = {"session": "/1/sid"}
            contract["accepted"] = [{"case": "the message *", "reason": "python-engineio ends the connection without a close frame"}]
            problems += good(arguments, "python-socketio", contract, server.port, {"heartbeat"})
            server.stop()
    for problem in problems:
        print("FAILED:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
