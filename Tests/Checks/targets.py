# SPDX-License-Identifier: Apache-2.0
"""Performance targets, end to end: a loop that measures a server whose speed this script sets.

    targets.py [STEP...]     measured, slower, creeping, failing, slow, secure, refused, secret; NIGHTJAR names the binary
"""

import base64
import hashlib
import json
import os
import random
import shutil
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from wss import Authority, Terminator

NIGHTJAR = os.environ["NIGHTJAR"]
TOKEN = "s3cret-token-0815"
SEED = 20261129


class Failure(Exception):
    """What does not hold, in a sentence."""


def check(holds, sentence):
    if not holds:
        raise Failure(sentence)


class Staging(socketserver.ThreadingTCPServer):
    """Answers HTTP and WebSocket after a delay."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.port = self.server_address[1]
        self.milliseconds, self.failing, self.requests, self.lock = 2.0, 0.0, 0, threading.Lock()
        self.random = random.Random(SEED)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def pause(self):
        with self.lock:
            self.requests += 1
            noise = self.random.lognormvariate(0, 0.05)
            fails = self.random.random() < self.failing
        time.sleep(self.milliseconds * noise / 1000)
        return fails


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        request = self.rfile.readline().decode().split()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        if not request:
            return
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return self.answer("401 Unauthorized", "a token is needed")
        if headers.get("upgrade", "").lower() == "websocket":
            return self.converse(headers["sec-websocket-key"])
        if self.server.pause():
            return self.answer("503 Service Unavailable", "busy")
        self.answer("200 OK", '{"status": "healthy"}')

    def answer(self, status, body):
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.wfile.write((head + body).encode())

    def converse(self, key):
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        accept = base64.b64encode(digest).decode()
        self.wfile.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            opcode, length = head[0] & 15, head[1] & 127
            if length == 126:
                length = struct.unpack(">H", self.rfile.read(2))[0]
            mask = self.rfile.read(4)
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(length)))
            if opcode == 8:
                self.send(8, payload)
                return
            self.server.pause()
            if opcode == 9:
                self.send(10, payload)
            elif opcode == 1:
                self.send(1, b'{"type":"news"}')
                self.send(1, payload.replace(b"echo", b"echoed"))

    def send(self, opcode, payload):
        self.wfile.write(bytes([0x80 | opcode, len(payload)]) + payload)


SUITE = """#!/bin/sh
# suite.sh REPORT: one test, and what it measured as a property.
printf "<testsuite name='s'><properties><property name='throughput' value='$(cat throughput)'/><property name='host'
value='a'/></properties><testcase classname='s' name='one' time='0.01'><properties><property name='first_paint'
value='0.180 s'/></properties></testcase></testsuite>" > "$1"
"""


class Loop:
    def __init__(self, port):
        keep = os.environ.get("NIGHTJAR_KEEP")
        self.folder = Path(keep, "targets") if keep else Path(tempfile.mkdtemp(prefix="nightjar-targets."))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "suite.sh").write_text(SUITE)
        (self.folder / "suite.sh").chmod(0o755)
        (self.folder / "token").write_text(TOKEN + "\n")
        (self.folder / "throughput").write_text("900")
        bearer = {"Authorization": "Bearer {TOKEN}"}
        quick = {"interval": "1ms", "secrets": ["TOKEN"]}
        self.settings = {
            "loop": {"name": "targets", "mode": "observe"},
            "state": "state",
            "secrets": {"TOKEN": {"fromFile": "token"}},
            "health": {"stableFor": "0s", "interval": "50ms"},
            "suites": [{"name": "s", "priority": "P0", "command": ["./suite.sh", "{report}"]}],
            "targets": [
                {"name": "API response", "limit": "400ms", "http": f"http://127.0.0.1:{port}/health",
                 "headers": bearer, "expect": {"json": {"/status": "healthy"}}, "samples": 30, **quick},
                {"name": "connect", "limit": "0.4s", "http": f"http://127.0.0.1:{port}/health", "headers": bearer,
                 "timing": "connect", "percentile": 50, "samples": 5, **quick},
                {"name": "ping", "limit": "400ms", "websocket": f"ws://127.0.0.1:{port}/live", "headers": bearer,
                 "samples": 10, **quick},
                {"name": "echo", "limit": "400ms", "samples": 10, **quick,
                 "websocket": {"url": f"ws://127.0.0.1:{port}/live", "headers": bearer,
                               "send": '{"type":"echo","n":{sample}}', "receive": '"echoed","n":{sample}}'}},
                {"name": "throughput", "limit": "500", "atLeast": True, "property": "throughput"},
                {"name": "first paint", "limit": "500ms", "property": "first_paint"},
                {"name": "printed", "limit": "10s", "percentile": 50, "warmup": 1,
                 "command": ["printf", "900s\\n3s\\n2000ms\\n1 s\\n"]},
            ],
        }
        self.write()

    def write(self):
        (self.folder / "nightjar.json5").write_text(json.dumps(self.settings, indent=1))

    def run(self, *arguments, **environment):
        # A machine's own settings of whom to trust come before SSL_CERT_FILE in curl.
        plain = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
        return subprocess.run(
            [NIGHTJAR, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120,
            env=dict(plain, NO_COLOR="1", **environment))

    def once(self, **environment):
        """One cycle: its record and its targets by name."""
        done = self.run("once", **environment)
        state = self.folder / "state" / "targets"
        record = json.loads((state / "latest" / "cycle.json").read_text())
        targets = {target["name"]: target for target in record["targets"]}
        return done.returncode, record, targets

    @property
    def log(self):
        return (self.folder / "state" / "targets" / "cycle.log").read_text()

    def report(self, kind):
        return (self.folder / "state" / "targets" / "latest" / f"report.{kind}").read_text()


def measured(loop):
    code, record, targets = loop.once()
    check(code == 0 and record["verdict"] == "healthy", f"the first cycle is {record['verdict']}: {record['reasons']}")
    api = targets["API response"]
    check(api["status"] == "met" and api["samples"] == 30 and len(api["values"]) == 30, f"API response: {api}")
    check(api["source"] == "http total" and api["warmup"] == 3, f"API response: {api}")
    check(2 <= api["measured"] < 400, f"API response took {api['measured']} ms")
    check(api["interval"]["low"] <= api["measured"], f"the interval of API response: {api['interval']}")
    check("sinceGreen" not in api, "the first cycle is compared with something")
    samples = Path(loop.folder, "state/targets/latest", api["evidence"]).read_text().splitlines()
    rows = [json.loads(line) for line in samples]
    check([row["check"] for row in rows] == ["warm-up"] * 3 + ["sample"] * 30, "the samples on disk")
    check(all("firstByteMilliseconds" in row and "connectMilliseconds" in row for row in rows), "a time is not kept")
    check([row["milliseconds"] for row in rows[3:]] == api["values"], "the values are not those on disk")
    check(0 < targets["connect"]["measured"] < targets["API response"]["measured"] / 1000, f"{targets['connect']}")
    for name, source in (("ping", "websocket ping"), ("echo", "websocket message")):
        check(targets[name]["samples"] == 10 and targets[name]["source"] == source, f"{name}: {targets[name]}")
        check(targets[name]["measured"] >= 1.5, f"{name} took {targets[name]['measured']} ms")
    check(targets["throughput"]["measured"] == 900 and targets["throughput"]["betterByPercent"] == 80, "throughput")
    check(targets["first paint"]["measured"] == 180, f"{targets['first paint']}")
    check(targets["printed"]["values"] == [3, 2, 1] and targets["printed"]["measured"] == 2, f"{targets['printed']}")
    check(" target    API response: p95 of 30 " in loop.log, "cycle.log does not have the target")
    text = loop.run("show").stdout
    check("API response: p95 of 30" in text and "95 % CI" in text, f"show does not have the targets: {text}")


def steady_then_slower(loop, staging):
    # Four more green cycles show how cycles differ; until then nothing is called a regression, however busy the machine.
    for _ in range(4):
        _, record, targets = loop.once()
        finding = targets["API response"]["sinceGreen"]["finding"]
        check(finding in ("same", "unknown"), f"a steady service is said to be {finding}")
        check(record["verdict"] == "healthy", record["reasons"])
    staging.milliseconds = 200
    code, record, targets = loop.once()
    change = targets["API response"]["sinceGreen"]
    check(change["finding"] == "worse" and change["probability"] <= 0.01 and change["cycle"] == 5, f"slower: {change}")
    check(targets["ping"]["sinceGreen"]["finding"] == "worse", f"slower pings: {targets['ping']['sinceGreen']}")
    check(targets["connect"]["sinceGreen"]["finding"] != "worse", f"connecting: {targets['connect']['sinceGreen']}")
    check(targets["throughput"]["sinceGreen"]["finding"] == "unknown", "one value is told from noise")
    check(code == 0 and record["verdict"] == "healthy", "a met target that got slower changes the verdict")
    check(any(reason["rule"] == "target-regressed" for reason in record["reasons"]), "no reason names the regression")
    words = "worse than last green #5 (p"
    for what, text in (("cycle.log", loop.log), ("report.md", loop.report("md").replace("\\", "")),
                       ("report.html", loop.report("html")), ("show", " ".join(loop.run("show").stdout.split())),
                       ("status", " ".join(loop.run("status").stdout.split()))):
        check(words in text, f"{what} does not say {words!r}")


def creeping(loop, staging):
    # The median is steadier than the tail on a busy machine; another percentile begins a series of its own.
    loop.settings["targets"][0].update(percentile=50, limit="300ms", samples=15)
    loop.write()
    for step in range(14):
        staging.milliseconds = 20 + 12 * step
        _, _, targets = loop.once()
        trend = targets["API response"].get("trend", {})
        if "cyclesToLimit" in trend:
            break
    check("cyclesToLimit" in trend and step >= 7, f"the trend after {step + 1} cycles: {trend}")
    check(6 < trend["slopePerCycle"] < 40 and trend["probability"] <= 0.01, f"the slope: {trend}")
    words = f"reaches the limit in about {trend['cyclesToLimit']} cycles"
    for what, text in (("cycle.log", loop.log), ("report.md", loop.report("md").replace("\\", "")),
                       ("report.html", loop.report("html")), ("status", " ".join(loop.run("status").stdout.split()))):
        check(words in text, f"{what} does not say {words!r}")
    check("act before target API response" in loop.report("html"), "no next action names the trend")
    loop.settings["targets"][0].update(percentile=95, limit="400ms", samples=30)
    loop.write()


def failing(loop, staging):
    staging.milliseconds, staging.failing = 2, 0.5
    code, record, targets = loop.once()
    api = targets["API response"]
    check(api["status"] == "notMeasured" and "measured" not in api, f"half of the samples fail: {api}")
    check("samples failed > 3 allowed: status 503" in api["because"], api["because"])
    check(record["verdict"] == "degraded" and code != 0, f"a target that is not measured: {record['verdict']}")
    loop.settings["targets"][0]["blocking"] = True
    loop.write()
    code, record, _ = loop.once()
    check(record["verdict"] == "unproven" and code == 3, f"a blocking one: {record['verdict']}, {code}")
    # One sample in thirty may fail; it ranks last and is said.
    staging.failing = 0.0
    (loop.folder / "token").write_text("wrong\n")
    _, _, targets = loop.once()
    check("401" in targets["API response"]["because"], targets["API response"]["because"])
    check("the WebSocket did not open" in targets["ping"]["because"], targets["ping"]["because"])
    (loop.folder / "token").write_text(TOKEN + "\n")


def slow(loop, staging):
    """A target that blocks and is missed is asked about, with the sample that was judged as evidence."""
    whole = json.loads(json.dumps(loop.settings))
    loop.settings["targets"] = [dict(whole["targets"][0], blocking=True, samples=10)]
    loop.write()
    staging.milliseconds, staging.failing = 600, 0.0
    code, record, targets = loop.once()
    check(targets["API response"]["status"] == "missed", f"{targets['API response']}")
    check(record["verdict"] == "failing" and code == 1, f"a blocking miss: {record['verdict']}, {code}")
    found = [one for one in record["incidents"] if one.get("targets") == ["API response"]]
    check(len(found) == 1 and found[0]["title"].startswith("target API response: p95 of 10 is "), f"{record['incidents']}")
    diagnosis = found[0]["diagnosis"]
    first = diagnosis["whys"][0]["evidence"][0]
    line = Path(loop.folder, "state/targets/latest", first["path"]).read_text().splitlines()[first["lines"][0] - 1]
    check(line[:300] == first["excerpt"], f"the evidence does not stand there: {first}")
    check(json.loads(line)["milliseconds"] == targets["API response"]["measured"], f"another sample was judged: {line}")
    check("last green #" in diagnosis["statistics"], diagnosis["statistics"])
    # It is measured again where it is; the revision is the last green one, so no commit is blamed.
    again = [one for one in record["experiments"] if one["experiment"]["kind"] == "rerun"]
    check(again and again[0]["result"].startswith("misses a target 2/2"), f"experiments: {record['experiments']}")
    check("culprit" not in diagnosis, f"a commit is blamed: {diagnosis}")
    staging.milliseconds = 2
    loop.settings = whole
    loop.write()


def secure(loop, staging):
    """The same over TLS, with an authority of its own: measured where it is trusted, and not a byte sent where it is not."""
    whole = json.loads(json.dumps(loop.settings))
    authority, other = Authority(loop.folder / "authority"), Authority(loop.folder / "other")
    front = Terminator(authority.server("staging"), staging.port)
    for target in loop.settings["targets"]:
        for key in ("http", "websocket"):
            text = json.dumps(target.get(key)).replace("http://", "https://").replace("ws://", "wss://")
            if key in target:
                target[key] = json.loads(text.replace(f"127.0.0.1:{staging.port}", f"localhost:{front.port}"))
    loop.settings["targets"][1]["timing"] = "tls"
    loop.write()
    _, record, targets = loop.once(SSL_CERT_FILE=authority.file)
    for name in ("API response", "connect", "ping", "echo"):
        check(targets[name]["status"] == "met", f"over TLS: {targets[name]}")
    check(targets["connect"]["source"] == "http tls" and 0 < targets["connect"]["measured"] < 0.4, f"{targets['connect']}")
    samples = Path(loop.folder, "state/targets/latest", targets["API response"]["evidence"]).read_text().splitlines()
    rows = [json.loads(line) for line in samples]
    check(all(0 < row["connectMilliseconds"] < row["tlsMilliseconds"] < row["milliseconds"] for row in rows), f"{rows[-1]}")
    taken = front.bytes
    loop.settings["targets"] = [one for one in loop.settings["targets"] if "http" in one or "websocket" in one]
    loop.write()
    for words, environment in (("another authority", {"SSL_CERT_FILE": other.file}), ("none", {})):
        _, record, targets = loop.once(**environment)
        for name, target in targets.items():
            check(target["status"] == "notMeasured" and "measured" not in target, f"{words}: {name} is {target}")
            check("certificate" in target["because"] or "trusted" in target["because"], f"{words}: {target['because']}")
        check(front.bytes == taken, f"{words}: {front.bytes - taken} bytes of requests were sent")
    text = json.dumps(loop.settings["targets"]).replace("localhost", "127.0.0.1")
    loop.settings["targets"] = json.loads(text)
    loop.write()
    _, record, targets = loop.once(SSL_CERT_FILE=authority.file)
    check(all(one["status"] == "notMeasured" for one in targets.values()), f"another host name: {targets}")
    check(front.bytes == taken, "bytes were sent to a host of another name")
    loop.settings = whole
    loop.write()


def refused(loop):
    for change, words in (({"limit": "5"}, "a time with its unit"), ({"tests": "*"}, "one of"),
                          ({"secrets": ["NONE"]}, "not in secrets"), ({"samples": 0}, "samples")):
        settings = json.loads(json.dumps(loop.settings))
        settings["targets"][0].update(change)
        path = loop.folder / "wrong.json5"
        path.write_text(json.dumps(settings))
        done = loop.run("check", "--config", str(path))
        check(done.returncode == 2 and words in done.stdout + done.stderr, f"{change}: {done.stdout}{done.stderr}")


def secret(loop):
    for path in Path(loop.folder, "state").rglob("*"):
        if path.is_file() and not path.is_symlink():
            check(TOKEN.encode() not in path.read_bytes(), f"the token is in {path}")


def main():
    print(f"   seed {SEED}")
    staging = Staging()
    loop = Loop(staging.port)
    try:
        for name, step in (("measured", lambda: measured(loop)), ("slower", lambda: steady_then_slower(loop, staging)),
                           ("creeping", lambda: creeping(loop, staging)), ("failing", lambda: failing(loop, staging)),
                           ("slow", lambda: slow(loop, staging)), ("secure", lambda: secure(loop, staging)),
                           ("refused", lambda: refused(loop)), ("secret", lambda: secret(loop))):
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            step()
            print(f"   {name}: ok", flush=True)
        verified = loop.run("verify")
        check(verified.returncode == 0, verified.stdout + verified.stderr)
    except Failure as failure:
        print(f"   {name}: {failure}")
        return 1
    finally:
        staging.shutdown()
        if not os.environ.get("NIGHTJAR_KEEP"):
            shutil.rmtree(loop.folder, ignore_errors=True)
    return 0


sys.exit(main())
