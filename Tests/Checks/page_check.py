# SPDX-License-Identifier: Apache-2.0
"""The status page over real loops: what it says in each state, that it follows, and what it needs of the system."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import page_browser
from harness import Failure, check, wait_for
from page import Scenes, document, events, get


def states(scenes, base):
    """Every loop is shown as what it is."""
    _, _, page = get(base + "/")
    for name, words in {
        "shop": ["GREEN", "nothing"], "api": ["RED", "why:"], "files": ["GRAY", "unproven"], "web": ["test"],
        "mail": ["paused", "nightjar resume"], "old": ["not running, last known", "nightjar run"],
        "fresh": ["NO VERDICT YET", "no cycle is finished yet"],
    }.items():
        _, _, own = get(f"{base}/loops/{name}")
        for word in words:
            check(word in own, f"the page of {name} does not say '{word}'")
        check(f'href="/loops/{name}"' in page, f"the overview does not link {name}")
    check(page.count("<script") == 1, "the overview has a script that is not ours")
    loops = {loop["name"]: loop for loop in document(base + "/api/v1/loops")["loops"]}
    check(set(loops) == set(scenes.loops), f"the interface has {sorted(loops)}")
    for name in ("shop", "api", "old"):
        _, said = scenes.loops[name].run("status", "--json")
        check(f'"verdict" : "{loops[name]["status"]["verdict"]}"' in said, f"status of {name} says something else")
    status, _, text = get(base + "/healthz")
    check(status == 503 and "old: not running" in text and "shop: moving" in text, f"healthz: {status} {text}")
    check(get(base + "/healthz?loop=shop")[0] == 200, "shop is well")
    check(get(base + "/readyz")[0] == 200, "the page is ready")
    return "seven loops are shown as what they are"


def cycles(scenes, base):
    """Cycle pages link every evidence file, and each link works."""
    newest = document(base + "/api/v1/loops/shop/cycles?limit=2")
    check(len(newest["cycles"]) == 2 and newest["next"], f"two cycles and a next page: {newest}")
    number = newest["cycles"][0]["cycle"]
    raw = (scenes.loops["shop"].cycle_folder(number) / "cycle.json").read_text()
    check(get(f"{base}/api/v1/loops/shop/cycles/{number}")[2] == raw, "cycle.json comes byte for byte")
    _, _, page = get(f"{base}/loops/shop/cycles/{number}")
    links = sorted(set(re.findall(r'href="(/loops/shop/cycles/\d+/files/[^"]+)"', page)))
    check(len(links) > 10, f"{len(links)} links to evidence")
    for link in links:
        status, fields, _ = get(base + link)
        check(status == 200, f"{link} answers {status}")
        check(fields["X-Content-Type-Options"] == "nosniff", f"{link} could be sniffed")
        check("sandbox" in fields["Content-Security-Policy"], f"{link} could run")
    return f"{len(links)} evidence files of cycle {number} are served"


def live(scenes, base):
    """What happens is on the page within seconds, without asking again."""
    loop = scenes.loops["mail"]
    wait_for(30, lambda: "doing    paused" in loop.run("status")[1], "the end of the cycle under way")
    known = len(loop.sealed())
    threading.Timer(0.5, lambda: loop.run("resume")).start()
    took = events(f"{base}/events?loop=mail", 20, f"cycle {known + 1}")
    loop.kill(signal.SIGKILL)
    loop.wait()
    events(f"{base}/events?loop=mail", 20, "not running")
    check(get(base + "/healthz?loop=mail")[0] == 503, "a killed daemon is not well")
    return f"a resumed loop's next cycle was on the page {took:.1f} s later; a killed daemon as well"


def refusals(scenes):
    """An open address wants a token; a token has a form."""
    nightjar, folder = scenes.nightjar, scenes.folder
    (folder / "short").write_text("abc\n")

    def serve(*words):
        done = subprocess.run([nightjar, "serve", str(scenes.loops["fresh"].folder / "nightjar.json5"), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=20, cwd=folder)
        return done.returncode, done.stderr.decode()

    for words, hint in (
        (["--listen", "0.0.0.0:0"], "--token-file"), (["--listen", "[::]:0"], "--token-file"),
        (["--listen", "nowhere"], "127.0.0.1:8787"), (["--token-file", "short"], "openssl rand"),
        (["--token-file", "missing"], "missing"),
    ):
        status, said = serve(*words)
        check(status == 2 and hint in said, f"serve {' '.join(words)}: {status} {said}")
    return "an open address without a token, and what is no token, are refused"


def expand(name):
    """The system calls of a set, as this systemd has them."""
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, check=True).stdout.decode()
    found = set()
    for line in said.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            found |= expand(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def system_calls(scenes, work):
    """What the page calls is what the filter of its unit allows."""
    if not (shutil.which("strace") and shutil.which("systemd-analyze")):
        return "no strace here"
    unit = Path(os.environ["ROOT"], "config/systemd/nightjar-page.service").read_text()
    allowed = expand("@default")
    for rule in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        denied = rule.startswith("~")
        for word in rule.lstrip("~").split():
            calls = expand(word) if word.startswith("@") else {word}
            allowed = allowed - calls if denied else allowed | calls
    trace = Path(work, "trace")
    files = [str(loop.folder / "nightjar.json5") for loop in scenes.loops.values()]
    # The runtime's worker threads ask for their own priority, which the unit refuses: refused here as well, so that it
    # is seen to be no matter.
    refused = ["-e", "inject=setpriority:error=EPERM"]
    # With -D the tracer is a child of its own, and the process that is ended here is the page.
    page = subprocess.Popen(
        ["strace", "-D", "-f", "-qq", "-o", str(trace), *refused, scenes.nightjar, "serve", *files, "--listen", "127.0.0.1:0"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        base = page.stdout.readline().decode().split()[-1].rstrip("/")
        for place in ("/", "/loops/shop", "/loops/shop/cycles/1", "/loops/shop/cycles/1/files/SHA256SUMS", "/metrics",
                      "/healthz", "/badge.svg", "/api/v1/loops", "/nothing"):
            get(base + place)
        events(base + "/events", 20, "sections")
    finally:
        page.terminate()
        page.wait(20)
    wait_for(10, lambda: "exit_group(" in trace.read_text(errors="replace"), "the end of the trace")
    lines = trace.read_text(errors="replace").splitlines()
    calls = {match.group(1) for match in (re.match(r"\d+ +(\w+)\(", line) for line in lines) if match}
    # The first of all is the kernel's to allow: the filter is in force by then, and the program must begin.
    check(len(calls) > 20, f"only {sorted(calls)} were seen")
    check(calls - allowed <= {"setpriority"}, f"the unit forbids {sorted(calls - allowed)}")
    opened = [line for line in lines if re.search(r"open(at)?\(.*O_(WRONLY|RDWR|CREAT)", line)]
    check(not [line for line in opened if "/dev/null" not in line], f"the page opens for writing: {opened[:3]}")
    return f"{len(calls)} system calls, which the unit allows, or which are refused without harm; no file is opened for writing"


def main():
    work = sys.argv[1]
    scenes = Scenes(os.environ["NIGHTJAR"], Path(work, "scenes"))
    scenes.folder.mkdir()
    try:
        scenes.make()
        base = scenes.serve()
        print("   " + states(scenes, base), flush=True)
        print("   " + cycles(scenes, base), flush=True)
        for line in page_browser.part(base, work, document, scenes.loops["mail"]):
            print("   " + line, flush=True)
        print("   " + live(scenes, base), flush=True)
        print("   " + refusals(scenes), flush=True)
        print("   " + system_calls(scenes, work), flush=True)
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    finally:
        scenes.end()
    return 0


if __name__ == "__main__":
    started = time.monotonic()
    status = main()
    print(f"   {time.monotonic() - started:.0f} s")
    sys.exit(status)
