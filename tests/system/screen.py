#!/usr/bin/python3
"""
The rules of [screen]: networks, names that are confirmed, block lists, with a
name server that tells the truth, lies, or says nothing.
"""
# run: limit 120

import os
import re
import select
import signal
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import pki
import tap
from dns import Dns
from postern import PASSWORD, Postern, free_port
from proxied import dial, talk, v1
from tap import has, matches, same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"
RULES = """
allow 192.0.2.1
refuse 192.0.2.0/28 "this network is closed; use another one"
refuse host.bad.example "bad host"
certificate *.dyn.example "bring a certificate"
slow *.slow.example
refuse list wild.example
refuse list everybody.example
refuse list error.example
refuse list dead.example
slow list bl.example 127.0.0.4
refuse list bl.example
"""
SIX = "8.b.d.0.1.0.0.2.ip6.arpa"


def reversed6(ip):
    packed = socket.inet_pton(socket.AF_INET6, ip)
    return ".".join(reversed(packed.hex()))


LISTED6 = reversed6("2001:db8::60")
ZONES = {
    "2.0.192.in-addr.arpa": """
50 PTR host.bad.example.
51 PTR host.bad.example.
52 PTR a.b.dyn.example.
53 PTR nowhere.example.
53 PTR host.bad.example.
54 PTR a.slow.example.
70 PTR a.good.example.
""",
    SIX: f"{reversed6('2001:db8::50')[:-len('.8.b.d.0.1.0.0.2')]} "
         "PTR host.bad.example.\n",
    "bad.example": "host A 192.0.2.50\nhost A 192.0.2.53\n"
                   "host AAAA 2001:db8::50\n",
    "dyn.example": "*.b A 192.0.2.52\n",
    "slow.example": "a A 192.0.2.54\n",
    "good.example": "a A 192.0.2.70\n",
    "bl.example": f"""
2.0.0.127 A 127.0.0.2
60.2.0.192 A 127.0.0.2
61.2.0.192 A 127.0.0.4
62.2.0.192 A 127.255.255.254
{reversed6('::ffff:127.0.0.2')} A 127.0.0.2
{LISTED6} A 127.0.0.2
""",
    # Forsaken: the domain is somebody else's, or has no data any more.
    "wild.example": "* A 203.0.113.9\n",
    "everybody.example": "* A 127.0.0.2\n",
    "error.example": "* A 127.255.255.254\n",
    "dead.example": "nothing TXT here\n",
}


class Forwarder:
    """Between postern and the name server; may keep silent."""

    def __init__(self, to):
        self.to, self.port, self.silent = to, free_port(), False
        self.front = socket.socket(type=socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", self.port))
        self.back = socket.socket(type=socket.SOCK_DGRAM)
        self.back.connect(("127.0.0.1", to))
        self.askers, self.questions = {}, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            ready, _, _ = select.select([self.front, self.back], [], [], 0.1)
            try:
                if self.front in ready:
                    packet, asker = self.front.recvfrom(4096)
                    self.questions += 1
                    if not self.silent:
                        self.askers[packet[:2]] = asker
                        self.back.send(packet)
                if self.back in ready:
                    packet = self.back.recv(4096)
                    if packet[:2] in self.askers:
                        self.front.sendto(packet,
                                          self.askers.pop(packet[:2]))
            except OSError:
                pass

    def stop(self):
        self.ended.set()
        self.thread.join(5)
        self.front.close()
        self.back.close()


class Site(Postern):
    """Listeners that believe 127.0.0.1 whose connection it is."""

    def __init__(self, rules=RULES):
        super().__init__(accounts=[ALICE, BOB])
        self.rules = rules

    def set_up(self):
        self.names = Dns(ZONES)
        self.names.__enter__()
        self.forwarder = Forwarder(self.names.port)
        self.sections["dns"] = {"server": f"127.0.0.1@{self.forwarder.port}"}
        self.lb465, self.lb587 = free_port(), free_port()
        self.extra = "".join(
            f"[listen {name}]\naddress = 127.0.0.1:{port}\ntls = {mode}\n"
            "proxy-from = 127.0.0.1\n"
            for name, port, mode in (("lb465", self.lb465, "implicit"),
                                     ("lb587", self.lb587, "starttls"))) + \
            "[screen]\n" + "".join(
                f"rule = {line}\n"
                for line in self.rules.strip().splitlines())
        super().set_up()

    def __exit__(self, *args):
        try:
            super().__exit__(*args)
        finally:
            if hasattr(self, "forwarder"):
                self.forwarder.stop()
                self.names.__exit__()

    def came(self, ip):
        """A connection from there to 587, nothing said yet."""
        return talk(dial(self.lb587, v1(ip)))

    def greeting(self, ip):
        with self.came(ip) as t:
            reply = t.reply(bare=True)
            if reply.code == 554:
                same(t.cmd("EHLO me").code, 503, "EHLO behind 554")
                same(t.cmd("QUIT").code, 221, "QUIT")
            return reply

    def inside(self, ip, context=None):
        """The same to 465, inside TLS."""
        t = talk((context or client.context()).wrap_socket(
            dial(self.lb465, v1(ip))))
        t.banner = t.reply(bare=True)
        return t


def refused(p, ip, text):
    mark = p.mark_log()
    reply = p.greeting(ip)
    same(reply.code, 554, f"{ip} at 587")
    has(reply.text, text)
    with p.inside(ip) as t:
        same(t.banner.code, 554, f"{ip} at 465")
    same(p.wait_event("smtp.screened", mark, ip=ip)["action"], "refuse")


def welcome(p, ip):
    same(p.greeting(ip).code, 220, f"{ip} at 587")


@tap.case("networks, the first rule that matches")
def networks(p):
    welcome(p, "192.0.2.1")
    for ip in ("192.0.2.2", "192.0.2.15"):
        refused(p, ip, "this network is closed; use another one")
    welcome(p, "192.0.2.16")
    welcome(p, "2001:db8::1")


@tap.case("names, when they have the address")
def names(p):
    refused(p, "192.0.2.50", "bad host")
    refused(p, "192.0.2.53", "bad host")
    refused(p, "2001:db8::50", "bad host")


@tap.case("a name that its address gave itself does not count")
def forged(p):
    welcome(p, "192.0.2.51")
    row = p.must("check", "client", "192.0.2.51", "--json").json()
    same(row["action"], "allow")
    has(row["found"], "host.bad.example not confirmed")


@tap.case("block lists, by what they answer")
def lists(p):
    refused(p, "192.0.2.60", "your address is listed at bl.example")
    refused(p, "2001:db8::60", "your address is listed at bl.example")
    mark = p.mark_log()
    welcome(p, "192.0.2.61")
    same(p.wait_event("smtp.screened", mark, ip="192.0.2.61")["action"],
         "slow")


@tap.case("lists that tell errors, list everybody or nobody refuse nobody")
def ill(p):
    mark = p.mark_log()
    welcome(p, "192.0.2.62")
    p.wait_event("screen.list-error", mark, list="bl.example")
    # Asked already by those above.
    for name, why in (("wild.example", "lists everybody"),
                      ("everybody.example", "lists everybody"),
                      ("error.example", "lists everybody"),
                      ("dead.example", "lists nobody")):
        event = p.wait_event("screen.list-ill", 0, list=name, family="IPv4")
        has(event["reason"], why, name)


@tap.case("a wrong password from a slow place waits longest, and counts more")
def slow(p):
    with p.inside("192.0.2.54") as t:
        t.ehlo()
        began = time.monotonic()
        same(t.cmd("AUTH PLAIN " + client.plain(BOB, "wrong")).code, 535)
        took = time.monotonic() - began
    if took < 3.9:
        raise AssertionError(f"answered after {took:.1f} s")
    with p.inside("192.0.2.54") as t:
        began = time.monotonic()
        t.login(BOB, PASSWORD)
        if time.monotonic() - began > 3:
            raise AssertionError("a right password waited, too")


def certificate(p, name):
    cert, key = (os.path.join(p.dir, f"{name}.{end}")
                 for end in ("cert", "key"))
    os.system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
              f"-nodes -subj /CN={name} -days 2 -keyout {key} -out {cert} "
              "2>/dev/null")
    context = client.context()
    context.load_cert_chain(cert, key)
    return cert, context


@tap.case("where a certificate is needed, a password alone does nothing")
def certificates(p):
    cert, alices = certificate(p, "alice")
    p.must("account", "certificate", "add", ALICE, "laptop", cert)
    _, unknown = certificate(p, "unknown")
    right = "AUTH PLAIN " + client.plain(ALICE, PASSWORD)
    with p.inside("192.0.2.52") as t:
        t.ehlo()
        reply = t.cmd(right)
        same(reply.code, 535)
        has(reply.text, "bring a certificate")
    with p.inside("192.0.2.52", unknown) as t:
        t.ehlo()
        reply = t.cmd(right)
        same(reply.code, 535, "somebody's certificate, and the password")
        has(reply.text, "client certificate of this account")
        # It tells nothing about the password.
        other = t.cmd("AUTH PLAIN " + client.plain(ALICE, "wrong"))
        same(str(other), str(reply), "a wrong password")
    for say in ("AUTH EXTERNAL =", right):
        with p.inside("192.0.2.52", alices) as t:
            t.ehlo()
            same(t.cmd(say).code, 235, say[:13])
    with p.inside("192.0.2.52", alices) as t:
        t.ehlo()
        same(t.cmd("AUTH PLAIN " + client.plain(BOB, PASSWORD)).code, 535,
             "the certificate of another account")
    # Elsewhere nothing has changed.
    with p.inside("192.0.2.16") as t:
        t.login(ALICE, PASSWORD)


@tap.case("no rule lets anybody relay")
def relay(p):
    for ip in ("192.0.2.1", "192.0.2.70"):
        with p.inside(ip) as t:
            t.ehlo()
            same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 530, "MAIL")
            same(t.cmd("RCPT TO:<carol@example.net>").code, 530, "RCPT")


@tap.case("check client tells what a client would get, and why")
def command(p):
    rule = p.must("check", "client", "192.0.2.1", "--json").json()
    same((rule["action"], rule["rule"], rule["sure"]),
         ("allow", "allow 192.0.2.1/32", True))
    told = p.cli("check", "client", "192.0.2.60", "--json")
    same(told.code, 1, "exit code of a refusal")
    same(told.json()["rule"], "refuse list bl.example")
    has(told.json()["found"], "bl.example says 127.0.0.2")
    line = told.json()["line"]
    with open(p.config) as f:
        has(f.read().splitlines()[line - 1], "refuse list bl.example")
    text = p.cli("check", "client", "192.0.2.50").out
    matches(text, r"is refused with 554")
    matches(text, r"postern\.conf:\d+: refuse host\.bad\.example")
    matches(text, r"host\.bad\.example confirmed")
    same(p.cli("check", "client", "nonsense").code, 2)


@tap.case("config check tells rules that are never reached, and mistakes")
def config(p):
    with open(p.config) as f:
        text = f.read()
    path = os.path.join(p.dir, "wrong.conf")
    p.write(path, text + "rule = allow 192.0.2.3\n"
            "rule = refuse 10.0.0.1/8\nrule = block any\n")
    lines = text.count("\n")
    told = p.cli("--config", path, "config", "check")
    same(told.code, 78)
    said = told.out + told.err
    for n, words in ((1, "this rule never acts"), (2, "has zeros there"),
                     (3, "write an action")):
        matches(said, rf"wrong\.conf:{lines + n}\b.*{words}")
    has(said, "move it above that one")


@tap.case("nobody is asked where no rule needs a name")
def no_questions():
    with Site("refuse 192.0.2.0/28\n") as p:
        before = p.forwarder.questions
        same(p.greeting("192.0.2.2").code, 554)
        same(p.greeting("192.0.2.50").code, 220)
        p.send()
        same(p.forwarder.questions, before, "questions")


@tap.case("without an answer: later, not for ever, and soon")
def silence():
    rules = "allow 127.0.0.1\nallow *.good.example\nrefuse any\n"
    with Site(rules) as p:
        same(p.greeting("192.0.2.70").code, 220)
        same(p.greeting("192.0.2.71").code, 554)
        p.forwarder.silent = True
        for ip in ("192.0.2.72", "192.0.2.73"):
            mark, began = p.mark_log(), time.monotonic()
            reply = p.greeting(ip)
            took = time.monotonic() - began
            same(reply.code, 421, "nobody knows its name")
            has(reply.text, "try again")
            if not 1.5 < took < 8:
                raise AssertionError(f"after {took:.1f} s")
            p.wait_event("screen.late", mark, ip=ip)
        # A rule about a network in front of it needs no answer.
        p.send()
        p.forwarder.silent = False
        # Deliver stands still, then dies: the others go on.
        pid = p.kill("postern-deliver", signal.SIGSTOP)[0]
        mark, began = p.mark_log(), time.monotonic()
        same(p.greeting("192.0.2.71").code, 421)
        p.wait_event("screen.unanswered", mark)
        if not 2.5 < time.monotonic() - began < 9:
            raise AssertionError("the wait for deliver has no bound")
        os.kill(pid, signal.SIGKILL)
        wait(lambda: p.greeting("192.0.2.70").code == 220, 20,
             "deliver is back")


if __name__ == "__main__":
    both = {"no_questions", "silence"}
    alone = [c for c in tap.cases if c[1].__name__ in both]
    for c in alone:
        # These make a site of their own.
        tap.cases[tap.cases.index(c)] = (
            c[0], lambda _, f=c[1]: f(), c[2])
    tap.main(Site)
