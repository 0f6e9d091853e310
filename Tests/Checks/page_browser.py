# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: light and dark, wide and narrow, by keyboard, for a screen reader, on paper.

axe-core judges the pages where its script can be had: NIGHTJAR_AXE names axe.min.js, or the package axe-playwright-python
brings it. NIGHTJAR_SCREENSHOTS names a folder to keep pictures in.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import browser as browsers
from harness import check

LOOKS = {"wide": (1280, False), "wide-dark": (1280, True), "narrow": (390, False), "narrow-dark": (390, True)}
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"

# What the keyboard is on: where it is, whether that can be seen, and whether it is shown that it is there.
FOCUS = """(() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const order = [...document.querySelectorAll('*')].indexOf(one);
  return {order, tag: one.tagName, words: (one.getAttribute('aria-label') || one.textContent).trim().slice(0, 60),
    isShown: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    isMarked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2};
})()"""


def axe(work):
    """The text of axe-core, or why there is none."""
    named = os.environ.get("NIGHTJAR_AXE")
    if named:
        return Path(named).read_text(), None
    folder = Path(work, "axe")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest",
         str(folder), "axe-playwright-python"], capture_output=True, text=True, timeout=120)
    for wheel in sorted(folder.glob("*.whl")) if done.returncode == 0 else []:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith("axe.min.js"):
                    return archive.read(name).decode(), None
    return None, "axe-core cannot be had: no package index"


def places(base, documents):
    """One page of each kind."""
    number = documents(base + "/api/v1/loops/api/cycles?limit=1")["cycles"][0]["cycle"]
    return {"overview": "/", "loop": "/loops/api", "calm": "/loops/shop", "stopped": "/loops/old", "empty": "/loops/fresh",
            "cycles": "/loops/api/cycles", "cycle": f"/loops/api/cycles/{number}", "missing": "/nothing"}


def looks(tab, base, pages, script, shots):
    """Every page in every look: nothing breaks the policy, nothing sticks out, axe finds nothing."""
    judged = 0
    for name, place in pages.items():
        for look, (width, dark) in LOOKS.items():
            tab.look(width, dark=dark)
            tab.go(base + place)
            if place in ("/", "/loops/api", "/loops/shop"):
                tab.until("document.getElementById('live').textContent === 'live'", f"{name} is live")
            wide = tab.run("document.documentElement.scrollWidth - innerWidth")
            check(wide <= 0, f"{name}, {look}: {wide} pixels stick out at the side")
            if shots:
                tab.screenshot(Path(shots, f"{name}-{look}.png"))
            if script:
                tab.run(script + ";0")
                found = tab.run(f"axe.run(document, {{runOnly: {RULES}}}).then(r => r.violations.map(v => v.id + ': ' + "
                                "v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; ')))")
                check(not found, f"{name}, {look}: axe has {found}")
                judged += 1
            complaints = [line for line in tab.complaints() if name != "missing" or "404" not in line]
            check(not complaints, f"{name}, {look}: the browser complains: {complaints[:3]}")
    return f"{len(pages)} pages in {len(LOOKS)} looks: nothing breaks the policy or sticks out", judged


def keyboard(tab, base):
    """Tab goes through everything in order, each stop is seen and marked; the skip link leads to the content."""
    # A loop with an incident that waits: what changes under the keyboard is the matter of `stays`.
    tab.look(1280)
    tab.go(base + "/loops/files")
    tab.until("document.getElementById('live').textContent === 'live'", "the page is live")
    tab.press("Tab", 9)
    first = tab.run(FOCUS)
    check(first and first["words"].startswith("Skip") and first["isShown"], f"the first stop is {first}")
    tab.press("Enter", 13)
    tab.call("Input.dispatchKeyEvent", type="char", key="Enter", text="\r")
    tab.until("document.activeElement.id === 'content' || location.hash === '#content'", "the skip link leads somewhere")
    tab.go(base + "/loops/files")
    stops = []
    while len(stops) < 400:
        tab.press("Tab", 9)
        stop = tab.run(FOCUS)
        if stop is None or (stops and stop["order"] <= stops[-1]["order"]):
            break
        stops.append(stop)
    for stop in stops:
        check(stop["isShown"], f"a stop that cannot be seen: {stop}")
        check(stop["isMarked"], f"a stop that is not marked: {stop}")
    wanted = tab.run("""[...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
        .filter(one => one.checkVisibility({visibilityProperty: true})).length""")
    check(len(stops) == wanted, f"{len(stops)} stops, {wanted} things to stop at")
    return f"{len(stops)} stops by keyboard, each seen, marked and in order"


def tree(tab, base, documents):
    """What a screen reader gets: landmarks, one title, a name for everything that can be used, a polite live line."""
    tab.go(base + "/loops/api")
    nodes = [node for node in tab.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]

    def named(role):
        return [node.get("name", {}).get("value", "") for node in nodes if node["role"].get("value") == role]
    for role in ("banner", "navigation", "main", "contentinfo", "status"):
        check(len(named(role)) == 1, f"{len(named(role))} times the role {role}")
    for role in ("link", "DisclosureTriangle", "progressbar", "region"):
        check(all(name.strip() for name in named(role)), f"a {role} without a name")
    check(tab.run("document.querySelectorAll('h1').length") == 1, "not one h1")
    levels = tab.run("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))")
    check(all(after <= before + 1 for before, after in zip(levels, levels[1:])), f"headings jump: {levels}")
    live = [node for node in nodes if node["role"].get("value") == "status"]
    properties = {one["name"]: one["value"].get("value") for one in live[0].get("properties", [])}
    check(properties.get("live") == "polite", f"the line that says whether the page is live is {properties}")
    said = f"{len(named('link'))} links with names, {len(levels)} headings without a jump, four landmarks, a polite live line"
    number = documents(base + "/api/v1/loops/api/cycles?limit=1")["cycles"][0]["cycle"]
    return said + "; " + cycle_tree(tab, base, number)


def cycle_tree(tab, base, number):
    """A cycle page: its headings in the words of the report, tables with headers, figures with a name, no bare graphic."""
    tab.go(f"{base}/loops/api/cycles/{number}")
    nodes = [node for node in tab.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]

    def named(role):
        return [node.get("name", {}).get("value", "") for node in nodes if node["role"].get("value") == role]
    if os.environ.get("NIGHTJAR_SHOW"):
        for node in nodes:
            if node["role"].get("value") not in ("StaticText", "InlineTextBox", "generic"):
                print("      ", node["role"].get("value"), repr(node.get("name", {}).get("value", ""))[:100], flush=True)
    ways = named("navigation")
    check(len(ways) == 2 and len(set(ways)) == 2, f"the ways on and back of a cycle page are {ways}")
    for role in ("banner", "main", "contentinfo"):
        check(len(named(role)) == 1, f"a cycle page has {len(named(role))} times the role {role}")
    headings = named("heading")
    levels = [next(int(p["value"]["value"]) for p in node["properties"] if p["name"] == "level")
              for node in nodes if node["role"].get("value") == "heading"]
    check(levels and levels.count(1) == 1 and levels[0] == 1, f"headings of a cycle page: {levels}")
    check(all(after <= before + 1 for before, after in zip(levels, levels[1:])), f"headings jump: {levels}")
    check(all(name.strip() for name in headings), "a heading without words")
    check(any(f"{number}" in name for name in headings[:2]), f"the first headings are {headings[:2]}")
    for word in ("Suites", "Incidents", "Stages"):
        check(any(word.lower() in name.lower() for name in headings), f"no heading {word}: {headings}")
    for role in ("link", "image", "img", "figure", "DisclosureTriangle", "table"):
        bare = [name for name in named(role) if not name.strip()]
        check(not bare, f"a cycle page has {len(bare)} of {len(named(role))} times the role {role} without a name")
    columns = named("columnheader")
    check(bool(named("table")) == bool(columns), f"{len(named('table'))} tables, {len(columns)} column headers")
    return f"a cycle page with {len(headings)} headings, {len(named('table'))} tables and {len(columns)} column headers, all named"


def stays(tab, base, loop):
    """Changes come without a new page, and the keyboard stays where it is, although what it is on is made anew."""
    tab.go(base + "/loops/mail")
    tab.until("document.getElementById('live').textContent === 'live'", "the page is live")
    # Its link has a twin: the newest green cycle is this one, too.
    tab.run("window.mark = 'the same page'; document.querySelector('.cell').focus(); window.old = document.activeElement; 0")
    status, said = loop.run("resume")
    check(status == 0, f"resume: {said}")
    tab.until("document.querySelectorAll('.cell').length >= 3", "three cycles are on the page")
    status, said = loop.run("pause", "--for", "3h", "--reason", "the party goes on")
    check(status == 0, f"pause: {said}")
    tab.until("document.body.textContent.includes('the party goes on')", "the new reason is on the page")
    check(tab.run("window.mark") == "the same page", "the page was loaded anew")
    check(tab.run("window.old !== document.querySelector('.cell')"), "the strip was not made anew")
    check(tab.run("document.activeElement === document.querySelector('.cell')"),
          f"the keyboard lost its place: {tab.run('document.activeElement.outerHTML')}")
    return "changes come by themselves, and the keyboard stays where it is"


def paper(tab, base, pages, shots):
    """On paper: no navigation, everything on the sheet."""
    tab.look(794, media="print")
    tab.go(base + pages["loop"])
    hidden = tab.run("['nav', 'footer', '#live', '.skip'].filter(s => getComputedStyle(document.querySelector(s)).display !== 'none')")
    check(not hidden, f"printed although it is of no use there: {hidden}")
    check(tab.run("[...document.querySelectorAll('.log')].every(l => l.scrollHeight <= l.clientHeight + 2)"),
          "the log is cut on paper")
    if shots:
        tab.screenshot(Path(shots, "loop-print.png"))
    size = len(tab.call("Page.printToPDF", printBackground=False)["data"]) * 3 // 4
    check(size > 5000, f"a PDF of {size} bytes")
    tab.look(1280)
    return f"on paper without navigation, {size // 1024} kB of PDF"


def part(base, work, documents, loop):
    """All of it, one line for each part; or why there is nothing."""
    if not browsers.program():
        yield "no browser here"
        return
    shots = os.environ.get("NIGHTJAR_SCREENSHOTS")
    script, missing = axe(work)
    one = browsers.Browser(Path(work, "browser"))
    try:
        tab = one.tab()
        pages = places(base, documents)
        said, judged = looks(tab, base, pages, script, shots)
        yield said
        yield f"axe-core finds nothing in {judged} looks" if script else missing
        yield keyboard(tab, base)
        yield tree(tab, base, documents)
        yield stays(tab, base, loop)
        yield paper(tab, base, pages, shots)
        text = tab.run("(document.scripts.length === 1) && !document.documentElement.outerHTML.includes('alert(1)</script>')")
        check(text, "a script came through")
    except browsers.BrowserFailure as failure:
        check(False, str(failure))
    finally:
        one.end()
