"""
Cases that print TAP.

A case is a function that raises when something is wrong.  Cases share a
fixture (a context manager made once); a case that fails gets the fixture's
notes printed beside the traceback, and the next one a new fixture.
"""

import concurrent.futures
import contextlib
import os
import re
import signal
import sys
import time
import traceback

cases = []
FULL = os.environ.get("POSTERN_TESTS") == "full"


class Skip(Exception):
    """Raised by a case that cannot run here; the text says why."""


def case(name, *args):
    """Decorator: register a function as a case, with args after the fixture."""
    def register(function):
        cases.append((name, function, args))
        return function
    return register


def add(name, function, *args):
    cases.append((name, function, args))


def same(got, want, what="value"):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def has(text, part, what="text"):
    if part not in text:
        raise AssertionError(f"{what}: no {part!r} in {text!r}")


def matches(text, pattern, what="text"):
    found = re.search(pattern, text)
    if not found:
        raise AssertionError(f"{what}: {text!r} does not match {pattern!r}")
    return found


def wait(condition, seconds=15, what=None, step=0.02):
    """Poll until condition() is true; its value.  Fails after seconds."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= until:
            raise AssertionError(f"not within {seconds} s: "
                                 f"{what or condition.__name__}")
        time.sleep(step)


def each(function, items, workers=8):
    """Call function for every item, several at a time; raises the first
    error."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(function, item) for item in items]:
            done.result()


def comment(text):
    for line in str(text).rstrip().splitlines():
        print("#", line.encode("ascii", "backslashreplace").decode())
    sys.stdout.flush()


def chosen():
    """The cases to run: all, or those with a word of the command line."""
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    return [c for c in cases
            if not words or any(w in c[0] for w in words)]


def _terminate(signum, frame):
    sys.exit(124)


def main(fixture=None):
    """
    Run the registered cases, or those whose names hold a word of the command
    line, and exit.  fixture() is a context manager; its check() is called
    after each case when there is one, its notes() after a failure.
    """
    # Fixtures clean up in __exit__, so a termination must unwind the stack.
    signal.signal(signal.SIGTERM, _terminate)
    work = chosen()
    print(f"1..{len(work)}", flush=True)
    failed = 0
    stack = contextlib.ExitStack()
    site = unfit = None
    with stack:
        for number, (name, function, args) in enumerate(work, 1):
            began = time.monotonic()
            problem = skipped = None
            try:
                if unfit is not None:
                    raise unfit
                if fixture and site is None:
                    site = stack.enter_context(fixture())
                if fixture:
                    function(site, *args)
                    getattr(site, "check", lambda: None)()
                else:
                    function(*args)
            except Skip as e:
                skipped = str(e)
                if fixture and site is None:
                    unfit = e
            except Exception:
                problem = traceback.format_exc()
            took = time.monotonic() - began
            if skipped is not None:
                print(f"ok {number} - {name} # SKIP {skipped}", flush=True)
            elif problem is None:
                print(f"ok {number} - {name}", flush=True)
                if took > 10:
                    comment(f"took {took:.0f} s")
            else:
                failed += 1
                print(f"not ok {number} - {name}", flush=True)
                comment(problem)
                if site is not None and hasattr(site, "notes"):
                    comment(site.notes())
                try:
                    stack.close()
                except Exception:
                    comment("while cleaning up: " + traceback.format_exc())
                site = None
        try:
            stack.close()
        except Exception:
            print(f"not ok {len(work) + 1} - everything stops cleanly")
            comment(traceback.format_exc())
            failed += 1
    sys.exit(1 if failed else 0)
