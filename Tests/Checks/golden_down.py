# SPDX-License-Identifier: Apache-2.0
"""Golden case B: staging is down; the loop finds that out, brings it back and proves it, in one cycle."""

import json
import socket
import sys

from golden_case import Case, Failure, contains, equal, git, near

FLOW = ["user_input_received", "message_validated", "agent_selected", "agent_executed", "response_generated",
        "response_delivered"]
LATENCY = [
    ("API response", 100, 85, 15), ("WebSocket latency", 50, 42, 16), ("agent start-up", 500, 380, 24),
    ("message processing", 200, 165, 17.5), ("whole request", 1000, 872, 12.8)]

SERVICE = """#!/usr/bin/env python3
# service.py PORT REVISION: the staging service of case B. Five endpoints; a message goes through six steps, in order.
import http.server
import json
import sys

FLOW = {flow}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = {{"/health": {{"status": "healthy"}}, "/revision": {{"revision": sys.argv[2]}}, "/api/agents": ["triage"],
                 "/api/threads": [], "/auth/config": {{"provider": "staging"}}}}
        self.answer(200 if self.path in known else 404, known.get(self.path, {{}}))

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.answer(200, [{{"step": step, "text": text}} for step in FLOW])

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

CRITICAL_PATH = """#!/usr/bin/env python3
# critical_path.py PORT REPORT: sends one message over HTTP and looks for each step of its way, in order.
import json
import sys
import time
import urllib.request

FLOW = {flow}
cases, failures = "", 0
for position, step in enumerate(FLOW):
    began, problem = time.monotonic(), None
    try:
        address = "http://127.0.0.1:" + sys.argv[1] + "/api/messages"
        with urllib.request.urlopen(urllib.request.Request(address, data=b"hello"), timeout=5) as answer:
            events = json.load(answer)
        if events[position] != {{"step": step, "text": "hello"}}:
            problem = "AssertionError: step %d is %s" % (position, events[position])
    except OSError as error:
        problem = "ConnectionError: %s" % error
    failures += problem is not None
    inner = "<failure message='%s'/>" % problem if problem else ""
    cases += "<testcase classname='critical-path' name='test_%s' time='%.4f'>%s</testcase>" % (
        step, time.monotonic() - began, inner)
with open(sys.argv[2], "w") as report:
    report.write("<testsuite name='critical-path' failures='%d'>%s</testsuite>" % (failures, cases))
sys.exit(failures > 0)
"""

IDEMPOTENT_DEPLOY = """#!/bin/sh
# deploy.sh [--force] REVISION: leaves alone what was deployed before, unless forced; fails for the next reason in `faults`.
if [ "$1" = --force ]; then
    shift
elif [ "$(cat deployed)" = "$1" ]; then
    echo "$1 was deployed before: nothing to do"
    exit 0
fi
fault=$(head -n 1 faults)
if [ -n "$fault" ]; then
    sed -i 1d faults
    echo "$fault" >&2
    exit 1
fi
setsid {python} service.py {port} "$1" > /dev/null 2>&1 &
echo $! > service.pid
printf '%s' "$1" > deployed
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def staging_down():
    """B: from "staging down" to green in one cycle; the hand-written report validates before it deploys."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    endpoints = ["/health", "/revision", "/api/agents", "/api/threads", "/auth/config"]
    checks = [{"name": path, "http": address + path, "expect": {"status": 200}} for path in endpoints]
    checks[0]["expect"]["json"] = {"/status": "healthy"}
    case = Case(
        "golden-b", repository={"path": "app", "green": "base"},
        deploy={"command": ["./deploy.sh", "{revision}"], "worktree": False, "timeout": "30s"},
        health={"checks": checks, "liveRevision": {"http": address + "/revision", "pointer": "/revision", "answers": 5},
                "stableFor": "300ms", "interval": "50ms", "deadline": "2s"},
        remedy={"allow": ["runbook"], "runbook": {"deploy-anew": {
            "command": ["./deploy.sh", "--force", "{revision}"], "for": ["environment-down"], "attempts": 3}}},
        targets=[{"name": name, "limit": f"{limit}ms", "command": ["cat", f"measured/{index}"], "blocking": True}
                 for index, (name, limit, _, _) in enumerate(LATENCY)])
    case.settings["loop"]["mode"] = "operate"
    (case.folder / "app").mkdir()
    git(case, "init", "-q", "-b", "main")
    git(case, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(case, "tag", "base")
    (case.folder / "app/dispatcher.py").write_text("class ToolDispatcher: pass\n")
    git(case, "add", "-A")
    git(case, "commit", "-q", "-m", "Import the tool dispatcher")
    # It was deployed, and is down: nothing listens. Bringing it back fails for two reasons of its own first.
    case.write("deployed", git(case, "rev-parse", "HEAD"))
    case.write("faults", "ImportError: cannot import name ToolDispatcher\nValueError: OAuth domain is not validated\n")
    case.script("deploy.sh", IDEMPOTENT_DEPLOY.format(python=sys.executable, port=port))
    case.write("service.py", SERVICE.format(flow=FLOW))
    case.write("critical_path.py", CRITICAL_PATH.format(flow=FLOW))
    (case.folder / "measured").mkdir()
    for index, (_, _, measured, _) in enumerate(LATENCY):
        case.write(f"measured/{index}", f"{measured}\n")
    case.settings["suites"] = [{
        "name": "critical-path", "priority": "P0", "command": [sys.executable, "critical_path.py", str(port), "{report}"],
        "capabilities": [{"name": "agent flow", "tests": "*", "steps": [f"*{step}*" for step in FLOW]}]}]
    try:
        case.run("probe", status=1)
        record = case.once(status=0)
        probed = json.loads(case.run("probe", "--json", status=0))
    finally:
        case.stop_service()
    equal([check["ok"] for check in probed["checks"]], [True] * 5, "B: the five endpoints")
    back_from_down(case, record)
    return case


def back_from_down(case, record):
    """What case B must have recorded, in the order in which it happened."""
    equal((record["cycle"], record["verdict"], record["recommendation"]), (1, "healthy", "ship"), "B: verdict")
    stages = record["stages"]
    seen = [(stage["run"]["kind"], stage["run"]["purpose"], stage["outcome"]) for stage in stages]
    equal(seen[:2], [("deploy", "cycle", "succeeded"), ("stabilize", "cycle", "failed")], "B: the first look")
    contains(stages[1]["summary"], "connection refused", "B: the first failure")
    remedies = [stage for stage in stages if stage["run"]["kind"] == "remedy"]
    equal([stage["outcome"] for stage in remedies], ["failed", "failed", "succeeded"], "B: deployments")
    logs = [(case.cycle_folder() / stage["commands"][0]["log"]).read_text() for stage in remedies]
    contains(logs[0], "ToolDispatcher", "B: the first deployment")
    contains(logs[1], "OAuth domain", "B: the second deployment")
    equal(len(record["incidents"]), 1, "B: incidents")
    diagnosis = record["incidents"][0]["diagnosis"]
    equal((diagnosis["category"], diagnosis.get("culprit")), ("environment-down", None), "B: diagnosis")
    tests = [stage for stage in stages if stage["run"]["kind"] == "test"]
    equal([stage["suite"]["totals"]["passed"] for stage in tests], [6], "B: the run of the tests")
    if tests[0]["startedAt"] < remedies[-1]["endedAt"]:
        raise Failure("B: tests ran before staging was back")
    for target, (name, limit, measured, better) in zip(record["targets"], LATENCY):
        equal((target["name"], target["limit"], target["measured"], target["status"]), (name, limit, measured, "met"),
              "B: target")
        near(target["betterByPercent"], better, f"B: {name}", 1e-9)
    steps = record["capabilities"][0]["steps"]
    equal([step["name"] for step in steps], FLOW, "B: the flow")
    equal([(step["status"], step["position"]) for step in steps], [("passed", n) for n in range(1, 7)], "B: its steps")
    ends = [stage["endedAt"] for stage in stages]
    if ends != sorted(ends) or any(stage["startedAt"] > stage["endedAt"] for stage in stages):
        raise Failure("B: a stage ended before one that came before it")
    case.says(
        "6 of 6 steps confirmed, reported in this order", *FLOW, "15 % better", "16 % better", "24 % better",
        "17.5 % better", "12.8 % better", "environment-down", "nothing answers", "deploy-anew", "ToolDispatcher", "OAuth domain")
    log = (case.cycle_folder() / "../../cycle.log").read_text()
    lines = ["FAIL stabilize", "incident", "FACT diagnosis", "ACT  runbook", "FAIL reverify", "ok   reverify", "ok   verdict"]
    places = [log.find(line) for line in lines]
    if -1 in places or places != sorted(places):
        raise Failure(f"B: the log tells another order: {list(zip(lines, places))}")
