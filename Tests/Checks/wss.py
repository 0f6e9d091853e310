#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scenarios over wss: the demo's live service behind TLS, with an authority of its own making.

The whole run must approve the service with the authority named, and refuse everything without it, with another host name,
and with a certificate whose time is over. The fault proxy stands in front of TLS in all of it; by itself it is tried with
somebody else's TLS client, which must see the server's own certificate, and the fault.

usage: wss.py --nightjar PATH --scenarios FILE --work DIR
"""
import argparse
import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

NEEDED = {"reconnection", "midStream", "queueing", "expiredToken", "restart", "flapping", "heartbeat", "malformed",
          "interfaceSwitch", "tokenRefresh", "security"}


class Authority:
    """A certificate authority and what it signed, made with openssl."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir()
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=check authority", "-keyout", "ca.key", "-out", "ca.pem")
        (self.folder / "index").touch()
        (self.folder / "ca.conf").write_text(
            "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nnew_certs_dir=.\ncertificate=ca.pem\nprivate_key=ca.key\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=any\ncopy_extensions=copy\nunique_subject=no\n"
            "[any]\ncommonName=supplied\n")
        self.file = str(self.folder / "ca.pem")

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def server(self, name, *dates):
        """A context for a server whose certificate is for `localhost`."""
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                      "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self._openssl("ca", "-batch", "-config", "ca.conf", "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext",
                      *(dates or ("-days", "1")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


class Terminator:
    """Ends TLS in front of a plain server, as a load balancer does. Counts the bytes that clients had for the server."""

    def __init__(self, context, backend):
        self.backend, self.bytes, self.port, self._ready = backend, 0, None, threading.Event()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, args=(context,), daemon=True).start()
        assert self._ready.wait(10)

    def _run(self, context):
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)

        async def start():
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
        self._loop.create_task(start())
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        try:
            near, far = await asyncio.open_connection("127.0.0.1", self.backend)
        except OSError:
            writer.close()
            return

        async def pump(source, sink):
            try:
                while data := await source.read(1 << 16):
                    self.bytes += len(data) if source is reader else 0
                    sink.write(data)
                    await sink.drain()
            except (OSError, ssl.SSLError):
                pass
            finally:
                sink.close()
        await asyncio.gather(pump(reader, far), pump(near, writer))


def scenarios(arguments, contract, values, *more):
    path = Path(arguments.work, "scenarios.json")
    path.write_text(json.dumps(contract))
    done = subprocess.run([arguments.nightjar, "resilience", "--config", str(path), "--json", "--quiet", *more],
                          capture_output=True, text=True, env={**os.environ, **values}, timeout=540)
    if done.returncode not in (0, 1, 3):
        raise AssertionError(f"resilience ended with {done.returncode}: {done.stderr.strip()[:400]}")
    return json.loads(done.stdout)


def secure(contract, host, port, authorities, logins=False):
    """The contract of the plain service with its sockets over TLS, and its logins where asked for."""
    text = json.dumps(contract).replace("ws://{address}", f"wss://{host}:{port}")
    contract = json.loads(text.replace("http://{address}", f"https://{host}:{port}") if logins else text)
    if authorities:
        contract["connect"]["authorities"] = authorities
    return contract


def approved(arguments, contract, values):
    """Every scenario over wss; those that are rejected are tried once more by themselves, for the sake of a busy machine."""
    report = scenarios(arguments, contract, values)
    found = {result["scenario"]: result for result in report["results"]}
    assert set(found) == NEEDED, f"only {sorted(found)}"
    problems = []
    for name, result in found.items():
        if result["status"] == "REJECTED":
            print(f"   {name} is tried once more", flush=True)
            result = scenarios(arguments, contract, values, "--scenario", name)["results"][0]
        if result["status"] != "APPROVED":
            cases = [f'{case["name"]}: {case.get("reason")}' for case in result["cases"] if case["outcome"] != "passed"]
            problems.append(f"{name} is {result['status']}: {'; '.join(cases)}")
    assert not problems, "; ".join(problems)
    cases = sum(len(result["cases"]) for result in found.values())
    return f"all {len(found)} scenarios, {cases} cases, approved over wss, the proxy in front of TLS"


def refused(arguments, contract, values, words, terminator):
    """No case may pass, each must say why, and not a byte of a request may have come through."""
    before = terminator.bytes
    report = scenarios(arguments, contract, values, "--scenario", "1")
    result = report["results"][0]
    assert result["status"] == "REJECTED", result["status"]
    told = [case for case in result["cases"] if case["outcome"] != "skipped"]
    assert told and all(case["outcome"] in ("failed", "errored") for case in told), told
    silent = [case["reason"] for case in told if words not in case["reason"]]
    assert not silent, f"a reason without '{words}': {silent[0]}"
    assert terminator.bytes == before, f"{terminator.bytes - before} bytes were sent to a server that is not trusted"
    return f"refused, {len(told)} cases, no byte sent: {told[0]['reason']}"


class FaultProxy:
    def __init__(self, nightjar, *words):
        self.process = subprocess.Popen([nightjar, "proxy", "--listen", "0", *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.split("127.0.0.1:")[1].split()[0].rstrip(",;."))

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def visit(context, port, connect=None):
    """A request over a verified TLS connection; its milliseconds, and the certificate that was shown."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    if connect:
        raw.sendall(f"CONNECT {connect} HTTP/1.1\r\nHost: {connect}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += raw.recv(1)
        assert b" 200 " in answer.split(b"\r\n")[0], answer
    with context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False) as link:
        started = time.monotonic()
        link.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = link.recv(1 << 16)
        assert b" 200 " in answer, f"not answered but {answer[:80]}"
        return (time.monotonic() - started) * 1000, link.getpeercert(binary_form=True)


def proxied(arguments, authority, terminator):
    """Somebody else's TLS client through the proxy: the server's own certificate, and the faults."""
    context = ssl.create_default_context(cafile=authority.file)
    _, own = visit(context, terminator.port)
    target = f"127.0.0.1:{terminator.port}"
    said = []
    for name, words, connect in (("in front of the server", ["--to", target], None), ("by CONNECT", [], target)):
        proxy = FaultProxy(arguments.nightjar, *words, "--fault", "latency:150ms,direction:down")
        try:
            took, shown = visit(context, proxy.port, connect=connect)
        finally:
            proxy.end()
        assert shown == own, f"{name}: another certificate came through the proxy"
        assert took >= 150, f"{name}: the answer came after {took:.0f} ms although 150 ms were asked for"
        said.append(f"{name} {took:.0f} ms >= 150 ms")
    proxy = FaultProxy(arguments.nightjar, "--to", target, "--fault", "reset,bytes:900,direction:down")
    try:
        visit(context, proxy.port)
        raise AssertionError("a reset inside the TLS handshake was not noticed")
    except (ConnectionError, ssl.SSLError) as error:
        end = type(error).__name__
    finally:
        proxy.end()
    return (f"a strict TLS client sees the server's certificate through the proxy: {', '.join(said)}; a reset after 900 "
            f"bytes ends it ({end})")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nightjar", required=True)
    options.add_argument("--scenarios", required=True)
    options.add_argument("--work", required=True)
    arguments = options.parse_args()
    contract = json.loads(Path(arguments.scenarios).read_text())
    # openssl is started for each connection: fewer trials, and times that a busy machine keeps.
    contract["trials"], contract["restart"]["trials"], contract["heartbeat"]["tolerance"] = 6, 1, 0.6
    root = Path(arguments.work, "live")
    service = subprocess.Popen([arguments.nightjar, "__demo-live", "--root", str(root)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not ((root / "port").exists() and (root / "port").read_text().endswith("\n")):
            assert time.monotonic() < deadline and service.poll() is None, "the live service does not start"
            time.sleep(0.05)
        port = int((root / "port").read_text())
        values = {"NIGHTJAR_DEMO_ADDRESS": f"127.0.0.1:{port}", "NIGHTJAR_DEMO_PROGRAM": arguments.nightjar,
                  "NIGHTJAR_DEMO_ROOT": str(root)}
        authority = Authority(Path(arguments.work, "authority"))
        good = Terminator(authority.server("good"), port)
        old = Terminator(authority.server("old", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z"), port)
        file = authority.file
        for what, check in (
            ("", lambda: approved(arguments, secure(contract, "localhost", good.port, file, logins=True), values)),
            ("unknown authority: ", lambda: refused(
                arguments, secure(contract, "localhost", good.port, None), values, "is not trusted", good)),
            ("wrong host name: ", lambda: refused(
                arguments, secure(contract, "127.0.0.1", good.port, file), values, "is not trusted", good)),
            ("expired certificate: ", lambda: refused(
                arguments, secure(contract, "localhost", old.port, file), values, "is not trusted", old)),
            ("", lambda: proxied(arguments, authority, good)),
        ):
            print("   " + what + check(), flush=True)
    except AssertionError as problem:
        print("FAILED:", problem)
        sys.exit(1)
    finally:
        # A restart has made another process of the service.
        pids = {str(service.pid), (root / "service.pid").read_text().strip() if (root / "service.pid").exists() else ""}
        for pid in pids - {""}:
            try:
                os.kill(int(pid), 15)
            except ProcessLookupError:
                pass
        service.wait(20)


if __name__ == "__main__":
    main()
