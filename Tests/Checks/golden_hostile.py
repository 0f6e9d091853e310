# SPDX-License-Identifier: Apache-2.0
"""Hostile names and messages through every output."""

import csv
import json
import xml.etree.ElementTree
from xml.sax.saxutils import escape, quoteattr

from golden_case import Case, Failure, equal, lacks

HOSTILE = """#!/bin/sh
# hostile.sh REPORT: names and messages that want out of their place.
cp hostile.xml "$1"
printf '\\033[2J\\033]0;owned\\007 not for a terminal\\n'
exit 1
"""

PAYLOADS = [
    "<script>alert(1)</script>", "\x1b[2J\x1b]0;owned\x07", "=cmd|' /C calc'!A0", "\u202egnp.exe\u2066", "@SUM(1+1)",
    "</table></main><h1>HEALTHY</h1>", "| a | b |\n# heading\n```", "\u2028line\u0085two", "-1+1", "m" * (1 << 20)]
FORBIDDEN = [chr(code) for code in (*range(0, 9), 11, 12, *range(14, 32), 127, *range(0x80, 0xA0), 0x202E, 0x2066, 0x2028)]


def hostile():
    """Hostile names and messages through every output: script, escapes, formulas, marks, a megabyte."""
    case = Case("golden-hostile")
    case.script("hostile.sh", HOSTILE)
    cases = "".join(
        "<testcase classname={} name={} time='0.1'><failure message={}>{}</failure></testcase>".format(
            *[quoteattr(text) for text in (f"c{index}", payload[:200], payload)], escape(payload))
        for index, payload in enumerate(PAYLOADS))
    # XML 1.0 has no control characters; the reader is lenient, as real tools write them.
    (case.folder / "hostile.xml").write_bytes(f"<testsuite name='h'>{cases}</testsuite>".encode())
    case.settings["suites"] = [{"name": "hostile", "priority": "P0", "command": ["./hostile.sh", "{report}"]}]
    record = case.once(status=1)
    equal(record["suites"][0]["totals"]["failed"], len(PAYLOADS), "hostile: failed tests")
    outputs = {name: case.run(*words) for name, words in {
        "show": ["show"], "show --markdown": ["show", "--markdown"], "show --html": ["show", "--html"],
        "junit": ["show", "--format", "junit"], "ctrf": ["show", "--format", "ctrf"],
        "intoto": ["show", "--format", "intoto"], "why": ["why"], "why --json": ["why", "--json"], "tail": ["tail"],
        "tail --json": ["tail", "--json"], "cycles": ["cycles"], "status": ["status"], "gate": ["gate"],
        "status --json": ["status", "--json"], "report": ["report"], "report --markdown": ["report", "--markdown"],
        "report --html": ["report", "--html", "-"], "report --json": ["report", "--json"]}.items()}
    # What a service answers is as hostile as what a test prints.
    case.write("answer", "".join(PAYLOADS))
    case.settings["health"]["checks"] = [
        {"name": "door", "command": {"command": ["cat", "answer"]}, "expect": {"contains": "never there"}}]
    outputs["probe"] = case.run("probe", status=1)
    outputs["probe --json"] = case.run("probe", "--json", status=1)
    outputs["csv"] = case.run("show", "--format", "csv").replace("\r\n", "\n")
    for name, file in (("report.html", "report.html"), ("report.md", "report.md"), ("cycle.log", "../../cycle.log")):
        outputs[name] = (case.cycle_folder() / file).read_text()
    for name, text in outputs.items():
        found = [repr(character) for character in FORBIDDEN if character in text]
        if found or not text:
            raise Failure(f"hostile: {name} holds {', '.join(found) or 'nothing'}")
        if len(text) > 4_000_000:
            raise Failure(f"hostile: {name} is {len(text)} characters long")
    for name in ("show --html", "report --html", "report.html"):
        for part in ("<script", "<h1>HEALTHY", "alert(1)</script"):
            lacks(outputs[name], part, f"hostile: {name}")
    xml.etree.ElementTree.fromstring(outputs["junit"])
    for name in ("ctrf", "intoto", "why --json", "status --json", "report --json", "probe --json"):
        json.loads(outputs[name])
    rows = list(csv.reader(outputs["csv"].splitlines()))
    equal({len(row) for row in rows}, {11}, "hostile: columns of the CSV")
    for cell in (cell.lstrip(' "') for row in rows for cell in row):
        if cell[:1] in tuple("=+-@|%\t"):
            raise Failure(f"hostile: the CSV has the cell {cell[:40]!r}")
    return case
