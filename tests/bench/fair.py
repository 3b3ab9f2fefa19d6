#!/usr/bin/python3
"""
How long a letter takes while another account's bulk mail is in the queue.

    fair.py [--recipients N] [--strict]

The bulk (45,000 recipients) goes to servers that take a second for each
message: first all of it to one relay, then to as many domains as there are
recipients, each with a server of its own, then to a thousand of them that say
nothing.  A letter goes to another server each time, and in the case of the
relay to the same, too; and one is refused, and its bounce is what counts.
--strict: end with 1 when a letter takes longer than two seconds.
"""

import contextlib
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from dns import Dns
from postern import Postern, free_port
from rig import end_well
from sink import CLOSE, Sink, Slow
from tap import wait

ALICE, BULK = "alice@example.org", "bulk@example.org"
LETTERS = 5
PER_MESSAGE = 1000
TAKES_S = 1
MOST_S = 2.0
ZONE = """
*.each   A 127.0.0.2
*.mute   A 127.0.0.4
letter   A 127.0.0.3
"""


class Site:
    """A server, and the places where its mail goes."""

    def __init__(self, through="each"):
        self.port = free_port()
        # Each message takes so long, and for each recipient of the bulk that
        # says so, a refusal.
        self.slow = Sink({"body": lambda *_: Slow(TAKES_S),
                          "rcpt": lambda _, who: "550 5.1.1 nobody"
                          if "nobody" in who else None},
                         address="127.0.0.2", port=self.port)
        self.quick = Sink(address="127.0.0.3", port=self.port)
        self.mute = Sink({"connect": lambda *_: Slow(3600, CLOSE)},
                         address="127.0.0.4", port=self.port)
        self.home = Sink()
        self.dns = Dns({"test.example": ZONE})
        self.through = through

    def __enter__(self):
        with contextlib.ExitStack() as started:
            for s in (self.slow, self.quick, self.mute, self.home, self.dns):
                started.enter_context(s)
            self.p = started.enter_context(self.server())
            self.started = started.pop_all()
        return self

    def __exit__(self, *args):
        self.started.__exit__(*args)

    def server(self):
        routes = {"example.org": {"via": f"127.0.0.1:{self.home.port}"}}
        if self.through == "relay":
            routes["*.test.example"] = {"via": f"127.0.0.2:{self.port}"}
            routes["letter.test.example"] = {
                "via": f"127.0.0.3:{self.port}"}
        return Postern(
            accounts=[ALICE, BULK], via=f"mx:{self.port}",
            limits={"recipients": str(PER_MESSAGE)},
            dns={"server": f"127.0.0.1@{self.dns.port}"}, routes=routes)

    def bulk(self, recipients, domain, who="v"):
        """domain(n) is where the n-th recipient is."""
        for first in range(0, recipients, PER_MESSAGE):
            some = range(first, min(first + PER_MESSAGE, recipients))
            self.p.send([f"{who}{n}@{domain(n)}" for n in some], number=1)

    def letter(self, to, far):
        """Seconds from the end of its data to its arrival."""
        n = far.heard = getattr(far, "heard", 0) + 1
        who = f"letter{n}@{to}"
        began = time.monotonic()
        self.p.send(who)
        kept = wait(lambda: [m for m in far.messages if who in m.rcpts],
                    120, "the letter arrives", 0.005)[0]
        return kept.at - began

    def letters(self, to, far):
        took = []
        for _ in range(LETTERS):
            took.append(self.letter(to, far))
            time.sleep(0.3)
        return max(took)


def relay(recipients):
    """One relay for all; the letter goes elsewhere, and the same way."""
    with Site("relay") as s:
        s.bulk(recipients, lambda n: f"d{n}.each.test.example")
        elsewhere = s.letters("letter.test.example", s.quick)
        same = s.letters("x.each.test.example", s.slow)
        return elsewhere, same, s.p.status(
            "recipients_waiting")


def each(recipients):
    """As many servers as recipients."""
    with Site() as s:
        s.bulk(recipients, lambda n: f"d{n}.each.test.example")
        return s.letters("letter.test.example", s.quick), s.p.status(
            "recipients_waiting")


def mute(recipients):
    """Servers that accept connections and say nothing."""
    with Site() as s:
        s.bulk(recipients, lambda n: f"d{n % 1000}.mute.test.example")
        return s.letters("letter.test.example", s.quick), s.p.status(
            "recipients_waiting")


def bounce(recipients):
    """The letter cannot be delivered, and what counts is its bounce."""
    with Site("relay") as s:
        s.bulk(recipients, lambda n: f"d{n}.each.test.example")
        took = []
        for n in range(LETTERS):
            began = time.monotonic()
            s.p.send(f"nobody{n}@x.each.test.example")
            wait(lambda: len(s.home.to(ALICE)) > n, 120, "the bounce", 0.005)
            took.append(s.home.to(ALICE)[n].at - began)
        return max(took), s.p.status("recipients_waiting")


def bounces(recipients):
    """All of the bulk bounces; nobody else's letter waits for that."""
    with Site("relay") as s:
        s.bulk(recipients, lambda n: f"d{n}.each.test.example", "nobody")
        took = s.letters("letter.test.example", s.quick)
        return took, s.p.status("recipients_waiting")


def main(args):
    recipients, strict = 45000, False
    while args:
        arg = args.pop(0)
        if arg == "--recipients" and args:
            recipients = int(args.pop(0))
        elif arg == "--strict":
            strict = True
        else:
            print(__doc__, file=sys.stderr)
            return 2
    print(f"a letter behind bulk mail to {recipients} recipients, slowest of "
          f"{LETTERS}:")
    elsewhere, same, left = relay(recipients)
    rows = [("bulk to one relay, letter elsewhere", elsewhere, left),
            ("bulk and letter to the same relay", same, left),
            ("a server for each recipient", *each(recipients)),
            ("a thousand servers that say nothing", *mute(recipients)),
            ("the letter bounces, and its bounce", *bounce(recipients)),
            ("all of the bulk bounces, and a letter", *bounces(recipients))]
    for name, took, left in rows:
        print(f"  {name:<54}{took:7.2f} s  ({left} recipients waiting)")
    return 1 if strict and any(row[1] > MOST_S for row in rows) else 0


if __name__ == "__main__":
    end_well()
    sys.exit(main(sys.argv[1:]))
