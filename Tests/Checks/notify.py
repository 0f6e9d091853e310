# SPDX-License-Identifier: Apache-2.0
"""Notifications against real receivers: a scripted HTTP server that fails, stalls and answers 429, a command, a mail
program, and an Alertmanager where one is installed.

    notify.py [STORY...]     each story is a function below; NIGHTJAR names the binary
"""

import concurrent.futures
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from harness import Failure, Loop, check, wait_for
from remedy import Shop

NIGHTJAR = os.environ["NIGHTJAR"]


class Skipped(Exception):
    """Why a story was not tried."""


class Receiver:
    """Takes what is posted. `plan` holds what the next requests are answered: a status, `429 N`, or `stall`."""

    def __init__(self, *plan):
        receiver = self
        self.plan = list(plan)
        self.taken = []
        self.seen = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def do_GET(self):
                self.answer(b"")

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer(self, body):
                receiver.seen += 1
                step = str(receiver.plan.pop(0)) if receiver.plan else "200"
                if step == "stall":
                    time.sleep(60)
                    return
                status, _, after = step.partition(" ")
                if status == "200":
                    receiver.taken.append((self.path, dict(self.headers), body))
                self.send_response(int(status))
                if after:
                    self.send_header("Retry-After", after)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def bodies(self):
        return [json.loads(body) for _, _, body in list(self.taken)]


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def loop(**settings):
    one = Loop(NIGHTJAR, name="night", **settings)
    one.settings["remedy"] = {"allow": []}
    one.settings["paging"] = {"holdFor": "1s"}
    return one


def breaks(one):
    """A green cycle, then a revision that fails and stays: nothing is rolled back."""
    wait_for(40, lambda: one.sealed(), "a first cycle")
    one.write("wanted", "bad-2")
    wait_for(60, lambda: any((one.document(n) or {}).get("verdict") == "failing" for n in one.sealed()), "a red cycle")


def story_every_form(_):
    """Each kind of receiver gets its own form of the same page; signatures hold; secrets are in no argument."""
    duty, chat, hook = Receiver(), Receiver(), Receiver()
    one = loop()
    one.write("chat-url", chat.url)
    one.write("key", "routing-key-1")
    one.write("hook-secret", "whsec")
    one.script("page.sh", "#!/bin/sh\ncat >> paged; echo >> paged\n")
    one.script("mailer.sh", "#!/bin/sh\ncat > mail\n")
    one.settings["notify"] = [
        {"slack": {"url": {"fromFile": "chat-url"}}},
        {"pagerduty": {"routingKey": {"fromFile": "key"}, "url": duty.url}},
        {"webhook": {"url": hook.url, "secret": {"fromFile": "hook-secret"}}, "levels": ["page"]},
        {"email": {"to": ["ops@example.org"], "from": "nightjar@example.org", "program": [str(one.folder / "mailer.sh")]}},
        {"command": ["./page.sh"]},
    ]
    one.save()
    one.start()
    breaks(one)
    wait_for(60, lambda: duty.taken and chat.taken and hook.taken and (one.folder / "paged").exists()
             and (one.folder / "mail").exists(), "all five receivers")
    event = duty.bodies()[0]
    check(event["routing_key"] == "routing-key-1" and event["event_action"] == "trigger", f"PagerDuty got {event}")
    check(event["dedup_key"].startswith("night/INC-"), f"its key is {event['dedup_key']}")
    details = " ".join(event["payload"]["custom_details"].values())
    for word in ("beta", "bad-2", "nightjar why", "Staging serves", "Since"):
        check(word in details + event["payload"]["summary"], f"the page does not say {word}: {details}")
    _, headers, body = hook.taken[0]
    signed = headers["X-Nightjar-Timestamp"].encode() + b"." + body
    wanted = "sha256=" + hmac.new(b"whsec", signed, hashlib.sha256).hexdigest()
    check(headers["X-Nightjar-Signature"] == wanted, "the webhook's signature is wrong")
    check(all("blocks" in message for message in chat.bodies()), "Slack got no blocks")
    mail = (one.folder / "mail").read_text()
    check("To: ops@example.org" in mail and "Subject: [page]" in mail, f"the mail is {mail[:300]}")
    page = json.loads((one.folder / "paged").read_text().splitlines()[0])
    check(page["level"] == "page", "the command got no page")
    # It goes out with the cycle that decides it, not with the next look of 15 s.
    wait = moment(page["at"]) - moment(one.document(page["cycle"])["endedAt"])
    check(wait < 8, f"the page was decided {wait:.1f} s after its cycle")
    one.write("wanted", "good-3")
    wait_for(90, lambda: any(e["event_action"] == "resolve" for e in duty.bodies()), "the end of the incident")
    keys = {e["dedup_key"] for e in duty.bodies()}
    check(len(keys) == 1, f"one incident has the keys {keys}")
    one.stop()
    return one


def story_receivers_that_fail(_):
    """One receiver answers 503, 429 and then nothing for a while; another one is not held up, and nothing is sent twice."""
    bad, good = Receiver("503", "429 1", "stall"), Receiver()
    one = loop()
    one.settings["notify"] = [
        {"name": "bad", "webhook": {"url": bad.url}}, {"name": "good", "webhook": {"url": good.url}},
        {"name": "refuses", "webhook": {"url": good.url.replace("/hook", "/gone")}},
    ]
    one.save()
    one.start()
    began = time.monotonic()
    breaks(one)
    wait_for(60, lambda: good.taken, "the receiver that works")
    cycles = len(one.sealed())
    wait_for(150, lambda: bad.taken, "the receiver that came back")
    check(len(one.sealed()) >= cycles, "the loop was held up")
    ids = [body["id"] for body in bad.bodies()]
    check(len(ids) == len(set(ids)), f"sent twice: {ids}")
    check("spooled, next try" in one.log(), "the log does not say that it was spooled")
    check(time.monotonic() - began < 240, "too slow")
    one.stop()
    return one


def story_killed(_):
    """kill -9 while the receiver is down: the page comes exactly once after the restart."""
    duty = Receiver("503")
    one = loop()
    one.settings["notify"] = [{"webhook": {"url": duty.url}, "levels": ["page"]}]
    one.save()
    one.start()
    breaks(one)
    wait_for(60, lambda: duty.seen >= 1, "a first attempt")
    for _ in range(3):
        one.kill(signal.SIGKILL)
        one.wait()
        one.start()
        time.sleep(0.4)
    wait_for(120, lambda: duty.taken, "the page after the restarts")
    time.sleep(17)
    pages = [body for body in duty.bodies() if body["kind"] == "opened" and body.get("incident")]
    check(len(pages) == len({p["key"] for p in pages}), f"paged more than once: {[p['id'] for p in pages]}")
    one.stop()
    return one


def story_deadman(_):
    """The sign of life comes while the loop lives, with the newest seal, and stops with it."""
    life = Receiver()
    one = loop()
    one.settings["deadman"] = {"url": life.url, "every": "1s"}
    one.save()
    one.start()
    wait_for(60, lambda: any("X-Nightjar-Seal" in headers for _, headers, _ in life.taken), "a ping with a seal")
    wait_for(30, lambda: "deadmanTakenAt" in one.run("status", "--json")[1], "the status that says so")
    one.stop()
    count = len(life.taken)
    time.sleep(2)
    check(len(life.taken) == count, "a dead loop sends signs of life")
    return one


SAYS = {
    "what fails": ("Fails: shop::pear",), "since when": ("Since 20",), "what staging serves": ("Staging serves",),
    "what is likely": ("Likely", "Possible", "Proven", "Cause:"), "what is ruled out": ("Ruled out: ",),
    "what comes next": ("Nightjar waits", "Nightjar deploys"),
}


def says_all(page, command):
    """A page answers every question of somebody who was asleep, and the first command is the one to type."""
    for what, words in SAYS.items():
        check(any(fact.startswith(word) for word in words for fact in page["facts"]),
              f"a page does not say {what}: {json.dumps(page, indent=1)}")
    check(page["commands"][0] == command, f"the first command is {page['commands']}")
    if os.environ.get("NIGHTJAR_SHOW"):
        print("\n".join(["", page["title"], *("  " + fact for fact in page["facts"]),
                         *("  $ " + one for one in page["commands"])]), flush=True)


def story_rollback_failed(_):
    """The way back is gone and fails: a page at once, and it says why and what is live."""
    duty = Receiver()
    one = Shop(NIGHTJAR, allow=["rollback"])
    one.settings["paging"] = {"holdFor": "45m"}
    one.settings["notify"] = [{"webhook": {"url": duty.url}, "levels": ["page"]}]
    one.script("back.sh", "#!/bin/sh\necho \"no artifact of $1 is kept any more\" >&2\nexit 3\n")
    one.settings["deploy"]["rollback"] = ["./back.sh", "{lastGreen}"]
    one.save()
    good = one.history()
    one.start()
    one.sealed_as(good)
    one.break_it()
    wait_for(90, lambda: duty.taken, "the page")
    page = duty.bodies()[0]
    says_all(page, "nightjar why INC-1")
    # A commit before the culprit may have become green meanwhile.
    green = wait_for(30, lambda: one.document(page["cycle"]), "its cycle")["revision"]["lastGreen"]
    check(f"NOT restored: the rollback to {green[:7]} failed: " in page["facts"][0], f"the first fact is {page['facts'][0]}")
    check(f"no artifact of {green} is kept any more" in page["facts"][0], f"why it failed is not said: {page['facts'][0]}")
    live = (one.folder / "live").read_text()
    served = next(fact for fact in page["facts"] if fact.startswith("Staging serves"))
    check(live[:7] in served or "unknown" in served, f"{live} is live, and the page says {served}")
    one.stop()
    return one


def story_asks(_):
    """A question pages with both answers, about the revision that is live now; its answer ends it."""
    duty = Receiver()
    one = Shop(NIGHTJAR, allow=[], approve=["rollback"])
    one.settings["paging"] = {"holdFor": "1s"}
    one.settings["notify"] = [{"webhook": {"url": duty.url}, "levels": ["page"]}]
    one.save()
    good = one.history()
    one.start()
    one.sealed_as(good)
    culprit, wanted = one.break_it()
    wait_for(90, lambda: duty.taken, "the question")
    page = duty.bodies()[0]
    says_all(page, "nightjar approve INC-1 rollback")
    found = re.match(f"{one.name} asks: INC-1 rollback to ([0-9a-f]{{7}})\\? P0 shop::pear: too dear on {wanted[:7]}$", page["title"])
    check(found and found.group(1) not in (culprit[:7], wanted[:7]), f"the title is {page['title']}")
    check(page["commands"][1:] == ["nightjar reject INC-1", "nightjar why INC-1"], f"commands: {page['commands']}")
    live = (one.folder / "live").read_text()
    served = next(fact for fact in page["facts"] if fact.startswith("Staging serves"))
    end = "which fails: HOLD" if live == wanted else "left there by an experiment"
    check(live[:7] in served and served.endswith(end), f"{live} is live: {served}")
    check(any(culprit[:7] in fact for fact in page["facts"]), f"the culprit is not named: {page['facts']}")
    status, said = one.run(*page["commands"][0].split()[1:], "--by", "ada")
    check(status == 0, f"the command of the page: {status} {said}")
    wait_for(90, lambda: any(b["kind"] == "resolved" for b in duty.bodies()), "the end of the question")
    wait_for(60, lambda: (one.folder / "live").read_text().startswith(found.group(1)), "the way back that was allowed")
    check(len([b for b in duty.bodies() if b["kind"] == "opened"]) == 1, f"pages: {[b['id'] for b in duty.bodies()]}")
    one.stop()
    return one


def story_quiet(_):
    """In quiet hours chat waits and a page does not, although the chat about it was decided first; the end is told to all."""
    both, chat = Receiver(), Receiver()
    one = loop()
    one.settings["paging"] = {"holdFor": "2s", "quietHours": {"from": "00:00", "to": "23:59", "timeZone": "UTC"}}
    one.settings["notify"] = [{"name": "both", "webhook": {"url": both.url}},
                              {"name": "chat", "webhook": {"url": chat.url}, "levels": ["chat"]}]
    one.save()
    one.start()
    breaks(one)
    wait_for(60, lambda: both.taken, "the page")
    check([b["level"] for b in both.bodies()] == ["page"], f"{[b['id'] for b in both.bodies()]}")
    check(not chat.taken, f"chat in quiet hours: {chat.bodies()}")
    one.write("wanted", "good-3")
    wait_for(90, lambda: any(b["kind"] == "resolved" for b in both.bodies()), "the end")
    wait_for(30, lambda: any(b["kind"] == "resolved" for b in chat.bodies()), "the end, where the beginning was for chat")
    one.stop()
    return one


def story_refused(_):
    """A receiver that is gone for good loses a page: the others hear of it, and so does who asks for the status."""
    gone, other = Receiver(*["404"] * 50), Receiver()
    one = loop()
    one.settings["notify"] = [{"name": "gone", "webhook": {"url": gone.url}, "levels": ["page"]},
                              {"name": "other", "webhook": {"url": other.url}, "levels": ["ticket"]}]
    one.save()
    one.start()
    breaks(one)
    wait_for(90, lambda: any("gone did not get a message" in b["title"] for b in other.bodies()), "the ticket about it")
    status, said = one.run("status")
    check("gone" in said and "404" in said, f"the status does not say that a page was lost: {said}")
    one.stop()
    return one


def story_alertmanager(_):
    """A real Alertmanager takes the alert, groups it by its labels, and drops it at the end."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if not binary:
        raise Skipped("no Alertmanager here")
    folder = Path(tempfile.mkdtemp(prefix="nightjar-alertmanager."))
    (folder / "config.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    manager = subprocess.Popen(
        [binary, f"--config.file={folder / 'config.yml'}", f"--storage.path={folder}", f"--web.listen-address=127.0.0.1:{port}",
         "--cluster.listen-address="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def alerts():
            try:
                with urllib.request.urlopen(url + "/api/v2/alerts?active=true", timeout=2) as reply:
                    return json.load(reply)
            except OSError:
                return None
        wait_for(30, lambda: alerts() is not None, "Alertmanager")
        one = loop()
        one.settings["notify"] = [{"alertmanager": {"url": url}}]
        one.save()
        one.start()
        breaks(one)
        found = wait_for(60, alerts, "an alert")
        check(len(found) == 1 and found[0]["labels"]["key"].startswith("night/INC-"), f"alerts: {found}")
        check("beta" in found[0]["annotations"]["description"], "the alert does not say what fails")
        one.write("wanted", "good-3")
        wait_for(90, lambda: alerts() == [], "the end of the alert")
        one.stop()
        return one
    finally:
        manager.kill()
        manager.wait()
        shutil.rmtree(folder, ignore_errors=True)


def tell(name, story):
    """Runs one story; whether it holds."""
    began = time.monotonic()
    try:
        one = story(None)
        if one:
            one.remove()
        print(f"ok     {name} ({time.monotonic() - began:.0f} s)", flush=True)
    except Skipped as why:
        print(f"-      {name}: not tried, {why}", flush=True)
    except Failure as failure:
        print(f"FAILED {name}: {failure}", flush=True)
        return False
    return True


def main():
    stories = {name[6:]: story for name, story in globals().items() if name.startswith("story_")}
    names = sys.argv[1:] or list(stories)
    # They mostly wait, each for receivers and a loop of its own.
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        held = list(pool.map(lambda name: tell(name, stories[name]), names))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
