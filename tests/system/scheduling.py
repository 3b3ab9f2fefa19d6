#!/usr/bin/python3
"""How much a destination gets at once, and who waits for whom."""
# run: limit 180

import contextlib
import datetime
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from dns import Dns
from postern import Postern, free_port
from sink import Sink, Slow
from tap import has, same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"
DOMAINS = 60
DEAD = "127.0.0.99"
# Domains of one provider, with MX hosts in any order.
ZONE = "\n".join(
    f"d{n} MX {1 + n % 2} mx1\nd{n} MX {2 - n % 2} mx2" for n in
    range(DOMAINS)) + """
mx1     A 127.0.0.2
mx2     A 127.0.0.2
alone   MX 1 mx3
mx3     A 127.0.0.3
silent  MX 1 mx4
quiet   MX 1 mx4
mx4     A 127.0.0.4
halfway MX 1 mx1
halfway MX 2 mx2
"""


@contextlib.contextmanager
def site(queue=None, route=None, own=None):
    """
    A server that finds its way by DNS, and the servers it finds, whose scripts
    may be changed at any time.

    route   more keys of [route *]
    own     {domain: keys} of more routes by DNS
    """
    port = free_port()
    with Dns({"test.example": ZONE}) as names, \
            Sink(address="127.0.0.2", port=port) as provider, \
            Sink(address="127.0.0.3", port=port) as other, \
            Sink(address="127.0.0.4", port=port) as silent, \
            Sink() as home:
        routes = {name: {"via": f"mx:{port}", **keys} for name, keys in
                  {"*": route or {}, **(own or {})}.items()}
        routes["example.org"] = {"via": f"127.0.0.1:{home.port}"}
        with Postern(accounts=[ALICE, BOB], via="",
                     dns={"server": f"127.0.0.1@{names.port}"},
                     queue=queue, routes=routes) as p:
            p.provider, p.other, p.silent, p.home = (provider, other, silent,
                                                     home)
            yield p
            p.check()


def to_all(local="v"):
    return [f"{local}@d{n}.test.example" for n in range(DOMAINS)]


def got(sink):
    return sum(len(m.rcpts) for m in sink.messages)


@tap.case("sixty domains of one provider are one destination")
def one_site():
    lock, here, peak = threading.Lock(), [0], [0]

    def data(*_):
        with lock:
            here[0] += 1
            peak[0] = max(peak[0], here[0])
        time.sleep(0.1)
        with lock:
            here[0] -= 1
    with site(queue={"per-destination": "8"}) as p:
        p.provider.script["data"] = data
        p.send(to_all())
        wait(lambda: got(p.provider) == DOMAINS, 60, "all arrive")
    if not 1 < peak[0] <= 8:
        raise AssertionError(f"{peak[0]} messages at once")


@tap.case("who does not answer is asked by one, and nobody else waits for that")
def one_probe():
    answer = threading.Event()

    def hush(*_):
        while not answer.wait(0.05):
            if p.silent.stopping:
                break
    with site() as p:
        p.silent.script["connect"] = hush
        for n in range(5):
            p.send(f"v{n}@silent.test.example")
            p.send(f"v{n}@quiet.test.example", number=1)
        # Another's letter takes as long as ever.
        p.send("v@alone.test.example")
        wait(lambda: got(p.other) == 1, 20, "the letter to somebody else")
        same(len(p.silent.sessions), 1, "connections to the silent one")
        answer.set()
        wait(lambda: got(p.silent) == 10, 20, "all arrive")
        wait(lambda: p.queue() == [], 20, "an empty queue")


@tap.case("nobody there: one wait for all, told by queue show; retry DOMAIN")
def one_wait():
    with site() as p:
        p.silent.stop()
        first = p.send("a@silent.test.example")
        p.wait_event("dest.waiting", dest="mx4.test.example")
        p.wait_event("msg.deferred", id=first)
        mark = p.mark_log()
        second = p.send("b@quiet.test.example", number=1)
        p.send("v@alone.test.example")
        p.wait_event("msg.delivered", mark, to="v@alone.test.example")
        same(p.events("msg.deferred", mark), [], "attempts at the second")
        p.silent = Sink(address="127.0.0.4", port=p.silent.port).start()
        try:
            p.must("queue", "retry", "--domain", "quiet.test.example")
            wait(lambda: got(p.silent) >= 1, 20, "the second arrives")
            p.wait_event("msg.done", id=second)
            p.must("queue", "retry", first)
            p.wait_event("msg.done", id=first)
        finally:
            p.silent.stop()


@tap.case("421 makes it fewer at once; all arrive")
def too_many():
    lock, here, refused = threading.Lock(), [0], [0]

    def connect(*_):
        with lock:
            if p.provider.open > 3:
                refused[0] += 1
                return "421 4.7.0 too many connections from you"
            return None
    with site(queue={"retry": "1s, 1s, 1s, 2s"}) as p:
        p.provider.script["connect"] = connect
        p.provider.script["data"] = lambda *_: Slow(0.05)
        for n in range(3):
            p.send(to_all(f"v{n}-"), number=n % 2)
        wait(lambda: got(p.provider) == 3 * DOMAINS, 90, "all arrive")
        p.provider.script.clear()
    if not 1 <= refused[0] <= 40:
        raise AssertionError(f"refused {refused[0]} times")


@tap.case("a rate is kept: rate = 10/s")
def rate():
    with site(route={"rate": "10/s"}) as p:
        began = time.monotonic()
        p.send(to_all()[:31])
        p.send("v@alone.test.example")
        wait(lambda: got(p.provider) == 31, 30, "all arrive")
        took = time.monotonic() - began
        times = sorted(m.at for m in p.provider.messages)
        # The clock of the other side is not ours: some may be late.
        if times[-1] - times[0] < 2.7 or took < 2.7:
            raise AssertionError(f"31 messages in {took:.1f} s")
        if p.other.messages[0].at - began > took / 2:
            raise AssertionError("another destination had to wait, too")


def next_in(p, ident):
    """Seconds until a message is tried again."""
    [row] = [r for r in p.queue() if r["id"] == ident]
    when = datetime.datetime.fromisoformat(row["next"].replace("Z", "+00:00"))
    return when.timestamp() - time.time()


@tap.case("greylisting is tried again after five minutes, not an hour")
def grey():
    with site(queue={"retry": "1h"}) as p:
        p.other.script["rcpt"] = ["451 4.7.1 Try again later"]
        mark = p.mark_log()
        ident = p.send("v@alone.test.example")
        p.wait_event("msg.deferred", mark, id=ident)
        left = next_in(p, ident)
        if not 280 < left < 340:
            raise AssertionError(f"next in {left} s")
        p.other.script["rcpt"] = ["451 4.3.0 The database is away"]
        ident = p.send("w@alone.test.example")
        p.wait_event("msg.deferred", mark, id=ident)
        left = next_in(p, ident)
        if left < 3000:
            raise AssertionError(f"not greylisting, and next in {left} s")
        p.must("queue", "retry", "--all")
        wait(lambda: got(p.other) == 2, 20, "both arrive")


@tap.case("the trouble of one domain is not that of its provider")
def one_domain():
    with site(own={"halfway.test.example": {"tls": "verified"}}) as p:
        # It wants TLS, which the provider does not have.
        mark = p.mark_log()
        p.send("v@halfway.test.example")
        p.wait_event("msg.deferred", mark, to="v@halfway.test.example")
        p.send("v@d1.test.example")
        wait(lambda: got(p.provider) == 1, 20, "the neighbour's letter")


if __name__ == "__main__":
    tap.main()
