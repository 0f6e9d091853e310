#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Let the loop loose on instances of the staging fault lab, and hold what it found against the truth.

    lab.py [--lab DIR] [--nightjar FILE] [--work DIR] [--faults DIR] [--jobs N] [--seed N] [--keep] [--json FILE] NAME...

A NAME is a fault of the lab, `base` (the environment without a fault) or `all` (base and every fault). For each, an
instance is created, a configuration written from what `lab.py new` printed, the fault armed, `nightjar once` run, the
cycle scored by the lab's own score.py, and the instance stopped. One row is printed for each.

Exit status: 0 where nothing dangerous was seen (a false green, a wrong rollback, a wrong blame, or a base that is not
healthy), 1 otherwise. `--strict` also wants the category and the culprit right. Without a lab: a line, and 0.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

COLUMNS = ["fault", "truth", "found", "culprit", "verdict", "actions", "green?", "blame", "words", "whys", "min",
           "deploys", "reruns", "ok"]
CHILDREN = set()
WIDTHS = [32, 23, 24, 8, 9, 19, 6, 12, 6, 6, 5, 7, 6, 3]


def root():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["all"])
    parser.add_argument("--lab", default=os.environ.get("NIGHTJAR_LAB") or os.path.join(root(), "..", "shared", "lab"))
    parser.add_argument("--nightjar", default=os.environ.get("NIGHTJAR") or os.path.join(root(), ".build/debug/nightjar"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter with the lab's requirements")
    parser.add_argument("--work", help="folder for instances (default: a temporary one)")
    parser.add_argument("--faults", help="another folder of faults")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--limit", type=int, default=1500, help="seconds for one cycle")
    parser.add_argument("--keep", action="store_true", help="keep the folders (always kept with --work)")
    parser.add_argument("--json", help="write all scores here")
    parser.add_argument("--strict", action="store_true")
    return parser.parse_args()


class Lab:
    """The lab's own command line; every call is bounded."""

    def __init__(self, options):
        self.options = options
        self.faults = ["--faults", options.faults] if options.faults else []

    def call(self, program, *words, limit=180):
        command = [self.options.python, os.path.join(self.options.lab, program), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)

    def run(self, *words):
        done = self.call("lab.py", *words)
        if done.returncode != 0:
            raise RuntimeError(f"lab.py {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def names(self):
        return [line.split()[0] for line in self.run("list", *self.faults).splitlines() if line.strip()]

    def score(self, name, folder):
        done = self.call("score.py", name, folder, *self.faults)
        if not done.stdout.strip():
            raise RuntimeError(f"score.py: {done.stderr.strip()[-600:]}")
        return json.loads(done.stdout)


def well(url):
    """What a healthy service answers: every pointer that says "ok" now, before anything new is deployed."""
    def pointers(value, path):
        if isinstance(value, dict):
            return {pointer: found for key, inner in value.items() for pointer, found in pointers(inner, f"{path}/{key}").items()}
        return {path: value} if value == "ok" else {}

    for _ in range(40):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as reply:
                found = pointers(json.load(reply), "")
            if found.get("/status") == "ok":
                # A dependency says more than the status that follows from it.
                return dict(sorted(found.items(), key=lambda item: -item[0].count("/")))
        except (OSError, ValueError):
            pass
        time.sleep(0.25)
    return {"/status": "ok"}


def configuration(instance, state):
    """The loop's settings for an instance, as plain JSON (which is JSON5)."""
    services = instance["service_health_urls"]
    ops = instance["runbook"]
    suites = []
    for suite in instance["suites"]:
        suites.append({
            # The scripts say -q; the second -v brings back the lines that name each test.
            "name": suite["name"], "priority": suite["priority"], "value": suite["mrr"],
            "command": suite["argv"] + ["-vv"], "select": suite["argv"] + ["-vv", "-k", "{testNames}"],
            "collect": suite["argv"] + ["--collect-only", "-q"],
            "report": {"format": "junit", "path": suite["junit"]}, "console": "pytest",
            "timeout": "5m", "testTimeout": "15s", "real": True,
            # What the lab does to a service while tests run is started below them and goes on.
            "leavesServices": True,
        })
    return {
        "loop": {"name": "lab", "mode": "operate"},
        "state": state,
        "repository": {"path": instance["repo"], "ref": instance["branch"], "green": "last-green"},
        "deploy": {
            "command": instance["deploy"] + ["{revision}"], "worktree": False, "timeout": "3m",
            "logs": instance["logs"] + ["--since", "{stageStart}"],
        },
        "health": {
            "checks": [{"name": name, "http": url, "timeout": "2s", "expect": {"status": 200, "json": well(url)}}
                       for name, url in services.items()],
            "liveRevision": [{"service": name, "http": url, "pointer": "/revision", "answers": 5}
                             for name, url in services.items()],
            "interval": "500ms", "stableFor": "4s", "deadline": "25s",
        },
        "suites": suites,
        "triage": {"budget": "20m", "mayDeploy": True, "deploysPerIncident": 8, "deploysPerNight": 12},
        "remedy": {
            "allow": ["redeploy", "runbook", "rollback"],
            "runbook": {
                "restart-dependency": {
                    "command": ops + ["restart-dependency", "{component}"],
                    "for": ["dependency-down", "environment-down", "network"]},
                "free-resource": {"command": ops + ["free-resource"],
                                  "for": ["resource-exhaustion", "data-state", "wrong-revision"]},
                "renew-credential": {"command": ops + ["renew-credential"], "for": ["expired-credential"]},
            },
        },
    }


def once(options, folder):
    """One cycle. The program is ended by its own process id where it takes too long."""
    command = [options.nightjar, "once", "--json", "--config", os.path.join(folder, "nightjar.json5")]
    with open(os.path.join(folder, "once.json"), "w") as out, open(os.path.join(folder, "once.log"), "w") as log:
        child = subprocess.Popen(command, stdout=out, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
        CHILDREN.add(child)
        try:
            return child.wait(options.limit)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(90)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            raise RuntimeError(f"no end after {options.limit} s") from None
        finally:
            CHILDREN.discard(child)


def one(lab, options, work, name):
    """An instance from birth to end; the row that came of it."""
    folder = os.path.join(work, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    instance_folder = os.path.join(folder, "instance")
    created = False
    try:
        words = ["new", instance_folder] + lab.faults
        if name != "base":
            words += ["--fault", name]
        if options.seed is not None:
            words += ["--seed", str(options.seed)]
        created = True
        instance = json.loads(lab.run(*words))
        with open(os.path.join(folder, "nightjar.json5"), "w") as file:
            json.dump(configuration(instance, os.path.join(folder, "state")), file, indent=2)
        lab.run("arm", instance_folder)
        started = time.monotonic()
        status = once(options, folder)
        return row(lab, name, folder, status, time.monotonic() - started)
    except (RuntimeError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        return {"fault": name, "problem": str(error), "dangerous": True, "ok": False}
    finally:
        if created:
            lab.call("lab.py", "stop", instance_folder)


def row(lab, name, folder, status, seconds):
    cycle_folder = os.path.join(folder, "state", "lab", "cycles", "000001")
    with open(os.path.join(cycle_folder, "cycle.json")) as file:
        cycle = json.load(file)
    if name == "base":
        good = cycle["verdict"] == "healthy" and status == 0
        score = {"truth": "-", "found": [], "culprit": "-", "verdict": cycle["verdict"], "actions": [], "false_green": False,
                 "wrong_rollback": False, "blamed": [], "words": "-", "whys": 0, "whys_with_evidence": 0, "ok": good}
    else:
        score = lab.score(name, cycle_folder)
        score["status"] = status
    kinds = [stage["run"] for stage in cycle["stages"]]
    score["fault"] = name
    score["minutes"] = round(seconds / 60, 1)
    score["deploys"] = sum(run["kind"] == "deploy" for run in kinds)
    score["reruns"] = sum(run["kind"] == "test" and run["purpose"] != "cycle" for run in kinds)
    score["dangerous"] = bool(score["false_green"] or score["wrong_rollback"] or score["blamed"] or score["culprit"] == "wrong"
                              or (name == "base" and not score["ok"]) or (status == 0 and cycle["verdict"] != "healthy"))
    return score


def cells(score):
    if score.get("problem"):
        return [score["fault"], score["problem"]]
    green = "FALSE" if score["false_green"] else "no"
    blame = "rollback!" if score["wrong_rollback"] else ",".join(score["blamed"]) or "-"
    return [score["fault"], score["truth"], ",".join(str(c) for c in score["found"]) or "-", score["culprit"], score["verdict"],
            ",".join(score["actions"]) or "-", green, blame, score["words"],
            f"{score['whys_with_evidence']}/{score['whys']}", str(score["minutes"]), str(score["deploys"]),
            str(score["reruns"]), "yes" if score["ok"] else "NO"]


def line(values):
    return "  ".join(str(value).ljust(width) for value, width in zip(values, WIDTHS)).rstrip() if len(values) > 2 else (
        f"{values[0].ljust(WIDTHS[0])}  PROBLEM: {values[1]}")


def end(number, frame):
    """Asked to end: the main thread leaves the pool, and what was started is ended by its own process id."""
    for child in list(CHILDREN):
        child.terminate()
    raise SystemExit(143)


def main():
    signal.signal(signal.SIGTERM, end)
    options = arguments()
    if not os.path.isfile(os.path.join(options.lab, "lab.py")):
        print(f"there is no lab in {options.lab} (--lab, NIGHTJAR_LAB): nothing to check")
        return 0
    options.lab = os.path.realpath(options.lab)
    options.nightjar = os.path.realpath(options.nightjar)
    if not os.access(options.nightjar, os.X_OK):
        print(f"there is no program {options.nightjar} (--nightjar, NIGHTJAR)")
        return 2
    lab = Lab(options)
    names = []
    for name in options.names or ["all"]:
        names += ["base"] + lab.names() if name == "all" else [name]
    work = options.work or tempfile.mkdtemp(prefix="nightjar-lab-")
    os.makedirs(work, exist_ok=True)
    print(line(COLUMNS), flush=True)
    scores = []
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for score in pool.map(lambda name: one(lab, options, work, name), names):
            scores.append(score)
            print(line(cells(score)), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(scores, file, indent=2)
    dangerous = [score["fault"] for score in scores if score["dangerous"]]
    wrong = [score["fault"] for score in scores if not score["ok"]]
    print(f"{len(scores) - len(wrong)} of {len(scores)} right, {len(dangerous)} dangerous"
          + (f": {', '.join(dangerous)}" if dangerous else ""))
    if options.work or options.keep:
        print(f"kept in {work}")
    else:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if dangerous or (options.strict and wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
