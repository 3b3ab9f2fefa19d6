#!/usr/bin/python3
"""
postern beside other servers: peers.py [--quick] [--rounds N] [--curves]
                                       [--only NAME,...] [--json FILE]
                                       [--strict] [SECTION...]

  each        connection, TLS and AUTH for each message, 20 at a time
  session     20 connections of 200 messages each
  relayed     2,000 messages, start to last delivery, 1 and 100 domains
  big         20 messages of 10 MiB
  recipients  45,000 recipients in 500 domains
  idle        sessions that are logged in and do nothing
  deferred    messages put off, and then drained
  slow        every flush takes 5 ms longer

The same load, the same sink, one server after the other and that again, three
times: the medians.  Postfix (with sasldb, and with Dovecot's passwords) and
Exim are looked for where Debian has them; each runs from a private directory,
on loopback, as bench/peers/*.py says.  OpenSMTPD is left out: Debian's cannot
do TLS as a server.  Needs root.  --curves measures instead what a message
costs by connections and size.  --strict ends with 1 when a target is missed.
"""

import contextlib
import functools
import json
import os
import statistics
import subprocess
import sys
import time
from signal import SIGUSR1, SIGUSR2

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "lib"),
                os.path.join(TOP, "tests", "bench", "peers")]
from exim_submission import Exim
from postern import tool
from postfix_submission import PostfixDovecot, PostfixSasldb
from rig import Rig, Table, end_well, pss_kib, until

MIB = 1 << 20
PEERS = (PostfixSasldb, PostfixDovecot, Exim)

# Of the best of the others: at least so many times it, or at most.
RATE, COST = "rate", "cost"
FIGURES = {
    # name: (kind, target)
    "each: accepted per second": (RATE, 2.5),
    "each: CPU s per 1,000": (COST, 0.25),
    "session: accepted per second": (RATE, 4),
    "session: delivered per second": (RATE, 6),
    "session: CPU s per 1,000": (COST, None),
    "relayed: per second, 1 domain": (RATE, 7),
    "relayed: per second, 100 domains": (RATE, 7),
    "big: accepted per second": (RATE, 1),
    "big: delivered per second": (RATE, 1),
    "big: CPU ms a message": (COST, None),
    "recipients: accepted, seconds": (COST, None),
    "recipients: delivered, seconds": (COST, None),
    "idle: KiB (PSS) a session": (COST, None),
    "deferred: accepted per second": (RATE, None),
    "deferred: drained per second": (RATE, 4),
    "slow: accepted per second, 20": (RATE, 2.5),
    "slow: accepted per second, 200": (RATE, 6),
}


class Gone(Exception):
    """The server did not do what was asked."""


def measured(r, tag, *options, **kwargs):
    row = r.measure(tag, *options, **kwargs)
    if not row["complete"] or row["refused"] or row["broken"]:
        raise Gone(f"{row['accepted']} accepted, {row['codes']}")
    return row


def each(r, tag, part):
    row = measured(r, tag, "--connections", 20, "--messages", 100 // part,
                   "--per-session", 1)
    yield "accepted per second", row["rate"]
    yield "CPU s per 1,000", row["cpu_per_1000"]


def session(r, tag, part):
    row = measured(r, tag, "--connections", 20, "--messages", 200 // part)
    yield "accepted per second", row["rate"]
    yield "delivered per second", row["delivered_per_s"]
    yield "CPU s per 1,000", row["cpu_per_1000"]


def relayed(r, tag, part):
    for n, name in ((1, "1 domain"), (100, "100 domains")):
        row = measured(r, f"{tag}d{n}", "--connections", 20, "--messages",
                       100 // part, "--domains", n)
        yield f"per second, {name}", row["delivered_per_s"]


def big(r, tag, part):
    row = measured(r, tag, "--connections", 4, "--messages", max(1, 5 // part),
                   "--size", 10 * MIB)
    yield "accepted per second", row["rate"]
    yield "delivered per second", row["delivered_per_s"]
    yield "CPU ms a message", row["cpu_per_1000"]


def recipients(r, tag, part):
    messages = 45 // part
    said = r.load(tag, "--connections", 1, "--messages", messages, "--rcpts",
                  1000, "--domains", 500)
    if said["accepted"] != messages:
        raise Gone(said["codes"])

    def arrived():
        return sum(count for _, name, count, _ in r.sink.got()
                   if name.startswith(tag + "-"))

    if not until(lambda: arrived() >= messages * 1000, 120, 0.1):
        raise Gone(f"{arrived()} arrived")
    yield "accepted, seconds", said["seconds"]
    yield "delivered, seconds", r.last_arrival(tag) - said["started"]


def idle(r, tag, part):
    n = 500 // part
    before = memory(r)
    p = subprocess.Popen(
        r.load_command(tag, "--connections", 4, "--idle", n),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = json.loads(p.stdout.readline())
    time.sleep(1)
    after = memory(r)
    p.stdin.close()
    p.stdout.read()
    p.wait()
    if said["opened"] != n:
        raise Gone(f"{said['opened']} opened")
    yield "KiB (PSS) a session", (after - before) / n


def memory(r):
    total = 0
    for pid in r.p.pids():
        with contextlib.suppress(OSError):
            total += pss_kib(pid)
    return total


def deferred(r, tag, part):
    each_one = 200 // part
    r.sink.signal(SIGUSR1)
    said = r.load(tag, "--connections", 20, "--messages", each_one)
    time.sleep(1)
    r.sink.signal(SIGUSR2)
    began = time.monotonic()
    r.p.retry()
    while not r.arrived([tag], said["accepted"], 10):
        if time.monotonic() - began > 180:
            raise Gone("not drained")
        r.p.retry()
    yield "accepted per second", said["rate"]
    yield "drained per second", \
        said["accepted"] / (r.last_arrival(tag) - began)


def slow(r, tag, part):
    for n in (20, 200):
        row = measured(r, f"{tag}c{n}", "--connections", n, "--messages",
                       2000 // n // part, deliver=False)
        until(r.idle, 60)
        yield f"accepted per second, {n}", row["rate"]


SECTIONS = {f.__name__: f for f in (each, session, relayed, big, recipients,
                                    idle, deferred, slow)}


def postern_rig(late):
    return Rig(limits={"connections": "5000"},
               queue={"retry": "10m"},
               env={"LD_PRELOAD": tool("crash/slowsync.c"),
                    "SLOW_SYNC_US": "5000"} if late else None)


def peer_rig(peer, late):
    return Rig(server=functools.partial(peer, slow=late))


def servers(only):
    """{name: function that makes its rig, slow or not}"""
    out = {"postern": postern_rig}
    for peer in PEERS:
        if peer.installed():
            out[peer.name] = functools.partial(peer_rig, peer)
        else:
            print(f"{peer.name} is not installed")
    return {k: v for k, v in out.items() if not only or k in only}


def run(names, makers, rounds, part):
    """{figure: {server: [values]}}"""
    found = {}
    for late in (False, True):
        work = [name for name in names if (name == "slow") == late]
        if not work:
            continue
        with contextlib.ExitStack() as stack:
            rigs = {}
            for server, make in makers.items():
                rigs[server] = stack.enter_context(make(late))
                rigs[server].warm()
            for n in range(rounds):
                for name in work:
                    for server, r in rigs.items():
                        one(found, name, server, r, n, part)
    return found


def one(found, name, server, r, n, part):
    began = time.monotonic()
    try:
        for what, value in SECTIONS[name](r, f"{name}{n}", part):
            found.setdefault(f"{name}: {what}", {}).setdefault(
                server, []).append(value)
    except (Gone, subprocess.CalledProcessError) as e:
        print(f"  {server}, {name}: {e}", flush=True)
    until(r.idle, 60)
    print(f"  {server}, {name}: {time.monotonic() - began:.0f} s",
          file=sys.stderr, flush=True)


def report(found, makers):
    """A row for each figure; whether all targets were met."""
    good = True
    print(f"{'':<34}" + "".join(f"{name:>17}" for name in makers)
          + f"{'to the best':>13}  target")
    for figure, by in found.items():
        kind, target = FIGURES[figure]
        middle = {s: statistics.median(v) for s, v in by.items()}
        others = [v for s, v in middle.items() if s != "postern"]
        text = "".join(f"{middle[s]:>17.2f}" if s in middle else
                       f"{'-':>17}" for s in makers)
        ratio, verdict = "", ""
        if others and "postern" in middle:
            best = max(others) if kind == RATE else min(others)
            times = middle["postern"] / max(best, 1e-9)
            ratio = f"{times:.2f}"
            if target is not None:
                met = times >= target if kind == RATE else times <= target
                good &= met
                verdict = (f"{'at least' if kind == RATE else 'at most'} "
                           f"{target} {'met' if met else 'MISSED'}")
        print(f"{figure:<34}{text}{ratio:>13}  {verdict}")
    return good


def curves(makers, part, out):
    """What a message costs each of them."""
    import scale
    for server, make in makers.items():
        print(server)
        t = Table()
        with make(False) as r:
            r.warm()
            scale.by_connections(t, r, part)
            scale.by_size(t, r, part)
        if out:
            t.save(out, server)


def main(args):
    rounds, part, strict, out, only, names, curve = 3, 1, False, None, [], [], \
        False
    while args:
        arg = args.pop(0)
        if arg == "--quick":
            rounds, part = 1, 5
        elif arg == "--rounds" and args:
            rounds = int(args.pop(0))
        elif arg == "--strict":
            strict = True
        elif arg == "--curves":
            curve = True
        elif arg == "--only" and args:
            only = args.pop(0).split(",")
        elif arg == "--json" and args:
            out = args.pop(0)
        elif arg in SECTIONS:
            names.append(arg)
        else:
            print(__doc__, file=sys.stderr)
            return 2
    makers = servers(only)
    if curve:
        curves(makers, part, out)
        return 0
    found = run(names or list(SECTIONS), makers, rounds, part)
    if out:
        with open(out, "a") as f:
            for figure, by in found.items():
                for server, values in by.items():
                    f.write(json.dumps({"server": server, "name": figure,
                                        "values": values}) + "\n")
    return 1 if not report(found, makers) and strict else 0


if __name__ == "__main__":
    end_well()
    sys.exit(main(sys.argv[1:]))
