# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven over its debugging port with the raw frames of websocket.py: no library is needed."""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from websocket_frames import CLOSE, TEXT, as_client


def program():
    """The browser that is installed, or None."""
    return shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


class BrowserFailure(Exception):
    pass


class Browser:
    """One browser process with a profile of its own in `folder`."""

    def __init__(self, folder, patience=60):
        self.folder, self.patience = Path(folder), patience
        self.process = subprocess.Popen(
            [program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--force-color-profile=srgb", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + patience
        port = self.folder / "DevToolsActivePort"
        while not (port.exists() and port.read_text().count("\n")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise BrowserFailure("the browser does not start")
            time.sleep(0.1)
        self.port = int(port.read_text().splitlines()[0])

    def tab(self):
        """A new tab on an empty page."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=self.patience) as answer:
            address = json.load(answer)["webSocketDebuggerUrl"]
        return Tab(self.port, "/" + address.split("/", 3)[3], self.patience)

    def end(self):
        """Ends the browser and the processes that it started: they are a session of their own."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(20)


class Tab:
    """One page. Calls wait for their answers; events that come meanwhile are kept in `events`."""

    def __init__(self, port, path, patience):
        self.peer = as_client(port, path)
        self.peer.sock.settimeout(patience)
        self.patience, self.number, self.events = patience, 0, []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def _read(self):
        opcode, payload = self.peer.message()
        if opcode == CLOSE:
            raise BrowserFailure("the tab is gone")
        return json.loads(payload) if opcode == TEXT else {}

    def call(self, method, **parameters):
        self.number += 1
        self.peer.send(self.peer.frame(TEXT, json.dumps(
            {"id": self.number, "method": method, "params": parameters}).encode()))
        while True:
            said = self._read()
            if said.get("id") == self.number:
                if "error" in said:
                    raise BrowserFailure(f"{method}: {said['error']}")
                return said["result"]
            if "method" in said:
                self.events.append(said)

    def wait(self, method):
        """Until an event has come, which may have been before."""
        while not any(event["method"] == method for event in self.events):
            said = self._read()
            if "method" in said:
                self.events.append(said)

    def go(self, url):
        self.events = []
        said = self.call("Page.navigate", url=url)
        if "errorText" in said:
            raise BrowserFailure(f"{url}: {said['errorText']}")
        self.wait("Page.loadEventFired")

    def run(self, script):
        """The value of a script, which may be a promise."""
        said = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            details = said["exceptionDetails"]
            raise BrowserFailure(str(details.get("exception", {}).get("description", details)))
        return said["result"].get("value")

    def until(self, script, what, seconds=30):
        deadline = time.monotonic() + seconds
        while not self.run(script):
            if time.monotonic() > deadline:
                raise BrowserFailure(f"the page never came to this: {what}")
            time.sleep(0.1)

    def press(self, key, code=0):
        """A key as a person presses it: `Tab`, `Enter`."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      nativeVirtualKeyCode=code)

    def look(self, width, height=800, dark=False, media="screen"):
        """What the page is looked at with."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            # Nothing that is looked at is on its way.
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def screenshot(self, path, whole=True):
        said = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(said["data"]))

    def complaints(self):
        """What the browser's console has: errors, warnings, breaches of the policy."""
        found = []
        for event in self.events:
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning"):
                entry = event["params"]["entry"]
                found.append(f'{entry["text"]} {entry.get("url", "")}')
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"].get("text")))
        return found
