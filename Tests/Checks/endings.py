#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `once`, `run --max-cycles` and `gate` end with, what an abort leaves, and who the journal says has asked.

    NIGHTJAR=path/to/nightjar python3 endings.py [NAME...]

Each story prints one line; ends with 0 where all held.
"""

import json
import os
import subprocess
import time

from harness import audit, check, wait_for
from stories import begun, story, tell_all


def once(loop, *words, wanted, json_output=True):
    """Runs `once` and checks its status; what it printed as JSON."""
    done = subprocess.run(
        [loop.nightjar, "once", "--config", "nightjar.json5", *(["--json"] if json_output else []), *words], cwd=loop.folder,
        stdin=subprocess.DEVNULL, capture_output=True, env=loop.environment, timeout=60)
    said = (done.stdout + done.stderr).decode(errors="replace")
    check(done.returncode == wanted, f"once ended with {done.returncode}, expected {wanted}: {said[-1500:]}")
    return json.loads(done.stdout) if json_output else said


def gate(loop, revision, wanted):
    status, said = loop.run("gate", revision)
    check(status == wanted, f"gate {revision} ended with {status}, expected {wanted}: {said}")


def verdict(document, wanted, rule):
    check(document["verdict"] == wanted, f"the verdict is {document['verdict']}: {document['reasons']}")
    check(any(reason["rule"] == rule for reason in document["reasons"]), f"no reason {rule}: {document['reasons']}")


@story
def healthy_and_failing(loop):
    """0 where all is well, 1 where a test failed."""
    once(loop, wanted=0)
    gate(loop, "good-1", 0)
    loop.settings["remedy"] = {"allow": []}
    loop.save()
    loop.write("wanted", "bad-2")
    document = once(loop, wanted=1)
    verdict(document, "failing", "test-failed")
    gate(loop, "bad-2", 1)
    stages = document["stages"]
    missing = [key for stage in stages for key in ("stage", "attempt", "outcome", "hosts", "logs") if key not in stage]
    check(not missing, f"stages without {missing}")
    check({suite["priority"] for suite in document["suites"]} == {"P0", "P1"}, f"priorities: {document['suites']}")
    check(document["audit"] == [] and document["targets"] == [] and document["readiness"] is None, "what is empty is missing")
    return "0 and ship, then 1 and hold"


@story
def the_deployment_fails(loop):
    """5 where the deploy script says no or hits its limit; `gate` and `run --max-cycles` say the same."""
    loop.settings["triage"] = {"experiments": []}
    loop.script("deploy.sh", "#!/bin/sh\necho no room; exit 3\n")
    loop.save()
    verdict(once(loop, wanted=5), "failing", "deploy-failed")
    gate(loop, "good-1", 5)
    loop.write("wanted", "good-2")
    status, said = loop.run("run", "--max-cycles", "1", timeout=60)
    check(status == 5, f"run --max-cycles 1 ended with {status}: {said[-800:]}")
    loop.script("deploy.sh", "#!/bin/sh\nsleep 60\n")
    loop.settings["deploy"]["timeout"] = "500ms"
    loop.settings["deploy"]["grace"] = "200ms"
    loop.save()
    loop.write("wanted", "good-3")
    document = once(loop, wanted=5)
    verdict(document, "failing", "deploy-failed")
    limits = [stage.get("limitHit") for stage in document["stages"] if stage["stage"] == "deploy"]
    check(any("timeout" in (limit or "") for limit in limits), f"limits: {limits}")
    return f"exit 3 of the script: 5, 5 by gate, 5 by run; {limits[0]}: 5"


@story
def the_environment_fails(loop):
    """5 where the environment never becomes healthy, answers another revision, or a tool cannot be run."""
    loop.settings["triage"] = {"experiments": []}
    loop.settings["health"].update(deadline="500ms")
    loop.settings["health"]["checks"] = [{"name": "live", "command": {"shell": "false"}}]
    loop.save()
    verdict(once(loop, wanted=5), "failing", "not-stable")
    loop.settings["health"]["checks"] = [{"name": "live", "command": {"shell": "true"}}]
    loop.save()
    loop.script("deploy.sh", "#!/bin/sh\nprintf other > live\n")
    loop.write("wanted", "good-2")
    verdict(once(loop, wanted=5), "failing", "wrong-revision")
    loop.settings["deploy"]["command"] = ["./no-such-script.sh"]
    loop.save()
    loop.write("wanted", "good-3")
    verdict(once(loop, wanted=5), "unproven", "infrastructure")
    loop.settings["repository"] = {"path": ".", "revisionCommand": {"shell": "exit 1"}}
    loop.save()
    nothing = once(loop, wanted=5)
    check(nothing["ended"] == "infrastructure" and nothing["exit"] == 5, f"{nothing}")
    return "never well, another revision, no such script, no revision: 5 each"


@story
def a_pause_is_an_object(loop):
    """`once --json` prints an object also where the loop is paused, and ends with 4."""
    once(loop, wanted=0)
    loop.start()
    wait_for(15, lambda: len(loop.sealed()) > 1, "cycle 2")
    code, said = loop.run("pause", "-m", "database upgrade", "--by", "ann")
    check(code == 0, said)
    loop.stop()
    before = len(loop.sealed())
    paused = once(loop, wanted=4)
    check(paused["ended"] == "paused" and paused["pause"]["owner"] == "ann" and paused["exit"] == 4, f"{paused}")
    check("database upgrade" in paused["because"], f"{paused}")
    words = once(loop, wanted=4, json_output=False)
    check("paused by ann: database upgrade; no cycle was run; nightjar resume ends the pause" in words, words)
    check(len(loop.sealed()) == before, "a cycle was run")
    code, said = loop.run("resume", "--by", "ben")
    check(code == 0, said)
    once(loop, wanted=0)
    return paused["because"]


@story
def stopped_on_the_way(loop):
    """`once` that is told to stop during a test prints its interrupted cycle and ends with 4."""
    loop.write("test-seconds", "20")
    child = subprocess.Popen(
        [loop.nightjar, "once", "--config", "nightjar.json5", "--json"], cwd=loop.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=loop.environment)
    try:
        begun(loop, 1, "test-1-alpha")
        child.terminate()
        said, _ = child.communicate(timeout=20)
    finally:
        child.kill()
    check(child.returncode == 4, f"once ended with {child.returncode}")
    document = json.loads(said)
    check(document["cycle"] == 1 and document["verdict"] == "interrupted", f"it says {document['verdict']}")
    return f"4, and cycle.json says {document['reasons'][0]['text']}"


@story
def an_abort_stays(loop):
    """An aborted revision is not deployed again by the schedule; newer ones are, and so is it where somebody asks."""
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1")
    loop.write("deploy-seconds", "20")
    loop.write("wanted", "good-2")
    wait_for(15, lambda: any(line.startswith("deploy good-2 ") for line in loop.effects()), "the deploy of good-2")
    loop.write("deploy-seconds", "0.1")
    code, said = loop.run("abort", "-m", "wrong moment", "--by", "emil")
    check(code == 0, said)

    def deploys():
        return sum(line.startswith("deploy good-2 ") for line in loop.effects())

    wait_for(15, lambda: "no revision newer than good-2" in loop.log(), "the wait in cycle.log")
    time.sleep(1)
    check(deploys() == 1, f"good-2 was deployed {deploys()} times: {loop.effects()[-6:]}")
    said = " ".join(loop.run("status")[1].split())
    check("aborted by emil: wrong moment" in said, f"status does not say why it waits: {said}")
    loop.kill()
    loop.wait()
    loop.start()
    time.sleep(1)
    check(deploys() == 1, "the restart forgot the abort")
    aborted = max(loop.sealed())
    requests = loop.document(aborted)["requests"]
    check(requests[-1]["by"] == "emil" and requests[-1]["uid"] == os.getuid(), f"the evidence says {requests}")
    asked = [e for e in loop.journal() if e["kind"] == "operatorRequested"]
    check(asked[-1]["uid"] == os.getuid() and asked[-1]["by"] == "emil", f"the journal says {asked[-1]}")
    code, said = loop.run("trigger")
    check(code == 0, said)
    wait_for(15, lambda: deploys() == 2, "good-2 by trigger")
    loop.write("wanted", "good-3")
    wait_for(15, lambda: any(line.startswith("deploy good-3 ") for line in loop.effects()), "the deploy of good-3")
    loop.stop()
    audit(loop)
    return f"deployed once, again by trigger; journal: by {asked[-1]['by']}, uid {asked[-1]['uid']}"


tell_all()
