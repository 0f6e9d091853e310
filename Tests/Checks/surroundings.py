# SPDX-License-Identifier: Apache-2.0
"""A loop with a log command and a fingerprint: one green cycle, then failing ones, and what is said about them."""

import json
import os
import subprocess
import sys
from pathlib import Path

DEPLOY = """#!/bin/sh
printf '%s' "$1" > live
"""

# Traffic differs from cycle to cycle; bad-* revisions log one error beside it.
LOGS = """#!/bin/sh
printf 'since %s\\n' "$2" >> log-calls
for number in $(seq 1 "$(cat traffic)"); do
    printf '[backend] {"level":"info","msg":"GET /threads/%s","ms":%s}\\n' "$number" "$number"
    printf '[auth] {"level":"info","msg":"token %s checked"}\\n' "$number"
    printf '[auth] {"level":"warn","msg":"clock is %s ms off"}\\n' "$number"
done
case $(cat live) in
bad-*)
    printf '[backend] {"level":"error","msg":"unhandled error in request 4711"}\\n'
    printf '[backend] Traceback (most recent call last):\\n[backend]   File "store.py", line 3, in save\\n'
    printf '[backend] StoreError: no column named topic\\n' ;;
esac
"""

SUITE = """#!/bin/sh
[ -f touch-this ] && date +%N >> settings.json
case $(cat live) in
bad-*) body="<testcase classname='a' name='one' time='0.01'><failure message='topic is missing'/></testcase>" failures=1 ;;
*) body="<testcase classname='a' name='one' time='0.01'/>" failures=0 ;;
esac
printf "<testsuite name='a' tests='1' failures='%s'>%s</testsuite>\\n" $failures "$body" > "$1"
[ $failures = 0 ]
"""

CONFIGURATION = """{
  loop: { name: "l", mode: "operate" },
  state: "state",
  repository: { path: ".", revisionCommand: ["cat", "wanted"] },
  deploy: { command: ["./deploy.sh", "{revision}"], logs: ["./logs.sh", "--since", "{stageStart}"],
            worktree: false },
  health: { checks: [{ name: "live", command: ["test", "-f", "live"] }],
            liveRevision: { command: ["cat", "live"], answers: 1 },
            stableFor: "0s", deadline: "10s", interval: "100ms" },
  suites: [{ name: "a", priority: "P0", command: ["./suite.sh", "{report}"], report: { format: "junit" } }],
  triage: { experiments: ["rerun"] },
  FINGERPRINT
}
"""


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)


def cycle(folder, revision):
    """Runs one cycle of a revision and returns its folder and document."""
    write(folder, "wanted", revision + "\n")
    done = subprocess.run([os.environ["NIGHTJAR"], "once", "--config", str(folder / "nightjar.json5")], check=False,
                          capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1, 3, 5):
        raise AssertionError(f"once ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    latest = (folder / "state/l/latest").resolve()
    document = json.loads((latest / "cycle.json").read_text())
    if document["revision"]["wanted"] != revision:
        raise AssertionError(f"no cycle of {revision}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    sums = subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=latest, check=False)
    assert sums.returncode == 0, "SHA256SUMS does not hold"
    return latest, document


def logs_of(document):
    return [command for stage in document["stages"] for command in stage["commands"] if command["role"] == "logs"]


def check_logs(folder):
    write(folder, "traffic", "40")
    green, document = cycle(folder, "good-1")
    assert document["verdict"] == "healthy", document["reasons"]
    assert len(logs_of(document)) == 1, "a green pass keeps its logs once"
    assert logs_of(document)[0]["logSHA256"], "they are hashed"
    assert not (green / "logs.txt").exists(), "a green pass has no findings"

    write(folder, "traffic", "90")
    red, document = cycle(folder, "bad-1")
    assert document["verdict"] == "failing", document["reasons"]
    findings = (red / "logs.txt").read_text().splitlines()
    first = "error backend 1x (0 when last green) "
    assert findings[0].startswith(first), findings
    assert findings[0].endswith("unhandled error in request <*>: StoreError: no column named topic"), findings
    assert len(findings) == 1, f"more traffic is no finding: {findings}"
    path, line = findings[0][len(first):].split(" ")[0].rsplit(":", 1)
    stands = (red / path).read_text().splitlines()[int(line) - 1]
    assert stands == "[backend] StoreError: no column named topic", stands
    since = [line.split(" ")[1] for line in (folder / "log-calls").read_text().splitlines()]
    assert since == sorted(since), "each call asks for what came after the one before"


def check_fingerprint(folder):
    write(folder, "settings.json", "{}")
    write(folder, "schema", "7")
    green, document = cycle(folder, "good-2")
    assert document["verdict"] == "healthy", document["reasons"]
    around = document["environment"]["fingerprint"]
    assert around["changed"] == [], around["changed"]
    for moment in ("before", "after"):
        kept = json.loads((green / f"fingerprint-{moment}.json").read_text())
        kinds = {entry["kind"] for entry in kept["entries"]}
        assert {"disk", "memory", "load", "descriptors", "file", "command"} <= kinds, kinds
        assert kept["entries"] == around[moment]["entries"], "document and file say the same"
    assert [e["value"] for e in around["before"]["entries"] if e["kind"] == "command"] == ["7"]

    write(folder, "touch-this", "")
    _, document = cycle(folder, "good-3")
    (folder / "touch-this").unlink()
    assert document["verdict"] == "unproven", document["verdict"]
    rules = [reason["rule"] for reason in document["reasons"]]
    assert "environment-drift" in rules, rules
    diagnosis = document["incidents"][0]["diagnosis"]
    assert diagnosis["category"] == "config-change", diagnosis
    evidence = diagnosis["whys"][0]["evidence"][0]
    latest = (folder / "state/l/latest").resolve()
    stands = (latest / evidence["path"]).read_text().splitlines()[evidence["lines"][0] - 1]
    assert stands == evidence["excerpt"] and "settings.json" in stands, evidence
    assert [change["subject"].rsplit("/")[-1] for change in document["environment"]["fingerprint"]["changed"]] == [
        "settings.json"]

    # A file that was changed between two cycles is no drift.
    write(folder, "settings.json", "{'new': true}")
    _, document = cycle(folder, "good-4")
    assert document["verdict"] == "healthy", document["reasons"]


def main():
    folder = Path(sys.argv[1]) / "loop"
    folder.mkdir()
    for name, text in [("deploy.sh", DEPLOY), ("logs.sh", LOGS), ("suite.sh", SUITE)]:
        write(folder, name, text)
    write(folder, "nightjar.json5", CONFIGURATION.replace("FINGERPRINT", ""))
    check_logs(folder)
    fingerprint = 'fingerprint: { files: ["settings.json"], disks: ["."], commands: { schema: ["cat", "schema"] } },'
    write(folder, "nightjar.json5", CONFIGURATION.replace("FINGERPRINT", fingerprint))
    check_fingerprint(folder)


main()
