#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a loop has to bear: full and read-only disks, services that are left, children that will not go or flood.

    NIGHTJAR=path/to/nightjar python3 hardship.py [NAME...]

Each story prints one line; ends with 0 where all held. FLOOD_MEGABYTES (64) is how much the flooding child prints.
"""

import os
import signal
import subprocess
import time
from contextlib import contextmanager

from harness import Process, audit, check, wait_for
from stories import Skip, begun, story, tell_all

# Disks


@contextmanager
def state_disk(loop, options):
    """The state folder is a disk of its own."""
    if os.geteuid() != 0:
        raise Skip("needs root for a mount")
    state = loop.folder / "state"
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", state], capture_output=True).returncode:
        raise Skip("a tmpfs cannot be mounted here")
    try:
        yield state
    finally:
        subprocess.run(["umount", "-l", state], check=False)


@story
def full_disk(loop):
    """The state folder's disk fills while the loop runs: a line, no false verdict, and on when there is space again."""
    with state_disk(loop, "size=2m,mode=700") as state:
        try:
            return fill_and_free(loop, state)
        finally:
            loop.process.kill()
            loop.process.wait()
            wait_for(10, lambda: not loop.shepherds(), "shepherds ended")


def fill_and_free(loop, state):
    loop.settings["storage"]["outputBytes"] = "64KiB"
    loop.save()
    loop.write("test-seconds", "0.3")
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1")
    lines = []
    for full_in in ("test-1-alpha", "deploy-1"):
        before = len(loop.sealed())
        cycle = before + 1
        begun(loop, cycle, full_in)
        ballast = state / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        time.sleep(2)
        check(loop.process.poll() is None, f"the daemon ended with {loop.process.poll()}")
        said = (loop.folder / "daemon.log").read_text()
        told = [line for line in said.splitlines() if "space" in line.lower() or "free" in line]
        check(told, "no line tells of the full disk")
        lines.append(told[-1][26:])
        ballast.unlink()
        # Infrastructure that failed is left alone for ten minutes, unless somebody asks.
        wait_for(40, lambda: len(loop.sealed()) > before, "the cycle is sealed after there is space again")
        loop.ask(verb="trigger", by="check")
        wait_for(40, lambda: len(loop.sealed()) >= before + 2, "cycles go on after there is space again")
    verdicts = [loop.document(number)["verdict"] for number in loop.sealed()]
    check(set(verdicts) <= {"healthy", "unproven", "interrupted"}, f"verdicts: {verdicts}")
    check(verdicts[-1] == "healthy", f"the last verdict is {verdicts[-1]}")
    # And asked to stop while it is full.
    with open(state / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
    began = time.monotonic()
    loop.kill(signal.SIGTERM)
    status = loop.wait(10)
    (state / "ballast").unlink()
    took = time.monotonic() - began
    audit(loop)
    return f"verdicts {verdicts}; SIGTERM on the full disk: exit {status} in {took:.1f} s; said: {' | '.join(lines)}"


@story
def read_only_state(loop):
    """A state folder that cannot be written: a clear error, not a loop."""
    with state_disk(loop, "ro") as state:
        status, said = loop.run("run", timeout=20)
    check(status == 5, f"it ended with {status}: {said}")
    check("ead-only" in said and str(state) in said, f"the error is not clear: {said}")
    return said.strip()


# Rough children


@story
def a_service_is_left(loop):
    """A deploy leaves a service in a session of its own: the stage ends with the script, the service lives on."""
    loop.script("service.sh", "#!/bin/sh\nexec sleep 60 </dev/null >/dev/null 2>&1\n")
    loop.script("deploy.sh", (loop.folder / "deploy.sh").read_text() + "setsid ./service.sh &\n")
    loop.start("--max-cycles", "1")
    status = loop.wait(20)
    check(status == 0, f"exit {status}")
    document = loop.document(1)
    deploy = document["stages"][0]
    check(deploy["durationSeconds"] < 3 and document["verdict"] == "healthy", f"{deploy['durationSeconds']} s")
    alive = [p for p in loop.cookies() if p.read("comm") == b"sleep\n"]
    check(len(alive) == 1, f"{len(alive)} services live on")
    check(not loop.shepherds(), "a shepherd waits for the service")
    left = deploy["commands"][0].get("leftovers")
    return f"deploy took {deploy['durationSeconds']:.2f} s, the service lives, recorded as {left}"


@story
def a_test_that_will_not_go(loop):
    """A test command that ignores SIGTERM and forks away is gone after its limit, and is no pass."""
    report = (loop.folder / "suite.sh").read_text()
    loop.script("suite.sh", report + """
trap '' TERM
setsid sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null 2>&1 &
setsid setsid sleep 600 &
while :; do sleep 1; done
""")
    for suite in loop.settings["suites"]:
        suite["timeout"] = "1s"
    loop.settings["suites"].pop()
    loop.save()
    began = time.monotonic()
    loop.start("--max-cycles", "1")
    wait_for(60, lambda: 1 in loop.sealed(), "cycle 1")
    loop.wait(20)
    check(not loop.cookies(), f"still there: {[p.read('cmdline') for p in loop.cookies()]}")
    test = next(s for s in loop.document(1)["stages"] if s["run"]["kind"] == "test")
    check(test["outcome"] == "timedOut", f"the outcome is {test['outcome']}")
    verdict = loop.document(1)["verdict"]
    check(verdict not in ("healthy", "degraded"), f"the verdict is {verdict}")
    ended = [left["command"] for left in test["commands"][0].get("leftovers", [])]
    return f"gone {time.monotonic() - began:.1f} s after the start, {verdict}, {test['limitHit']}; swept: {ended}"


@story
def a_flood(loop):
    """A child that floods its output: little memory, a bounded log, the right outcome."""
    megabytes = int(os.environ.get("FLOOD_MEGABYTES", "64"))
    loop.settings["storage"]["outputBytes"] = "1MiB"
    loop.save()
    flood = f"yes 'a line of output that says nothing in particular' | head -c {megabytes << 20}\n"
    loop.script("suite.sh", (loop.folder / "suite.sh").read_text().replace("shift 4", flood + "shift 4"))
    loop.settings["suites"].pop()
    loop.settings["suites"][0]["timeout"] = "5m"
    loop.save()
    loop.start("--max-cycles", "1")
    peak = {"daemon": 0, "shepherd": 0}

    def ended():
        peak["daemon"] = max(peak["daemon"], Process(loop.process.pid).resident_kilobytes())
        for pids in loop.shepherds().values():
            peak["shepherd"] = max([peak["shepherd"]] + [Process(pid).resident_kilobytes() for pid in pids])
        return 1 in loop.sealed()

    wait_for(300, ended, "cycle 1")
    loop.wait()
    test = next(s for s in loop.document(1)["stages"] if s["run"]["kind"] == "test")
    command = test["commands"][0]
    size = (loop.cycle_folder(1) / "test-1-alpha" / "console.log").stat().st_size
    check(loop.document(1)["verdict"] == "healthy", f"{loop.document(1)['reasons']}")
    check(size <= (1 << 20) + 4096, f"the log has {size} bytes")
    check(max(peak.values()) < 40 << 10, f"peak memory in kB: {peak}")
    return (
        f"{megabytes} MB in {command['durationSeconds']:.1f} s: log {size} bytes, dropped {command.get('logDroppedBytes')},"
        f" peak daemon {peak['daemon'] >> 10} MB, shepherd {peak['shepherd'] >> 10} MB")


tell_all()
