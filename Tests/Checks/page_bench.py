#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the status page costs: wrk against `nightjar serve` over a real loop, with nobody and with 1,000 streams of events
open, and against nginx with the same bytes in the same run. Not a check: it makes the table of docs/benchmarks.md.

usage: NIGHTJAR=RELEASE-BINARY page_bench.py [--seconds N] [--listeners N]
"""
import argparse
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from page import Scenes, get

PATHS = ["/", "/metrics", "/api/v1/loops"]
TICKS = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """Processor seconds of a process and of its children that are still there."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def wrk(url, connections, seconds, pid):
    before = cpu(pid)
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url], check=True,
                          capture_output=True, text=True).stdout
    used = cpu(pid) - before
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk on {url}: {said}")
    count = int(re.search(r"(\d+) requests in", said).group(1))
    half, most = (re.search(rf"^\s+{share}%\s+(\S+)", said, re.M).group(1) for share in (50, 99))
    rate = float(re.search(r"Requests/sec:\s+(\S+)", said).group(1))
    return f"{rate:>8.0f} /s, p50 {half}, p99 {most}, {used / count * 1e6:.0f} us of CPU each"


class Listeners:
    """Streams of events that are read as they come."""

    def __init__(self, port, count):
        self.selector, self.sockets, self.events, self.beats, self.gone = selectors.DefaultSelector(), [], 0, 0, 0
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            one.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            self.sockets.append(one)
        for one in self.sockets:
            head = one.recv(15)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a stream was answered {head}")
            one.setblocking(False)
            self.selector.register(one, selectors.EVENT_READ)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            for key, _ in self.selector.select(1):
                data = key.fileobj.recv(1 << 16)
                if not data:
                    self.gone += 1
                    self.selector.unregister(key.fileobj)
                self.events += data.count(b"event: sections")
                self.beats += data.count(b"event: beat")


def nginx(folder, base):
    """nginx with what the page answers, as files; its worker's process and its port."""
    root = folder / "root"
    for path in PATHS:
        file = root / (path.strip("/") or "index.html")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(get(base + path)[2])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(
        f"worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; daemon off; events {{ worker_connections 2048; }}\n"
        f"http {{ access_log off; keepalive_requests 100000000; default_type text/html;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n")
    master = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    worker = int(Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()[0])
    return master, worker, port


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--listeners", type=int, default=1000)
    arguments = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nightjar-page-bench."))
    os.chmod(folder, 0o755)  # nginx reads as somebody else
    scenes = Scenes(os.environ["NIGHTJAR"], folder / "scenes")
    scenes.folder.mkdir()
    master = None
    try:
        scenes.healthy()
        base = scenes.serve("shop")
        page, port = scenes.page.pid, int(base.rsplit(":", 1)[1])
        get(base + "/")
        master, worker, other = nginx(folder, base)
        print("sizes: " + ", ".join(f"{path} {len(get(base + path)[2].encode())} bytes" for path in PATHS))
        print(f"load {os.getloadavg()[0]:.1f}; page {memory(page):.1f} MB, nginx worker {memory(worker):.1f} MB")

        def round_of(name, target, pid):
            for path in PATHS:
                for connections in (1, 64):
                    print(f"{name:<22} {path:<15} {connections:>3} connections: "
                          + wrk(target + path, connections, arguments.seconds, pid), flush=True)
        for name, target, pid in (("page", base, page), ("nginx", f"http://127.0.0.1:{other}", worker)):
            round_of(name, target, pid)
        listeners = Listeners(port, arguments.listeners)
        time.sleep(3)
        before, began = cpu(page), time.monotonic()
        time.sleep(20)
        share = (cpu(page) - before) / (time.monotonic() - began) * 100
        print(f"{arguments.listeners} listeners, nobody asks: {share:.2f} % of a processor, {memory(page):.1f} MB, "
              f"{listeners.events} events, {listeners.beats} beats, {listeners.gone} gone")
        round_of(f"page, {arguments.listeners} listeners", base, page)
        round_of("nginx", f"http://127.0.0.1:{other}", worker)
        cuts = re.findall(r'^(nightjar_page_connections_cut_total\S*) ([1-9]\d*)$', get(base + "/metrics")[2], re.M)
        print(f"{listeners.gone} listeners gone {cuts}; page {memory(page):.1f} MB; load {os.getloadavg()[0]:.1f}")
    finally:
        if master:
            master.send_signal(signal.SIGTERM)
            master.wait(20)
        scenes.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
