#!/usr/bin/python3
"""
How long a trace takes in a long journal: trace.py [MESSAGES]

Fills the journal of a server of its own with two events for each of five
million messages (or MESSAGES) over 30 days, then asks for one by its id, its
Message-ID, its account and a recipient.  Times are those of the whole command,
process start included; "again" is the second time, with the pages in memory.
"""

import json
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from postern import BUILD, Postern
from rig import end_well


def ask(p, what, *args):
    began = time.monotonic()
    r = p.cli("trace", "--json", what, *args, timeout=120)
    took = (time.monotonic() - began) * 1000
    if r.code != 0:
        raise SystemExit(f"trace {what}: {r.err}")
    return took, r.out


def main():
    fill = os.path.join(BUILD, "tests/bench/journal_fill")
    subprocess.run(["make", "-s", os.path.relpath(fill, TOP)], cwd=TOP,
                   check=True)
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 5000000
    with Postern(accounts=["user0@example.org"]) as p:
        p.stop()
        home = os.path.join(p.dir, "state", "queue", "env")
        owner = os.stat(home)
        began = time.monotonic()
        msgid = subprocess.run(
            [fill, home, str(messages), "29"],
            check=True, stdout=subprocess.PIPE).stdout.decode().strip()
        for name in os.listdir(home):
            os.chown(os.path.join(home, name), owner.st_uid, owner.st_gid)
        size = sum(os.path.getsize(os.path.join(home, name))
                   for name in os.listdir(home))
        print(f"{2 * messages} events, {size / 2**30:.1f} GiB, filled in "
              f"{time.monotonic() - began:.0f} s")
        p.start()
        _, out = ask(p, msgid)
        one = json.loads(out)
        number = int(msgid[1:].partition("@")[0])
        for name, what, args in (
                ("Message-ID", msgid, ()), ("id", one["id"], ()),
                ("account, last 20", f"user{number % 1000}@example.org", ()),
                ("recipient, all 50",
                 f"rcpt{number % 100000}@far{number % 100}.test",
                 ("--limit", "50"))):
            first, _ = ask(p, what, *args)
            more = sorted(ask(p, what, *args)[0] for _ in range(5))
            print(f"  by {name:<22}{first:8.1f} ms   again {more[2]:8.1f} ms"
                  f"   target 100")
        p.stop()


if __name__ == "__main__":
    end_well()
    main()
