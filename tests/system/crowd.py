#!/usr/bin/python3
"""While a crowd misbehaves, the others are served (tests/bench/hostile.py)."""
# run: limit 120
# run: limit-all 600
# run: alone

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))
import hostile
import sink
import tap
from postern import tool

# In make check: few, and bounds that a busy machine keeps; a user who waited
# behind the crowd's wrong passwords would be over them all the same.
FEW = {"hostile": 60, "siege": 100, "count": 60, "guesses": 60,
       "handshakes": 20}
hostile.USERS = 40 if tap.FULL else 15


@tap.case("the sessions of others stay quick, and every one goes through")
def crowd(p):
    far = sink.LoadSink(tool("bench/sink.c"),
                        int(p.via.rpartition(":")[2]),
                        os.path.join(p.dir, "got"))
    try:
        # What else the machine does may spoil one round.
        for _ in range(2 if tap.FULL else 1):
            rows = hostile.measure(p, **({} if tap.FULL else FEW))
            wrong = hostile.problems(rows) if tap.FULL else \
                hostile.problems(rows, 100, 2500)
            if not wrong:
                break
    finally:
        far.stop()
    for name, row in rows.items():
        tap.comment(f"{name}: {row}")
    if wrong:
        raise AssertionError("; ".join(wrong))


if __name__ == "__main__":
    tap.main(hostile.server)
