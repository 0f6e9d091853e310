#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Remedies with a real daemon and a real repository: a fix by revert, questions to people, a child of the culprit.

    NIGHTJAR=path/to/nightjar ROOT=path/to/package python3 remedy.py [NAME...]

The application is a file of prices; deploying copies it; the suite reads what is live. Each story prints one line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Failure, Loop, binary, check, wait_for

ROLES = Path(os.environ.get("ROOT", Path(__file__).resolve().parents[2])) / "config/examples/roles"
IDENTITY = {
    "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}

DEPLOY = """#!/bin/sh
# deploy.sh REVISION WORKTREE
cp "$2/src/prices" prices.live && printf '%s' "$1" > live.new && mv live.new live
"""

SUITE = """#!/bin/sh
# suite.sh REPORT [TEST...]: each price must be below 10.
report=$1; shift
[ $# -gt 0 ] || set -- shop.apple shop.pear shop.plum
failures=0 cases=
for test in "$@"; do
    name=${test##*[.:]}
    price=$(sed -n "s/^$name //p" prices.live)
    if [ "$price" -lt 10 ]; then
        cases="$cases<testcase classname='shop' name='$name' time='0.01'/>"
    else
        failures=$((failures + 1))
        cases="$cases<testcase classname='shop' name='$name' time='0.01'><failure message='too dear'/></testcase>"
    fi
done
printf "<testsuite name='shop' tests='%s' failures='%s'>%s</testsuite>\\n" $# "$failures" "$cases" > "$report"
[ "$failures" = 0 ]
"""

STORIES = []
SHOPS = []


def story(function):
    STORIES.append(function)
    return function


class Shop(Loop):
    """A loop over a repository in which pears become too dear."""

    def __init__(self, nightjar, **remedy):
        SHOPS.append(self)
        folder = tempfile.mkdtemp(prefix="nightjar-remedy.")
        self.app = Path(folder) / "app"
        self.app.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        super().__init__(nightjar, folder, name="shop-" + Path(folder).name.rsplit(".", 1)[1])
        self.script("deploy.sh", DEPLOY)
        self.script("suite.sh", SUITE)
        self.settings["repository"] = {"path": "app", "ref": "main"}
        self.settings["deploy"] = {"command": ["./deploy.sh", "{revision}", "{worktree}"], "timeout": "20s",
                                   "workingDirectory": ".", "irreversible": ["migrations/*"]}
        start = ["./suite.sh", "{report}"]
        self.settings["suites"] = [{
            "name": "shop", "priority": "P0", "command": start, "select": start + ["{tests}"],
            "report": {"format": "junit"}, "timeout": "20s"}]
        self.settings["triage"] = {"mayDeploy": True, "deploysPerIncident": 12, "deploysPerNight": 40}
        self.settings["schedule"] = {"every": "300ms"}
        self.settings["remedy"] = remedy
        self.save()

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.app, env=dict(os.environ, **IDENTITY), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        check(done.returncode == 0, f"git {arguments}: {done.stdout.decode()}")
        return done.stdout.decode().strip()

    def commit(self, subject, **files):
        for name, text in files.items():
            path = self.app / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def history(self):
        """Good, another matter, too dear, another matter."""
        good = self.commit("Open", src__prices="apple 1\npear 2\nplum 3\n", test__shop="three\n")
        self.first_green = good
        return good

    def break_it(self, **also):
        """Three commits that arrive at once, as by one push: a look between them would be about another revision."""
        self.git("checkout", "--quiet", "--detach")
        self.commit("Leaflet", docs__leaflet="cheap\n")
        culprit = self.commit("Raise pears", src__prices="apple 1\npear 20\nplum 3\n", **also)
        wanted = self.commit("Poster", docs__poster="cheaper\n")
        self.git("branch", "--force", "main")
        self.git("checkout", "--quiet", "main")
        return culprit, wanted

    def sealed_as(self, revision, seconds=90):
        """The document of the first sealed cycle about `revision`."""
        def found():
            check(self.process.poll() is None, f"the daemon ended: {(self.folder / 'daemon.log').read_text()[-2000:]}")
            for number in self.sealed():
                document = self.document(number)
                if document and document["revision"]["wanted"] == revision:
                    return document
            return None
        try:
            return wait_for(seconds, found, f"a sealed cycle about {revision[:7]}")
        except Failure as failure:
            raise Failure(f"{failure}\n{self.log()[-3000:]}") from None

    def asked(self, seconds=90):
        try:
            return wait_for(seconds, lambda: " hold approval " in self.log() and self.log(), "a question")
        except Failure as failure:
            raise Failure(f"{failure}\n{self.log()[-3000:]}") from None


def action(document, kind):
    found = [one for one in document["actions"] if one["kind"] == kind]
    check(found, f"no {kind} among {document['actions']}")
    return found[-1]


FIX = {"paths": ["src/*"]}


def roles():
    return {"implement": [str(ROLES / "implement.sh")], "review": [str(ROLES / "review.sh")]}


@story
def a_fix_by_revert(nightjar):
    """The culprit is proven, staging rolled back, the culprit reverted on a branch, proven there; staging stays green."""
    shop = Shop(nightjar, allow=["rollback", "fix"], fix=FIX, roles=roles())
    good = shop.history()
    shop.start()
    shop.sealed_as(good)
    culprit, wanted = shop.break_it(test__shop="three\nfour\n")
    document = shop.sealed_as(wanted)
    check(document["verdict"] == "failing", document["verdict"])
    diagnosis = document["incidents"][0]["diagnosis"]
    check(diagnosis["grade"] == "proven" and diagnosis["culprit"]["commit"] == culprit, f"diagnosis: {diagnosis}")
    check(action(document, "rollback")["outcome"] == "succeeded", document["actions"])
    fix = action(document, "fix")
    check(fix["outcome"] == "succeeded", f"{fix}\n{shop.log()[-3000:]}")
    check(fix["branch"] == "nightjar/fix-INC-1", fix)
    check(all(one["passed"] for one in document["audit"]), document["audit"])
    check(document["environment"]["serving"] == good, document["environment"])
    check((shop.folder / "live").read_text() == good, "the last green revision is not live")
    # The branch has one commit on top of the wanted revision; nobody else's moved.
    branch = shop.git("rev-parse", "nightjar/fix-INC-1")
    check(branch == fix["name"], "the branch is elsewhere")
    check(shop.git("rev-parse", "nightjar/fix-INC-1^") == wanted, "the fix is not on the wanted revision")
    check(shop.git("rev-parse", "main") == wanted, "main has moved")
    check(shop.git("show", f"{branch}:src/prices") == "apple 1\npear 2\nplum 3", "the prices are not back")
    check(shop.git("show", f"{branch}:test/shop") == "three\nfour", "the tests were changed")
    body = shop.git("show", "--no-patch", "--format=%B", branch)
    check("Nightjar-Incident: INC-1" in body and f"proven, {culprit}" in body, body)
    wait_for(10, lambda: not list((shop.state / "roles").iterdir()), "the end of the working trees")
    # A person merges it: the next cycle is healthy.
    shop.git("merge", "--quiet", "--ff-only", "nightjar/fix-INC-1")
    healed = shop.sealed_as(branch)
    check(healed["verdict"] == "healthy", healed["verdict"])
    check(shop.stop() == 0, "the daemon did not end well")
    check(shop.run("verify")[0] == 0, "the evidence does not verify")
    return f"{culprit[:7]} reverted as {branch[:7]} on its branch, {len(document['stages'])} stages; merged: healthy"


@story
def a_fix_that_edits_tests(nightjar):
    """A role that makes the test easier is refused by name of the rule, and leaves nothing."""
    cheat = "cat >/dev/null; cd \"$NIGHTJAR_WORKTREE\"; echo easy > test/shop; echo '{\"decision\": \"done\"}'"
    shop = Shop(nightjar, allow=["fix"], fix={"paths": ["*"]}, roles={"implement": ["sh", "-c", cheat]})
    good = shop.history()
    shop.start()
    shop.sealed_as(good)
    _, wanted = shop.break_it()
    document = shop.sealed_as(wanted)
    fix = action(document, "fix")
    check(fix["outcome"] == "failed" and "tests:" in fix["result"], fix)
    broken = [one["rule"] for one in document["audit"] if not one["passed"]]
    check(broken == ["tests"], broken)
    check(shop.git("branch", "--list", "nightjar/*") == "", "a branch is left")
    check(document["environment"]["serving"] == wanted, document["environment"])
    shop.stop()
    return "refused: " + fix["result"][:60]


@story
def a_rollback_past_a_migration(nightjar):
    """The loop asks, survives a stop and a SIGKILL, takes only the right word, and says who gave it."""
    shop = Shop(nightjar, allow=["rollback"])
    good = shop.history()
    shop.start()
    shop.sealed_as(good)
    _, wanted = shop.break_it(migrations__0007="drop table\n")
    log = shop.asked()
    line = next(one for one in log.splitlines() if " hold approval " in one)
    check("nightjar approve INC-1 rollback --past-migration" in line, line)
    status, text = shop.run("status")
    check("waits until" in text and "yes: nightjar approve INC-1 rollback --past-migration" in text, text)
    for end in (shop.stop, shop.kill):
        end()
        shop.wait()
        shop.start()
        wait_for(20, lambda: shop.ask(verb="ping", by="x"), "the control socket")
    code, text = shop.run("approve", "INC-1", "rollback")
    check(code == 1 and "--past-migration" in text, f"{code} {text}")
    code, text = shop.run("approve", "INC-9")
    check(code == 1 and "the question is INC-1" in text, f"{code} {text}")
    code, text = shop.run("skip")
    check(code == 1, f"skip: {code} {text}")
    code, text = shop.run("approve", "INC-1", "rollback", "--past-migration", "-m", "the table was empty", "--by", "ann")
    check(code == 0, f"{code} {text}")
    document = shop.sealed_as(wanted)
    rollback = action(document, "rollback")
    check(rollback["outcome"] == "succeeded", rollback)
    check((rollback["approvedBy"], rollback["approvedBecause"]) == ("ann", "the table was empty"), rollback)
    check((shop.folder / "live").read_text() == good, "not rolled back")
    code, text = shop.run("approve")
    check(code == 1 and "nothing waits" in text, f"{code} {text}")
    shop.stop()
    return "asked, stopped, killed, approved by ann with --past-migration, restored"


@story
def a_newer_revision_ends_the_wait(nightjar):
    """Nobody answers; a fix forward arrives, and is tested."""
    shop = Shop(nightjar, allow=[], approve=["rollback"])
    good = shop.history()
    shop.start()
    shop.sealed_as(good)
    _, wanted = shop.break_it()
    shop.asked()
    forward = shop.commit("Lower pears", src__prices="apple 1\npear 3\nplum 3\n")
    document = shop.sealed_as(wanted)
    check("a newer revision is wanted" in action(document, "rollback")["because"], document["actions"])
    check(shop.sealed_as(forward)["verdict"] == "healthy", "the fix forward is not healthy")
    shop.stop()
    return "the question ended with the newer revision, which is healthy"


MEASURE = """#!/bin/sh
# Twelve numbers around what is live.
for n in 0 1 2 3 4 5 6 7 8 9 10 11; do echo "$(($(cat latency.live) + n % 3))ms"; done
"""


@story
def a_target_that_regressed(nightjar):
    """Every test passes, and the newest revisions are too slow: the commit is found by measuring, and staging put back."""
    shop = Shop(nightjar, allow=["rollback"])
    shop.script("deploy.sh", DEPLOY + 'cp "$2/src/latency" latency.live\n')
    shop.script("measure.sh", MEASURE)
    shop.settings["targets"] = [
        {"name": "API response", "limit": "100ms", "command": ["./measure.sh"], "blocking": True},
        {"name": "leisure", "limit": "150ms", "command": ["./measure.sh"]}]
    shop.save()
    prices = "apple 1\npear 2\nplum 3\n"
    good = shop.commit("Open", src__prices=prices, src__latency="40\n")
    shop.start()
    shop.sealed_as(good)
    # All three at once: a commit between them must not become a cycle of its own.
    shop.git("checkout", "--quiet", "-b", "next")
    shop.commit("Leaflet", docs__leaflet="cheap\n")
    culprit = shop.commit("Log every request twice", src__latency="140\n")
    wanted = shop.commit("Poster", docs__poster="cheaper\n")
    shop.git("checkout", "--quiet", "-B", "main")
    document = shop.sealed_as(wanted)
    check(document["verdict"] == "failing" and document["suites"][0]["status"] == "passed", document["verdict"])
    check([one["title"] for one in document["incidents"]] == ["target API response: p95 of 12 is 142 ms > 100 ms"],
          [one["title"] for one in document["incidents"]])
    incident = document["incidents"][0]
    diagnosis = incident["diagnosis"]
    check((diagnosis["category"], diagnosis["grade"]) == ("performance-regression", "proven"),
          f"{diagnosis['category']} {diagnosis['grade']}: {diagnosis['summary']}\n{shop.log()[-3000:]}")
    check(diagnosis["culprit"]["commit"] == culprit, diagnosis["culprit"])
    check("42 ms" in diagnosis["statistics"] and "142 ms > 100 ms" in diagnosis["statistics"], diagnosis["statistics"])
    whys = diagnosis["whys"]
    check(all(why["evidence"] for why in whys), f"a why without evidence: {[why['answer'] for why in whys if not why['evidence']]}")
    for why in whys:
        for reference in why["evidence"]:
            path = shop.cycle_folder(document["cycle"]) / reference["path"]
            lines = path.read_text().splitlines()
            first, last = reference["lines"]
            check("\n".join(lines[first - 1:last])[:300] == reference["excerpt"][:300], f"{reference} does not stand there")
    check(action(document, "rollback")["outcome"] == "succeeded", document["actions"])
    check(document["environment"]["serving"] == document["revision"]["lastGreen"] and document["environment"]["state"] == "restored", document["environment"])
    code, text = shop.run("why", "INC-1")
    check("performance-regression" in text and "Log every request twice" in text, text)
    # Slower than before, still within the limit: said, and nothing is rolled back.
    lenient = shop.commit("Log every request once", src__latency="90\n")
    healed = shop.sealed_as(lenient)
    check(healed["verdict"] == "healthy", f"{healed['verdict']}: {healed['reasons']}")
    shop.stop()
    return f"{culprit[:7]} found by measuring, {len(document['experiments'])} experiments: {diagnosis['statistics']}"


@story
def a_child_of_the_culprit(nightjar):
    """A later revision with the culprit still in it joins the incident without experiments."""
    shop = Shop(nightjar, allow=["rollback"])
    good = shop.history()
    shop.start()
    shop.sealed_as(good)
    culprit, wanted = shop.break_it()
    shop.sealed_as(wanted)
    child = shop.commit("Another poster", docs__poster="best\n")
    document = shop.sealed_as(child)
    check(document["verdict"] == "failing" and document["reasons"][0]["rule"] == "known-culprit", document["reasons"])
    check(document["experiments"] == [], document["experiments"])
    check([one["id"] for one in document["incidents"]] == ["INC-1"], document["incidents"])
    check(document["incidents"][0]["timesSeen"] == 2, document["incidents"][0])
    tests = [one for one in document["stages"] if one["run"]["kind"] == "test" and one["run"]["purpose"] == "cycle"]
    check(len(tests) == 1 and tests[0]["run"]["only"], f"tests: {[one['run'] for one in tests]}")
    check(document["incidents"][0]["diagnosis"]["cycle"] == document["cycle"] - 1, "whose evidence is cited is not said")
    check(action(document, "rollback")["outcome"] == "succeeded", document["actions"])
    check(document["environment"]["serving"] == good, document["environment"])
    shop.stop()
    return f"{child[:7]} joins INC-1 of {culprit[:7]} with one run of the failing test, and staging is put back"


def main():
    nightjar = binary()
    wanted = sys.argv[1:]
    failed = 0
    for function in STORIES:
        name = function.__name__
        if wanted and name not in wanted:
            continue
        try:
            print(f"   ok   {name}: {function(nightjar)}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"   FAIL {name}: {failure}", flush=True)
        finally:
            for shop in SHOPS:
                if shop.process and shop.process.poll() is None:
                    shop.kill()
                    shop.wait()
                if not os.environ.get("KEEP"):
                    shutil.rmtree(shop.folder, ignore_errors=True)
            SHOPS.clear()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
