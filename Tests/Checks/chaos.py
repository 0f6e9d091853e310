#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a running daemon again and again, and looks whether anything was lost, done twice or left behind.

    NIGHTJAR=path/to/nightjar python3 chaos.py [--kills N] [--seed N] [--keep]

Revisions are commits of a repository, good and bad by turns: a bad one is tested again, compared with the last green one and
rolled back. Each stage is aimed at in turn, and each must have been hit. Ends with 0 where everything held. The moments come
from the seed, which is printed.
"""

import argparse
import collections
import os
import random
import signal
import subprocess
import threading
import time

from harness import SUITE, Failure, Loop, audit, binary, check, wait_for

IDENTITY = {
    "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}

# What running.json calls the stages. Tests that run again and those of the last green revision are triage's.
STAGES = {
    "deploy": "deploy", "stabilize": "stabilize", "recheck": "stabilize", "test": "test", "rerun": "triage",
    "baseline": "triage", "bisect": "triage", "rollback": "rollback",
}
AIMS = ["deploy", "stabilize", "test", "triage", "rollback"]


class Chaos(Loop):
    """A loop over a repository whose commits are good or bad, which may experiment and roll back."""

    def __init__(self, nightjar):
        super().__init__(nightjar)
        self.app = self.folder / "app"
        self.app.mkdir()
        (self.folder / "kinds").mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        # A rollback that is over at once cannot be hit.
        self.write("deploy-seconds", "0.3")
        self.write("test-seconds", "0.15")
        self.script("suite.sh", SUITE.replace(':$(cat live)" in', ':$(cat "kinds/$(cat live)")" in'))
        self.kinds = {}
        self.settings["repository"] = {"path": "app", "ref": "main"}
        self.settings["triage"] = {"mayDeploy": True, "deploysPerIncident": 12, "deploysPerNight": 1000}
        self.save()
        self.commit("good")

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.app, env=dict(os.environ, **IDENTITY), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        check(done.returncode == 0, f"git {arguments}: {done.stdout.decode()}")
        return done.stdout.decode().strip()

    def commit(self, kind):
        """A new revision; what kind it is can be read before the branch names it."""
        (self.app / "kind").write_text(f"{kind} {len(self.kinds)}\n")
        self.git("add", "--all")
        tree = self.git("write-tree")
        parent = ["-p", "HEAD"] if self.kinds else []
        revision = self.git("commit-tree", tree, *parent, "-m", f"{kind} {len(self.kinds)}")
        self.kinds[revision] = kind
        self.write(f"kinds/{revision}", f"{kind}-{len(self.kinds)}")
        self.git("update-ref", "refs/heads/main", revision)

    def stage(self):
        """What is under way, or was when the daemon was killed."""
        return STAGES.get(self.doing(), "idle")


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


def moment(chance):
    """Seconds of life: mostly anywhere in a cycle, sometimes in the middle of the start itself."""
    return chance.uniform(0, 0.15) if chance.random() < 0.2 else chance.uniform(0.1, 1.6)


def aim(loop, target, chance):
    """Waits until the stage is under way, and a moment more."""
    try:
        wait_for(30, lambda: loop.process.poll() is not None or loop.stage() == target, target)
    except Failure:
        return
    time.sleep(chance.uniform(0, 0.12))


def begin(loop):
    """There is nothing to roll back to before a first green cycle."""
    loop.start()
    wait_for(60, lambda: loop.sealed(), "the first cycle")
    check(loop.document(1)["verdict"] == "healthy", f"the first cycle: {loop.log()}")
    loop.kill()
    loop.wait()


def rough(loop, kills, chance):
    """Kills the daemon `kills` times; answers where it was hit, and which requests it had taken. A stage that was missed is
    aimed at again."""
    hit = collections.Counter()
    taken = []
    aims = []
    number = 0
    while number < kills or (number < kills + 25 and any(not hit[target] for target in AIMS)):
        number += 1
        loop.start()
        aims = aims or chance.sample(AIMS, len(AIMS))
        missed = [target for target in AIMS if not hit[target]]
        target = missed[0] if number > kills else aims.pop() if chance.random() < 0.7 else None
        if target in ("triage", "rollback"):
            # After a good revision: a bad one on top of a bad one is known already.
            loop.commit("good")
            loop.commit("bad")
        elif chance.random() < 0.5:
            loop.commit("bad" if chance.random() < 0.4 else "good")
        if target:
            aim(loop, target, chance)
        else:
            time.sleep(moment(chance))
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
        loop.kill()
        loop.wait()
        hit[loop.stage()] += 1
        if chance.random() < 0.5:
            time.sleep(chance.uniform(0, 0.3))
    return hit, taken


def settle(loop):
    """After the last kill: two more cycles on a good revision, then a graceful end."""
    loop.commit("good")
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
        expected = {"failing"} if loop.kinds[wanted] == "bad" else {"healthy"}
        reasons = [reason["text"] for reason in document["reasons"]]
        check(
            verdict in expected | {"interrupted"}, f"#{number} on {wanted} is {verdict}, not {expected}: {reasons}")
        if any(one["kind"] == "rollback" and one["outcome"] == "succeeded" for one in document["actions"]):
            state = document["environment"]["state"]
            check(state == "restored", f"#{number} was rolled back, and its environment is {state}")
        if verdict == "interrupted":
            check("stop" in str(reasons), f"#{number} is interrupted although nobody asked: {reasons}")
    return verdicts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    options = parser.parse_args()
    loop = Chaos(binary())
    print(f"   seed {options.seed}, {options.kills} kills, in {loop.folder}", flush=True)
    watch = Watch(loop)
    watch.start()
    began = time.monotonic()
    try:
        begin(loop)
        hit, taken = rough(loop, options.kills, random.Random(options.seed))
        missed = [target for target in AIMS if not hit[target]]
        check(not missed, f"never hit: {missed}; hit: {dict(hit)}")
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
