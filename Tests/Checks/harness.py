# SPDX-License-Identifier: Apache-2.0
"""A loop in a temporary folder, for checks that treat the daemon roughly.

The environment is three shell scripts. Each notes its own beginnings in a file with one short O_APPEND write per line, so
that a command that ran twice is seen however the daemon died.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEPLOY = """#!/bin/sh
# deploy.sh REVISION CYCLE FOLDER: the revision is live when this ends.
printf 'deploy %s %s %s\\n' "$1" "$2" "$3" >> effects
sleep "$(cat deploy-seconds)"
printf '%s' "$1" > "live.$$" && mv "live.$$" live
"""

SUITE = """#!/bin/sh
# suite.sh NAME CYCLE FOLDER REPORT [TEST...]: revisions called bad-* fail one test of the suite beta.
name=$1 report=$4
printf 'test-%s %s %s %s\\n' "$name" "$(cat live)" "$2" "$3" >> effects
sleep "$(cat test-seconds)"
shift 4
[ $# -gt 0 ] || set -- "$name.one" "$name.two"
failures=0 cases=
for test in "$@"; do
    case "$name:$test:$(cat live)" in
    beta:*two:bad-*)
        failures=$((failures + 1))
        cases="$cases<testcase classname='$name' name='${test##*[.:]}' time='0.01'><failure message='wrong price'/></testcase>" ;;
    *) cases="$cases<testcase classname='$name' name='${test##*[.:]}' time='0.01'/>" ;;
    esac
done
printf "<testsuite name='%s' tests='%s' failures='%s'>%s</testsuite>\\n" "$name" $# "$failures" "$cases" > "$report"
[ "$failures" = 0 ]
"""


class Failure(Exception):
    """What does not hold, in a sentence."""


def check(holds, sentence):
    if not holds:
        raise Failure(sentence)


def wait_for(seconds, condition, what):
    """Waits until `condition()` is true and answers what it said."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Loop:
    """One loop, its environment and its daemon."""

    def __init__(self, nightjar, folder=None, name="chaos", **settings):
        self.nightjar = nightjar
        self.folder = Path(folder or tempfile.mkdtemp(prefix="nightjar-chaos."))
        self.folder.mkdir(exist_ok=True)
        self.name = name
        self.process = None
        self.environment = dict(os.environ, NO_COLOR="1")
        for script, text in (("deploy.sh", DEPLOY), ("suite.sh", SUITE)):
            self.script(script, text)
        self.write("deploy-seconds", "0.1")
        self.write("test-seconds", "0.08")
        self.write("live", "none")
        self.write("wanted", "good-1")
        self.write("effects", "")
        self.settings = self.standard()
        for key, value in settings.items():
            self.settings[key] = value
        self.save()

    def standard(self):
        def suite(name, priority):
            start = ["./suite.sh", name, "{cycle}", "{folder}", "{report}"]
            return {
                "name": name, "priority": priority, "command": start, "select": start + ["{tests}"],
                "report": {"format": "junit"}, "timeout": "20s",
            }

        return {
            "loop": {"name": self.name, "mode": "operate", "stopGrace": "2s"},
            "state": "state",
            "schedule": {"every": "100ms"},
            "repository": {"path": ".", "revisionCommand": {"shell": "cat wanted"}},
            "deploy": {
                "command": ["./deploy.sh", "{revision}", "{cycle}", "{folder}"],
                "rollback": ["./deploy.sh", "{lastGreen}", "{cycle}", "{folder}"],
                "timeout": "20s", "grace": "1s", "worktree": False,
            },
            "health": {
                "checks": [{"name": "live", "command": {"shell": "test -s live"}}],
                "liveRevision": {"command": {"command": ["cat", "live"]}, "answers": 2},
                "stableFor": "100ms", "interval": "50ms", "deadline": "5s",
            },
            "suites": [suite("alpha", "P0"), suite("beta", "P1")],
            "remedy": {"allow": ["rollback"]},
            "storage": {"minFreeBytes": "64KiB"},
        }

    # Files of the environment

    def write(self, name, text):
        path = self.folder / name
        new = path.with_name(path.name + ".new")
        new.write_text(text)
        new.rename(path)

    def script(self, name, text):
        self.write(name, text)
        (self.folder / name).chmod(0o755)

    def save(self):
        self.write("nightjar.json5", json.dumps(self.settings, indent=1))

    def effects(self):
        return (self.folder / "effects").read_text().splitlines()

    @property
    def state(self):
        return self.folder / "state" / self.name

    def cycle_folder(self, number):
        return self.state / "cycles" / f"{number:06}"

    # The daemon

    def start(self, *arguments, **environment):
        self.output = open(self.folder / "daemon.log", "ab")
        self.process = subprocess.Popen(
            [self.nightjar, "run", "--config", "nightjar.json5", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output, env=dict(self.environment, **environment))
        self.output.close()
        return self.process

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)

    def wait(self, seconds=20):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"the daemon did not end within {seconds} s") from None

    def stop(self, seconds=20):
        self.kill(signal.SIGTERM)
        return self.wait(seconds)

    def run(self, *arguments, timeout=60):
        """A nightjar command on this loop: (status, output)."""
        words = list(arguments)
        done = subprocess.run(
            [self.nightjar, words[0], "--config", "nightjar.json5", *words[1:]], cwd=self.folder, timeout=timeout,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment)
        return done.returncode, done.stdout.decode(errors="replace")

    def ask(self, **request):
        """A request over the control socket; the reply, or None where there was none."""
        # A path longer than a socket address holds is reached from its folder.
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            try:
                peer.connect(str(self.state / "control.sock"))
                peer.sendall(json.dumps(request).encode() + b"\n")
                line = peer.makefile("rb").readline()
                return json.loads(line) if line.endswith(b"\n") else None
            except OSError:
                return None

    # What it wrote

    def journal(self):
        """All whole lines, in order."""
        entries = []
        for path in sorted((self.state / "journal").glob("*.jsonl")):
            for line in path.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    entries.append(json.loads(line))
        return entries

    def document(self, number):
        path = self.cycle_folder(number) / "cycle.json"
        return json.loads(path.read_text()) if path.exists() else None

    def sealed(self):
        """Numbers of sealed cycles, as the journal has them."""
        return [entry["fact"]["cycle"] for entry in self.journal() if entry["kind"] == "cycleSealed"]

    def log(self):
        path = self.state / "cycle.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def doing(self):
        """The stage that is under way, as running.json has it; `idle` between."""
        try:
            return json.loads((self.state / "running.json").read_text())["stage"]
        except (OSError, ValueError, KeyError, TypeError):
            return "idle"

    # Processes

    def shepherds(self):
        """Shepherds of this loop by the folder whose claim they hold."""
        found = {}
        for process in processes():
            if process.name != "nightjar" or process.pid == (self.process.pid if self.process else 0):
                continue
            for target in process.files():
                match = re.fullmatch(re.escape(str(self.state)) + r"/(cycles/.*)/claim(\.\S*)?( \(deleted\))?", target)
                if match:
                    found.setdefault(match.group(1), {})[process.pid] = process.parent()
        # Between fork and exec the command itself still looks like the shepherd that starts it, files and all.
        return {
            folder: {pid for pid, parent in pids.items() if parent and parent not in pids}
            for folder, pids in found.items()
        }

    def cookies(self):
        """Processes that carry the cookie of a stage of this loop."""
        mark = f"NIGHTJAR_STAGE={self.name}-".encode()
        return [p for p in processes() if mark in p.read("environ") and p.folder().startswith(str(self.folder))]

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in self.cookies():
            os.kill(process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.name = self.read("comm").decode(errors="replace").strip()

    def read(self, name):
        try:
            return Path(f"/proc/{self.pid}/{name}").read_bytes()
        except OSError:
            return b""

    def state(self):
        """R, S, T, Z … or the empty text where it is gone."""
        return self.read("stat").decode(errors="replace").rpartition(")")[2].strip()[:1]

    def parent(self):
        words = self.read("stat").decode(errors="replace").rpartition(")")[2].split()
        return int(words[1]) if len(words) > 1 else 0

    def folder(self):
        try:
            return os.readlink(f"/proc/{self.pid}/cwd")
        except OSError:
            return ""

    def files(self):
        try:
            numbers = os.listdir(f"/proc/{self.pid}/fd")
        except OSError:
            return
        for number in numbers:
            try:
                yield os.readlink(f"/proc/{self.pid}/fd/{number}")
            except OSError:
                continue

    def resident_kilobytes(self, key="VmHWM"):
        match = re.search(rf"{key}:\s+(\d+) kB", self.read("status").decode(errors="replace"))
        return int(match.group(1)) if match else 0


def processes():
    return [Process(int(name)) for name in os.listdir("/proc") if name.isdigit()]


def audit(loop):
    """What must hold of a loop's evidence whatever happened to its daemon. Answers a line of figures."""
    entries = loop.journal()
    numbers = [entry["seq"] for entry in entries]
    check(numbers == list(range(1, len(numbers) + 1)), "the journal's seq has gaps")
    status, text = loop.run("verify")
    check(status == 0, f"verify ended with {status}: {text}")
    sealed = loop.sealed()
    check(sealed == list(range(1, len(sealed) + 1)), f"sealed cycles are not 1, 2, 3 …: {sealed}")
    folders = sorted(int(path.name) for path in (loop.state / "cycles").iterdir())
    check(folders == list(range(1, len(folders) + 1)), f"cycle folders are not 1, 2, 3 …: {folders}")
    check(len(folders) - len(sealed) in (0, 1), f"{len(folders)} cycles, {len(sealed)} sealed")
    counts = {}
    for line in loop.effects():
        what, _, cycle, folder = line.split(" ")
        counts[(what, cycle, folder)] = counts.get((what, cycle, folder), 0) + 1
    twice = {key: count for key, count in counts.items() if count > 1}
    check(not twice, f"commands that ran more than once for one attempt: {twice}")
    return f"{len(entries)} journal entries, {len(sealed)} cycles sealed, {len(counts)} commands, none twice"


def binary():
    path = os.environ.get("NIGHTJAR")
    if not path:
        sys.exit("set NIGHTJAR to the binary to check")
    return str(Path(path).resolve())
