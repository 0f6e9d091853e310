#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The resilience scenarios against the demo's live service, and against one broken variant of it after the other.

The good service must be approved in all scenarios. Each breakage must be rejected by the scenario that is there for it,
and by no others than those that the table explains. On a busy machine a time is missed now and then: an unexplained
rejection counts where the scenario, run once more by itself, is rejected again.

usage: resilience.py --nightjar PATH --scenarios FILE [--jobs N] [--table FILE]
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

ORDER = ["reconnection", "midStream", "queueing", "expiredToken", "restart", "flapping", "heartbeat", "malformed",
         "interfaceSwitch", "tokenRefresh", "security"]
RESUME = ["reconnection", "midStream", "queueing", "expiredToken", "restart", "flapping", "heartbeat", "interfaceSwitch"]
# breakage: (the scenario that is there for it, others that must see it as well, why, and those that may)
BREAKAGES = {
    "loses-session": ("reconnection", RESUME[1:], "every scenario that resumes a session"),
    "forgets-on-restart": ("restart", [], ""),
    "drops-queue": ("queueing", [], "events of a stream may be made while the client is away", ["midStream"]),
    "repeats-events": ("midStream", ["queueing"], "both count what comes twice after a resume"),
    "accepts-expired": ("expiredToken", ["security"], "security tries an expired token, too"),
    "accepts-forged": ("security", [], ""),
    "no-pong": ("heartbeat", [], ""),
    "no-heartbeat": ("heartbeat", [], "a bystander that is asked for nothing says nothing, and is dropped as silent", ["malformed"]),
    "dies-on-malformed": ("malformed", ["interfaceSwitch", "tokenRefresh", "security"], "the service is gone from then on"),
    "disconnects-on-refresh": ("tokenRefresh", [], ""),
    "leaks-between-users": ("security", [], "events of others get among those that are counted", ["midStream", "queueing"]),
    "leaky-errors": ("security", [], ""),
    "slow-to-open": ("reconnection", ["expiredToken", "restart", "flapping", "heartbeat", "interfaceSwitch"],
                     "every scenario that measures a reconnection"),
    "wedges-when-flapping": ("flapping", ["reconnection"], "both come back to one session many times"),
    "bound-to-address": ("interfaceSwitch", [], ""),
    "drops-tail": ("midStream", ["interfaceSwitch", "tokenRefresh"], "every scenario that counts the events of a stream"),
}


def run_once(nightjar, scenarios, breakage, *only):
    command = [nightjar, "resilience", "--demo", "--config", scenarios, "--json", "--quiet", *only]
    if breakage:
        command += ["--break", breakage]
    done = subprocess.run(command, capture_output=True, text=True, timeout=540)
    if done.returncode not in (0, 1, 3):
        return {"problem": f"exit {done.returncode}: {done.stderr.strip()[:300]}"}
    return json.loads(done.stdout)


def run(nightjar, scenarios, breakage):
    report = run_once(nightjar, scenarios, breakage)
    for index, result in enumerate(report.get("results", [])):
        if result["status"] != "APPROVED" and result["scenario"] not in explained(breakage):
            again = run_once(nightjar, scenarios, breakage, "--scenario", result["scenario"])
            if "problem" not in again:
                print(f"   {breakage or 'good'}: {result['scenario']} was run twice; at first "
                      + "; ".join(reasons(report, result["scenario"])), flush=True)
                report["results"][index] = again["results"][0]
    return report


def explained(breakage):
    """The scenarios that a breakage may reject."""
    catcher, others, _, *may = BREAKAGES.get(breakage, (None, [], ""))
    return {catcher, *others, *(may[0] if may else [])}


def rejected(report):
    return {result["scenario"] for result in report["results"] if result["status"] == "REJECTED"}


def conditional(report):
    """A scenario that could not be told in full: with this service and this file there is none."""
    return {result["scenario"] for result in report["results"] if result["status"] == "CONDITIONAL"}


def reasons(report, scenario):
    cases = next(result["cases"] for result in report["results"] if result["scenario"] == scenario)
    return [f'{case["name"]}: {case.get("reason")}' for case in cases if case["outcome"] != "passed"]


def judge(breakage, report):
    """What is wrong with a report, in lines."""
    if "problem" in report:
        return [f"{breakage}: {report['problem']}"]
    found = rejected(report)
    catcher, others, *_ = BREAKAGES.get(breakage, (None, [], ""))
    wanted = {catcher, *others} if catcher else set()
    problems = [f"{breakage}: only conditional in {scenario}: {'; '.join(reasons(report, scenario))}"
                for scenario in sorted(conditional(report))]
    for scenario in sorted(wanted - found):
        problems.append(f"{breakage}: not caught by {scenario}")
    for scenario in sorted(found - explained(breakage)):
        problems.append(f"{breakage}: unexplained in {scenario}: {'; '.join(reasons(report, scenario))}")
    return problems


def table(reports):
    yield "| variant | " + " | ".join(str(n + 1) for n in range(len(ORDER))) + " |"
    yield "|---|" + "---|" * len(ORDER)
    for name, report in reports.items():
        if "problem" in report:
            continue
        found = rejected(report)
        catcher = BREAKAGES.get(name, (None,))[0]
        cells = [("**no**" if scenario == catcher else "no") if scenario in found else "yes" for scenario in ORDER]
        yield f"| {name} | " + " | ".join(cells) + " |"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nightjar", required=True)
    options.add_argument("--scenarios", required=True)
    options.add_argument("--jobs", type=int, default=6)
    options.add_argument("--only", default="")
    options.add_argument("--table")
    arguments = options.parse_args()
    with open(arguments.scenarios) as file:
        scenarios = json.load(file)
    # Several run side by side here: fewer trials, and times that a busy machine keeps.
    scenarios["trials"] = 13
    scenarios["heartbeat"]["tolerance"] = 0.6
    scenarios["restart"]["trials"] = 1
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scenarios.json")
        with open(path, "w") as file:
            json.dump(scenarios, file)
        names = ["good"] + [name for name in BREAKAGES if arguments.only in name]
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            jobs = {name: pool.submit(run, arguments.nightjar, path, None if name == "good" else name) for name in names}
            reports = {name: job.result() for name, job in jobs.items()}
    for name, report in reports.items():
        problems += judge(name, report)
    lines = list(table(reports))
    print("\n".join(lines))
    if arguments.table:
        with open(arguments.table, "w") as file:
            file.write("\n".join(lines) + "\n")
    for problem in problems:
        print("FAILED:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
