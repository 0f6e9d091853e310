#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon's manners: signals, reloading, locks, control socket, service manager.

    NIGHTJAR=path/to/nightjar python3 daemon.py [NAME...]

Each story prints one line; ends with 0 where all held.
"""

import json
import os
import signal
import socket
import subprocess
import time

from harness import Loop, audit, check, wait_for
from stories import begun, story, tell_all


def kinds(loop):
    return [entry["kind"] for entry in loop.journal()]


# Signals


@story
def sigterm_waits_for_a_deploy(loop):
    """SIGTERM during a deploy that ends within stopGrace: the daemon waits, the cycle is interrupted."""
    loop.write("deploy-seconds", "1")
    loop.start()
    begun(loop, 1, "deploy-1")
    began = time.monotonic()
    status = loop.stop()
    check(status == 0, f"run ended with {status}")
    check(loop.effects() == ["deploy good-1 1 deploy-1"], f"effects: {loop.effects()}")
    check((loop.folder / "live").read_text() == "good-1", "the deploy was cut")
    check(loop.document(1)["verdict"] == "interrupted", loop.document(1)["verdict"])
    return f"waited {time.monotonic() - began:.1f} s for the deploy, cycle 1 interrupted, exit 0"


@story
def sigterm_detaches_from_a_long_deploy(loop):
    """SIGTERM during a deploy longer than stopGrace: detached; the next start takes it over."""
    loop.settings["loop"]["stopGrace"] = "500ms"
    loop.save()
    loop.write("deploy-seconds", "3")
    loop.start()
    begun(loop, 1, "deploy-1")
    began = time.monotonic()
    status = loop.stop()
    waited = time.monotonic() - began
    check(status == 0 and 0.4 < waited < 2, f"run ended with {status} after {waited:.1f} s")
    check(loop.shepherds(), "no shepherd goes on")
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    document = loop.document(1)
    deploy = document["stages"][0]
    check(document["verdict"] == "healthy", f"{document['verdict']}: {document['reasons']}")
    check("re-attached" in (deploy.get("recovery") or ""), f"recovery: {deploy.get('recovery')}")
    check(deploy["commands"][0]["durationSeconds"] > 2.9, "the deploy was cut")
    check(loop.effects().count("deploy good-1 1 deploy-1") == 1, "it was deployed twice")
    check(loop.stop() == 0, "the second daemon did not end with 0")
    return f"detached after {waited:.1f} s, {deploy['recovery']}, cycle 1 healthy"


@story
def sigterm_reads_a_deploy_that_ended(loop):
    """As before, and the deploy ends while no daemon is there."""
    loop.settings["loop"]["stopGrace"] = "100ms"
    loop.save()
    loop.write("deploy-seconds", "1")
    loop.start()
    begun(loop, 1, "deploy-1")
    check(loop.stop() == 0, "exit status")
    wait_for(5, lambda: not loop.shepherds(), "the shepherd ended")
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    recovery = loop.document(1)["stages"][0].get("recovery")
    check(recovery == "finished while the daemon was away", f"recovery: {recovery}")
    check(loop.effects().count("deploy good-1 1 deploy-1") == 1, "it was deployed twice")
    loop.stop()
    return recovery


@story
def sigterm_cancels_tests(loop):
    """SIGTERM during tests: they are cancelled, the cycle is interrupted, exit 0; the next start begins a new one."""
    loop.write("test-seconds", "8")
    loop.start()
    begun(loop, 1, "test-1-alpha")
    began = time.monotonic()
    status = loop.stop()
    took = time.monotonic() - began
    check(status == 0 and took < 4, f"run ended with {status} after {took:.1f} s")
    document = loop.document(1)
    check(document["verdict"] == "interrupted", document["verdict"])
    check(not loop.cookies(), "the test lives on")
    check("test-1-beta" not in " ".join(loop.effects()), "the next suite was begun")
    loop.write("test-seconds", "0.05")
    loop.start()
    wait_for(15, lambda: 2 in loop.sealed(), "cycle 2 sealed")
    check(loop.document(2)["verdict"] == "healthy", loop.document(2)["verdict"])
    loop.stop()
    audit(loop)
    return f"ended in {took:.1f} s, cycle 1 interrupted, cycle 2 healthy"


@story
def second_sigterm_ends_at_once(loop):
    """A second SIGTERM: ends at once, whatever runs; the next start takes it over."""
    loop.settings["loop"]["stopGrace"] = "30s"
    loop.save()
    loop.write("deploy-seconds", "2")
    loop.start()
    begun(loop, 1, "deploy-1")
    loop.kill(signal.SIGTERM)
    time.sleep(0.3)
    check(loop.process.poll() is None, "the first SIGTERM did not wait")
    began = time.monotonic()
    loop.kill(signal.SIGTERM)
    status = loop.wait(5)
    took = time.monotonic() - began
    check(status == 0 and took < 1, f"run ended with {status} after {took:.1f} s")
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    check(loop.document(1)["verdict"] == "healthy", loop.document(1)["verdict"])
    loop.stop()
    return f"ended after {took * 1000:.0f} ms, the deploy went on and was taken over, cycle 1 healthy"


@story
def second_sigterm_in_tests(loop):
    """A test that ignores SIGTERM, and two SIGTERMs: ends at once; the next start runs the test again."""
    loop.script("suite.sh", "#!/bin/sh\ntrap '' TERM\n" + (loop.folder / "suite.sh").read_text())
    loop.write("test-seconds", "1.5")
    loop.start()
    begun(loop, 1, "test-1-alpha")
    loop.kill(signal.SIGTERM)
    time.sleep(0.3)
    loop.kill(signal.SIGTERM)
    check(loop.wait(3) == 0, "exit status")
    loop.start()
    wait_for(25, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    check(loop.document(1)["verdict"] == "healthy", f"{loop.document(1)['verdict']}: {loop.document(1)['reasons']}")
    loop.stop(30)
    outcomes = [s["outcome"] for s in loop.document(1)["stages"] if s["run"].get("subject") == "alpha"]
    return f"alpha: {outcomes}, cycle 1 healthy"


# Reloading


@story
def sighup_reloads(loop):
    """SIGHUP: a valid configuration counts from the next cycle on, a broken one is refused loudly."""
    loop.write("test-seconds", "0.5")
    loop.start()
    begun(loop, 1, "test-1-alpha")
    loop.settings["suites"].pop()
    loop.save()
    loop.kill(signal.SIGHUP)
    wait_for(5, lambda: "in force from the next cycle" in loop.log(), "the line about the new configuration")
    wait_for(15, lambda: 2 in loop.sealed(), "cycle 2 sealed")
    names = [[suite["name"] for suite in loop.document(number)["suites"]] for number in (1, 2)]
    check(names == [["alpha", "beta"], ["alpha"]], f"suites of cycles 1 and 2: {names}")
    loop.write("nightjar.json5", '{ loop: { name: "chaos", mode: "oparate" } }')
    loop.kill(signal.SIGHUP)
    wait_for(5, lambda: "refused, the old configuration stays" in loop.log(), "the refusal")
    line = next(line for line in loop.log().splitlines() if "refused" in line)
    check("oparate" in line and "operate" in line, f"the refusal names neither what was found nor what is allowed: {line}")
    after = len(loop.sealed())
    wait_for(15, lambda: len(loop.sealed()) > after + 1, "cycles go on")
    check(loop.process.poll() is None, "the daemon ended")
    # What the daemon runs by must be known to the commands that find it.
    loop.save()
    check(loop.stop() == 0, "exit status")
    audit(loop)
    return line[26:].strip()[:110]


@story
def sighup_moves_the_window(loop):
    """SIGHUP with another window closes the loop and opens it again; a start without a window opens it, too."""
    # It opens a week from now at the earliest, whenever this runs.
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    yesterday = days[(time.gmtime().tm_wday - 1) % 7]
    closed = {"from": "11:00", "to": "11:01", "timeZone": "UTC", "days": [yesterday]}
    loop.settings["schedule"]["window"] = closed
    loop.save()
    loop.start()
    wait_for(5, lambda: "window    closed until" in loop.log(), "the window is closed")
    time.sleep(0.5)
    check(not loop.effects(), "a cycle began outside the window")
    loop.kill()
    loop.wait()
    del loop.settings["schedule"]["window"]
    loop.save()
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "a cycle without a window")
    loop.settings["schedule"]["window"] = closed
    loop.save()
    loop.kill(signal.SIGHUP)
    wait_for(20, lambda: loop.log().count("window    closed until") == 2, "the window is closed by SIGHUP")
    loop.stop()
    return "closed, open without one, closed by SIGHUP within 15 s"


# Several daemons and loops


def other(loop, name, **settings):
    """A second configuration in a folder of its own."""
    folder = loop.folder / name
    folder.mkdir()
    second = Loop(loop.nightjar, folder, name=name)
    for key, value in settings.items():
        second.settings["loop"][key] = value
    second.save()
    return second


@story
def one_environment(loop):
    """Two daemons with other loops and state folders on one environment: the second exits 7 and names the owner."""
    environment = f"shared-{os.getpid()}"
    loop.settings["loop"]["environment"] = environment
    loop.save()
    loop.start()
    begun(loop, 1, "deploy-1")
    second = other(loop, "second", environment=environment)
    status, said = second.run("run", timeout=20)
    check(status == 7, f"it ended with {status}: {said}")
    check(f"process {loop.process.pid} " in said and environment in said, f"the owner is not named: {said}")
    check(not second.effects(), "it ran something")
    named = other(loop, environment)
    status, said = named.run("run", "--max-cycles", "1", timeout=20)
    check(status == 7, f"a loop whose name is that environment ended with {status}: {said}")
    loop.stop()
    status, _ = second.run("run", "--max-cycles", "1", timeout=20)
    check(status == 0, f"after the owner's end it ended with {status}")
    return said.strip().splitlines()[-1][:150]


@story
def state_taken_away(loop):
    """The state folder is moved away: the daemon says so, begins nothing any more and ends with 5."""
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    (loop.folder / "state").rename(loop.folder / "moved")
    status = loop.wait(20)
    check(status == 5, f"run ended with {status}")
    said = (loop.folder / "daemon.log").read_text()
    problem = [line for line in said.splitlines() if line.startswith("nightjar: ")]
    check(len(problem) == 1 and "removed, moved or replaced" in problem[0], f"standard error: {said[-400:]}")
    log = (loop.folder / "moved" / loop.name / "cycle.log").read_text()
    check("nothing is deployed or tested any more" in log, f"the log: {log[-400:]}")
    check(not (loop.folder / "state").exists(), "the state folder was made again")
    (loop.folder / "moved").rename(loop.folder / "state")
    loop.start()
    wait_for(15, lambda: len(loop.sealed()) > 1, "a cycle after the folder came back")
    check(loop.stop() == 0, "exit status")
    audit(loop)
    return problem[0][10:120]


@story
def sighup_keeps_the_locks(loop):
    """SIGHUP with another environment is refused: the lock stays on the old one."""
    environments = [f"first-{os.getpid()}", f"second-{os.getpid()}"]
    loop.settings["loop"]["environment"] = environments[0]
    loop.save()
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1 sealed")
    loop.settings["loop"]["environment"] = environments[1]
    loop.save()
    loop.kill(signal.SIGHUP)
    wait_for(5, lambda: "refused, the old configuration stays" in loop.log(), "the refusal")
    line = next(line for line in loop.log().splitlines() if "refused" in line)
    check(environments[1] in line and "restart" in line, f"the refusal: {line}")
    second = other(loop, "second", environment=environments[1])
    status, said = second.run("run", "--max-cycles", "1", timeout=30)
    check(status == 0, f"the other environment is not free: {said}")
    loop.stop()
    return line[26:].strip()[:150]


@story
def two_loops(loop):
    """Two loops in one daemon: a hanging deploy of the one does not delay the other."""
    loop.settings["deploy"]["timeout"] = "10m"
    loop.save()
    loop.settings["deploy"]["timeout"] = "10m"
    loop.save()
    loop.write("deploy-seconds", "600")
    second = other(loop, "lively")
    loop.process = subprocess.Popen(
        [loop.nightjar, "run", "nightjar.json5", "lively/nightjar.json5"], cwd=loop.folder, stdin=subprocess.DEVNULL,
        stdout=open(loop.folder / "daemon.log", "ab"), stderr=subprocess.STDOUT, env=loop.environment)
    begun(loop, 1, "deploy-1")
    began = time.monotonic()
    wait_for(30, lambda: len(second.sealed()) >= 5, "five cycles of the other loop")
    took = time.monotonic() - began
    check(len(loop.effects()) == 1 and not loop.sealed(), "the hanging loop went on")
    status = loop.stop()
    check(status == 0, f"exit {status}")
    check(loop.shepherds(), "the hanging deploy was ended")
    audit(second)
    return f"5 cycles in {took:.1f} s beside a hanging deploy; SIGTERM: exit 0, the deploy left to its shepherd"


# The control socket


@story
def steering(loop):
    """pause, resume, trigger, skip, abort, stop and their words in log and journal."""
    def tell(*words, status=0):
        code, said = loop.run(*words)
        check(code == status, f"{' '.join(words)} ended with {code}: {said}")
        return said

    loop.settings["schedule"]["every"] = "1h"
    loop.save()
    code, said = loop.run("pause", "-m", "nobody there")
    check(code == 6, f"pause without a daemon ended with {code}: {said}")
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1")
    tell("pause", "-m", "database upgrade", "--for", "1h", "--by", "ana")
    wait_for(2, lambda: "by ana: database upgrade" in loop.log(), "the pause in cycle.log")
    said = loop.run("status")[1]
    check("ana" in said and "database upgrade" in said, f"status does not tell of the pause: {said}")
    # The pause holds over a kill.
    loop.kill()
    loop.wait()
    loop.start()
    wait_for(5, lambda: loop.ask(verb="ping", by="check"), "the daemon listens")
    time.sleep(0.5)
    check(loop.sealed() == [1] and len(loop.effects()) == 3, "the pause was forgotten by the restart")
    tell("resume", "--by", "ben")
    wait_for(15, lambda: 2 in loop.sealed(), "cycle 2 after resume")
    tell("trigger", "--by", "cleo")
    wait_for(15, lambda: 3 in loop.sealed(), "cycle 3 by trigger")
    loop.write("test-seconds", "20")
    tell("trigger")
    begun(loop, 4, "test-1-alpha")
    loop.write("test-seconds", "0.05")
    tell("skip", "--by", "dora")
    wait_for(15, lambda: 4 in loop.sealed(), "cycle 4")
    alpha = next(suite for suite in loop.document(4)["suites"] if suite["name"] == "alpha")
    check(loop.document(4)["verdict"] == "unproven", f"a skipped P0 suite is {loop.document(4)['verdict']}")
    loop.write("test-seconds", "20")
    tell("trigger")
    begun(loop, 5, "test-1-alpha")
    loop.write("test-seconds", "0.05")
    tell("abort", "-m", "wrong revision", "--by", "emil")
    wait_for(15, lambda: 5 in loop.sealed(), "cycle 5")
    check(loop.document(5)["verdict"] == "interrupted", loop.document(5)["verdict"])
    check("wrong revision" in json.dumps(loop.document(5)["reasons"]), "the reason of the abort is not kept")
    check(loop.process.poll() is None, "abort ended the daemon")
    tell("stop", "--by", "finn")
    check(loop.wait() == 0, "exit status after stop")
    requests = [(e["verb"], e["by"]) for e in loop.journal() if e["kind"] == "operatorRequested"]
    audit(loop)
    return f"journal has {requests}; skipped alpha is {alpha['status']}"


@story
def pause_expires(loop):
    """A pause ends by itself, also when the daemon was killed meanwhile."""
    loop.settings["schedule"]["every"] = "50ms"
    loop.save()
    loop.start()
    wait_for(15, lambda: 1 in loop.sealed(), "cycle 1")
    code, said = loop.run("pause", "-m", "short", "--for", "4s")
    check(code == 0, said)
    # The cycle under way is finished first.
    folders = lambda: len(list((loop.state / "cycles").iterdir()))
    wait_for(10, lambda: len(loop.sealed()) == folders(), "the loop is quiet")
    loop.kill()
    loop.wait()
    before = len(loop.sealed())
    loop.start()
    time.sleep(0.5)
    check(len(loop.sealed()) == before, "the pause was forgotten")
    wait_for(10, lambda: len(loop.sealed()) > before, "cycles after the pause")
    check("has ended" in loop.log(), "the log does not tell of the end")
    loop.stop()
    return "held over a kill, ended by itself"


@story
def garbage_on_the_socket(loop):
    """Garbage, silence and half requests on the control socket."""
    loop.start()
    wait_for(5, lambda: loop.ask(verb="ping", by="check"), "the daemon listens")
    replies = []
    for data in (b"\n", b"{}\n", b"\xff" * 100 + b"\n", b'{"verb":"explode","by":"x"}\n', b"x" * 100000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(10)
            peer.connect(str(loop.state / "control.sock"))
            try:
                peer.sendall(data)
                reply = json.loads(peer.makefile("rb").readline())
                check(reply["ok"] is False, f"{data[:20]} was taken: {reply}")
                replies.append(reply["message"])
            except (BrokenPipeError, ConnectionResetError):
                replies.append("closed")
    silent = socket.socket(socket.AF_UNIX)
    silent.connect(str(loop.state / "control.sock"))
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(loop.state / "control.sock"))
        peer.sendall(b'{"verb":"ping","by":"x"}\n')
        check(json.loads(peer.makefile("rb").readline())["ok"], "ping was refused")
    behind = time.monotonic() - began
    silent.close()
    check(oct((loop.state / "control.sock").stat().st_mode & 0o777) == "0o600", "the socket is open to others")
    loop.stop()
    return f"{len(replies)} kinds refused ({replies[0]}); a silent client holds others for {behind:.1f} s"


@story
def service_manager(loop):
    """READY, WATCHDOG and STOPPING arrive at NOTIFY_SOCKET."""
    path = str(loop.folder / "notify")
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(path)
    receiver.settimeout(0.2)
    said = []

    def heard(word):
        try:
            said.append(receiver.recv(4096).decode())
        except TimeoutError:
            pass
        return any(word in message for message in said)

    loop.start(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000", WATCHDOG_PID="")
    wait_for(10, lambda: heard("READY=1"), "READY=1")
    wait_for(10, lambda: heard("WATCHDOG=1") and sum("WATCHDOG" in m for m in said) >= 5, "five WATCHDOG=1")
    environ = b""
    begun(loop, 1, "deploy-1")
    for process in loop.cookies():
        environ += process.read("environ")
    check(b"NOTIFY_SOCKET" not in environ, "commands of stages can speak to the service manager")
    loop.kill(signal.SIGTERM)
    wait_for(10, lambda: heard("STOPPING=1"), "STOPPING=1")
    loop.wait()
    return f"{said[0]!r}, {sum('WATCHDOG' in m for m in said)} x WATCHDOG=1, STOPPING=1"


tell_all()
