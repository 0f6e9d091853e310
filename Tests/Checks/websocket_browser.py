#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A browser as the client of Nightjar's WebSocket server: text and binary of all sizes, answers in fragments, closing.

Then the same browser with the demo's live service: a session with a token in the subprotocol, an echo, a stream, a
resumed session, and a token that is refused.

usage: websocket_browser.py --nightjar PATH --work DIR
"""
import argparse
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from browser import Browser

ECHO = """(async port => {
  const problems = [];
  const open = protocols => new Promise((done, fail) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => done(socket);
    socket.onerror = () => fail(new Error("no connection"));
  });
  const next = socket => new Promise((done, fail) => {
    socket.onmessage = event => done(event.data);
    socket.onclose = event => fail(new Error(`closed with ${event.code}`));
  });
  const closed = socket => new Promise(done => { socket.onclose = done; });
  const same = (data, bytes) => {
    const got = new Uint8Array(data);
    return got.length === bytes.length && got.every((byte, at) => byte === bytes[at]);
  };
  let messages = 0;

  const socket = await open(["nothing", "chat.v2"]);
  if (socket.protocol !== "chat.v2") problems.push(`the subprotocol is '${socket.protocol}'`);
  for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 8 << 20]) {
    const text = "*".repeat(size);
    let answer = next(socket);
    socket.send(text);
    if (await answer !== text) problems.push(`text of ${size}`);
    const bytes = new Uint8Array(size).map((_, i) => i * 7);
    answer = next(socket);
    socket.send(bytes);
    if (!same(await answer, bytes)) problems.push(`binary of ${size}`);
    messages += 2;
  }
  const unicode = "Hello-\\u00b5\\u00df\\u00e4-\\u03ba\\u03cc\\u03c3\\u03bc\\u03b5-\\u{1f319}".repeat(100);
  const answer = next(socket);
  socket.send(unicode);
  if (await answer !== unicode) problems.push("text beyond ASCII");

  // A hundred at once, which must come back in order.
  const order = [];
  const all = new Promise(done => {
    socket.onmessage = event => { order.push(event.data); if (order.length === 100) done(); };
  });
  for (let n = 0; n < 100; n++) socket.send(String(n));
  await all;
  if (order.some((data, n) => data !== String(n))) problems.push("the order of a hundred messages");
  messages += 101;

  for (const [code, reason] of [[1000, ""], [1000, "done"], [3001, "\\u00fcber"], [4999, "x".repeat(123)]]) {
    const other = await open(["echo"]);
    const end = closed(other);
    other.close(code, reason);
    const event = await end;
    if (!event.wasClean || event.code !== code || event.reason !== reason)
      problems.push(`close ${code} '${reason}' came back as ${event.code} '${event.reason}', clean ${event.wasClean}`);
  }
  const many = await Promise.all(Array.from({length: 100}, () => open([])));
  const answers = await Promise.all(many.map((one, n) => { const said = next(one); one.send(`n${n}`); return said; }));
  if (answers.some((data, n) => data !== `n${n}`)) problems.push("a hundred sockets side by side");
  many.forEach(one => one.close());
  const end = closed(socket);
  socket.close();
  if ((await end).code !== 1005 && !(await end).wasClean) problems.push("the last close");
  return {messages, problems};
})"""

LIVE = """(async (port, token, forged) => {
  const connect = token => new Promise((done, fail) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, ["live.v1", `bearer.${token}`]);
    const seen = [], waiting = [];
    socket.onmessage = event => {
      seen.push(JSON.parse(event.data));
      waiting.slice().forEach(look => look());
    };
    const expect = test => new Promise((found, lost) => {
      const look = () => { const one = seen.find(test); if (one) found(one); };
      waiting.push(look);
      look();
      setTimeout(() => lost(new Error("no such message: " + test)), 20000);
    });
    socket.onopen = () => done({socket, seen, expect, say: what => socket.send(JSON.stringify(what))});
    socket.onclose = event => fail(new Error(`refused, ${event.code}`));
  });
  const problems = [];
  const first = await connect(token);
  if (first.socket.protocol !== "live.v1") problems.push("the subprotocol");
  const welcome = await first.expect(m => m.type === "welcome");
  first.say({type: "echo", id: "here"});
  await first.expect(m => m.type === "echo" && m.id === "here");
  first.say({type: "stream", count: 40, interval: 5});
  await first.expect(m => m.type === "stream-end");
  const numbers = first.seen.filter(m => m.seq).map(m => m.seq);
  if (numbers.some((n, at) => n !== at + 1)) problems.push(`the events came as ${numbers}`);
  await first.expect(m => m.type === "heartbeat");
  const gone = new Promise(done => { first.socket.onclose = done; });
  first.socket.close(1000);
  if (!(await gone).wasClean) problems.push("the close was not clean");
  const second = await connect(token);
  await second.expect(m => m.type === "welcome");
  second.say({type: "resume", resume: welcome.resume, last: 10});
  const resumed = await second.expect(m => m.type === "resumed");
  if (resumed.session !== welcome.session) problems.push("another session came back");
  await second.expect(m => m.type === "stream-end");
  const replayed = second.seen.filter(m => m.seq).map(m => m.seq);
  if (replayed[0] !== 11 || replayed.length !== numbers.length - 10) problems.push(`replayed: ${replayed}`);
  second.socket.close();
  try { await connect(forged); problems.push("a forged token was let in"); } catch (error) {}
  return {events: numbers.length, replayed: replayed.length, problems};
})"""


def echo_server(nightjar, *more):
    process = subprocess.Popen([nightjar, "__demo-echo", "--listen", "0", *more], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def with_echo(tab, nightjar, problems):
    for name, more in (("whole answers", []), ("answers in fragments of 1000 bytes", ["--fragments", "1000"])):
        process, port = echo_server(nightjar, *more)
        try:
            found = tab.run(f"{ECHO}({port})")
        finally:
            process.kill()
            process.wait()
        problems += [f"{name}: {problem}" for problem in found["problems"]]
        print(f"   a browser with Nightjar's server, {name}: {found['messages']} messages, 105 connections")


def with_live_service(tab, nightjar, work, problems):
    root = Path(work, "live")
    process = subprocess.Popen([nightjar, "__demo-live", "--root", str(root)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not ((root / "port").exists() and (root / "port").read_text().endswith("\n")):
            if time.monotonic() > deadline or process.poll() is not None:
                problems.append("the live service does not start")
                return
            time.sleep(0.05)
        port = int((root / "port").read_text())
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/login", data=b'{"user": "ada", "password": "staging"}', method="POST")
        with urllib.request.urlopen(request, timeout=20) as answer:
            token = json.load(answer)["token"]
        forged = token[:-3] + ("A" if token[-3] != "A" else "B") + token[-2:]
        found = tab.run(f"{LIVE}({port}, {json.dumps(token)}, {json.dumps(forged)})")
        problems += [f"live service: {problem}" for problem in found["problems"]]
        print(f"   a browser with the live service: {found['events']} events in order, {found['replayed']} replayed to "
              "the resumed session, a forged token refused")
    finally:
        process.terminate()
        process.wait(20)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--nightjar", required=True)
    options.add_argument("--work", required=True)
    arguments = options.parse_args()
    problems = []
    browser = Browser(Path(arguments.work, "browser"))
    try:
        tab = browser.tab()
        with_echo(tab, arguments.nightjar, problems)
        with_live_service(tab, arguments.nightjar, arguments.work, problems)
    finally:
        browser.end()
    for problem in problems:
        print("FAILED:", problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
