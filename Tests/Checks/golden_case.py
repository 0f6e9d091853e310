# SPDX-License-Identifier: Apache-2.0
"""One golden case: a loop in a folder of its own, its suites scripts that really run, and what its reports say."""

import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path

PLAY = """#!/bin/sh
# play.sh SUITE REPORT [TEST...]: plays the results of tables/SUITE, as a test tool would, into a JUnit report.
suite=$1 report=$2
shift 2
echo "collecting $suite"
failures=0 cases=
while IFS='|' read -r name outcome seconds message; do
    [ -n "$name" ] || continue
    if [ $# -gt 0 ]; then
        wanted=
        for test in "$@"; do [ "$test" = "$suite::$name" ] && wanted=1; done
        [ -n "$wanted" ] || continue
    fi
    case $outcome in
    pass) inner= ;;
    skip) inner="<skipped message='$message'/>" ;;
    *) inner="<failure type='${message%%:*}' message='$message'>$message</failure>" failures=$((failures + 1)) ;;
    esac
    echo "$name $outcome"
    cases="$cases<testcase classname='$suite' name='$name' time='$seconds'>$inner</testcase>"
done < "tables/$suite"
printf "<testsuite name='%s' failures='%s'>%s</testsuite>\\n" "$suite" "$failures" "$cases" > "$report"
[ "$failures" = 0 ]
"""


class Failure(Exception):
    """What does not hold, in a sentence."""


def equal(found, wanted, what):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, expected {wanted!r}")


def near(found, wanted, what, slack=0.005):
    if found is None or abs(found - wanted) > slack:
        raise Failure(f"{what}: {found!r}, expected {wanted!r}")


def contains(text, part, what):
    if part not in text:
        raise Failure(f"{what} does not say {part!r}")


def lacks(text, part, what):
    if part in text:
        raise Failure(f"{what} says {part!r}")


class Text(HTMLParser):
    """What a reader of the page sees."""

    def __init__(self):
        super().__init__()
        self.parts, self.skipping = [], False

    def handle_starttag(self, tag, attributes):
        self.skipping = tag in ("style", "script")

    def handle_endtag(self, tag):
        self.skipping = False
        self.parts.append(" ")

    def handle_data(self, data):
        if not self.skipping:
            self.parts.append(data)


def seen(html):
    text = Text()
    text.feed(html)
    return " ".join("".join(text.parts).split())


def plain(markdown):
    return markdown.replace("\\", "")


class Case:
    """One loop in a folder of its own."""

    def __init__(self, name, **settings):
        keep = os.environ.get("NIGHTJAR_KEEP")
        self.folder = Path(keep, name) if keep else Path(tempfile.mkdtemp(prefix=f"nightjar-{name}."))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.name = name
        self.script("play.sh", PLAY)
        (self.folder / "tables").mkdir()
        self.settings = {
            "loop": {"name": name, "mode": "observe", "valueUnit": "USD/month"},
            "state": "state",
            "health": {"stableFor": "0s", "interval": "50ms"},
            "suites": [],
        }
        self.settings.update(settings)

    def script(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def table(self, suite, rows):
        self.write(f"tables/{suite}", "".join("|".join(map(str, row)) + "\n" for row in rows))

    def suite(self, name, rows, **keys):
        self.table(name, rows)
        play = ["./play.sh", name, "{report}"]
        self.settings["suites"].append(
            {"name": name, "priority": "P0", "command": play, "select": play + ["{tests}"], **keys})

    def run(self, *words, status=None):
        self.write("nightjar.json5", json.dumps(self.settings, indent=2))
        done = subprocess.run(
            [os.environ["NIGHTJAR"], *words], cwd=self.folder, capture_output=True, text=True, timeout=300,
            env=dict(os.environ, NO_COLOR="1"))
        if status is not None and done.returncode != status:
            raise Failure(
                f"nightjar {' '.join(words)} ended with {done.returncode}, expected {status}: {done.stdout[-2000:]} {done.stderr[-1500:]}")
        return done.stdout

    def once(self, status):
        self.run("once", status=status)
        return self.record()

    def cycle_folder(self):
        return self.folder / "state" / self.name / "latest"

    def record(self):
        return json.loads((self.cycle_folder() / "cycle.json").read_text())

    def reports(self):
        """What a reader sees of the page and of the Markdown report."""
        folder = self.cycle_folder()
        return [seen((folder / "report.html").read_text()), plain((folder / "report.md").read_text())]

    def says(self, *parts):
        for kind, text in zip(("the page", "the Markdown report"), self.reports()):
            for part in parts:
                contains(text, part, kind)

    def never_says(self, *parts):
        for kind, text in zip(("the page", "the Markdown report"), self.reports()):
            for part in parts:
                lacks(text.lower(), part.lower(), kind)

    def stop_service(self):
        """Ends what the deploy script has left running."""
        try:
            os.kill(int((self.folder / "service.pid").read_text()), signal.SIGTERM)
        except (OSError, ValueError):
            pass

    def done(self):
        if not os.environ.get("NIGHTJAR_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def passing(count, seconds, stem="test"):
    """`count` passing tests that take `seconds` together."""
    each = round(seconds / count, 3)
    rows = [(f"{stem}_{index:03}", "pass", each, "") for index in range(1, count)]
    return rows + [(f"{stem}_{count:03}", "pass", round(seconds - each * (count - 1), 3), "")]


def git(case, *words):
    environment = dict(
        os.environ, GIT_AUTHOR_NAME="Ada", GIT_AUTHOR_EMAIL="ada@example.org", GIT_COMMITTER_NAME="Ada",
        GIT_COMMITTER_EMAIL="ada@example.org", GIT_CONFIG_GLOBAL="/dev/null")
    done = subprocess.run(["git", "-C", "app", *words], cwd=case.folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"git {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()
