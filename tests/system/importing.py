#!/usr/bin/python3
"""A large import keeps nobody waiting, and a crash in it leaves all of it or
nothing."""
# run: limit 150

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import PASSWORD, Postern
from tap import comment, same, wait

ALICE = "alice@example.org"
HASH = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
FULL = os.environ.get("POSTERN_TESTS") == "full"
MANY = int(os.environ.get("ACCOUNTS", 100000 if FULL else 10000))
LATE_MS = 1000
ROUNDS = 6 if FULL else 2


def lines(prefix, n):
    return "".join(f"{prefix}{i}@example.org:{HASH}\n" for i in range(n))


def bring(p, prefix, n):
    return p.cli("account", "import", "-", "--format", "htpasswd",
                 stdin=lines(prefix, n), timeout=120)


def count(p, prefix):
    return sum(line.startswith(prefix) for line in
               p.must("account", "list", "--plain").out.splitlines())


def in_background(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def meanwhile(p, function):
    """Log in as long as the function runs: the milliseconds of each."""
    done, times = [], []
    thread = in_background(lambda: done.append(function()))
    while thread.is_alive():
        with p.smtp("implicit") as t:
            t.ehlo()
            start = time.monotonic()
            same(t.auth(ALICE, PASSWORD).code, 235)
            times.append((time.monotonic() - start) * 1000)
    thread.join()
    same(done[0].code, 0, done[0])
    times.sort()
    return times


@tap.case("logins go on while thousands are imported")
def logins(p):
    began = time.monotonic()
    times = meanwhile(p, lambda: bring(p, "m", MANY))
    took = time.monotonic() - began
    same(count(p, "m"), MANY)
    p99 = times[int(len(times) * 0.99)]
    comment(f"{MANY} accounts in {took:.1f} s; of {len(times)} logins "
            f"meanwhile the median took {times[len(times) // 2]:.1f} ms, "
            f"the 99th percentile {p99:.1f} ms, the longest {times[-1]:.1f} "
            "ms")
    if len(times) < 20 or p99 > LATE_MS:
        raise AssertionError(f"{len(times)} logins, p99 {p99:.0f} ms")
    p.importing = took


@tap.case("logins go on while the accounts are checked")
def checked(p):
    times = meanwhile(p, lambda: p.cli("check", "store", timeout=120))
    comment(f"of {len(times)} logins the longest took {times[-1]:.1f} ms")
    if times[-1] > LATE_MS:
        raise AssertionError(f"{times[-1]:.0f} ms for a login")


@tap.case("killed in the middle, there are all of them or none")
def killed(p):
    seen = set()
    for round in range(ROUNDS):
        prefix = f"k{round}x"
        done = []
        thread = in_background(
            lambda: done.append(bring(p, prefix, MANY // 4)))
        time.sleep(p.importing / 4 * (0.3 + 0.5 * round / (ROUNDS - 1)))
        mark = p.mark_log()
        p.kill("postern-auth")
        p.wait_event("process.died", mark)
        thread.join(60)
        wait(lambda: p.cli("account", "list", "--plain").code == 0, 40,
             "auth is back")
        there = count(p, prefix)
        seen.add(there > 0)
        if there not in (0, MANY // 4) or \
                (done[0].code == 0 and there == 0):
            raise AssertionError(f"{there} of {MANY // 4}, {done[0].code}")
        # None: it can be done again.  All: nothing is left to do.
        same(bring(p, prefix, MANY // 4).code, 0)
        same(count(p, prefix), MANY // 4)
    resumed = len(p.events("import.resumed"))
    comment(f"{'both came up' if len(seen) == 2 else seen}, "
            f"{resumed} went on behind a restart")


@tap.case("one import at a time")
def alone(p):
    done = []
    threads = [in_background(
        lambda n=n: done.append(bring(p, f"t{n}x", 2000).code))
        for n in range(3)]
    for thread in threads:
        thread.join()
    same(set(done) <= {0, 75} and 0 in done, True, done)
    same(sum(count(p, f"t{n}x") for n in range(3)), 2000 * done.count(0))


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE]))
