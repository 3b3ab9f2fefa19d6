#!/usr/bin/python3
"""Every sender address, of the envelope and of the header, must be granted."""
# run: limit 90

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import Postern
from tap import has, same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"
RCPT = "carol@example.net"


def names_remedy(reply, address):
    has(reply.text.lower(), address.lower(), "the address in the reply")
    has(reply.text, "grant", "the remedy in the reply")


def mail(p, sender):
    with p.logged_in() as t:
        return t.cmd(f"MAIL FROM:<{sender}>")


def header(p, *lines, sender=ALICE):
    """The reply to a message whose header is these lines and a Subject."""
    text = "\r\n".join(lines) + "\r\nSubject: x\r\n\r\nbody\r\n"
    with p.logged_in() as t:
        return t.submit(sender, [RCPT], text)


@tap.case("MAIL FROM of another: 553 5.7.1, the address and the remedy")
def envelope(p):
    for other in (BOB, "alice@example.com", "alice@sub.example.org",
                  "alicex@example.org", "xalice@example.org",
                  "postmaster@example.org", "bob+alice@example.org",
                  "alice%example.org@example.com"):
        reply = mail(p, other)
        same((reply.code, reply.enhanced), (553, "5.7.1"), other)
        names_remedy(reply, other)
    same(mail(p, "postmaster").code // 100, 5, "a name without a domain")


@tap.case("MAIL FROM of one's own in every spelling of the same address")
def own(p):
    for spelling in (ALICE, "alice@EXAMPLE.ORG", "alice@Example.Org",
                     '"alice"@example.org', "alice+news@example.org",
                     "alice+@example.org"):
        same(mail(p, spelling).code, 250, spelling)


@tap.case("a refused MAIL leaves the session usable")
def goes_on(p):
    with p.logged_in() as t:
        same(t.cmd(f"MAIL FROM:<{BOB}>").code, 553, "another's")
        same(t.cmd(f"RCPT TO:<{RCPT}>").code, 503, "RCPT")
        same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250, "own")


@tap.case("From: of another: 550 5.7.1, the address and the remedy")
def author(p):
    mark = p.mark_log()
    for line in (f"From: {BOB}", f"From: <{BOB}>", f"from:{BOB}",
                 f'FROM: "Alice" <{BOB}>',
                 f'From: "{ALICE}" <{BOB}>', f"From: Bob ({ALICE}) <{BOB}>",
                 f"From: {ALICE}, {BOB}", f"From: {BOB}, {ALICE}",
                 f"From: <{ALICE}>,\r\n <{BOB}>",
                 f"From:\r\n\t{BOB}", f"From: staff: {ALICE}, {BOB};",
                 f"From: <{ALICE.upper()}x>, <{BOB}>"):
        reply = header(p, line)
        same((reply.code, reply.enhanced), (550, "5.7.1"), line)
        if "x>" not in line:
            names_remedy(reply, BOB)
    same(p.events("msg.accepted", mark), [], "accepted")


@tap.case("From: of one's own in every spelling")
def own_author(p):
    for line in (f"From: {ALICE}", f"From: <{ALICE}>",
                 f'From: "{BOB}" <{ALICE}>',
                 f"From: Bob ({BOB}) <{ALICE}>", f"From: {ALICE} ({BOB})",
                 "From: =?utf-8?q?bob=40example=2Eorg?= <alice@example.org>",
                 "From: alice+list@example.org", "From: alice@EXAMPLE.org",
                 'From: "alice"@example.org', "from: \r\n alice@example.org",
                 f"From: {ALICE}, Alice again <{ALICE}>"):
        reply = header(p, line)
        same(reply.code, 250, f"{line}: {reply}; code")


@tap.case("Sender: of another: 550 5.7.1")
def sender(p):
    reply = header(p, f"From: {ALICE}", f"Sender: {BOB}")
    same((reply.code, reply.enhanced), (550, "5.7.1"), "Sender:")
    names_remedy(reply, BOB)
    reply = header(p, f"From: {ALICE}", f"Sender: Me <{ALICE}>")
    same(reply.code, 250, "own Sender:")


@tap.case("two From: fields, an unreadable one, none that hides another's")
def odd(p):
    for lines in ((f"From: {ALICE}", f"From: {BOB}"),
                  (f"From: {BOB}", f"From: {ALICE}"),
                  (f"From: {ALICE}", "X: y", f"from : {BOB}"),
                  (f"From : {BOB}",),
                  (f"From: {ALICE} <{BOB}",), ("From: <>",), ("From: ",),
                  (f"From: {ALICE} {BOB}",), ("From: alice",),
                  (f"From: <@example.net:{BOB}>",),
                  (f"From: =?utf-8?q?{BOB.replace('@', '=40')}?=",),
                  (f"Subject: y\r\nFrom: {BOB}",)):
        reply = header(p, *lines)
        same(reply.code // 100, 5, f"{lines}: {reply}; class")


@tap.case("another's address in the body or in other fields is no matter")
def elsewhere(p):
    text = (f"From: {ALICE}\r\nTo: {BOB}\r\nReply-To: {BOB}\r\n"
            f"X-From: {BOB}\r\nSubject: x\r\n\r\nFrom: {BOB}\r\n")
    with p.logged_in() as t:
        same(t.submit(ALICE, [RCPT], text).code, 250, "code")


@tap.case("a grant works at once, in a session already open, and so does "
          "its end")
def granted(p):
    shared = "info@example.org"
    with p.logged_in() as t:
        same(t.cmd(f"MAIL FROM:<{shared}>").code, 553, "before")
        p.must("grant", "add", ALICE, shared)
        same(t.cmd(f"MAIL FROM:<{shared}>").code, 250, "open session")
        t.cmd("RSET")
        same(t.submit(shared, [RCPT], client.message(shared)).code, 250,
             "message")
        same(t.cmd("MAIL FROM:<info+x@example.org>").code, 250, "+tag")
        t.cmd("RSET")
        with p.logged_in(1) as other:
            same(other.cmd(f"MAIL FROM:<{shared}>").code, 553, "bob")
        p.must("grant", "remove", ALICE, shared)
        same(t.cmd(f"MAIL FROM:<{shared}>").code, 553, "after")
        same(t.submit(ALICE, [RCPT], client.message(shared)).code, 550,
             "From: after")


@tap.case("two accounts may share an address")
def shared(p):
    for who in (ALICE, BOB):
        p.must("grant", "add", who, "team@example.org")
    for number in (0, 1):
        with p.logged_in(number) as t:
            same(t.submit("team@example.org", [RCPT],
                          client.message("team@example.org")).code, 250,
                 p.accounts[number])


@tap.case("a domain grant covers the domain, not what is below or beside it")
def domain(p):
    p.must("grant", "add", ALICE, "@shop.example")
    for who, code in (("any@shop.example", 250), ("x+y@SHOP.example", 250),
                      ("a@sub.shop.example", 553), ("a@myshop.example", 553),
                      ("a@shop.example.net", 553), ("shop.example", 553)):
        reply = mail(p, who)
        if code == 553 and "@" not in who:
            same(reply.code // 100, 5, who)
        else:
            same(reply.code, code, who)
    same(header(p, "From: sales@shop.example").code, 250, "From:")
    p.must("grant", "remove", ALICE, "@shop.example")
    same(mail(p, "any@shop.example").code, 553, "after remove")


@tap.case("grant list shows them, with --json too, and the errors have codes")
def listing(p):
    p.must("grant", "add", ALICE, "list@example.org")
    has(p.must("grant", "list", ALICE).out, "list@example.org", "grant list")
    rows = p.must("grant", "list", ALICE, "--json").items()
    has(str(rows), "list@example.org", "grant list --json")
    same(p.cli("grant", "add", ALICE, "list@example.org").code, 6, "again")
    same(p.cli("grant", "add", "nobody@example.org", "a@b.example").code, 5,
         "unknown account")
    same(p.cli("grant", "remove", ALICE, "never@example.org").code, 5,
         "unknown grant")
    same(p.cli("grant", "add", ALICE).code, 2, "too few words")
    same(p.cli("grant", "add", ALICE, "not an address").code, 2,
         "malformed address")


@tap.case("From: that is missing is not somebody else's")
def missing(p):
    p.sink.clear()
    reply = header(p, "To: carol@example.net")
    if reply.code == 250:
        kept = wait(lambda: p.sink.to(RCPT), 20, "it arrives")[-1]
        for name in kept.parsed().get_all("From", []):
            has(str(name), ALICE, "From: added")
    else:
        same(reply.code // 100, 5, "class")


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE, BOB]))
