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
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from crash import TARGETS, Bed, check_codes, strike, unjustified
from tap import comment, same, wait

QUICK, FULL = 6, 60


def one_round(bed, number, target):
    before = bed.acked()
    with bed.load(f"r{number}", 8, "--size", "6000", "--per-session", "20",
                  "--big-every", "25", "--big-size", "300000", "--domains",
                  "3") as load:
        wait(lambda: len(bed.acked()) > len(before) + 20, 30,
             "the load runs")
        time.sleep(random.uniform(0, 0.3))
        bed.kills.append(strike(bed.p, target))
        then = len(bed.acked())
        wait(lambda: len(bed.acked()) > then + 20, 60,
             "mail is accepted again")
        said = load.stop()
    check_codes(said)
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
