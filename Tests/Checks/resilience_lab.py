#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The resilience scenarios against the gateway of a fault lab instance, and against one broken variant after the other.

A variant is an edit of the running release and a restart of the gateway. The good gateway must not be rejected anywhere;
each variant must be rejected by the scenario that is there for it, and by no others than those named with it. On a busy
machine a time is missed now and then: an unexplained rejection counts where the scenario, run once more by itself, is
rejected again; the table shows the second run, and the output says that there was one.

usage: resilience_lab.py --nightjar PATH --lab DIR --python PATH --work DIR [--only NAME] [--table FILE]
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time
import urllib.request

ORDER = ["reconnection", "midStream", "queueing", "expiredToken", "restart", "flapping", "heartbeat", "malformed",
         "interfaceSwitch", "tokenRefresh", "security"]
RESUME = ["midStream", "queueing", "expiredToken", "flapping", "heartbeat", "interfaceSwitch"]
APP, SESSIONS, JWT = "tern/gateway/app.py", "tern/gateway/sessions.py", "tern/common/jwt.py"
# name: (file, text, replacement, the scenario that is there for it, others that must or may see it)
VARIANTS = {
    "loses-session": (SESSIONS, "return session if session and session.user == user else None", "return None",
                      "reconnection", RESUME),
    "drops-tail": (APP, "                await session.emit(event)\n",
                   '                if event["type"] != "partial_result":\n                    await session.emit(event)\n',
                   "midStream", ["queueing", "interfaceSwitch", "tokenRefresh"]),
    "drops-queue": (SESSIONS, "        self.history.append(event)\n",
                    "        if self.socket is not None and not self.socket.closed:\n"
                    "            self.history.append(event)\n", "queueing", ["midStream"]),
    "repeats-events": (SESSIONS, 'event["seq"] > last_seq]', 'event["seq"] >= last_seq]', "midStream", ["queueing"]),
    "accepts-expired": ([(JWT, 'if claims.get("exp", 0) + leeway <= clock.now():', "if False:"),
                         (SESSIONS, 'self.expires_at = claims["exp"]', 'self.expires_at = claims["exp"] + 9e9')], None, None,
                        "expiredToken", ["security"]),
    "accepts-forged": (JWT, "if not hmac.compare_digest(_sign(keyring.secret(kid), signing_input), signature):",
                       "if False:", "security", []),
    "no-pong": (APP, "max_msg_size=2**20)", "max_msg_size=2**20, autoping=False)", "heartbeat", []),
    "no-heartbeat": (APP, 'await holder["session"].send({"type": "heartbeat", "n": beats})', "pass", "heartbeat", []),
    "dies-on-malformed": (APP, "        except protocol.FrameError as exc:\n",
                          "        except protocol.FrameError as exc:\n            import os; os._exit(1)\n", "malformed",
                          ["interfaceSwitch", "tokenRefresh", "security"]),
    "disconnects-on-refresh": (APP, '        await session.send({"type": "token_refreshed"',
                               '        await session.socket.close(code=4401)\n'
                               '        await session.send({"type": "token_refreshed"', "tokenRefresh", []),
    "leaks-between-users": (SESSIONS, "if session and session.user == user else None", "if session else None",
                            "security", []),
    "leaky-errors": (APP, 'return http.problem(401, "invalid_token", str(exc))',
                     'import traceback; return http.problem(401, "invalid_token", traceback.format_exc())\n'
                     '        except KeyError:\n            raise', "security", []),
    "slow-to-open": (APP, "        await socket.prepare(request)", "        await asyncio.sleep(0.7)\n"
                     "        await socket.prepare(request)", "reconnection",
                     ["expiredToken", "restart", "flapping", "heartbeat", "interfaceSwitch"]),
    "restart-fails": ("ops/launch.sh", 'setsid nohup', '[ "$svc" = gateway ] && [ -e "$TERN_RUN_DIR/tried" ] && exit 0; '
                      '[ "$svc" = gateway ] && touch "$TERN_RUN_DIR/tried"\nsetsid nohup', "restart", ORDER[5:]),
}


def environment(instance):
    values = dict(os.environ)
    for line in open(f"{instance}/env/instance.env"):
        name, _, value = line.strip().partition("=")
        values[name] = value.strip("'")
    values["GATEWAY_ADDRESS"] = values["GATEWAY_URL"].split("//")[1]
    values["RESILIENCE_RUN"] = str(random.randrange(1 << 30))
    return values


def restart(instance, values):
    for name in ("tried",):
        try:
            os.remove(f"{instance}/run/{name}")
        except FileNotFoundError:
            pass
    subprocess.run(["bash", f"{instance}/scripts/ops.sh", "restart-dependency", "gateway"], check=True,
                   capture_output=True)
    deadline = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(values["GATEWAY_URL"] + "/health", timeout=2).read()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def scenarios(nightjar, path, values, *only):
    done = subprocess.run([nightjar, "resilience", "--config", path, "--json", "--quiet", *only], capture_output=True,
                          text=True, env=values, timeout=400)
    if done.returncode not in (0, 1, 3):
        return {"problem": f"exit {done.returncode}: {done.stderr.strip()[:300]}"}
    return json.loads(done.stdout)


def reconsider(nightjar, path, values, report, explained):
    """Runs what was rejected without an explanation once more, and puts the second result in its place."""
    for index, result in enumerate(report.get("results", [])):
        if result["status"] == "REJECTED" and result["scenario"] not in explained:
            again = scenarios(nightjar, path, values, "--scenario", result["scenario"])
            if "problem" not in again:
                failed = [f'{case["name"]}: {case.get("reason")}' for case in result["cases"]
                          if case["outcome"] in ("failed", "errored")]
                print(f"   {result['scenario']} was run twice; at first {'; '.join(failed)}", flush=True)
                report["results"][index] = again["results"][0]


def judge(name, report, catcher, others):
    if "problem" in report:
        return [f"{name}: {report['problem']}"]
    found = {result["scenario"]: result for result in report["results"] if result["status"] == "REJECTED"}
    problems = []
    if catcher and catcher not in found:
        problems.append(f"{name}: not caught by {catcher}")
    for scenario, result in found.items():
        if scenario != catcher and scenario not in others:
            failed = [f'{case["name"]}: {case.get("reason")}' for case in result["cases"]
                      if case["outcome"] in ("failed", "errored")]
            problems.append(f"{name}: unexplained in {scenario}: {'; '.join(failed)}")
    return problems


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nightjar", required=True)
    options.add_argument("--lab", required=True)
    options.add_argument("--python", required=True)
    options.add_argument("--work", required=True)
    options.add_argument("--only", default="")
    options.add_argument("--table")
    arguments = options.parse_args()
    instance, problems = f"{arguments.work}/instance", []
    lines = ["| variant | " + " | ".join(str(n + 1) for n in range(len(ORDER))) + " |", "|---|" + "---|" * len(ORDER)]
    contract = json.load(open(os.path.join(os.path.dirname(__file__), "resilience-lab.json")))
    contract["trials"] = 8
    contract["heartbeat"]["tolerance"] = 0.6
    contract["restart"]["trials"] = 1
    contract["limits"] = {"recoveryMilliseconds": 8000}
    path = f"{arguments.work}/scenarios.json"
    with open(path, "w") as file:
        json.dump(contract, file)
    subprocess.run([arguments.python, "lab.py", "new", instance, "--seed", "3"], cwd=arguments.lab, check=True,
                   capture_output=True)
    try:
        values = environment(instance)
        release = os.path.realpath(f"{instance}/current")
        for name in ["good"] + [name for name in VARIANTS if arguments.only in name]:
            file, text, replacement, catcher, others = VARIANTS.get(name, ([], None, None, None, []))
            edits = file if isinstance(file, list) else [(file, text, replacement)]
            kept = {file: open(f"{release}/{file}").read() for file, _, _ in edits}
            for file, text, replacement in edits:
                if kept[file].count(text) != 1:
                    problems.append(f"{name}: the lab's {file} has changed")
                with open(f"{release}/{file}", "w") as out:
                    out.write(kept[file].replace(text, replacement))
            restart(instance, values)
            report = scenarios(arguments.nightjar, path, values)
            reconsider(arguments.nightjar, path, values, report, {catcher, *others})
            problems += judge(name, report, catcher, others)
            for file, content in kept.items():
                with open(f"{release}/{file}", "w") as out:
                    out.write(content)
            if "problem" not in report:
                status = {result["scenario"]: result["status"] for result in report["results"]}
                words = {"APPROVED": "yes", "CONDITIONAL": "cond.", "REJECTED": "no"}
                cells = [f"**{words[status[s]]}**" if s == catcher else words[status[s]] for s in ORDER]
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
                print(lines[-1], flush=True)
    finally:
        subprocess.run([arguments.python, "lab.py", "stop", instance], cwd=arguments.lab, capture_output=True)
    if arguments.table:
        with open(arguments.table, "w") as file:
            file.write("\n".join(lines) + "\n")
    for problem in problems:
        print("FAILED:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
