#!/usr/bin/python3
"""Without an account nothing is relayed, whatever is tried."""
# run: limit 120

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Closed, b64, plain
from postern import HOSTNAME, PASSWORD, Postern
from tap import same

ALICE = "alice@example.org"


def nothing(p):
    """No attempt has left a trace: not at the sink, not in the spool."""
    same(p.queue(), [], "queue")
    same(p.sink.messages, [], "messages at the sink")
    same(p.sink.refused, [], "messages refused at the sink")
    same(len(p.sink.sessions), 0, "connections to the sink")


def attempt(t, sender=ALICE, rcpt="victim@example.net"):
    """
    Go through a whole transaction, obeying no refusal.  Nothing may be
    granted on the way; the server may hang up.
    """
    try:
        for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{rcpt}>", "DATA"):
            reply = t.cmd(line)
            if reply.code < 400:
                raise AssertionError(f"{line}: {reply}")
        # A body sent without a 354 is garbage, and remains it; a short one,
        # because every line is an error and those cost time.
        t.send(b"Subject: x\r\n.\r\nNOOP\r\n")
        for _ in range(64):
            reply = t.reply()
            if reply.code == 354 or "queued" in reply.text:
                raise AssertionError(f"behind the body: {reply}")
            if reply.code == 250:
                return
    except (Closed, OSError):
        pass


def refused(t, line, *codes):
    reply = t.cmd(line)
    if reply.code < 400 or codes and reply.code not in codes:
        raise AssertionError(f"{line[:60]!r}: {reply}, want {codes}")
    return reply


@tap.case("MAIL before TLS: 530 5.7.0")
def before_tls(p):
    with p.smtp(None) as t:
        t.reply(bare=True)
        t.ehlo()
        same(t.offers("AUTH"), None, "AUTH offered in the clear")
        if t.offers("STARTTLS") is None:
            raise AssertionError("no STARTTLS offered")
        same(refused(t, f"MAIL FROM:<{ALICE}>").enhanced, "5.7.0", "code")
        attempt(t)
    nothing(p)


@tap.case("AUTH before TLS is refused before a challenge: 538 5.7.11")
def auth_before_tls(p):
    for line in ("AUTH PLAIN " + plain(ALICE, PASSWORD), "AUTH PLAIN",
                 "AUTH LOGIN", "AUTH LOGIN " + b64(ALICE)):
        with p.smtp(None) as t:
            t.reply(bare=True)
            t.ehlo()
            same(refused(t, line).code, 538, line)
            attempt(t)
    nothing(p)


@tap.case("MAIL in TLS without AUTH: 530 5.7.0")
def before_auth(p):
    for tls in ("starttls", "implicit"):
        with p.smtp(tls) as t:
            t.ehlo()
            reply = refused(t, f"MAIL FROM:<{ALICE}>", 530)
            same(reply.enhanced, "5.7.0", "enhanced code")
            refused(t, "RCPT TO:<victim@example.net>", 503, 530)
            refused(t, "DATA", 503, 530)
            attempt(t)
    nothing(p)


@tap.case("without EHLO, with HELO")
def no_ehlo(p):
    with p.smtp("implicit") as t:
        attempt(t)
    with p.smtp("implicit") as t:
        t.cmd("HELO client.example.org")
        attempt(t)
    nothing(p)


@tap.case("after a failed AUTH")
def after_failed(p):
    for tls in ("starttls", "implicit"):
        with p.smtp(tls, source="127.0.2.1") as t:
            t.ehlo()
            same(t.auth(ALICE, "wrong").code, 535, "wrong password")
            attempt(t)
        with p.smtp(tls, source="127.0.2.2") as t:
            t.ehlo()
            same(t.auth("nobody@example.org", PASSWORD).code, 535, "unknown")
            attempt(t)
    nothing(p)


@tap.case("after RSET, EHLO, HELO and NOOP in any order")
def after_reset(p):
    with p.smtp("implicit") as t:
        for line in ("RSET", "EHLO a.example", "RSET", "HELO b.example",
                     "NOOP", "RSET", "VRFY alice", "HELP", "EHLO c.example"):
            t.cmd(line)
            refused(t, f"MAIL FROM:<{ALICE}>")
        attempt(t)
    nothing(p)


@tap.case("after AUTH was cancelled, cut short or answered with a command")
def half_auth(p):
    with p.smtp("implicit") as t:
        t.ehlo()
        same(t.cmd("AUTH PLAIN").code, 334, "AUTH PLAIN")
        same(t.cmd("*").code, 501, "cancel")
        attempt(t)
    with p.smtp("implicit") as t:
        t.ehlo()
        same(t.cmd("AUTH LOGIN " + b64(ALICE)).code, 334, "AUTH LOGIN")
        refused(t, f"MAIL FROM:<{ALICE}>", 501, 535)
        attempt(t)
    with p.smtp("implicit", source="127.0.2.3") as t:
        t.ehlo()
        same(t.cmd("AUTH LOGIN").code, 334, "AUTH LOGIN")
        same(t.cmd(b64(ALICE)).code, 334, "the name")
        refused(t, "=", 501, 535)
        attempt(t)
    nothing(p)


@tap.case("malformed AUTH PLAIN never logs anybody in")
def malformed(p):
    def wrong_grammar(numbered):
        number, data = numbered
        # An address of its own for each: their failures add up elsewhere.
        with p.smtp("implicit", source=f"127.1.{number + 1}.1") as t:
            t.ehlo()
            reply = t.cmd("AUTH PLAIN " + (b64(data) or "="))
            if reply.code not in (500, 501, 535):
                raise AssertionError(f"{data[:60]!r}: {reply}")
            attempt(t)

    def not_base64(text):
        with p.smtp("implicit") as t:
            t.ehlo()
            reply = refused(t, ("AUTH PLAIN " + text).encode("latin1"))
            same(reply.code, 501, f"not base64: {text!r}")
            attempt(t)

    tap.each(wrong_grammar, enumerate((
            b"", b"\0", b"\0\0", b"\0" + ALICE.encode(),
            b"\0" + ALICE.encode() + b"\0",
            b"\0\0" + PASSWORD.encode(),
            f"\0{ALICE}\0{PASSWORD}\0".encode(),
            f"\0{ALICE}\0{PASSWORD}\0more".encode(),
            f"\0{ALICE}\0{PASSWORD} ".encode(),
            f"\0{ALICE}\0{PASSWORD[:-1]}".encode(),
            f"\0{ALICE}\n\0{PASSWORD}".encode(),
            f"bob@example.org\0{ALICE}\0{PASSWORD}".encode(),
            f"root\0{ALICE}\0{PASSWORD}".encode(),
            f"\0{ALICE}\0{PASSWORD}".encode() + b"\xff\xfe",
            f"\0*\0{PASSWORD}".encode(),
            f"\0' or 1=1 --\0{PASSWORD}".encode(),
            b"\0" + b"a" * 255 + b"\0" + b"b" * 255,
            b"\0" + b"a" * 4000 + b"\0" + b"b" * 4000)))
    tap.each(not_base64, ("!!!!", "AGE=AGE=", "AGFsaWNl====", "A", "AGE",
                          "\xff\xff", b64(b"\0a\0b")[:-1] + "*"))
    nothing(p)


@tap.case("mechanisms that were not offered: 504 5.5.4")
def mechanisms(p):
    for name in ("EXTERNAL =", "ANONYMOUS dHJhY2U=", "CRAM-MD5",
                 "DIGEST-MD5", "NTLM", "GSSAPI", "XOAUTH2 eA==",
                 "OAUTHBEARER eA==", "KERBEROS_V4", "plain2 =", "SKEY"):
        with p.smtp("implicit") as t:
            t.ehlo()
            same(sorted(t.offers("AUTH")), ["LOGIN", "PLAIN"], "offered")
            refused(t, "AUTH " + name, 504)
    with p.smtp("implicit") as t:
        t.ehlo()
        refused(t, "AUTH", 501)
        attempt(t)
    nothing(p)


@tap.case("trusted by name, parameter or proxy: there is no such thing")
def trusted(p):
    with p.smtp("implicit") as t:
        for name in ("localhost", HOSTNAME, "[127.0.0.1]", "example.org"):
            t.ehlo(name)
            attempt_one = t.cmd(f"MAIL FROM:<{ALICE}>")
            same(attempt_one.code, 530, f"MAIL after EHLO {name}")
    with p.smtp("implicit") as t:
        t.ehlo()
        for line in (f"MAIL FROM:<{ALICE}> AUTH={ALICE}",
                     f"MAIL FROM:<{ALICE}> AUTH=<>",
                     "MAIL FROM:<>", f"MAIL FROM:<postmaster@{HOSTNAME}>",
                     "MAIL FROM:<postmaster>"):
            refused(t, line)
    for line in ("XCLIENT ADDR=127.0.0.1 LOGIN=" + ALICE,
                 "XFORWARD ADDR=127.0.0.1", "ETRN example.net", "TURN",
                 "ATRN example.net", "BDAT 0 LAST", "SEND FROM:<a@b.example>",
                 "SOML FROM:<a@b.example>", "SAML FROM:<a@b.example>"):
        with p.smtp("implicit") as t:
            t.ehlo()
            refused(t, line)
            attempt(t)
    for first in (b"PROXY TCP4 127.0.0.1 127.0.0.1 1 465\r\n",
                  b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1"
                  b"\0\x19\0\x19"):
        with p.smtp(None) as t:
            t.reply(bare=True)
            try:
                t.send(first)
                t.ehlo()
                attempt(t)
            except (Closed, OSError, AssertionError):
                pass
    nothing(p)


@tap.case("a whole transaction in one write, in the clear and in TLS")
def pipelined(p):
    script = (f"EHLO x.example\r\nMAIL FROM:<{ALICE}>\r\n"
              "RCPT TO:<victim@example.net>\r\nDATA\r\n").encode() \
        + b"Subject: x\r\n.\r\nQUIT\r\n"
    for tls in (None, "implicit", "starttls"):
        with p.smtp(tls) as t:
            if tls is None:
                t.reply(bare=True)
            t.send(script)
            said = []
            try:
                while len(said) < 64:
                    said.append(t.reply(bare=True))
            except (Closed, OSError):
                pass
            if any(r.code == 354 for r in said):
                raise AssertionError(f"{tls}: {said}")
    nothing(p)


@tap.case("STARTTLS keeps nothing: no login, no transaction, no EHLO")
def starttls_forgets(p):
    with p.smtp(None) as t:
        t.reply(bare=True)
        t.ehlo()
        t.starttls()
        # The server has forgotten the EHLO (RFC 3207 section 4.2).
        attempt(t)
    with p.smtp() as t:
        t.ehlo()
        same(t.offers("STARTTLS"), None, "STARTTLS inside TLS")
        refused(t, "STARTTLS", 502, 503, 554)
        attempt(t)
    nothing(p)


@tap.case("a TLS session that somebody logged in over is no login")
def tickets(p):
    made = client.context()
    with p.smtp("implicit", ssl_context=made) as t:
        t.login(ALICE, PASSWORD)
        session = t.sock.session
        t.cmd("QUIT")
    for tls in ("implicit", "starttls"):
        with p.smtp(tls, ssl_context=made, session=session) as t:
            t.ehlo()
            attempt(t)
    nothing(p)


@tap.case("the login of one connection is not that of another")
def neighbours(p):
    with p.logged_in() as inside, p.smtp("implicit") as outside:
        outside.ehlo()
        attempt(outside)
        same(inside.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "the one inside")
        attempt(outside)
        inside.cmd("RSET")
    nothing(p)


# The forms that relay testers try: recipients that another server would
# read as somewhere else.
FORMS = [
    "victim@example.net", "<victim@example.net>", "victim%example.net",
    f"victim%example.net@{HOSTNAME}", "victim%example.net@[127.0.0.1]",
    "example.net!victim", f"example.net!victim@{HOSTNAME}",
    "example.net!victim@[127.0.0.1]", f"@{HOSTNAME}:victim@example.net",
    "@[127.0.0.1]:victim@example.net", '"victim@example.net"',
    '"victim%example.net"', f'"victim@example.net"@{HOSTNAME}',
    f"victim@example.net@{HOSTNAME}", '"victim@example.net"@[127.0.0.1]',
    "victim@example.net@[127.0.0.1]", "victim", "postmaster",
    f"postmaster@{HOSTNAME}", "victim@[192.0.2.1]", "victim@localhost",
    f"{HOSTNAME}!victim%example.net", "victim@example.net.", "",
]


@tap.case("the forms of relay testers, as sender and as recipient")
def forms(p):
    senders = ["", f"spamtest@{HOSTNAME}", "spamtest@[127.0.0.1]",
               "spamtest", "spamtest@example.net", ALICE]

    def one(pair):
        sender, rcpts = pair
        t = p.smtp("implicit")
        t.ehlo()
        for rcpt in rcpts:
            try:
                for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{rcpt}>",
                             f"RCPT TO:{rcpt}", "DATA"):
                    reply = t.cmd(line)
                    if reply.code < 400:
                        raise AssertionError(f"{line}: {reply}")
            except (Closed, OSError):
                # Too many errors: it may hang up.
                t.close()
                t = p.smtp("implicit")
                t.ehlo()
        t.close()

    # Few errors a connection: each of them costs time.
    tap.each(one, [(sender, FORMS[n:n + 2]) for sender in senders
                   for n in range(0, len(FORMS), 2)], 8)
    nothing(p)


@tap.case("VRFY says 252 of everybody, EXPN is not there")
def verify(p):
    with p.smtp("implicit") as t:
        t.ehlo()
        said = {t.cmd(f"VRFY {who}").lines[0].replace(who, "X")
                for who in (ALICE, "nobody@example.org", "alice", "root")}
        same(len(said), 1, f"answers: {said}; their number")
        same(said.pop()[:3], "252", "code")
        refused(t, "EXPN staff", 500, 502, 550)
        attempt(t)
    nothing(p)


@tap.case("a wrong password and an unknown name take the same time and words")
def same_answer(p):
    import time
    took = {}
    said = {}
    for turn in range(6):
        for kind, who in (("wrong", ALICE), ("unknown", "nn@example.org")):
            source = f"127.{10 + turn}.{1 if kind == 'wrong' else 2}.1"
            with p.smtp("implicit", source=source) as t:
                t.ehlo()
                began = time.monotonic()
                reply = t.auth(who, "not this one")
                took.setdefault(kind, []).append(time.monotonic() - began)
                said.setdefault(kind, set()).add(repr(reply).replace(who, "WHO"))
    same(said["wrong"], said["unknown"], "answers")
    fast, slow = sorted(min(v) for v in took.values())
    if slow > 2 * fast + 0.02:
        raise AssertionError(f"times differ: {took}")


@tap.case("another spelling is no other name, of an account or of none")
def same_count(p):
    import time
    for who in (ALICE, "nn@example.org"):
        with p.smtp("implicit", source=f"127.30.{who.index('@')}.1") as t:
            t.ehlo()
            same(t.auth(who, "not this one").code, 535)
            began = time.monotonic()
            same(t.auth(who.upper() + " ", "nor this").code, 535)
            took = time.monotonic() - began
        # The second wrong one of a name is answered after a second.
        if took < 0.95:
            raise AssertionError(f"{who}: {took:.2f} s")


@tap.case("with an account the same words work")
def with_account(p):
    nothing(p)
    p.send("victim@example.net")
    tap.wait(lambda: p.sink.to("victim@example.net"), 20, "it arrives")


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE]))
