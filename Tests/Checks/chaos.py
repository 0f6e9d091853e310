#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a running daemon again and again, and looks whether anything was lost, done twice or left behind.

    NIGHTJAR=path/to/nightjar python3 chaos.py [--kills N] [--seed N] [--keep]

Ends with 0 where everything held. The moments come from the seed, which is printed.
"""

import argparse
import collections
import random
import signal
import threading
import time

from harness import Failure, Loop, audit, binary, check, wait_for


class Watch(threading.Thread):
    """Looks all the time that no stage folder has two shepherds."""

    def __init__(self, loop):
        super().__init__(daemon=True)
        self.loop = loop
        self.looks = 0
        self.crowded = {}
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.1):
            self.looks += 1
            for folder, pids in self.loop.shepherds().items():
                if len(pids) > 1:
                    self.crowded[folder] = pids


def next_revision(number, chance):
    """A few more good revisions than bad ones."""
    return f"bad-{number}" if chance.random() < 0.4 else f"good-{number}"


def moment(chance):
    """Seconds of life: mostly anywhere in a cycle, sometimes in the middle of the start itself."""
    return chance.uniform(0, 0.15) if chance.random() < 0.2 else chance.uniform(0.1, 1.6)


def rough(loop, kills, chance):
    """Kills the daemon `kills` times; answers where it was hit, and which requests it had taken."""
    hit = collections.Counter()
    taken = []
    revision = 1
    for number in range(1, kills + 1):
        loop.start()
        time.sleep(moment(chance))
        if chance.random() < 0.5:
            revision += 1
            loop.write("wanted", next_revision(revision, chance))
        if chance.random() < 0.3:
            name = f"chaos-{number}"
            reply = loop.ask(verb="trigger", by=name)
            if reply and reply["ok"]:
                taken.append(name)
        if chance.random() < 0.1:
            loop.kill(signal.SIGTERM)
            time.sleep(chance.uniform(0, 0.2))
        # SIGTERM before the daemon listens for it ends it as a kill does.
        check(loop.process.poll() in (None, 0, -signal.SIGTERM), f"the daemon ended by itself with {loop.process.poll()}")
        hit[loop.doing()] += 1
        loop.kill()
        loop.wait()
        if chance.random() < 0.5:
            time.sleep(chance.uniform(0, 0.3))
    return hit, taken


def settle(loop):
    """After the last kill: two more cycles on a good revision, then a graceful end."""
    loop.write("wanted", "good-last")
    loop.start()
    before = len(loop.sealed())
    wait_for(60, lambda: len(loop.sealed()) >= before + 3, "three more cycles")
    status = loop.stop()
    check(status == 0, f"run ended with {status} after SIGTERM")
    wait_for(10, lambda: not loop.cookies() and not loop.shepherds(), "all processes of stages are gone")
    check(loop.doing() == "idle", "running.json still names a stage")


def true_verdicts(loop):
    """A killed daemon changes no verdict: good revisions are healthy, bad ones failing, and nothing is in between."""
    verdicts = collections.Counter()
    for number in loop.sealed():
        document = loop.document(number)
        wanted, verdict = document["revision"]["wanted"], document["verdict"]
        verdicts[verdict] += 1
        expected = {"failing"} if wanted.startswith("bad") else {"healthy"}
        reasons = [reason["text"] for reason in document["reasons"]]
        check(
            verdict in expected | {"interrupted"}, f"#{number} on {wanted} is {verdict}, not {expected}: {reasons}")
        if verdict == "interrupted":
            check("stop" in str(reasons), f"#{number} is interrupted although nobody asked: {reasons}")
    return verdicts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    loop = Loop(binary())
    print(f"   seed {options.seed}, {options.kills} kills, in {loop.folder}", flush=True)
    watch = Watch(loop)
    watch.start()
    began = time.monotonic()
    try:
        hit, taken = rough(loop, options.kills, random.Random(options.seed))
        settle(loop)
        watch.done.set()
        watch.join()
        figures = audit(loop)
        verdicts = true_verdicts(loop)
        check(not watch.crowded, f"more than one shepherd in {watch.crowded}")
        journaled = {entry.get("by") for entry in loop.journal() if entry["kind"] == "operatorRequested"}
        lost = [name for name in taken if name not in journaled]
        check(not lost, f"requests that were answered with ok and are not in the journal: {lost}")
    except Failure as failure:
        print(f"FAILED: {failure}\n   seed {options.seed}; evidence in {loop.folder}")
        loop.process.kill()
        raise SystemExit(1) from None
    print(f"   hit in: {dict(sorted(hit.items()))}")
    print(f"   {figures}; verdicts {dict(sorted(verdicts.items()))}")
    print(f"   {len(taken)} operator requests taken, none lost; {watch.looks} looks, never two shepherds in a folder")
    print(f"   {time.monotonic() - began:.0f} s")
    if not options.keep:
        loop.remove()


main()
