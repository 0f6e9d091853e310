# SPDX-License-Identifier: Apache-2.0
"""The golden cases: what five hand-written field reports should have said.

Each case is a loop whose suites are shell scripts that really run and really write JUnit. What the cases expect are the
figures that follow from the results, not those that the hand-written reports claimed.
"""

import json
import sys
import time

import golden_down
import golden_hostile
from golden_case import Case, Failure, equal, near, passing

STREAMING = ("test_023_streaming_partial_results_real", "fail", 300, "Failed: Timeout &gt;300.0s")


def golden_path():
    """A: four P0 phases; the hand-written report says that 60 % of the revenue is protected."""
    case = Case("golden-a")
    authentication = passing(22, 29, "test_login") + [
        ("test_024_upload", "skip", 0, "not on staging"), ("test_025_export", "skip", 0, "not on staging"), STREAMING]
    case.suite(
        "authentication", authentication, value=120000, capabilities=[
            {"name": "streaming chat", "tests": "*streaming*", "value": 80000},
            {"name": "basic authentication", "tests": "*login*", "value": 40000}])
    case.suite(
        "agent-pipeline", passing(2, 1.82) + [
            ("test_real_agent_pipeline_execution", "fail", 5, "asyncio.CancelledError: TimeoutError"),
            *[(f"test_skipped_{n}", "skip", 0, "needs an agent") for n in range(3)]], value=200000)
    case.suite("websocket", passing(5, 8.44), value=80000)
    case.suite("critical-journeys", passing(6, 1.88), value=150000)
    record = case.once(status=1)
    totals = [suite["totals"] for suite in record["suites"]]
    summed = {key: sum(total[key] for total in totals) for key in totals[0]}
    equal((summed["tests"], summed["passed"], summed["failed"], summed["skipped"]), (42, 35, 2, 5), "A: totals")
    equal([round(100 * t["passed"] / t["tests"]) for t in totals], [88, 33, 100, 100], "A: pass rates")
    equal(record["value"], {"unit": "USD/month", "total": 550000, "protected": 230000, "atRisk": 320000}, "A: value")
    equal((record["verdict"], record["recommendation"]), ("failing", "hold"), "A: verdict")
    near(sum(suite["testSeconds"] for suite in record["suites"]), 346.14, "A: time in tests")
    near(346.14 / 42, 8.24, "A: average")
    equal([s["status"] for s in record["suites"]], ["failed", "failed", "passed", "passed"], "A: phases")
    equal({c["name"]: c["status"] for c in record["capabilities"]},
          {"streaming chat": "failed", "basic authentication": "passed"}, "A: capabilities")
    case.says(
        "35 / 42", "83.3 %", "88 %", "33.3 %", "230,000", "41.8 % of 550,000 USD/month", "320,000",
        "authentication 120,000 + agent-pipeline 200,000 = 320,000", "346.14 s in 42 tests, 8.24 s on average",
        "test_023_streaming_partial_results_real with 300 s (86.7 %)", "HOLD", "REJECTED")
    case.never_says("60 %", "mission accomplished", "100 % complete")
    return case


DEPLOY = """#!/bin/sh
# deploy.sh REVISION: fails for the next reason in `faults`, if there is one; staging is up when it ends well.
fault=$(head -n 1 faults)
if [ -n "$fault" ]; then
    sed -i 1d faults
    echo "$fault" >&2
    exit 1
fi
printf '%s' "$1" > live
printf '{"services":[{"name":"backend","revision":"%s","trafficPercent":100}]}' "$1" > "$NIGHTJAR_DEPLOYMENT"
"""


def operate(name, revision, **settings):
    """A case that deploys by script and proves what is live."""
    case = Case(
        name, deploy={"command": ["./deploy.sh", "{revision}"], "worktree": False, "attempts": 3, "timeout": "30s"},
        health={
            "checks": [{"name": "deployed", "command": {"command": ["test", "-s", "live"]}}],
            "liveRevision": {"command": {"command": ["cat", "live"]}, "answers": 2},
            "stableFor": "100ms", "interval": "50ms", "deadline": "5s"}, **settings)
    case.settings["loop"]["mode"] = "operate"
    case.settings.setdefault("repository", {"path": ".", "revisionCommand": {"command": ["cat", "wanted"]}})
    case.script("deploy.sh", DEPLOY)
    case.write("wanted", revision)
    case.write("live", "none")
    case.write("faults", "")
    return case


PYTEST = """#!/bin/sh
# pytest.sh REPORT [NODE...]: speaks as pytest -v does; the test called streaming never ends.
report=$1
shift
module=tests/test_priority1_critical.py
cases=
echo "collected 25 items"
while IFS='|' read -r name outcome seconds message; do
    if [ $# -gt 0 ]; then
        wanted=
        for node in "$@"; do [ "$node" = "$module::$name" ] && wanted=1; done
        [ -n "$wanted" ] || continue
    fi
    printf '%s::%s ' "$module" "$name"
    inner= word=PASSED
    case $outcome in
    hang) sleep 60 ;;
    skip) word=SKIPPED inner="<skipped message='$message'/>" ;;
    esac
    echo "$word"
    cases="$cases<testcase classname='tests.test_priority1_critical' name='$name' time='$seconds'>$inner</testcase>"
done < tables/critical
printf "<testsuite name='pytest'>%s</testsuite>\n" "$cases" > "$report"
"""


def stubborn_test():
    """C: everything is deployed, healthy and committed, and one test still hangs: "mission accomplished"."""
    case = operate("golden-c", "netra-backend-staging-00222-tmm")
    case.script("pytest.sh", PYTEST)
    rows = [(f"test_{n:03}_critical", "pass", 0.1, "") for n in range(1, 23)]
    rows.append((STREAMING[0], "hang", 30, ""))
    rows += [("test_024_upload", "skip", 0, "no bucket on staging"), ("test_025_export", "skip", 0, "no bucket on staging")]
    case.table("critical", rows)
    case.write("collect", "".join(f"tests/test_priority1_critical.py::{row[0]}\n" for row in rows))
    case.settings["suites"] = [{
        "name": "critical", "priority": "P0", "value": 120000, "command": ["./pytest.sh", "{report}"],
        "select": ["./pytest.sh", "{report}", "{tests}"], "collect": ["cat", "collect"], "console": "pytest",
        "testTimeout": "1s"}]
    record = case.once(status=1)
    totals = record["suites"][0]["totals"]
    equal((totals["tests"], totals["passed"], totals["timedOut"], totals["skipped"]), (25, 22, 1, 2), "C: totals")
    equal((record["verdict"], record["recommendation"]), ("failing", "hold"), "C: verdict")
    equal(record["environment"]["services"][0]["trafficPercent"], 100, "C: traffic")
    case.says("22 of 23 executed: 95.7 %", "FAILING", "HOLD", "REJECTED", "no bucket on staging",
              "120,000 USD/month at risk")
    case.never_says("mission accomplished", "resolved,")
    # A quarantine by name, with an owner and an end, makes it degraded and conditional; never healthy.
    entry = {"test": "*test_023*", "owner": "chat-team", "reason": "streams hang", "until": "2099-01-01"}
    case.settings["quarantine"] = [entry]
    case.run("once", status=2)
    entry["until"] = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    case.settings["suites"][0].pop("value")
    for missing in ("owner", "until", "reason"):
        case.settings["quarantine"] = [{key: value for key, value in entry.items() if key != missing}]
        case.run("once", status=2)
    case.settings["quarantine"] = [entry]
    case.settings["suites"][0]["value"] = 120000
    record = case.once(status=1)
    equal((record["verdict"], record["recommendation"]), ("degraded", "hold"), "C: verdict with a quarantine")
    equal(record["value"]["atRisk"], 120000, "C: value with a quarantine")
    case.says("CONDITIONAL", f"quarantined until {entry['until']} by chat-team: streams hang", "DEGRADED")
    # Its end passed: as if it were not there.
    entry["until"] = "2025-09-08"
    record = case.once(status=1)
    equal(record["verdict"], "failing", "C: verdict after the quarantine")
    return case


def business_value():
    """D: before and after; readiness is said to be 92 % where its components average 89.4 %."""
    case = Case("golden-d")
    before = {"P1": (49, 47), "websocket": (8, 4), "auth-security": (7, 6), "agents": (10, 10)}
    qualities = {"performance": (20, 19), "errors": (10, 9), "monitoring": (10, 7), "documentation": (10, 6)}

    def rows(stem, total, passed):
        return [(f"test_{stem}_{n:02}", "pass" if n < passed else "fail", 0.01, "AssertionError: not yet")
                for n in range(total)]

    for name, (total, passed) in before.items():
        case.suite(name, rows("critical", total, passed), priority="P1", **({"value": 120000} if name == "P1" else {}))
    case.suite(
        "qualities", [row for name, counts in qualities.items() for row in rows(name, *counts)], priority="P2",
        capabilities=[{"name": name, "tests": f"*test_{name}_*"} for name in qualities])
    case.settings["readiness"] = {"components": [
        {"name": "core API", "from": {"suites": ["P1"]}}, {"name": "WebSocket", "from": {"suites": ["websocket"]}},
        {"name": "authentication", "from": {"suites": ["auth-security"]}},
        {"name": "agents", "from": {"suites": ["agents"]}},
        *[{"name": name, "from": {"capabilities": [name]}} for name in qualities]]}
    first = case.once(status=1)
    rates = [round(100 * suite["totals"]["passed"] / suite["totals"]["tests"], 1) for suite in first["suites"][:4]]
    equal(rates, [95.9, 50.0, 85.7, 100.0], "D: before")
    for name, (total, _) in before.items():
        case.table(name, rows("critical", total, total))
    record = case.once(status=1)
    equal([suite["status"] for suite in record["suites"][:4]], ["passed"] * 4, "D: after")
    equal(record["value"]["protected"], 120000, "D: value")
    scores = [component["score"] for component in record["readiness"]["components"]]
    equal(scores, [100, 100, 100, 100, 95, 90, 70, 60], "D: components")
    near(record["readiness"]["score"], 89.375, "D: readiness", 1e-9)
    case.says(
        "Readiness 89.4 %", "/ 8 = 89.4", "95.9 %", "50 %", "85.7 %", "P1: failed -> passed, 120,000 USD/month protected again",
        "readiness of documentation: 60 %")
    case.never_says("92 %")
    # A score is computed or it is not there; weights change it in the open.
    case.settings["readiness"]["score"] = 92
    case.run("once", status=2)
    del case.settings["readiness"]["score"]
    case.settings["readiness"]["components"][7]["weight"] = 0
    case.once(status=1)
    case.says("Readiness 93.6 %", "0 x 60.0")
    return case


RESILIENCE = [
    ("client reconnection preserves context", 50, 8, 8), ("mid-stream disconnection and recovery", 75, 8, 8),
    ("message queueing during disconnection", 75, 9, 9), ("reconnection with expired token", 500, 10, 10),
    ("backend service restart recovery", 100, 7, 3), ("rapid reconnection", 50, 8, 8),
    ("heartbeat validation", 75, 8, 8), ("invalid or malformed payload", 250, 8, 8),
    ("network interface switching", 150, 8, 8), ("token refresh over the socket", 100, 8, 8)]


def resilience():
    """E: ten scenario suites, one of them at 42.9 %: "100 % complete"."""
    case = Case("golden-e", targets=[
        {"name": "reconnection", "limit": "500ms", "percentile": 50, "command": ["cat", "reconnection"]},
        {"name": "token refresh", "limit": "100ms", "command": ["echo", "0.084 s"]},
        {"name": "delivery", "limit": "99.95%", "atLeast": True, "command": ["echo", "99.97%"]}])
    case.write("reconnection", "310\n420 ms\n0.39s\n")
    for number, (name, value, total, passed) in enumerate(RESILIENCE, 1):
        slug = f"{number:02}-" + name.replace(" ", "-")
        case.suite(slug, [(f"test_{slug[:2]}_{n}", "pass" if n < passed else "fail", 0.2, "AssertionError: test logic")
                          for n in range(total)], priority="P1", value=value * 1000)
    restart = case.settings["suites"][4]
    record = case.once(status=1)
    equal((record["verdict"], record["recommendation"]), ("failing", "hold"), "E: verdict")
    equal(record["value"], {"unit": "USD/month", "total": 1425000, "protected": 1325000, "atRisk": 100000}, "E: value")
    equal([suite["status"] for suite in record["suites"]].count("passed"), 9, "E: suites")
    equal([(target["measured"], target["status"]) for target in record["targets"]],
          [(390, "met"), (84, "met"), (99.97, "met")], "E: targets")
    case.says("3/7 passed", "42.9 %", "REJECTED", "1 rejected", "9 approved", "implementation", "review", "execution",
              "final approval", "NOT RECORDED", "93 %")
    case.never_says("100 % complete", "test logic issues")
    # With owners and dates for the four tests, the suite is conditional and each of them is a prerequisite.
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    case.settings["quarantine"] = [
        {"test": f"*test_05_{n}", "owner": "platform", "reason": "restart is not awaited", "until": until}
        for n in range(3, 7)]
    record = case.once(status=1)
    equal(record["verdict"], "degraded", "E: verdict with quarantines")
    case.says("CONDITIONAL", f"quarantined until {until} by platform", "1 conditional", "42.9 %")
    # A suite that does not block is conditional too.
    case.settings["quarantine"] = []
    restart["blocking"] = False
    record = case.once(status=1)
    equal(record["verdict"], "degraded", "E: verdict with a suite that does not block")
    case.says("CONDITIONAL", "does not block")
    # Nobody can write the result into the settings, and mocks that claim to be real are doubted.
    restart["status"] = "passed"
    case.run("once", status=2)
    del restart["status"]
    for number, (name, _, total, _) in enumerate(RESILIENCE, 1):
        slug = case.settings["suites"][number - 1]["name"]
        case.settings["suites"][number - 1]["real"] = True
        case.table(slug, [(f"test_{slug[:2]}_{n}", "pass", 0, "") for n in range(total)])
    record = case.once(status=3)
    equal((record["verdict"], record["recommendation"]), ("unproven", "hold"), "E: verdict on mocks")
    equal(record["value"]["protected"], 0, "E: value on mocks")
    case.says("no host was contacted", "UNPROVEN", "0 % of 1,425,000")
    return case


def main():
    cases = [golden_path, golden_down.staging_down, stubborn_test, business_value, resilience, golden_hostile.hostile]
    wanted = sys.argv[1:]
    failures = 0
    for make in cases:
        if wanted and make.__name__ not in wanted:
            continue
        try:
            make().done()
            print(f"   {make.__name__}: {make.__doc__.splitlines()[0]}")
        except Failure as failure:
            failures += 1
            print(f"   {make.__name__}: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
