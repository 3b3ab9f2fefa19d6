#!/usr/bin/python3
"""Where mail goes by DNS: MX order, addresses, and names that lead nowhere."""
# run: limit 180

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from dns import Dns
from postern import HOSTNAME, Postern, free_port
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"
# Addresses of the servers; one port for all, since `via = mx:PORT` has one.
SINKS = {f"s{n}": f"127.0.0.{n}" for n in range(2, 8)}
DEAD = "127.0.0.99"

ZONE = "\n".join(f"{name} A {address}" for name, address in SINKS.items()) \
    + f"""
dead      A {DEAD}
order     MX 20 s3
order     MX 10 s2
order     MX 30 s4
equal     MX 10 s2
equal     MX 10 s3
fallback  MX 10 dead
fallback  MX 20 s4
alldead   MX 10 dead
noaddr    MX 10 empty
noaddr    MX 20 s5
nohost    MX 10 nowhere
nohost    MX 20 s5
empty     TXT "nothing here"
direct    A 127.0.0.5
six       AAAA ::1
both      A 127.0.0.6
both      AAAA ::1
null      MX 0 .
alias     CNAME order
mxalias   MX 10 cname-s6
cname-s6  CNAME s6
chain     CNAME chain2
chain2    CNAME chain3
chain3    CNAME direct
loop1     CNAME loop2
loop2     CNAME loop1
dangling  CNAME nowhere
many      A 127.0.0.99
many      A 127.0.0.7
self      MX 10 {HOSTNAME}.
behind    MX 10 s2
behind    MX 20 {HOSTNAME}.
behind    MX 30 s3
first     MX 10 {HOSTNAME}.
first     MX 20 s3
*.wild    MX 10 s7
brokenmx  MX 10 mx.broken.example.
mixmx     MX 10 mx.broken.example.
mixmx     MX 20 s4
""" + "\n".join(f"crowd MX {n} x{n}" for n in range(1, 40)) + "\n" \
    + "\n".join(f"x{n} A {DEAD}" for n in range(1, 40))


class Site(Postern):
    def set_up(self):
        self.port = free_port()
        self.far = {name: Sink(address=address, port=self.port).start()
                    for name, address in SINKS.items()}
        self.home = Sink().start()
        self.names = Dns({"test.example": ZONE, "broken.example": None,
                          "org": f"{HOSTNAME}. A 127.0.0.1\n"},
                         self.program, self.signed).__enter__()
        self.via = f"mx:{self.port}"
        self.routes["example.org"] = {"via": f"127.0.0.1:{self.home.port}"}
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}",
                                "trust-anchor": self.names.anchor}
        super().set_up()

    program, signed = "nsd", False

    def __exit__(self, *args):
        super().__exit__(*args)
        for far in list(getattr(self, "far", {}).values()):
            far.stop()
        if hasattr(self, "home"):
            self.home.stop()
        if hasattr(self, "names"):
            self.names.__exit__()

    def check(self):
        for far in self.far.values():
            far.check()
        super().check()

    def clear(self):
        for far in self.far.values():
            far.clear()
        self.home.clear()

    def went(self, domain, seconds=20):
        """Where a message to this domain arrived."""
        self.clear()
        mark = self.mark_log()
        ident = self.send(f"v@{domain}")
        self.wait_event("msg.delivered", mark, seconds, id=ident)
        found = [name for name, far in self.far.items() if far.messages]
        same(len(found), 1, f"servers that got it ({found}); number")
        return found[0]

    def bounced(self, domain, *statuses):
        """A message to this domain bounces at once with such a status."""
        self.clear()
        mark = self.mark_log()
        ident = self.send(f"v@{domain}")
        event = self.wait_event("msg.bounced", mark, id=ident)
        if not any(s in str(event) for s in statuses):
            raise AssertionError(f"none of {statuses} in {event}")
        kept = wait(lambda: self.home.to(ALICE), 20, "the bounce arrives")[0]
        same(kept.sender, "", "return path")
        has(kept.data.decode(), f"v@{domain}", "the bounce")
        same([n for n, f in self.far.items() if f.messages], [],
             "servers that got it")
        wait(lambda: self.queue() == [], 5, "an empty queue")

    def deferred(self, domain, seconds=60):
        self.clear()
        mark = self.mark_log()
        ident = self.send(f"v@{domain}")
        self.wait_event("msg.deferred", mark, seconds, id=ident)
        same(self.events("msg.bounced", mark), [], "bounces")
        same(self.waiting(), 1, "waiting")
        self.must("queue", "remove", ident)


@tap.case("the lowest preference first")
def order(p):
    for _ in range(4):
        same(p.went("order.test.example"), "s2", "server")


@tap.case("the same preference: both are used")
def equal(p):
    used = set()
    for n in range(16):
        used.add(p.went("equal.test.example"))
        if len(used) == 2:
            break
        # An open connection would be used again.
        for far in p.far.values():
            far.hang_up()
    same(used, {"s2", "s3"}, "servers used")


@tap.case("a dead exchanger: the next one")
def fallback(p):
    same(p.went("fallback.test.example"), "s4", "server")


@tap.case("all exchangers dead: deferred")
def all_dead(p):
    p.deferred("alldead.test.example")


@tap.case("an exchanger that answers 4yz: the next one")
def busy(p):
    p.far["s2"].script["connect"] = "421 4.3.2 busy"
    try:
        # A connection that is kept open would go around the greeting.
        where = p.went("order.test.example")
    finally:
        p.far["s2"].script.clear()
    if where not in ("s2", "s3"):
        raise AssertionError(f"went to {where}")


@tap.case("an exchanger without an address or that does not exist: the next")
def no_address(p):
    same(p.went("noaddr.test.example"), "s5", "server")
    same(p.went("nohost.test.example"), "s5", "server")


@tap.case("no MX: the address of the domain itself")
def direct(p):
    same(p.went("direct.test.example"), "s5", "server")
    same(p.went("many.test.example"), "s7", "second address")
    same(p.went("both.test.example"), "s6", "A where AAAA is dead")


@tap.case("no MX and only AAAA: IPv6")
def six(p):
    try:
        far = Sink(address="::1", port=p.port).start()
    except OSError:
        raise tap.Skip("no IPv6 here") from None
    with far:
        mark = p.mark_log()
        ident = p.send("v@six.test.example")
        event = p.wait_event("msg.delivered", mark, id=ident)
        has(event["mx"], "::1", "mx in the log")
        same(len(far.messages), 1, "messages")


@tap.case("null MX: bounced 5.1.10, no connection")
def null(p):
    before = sum(len(f.sessions) for f in p.far.values())
    p.bounced("null.test.example", "5.1.10")
    same(sum(len(f.sessions) for f in p.far.values()), before, "connections")


@tap.case("CNAME of a domain and of an exchanger")
def cname(p):
    same(p.went("alias.test.example"), "s2", "alias of a domain with MX")
    same(p.went("mxalias.test.example"), "s6", "exchanger that is an alias")
    same(p.went("chain.test.example"), "s5", "chain of three")
    # The recipient is passed on as it was given.
    same(p.far["s5"].messages[-1].rcpts, ["v@chain.test.example"], "RCPT")


@tap.case("CNAME loops and aliases of nothing never arrive")
def cname_loops(p):
    p.clear()
    mark = p.mark_log()
    p.bounced("dangling.test.example", "5.1.2", "5.4.4", "5.1.10")
    ident = p.send("v@loop1.test.example")

    def settled():
        return p.events("msg.bounced", mark, id=ident) or \
            p.events("msg.deferred", mark, id=ident)
    wait(settled, 60, "settled")
    p.cli("queue", "remove", ident)


@tap.case("NXDOMAIN: bounced")
def nxdomain(p):
    p.bounced("nowhere.test.example", "5.1.2", "5.4.4")
    p.bounced("no-such-tld.invalid", "5.1.2", "5.4.4")


@tap.case("a domain that exists and has neither MX nor address: bounced")
def no_data(p):
    p.bounced("empty.test.example", "5.1.2", "5.4.4")


@tap.case("SERVFAIL: deferred")
def servfail(p):
    p.deferred("broken.example")
    p.deferred("sub.broken.example")


@tap.case("exchangers whose address is SERVFAIL: deferred, or the next one")
def servfail_address(p):
    p.deferred("brokenmx.test.example")
    same(p.went("mixmx.test.example", 60), "s4", "server")


@tap.case("ourselves as the best exchanger: bounced, no loop")
def to_ourselves(p):
    p.bounced("self.test.example", "5.4.6", "5.3.5")
    p.bounced("first.test.example", "5.4.6", "5.3.5")


@tap.case("ourselves as a later exchanger: only better ones are tried")
def behind(p):
    same(p.went("behind.test.example"), "s2", "server")
    p.far["s2"].stop()
    try:
        p.deferred("behind.test.example")
        same(p.far["s3"].messages, [], "messages at the worse one")
    finally:
        p.far["s2"] = Sink(address=SINKS["s2"], port=p.port).start()


@tap.case("a wildcard")
def wildcard(p):
    same(p.went("a.b.wild.test.example"), "s7", "server")


@tap.case("address literals, with and without IPv6")
def literals(p):
    p.clear()
    mark = p.mark_log()
    ident = p.send("v@[127.0.0.3]")
    p.wait_event("msg.delivered", mark, id=ident)
    same(p.far["s3"].messages[0].rcpts, ["v@[127.0.0.3]"], "RCPT")


@tap.case("forty dead exchangers: an end in sight")
def crowd(p):
    began = time.monotonic()
    p.deferred("crowd.test.example")
    if time.monotonic() - began > 20:
        raise AssertionError(f"{time.monotonic() - began:.0f} s")


@tap.case("a route wins over DNS, the most specific one first")
def routes(p):
    with Sink() as one, Sink() as two:
        p.routes["*.test.example"] = {"via": f"127.0.0.1:{one.port}"}
        p.routes["order.test.example"] = {"via": f"127.0.0.1:{two.port}"}
        p.configure()
        p.process.send_signal(1)
        for domain, far in (("order.test.example", two),
                            ("direct.test.example", one)):
            def arrived():
                p.send(f"v@{domain}")
                time.sleep(0.3)
                return far.messages
            wait(arrived, 15, f"{domain} goes by its route")
        for domain in ("*.test.example", "order.test.example"):
            del p.routes[domain]
        p.configure()
        p.process.send_signal(1)
        wait(lambda: p.went("order.test.example") == "s2", 15,
             "back to DNS")


class Knot(Site):
    program, signed = "knot", True


@tap.case("the same from knot, signed: order, null MX, NXDOMAIN")
def knot(p):
    with Knot(accounts=[ALICE]) as q:
        same(q.went("order.test.example"), "s2", "server")
        same(q.went("alias.test.example"), "s2", "alias")
        q.bounced("null.test.example", "5.1.10")
        q.bounced("nowhere.test.example", "5.1.2", "5.4.4")
        q.check()


@tap.case("signed with a key that is not the anchor's: deferred, not bounced")
def bogus(p):
    with Knot(accounts=[ALICE]) as q, Dns({}, "knot", True) as other:
        q.configure(dns={"trust-anchor": other.anchor})
        q.process.send_signal(1)
        time.sleep(0.5)
        q.deferred("order.test.example")
        q.deferred("nowhere.test.example")
        q.deferred("null.test.example")
        q.check()


@tap.case("a name server that does not answer: deferred")
def no_server(p):
    with Postern(accounts=[ALICE], via="mx",
                 dns={"server": f"127.0.0.1@{free_port()}"}) as q:
        mark = q.mark_log()
        ident = q.send("v@order.test.example")
        q.wait_event("msg.deferred", mark, 90, id=ident)
        same(q.events("msg.bounced", mark), [], "bounces")
        q.check()


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
