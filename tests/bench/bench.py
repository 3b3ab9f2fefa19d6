#!/usr/bin/python3
"""
What a message costs, each figure with its target beside it:
bench.py [--each N] [--session N] [--size BYTES] [--dkim both|ed25519|rsa]
         [--only SECTION,...] [--json FILE] [--strict]

Starts a postern of its own with its state below build/tmp, a sink it delivers
to all the while, and load.c in front of it:

  each      connection, TLS and AUTH for each message, 20 at a time
  session   20 connections of 200 messages each
  latency   the last octet to 250, at half of that rate; one client's login
  relayed   2,000 messages, start to last delivery, 1 and 100 domains
  big       20 messages of 10 MiB
  store     the queue process beside Berkeley DB alone

and from scale.py recipients, idle (2,000), deferred, slow and recovery.

CPU seconds are user and system time of all processes of the server, from
/proc, until the last message has arrived at the sink.  Targets that are rates
belong to two cores that they share with the load; where the figures of other
servers are the measure, see peers.py.  --strict ends with 1 when a target is
missed.

Machines differ, and one machine from minute to minute: before and behind
"each" handshake.c measures what the server's half of a TLS handshake alone
costs in one process.  The ratio of the two says more than either of them.
"""

import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
import scale
from postern import ROOT
from rig import BUILD, Rig, Table, built, end_well

MIB = 1 << 20


def per_process(t, row):
    for name, used in sorted(row["by"].items()):
        if used >= 0.005:
            t.line(f"  of {name}", used)


def bound(t, row):
    """What load, sink and kernel need of the machine, and so the rate at
    which a server that costs nothing would be."""
    rest = (row["machine_s"] - row["cpu_s"]) / row["accepted"] * 1000
    t.line("CPU seconds per 1,000 of all else: load, sink", rest)
    t.line("a server that costs nothing: accepted per second",
           len(os.sched_getaffinity(0)) * 1000 / rest)


def complete(t, row, wanted):
    if row["accepted"] != wanted or not row["complete"]:
        t.claim(f"complete ({row['accepted']} of {wanted}, {row['codes']})",
                False)


def handshake_ms():
    """CPU of the server's half of a TLS handshake in one process, just now."""
    done = subprocess.run([built("handshake")], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return float(done.stdout) / 1000


def each(t, o):
    t.head("connection, TLS and AUTH for each message, 20 at a time")
    with rig(o) as r:
        n = max(1, o["each"] // 20)
        alone = [handshake_ms()]
        row = r.measure("each", "--connections", 20, "--messages", n,
                        "--per-session", 1, "--size", o["size"])
        complete(t, row, n * 20)
        t.line("accepted per second", row["rate"], least=1088)
        t.line("delivered per second", row["delivered_per_s"])
        t.line("latency of a message, median ms", row["p50_ms"])
        t.line("latency of a message, 99 % ms", row["p99_ms"])
        t.line("CPU seconds per 1,000 messages", row["cpu_per_1000"],
               most=0.8)
        per_process(t, row)
        bound(t, row)
        alone.append(handshake_ms())
        t.line("a handshake alone, CPU ms, before", alone[0])
        t.line("a handshake alone, CPU ms, behind", alone[1])
        t.line("a message costs so many handshakes",
               row["cpu_per_1000"] / (sum(alone) / 2))
        t.line("log flushes per message", row["flushes"])


def session(t, o):
    t.head("20 connections of 200 messages each")
    with rig(o) as r:
        n = max(1, o["session"] // 20)
        row = r.measure("session", "--connections", 20, "--messages", n,
                        "--size", o["size"])
        complete(t, row, n * 20)
        t.line("accepted per second", row["rate"], least=6496)
        t.line("delivered per second", row["delivered_per_s"], least=5634)
        t.line("latency of a message, median ms", row["p50_ms"])
        t.line("latency of a message, 99 % ms", row["p99_ms"])
        t.line("CPU seconds per 1,000 messages", row["cpu_per_1000"],
               most=0.22)
        per_process(t, row)
        bound(t, row)
        t.line("log flushes per message", row["flushes"], most=0.3)
        latency(t, r, row["rate"])


def flush_ms(directory, count=400):
    """Median and 99th percentile of fdatasync behind 10 KiB more."""
    path = os.path.join(directory, "flushed")
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    times = []
    for _ in range(count):
        os.write(fd, b"x" * 10240)
        began = time.monotonic()
        os.fdatasync(fd)
        times.append((time.monotonic() - began) * 1000)
    os.close(fd)
    os.unlink(path)
    times.sort()
    return times[count // 2], times[count * 99 // 100]


def latency(t, r, rate):
    t.head("latency")
    median, slowest = flush_ms(r.p.dir)
    row = r.measure("half", "--connections", 20, "--messages",
                    max(50, int(rate / 2 * 5 / 20)), "--rate", rate / 2)
    t.line("the disk's own flush, median ms", median)
    t.line("the disk's own flush, 99 % ms", slowest)
    t.line("at half load: messages per second", row["rate"])
    t.line("last octet to 250, median ms", row["ack_p50_ms"],
           most=3 * median + 2)
    t.line("last octet to 250, 99 % ms", row["ack_p99_ms"],
           most=3 * slowest + 2)
    row = r.load("one", "--connections", 1, "--messages", 100,
                 "--per-session", 1)
    t.line("one client, connect to logged in, median ms",
           row["ready_p50_ms"], most=4)


def relayed(t, o):
    t.head("2,000 messages, start to last delivery")
    with rig(o) as r:
        for domains in (1, 100):
            row = max((r.measure(f"d{domains}x{n}", "--connections", 20,
                                 "--messages", 100, "--domains", domains)
                       for n in range(2)),
                      key=lambda row: row["delivered_per_s"])
            complete(t, row, 2000)
            t.line(f"per second, {domains} domains", row["delivered_per_s"],
                   least=5838)


def big(t, o):
    t.head("20 messages of 10 MiB, 4 connections")
    with rig(o) as r:
        row = r.measure("big", "--connections", 4, "--messages", 5, "--size",
                        10 * MIB)
        complete(t, row, 20)
        t.line("accepted per second", row["rate"], least=23.7)
        t.line("delivered per second", row["delivered_per_s"], least=20.1)
        t.line("CPU ms a message", row["cpu_per_1000"], most=45)
        per_process(t, row)


def store(t, o):
    t.head("the queue process beside Berkeley DB alone, 10 KiB")

    def run(name):
        text = subprocess.run([built(name)], check=True, stdout=subprocess.PIPE,
                              cwd=os.path.join(BUILD, "tests")).stdout.decode()
        return [(float(rate), float(us)) for rate, us in
                re.findall(r"([\d.]+)/s, ([\d.]+) us", text)]

    alone, process = run("store_bench"), run("queue_bench")
    t.line("Berkeley DB, insert, per second", alone[0][0])
    t.line("Berkeley DB, insert and delete, per second", alone[1][0])
    t.line("  CPU us each", alone[1][1])
    t.line("queue process, accepted and settled, per second", process[0][0])
    t.line("  CPU us each", process[0][1])
    t.line("of Berkeley DB's rate", process[0][0] / alone[1][0], least=0.6)


def rig(o):
    return Warm(o["keys"])


class Warm(Rig):
    """A server with all its accounts logged in once, and maybe keys."""

    def __init__(self, keys):
        super().__init__()
        self.keys = keys

    def __enter__(self):
        super().__enter__()
        if self.keys is not None:
            self.p.must("dkim", "add", "bench.example", *self.keys)
        self.warm()
        return self


SECTIONS = {
    "each": each, "session": session, "relayed": relayed, "big": big,
    "recipients": lambda t, o: scale.recipients(t, False),
    "idle": lambda t, o: scale.idle(t, False, 2000, 28),
    "deferred": lambda t, o: scale.deferred(t, False),
    "slow": lambda t, o: scale.slow(t, True),
    "recovery": lambda t, o: scale.recovery(t, True),
    "store": store,
}


def main(args):
    o = {"each": 2000, "session": 4000, "size": 10240, "keys": None}
    strict, out, names = False, None, list(SECTIONS)
    while args:
        arg = args.pop(0)
        if arg == "--strict":
            strict = True
        elif arg in ("--each", "--session", "--size") and args:
            o[arg[2:]] = int(args.pop(0))
        elif arg == "--dkim" and args:
            kind = args.pop(0)
            o["keys"] = [] if kind == "both" else ["--only", kind]
            names = ["each", "session"]
        elif arg == "--json" and args:
            out = args.pop(0)
        elif arg == "--only" and args:
            names = args.pop(0).split(",")
        else:
            names = []
        if not set(names) <= set(SECTIONS) or not names:
            print(__doc__, file=sys.stderr)
            return 2
    print(f"{o['size']} octets a message unless said, delivery going on, "
          f"{os.cpu_count()} cores, {'root' if ROOT else 'user'}")
    table = Table()
    for name in names:
        SECTIONS[name](table, o)
    if out:
        table.save(out, "postern")
    return 1 if strict and not table.good else 0


if __name__ == "__main__":
    end_well()
    sys.exit(main(sys.argv[1:]))
