#!/usr/bin/python3
"""How much a destination gets at once, and who waits for whom."""
# run: limit 180

import contextlib
import datetime
import os
import pty
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bench"))
import fair
import tap
from dns import Dns
from postern import BUILD, Postern, free_port
from sink import Sink, Slow
from tap import has, same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"
DOMAINS = 60
# For a machine that is slower, or busy with other tests.
SLACK = 2
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


def tell_why(p, ident):
    """What an operator learns of mail that waits for a silent server."""
    page = p.must("queue", "show", ident).out
    has(page, "mx4.test.example does not answer since ", "queue show")
    has(page, "next probe, one for all that waits, at ", "queue show")
    [rcpt] = p.must("queue", "show", ident, "--json").json()["rcpts"]
    same(rcpt["destination"], "mx4.test.example", "destination")
    if not rcpt["silent_since"] < rcpt["next_probe"]:
        raise AssertionError(f"not a time after the other: {rcpt}")
    rows = {r["domain"]: r for r in
            p.must("queue", "shape", "--json").items()}
    same(sorted(rows), ["quiet.test.example", "silent.test.example"],
         "domains in queue shape")
    first = rows["silent.test.example"]
    same([first[k] for k in ("total", "below_5m", "older", "held")],
         [1, 1, 0, 0], "queue shape")
    has(first["last"], "refused", "the last answer")
    same(first["destination"], "mx4.test.example", "destination")
    page = p.must("queue", "shape").out
    has(page, "no answer since ", "queue shape")
    has(page, "(all)", "queue shape")


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
        tell_why(p, second)
        p.silent = Sink(address="127.0.0.4", port=p.silent.port).start()
        try:
            p.must("queue", "retry", "quiet.test.example")
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
        for n in range(2):
            p.send(to_all(f"v{n}-"), number=n % 2)
        wait(lambda: got(p.provider) == 2 * DOMAINS, 90, "all arrive")
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


def ask(p, answer, *words):
    """Run a command at a terminal and type the answer; what it said."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(os.path.join(BUILD, "postern"),
                 ["postern", "--config", p.config, *words])
    said = b""
    with contextlib.suppress(OSError):
        while True:
            piece = os.read(fd, 4096)
            said += piece
            if said.rstrip().endswith((b"[y/N]", b"go on:")):
                os.write(fd, answer.encode() + b"\n")
            if not piece:
                break
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


@tap.case("hold, release, remove by sender, account and domain; counted first")
def selections():
    with site(queue={"retry": "1h"}) as p:
        p.other.script["mail"] = lambda *_: "450 4.3.0 later"
        p.home.script["rcpt"] = lambda *_: "450 4.3.0 later"
        mark = p.mark_log()
        p.send("a@alone.test.example")
        p.send("b@alone.test.example", number=1)
        p.send("c@nowhere.test.example")
        p.wait_event("msg.bounced", mark, to="c@nowhere.test.example")
        # Two letters and the bounce.
        wait(lambda: len(p.queue()) == 3
             and len(p.events("msg.deferred", mark)) == 3, 20, "all wait")

        def count(verb, *which):
            said = p.must("queue", verb, "--dry-run", "--json", *which).json()
            same(said["changed"], False, "--dry-run changed")
            return said["count"]
        same(count("hold", "--sender", ALICE), 1, "of alice")
        same(count("hold", "--sender", "<>"), 1, "bounces")
        same(count("hold", "--sender", "@EXAMPLE.org"), 2, "of example.org")
        same(count("hold", "--sender", "@example.net"), 0, "of example.net")
        same(count("hold", "--account", BOB, "--domain",
                   "alone.test.example"), 1, "of bob to there")
        same(count("hold", "--account", BOB, "--domain", "example.org"), 0,
             "of bob to elsewhere")
        same(len(p.must("queue", "list", "--json", "--sender", "<>").items()),
             1, "listed bounces")
        same(p.cli("queue", "hold", "--all", "--sender", ALICE).code, 2,
             "all and some")
        same(p.cli("queue", "remove", "--sender", "<>").code, 2,
             "removal without --yes")
        code, said = ask(p, "n", "queue", "hold", "--sender", "@example.org")
        same((code, [r["held"] for r in p.queue()].count("admin")), (1, 0),
             "held after a no")
        has(said, "This would hold 2 messages", "the question")
        code, said = ask(p, "y", "queue", "hold", "--sender", "@example.org")
        same((code, [r["held"] for r in p.queue()].count("admin")), (0, 2),
             "held after a yes")
        has(said, "undo: postern queue release --sender @example.org",
            "what is said")
        [row] = [r for r in p.must("queue", "shape", "--json").items()
                 if r["domain"] == "alone.test.example"]
        same((row["total"], row["held"]), (2, 2), "queue shape")
        p.must("queue", "release", "--domain", "alone.test.example")
        code, said = ask(p, "2", "queue", "remove", "--domain",
                         "alone.test.example")
        same((code, len(p.queue())), (0, 1), "left after the removal")
        p.must("queue", "remove", "--sender", "<>", "--yes")
        same(p.queue(), [], "the queue")


# In make check a part of it, and of the cases.
FULL = os.environ.get("POSTERN_TESTS") == "full"
BULK = 45000 if FULL else 2000


def quick(name, took):
    if took > 2 * SLACK:
        raise AssertionError(f"{name}: {took:.2f} s behind {BULK} recipients")


@tap.case(f"a letter behind {BULK} recipients of another account: to a relay")
def fair_relay():
    elsewhere, same_way, _ = fair.relay(BULK)
    quick("a letter elsewhere", elsewhere)
    quick("a letter the same way", same_way)


@tap.case("the same, where each recipient has a server of his own")
def fair_each():
    if not FULL:
        raise tap.Skip("takes long; POSTERN_TESTS=full")
    quick("a letter", fair.each(BULK)[0])


@tap.case("the same, and the letter is a bounce")
def fair_bounce():
    quick("a bounce", fair.bounce(BULK)[0])


@tap.case("the same, and all of the bulk bounces")
def fair_bounces():
    if not FULL:
        raise tap.Skip("takes long; POSTERN_TESTS=full")
    quick("a letter", fair.bounces(BULK)[0])


def marked(mark):
    """The names of the live processes with this in their environment."""
    out = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), \
                open(f"/proc/{pid}/environ", "rb") as f:
            if mark.encode() in f.read():
                out.add(os.path.basename(os.readlink(f"/proc/{pid}/exe")))
    return out


@tap.case("who measures that and is told to end leaves no server behind")
def fair_ends():
    mark = os.urandom(8).hex()
    p = subprocess.Popen(
        [sys.executable, fair.__file__, "--recipients", "1000"],
        env={**os.environ, "FAIR_TEST": mark}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # Of an ordinary user's server only the parent lets itself be looked at.
        wait(lambda: "postern-parent" in marked(mark), 30, "its server runs")
    finally:
        p.terminate()
        p.wait(60)
    wait(lambda: not marked(mark), 5, "all of it is gone")


if __name__ == "__main__":
    tap.main()
