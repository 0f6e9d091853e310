#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the recovery table (docs/architecture.md), provoked: by signals at the right moment, or by making the state
folder what a crash there would have left.

    NIGHTJAR=path/to/nightjar python3 recovery.py [NAME...]

Prints for each row what was done and what the next start did; ends with 0 where all of it was right.
"""

import json
import os
import signal
import subprocess
import sys
import time

from harness import Failure, Loop, Process, audit, binary, check, processes, wait_for

ROWS = []


def row(number, done):
    """Registers a row; the function answers what the restart did."""

    def register(function):
        ROWS.append((number, done, function))
        return function

    return register


# Freezing a loop


def reach(loop, folder, start=True):
    """Starts the daemon and waits until the command of the stage `folder` of cycle 1 runs; answers the stage's folder."""
    if start:
        loop.start()
    wait_for(15, lambda: any(line.endswith(f" 1 {folder}") for line in loop.effects()), f"the command of {folder}")
    return loop.cycle_folder(1) / folder


def end_everything(loop):
    """What a reboot does: daemon, shepherds and commands are gone at once."""
    loop.kill()
    loop.wait()
    for pids in loop.shepherds().values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    for process in loop.cookies():
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_for(5, lambda: not loop.cookies() and not loop.shepherds(), "everything ended")


def forget_effect(loop, folder):
    """The command never ran, as far as the environment is concerned."""
    loop.write("effects", "".join(line + "\n" for line in loop.effects() if not line.endswith(f" 1 {folder}")))


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


def cut_journal(loop, keep):
    """Cuts the journal after the last entry for which `keep` holds, as if nothing later had become durable."""
    path = sorted((loop.state / "journal").glob("*.jsonl"))[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    while lines and not keep(json.loads(lines[-1])):
        lines.pop()
    path.write_bytes(b"".join(lines))


def runs(loop, folder):
    return sum(line.endswith(f" 1 {folder}") for line in loop.effects())


def finish(loop, verdict="healthy"):
    """Lets cycle 1 end, stops the daemon, audits; answers the document of cycle 1."""
    wait_for(20, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    status = loop.stop()
    check(status == 0, f"run ended with {status}")
    audit(loop)
    document = loop.document(1)
    check(document["verdict"] == verdict, f"{document['verdict']}, not {verdict}: {document['reasons']}")
    return document


def stage(document, name, attempt=1):
    return next(s for s in document["stages"] if s["run"]["attempt"] == attempt and s_name(s) == name)


def s_name(record):
    run = record["run"]
    return "recheck" if run["purpose"] == "recheck" else run["kind"]


# The rows


@row("0", "half a line at the end of the journal")
def torn_line(loop):
    reach(loop, "deploy-1")
    end_everything(loop)
    path = loop.state / "journal" / "000001.jsonl"
    with open(path, "ab") as journal:
        journal.write(b'{"at":"2026-11-2')
    loop.start()
    finish(loop)
    check("torn tail of 16 bytes was cut" in loop.log(), "the log does not tell of the torn tail")
    check((loop.state / "journal" / "torn-1").read_bytes() == b'{"at":"2026-11-2', "the torn bytes were not kept")
    return "cut and kept as torn-1, told in cycle.log, cycle 1 healthy"


@row("1, 9", "the intent to deploy is durable, its folder is not made")
def no_folder(loop):
    folder = reach(loop, "deploy-1")
    end_everything(loop)
    empty(folder)
    folder.rmdir()
    forget_effect(loop, "deploy-1")
    loop.start()
    finish(loop)
    check(runs(loop, "deploy-1") == 1 and runs(loop, "deploy-2") == 0, f"effects: {loop.effects()}")
    return "deploy-1 was run now, once; cycle 1 healthy"


@row("1, 9", "stabilize has ended durably, the first test was not begun")
def next_not_begun(loop):
    loop.write("test-seconds", "2")
    folder = reach(loop, "test-1-alpha")
    end_everything(loop)
    empty(folder)
    folder.rmdir()
    forget_effect(loop, "test-1-alpha")
    loop.write("test-seconds", "0.05")
    loop.start()
    finish(loop)
    check(runs(loop, "deploy-1") == 1 and runs(loop, "test-1-alpha") == 1, f"effects: {loop.effects()}")
    return "test-1-alpha was run now, once, without a second deploy; cycle 1 healthy"


@row("2", "the folder of a deploy is made, no shepherd was launched")
def no_claim(loop):
    folder = reach(loop, "deploy-1")
    end_everything(loop)
    empty(folder)
    forget_effect(loop, "deploy-1")
    loop.start()
    document = finish(loop)
    claim = json.loads((folder / "claim").read_text().splitlines()[0])
    check(claim["by"] == "fence", f"the claim of deploy-1 is by {claim['by']}")
    check(stage(document, "deploy", 1)["outcome"] == "neverRan", "deploy-1 is not neverRan")
    check(runs(loop, "deploy-1") == 0 and runs(loop, "deploy-2") == 1, f"effects: {loop.effects()}")
    return "deploy-1 fenced and neverRan, deploy-2 ran though deploy.attempts is 1; cycle 1 healthy"


def stop_shepherd_early(loop):
    """Stops (SIGSTOP) a shepherd of cycle 1's deploy before it claims; answers its pid, or None where it was faster."""
    seen = {process.pid for process in processes()}
    daemon = loop.start().pid
    folder = loop.cycle_folder(1) / "deploy-1"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) in seen:
                continue
            process = Process(int(name))
            if process.parent() != daemon or b"__shepherd" not in process.read("cmdline"):
                continue
            os.kill(process.pid, signal.SIGSTOP)
            wait_for(2, lambda: process.state() in "TZ", "the shepherd stopped")
            if folder.exists() and not (folder / "claim").exists():
                return process.pid
            os.kill(process.pid, signal.SIGCONT)
            return None
    raise Failure("no shepherd was seen")


def kill_daemon_of(loop, late):
    """Kills the daemon and keeps its shepherd stopped; answers whether that one has still not claimed."""
    loop.kill()
    # The kernel continues the stopped members of a process group that lost its parent, so once is not enough.
    while loop.process.poll() is None:
        os.kill(late, signal.SIGSTOP)
    for _ in range(20):
        os.kill(late, signal.SIGSTOP)
    wait_for(2, lambda: Process(late).state() in "TZ", "the shepherd stopped again")
    return not (loop.cycle_folder(1) / "deploy-1" / "claim").exists()


@row("3", "a shepherd is launched and has not claimed (stopped by SIGSTOP), goes on after the restart")
def late_shepherd(loop):
    for _ in range(30):
        late = stop_shepherd_early(loop)
        if late and kill_daemon_of(loop, late):
            break
        end_everything(loop)
        loop.remove()
        loop.__init__(loop.nightjar, loop.folder)
    else:
        raise Failure("no shepherd could be kept from its claim in 30 attempts")
    loop.start()
    wait_for(15, lambda: runs(loop, "deploy-2"), "deploy-2")
    os.kill(late, signal.SIGCONT)
    wait_for(5, lambda: Process(late).state() in "Z", "the end of the late shepherd")
    document = finish(loop)
    check(stage(document, "deploy", 1)["outcome"] == "neverRan", "deploy-1 is not neverRan")
    check(runs(loop, "deploy-1") == 0 and runs(loop, "deploy-2") == 1, f"effects: {loop.effects()}")
    said = (loop.cycle_folder(1) / "deploy-1" / "shepherd.log").read_text().strip()
    return f"deploy-1 fenced, deploy-2 ran; the late shepherd ended without running anything (\"{said.split('/')[0]}…\")"


@row("4", "claimed, the command just spawned: killed as soon as the claim appears")
def just_claimed(loop):
    loop.start()
    claim = loop.cycle_folder(1) / "deploy-1" / "claim"
    wait_for(10, claim.exists, "the claim")
    loop.kill()
    loop.wait()
    loop.start()
    document = finish(loop)
    recovery = stage(document, "deploy").get("recovery") or ""
    check("re-attached to shepherd" in recovery, f"recovery: {recovery}")
    check(runs(loop, "deploy-1") == 1, f"effects: {loop.effects()}")
    return f"{recovery}; cycle 1 healthy"


@row("5", "the deploy runs, the daemon dies and comes back")
def running_deploy(loop):
    loop.write("deploy-seconds", "1.5")
    reach(loop, "deploy-1")
    time.sleep(0.3)
    loop.kill()
    loop.wait()
    loop.start()
    document = finish(loop)
    recovery = stage(document, "deploy").get("recovery") or ""
    check("re-attached to shepherd" in recovery, f"recovery: {recovery}")
    took = stage(document, "deploy")["commands"][0]["durationSeconds"]
    check(took >= 1.4, f"the command took {took} s")
    check(runs(loop, "deploy-1") == 1, f"effects: {loop.effects()}")
    return f"{recovery}, its 1.5 s were not cut; cycle 1 healthy"


@row("5", "the deploy runs; at the restart its secret is gone, its permit says no and its limit is shorter")
def changed_settings(loop):
    loop.write("token", "sesame-1234")
    loop.settings["secrets"] = {"TOKEN": {"fromFile": "token"}}
    loop.settings["deploy"]["command"] = {"command": loop.settings["deploy"]["command"], "secrets": ["TOKEN"]}
    loop.save()
    loop.write("deploy-seconds", "2")
    reach(loop, "deploy-1")
    loop.kill()
    loop.wait()
    (loop.folder / "token").unlink()
    loop.settings["deploy"].update(permit={"shell": "echo no; exit 75"}, timeout="1s")
    loop.save()
    loop.start()
    document = finish(loop)
    deploy = stage(document, "deploy")
    check("re-attached to shepherd" in (deploy.get("recovery") or ""), f"recovery: {deploy.get('recovery')}")
    check([command["role"] for command in deploy["commands"]] == ["main"], "the permit was asked beside the deploy")
    check(deploy["commands"][0]["durationSeconds"] >= 1.9, f"the deploy was cut: {deploy['commands'][0]}")
    check(runs(loop, "deploy-1") == 1 and runs(loop, "deploy-2") == 0, f"effects: {loop.effects()}")
    return f"{deploy['recovery']}; neither asked again nor cut; cycle 1 healthy"


@row("13", "the daemon is killed in a deploy; another loop of the same environment begins")
def shared_environment(loop):
    loop.settings["loop"]["environment"] = f"shared-{os.getpid()}"
    loop.save()
    loop.write("deploy-seconds", "3")
    reach(loop, "deploy-1")
    loop.kill()
    loop.wait()
    check(loop.shepherds(), "the deploy does not go on")
    loop.settings["state"] = "elsewhere"
    loop.save()
    loop.start()
    log = loop.folder / "elsewhere" / loop.name / "cycle.log"
    wait_for(10, lambda: log.exists() and "another run is at work there" in log.read_text(), "the second deploy is kept out")
    check(runs(loop, "deploy-1") == 1, f"effects: {loop.effects()}")
    return "the deploy of the second was not started beside that of the first"


@row("6", "the shepherd ends while no daemon is there")
def ended_alone(loop):
    loop.write("deploy-seconds", "0.5")
    folder = reach(loop, "deploy-1")
    loop.kill()
    loop.wait()
    wait_for(5, lambda: (folder / "result.json").exists() and not loop.shepherds(), "the result")
    loop.start()
    document = finish(loop)
    recovery = stage(document, "deploy").get("recovery")
    check(recovery == "finished while the daemon was away", f"recovery: {recovery}")
    check(runs(loop, "deploy-1") == 1, f"effects: {loop.effects()}")
    return f"{recovery}: the result was read, nothing repeated; cycle 1 healthy"


@row("7", "a test's result was read, stageEnded did not become durable")
def end_not_durable(loop):
    # `after` runs when the report has been read, and before the stage ends.
    loop.settings["suites"][0]["after"] = {"command": ["sleep", "0.5"]}
    loop.save()
    loop.start()
    wait_for(15, (loop.cycle_folder(1) / "test-1-alpha.after" / "claim").exists, "the command after alpha")
    check((loop.cycle_folder(1) / "test-1-alpha" / "report.xml").exists(), "the report was not read yet")
    loop.kill()
    loop.wait()
    loop.start()
    document = finish(loop)
    tests = [s for s in document["stages"] if s["run"]["kind"] == "test"]
    check([t["outcome"] for t in tests] == ["succeeded"] * 2, f"tests: {[(t['outcome'], t['summary']) for t in tests]}")
    check(runs(loop, "test-1-alpha") == 1 and runs(loop, "test-1-beta") == 1, f"effects: {loop.effects()}")
    return f"result and report were read again ({tests[0].get('recovery')}), nothing was run again; cycle 1 healthy"


@row("8", "shepherd and daemon killed in a deploy whose effect is seen")
def lost_with_effect(loop):
    loop.script("deploy.sh", (loop.folder / "deploy.sh").read_text() + "sleep 5\n")
    reach(loop, "deploy-1")
    wait_for(5, lambda: (loop.folder / "live").read_text() == "good-1", "the effect")
    end_everything(loop)
    loop.start()
    document = finish(loop)
    check(stage(document, "deploy")["outcome"] == "lost", "deploy-1 is not lost")
    check(runs(loop, "deploy-1") == 1 and runs(loop, "deploy-2") == 0, f"effects: {loop.effects()}")
    check("effect seen, result lost" in loop.log(), "the log does not say so")
    return "lost; good-1 is live: \"effect seen, result lost\", went to stabilize, no second deploy; cycle 1 healthy"


@row("8", "shepherd and daemon killed in a deploy without effect")
def lost_without_effect(loop):
    loop.write("deploy-seconds", "5")
    reach(loop, "deploy-1")
    end_everything(loop)
    loop.write("deploy-seconds", "0.1")
    loop.start()
    document = finish(loop)
    check(stage(document, "deploy")["outcome"] == "lost", "deploy-1 is not lost")
    check(runs(loop, "deploy-2") == 1 and runs(loop, "deploy-3") == 0, f"effects: {loop.effects()}")
    return "lost; none is live: deploy-2 within the budget; cycle 1 healthy"


@row("8", "shepherd and daemon killed in a deploy, and the live revision is unreadable")
def lost_and_unreadable(loop):
    loop.write("deploy-seconds", "5")
    reach(loop, "deploy-1")
    end_everything(loop)
    (loop.folder / "live").unlink()
    loop.write("wanted", "good-1")
    loop.start()
    wait_for(20, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    document = loop.document(1)
    check(document["verdict"] == "unproven" and document["recommendation"] == "hold", f"{document['verdict']}")
    check(runs(loop, "deploy-2") == 0, f"effects: {loop.effects()}")
    loop.kill(signal.SIGTERM)
    loop.wait()
    return "unproven, hold, nothing repeated"


@row("8", "the shepherd of a test is killed under a living daemon")
def lost_test(loop):
    loop.write("test-seconds", "3")
    reach(loop, "test-1-alpha")
    loop.write("test-seconds", "0.05")
    for pids in loop.shepherds().values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    document = finish(loop)
    outcomes = [s["outcome"] for s in document["stages"] if s["run"].get("subject") == "alpha"]
    check(outcomes == ["lost", "succeeded"], f"outcomes of alpha: {outcomes}")
    check(not loop.cookies(), "the command of the dead shepherd lives on")
    return "lost, what it left was swept by its cookie, repeated as test-2-alpha; cycle 1 healthy"


@row("10", "cycleSealed is not durable, SHA256SUMS is there")
def seal_not_durable(loop):
    return sealed_again(loop, [])


@row("10", "cycleSealed is not durable, neither cycle.json nor SHA256SUMS are there")
def nothing_written(loop):
    return sealed_again(loop, ["cycle.json", "SHA256SUMS", "report.md", "report.html"])


def sealed_again(loop, missing):
    loop.settings["schedule"]["every"] = "1h"
    loop.save()
    loop.start()
    wait_for(20, lambda: (loop.cycle_folder(1) / "report.html").exists(), "the report of cycle 1")
    loop.kill()
    loop.wait()
    before = {name: (loop.cycle_folder(1) / name).read_bytes() for name in ("cycle.json", "SHA256SUMS")}
    cut_journal(loop, lambda e: e["kind"] == "stageEnded")
    for name in missing:
        (loop.cycle_folder(1) / name).unlink()
    loop.start()
    wait_for(10, lambda: 1 in loop.sealed(), "cycle 1 sealed again")
    finish(loop)
    for name, data in before.items():
        check((loop.cycle_folder(1) / name).read_bytes() == data, f"{name} has other bytes than before")
    index = (loop.state / "index.jsonl").read_text().splitlines()
    check(sum(json.loads(line)["cycle"] == 1 for line in index) == 1, f"{len(index)} index lines")
    return "written again from the journal with the same bytes, then cycleSealed; one line in the index"


@row("11", "sealed; latest, reports and the index line are missing")
def not_published(loop):
    loop.settings["schedule"]["every"] = "1h"
    loop.save()
    loop.start()
    names = [loop.cycle_folder(1) / "report.md", loop.cycle_folder(1) / "report.html", loop.state / "latest"]
    wait_for(20, lambda: all(name.exists() for name in names), "the reports of cycle 1")
    loop.kill()
    loop.wait()
    for name in names + [loop.state / "index.jsonl"]:
        name.unlink()
    (loop.folder / "wanted").unlink()
    loop.start()
    wait_for(10, lambda: all(name.exists() for name in names), "latest and reports again")
    loop.stop()
    status, listed = loop.run("cycles", "--json")
    check(status == 0 and '"cycle":1' in listed.replace(" ", ""), f"cycles ended with {status}: {listed}")
    check(os.readlink(loop.state / "latest") == "cycles/000001", "latest points elsewhere")
    audit(loop)
    return "latest, report.md and report.html made again; cycles lists #1"


@row("12", "the claim and the result of a test are garbage")
def garbage(loop):
    loop.write("test-seconds", "2")
    folder = reach(loop, "test-1-alpha")
    end_everything(loop)
    loop.write("test-seconds", "0.05")
    (folder / "claim").write_bytes(b"\0" * 64)
    (folder / "result.json").write_bytes(b'{"version":1,"outco')
    loop.start()
    document = finish(loop)
    alpha = [s for s in document["stages"] if s["run"].get("subject") == "alpha"]
    check([s["outcome"] for s in alpha] == ["lost", "succeeded"], f"outcomes of alpha: {[s['outcome'] for s in alpha]}")
    check("result.json" in alpha[0]["summary"], f"the reason does not name the file: {alpha[0]['summary']}")
    return "lost, the reason names result.json; repeated; cycle 1 healthy"


@row("12", "the result of a deploy is garbage, its effect is seen")
def garbage_deploy(loop):
    loop.script("deploy.sh", (loop.folder / "deploy.sh").read_text() + "sleep 5\n")
    folder = reach(loop, "deploy-1")
    wait_for(5, lambda: (loop.folder / "live").read_text() == "good-1", "the effect")
    end_everything(loop)
    (folder / "result.json").write_bytes(b"")
    loop.start()
    document = finish(loop)
    check(stage(document, "deploy")["outcome"] == "lost" and runs(loop, "deploy-2") == 0, f"{loop.effects()}")
    return "lost, never success; the live revision decided; cycle 1 healthy"


@row("13", "a second daemon on the same loop")
def second_daemon(loop):
    loop.write("deploy-seconds", "1")
    reach(loop, "deploy-1")
    before = len(loop.journal())
    done = subprocess.run(
        [loop.nightjar, "run", "--config", "nightjar.json5"], cwd=loop.folder, capture_output=True, timeout=20)
    said = done.stderr.decode().strip()
    check(done.returncode == 7, f"it ended with {done.returncode}: {said}")
    check(str(loop.process.pid) in said, f"the owner {loop.process.pid} is not named: {said}")
    check(len(loop.journal()) >= before, "the journal was touched")
    finish(loop)
    return f"exit 7: {said.splitlines()[-1]}"


def main():
    names = sys.argv[1:]
    failed = 0
    for number, done, function in ROWS:
        if names and not any(name in (function.__name__, *number.split(", ")) for name in names):
            continue
        loop = Loop(binary())
        try:
            print(f"   row {number}: {done}\n      -> {function(loop)}", flush=True)
            loop.remove()
        except Failure as failure:
            failed += 1
            print(f"   row {number}: {done}\n      FAILED: {failure}; evidence in {loop.folder}", flush=True)
            if loop.process and loop.process.poll() is None:
                loop.process.kill()
    sys.exit(1 if failed else 0)


main()
