# SPDX-License-Identifier: Apache-2.0
"""Stories about a loop, told one after the other: each is a function that takes a Loop and answers a line about it."""

import sys

from harness import Failure, Loop, binary, wait_for

STORIES = []


class Skip(Exception):
    """Why a story cannot be told here."""


def story(function):
    STORIES.append(function)
    return function


def begun(loop, cycle, folder, seconds=15):
    wait_for(
        seconds, lambda: any(line.endswith(f" {cycle} {folder}") for line in loop.effects()),
        f"the command of {folder} in cycle {cycle}")


def tell_all():
    """Tells the stories whose names contain one of the arguments, or all; the status is 1 where one did not hold."""
    names = sys.argv[1:]
    failed = 0
    for function in STORIES:
        if names and not any(name in function.__name__ for name in names):
            continue
        loop = Loop(binary())
        name = function.__name__.replace("_", " ")
        try:
            print(f"   {name}: {function(loop)}", flush=True)
        except Skip as reason:
            print(f"   {name}: skipped, {reason}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"   {name}: FAILED: {failure}; evidence in {loop.folder}", flush=True)
            if loop.process and loop.process.poll() is None:
                loop.process.kill()
            continue
        loop.remove()
    sys.exit(1 if failed else 0)

