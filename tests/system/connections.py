#!/usr/bin/python3
"""How many connections a destination sees at once, those that rest included."""
# run: limit 120

import contextlib
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import sink as sinks
import tap
from dns import Dns
from postern import Postern, free_port
from sink import CLOSE, Crowd, Sink, Slow
from tap import same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"
DOMAINS = 24
HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
ZONE = "\n".join(
    f"d{n} MX 1 mx1\nd{n} MX 1 mx2\nd{n} MX 1 mx3" for n in range(DOMAINS)) \
    + "".join(f"\nmx{n + 1} A {host}" for n, host in enumerate(HOSTS)) + "\n"


@contextlib.contextmanager
def site(most, script=None, routes=None, cert=None, **queue):
    """
    A server that sends by DNS to a provider with three MX hosts for all of
    its domains, which counts the connections to all of them.
    """
    port, crowd = free_port(), Crowd()
    with Dns({"test.example": ZONE}) as names, contextlib.ExitStack() as far:
        hosts = [far.enter_context(Sink(script, address=host, port=port,
                                        cert=cert, crowd=crowd))
                 for host in HOSTS]
        with Postern(accounts=[ALICE, BOB], via=f"mx:{port}",
                     dns={"server": f"127.0.0.1@{names.port}"},
                     routes={name: {"via": f"mx:{port}", **keys}
                             for name, keys in (routes or {}).items()},
                     queue={"per-destination": str(most), **queue}) as p:
            p.hosts, p.crowd = hosts, crowd
            yield p
            p.check()
            for host in hosts:
                host.check()


@contextlib.contextmanager
def relay(most, script=None, routes=None, cert=None, **queue):
    """A server that sends everything to one relay, by whatever route."""
    with Sink(script, port=free_port(), cert=cert) as far:
        via = f"127.0.0.1:{far.port}"
        # A relay gets twice as many as a stranger's server.
        with Postern(accounts=[ALICE, BOB], via=via,
                     routes={name: {"via": via, **keys}
                             for name, keys in (routes or {}).items()},
                     queue={"per-destination": str(most // 2), **queue}) as p:
            p.hosts, p.crowd = [far], far.crowd
            yield p
            p.check()
            far.check()


def burst(p, count, number=0, name="v"):
    """Messages to as many domains, each by itself."""
    sender = p.accounts[number]
    with p.logged_in(number) as t:
        for n in range(count):
            to = f"{name}{n}@d{n % DOMAINS}.test.example"
            same(t.submit(sender, [to], client.message(sender, to)).code, 250,
                 "message")


def arrived(p, count):
    wait(lambda: sum(len(h.messages) for h in p.hosts) == count, 60,
         f"{count} messages arrive")


def few(p, most, least=1):
    if not least <= p.crowd.peak <= most:
        raise AssertionError(f"{p.crowd.peak} connections at once, and "
                             f"{most} are the most")


def sessions(p):
    return sum(len(h.sessions) for h in p.hosts)


SLOW = {"body": lambda *_: Slow(0.2)}


@tap.case("a burst to domains of a site with three MX hosts")
def burst_to_site():
    with site(4, SLOW) as p:
        burst(p, 72)
        arrived(p, 72)
        few(p, 4, 2)
        # Whichever of the hosts a connection rests at is good enough.
        if sessions(p) > 24:
            raise AssertionError(f"{sessions(p)} connections for 72 messages")


@tap.case("the same over TLS, once more while connections still rest")
def burst_again():
    cert = sinks.certificate(os.path.join(CERTS, "sink.pem"))
    with site(3, SLOW, cert=cert) as p:
        burst(p, 30)
        arrived(p, 30)
        burst(p, 30, name="w")
        arrived(p, 60)
        few(p, 3, 2)


for name, tls, keys in (
        ("another HELO name", False, {"helo": "other.example.org"}),
        ("another demand of TLS", True, {"tls": "required"})):
    for way in (site, relay):
        @tap.case(f"what rests gives way to {name} ({way.__name__})", way, tls,
                  keys)
        def another(way, tls, keys):
            cert = tls and sinks.certificate(os.path.join(CERTS, "sink.pem"))
            with way(4, SLOW, routes={f"account:{BOB}": keys},
                     cert=cert) as p:
                burst(p, 24)
                arrived(p, 24)
                burst(p, 24, number=1)
                arrived(p, 48)
                burst(p, 24)
                burst(p, 24, number=1)
                arrived(p, 96)
                few(p, 4, 2)


@tap.case("a server that says no to MAIL, and the next one: one at a time")
def next_server():
    refuse = {"mail": lambda s, _: None if s.server.address == HOSTS[2]
              else "450 4.3.2 not here, not now"}
    with site(1, refuse) as p:
        burst(p, 6)
        arrived(p, 6)
        few(p, 1)


@tap.case("a connection that has served its hundred jobs, and its successor")
def successor():
    with site(1, {"quit": lambda *_: Slow(0.3)}) as p:
        burst(p, 210)
        arrived(p, 210)
        few(p, 1)


class Gate:
    """Holds the ends of messages until it is opened."""

    def __init__(self):
        self.waiting, self.lock = 0, threading.Lock()
        self.event, self.first = threading.Event(), None

    def __call__(self, session, _):
        with self.lock:
            self.waiting += 1
        while not self.event.wait(0.02):
            if session.server.stopping:
                return CLOSE
        with self.lock:
            first, self.first = self.first, None
        return first


def grow(p, most, stage):
    """Let the destination reach its full width; none of it rests then."""
    burst(p, 60)
    arrived(p, 60)
    # A server that hangs up on a connection that rested says nothing.
    os.kill(p.sid, signal.SIGHUP)
    wait(lambda: p.crowd.open == 0, 30, "what rests is gone")
    gate = Gate()
    for host in p.hosts:
        host.script = {stage: gate}
    burst(p, most, name="g")
    wait(lambda: gate.waiting == most, 30, "all under way at once")
    return gate


for name, stage, way, what in (
        ("421", "mail", site, "421 4.7.0 too many of you"),
        ("421", "body", site, "421 4.7.28 too much of you"),
        ("421", "mail", relay, "421 4.7.0 too many of you"),
        ("a lost one", "mail", relay, CLOSE)):
    @tap.case(f"after {name} ({stage}) half as many, those that rest included "
              f"({way.__name__})", stage, way, what)
    def narrower(stage, way, what):
        with way(8, SLOW, retry="1s, 1s, 1s, 2s") as p:
            gate = grow(p, 8, stage)
            same(p.crowd.open, 8, "connections")
            gate.first = what
            gate.event.set()
            wait(lambda: sum(len(h.messages) for h in p.hosts) >= 67, 20,
                 "the others arrive")
            # They would rest for five seconds.
            began = time.monotonic()
            wait(lambda: p.crowd.open <= 4, 20, "half of them")
            if time.monotonic() - began > 4:
                raise AssertionError("they rested as long as ever")
            p.crowd.look_anew()
            burst(p, 24, name="l")
            wait(lambda: p.queue() == [], 60, "an empty queue")
            few(p, 4)


@tap.case("a server of ten recipients that hangs up after twenty refusals")
def errors_counted():
    refused = {}

    def rcpt(session, _):
        if len(session.rcpts) < 10:
            return None
        n = refused[session] = refused.get(session, 0) + 1
        return "452 4.5.3 too many recipients" if n < 20 else CLOSE
    with relay(4, {"rcpt": rcpt}, retry="1s, 1s, 1s, 2s") as p:
        p.send([f"v{n}@d1.test.example" for n in range(100)])
        wait(lambda: sum(len(m.rcpts) for m in p.hosts[0].messages) == 100, 40,
             "all arrive")
        same(sum(refused.values()), 20, "refused")
        same(len(p.hosts[0].messages), 10, "transactions")


@tap.case("a connection's hundred are transactions, not jobs")
def many_transactions():
    def rcpt(session, _):
        return "452 4.5.3 too many recipients" if len(session.rcpts) == 2 \
            else None
    with site(1, {"rcpt": rcpt}) as p:
        for host in p.hosts[1:]:
            host.stop()
        for n in range(4):
            p.send([f"v{n}-{i}@d1.test.example" for i in range(100)])
        wait(lambda: sum(len(m.rcpts) for h in p.hosts for m in h.messages)
             == 400, 40, "all arrive")
        most = max(sum(c.startswith("MAIL") for c in s.commands)
                   for h in p.hosts for s in h.sessions)
        same(most, 100, "transactions on one connection")


@tap.case("another source address is another destination")
def other_source():
    seen = {}
    lock = threading.Lock()

    def count(session, _):
        with lock:
            live = sum(s.live and s.peer == session.peer
                       for s in session.server.sessions)
            seen[session.peer] = max(seen.get(session.peer, 0), live)

    with relay(4, {"connect": count, "body": lambda *_: Slow(0.05)},
               routes={f"account:{BOB}": {"source": "127.0.0.9"}}) as p:
        burst(p, 24)
        burst(p, 24, number=1)
        arrived(p, 48)
        same(sorted(seen), ["127.0.0.1", "127.0.0.9"], "addresses")
        if max(seen.values()) > 4:
            raise AssertionError(f"connections at once: {seen}")


if __name__ == "__main__":
    CERTS = os.path.join(os.path.dirname(__file__), "..", "..", "build")
    tap.main()
