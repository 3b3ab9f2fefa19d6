#!/usr/bin/python3
"""
Whom mail is handed to: DANE, MTA-STS, REQUIRETLS and opportunistic TLS, as a
matrix of what the receiving side publishes, what its server shows, and what
must come of it.
"""
# run: limit 120

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import https
import pki
import tap
from dns import Dns
from postern import Postern, free_port
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"

# What a server shows: the name of its certificate ("" none, no STARTTLS).
# `MX` stands for the name in the MX record.
GOOD, OTHER, OLD, OWN, CLEAR = "good", "other", "old", "own", "clear"


class Row:
    """
    name     the domain is NAME.ZONE
    say      parameters of MAIL, head: header lines of the message
    offers   what the server's EHLO offers besides the usual
    sts      what `_mta-sts` and the web server of the domain show: a Web
    zone     signed, plain (not signed), bogus (signed with a wrong key) or
             stale (with signatures that are over)
    tlsa     a function of the certificate's PEM file to TLSA data, or lines
    cert     what the server shows
    want     delivered, deferred or bounced
    policy   of the delivery; with deferred: a part of the answer
    """

    def __init__(self, name, cert, want, policy, zone="signed", tlsa=None,
                 lines=None, script=None, sts=None, say="", head="",
                 offers=()):
        self.name, self.cert, self.want = name, cert, want
        self.sts, self.say, self.head = sts, say, head
        self.offers = list(offers)
        self.policy, self.zone, self.tlsa = policy, zone, tlsa
        self.lines, self.script = lines, script
        self.domain = f"{name}.{zone}"
        self.mx = f"mx.{self.domain}"


def record(usage, selector, matching, which=None):
    """A TLSA record of the server's certificate, or of another one."""
    def make(site, row):
        return [pki.tlsa(usage, selector, matching,
                         site.cert(which or row.cert, row))]
    return make


def raw(*lines):
    return lambda site, row: list(lines)


def both(*makers):
    return lambda site, row: [x for m in makers for x in m(site, row)]


WRONG = raw("3 1 1 " + "ab" * 32)
EE, TA = record(3, 1, 1), record(2, 0, 1, "authority")
NO_TLS = "502 5.5.1 no"

DANE = [
    # A certificate that fits.
    Row("ee", OWN, "delivered", "dane", tlsa=EE),
    Row("ee-cert", OWN, "delivered", "dane", tlsa=record(3, 0, 1)),
    Row("ee-sha512", OWN, "delivered", "dane", tlsa=record(3, 1, 2)),
    Row("ee-full", OWN, "delivered", "dane", tlsa=record(3, 1, 0)),
    Row("ee-name", OTHER, "delivered", "dane", tlsa=EE),
    Row("ee-expired", OLD, "delivered", "dane", tlsa=EE),
    Row("ee-rollover", OWN, "delivered", "dane", tlsa=both(WRONG, EE)),
    Row("ta", GOOD, "delivered", "dane", tlsa=TA),
    Row("ta-domain", "domain", "delivered", "dane", tlsa=TA),
    Row("ee-and-pkix", OWN, "delivered", "dane",
        tlsa=both(raw("1 1 1 " + "cd" * 32), EE)),
    # One that does not.
    Row("mismatch", GOOD, "deferred", "ertificate", tlsa=WRONG),
    Row("ta-name", OTHER, "deferred", "ertificate", tlsa=TA),
    Row("ta-expired", OLD, "deferred", "ertificate", tlsa=TA),
    Row("ta-own", OWN, "deferred", "ertificate", tlsa=TA),
    # An attacker takes STARTTLS away, or breaks the handshake.
    Row("stripped", CLEAR, "deferred", "TLS is required", tlsa=WRONG),
    Row("refused", OWN, "deferred", "no", tlsa=EE,
        script={"starttls": NO_TLS}),
    Row("broken", OWN, "deferred", "", tlsa=EE,
        script={"tls": b"garbage for a hello\r\n"}),
    # Records of no use: TLS, whoever it is.
    Row("pkix-only", OWN, "delivered", "opportunistic",
        tlsa=record(1, 1, 1)),
    Row("pkix-stripped", CLEAR, "deferred", "TLS is required",
        tlsa=raw("1 1 1 " + "cd" * 32)),
    Row("unknown-type", OWN, "delivered", "opportunistic",
        tlsa=raw("3 1 9 abcdef")),
    # No records, or none that count.
    Row("none", OWN, "delivered", "opportunistic"),
    Row("none-clear", CLEAR, "delivered", "none"),
    Row("unsigned", OWN, "delivered", "opportunistic", zone="plain",
        tlsa=WRONG),
    Row("unsigned-clear", CLEAR, "delivered", "none", zone="plain",
        tlsa=WRONG),
    # Unsigned MX records lead to a signed host: no DANE (RFC 7672 2.2.1).
    Row("insecure-mx", OWN, "delivered", "opportunistic", zone="plain",
        lines="@ MX 10 mx.mismatch.signed."),
    # Lookups that fail never mean no.
    Row("bogus", OWN, "deferred", "DNSSEC", zone="bogus", tlsa=EE),
    Row("bogus-clear", CLEAR, "deferred", "DNSSEC", zone="bogus"),
    Row("over", OWN, "deferred", "DNSSEC", zone="stale", tlsa=EE),
    Row("over-clear", CLEAR, "deferred", "DNSSEC", zone="stale"),
    Row("tlsa-fails", OWN, "deferred", "TLSA",
        lines="@ MX 10 mx\n_tcp.mx NS ns.dns-test."),
    Row("tlsa-fails-clear", CLEAR, "deferred", "TLSA",
        lines="@ MX 10 mx\n_tcp.mx NS ns.dns-test."),
    # Aliases (RFC 7672 2.2.2).
    Row("alias", OWN, "delivered", "dane", tlsa=EE,
        lines="@ MX 10 aka\naka CNAME mx"),
    Row("alias-first", OTHER, "deferred", "ertificate", tlsa=WRONG,
        lines="@ MX 10 aka\naka CNAME mx\n_PORT._tcp.aka CNAME ok"),
    Row("alias-own", OWN, "delivered", "dane",
        lines="@ MX 10 aka\naka CNAME mx\n_PORT._tcp.aka TLSA EE"),
    Row("alias-own-fails", CLEAR, "deferred", "TLSA",
        lines="@ MX 10 aka\naka CNAME mx\n_PORT._tcp.aka CNAME mx.bogus.bogus."),
    Row("alias-out", OWN, "delivered", "dane",
        lines="@ MX 10 aka\naka CNAME mx.alias-in.plain.\n"
              "_PORT._tcp.aka TLSA EE"),
    Row("alias-out-bad", OWN, "deferred", "ertificate",
        lines="@ MX 10 aka\naka CNAME mx.unsigned.plain.\n"
              "_PORT._tcp.aka TLSA 3 1 1 " + "ab" * 32),
    Row("tlsa-alias", OWN, "delivered", "dane",
        lines="@ MX 10 mx\n_PORT._tcp.mx CNAME key\nkey TLSA EE"),
    # No MX: the domain itself.
    Row("direct", OWN, "delivered", "dane",
        lines="@ A ADDRESS\n_PORT._tcp TLSA EE"),
    Row("direct-bad", OWN, "deferred", "ertificate",
        lines="@ A ADDRESS\n_PORT._tcp TLSA 3 1 1 " + "ab" * 32),
    # The next server, when the first one cannot prove itself.
    Row("second", OWN, "delivered", "dane", tlsa=EE,
        lines="@ MX 10 mx.mismatch\n@ MX 20 mx"
              .replace("mx.mismatch", "mx.mismatch.signed.")),
]


class Web:
    """
    mode, mx  of the policy; None stands for the server of the row
    page      the whole of it, instead
    answer    the status line's code, and headers
    cert      of the web server: good, other, own, old
    """

    def __init__(self, mode="enforce", mx=None, page=None, code=200,
                 headers=None, cert=GOOD, txt=("v=STSv1; id=1;",), age=86400):
        self.age = age
        self.mode, self.mx, self.page = mode, mx, page
        self.code, self.cert, self.txt = code, cert, txt
        self.headers = headers or {"Content-Type": "text/plain"}

    def text(self, row):
        if self.page is not None:
            return self.page
        lines = ["version: STSv1", f"mode: {self.mode}", f"max_age: {self.age}"]
        lines += [f"mx: {mx}" for mx in self.mx or [row.mx]]
        return "\r\n".join(lines) + "\r\n"


MOVED = {"Location": "https://elsewhere.example/", "Content-Type":
         "text/plain"}
NONE = Web("none")
STS = [
    Row("sts", GOOD, "delivered", "sts", "plain", sts=Web()),
    Row("sts-star", GOOD, "delivered", "sts", "plain",
        sts=Web(mx=["other.example", "*.sts-star.plain"])),
    Row("sts-other", OTHER, "deferred", "ertificate", "plain", sts=Web()),
    Row("sts-old", OLD, "deferred", "ertificate", "plain", sts=Web()),
    Row("sts-own", OWN, "deferred", "ertificate", "plain", sts=Web()),
    Row("sts-stripped", CLEAR, "deferred", "TLS is required", "plain",
        sts=Web()),
    Row("sts-refused", GOOD, "deferred", "no", "plain", sts=Web(),
        script={"starttls": NO_TLS}),
    Row("sts-broken", GOOD, "deferred", "", "plain", sts=Web(),
        script={"tls": b"garbage for a hello\r\n"}),
    Row("sts-not-listed", GOOD, "deferred", "does not list", "plain",
        sts=Web(mx=["mx.elsewhere.example"])),
    Row("sts-deep-star", GOOD, "deferred", "does not list", "plain",
        sts=Web(mx=["*.plain"])),
    Row("short", GOOD, "delivered", "sts", "plain", sts=Web(age=5)),
    Row("sts-signed", GOOD, "delivered", "sts", sts=Web()),
    Row("testing", GOOD, "delivered", "opportunistic", "plain",
        sts=Web("testing")),
    Row("testing-own", OWN, "delivered", "opportunistic", "plain",
        sts=Web("testing")),
    Row("testing-not-listed", OWN, "delivered", "opportunistic", "plain",
        sts=Web("testing", mx=["mx.elsewhere.example"])),
    Row("testing-clear", CLEAR, "delivered", "none", "plain",
        sts=Web("testing")),
    Row("mode-none", OWN, "delivered", "opportunistic", "plain", sts=NONE),
    Row("mode-none-clear", CLEAR, "delivered", "none", "plain", sts=NONE),
    # A policy that cannot be had is none, when there was none before.
    Row("web-redirect", OWN, "delivered", "opportunistic", "plain",
        sts=Web(code=302, headers=MOVED)),
    Row("web-404", OWN, "delivered", "opportunistic", "plain",
        sts=Web(code=404)),
    Row("web-html", OWN, "delivered", "opportunistic", "plain",
        sts=Web(headers={"Content-Type": "text/html"})),
    Row("web-huge", OWN, "delivered", "opportunistic", "plain",
        sts=Web(page="version: STSv1\nmode: enforce\nmx: a.b\n"
                "max_age: 86400\n" + "mx: a.example\n" * 20000)),
    Row("web-nonsense", OWN, "delivered", "opportunistic", "plain",
        sts=Web(page="<html>hello</html>")),
    Row("web-other", OWN, "delivered", "opportunistic", "plain",
        sts=Web(cert=OTHER)),
    Row("web-own", OWN, "delivered", "opportunistic", "plain",
        sts=Web(cert=OWN)),
    Row("web-old", OWN, "delivered", "opportunistic", "plain",
        sts=Web(cert=OLD)),
    Row("txt-none", OWN, "delivered", "opportunistic", "plain",
        sts=Web(txt=())),
    Row("txt-two", OWN, "delivered", "opportunistic", "plain",
        sts=Web(txt=("v=STSv1; id=1;", "v=STSv1; id=2;"))),
    Row("txt-two-one-bad", OWN, "delivered", "opportunistic", "plain",
        sts=Web(txt=("v=STSv1; id=1;", "v=STSv1; id=#;"))),
    Row("txt-among", GOOD, "delivered", "sts", "plain",
        sts=Web(txt=("some other text", "v=STSv1; id=1;"))),
    # DANE wins over MTA-STS (RFC 8461 2).
    Row("both", GOOD, "delivered", "dane", tlsa=EE, sts=Web()),
    Row("both-not-listed", OWN, "delivered", "dane", tlsa=EE,
        sts=Web(mx=["mx.elsewhere.example"])),
    Row("both-mismatch", GOOD, "deferred", "ertificate", tlsa=WRONG,
        sts=Web()),
    Row("both-pkix-only", GOOD, "delivered", "sts",
        tlsa=raw("1 1 1 " + "cd" * 32), sts=Web()),
    Row("both-pkix-own", OWN, "deferred", "ertificate",
        tlsa=raw("1 1 1 " + "cd" * 32), sts=Web()),
]


# RFC 8689.
RTLS = {"say": "REQUIRETLS", "offers": ["REQUIRETLS"]}
ANYHOW = {"head": "TLS-Required: No\r\n"}
DEMANDS = [
    Row("rtls-dane", OWN, "delivered", "dane", tlsa=EE, **RTLS),
    Row("rtls-sts", GOOD, "delivered", "sts", "plain", sts=Web(), **RTLS),
    Row("rtls-signed", GOOD, "delivered", "requiretls", **RTLS),
    Row("rtls-own", OWN, "deferred", "ertificate", **RTLS),
    Row("rtls-mismatch", GOOD, "deferred", "ertificate", tlsa=WRONG, **RTLS),
    Row("rtls-plain", GOOD, "bounced", "REQUIRETLS", "plain", **RTLS),
    Row("rtls-testing", GOOD, "bounced", "REQUIRETLS", "plain",
        sts=Web("testing"), **RTLS),
    Row("rtls-not-offered", OWN, "bounced", "REQUIRETLS", tlsa=EE,
        say="REQUIRETLS"),
    Row("rtls-clear", CLEAR, "deferred", "TLS", tlsa=WRONG, **RTLS),
    Row("anyhow-mismatch", OWN, "delivered", "opportunistic", tlsa=WRONG,
        **ANYHOW),
    Row("anyhow-clear", CLEAR, "delivered", "none", tlsa=WRONG, **ANYHOW),
    Row("anyhow-sts", OWN, "delivered", "opportunistic", "plain",
        sts=Web(mx=["mx.elsewhere.example"]), **ANYHOW),
    Row("anyhow-fails", CLEAR, "delivered", "none",
        lines="@ MX 10 mx\n_tcp.mx NS ns.dns-test.", **ANYHOW),
]


class Site(Postern):
    rows = DANE + STS + DEMANDS

    def set_up(self):
        https.address()  # Needs root: before anything else is started.
        self.pki = pki.Pki(os.path.join(self.dir, "pki"))
        self.port = free_port()
        self.far = {}
        zones = {"signed": "", "plain": "", "bogus": "", "stale": ""}
        for number, row in enumerate(self.rows):
            row.address = f"127.0.{2 + number // 200}.{2 + number % 200}"
            pem = self.cert(row.cert, row)
            self.serve(row, pem)
            zones[row.zone] += self.published(row)
        for row in self.rows:
            if "_tcp.mx NS" in (row.lines or ""):
                zones[f"_tcp.{row.mx}"] = None
        # An alias may lead to the server of the row `alias-out`.
        out = [r for r in self.rows if r.name == "alias-out"]
        if out:
            zones["plain"] += f"mx.alias-in.plain. A {out[0].address}\n"
        self.webs = {f"mta-sts.{r.domain}": r for r in self.rows if r.sts}
        self.web = https.Https(self.page, {
            host: self.cert(row.sts.cert, row)
            for host, row in self.webs.items()}).start()
        self.names = Dns(zones, "knot", True, unsigned=["plain"],
                         bogus=["bogus"], stale=["stale"]).__enter__()
        self.via = f"mx:{self.port}"
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}",
                                "trust-anchor": self.names.anchor}
        self.sections["tls"]["ca-file"] = self.pki.roots
        super().set_up()

    def serve(self, row, pem, script=None):
        """A new server for a row."""
        if row.name in self.far:
            self.far[row.name].stop()
        self.far[row.name] = Sink(
            script or row.script, cert=pem, address=row.address,
            port=self.port,
            extensions=[*Sink.DEFAULT, *row.offers]).start()

    def page(self, host, path):
        """What the web server of a row says: code, headers, text."""
        row = self.webs.get(host)
        if row is None or path != "/.well-known/mta-sts.txt":
            return 404, {}, ""
        return row.sts.code, row.sts.headers, row.sts.text(row)

    def cert(self, which, row):
        # One certificate with every name takes less time than one for each.
        names = [r.mx for r in self.rows] + ["direct.signed"] \
            + [f"mta-sts.{r.domain}" for r in self.rows if r.sts]
        return {
            GOOD: lambda: self.pki.issue("good.example", names=names),
            OTHER: lambda: self.pki.issue("elsewhere.example"),
            OLD: lambda: self.pki.issue("good.example", expired=True,
                                        names=names),
            OWN: lambda: self.pki.issue("own.example", own=True),
            "domain": lambda: self.pki.issue(row.domain),
            "authority": lambda: self.pki.roots,
            CLEAR: lambda: None,
        }[which]()

    def published(self, row):
        """The lines of a row, in its zone, names made absolute."""
        lines = (row.lines or "@ MX 10 mx") + "\n"
        if "@ A " not in lines:
            lines += "mx A ADDRESS\n"
        if row.tlsa:
            for data in row.tlsa(self, row):
                lines += f"_PORT._tcp.mx TLSA {data}\n"
        if row.sts:
            lines += f"mta-sts A {https.address()}\n"
            for txt in row.sts.txt:
                lines += f'_mta-sts TXT "{txt}"\n'
        if "TLSA EE" in lines:
            lines = lines.replace("TLSA EE",
                                  "TLSA " + EE(self, row)[0])
        lines = lines.replace("PORT", str(self.port)) \
            .replace("ADDRESS", row.address)
        return f"$ORIGIN {row.domain}.\n{lines}"

    def __exit__(self, *args):
        super().__exit__(*args)
        for far in getattr(self, "far", {}).values():
            far.stop()
        if hasattr(self, "web"):
            self.web.stop()
        if hasattr(self, "names"):
            self.names.__exit__()

    def all_at_once(self, rows):
        """Submit a message to each domain; {row's name: id}."""
        idents = {}
        mark = self.mark_log()
        with self.logged_in() as t:
            for row in rows:
                same(t.cmd(f"MAIL FROM:<{ALICE}> {row.say}".rstrip()).code,
                     250, "MAIL")
                same(t.cmd(f"RCPT TO:<v@{row.domain}>").code, 250, "RCPT")
                reply = t.data(f"From: {ALICE}\r\nTo: v@{row.domain}\r\n"
                               f"{row.head}Subject: x\r\n\r\nx\r\n")
                same(reply.code, 250, str(reply))
        wait(lambda: len(self.events("msg.accepted", mark)) >= len(rows), 10,
             "all accepted")
        events = self.events("msg.accepted", mark)
        for row, event in zip(rows, events):
            idents[row.name] = event["id"]
        return idents, mark


VERDICTS = {"delivered": "msg.delivered", "deferred": "msg.deferred",
            "bounced": "msg.bounced"}


@tap.case("sent to all at once")
def send(p):
    p.idents, p.sent = p.all_at_once(p.rows)


def expect(p, row):
    if not hasattr(p, "idents"):
        send(p)
    if row.name == "short":
        p.short_until = time.time() + 6

    def verdict():
        for name in VERDICTS.values():
            found = p.events(name, id=p.idents[row.name])
            if found:
                return name, found[0]
        return None
    name, event = wait(verdict, 60, f"a verdict for {row.domain}")
    same(name, VERDICTS[row.want], f"verdict ({event})")
    if row.want == "delivered":
        same(event["policy"], row.policy, "policy")
        same(event["tls"] == "-", row.policy == "none", "in the clear")
    else:
        has(event["reply"], row.policy, "answer")
        same([m for m in p.far[row.name].messages
              if f"v@{row.domain}" in m.rcpts], [], "messages there")


for row in Site.rows:
    tap.add(f"{row.name}.{row.zone}: {row.want}, {row.policy}", expect, row)


@tap.case("nothing left in the clear but what may")
def clear(p):
    allowed = {r.name for r in p.rows if r.policy == "none"}
    for name, far in p.far.items():
        for m in far.messages:
            if m.tls is None and name not in allowed:
                raise AssertionError(f"{name}: {m} in the clear")


@tap.case("nothing bounced that should wait, and the journal says why")
def journal(p):
    for row in p.rows:
        expect(p, row)
    same({e["to"] for e in p.events("msg.bounced", p.sent)},
         {f"v@{r.domain}" for r in p.rows if r.want == "bounced"}, "bounced")
    for e in p.events("msg.bounced", p.sent):
        same(e["dsn"], "5.7.30", str(e))
    has(p.must("queue", "show", p.idents["mismatch"]).out, "ertificate",
        "queue show")
    same([m.sender_params for m in p.far["rtls-dane"].messages if
          "REQUIRETLS" not in m.sender_params], [], "MAIL without it")


def again(p, row, server, want, policy):
    """One more message to a row's domain, whose server is another now."""
    if not hasattr(p, "idents"):
        expect(p, row)
    p.serve(row, server, script={})
    # Not the connection that is kept, and not the memory of this process.
    for pid in p.kill("postern-deliver"):
        wait(lambda: pid not in p.pids(), 5, "it ends")
    wait(lambda: p.pid("postern-deliver"), 20, "a new one")
    idents, p.sent = p.all_at_once([row])
    p.idents.update(idents)
    p.cli("queue", "retry", idents[row.name])
    was = row.want, row.policy
    row.want, row.policy = want, policy
    try:
        expect(p, row)
    finally:
        row.want, row.policy = was


def named(p, name):
    return next(r for r in p.rows if r.name == name)


def tried(p, target):
    result = p.cli("relay-test", target, "--json")
    return result.code, result.json()


@tap.case("relay-test: each server and why, and no mail")
def relay_test(p):
    code, said = tried(p, "second.signed")
    same(code, 0, str(said))
    same([(s["policy"], s["result"]) for s in said["servers"]],
         [("dane", "waits"), ("dane", "accepts")], str(said))
    has(said["mx"], "secure", "mx")
    code, said = tried(p, "v@sts-not-listed.plain")
    same((code, said["servers"][0]["mta_sts"]), (1, "not listed"), str(said))
    code, said = tried(p, "none.signed")
    has(said["servers"][0]["certificate_problem"], "certificate", str(said))
    has(said["seen.starttls"], "0 days", str(said))
    code, said = tried(p, "web-404.plain")
    has(said["mta-sts.problem"], "404", str(said))
    code, said = tried(p, "nowhere.signed")
    same((code, said["servers"]), (1, []), str(said))
    page = p.cli("relay-test", "ee.signed")
    same(page.code, 0, page.err)
    for word in ("dane", "usable", "TLSv1.3", "PIPELINING", "250", "1 of 1"):
        has(page.out, word, "the page")
    same([m for far in p.far.values() for m in far.messages
          if m.rcpts[0].startswith("postmaster@")], [], "messages")
    commands = [c.split()[0] for c in p.far["ee"].sessions[-1].commands]
    same("DATA" in commands, False, f"DATA in {commands}")
    wait(lambda: p.far["ee"].sessions[-1].commands[-1] == "QUIT", 10, "QUIT")


@tap.case("a session goes on under DANE and MTA-STS, and for no other key")
def sessions(p):
    def once_more(row):
        p.far[row.name].hang_up()
        far = p.far[row.name]
        before = len(far.messages)
        idents, _ = p.all_at_once([row])
        ident = idents[row.name]
        event = p.wait_event("msg.delivered", id=ident)
        same(event["policy"], row.policy, "policy")
        same(len(far.messages), before + 1, "messages")
        return far.messages[-1].resumed
    for name in ("ee", "ta", "sts"):
        row = named(p, name)
        expect(p, row)
        # The first may open a second connection beside one just closed.
        if not any([once_more(row), once_more(row)]):
            raise AssertionError(f"{name}: no session went on")
    # Whoever takes the server's place has no part in them.
    row = named(p, "ee")
    p.serve(row, p.cert(GOOD, row))
    idents, mark = p.all_at_once([row])
    event = p.wait_event("msg.deferred", mark, id=idents["ee"])
    has(event["reply"], "ertificate", "the reason")
    same(p.far["ee"].messages, [], "messages there")
    p.serve(row, p.cert(OWN, row))
    p.must("queue", "retry", idents["ee"])
    p.wait_event("msg.delivered", mark, id=idents["ee"])


@tap.case("a domain that can less than before is told")
def downgrade(p):
    mark = p.mark_log()
    again(p, named(p, "none"), None, "delivered", "none")
    event = p.wait_event("tls.downgrade", mark, domain="none.signed")
    same((event["had"], event["now"]), ("starttls", "clear"), str(event))


@tap.case("a domain whose TLSA records are gone, signed and all, is told")
def no_more_dane(p):
    row = named(p, "ee-full")
    expect(p, row)
    p.names.update("signed", p.names.zones["signed"].replace(
        p.published(row), p.published(row).partition("_PORT"
        .replace("PORT", str(p.port)))[0]))
    mark = p.mark_log()
    again(p, row, p.cert(OWN, row), "delivered", "opportunistic")
    event = p.wait_event("tls.downgrade", mark, domain=row.domain)
    same((event["had"], event["now"]), ("dane", "opportunistic"), str(event))
    # Whoever asks is shown what it could do before.
    _, rows = tried(p, row.domain)
    has(str(rows), "dane", "relay-test")
    # Once a day, not for each mail.
    idents, _ = p.all_at_once([row])
    p.wait_event("msg.delivered", mark, id=idents[row.name])
    same(len(p.events("tls.downgrade", mark)), 1, "events")


@tap.case("a policy holds without its web server, over a restart")
def cached(p):
    row = named(p, "sts")
    if not hasattr(p, "idents"):
        expect(p, row)
    p.web.stop()
    again(p, row, None, "deferred", "TLS is required (policy sts)")
    again(p, row, p.cert(OTHER, row), "deferred", "ertificate")
    again(p, row, p.cert(GOOD, row), "delivered", "sts")


@tap.case("a policy is at its end after max_age")
def expired(p):
    row = named(p, "short")
    if not hasattr(p, "short_until"):
        expect(p, row)

    def over():
        return time.time() > p.short_until
    wait(over, 15, "the end of its life")
    mark = p.mark_log()
    again(p, row, p.cert(OWN, row), "delivered", "opportunistic")
    event = p.wait_event("tls.downgrade", mark, domain=row.domain)
    same((event["had"], event["now"]), ("sts", "opportunistic"), str(event))


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
