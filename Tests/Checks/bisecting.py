#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nightjar bisect` on a real repository with a staging of shell scripts.

    NIGHTJAR=path/to/nightjar python3 bisecting.py [NAME...]

Each story prints one line; ends with 0 where all held.
"""

import json
import os
import signal
import subprocess
import sys
import time

from harness import Failure, Loop, binary, check, wait_for

STORIES = []
COMMITS = 14

DEPLOY = """#!/bin/sh
# deploy.sh REVISION: runs in a worktree of the revision and makes it the live one.
base=$(dirname "$0")
printf 'deploy %s\\n' "$1" >> "$base/effects"
sleep "$(cat "$base/deploy-seconds")"
[ ! -e broken ] || { echo 'this commit does not start'; exit 3; }
cp behavior "$base/behavior.new" && mv "$base/behavior.new" "$base/behavior"
printf '%s' "$1" > "$base/live.new" && mv "$base/live.new" "$base/live"
printf 'up %s\\n' "$1" >> "$base/effects"
"""

SUITE = """#!/bin/sh
# suite.sh REPORT [TEST...]: `price` and `stock` fail where the live behavior says so.
base=$(dirname "$0")
report=$1
shift
printf 'test %s\\n' "$(cat "$base/live")" >> "$base/effects"
sleep "$(cat "$base/test-seconds")"
[ $# -gt 0 ] || set -- price stock
behavior=$(cat "$base/behavior") cases= failures=0
for test in "$@"; do
    count=$(($(cat "$base/count") + 1)) failure=
    printf '%s' "$count" > "$base/count"
    case "$behavior:$test" in
    *bad*:*price) failure="<failure message='wrong price in src/price.txt'/>" ;;
    *flaky*:*price) [ $((count % 5)) != 0 ] || failure="<failure message='wrong price'/>" ;;
    *empty*:*stock) failure="<failure message='nothing in stock'/>" ;;
    esac
    [ -z "$failure" ] || failures=1
    cases="$cases<testcase classname='shop' name='${test##*:}' time='0.01'>$failure</testcase>"
done
printf '<testsuite>%s</testsuite>\\n' "$cases" > "$report"
exit $failures
"""


def story(function):
    STORIES.append(function)
    return function


class Shop(Loop):
    """Commits c0 (the good end) to c13; `culprit` turns the price bad."""

    def __init__(self, nightjar, culprit, broken=(), good="good", bad="bad", empty=COMMITS):
        super().__init__(nightjar, name="shop")
        self.script("deploy.sh", DEPLOY)
        self.script("suite.sh", SUITE)
        self.write("count", "0")
        self.write("behavior", "good")
        self.settings["repository"] = {"path": "app"}
        self.settings["deploy"] = {
            "command": [str(self.folder / "deploy.sh"), "{revision}"], "timeout": "20s", "grace": "1s",
        }
        suite = [str(self.folder / "suite.sh"), "{report}"]
        self.settings["suites"] = [{
            "name": "shop", "priority": "P0", "command": suite, "select": suite + ["{tests}"],
            "report": {"format": "junit"}, "timeout": "20s",
        }]
        self.settings["remedy"] = {"allow": []}
        self.settings["triage"] = {"experiments": []}
        self.save()
        self.git("init", "--quiet", "--initial-branch=main", "app", at=self.folder)
        self.commits = []
        for number in range(COMMITS):
            is_bad = culprit is not None and number >= culprit
            (self.folder / "app" / "behavior").write_text(
                f"{bad if is_bad else good} {'empty' if number >= empty else ''} {number}\n")
            mark = self.folder / "app" / "broken"
            mark.write_text("") if number in broken else mark.unlink(missing_ok=True)
            self.git("add", "--all")
            self.git("commit", "--quiet", "-m", f"change {number}")
            self.commits.append(self.git("rev-parse", "HEAD").strip())
        self.write("live", self.commits[-1])
        self.write("behavior", (self.folder / "app" / "behavior").read_text())

    def git(self, *arguments, at=None):
        identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=at or self.folder / "app", check=True, stdout=subprocess.PIPE,
            env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")).stdout.decode()

    def bisect(self, *arguments):
        return self.run("bisect", *arguments, f"{self.commits[0]}..main", "--", "shop::price")

    def begin(self, *arguments):
        with open(self.folder / "bisect.log", "ab") as output:
            self.process = subprocess.Popen(
                [self.nightjar, "bisect", "--config", "nightjar.json5", "--yes", *arguments,
                 f"{self.commits[0]}..main", "--", "shop::price"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.environment)

    def document_of_search(self, number=1):
        path = self.state / "bisections" / "cycles" / f"{number:06}" / "bisection.json"
        return json.loads(path.read_text())

    @property
    def live(self):
        return (self.folder / "live").read_text()

    def deploys(self):
        return [line.split()[1] for line in self.effects() if line.startswith("deploy ")]


def answer(shop, number=1):
    return shop.document_of_search(number)["tests"][0]


@story
def the_plan_deploys_nothing(nightjar):
    """Without --yes the plan is printed and nothing happens."""
    shop = Shop(nightjar, culprit=6)
    status, output = shop.bisect()
    check(status == 0, f"exit {status}: {output}")
    check("13 commits" in output and "nothing was deployed" in output, output)
    check(shop.effects() == [], f"{shop.effects()}")
    return "13 commits announced, nothing touched"


@story
def the_culprit_is_proven(nightjar):
    """A commit in the middle: fails there, passes at its parent; what was live is live again."""
    shop = Shop(nightjar, culprit=6)
    status, output = shop.bisect("--yes")
    check(status == 0, f"exit {status}: {output}")
    found = answer(shop)
    check(found["answer"] == "culprit" and found["culprit"]["commit"] == shop.commits[6], output)
    check(found["culprit"]["probability"] >= 0.99, f"{found['culprit']}")
    rows = {row["revision"]: row for row in found["revisions"]}
    check(rows[shop.commits[6]]["fails"] > 0 and rows[shop.commits[5]]["passes"] > 0, f"{rows}")
    check(shop.live == shop.commits[-1], "what was live before is not live again")
    document = shop.document_of_search()
    check(document["environment"] == "restored" and document["state"] == "ended", f"{document['environment']}")
    check(document["deploys"] <= 8, f"{document['deploys']} deploys")
    stages = {stage["run"]["kind"] for stage in document["stages"]}
    check(stages == {"deploy", "stabilize", "test"}, f"{stages}")
    check(not (shop.state / "cycles").exists() or not list((shop.state / "cycles").iterdir()), "it made a cycle")
    status, output = shop.run("verify")
    check(status == 0, f"verify: {output}")
    return f"found in {document['deploys']} deploys, proven, put back"


@story
def the_first_and_the_last_commit(nightjar):
    """The ends of the range are found as well."""
    for culprit in (1, COMMITS - 1):
        shop = Shop(nightjar, culprit=culprit)
        status, output = shop.bisect("--yes")
        check(status == 0 and answer(shop)["culprit"]["commit"] == shop.commits[culprit], output)
    return "both found"


@story
def undeployable_commits_are_stepped_around(nightjar):
    """Commits that do not start are no culprits; where they hide it, nobody is named."""
    shop = Shop(nightjar, culprit=6, broken=(3, 7, 9))
    status, output = shop.bisect("--yes")
    check(status == 0 and answer(shop)["culprit"]["commit"] == shop.commits[6], output)
    hidden = Shop(nightjar, culprit=6, broken=(5, 6))
    status, output = hidden.bisect("--yes")
    check(status == 1, f"exit {status}: {output}")
    found = answer(hidden)
    check(found["answer"] == "undecided" and "culprit" not in found, output)
    likeliest = {candidate["commit"] for candidate in found["candidates"][:3]}
    check(likeliest == set(hidden.commits[5:8]), output)
    check(hidden.live == hidden.commits[-1], "what was live before is not live again")
    return "found beside three broken commits; two that hide it leave three candidates"


@story
def no_culprit(nightjar):
    """What passes on the head blames nobody, and what fails everywhere neither."""
    shop = Shop(nightjar, culprit=None)
    status, output = shop.bisect("--yes")
    check(status == 1 and answer(shop)["answer"] == "none", output)
    check(shop.deploys() == shop.commits[-1:], f"more than the head was deployed: {shop.deploys()}")
    everywhere = Shop(nightjar, culprit=0)
    status, output = everywhere.bisect("--yes")
    check(status == 1 and answer(everywhere)["answer"] != "culprit", output)
    check(everywhere.live == everywhere.commits[-1], "what was live before is not live again")
    return "none where it passes once deployed afresh, nobody where it fails everywhere"


@story
def a_flaky_test(nightjar):
    """A test that fails one run in five anyway is searched through."""
    shop = Shop(nightjar, culprit=9, good="flaky")
    status, output = shop.bisect("--yes")
    check(status == 0 and answer(shop)["culprit"]["commit"] == shop.commits[9], output)
    return f"found in {shop.document_of_search()['deploys']} deploys"


@story
def two_tests_share_their_deployments(nightjar):
    """Two tests with two culprits: both found, in fewer deployments than two searches."""
    shop = Shop(nightjar, culprit=4, empty=10)
    status, output = shop.run(
        "bisect", "--yes", f"{shop.commits[0]}..main", "--", "shop::price", "shop::stock")
    check(status == 0, f"exit {status}: {output}")
    document = shop.document_of_search()
    found = {test["test"]: test["culprit"]["commit"] for test in document["tests"]}
    check(found == {"shop::price": shop.commits[4], "shop::stock": shop.commits[10]}, output)
    check(document["deploys"] < 10, f"{document['deploys']} deploys")
    return f"both found in {document['deploys']} deploys"


@story
def the_budget_of_deploys(nightjar):
    """--deploys 2: a ranked list and no name, and the way back all the same."""
    shop = Shop(nightjar, culprit=6)
    status, output = shop.bisect("--yes", "--deploys", "2")
    check(status == 1, f"exit {status}: {output}")
    check(len(shop.deploys()) == 3 and shop.live == shop.commits[-1], f"{shop.deploys()}")
    check("deploys are spent" in output, output)
    return "two deploys and the way back"


@story
def interrupted_by_hand(nightjar):
    """SIGINT while a test runs: it is cut, and what was live is live again."""
    shop = Shop(nightjar, culprit=6)
    shop.write("test-seconds", "1")
    shop.begin()
    wait_for(20, lambda: any(line.startswith("test ") for line in shop.effects()[4:]), "a test on another revision")
    shop.kill(signal.SIGINT)
    status = shop.wait(20)
    check(status == 4, f"exit {status}: {(shop.folder / 'bisect.log').read_text()}")
    check(shop.live == shop.commits[-1], "what was live before is not live again")
    document = shop.document_of_search()
    check(document["environment"] == "restored" and document["stoppedBecause"] == "asked to stop", f"{document}")
    return "exit 4, put back"


def kill_in_a_deploy(shop):
    shop.write("deploy-seconds", "1.5")
    shop.begin()
    wait_for(20, lambda: len(shop.deploys()) == 1, "a deploy")
    shop.kill(signal.SIGKILL)
    shop.wait()
    check(shop.document_of_search()["state"] == "running", "a killed search says that it ended")


@story
def killed_and_taken_up(nightjar):
    """SIGKILL in a deploy: the next search waits for it, puts back what was live, and then begins."""
    shop = Shop(nightjar, culprit=6)
    kill_in_a_deploy(shop)
    status, output = shop.bisect("--yes")
    check(status == 0, f"exit {status}: {output}")
    old = shop.document_of_search(1)
    check(old["state"] == "ended" and old["environment"] == "restored", f"{old['environment']}")
    effects = [line for line in shop.effects() if not line.startswith("test ")]
    check(effects[0].split()[1] == effects[1].split()[1] and effects[1].startswith("up"), f"overlapping: {effects[:4]}")
    check(effects[2] == f"deploy {shop.commits[-1]}", f"not put back first: {effects[:4]}")
    check(answer(shop, 2)["culprit"]["commit"] == shop.commits[6], output)
    return "waited, put back, searched again"


@story
def killed_and_the_loop_starts(nightjar):
    """SIGKILL in a deploy: the loop's next start puts back what was live before it does anything."""
    shop = Shop(nightjar, culprit=6)
    kill_in_a_deploy(shop)
    status, output = shop.run("once")
    effects = [line for line in shop.effects() if not line.startswith("test ")]
    check(effects[1].startswith("up") and effects[2] == f"deploy {shop.commits[-1]}", f"{effects[:4]}")
    check(shop.document_of_search(1)["environment"] == "restored", output)
    return f"put back, then a cycle with exit {status}"


@story
def held_by_a_daemon(nightjar):
    """While the loop runs a search is refused with exit 7."""
    shop = Shop(nightjar, culprit=None)
    shop.start()
    wait_for(20, lambda: 1 in shop.sealed(), "cycle 1")
    status, output = shop.bisect("--yes")
    shop.stop()
    check(status == 7 and "held by another instance" in output, f"exit {status}: {output}")
    return "exit 7"


@story
def refused(nightjar):
    """Irreversible changes, a wrong range, another mode: said before anything is deployed."""
    shop = Shop(nightjar, culprit=6)
    shop.settings["deploy"]["irreversible"] = ["behav*"]
    shop.save()
    status, output = shop.bisect("--yes")
    check(status == 2 and "deploy.irreversible" in output, f"exit {status}: {output}")
    del shop.settings["deploy"]["irreversible"]
    shop.settings["loop"]["mode"] = "observe"
    shop.save()
    status, output = shop.bisect("--yes")
    check(status == 2 and "operate" in output, f"exit {status}: {output}")
    shop.settings["loop"]["mode"] = "operate"
    shop.save()
    status, output = shop.run("bisect", "main..main~3", "--", "shop::price")
    check(status == 2 and "ancestor" in output, f"exit {status}: {output}")
    status, output = shop.run("bisect", "nowhere..main", "--", "shop::price")
    check(status == 6, f"exit {status}: {output}")
    status, output = shop.run("bisect", "main", "--", "shop::price")
    check(status == 2, f"exit {status}: {output}")
    check(shop.effects() == [], f"{shop.effects()}")
    return "five refusals, nothing deployed"


def main():
    wanted = sys.argv[1:]
    failures = 0
    for tell in STORIES:
        if wanted and tell.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            words = tell(binary())
            print(f"   {tell.__name__}: {words} ({time.monotonic() - began:.1f} s)", flush=True)
        except (Failure, OSError, subprocess.SubprocessError, KeyError, json.JSONDecodeError) as problem:
            failures += 1
            print(f"   {tell.__name__} FAILED: {problem!r}"[:4000], flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
