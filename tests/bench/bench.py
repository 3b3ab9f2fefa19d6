#!/usr/bin/python3
"""
What a message costs: bench.py [--each N] [--session N] [--size BYTES]
                               [--dkim both|ed25519|rsa]

Starts a postern of its own with its state below build/tmp, a sink it delivers
to all the while, and load.c in front of it:

  each      connection, TLS and AUTH for each message, 20 at a time
  session   20 connections of 50 messages each

CPU seconds are user and system time of all processes of the server, from
/proc, until the last message has arrived at the sink.  --strict ends with 1
when a target is missed.
"""

import json
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
import postern
import sink
from postern import PASSWORD, Postern, free_port, tool

USERS = 100
# CPU seconds per 1,000 messages, log flushes per message.
TARGETS = {"each": (1.0, None), "session": (0.35, 0.3)}


def busy_s():
    """CPU seconds that the whole machine has spent."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:8]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def process_s(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        fields = f.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(p, tag, *options):
    done = subprocess.run(
        [tool("bench/load.c"), "--port", str(p.port587), "--password",
         PASSWORD, "--user", "load%d@bench.example", "--users", str(USERS),
         "--connections", "20", "--ledger", os.path.join(p.dir, "acked"),
         "--tag", tag, *map(str, options)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def arrived(far, count, seconds=120):
    until = time.monotonic() + seconds
    while far.count() < count and time.monotonic() < until:
        time.sleep(0.02)
    return far.count() >= count


def measure(p, far, tag, messages, *options):
    already = far.count()
    flushes = p.status("log_flushes")
    machine, before, other = busy_s(), p.cpu_by(), process_s(far.process.pid)
    said = load(p, tag, *options)
    ok = arrived(far, already + said["accepted"])
    time.sleep(0.3)  # The last verdicts settle.
    by = {name: used - before.get(name, 0) for name, used in p.cpu_by().items()}
    cpu = sum(by.values())
    other = process_s(far.process.pid) - other
    machine = busy_s() - machine
    last = max((copy[0] for copy in far.got()), default=0)
    n = max(1, said["accepted"])
    seconds = max(1e-6, last - said["started"])
    after = p.status("log_flushes")
    return {
        "messages": said["accepted"], "wanted": messages,
        "accepted_per_s": said["rate"], "delivered_per_s": n / seconds,
        "all_delivered": ok, "cpu_per_1000": cpu / n * 1000,
        "flushes_per_message":
            (after - flushes) / n if None not in (flushes, after) else None,
        "p50_ms": said["p50_ms"], "p99_ms": said["p99_ms"],
        "codes": said["codes"], "machine_s": machine, "sink_s": other,
        "server_s": cpu,
        "by_process": {name: used / n * 1000 for name, used in by.items()},
    }


def line(name, value, target, form="{:.2f}"):
    text = "-" if value is None else form.format(value)
    verdict = ""
    if target is not None:
        good = value is not None and value <= target
        verdict = f"  target {target:<5} {'met' if good else 'MISSED'}"
    print(f"  {name:<34}{text:>10}{verdict}")
    return target is None or (value is not None and value <= target)


def report(name, row):
    print(f"{name}:")
    cpu_target, flush_target = TARGETS[name]
    line("messages", row["messages"], None, "{:.0f}")
    line("accepted per second", row["accepted_per_s"], None, "{:.0f}")
    line("delivered per second", row["delivered_per_s"], None, "{:.0f}")
    line("latency of a message, median ms", row["p50_ms"], None)
    line("latency of a message, 99 % ms", row["p99_ms"], None)
    good = line("CPU seconds per 1,000 messages", row["cpu_per_1000"],
                cpu_target)
    for name, used in sorted(row["by_process"].items()):
        if used >= 0.005:
            line(f"  of {name}", used, None)
    good &= line("log flushes per message", row["flushes_per_message"],
                 flush_target)
    if row["messages"] != row["wanted"] or not row["all_delivered"]:
        print(f"  NOT COMPLETE: {row}")
        good = False
    return good


def main(args):
    counts = {"each": 2000, "session": 4000}
    size, strict, keys = 10240, False, None
    while args:
        arg = args.pop(0)
        if arg == "--strict":
            strict = True
        elif arg in ("--each", "--session") and args:
            counts[arg[2:]] = int(args.pop(0))
        elif arg == "--size" and args:
            size = int(args.pop(0))
        elif arg == "--dkim" and args:
            kind = args.pop(0)
            keys = [] if kind == "both" else ["--only", kind]
        else:
            print(__doc__, file=sys.stderr)
            return 2
    with Postern(accounts=[f"load{n}@bench.example" for n in range(USERS)],
                 via=f"127.0.0.1:{free_port()}") as p:
        ledger = os.path.join(p.dir, "got")
        open(ledger, "w").close()
        far = sink.LoadSink(tool("bench/sink.c"),
                            int(p.via.rpartition(":")[2]), ledger)
        try:
            if keys is not None:
                p.must("dkim", "add", "bench.example", *keys)
            # Every account's first login costs a password hash; a mail
            # program's second one does not.
            load(p, "warm", "--messages", max(1, USERS // 20 + 1),
                 "--per-session", 1)
            arrived(far, 1)
            time.sleep(1)
            each = max(1, counts["each"] // 20)
            session = max(1, counts["session"] // 20)
            rows = {
                "each": measure(p, far, "each", each * 20, "--messages", each,
                                "--per-session", 1, "--size", size),
                "session": measure(p, far, "session", session * 20,
                                   "--messages", session, "--per-session",
                                   50, "--size", size),
            }
        finally:
            far.stop()
    print(f"{size} octets a message, 20 connections, delivery going on, "
          f"{os.cpu_count()} cores, {'root' if postern.ROOT else 'user'}")
    good = [report(name, row) for name, row in rows.items()]
    return 1 if strict and not all(good) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
