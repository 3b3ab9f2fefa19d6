#!/usr/bin/python3
"""The clock is set while mail waits: nothing stays behind or is given up for
it, and every message can still be traced."""
# run: limit 150

import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from client import message
from clock import Clock
from dns import Dns
from postern import Postern, free_port
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"
DAY_S = 86400
# Longer than the journal is kept and mail is tried.
FAR_S = 400 * DAY_S

ZONE = """moved MX 10 {}
old A 127.0.0.2
new A 127.0.0.3
_smtp._tls.moved TXT "v=TLSRPTv1; rua=mailto:reports@example.net"
"""

tries = collections.Counter()


def rcpt(_, argument):
    """Nobody is at home the first time, and never while he is busy."""
    name = argument.strip("<").partition("@")[0]
    tries[name] += 1
    if tries[name] == 1 or name.startswith("busy"):
        return "450 4.2.0 not now"
    return None


class Site(Postern):
    def __init__(self):
        self.clock = Clock()
        self.clock.ahead(FAR_S)
        super().__init__([ALICE], queue={"retry": "2s",
                                          "delay-notice": "3000d"},
                         env={"POSTERN_TLSRPT_DAY": "2", **self.clock.env()},
                         script={"rcpt": rcpt})

    def set_up(self):
        self.far = Sink(address="127.0.0.2", port=free_port()).start()
        self.names = Dns({"test.example": ZONE.format("old")},
                         "knot").__enter__()
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}"}
        self.routes["*.test.example"] = {"via": f"mx:{self.far.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.names.__exit__()
        self.far.stop()
        self.clock.close()

    def put_off(self, name):
        """The id of a message that was tried once."""
        mark = self.mark_log()
        ident = self.send(f"{name}@example.net")
        self.wait_event("msg.deferred", mark, id=ident)
        return ident


def tried_again(name, times=2):
    wait(lambda: tries[name] >= times, 30, f"attempt {times} at {name}")


@tap.case("what was put off by a clock that was ahead is tried")
def ahead(p):
    p.early = p.put_off("early")
    p.put_off("busy1")
    p.clock.ahead(0)
    p.send("whoever@moved.test.example")  # of which a report is wanted
    p.late = p.put_off("late")
    for name in "early", "busy1", "late":
        tried_again(name)
    wait(lambda: len(p.queue()) == 1, 20, "the others are delivered")


@tap.case("messages are traced, though their ids are of the future")
def traced(p):
    for ident in p.early, p.late:
        has(p.must("trace", ident).out, "delivered")
    for name in "early", "late":
        has(p.must("trace", f"{name}@example.net").out, "delivered")
    same(p.status("oldest_seconds"), 0)


@tap.case("the end is told behind a silent destination, with ids of the future")
def silent(_):
    clock = Clock()
    count = 12
    try:
        with Postern([ALICE], via=f"127.0.0.1:{free_port()}",
                     queue={"retry": "4s", "give-up": "3s"},
                     env=clock.env()) as q:
            clock.ahead(FAR_S)
            q.send("first@example.net")
            clock.ahead(0)
            for n in range(count):
                q.send(f"n{n}@example.net")
            # One by one, as it is tried, they would take 4 s each.
            wait(lambda: len(q.events("msg.bounced")) == count + 1, 25,
                 "all are told")
    finally:
        clock.close()


@tap.case("and when the clock has passed the time of their ids")
def passed(_):
    clock = Clock()
    try:
        with Postern([ALICE], env=clock.env()) as q:
            clock.ahead(DAY_S)
            q.send("first@example.net")
            clock.ahead(0)
            ident = q.send("second@example.net")
            q.wait_event("msg.done", id=ident)
            clock.ahead(3 * DAY_S)
            for what in ident, "second@example.net":
                out = q.must("trace", what).out
                has(out, "accepted")
                has(out, "delivered")
    finally:
        clock.close()


@tap.case("a clock that is behind at a start changes no time of a message")
def behind(_):
    clock = Clock()
    try:
        with Postern([ALICE], via=f"127.0.0.1:{free_port()}",
                     env=clock.env()) as q:
            mark = q.mark_log()
            with q.logged_in() as t:
                t.cmd(f"MAIL FROM:<{ALICE}> HOLDFOR={DAY_S}")
                t.cmd("RCPT TO:<carol@example.net>")
                q.accepted(t.data(message(ALICE, "carol@example.net")), mark)
            row, = q.queue()
            q.stop()
            clock.ahead(-10 * DAY_S)
            mark = q.mark_log()
            q.start()
            q.send("next@example.net")  # by then it has looked
            q.wait_event("msg.deferred", mark)
            clock.ahead(0)
            same([r["release"] for r in q.queue() if r["id"] == row["id"]],
                 [row["release"]])
    finally:
        clock.close()


@tap.case("reports of TLS go on")
def reports(p):
    wait(lambda: p.sink.to("reports@example.net"), 40, "the report")


@tap.case("nothing is given up because the clock goes ahead")
def given_up(p):
    mark = p.mark_log()
    busy = p.put_off("busy2")
    p.clock.ahead(FAR_S)
    tried_again("busy2", tries["busy2"] + 3)
    p.clock.ahead(0)
    tried_again("busy2", tries["busy2"] + 2)
    same(p.events("msg.bounced", mark), [], "given up")
    same(len(p.queue()), 2)
    # Nor is the journal, though it was old for some seconds.
    has(p.must("trace", p.late).out, "delivered")
    has(p.must("trace", busy).out, "deferred")


@tap.case("and after a restart all goes on")
def restart(p):
    p.clock.ahead(FAR_S)
    p.put_off("again")
    p.stop()
    p.clock.ahead(0)
    p.start()
    tried_again("again")
    wait(lambda: len(p.queue()) == 2, 20, "it is delivered")


@tap.case("a backup with ids of the future can be restored")
def restored(p):
    path = os.path.join(p.dir, "backup.tar")
    p.must("backup", "create", path)
    with Postern([], start=False) as q:
        has(q.must("restore", path).err, "2 messages")


@tap.case("what DNS said while the clock was ahead is asked anew")
def names(p):
    def leads_to(name):
        return f"{name}.test.example" in p.cli(
            "relay-test", "moved.test.example").out
    p.clock.ahead(FAR_S)
    wait(lambda: leads_to("old"), 20, "it is in the cache")
    p.clock.ahead(0)
    p.names.update("test.example", ZONE.format("new"))
    wait(lambda: leads_to("new"), 30, "its time in the cache is over", 0.2)


if __name__ == "__main__":
    tap.main(Site)
