#!/usr/bin/python3
"""Thousands of guesses from one network: hardly any is evaluated, and the
account's owner notices nothing."""
# run: limit 120
# run: limit-all 400

import concurrent.futures
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from client import Closed
from postern import PASSWORD, Postern
from tap import FULL, comment, same

ALICE, BOB = "alice@example.org", "bob@example.org"
GUESSES = 10000 if FULL else 150
AT_ONCE = 500 if FULL else 150
OWNER = "127.8.0.1"


def guess(p, number):
    """Was it answered?"""
    who = (ALICE, BOB, f"nobody{number}@example.org")[number % 3]
    source = f"127.7.7.{number % 250 + 1}"  # all of them one network
    try:
        with p.smtp("implicit", source=source, timeout=60) as t:
            t.ehlo()
            reply = t.auth(who, f"guess {number}")
    except (Closed, OSError):
        return False
    if reply.lets_in:
        raise AssertionError("a guess was right")
    return True


def owner(p, stopped, times):
    while not stopped.is_set():
        with p.smtp("implicit", source=OWNER) as t:
            t.ehlo()
            began = time.monotonic()
            same(t.auth(ALICE, PASSWORD).lets_in, True)
            times.append((time.monotonic() - began) * 1000)
        time.sleep(0.05)


@tap.case(f"of {GUESSES} guesses fewer than 100 are evaluated")
def guesses(p):
    times, stopped = [], threading.Event()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE + 1) as pool:
        right = pool.submit(owner, p, stopped, times)
        try:
            answered = sum(pool.map(lambda n: guess(p, n),
                                    range(GUESSES)))
        finally:
            stopped.set()
        right.result()
    took = time.monotonic() - began
    reasons = [e["reason"] for e in p.events("auth.failed")]
    tried = sum(r in ("bad-password", "unknown-user") for r in reasons)
    times.sort()
    comment(f"{answered} answered in {took:.0f} s, {tried} evaluated; of "
            f"{len(times)} logins of the owner meanwhile the median took "
            f"{times[len(times) // 2]:.0f} ms, the longest {times[-1]:.0f} ms")
    if answered < GUESSES * 0.9:
        raise AssertionError(f"only {answered} were answered")
    # 20 at once for a network, and one a minute.
    if not 10 <= tried <= 21 + took / 60:
        raise AssertionError(f"{tried} were evaluated")
    if not FULL and times[-1] > 2000:
        raise AssertionError(f"{times[-1]:.0f} ms for a right password")


if __name__ == "__main__":
    tap.main(lambda: Postern([ALICE, BOB]))
