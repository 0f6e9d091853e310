#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small pytest projects with one sin each: the verdict, the exit status and the words that the loop must find.

    pytest_cases.py --nightjar FILE --work DIR [NAME...]

Run with an interpreter that has pytest. Every case is a loop in mode observe with one suite.
"""
import argparse
import json
import os
import subprocess
import sys
import textwrap
import time

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
GOOD = "def test_one(): pass\ndef test_two(): pass\ndef test_three(): pass\n"
HANG = "import time\n" + GOOD + "def test_hangs(): time.sleep(120)\ndef test_four(): pass\ndef test_five(): assert True\n"


def suite(**more):
    settings = {
        "name": "py", "priority": "P0", "timeout": "60s",
        "command": PYTEST + ["-v", "--junitxml={report}"],
        "select": PYTEST + ["-v", "--junitxml={report}", "{tests}"],
        "collect": PYTEST + ["--collect-only", "-q"],
    }
    settings.update(more)
    return {key: value for key, value in settings.items() if value is not None}


def sh(text):
    return ["sh", "-c", text]


def case(files, verdict, exit_status, words=(), totals=None, experiments=(), within=30, check=None, before=None, **more):
    return {"files": files, "verdict": verdict, "exit": exit_status, "words": words, "totals": totals or {},
            "experiments": list(experiments), "within": within, "check": check, "before": before, "suite": suite(**more)}


def rest_was_run(cycle, _):
    roles = [command["role"] for command in stage(cycle)["commands"]]
    return None if roles == ["main", "collect", "rest-1"] else f"commands are {roles}"


def rerun_is_exact(cycle, _):
    """Each run again holds just the two tests that failed."""
    runs = [stage["suite"]["totals"]["tests"] for stage in cycle["stages"] if stage["run"]["purpose"] == "rerun"]
    return None if runs and set(runs) == {2} else f"tests of the runs again: {runs}"


def flaky_is_named(cycle, _):
    found = [incident["diagnosis"]["category"] for incident in cycle["incidents"]]
    return None if found == ["flaky-test"] else f"categories are {found}"


def stage(cycle):
    return next(stage for stage in cycle["stages"] if stage["run"]["kind"] == "test")


def old_report(folder):
    """A report of an earlier run, as young as can be."""
    os.makedirs(os.path.join(folder, "results"))
    with open(os.path.join(folder, "results", "py.xml"), "w") as file:
        file.write('<testsuites><testsuite name="pytest" tests="1"><testcase classname="test_a" name="test_one" time="0.1"/>'
                   "</testsuite></testsuites>")


CASES = {
    "sound": case({"test_a.py": GOOD}, "healthy", 0, totals={"tests": 3, "passed": 3}),
    "hang-is-cut": case({"test_a.py": HANG}, "failing", 1, ["test_hangs", "testTimeout"],
                        {"tests": 6, "passed": 5, "timedOut": 1, "notRun": 0}, testTimeout="3s", check=rest_was_run),
    "hang-in-setup": case(
        {"test_a.py": "import pytest, time\n@pytest.fixture\ndef slow(): time.sleep(120)\n"
                      "def test_one(): pass\ndef test_needs(slow): pass\ndef test_two(): pass\n"},
        "failing", 1, ["test_needs"], {"passed": 2, "timedOut": 1, "notRun": 0}, testTimeout="3s"),
    "two-hangs": case(
        {"test_a.py": "import time\ndef test_h1(): time.sleep(99)\ndef test_one(): pass\ndef test_h2(): time.sleep(99)\n"
                      "def test_two(): pass\n"},
        "failing", 1, ["test_h1", "test_h2"], {"passed": 2, "timedOut": 2, "notRun": 0}, testTimeout="3s"),
    "hang-without-select": case({"test_a.py": HANG}, "failing", 1, ["test_hangs"], {"passed": 3, "timedOut": 1, "notRun": 2},
                                select=None, testTimeout="3s"),
    "hang-and-nothing-known": case({"test_a.py": HANG}, "failing", 1, ["test_hangs", "could not be told"],
                                   {"passed": 3, "timedOut": 1}, select=None, collect=None, testTimeout="3s"),
    "hang-in-teardown": case(
        {"test_a.py": "import pytest, time\n@pytest.fixture\ndef late():\n    yield\n    time.sleep(120)\n"
                      "def test_one(late): pass\n"},
        "unproven", 3, ["timeout 6s"], timeout="6s", testTimeout="3s"),
    "hang-at-import": case({"test_a.py": "import time\ntime.sleep(120)\n" + GOOD}, "unproven", 3, ["timeout 5s"], timeout="5s",
                           testTimeout="3s"),
    "parametrized": case(
        {"test_a.py": "import pytest\n@pytest.mark.parametrize('text', ['plain', 'two words', 'a[b]', 'ü/☃', 'x::y'])\n"
                      "def test_text(text): assert text not in ('two words', 'a[b]')\n"
                      "class TestGroup:\n    @pytest.mark.parametrize('n', [1, 2])\n    def test_n(self, n): assert n\n"},
        "failing", 1, ["two words"], {"tests": 7, "passed": 5, "failed": 2}, experiments=["rerun"], check=rerun_is_exact),
    "xfail-and-skip": case(
        {"test_a.py": "import pytest\ndef test_one(): pass\n@pytest.mark.xfail\ndef test_x(): assert 0\n"
                      "@pytest.mark.xfail\ndef test_xpass(): pass\n@pytest.mark.skip(reason='later')\ndef test_s(): pass\n"},
        "healthy", 0, totals={"tests": 4, "passed": 2, "skipped": 2}),
    "strict-xfail-passes": case(
        {"test_a.py": GOOD + "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_x(): pass\n"},
        "failing", 1, ["XPASS"], {"failed": 1, "passed": 3}),
    "collection-error": case({"test_a.py": GOOD, "test_b.py": "import no_such_module\n"}, "failing", 1, ["collection failure"],
                             {"errored": 1}),
    "fixture-error": case({"test_a.py": GOOD + "import pytest\n@pytest.fixture\ndef f(): raise OSError('no room')\n"
                                               "def test_f(f): pass\n"}, "failing", 1, ["no room"], {"errored": 1, "passed": 3}),
    "interpreter-exits": case({"test_a.py": "import os\n" + GOOD + "def test_z(): os._exit(3)\ndef test_after(): pass\n"},
                              "unproven", 3, ["exit 3", "test_z"]),
    "interpreter-exits-zero": case({"test_a.py": "import os\n" + GOOD + "def test_z(): os._exit(0)\ndef test_after(): pass\n"},
                                   "unproven", 3, ["no report", "test_z"]),
    "interpreter-crashes": case(
        {"test_a.py": "import os, signal\n" + GOOD + "def test_z(): os.kill(os.getpid(), signal.SIGSEGV)\n"},
        "unproven", 3, ["signal 11", "test_z"]),
    "exit-zero-with-failures": case(
        {"test_a.py": GOOD + "def test_bad(): assert 0\n",
         "conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 0\n"},
        "failing", 1, ["exit 0 with 1 failed"], {"failed": 1, "passed": 3}),
    "shell-swallows-exit": case(
        {"test_a.py": GOOD + "def test_bad(): assert 0\n"}, "failing", 1, ["exit 0 with 1 failed"], {"failed": 1},
        command=sh(" ".join(PYTEST) + ' -v --junitxml="$1" || true') + ["sh", "{report}"], console="pytest", select=None),
    "exit-one-all-passed": case({"test_a.py": GOOD, "conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 1\n"},
                                "unproven", 3, ["exit 1 with no failed test"], {"passed": 3}),
    "explained-exit": case({"test_a.py": GOOD, "conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 9\n"},
                           "healthy", 0, totals={"passed": 3}, exitCodes=[9]),
    "report-missing": case({"test_a.py": GOOD}, "unproven", 3, ["no report"], command=PYTEST + ["-v"], select=None,
                           collect=None, report={"format": "junit", "path": "results/py.xml"}),
    "report-stale": case({"test_a.py": GOOD}, "unproven", 3, ["not written during the stage"], command=PYTEST + ["-v"], select=None,
                         collect=None, report={"format": "junit", "path": "results/py.xml"}, before=old_report),
    "report-truncated": case(
        {"test_a.py": GOOD}, "unproven", 3, ["report"], select=None, console="pytest",
        command=sh(" ".join(PYTEST) + ' -v --junitxml="$1"; truncate -s -40 "$1"') + ["sh", "{report}"]),
    "report-of-others": case(
        {"test_a.py": GOOD}, "unproven", 3, ["report"], select=None, collect=None, console="pytest",
        command=sh('echo "<html>502 Bad Gateway</html>" >"$1"') + ["sh", "{report}"]),
    "all-skipped": case({"test_a.py": "import pytest\npytestmark = pytest.mark.skip(reason='no staging')\n" + GOOD},
                        "unproven", 3, ["all 3 tests were skipped"], {"skipped": 3}),
    "all-skipped-allowed": case({"test_a.py": "import pytest\npytestmark = pytest.mark.skip\n" + GOOD}, "healthy", 0,
                                totals={"skipped": 3}, allowAllSkipped=True),
    "zero-tests": case({"test_a.py": "x = 1\n"}, "unproven", 3, ["0 tests ran"]),
    "lying-console": case(
        {"test_a.py": GOOD + "def test_liar():\n    print('test_a.py::test_liar PASSED [100%]\\n\\x1b[2J]]>', flush=True)\n"
                             "    assert 0, 'the truth \\x1b[31m]]>'\n"},
        "failing", 1, ["the truth"], {"passed": 3, "failed": 1}, command=PYTEST + ["-v", "-s", "--junitxml={report}"]),
    "flaky": case(
        {"test_a.py": "import os\ndef test_one(): pass\ndef test_second_time_lucky():\n    n = int(open('n').read() or 0)\n"
                      "    open('n', 'w').write(str(n + 1))\n    assert n % 2\n", "n": "0"},
        "failing", 1, ["test_second_time_lucky"], {"failed": 1}, experiments=["rerun"], check=flaky_is_named),
    "five-thousand": case(
        {"test_a.py": "import pytest\n@pytest.mark.parametrize('n', range(5000))\ndef test_n(n): assert n != 4321\n"},
        "failing", 1, ["4321"], {"tests": 5000, "passed": 4999, "failed": 1}, within=60),
}


def run(options, name, settings):
    """What is wrong with what the loop said, as lines; none where all is well."""
    folder = os.path.join(options.work, name)
    for path, text in settings["files"].items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "w") as file:
            file.write(text)
    if settings["before"]:
        settings["before"](folder)
    config = {"loop": {"name": "py", "mode": "observe"}, "suites": [settings["suite"]],
              "triage": {"experiments": settings["experiments"]}}
    with open(os.path.join(folder, "nightjar.json5"), "w") as file:
        json.dump(config, file, indent=1)
    started = time.monotonic()
    done = subprocess.run([options.nightjar, "once", "--config", os.path.join(folder, "nightjar.json5")], capture_output=True,
                          text=True, cwd=folder, timeout=180, check=False)
    took = time.monotonic() - started
    try:
        with open(os.path.join(folder, ".nightjar", "py", "cycles", "000001", "cycle.json")) as file:
            cycle = json.load(file)
    except OSError as error:
        return [f"{error}", done.stdout[-1500:], done.stderr[-1500:]], took
    wrong = []
    if cycle["verdict"] != settings["verdict"]:
        wrong.append(f"verdict {cycle['verdict']}, expected {settings['verdict']}")
    if done.returncode != settings["exit"]:
        wrong.append(f"exit {done.returncode}, expected {settings['exit']}")
    said = " | ".join(f"{reason['rule']}: {reason['text']}" for reason in cycle["reasons"])
    wrong += [f"{word!r} is not said" for word in settings["words"] if word not in said]
    found = cycle["suites"][0]["totals"]
    wrong += [f"{found.get(key)} {key}, expected {count}" for key, count in settings["totals"].items() if found.get(key) != count]
    if took > settings["within"]:
        wrong.append(f"took {took:.0f} s, expected at most {settings['within']} s")
    if settings["check"]:
        problem = settings["check"](cycle, folder)
        if problem:
            wrong.append(problem)
    if wrong or options.verbose:
        wrong.append(f"  said: {said}") if wrong else print(f"      {said[:400]}")
    return wrong, took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--nightjar", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.nightjar = os.path.realpath(options.nightjar)
    bad = 0
    for name in options.names or CASES:
        wrong, took = run(options, name, CASES[name])
        print(f"   {'FAILED' if wrong else 'ok    '} {name} ({took:.1f} s)", flush=True)
        if wrong:
            bad += 1
            print(textwrap.indent("\n".join(wrong), "          "), flush=True)
    print(f"   {len(options.names or CASES) - bad} of {len(options.names or CASES)} cases as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
