#!/usr/bin/python3
"""It stays so as work grows: reduced numbers of what make bench-scale shows."""
# run: limit 240
# run: limit-all 900
# run: alone

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import tool
from rig import Rig, until
from tap import Skip

SESSIONS = 200
KIB_EACH = 30
PAUSE_MOST_S = 4
CACHE_AND_MORE_KIB = (80 + 64) * 1024


@tap.case("a long queue is no burden")
def a_long_queue_is_no_burden():
    """20,000 that wait for hours: who asks is answered at once, mail comes
    and goes, and they take no memory."""
    with Rig(users=4) as r:
        r.p.stop()
        r.fill(20000)
        r.p.start()
        row = r.measure("deep", "--connections", 4, "--messages", 20)
        assert row["accepted"] == 80 and row["complete"], row
        began = time.monotonic()
        items = r.p.must("queue", "list", "--limit", "50", "--json").items()
        assert len(items) == 50, len(items)
        assert time.monotonic() - began < 5
        assert r.p.status("in_memory") < 100, r.p.status("in_memory")
        assert r.p.status("recipients_waiting") >= 20000


@tap.case("idle sessions are small")
def idle_sessions_are_small():
    if os.environ.get("B", "build") != "build":
        raise Skip("a sanitizer's memory is not ours")
    with Rig(users=4, limits={"connections": "1000"}) as r:
        r.warm()
        before = sum(r.pss().values())
        p = subprocess.Popen(
            r.load_command("idle", "--connections", 4, "--idle", SESSIONS),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            opened = p.stdout.readline()
            assert f'"opened": {SESSIONS},'.encode() in opened, opened
            each = (sum(r.pss().values()) - before) / SESSIONS
            assert each <= KIB_EACH, f"{each:.1f} KiB each"
        finally:
            p.stdin.close()
            alive = p.stdout.readline()
            p.wait(30)
            p.stdout.close()
        assert f'"alive": {SESSIONS}'.encode() in alive, alive


@tap.case("one slow flush is for many")
def one_slow_flush_is_for_many():
    """20 clients behind a disk whose flushes take 20 ms longer."""
    with Rig(users=4, env={"LD_PRELOAD": tool("crash/slowsync.c"),
                           "SLOW_SYNC_US": "20000"}) as r:
        r.warm()
        row = r.measure("slow", "--connections", 20, "--messages", 10)
        assert row["accepted"] == 200 and row["complete"], row
        assert row["flushes"] < 0.5, row["flushes"]


def a_long_queue_drains_without_a_pause():
    """Three times as many jobs as memory holds, all due."""
    with Rig() as r:
        r.p.stop()
        r.fill(60000, due_s=-10)
        r.p.start()
        assert until(lambda: r.count(["fill"]) >= 60000, 600, 0.5), \
            r.count(["fill"])
        at = sorted(when for when, *_ in r.sink.got())
        longest = max(b - a for a, b in zip(at, at[1:]))
        assert longest < PAUSE_MOST_S, f"nothing for {longest:.1f} s"
        assert r.pss()["postern-queue"] < CACHE_AND_MORE_KIB, r.pss()


if os.environ.get("POSTERN_TESTS") == "full":
    tap.add("a long queue drains without a pause",
            a_long_queue_drains_without_a_pause)


if __name__ == "__main__":
    tap.main()
