#!/usr/bin/python3
"""
kill.py [ROUNDS]: kill -9 at random moments under load; every 250 arrives.

Each round kills the queue, another process, or all at once.  Afterwards every
acknowledged message must be at the sink.  Duplicates are counted; each must
have its first copy within the moments before a kill (RFC 1047).
"""
# run: limit 120
# run: limit-all 900
# run: alone

import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from crash import Bed, unjustified
from tap import comment, same, wait

QUICK, FULL = 6, 60
TARGETS = ["postern-queue", "all", "postern-deliver", "postern-queue",
           "postern-smtpd", "postern-auth", "queue twice", "parent",
           "postern-queue", "all stopped first"]


def strike(bed, target):
    """Kill; the time of it.  The server runs again when this returns."""
    p = bed.p
    at = time.monotonic()
    if target in ("all", "all stopped first"):
        if target != "all":
            # Some go on for a moment while others are dead already.
            for name in random.sample(["postern-queue", "postern-deliver",
                                       "postern-smtpd", "postern-auth"], 2):
                p.kill(name)
            time.sleep(random.uniform(0, 0.05))
            at = time.monotonic()
        p.end_all()
        p.start()
    elif target == "parent":
        os.kill(p.sid, signal.SIGKILL)
        p.process.wait()
        p.process = None
        wait(lambda: not p.pids(), 20, "the children follow the parent")
        p.start()
    elif target == "queue twice":
        p.kill("postern-queue")
        # In the middle of the recovery, more often than not.
        if wait(lambda: p.pid("postern-queue"), 20, "a new queue", 0.001):
            time.sleep(random.uniform(0, 0.08))
            at = time.monotonic()
            p.kill("postern-queue")
    else:
        p.kill(target)
    return at


def one_round(bed, number, target):
    before = bed.acked()
    with bed.load(f"r{number}", 8, "--size", "6000", "--per-session", "20",
                  "--big-every", "25", "--big-size", "300000", "--domains",
                  "3") as load:
        wait(lambda: len(bed.acked()) > len(before) + 20, 30,
             "the load runs")
        time.sleep(random.uniform(0, 0.3))
        bed.kills.append(strike(bed, target))
        then = len(bed.acked())
        wait(lambda: len(bed.acked()) > then + 20, 60,
             "mail is accepted again")
        said = load.stop()
    for code in said["codes"]:
        # 421 closing, 451 queue away, 452 busy, 454 no auth just now.
        if code not in ("421", "451", "452", "454"):
            raise AssertionError(f"a client was told {code}: {said}")
    bed.must_drain(bed.acked() - before, 60)
    comment(f"round {number}: {target}: {len(bed.acked()) - len(before)} "
            f"acknowledged, {said['broken']} cut off")


def rounds(count):
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    comment(f"SEED={seed}")
    random.seed(seed)
    with Bed(rcpts=2) as bed:
        bed.kills = []
        for number in range(count):
            one_round(bed, number, TARGETS[number % len(TARGETS)])
        same(bed.settle(), [], "the queue in the end")
        got = bed.got()
        acked = bed.acked()
        same(acked - got, set(), "lost")
        bad, copies = unjustified(bed.copies(), bed.kills)
        comment(f"{len(acked)} acknowledged, {len(got)} arrived, "
                f"{copies} duplicates by {len(bed.kills)} kills")
        same(bad[:5], [], "duplicates without a kill that explains them")


if __name__ == "__main__":
    words = [w for w in sys.argv[1:] if w.isdigit()]
    sys.argv = sys.argv[:1]
    count = int(words[0]) if words else FULL if tap.FULL else QUICK
    tap.add(f"{count} rounds of kill -9 lose nothing", rounds, count)
    tap.main()
