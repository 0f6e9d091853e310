# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus beside a real page: samples arrive, and the alert for a killed daemon goes off."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

from harness import Failure, check, wait_for
from page import Scenes, document, get


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def format_is_accepted(base):
    status, fields, text = get(base + "/metrics")
    check(status == 200 and fields["Content-Type"].startswith("text/plain; version=0.0.4"), f"{status} {fields}")
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=30)
    said = (done.stdout + done.stderr).decode().strip()
    check(done.returncode == 0 and not said, f"promtool check metrics: {said}")
    return f"promtool check metrics has nothing to say about {len(text.splitlines())} lines"


def configure(work, base):
    """The configuration of the project with another target and a shorter pace."""
    text = Path(work, "prometheus.yml").read_text()
    text = text.replace("127.0.0.1:8787", urllib.parse.urlsplit(base).netloc).replace("15s", "1s")
    Path(work, "prometheus.yml").write_text(text)
    rules = Path(work, "nightjar.rules.yml")
    rules.write_text(re.sub(r"for: \d+m", "for: 2s", rules.read_text()))


def ask(server, query):
    answer = document(f"{server}/api/v1/query?query={urllib.parse.quote(query)}")
    return {sample["metric"].get("loop", ""): float(sample["value"][1]) for sample in answer["data"]["result"]}


def firing(server):
    alerts = document(f"{server}/api/v1/alerts")["data"]["alerts"]
    return {(a["labels"]["alertname"], a["labels"].get("loop")) for a in alerts if a["state"] == "firing"}


def scraped(scenes, base, work):
    configure(work, base)
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    with open(Path(work, "prometheus.log"), "wb") as log:
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def up():
            try:
                return ask(server, "nightjar_loop_up")
            except (OSError, ValueError, Failure):
                return None
        found = wait_for(40, up, "a first scrape")
        check(found == {"shop": 1, "api": 1}, f"nightjar_loop_up: {found}")
        check(ask(server, 'nightjar_loop_light{light="red"} == 1') == {"api": 1}, "api alone is red")
        risk = ask(server, "nightjar_value_at_risk")
        check(risk["shop"] == 0 and risk["api"] > 0, f"value at risk: {risk}")
        cycles = ask(server, "nightjar_cycles_total")["shop"]
        check(cycles == scenes.loops["shop"].sealed()[-1], f"{cycles} cycles of shop")
        wait_for(40, lambda: ("NightjarStagingRed", "api") in firing(server), "the alert about api being red")
        check(("NightjarStagingRed", "shop") not in firing(server), "shop is not red")
        check(("NightjarDaemonDown", "shop") not in firing(server), "the daemon of shop is there")
        scenes.loops["shop"].kill(signal.SIGKILL)
        scenes.loops["shop"].wait()
        wait_for(40, lambda: ("NightjarDaemonDown", "shop") in firing(server), "the alert about the killed daemon")
        scenes.page.terminate()
        scenes.page.wait(10)
        wait_for(40, lambda: ("NightjarPageDown", None) in firing(server), "the alert about the page being down")
        targets = document(f"{server}/api/v1/targets")["data"]["activeTargets"]
        check(len(targets) == 1, f"one target: {json.dumps(targets)[:300]}")
    finally:
        prometheus.terminate()
        prometheus.wait(20)
    return "a real Prometheus has the samples; red, a killed daemon and a page that is down set its alerts off"


def main():
    work = sys.argv[1]
    scenes = Scenes(os.environ["NIGHTJAR"], Path(work, "scenes"))
    scenes.folder.mkdir()
    try:
        scenes.healthy()
        scenes.failing()
        base = scenes.serve()
        print("   " + format_is_accepted(base), flush=True)
        print("   " + scraped(scenes, base, work), flush=True)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    finally:
        scenes.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
