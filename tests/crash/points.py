#!/usr/bin/python3
"""
The queue, or deliver, ends itself at each named point; every 250 arrives all
the same.

The points are the CRASH_POINT()s of queue/ and deliver/; POSTERN_CRASH=POINT:N
makes the process pass N - 1 times and die there.
"""
# run: limit 150
# run: limit-all 600
# run: alone

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from crash import Bed, points, unjustified
from tap import comment, same

TURNS = (1, 2, 7) if tap.FULL else (3,)


def die_at(point):
    with Bed() as bed:
        p = bed.p
        kills = []
        for turn in TURNS:
            p.stop()
            p.start(env={"POSTERN_CRASH": f"{point}:{turn}"})
            mark = p.mark_log()

            def died():
                return p.events("process.died", mark)
            with bed.load(f"{turn}-{time.monotonic_ns()}", 4, "--size",
                          "4000", "--big-every", "5", "--big-size",
                          "300000") as load:
                until = time.monotonic() + 4
                while time.monotonic() < until and not died():
                    time.sleep(0.01)
                kills.append(time.monotonic())
                load.stop()
            if not died():
                # A point on the way out: a clean stop passes it.
                comment(f"{point}:{turn} was not passed under load")
            p.end_all()
            p.start()
            p.mark = p.mark_log()
            bed.must_drain(bed.acked(), 40)
        same(bed.settle(), [], "the queue in the end")
        bad, copies = unjustified(bed.copies(), kills)
        same(bad[:3], [], "duplicates without a crash that explains them")
        comment(f"{len(bed.acked())} safe, {copies} duplicates")


for name in points():
    tap.add(f"death at {name}", die_at, name)
if not points():
    @tap.case("named crash points")
    def none():
        raise AssertionError("there is no CRASH_POINT")

if __name__ == "__main__":
    tap.main()
