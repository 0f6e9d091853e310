# SPDX-License-Identifier: Apache-2.0
"""Real loops in the states that the status page has to show, and the page that serves them."""

import json
import subprocess
import time
import urllib.error
import urllib.request

from harness import Loop, check, wait_for

HOSTILE = "<script>alert(1)</script>\\033[31m"

SILENT = """#!/bin/sh
# A suite that ends well and leaves no report.
exit 0
"""


class Scenes:
    """One loop per state, each with a daemon of its own."""

    def __init__(self, nightjar, folder):
        self.nightjar, self.folder = nightjar, folder
        self.loops = {}
        self.page = None

    def loop(self, name, value=120000, every="10m", **settings):
        loop = Loop(self.nightjar, self.folder / name, name=name, **settings)
        loop.settings["loop"]["valueUnit"] = "USD/month"
        loop.settings["schedule"]["every"] = every
        loop.settings["suites"][0]["value"] = value
        loop.settings["suites"][1]["value"] = value // 3
        loop.save()
        self.loops[name] = loop
        return loop

    def healthy(self):
        loop = self.loop("shop", every="300ms")
        loop.start()
        wait_for(60, lambda: len(loop.sealed()) >= 8, "eight cycles of shop")
        self.calm(loop)

    def failing(self):
        """Some good cycles, then a commit that breaks a test."""
        loop = self.loop("api", every="300ms")
        loop.start()
        wait_for(60, lambda: len(loop.sealed()) >= 3, "three cycles of api")
        loop.write("wanted", "bad-<script>1")
        known = len(loop.sealed())
        wait_for(60, lambda: loop.document(known + 1) and loop.document(known + 1)["verdict"] == "failing",
                 "a failing cycle of api")

    def unproven(self):
        loop = self.loop("files")
        loop.script("suite.sh", SILENT)
        loop.start()
        wait_for(60, lambda: loop.sealed(), "a cycle of files")

    def running(self):
        loop = self.loop("web", every="200ms")
        loop.start()
        wait_for(60, lambda: len(loop.sealed()) >= 2, "two cycles of web")
        loop.write("test-seconds", "600")
        wait_for(60, lambda: loop.doing() == "test", "a test stage of web")

    def paused(self):
        loop = self.loop("mail", every="200ms")
        loop.start()
        wait_for(60, lambda: loop.sealed(), "a cycle of mail")
        status, said = loop.run("pause", "--for", "2h", "--reason", f"release party {HOSTILE}")
        check(status == 0, f"pause: {said}")

    def dead(self):
        loop = self.loop("old", every="200ms")
        loop.start()
        wait_for(60, lambda: len(loop.sealed()) >= 2, "two cycles of old")
        loop.kill()
        loop.wait()

    def empty(self):
        loop = self.loop("fresh")
        (loop.state / "journal").mkdir(parents=True)

    def calm(self, loop):
        """From now on it waits."""
        loop.settings["schedule"]["every"] = "10m"
        loop.save()
        loop.kill(1)

    def make(self):
        for scene in (self.healthy, self.failing, self.unproven, self.running, self.paused, self.dead, self.empty):
            scene()

    def serve(self, *names, arguments=()):
        """Serves the loops of `names`, or all; the address."""
        files = [str(self.loops[name].folder / "nightjar.json5") for name in names or self.loops]
        self.page = subprocess.Popen(
            [self.nightjar, "serve", *files, "--listen", "127.0.0.1:0", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, cwd=self.folder)
        line = self.page.stdout.readline().decode()
        check("http://" in line, f"serve says '{line}'")
        return line.split()[-1].rstrip("/")

    def end(self):
        if self.page:
            self.page.terminate()
            self.page.wait(10)
        for loop in self.loops.values():
            if loop.process and loop.process.poll() is None:
                loop.kill(15)
        for loop in self.loops.values():
            if loop.process and loop.process.poll() is None:
                loop.wait(30)


def get(url, timeout=20, **headers):
    """(status, headers, body) of one GET."""
    request = urllib.request.Request(url, headers={key.replace("_", "-"): value for key, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def document(url):
    status, _, body = get(url)
    check(status == 200, f"{url} answers {status}")
    return json.loads(body)


def events(url, seconds, wanted):
    """Reads a stream of events until `wanted` has come; the seconds that took."""
    start = time.monotonic()
    with urllib.request.urlopen(url, timeout=seconds) as stream:
        for line in stream:
            if wanted in line.decode():
                return time.monotonic() - start
            check(time.monotonic() - start < seconds, f"no '{wanted}' on {url} within {seconds} s")
    check(False, f"{url} ended without '{wanted}'")
