#!/usr/bin/python3
"""SCRAM and EXTERNAL with the clients that know them."""
# run: limit 200

import base64
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import tap
from postern import PASSWORD, Postern
from tap import has, matches, same

ALICE, BOB = "alice@example.org", "bob@example.org"
PORT = postern.free_port()
LISTEN = f"""[listen sasl]
address = 127.0.0.1:{PORT}
tls = starttls
scram = yes
client-certificates = yes
"""


def b64(text):
    return base64.b64encode(text.encode()).decode()


def gsasl(mechanism, user=ALICE, password=PASSWORD, *words):
    program = shutil.which("gsasl")
    if program is None:
        raise tap.Skip("no gsasl here")
    done = subprocess.run(
        [program, "--smtp", "--connect", f"127.0.0.1:{PORT}",
         "--x509-ca-file=", "-a", user, "-p", password, "-m", mechanism,
         *words], input="", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=60)
    return done


def talk(p, **kwargs):
    t = p.smtp(port=PORT, **kwargs)
    t.ehlo()
    return t


def good(p, mechanism, *words):
    mark = p.mark_log()
    done = gsasl(mechanism, *words)
    same(done.returncode, 0, done.stderr[-300:])
    has(done.stdout, "235 2.7.0")
    event = p.wait_event("auth.ok", mark)
    same(event["mech"], mechanism)
    return event


@tap.case("gsasl logs in by SCRAM-SHA-256-PLUS, bound by tls-exporter")
def plus(p):
    same(good(p, "SCRAM-SHA-256-PLUS")["account"], ALICE)
    wrong = gsasl("SCRAM-SHA-256-PLUS", BOB, "wrong")
    if wrong.returncode == 0:
        raise AssertionError("a wrong password got in")
    same(p.wait_event("auth.failed")["reason"], "bad-password")


@tap.case("gsasl logs in by SCRAM-SHA-256, and as a bare name")
def plain_scram(p):
    good(p, "SCRAM-SHA-256", ALICE, PASSWORD, "--no-cb")
    p.must("account", "add", "o=h@example.org", "--password-stdin",
           stdin=PASSWORD + "\n")
    good(p, "SCRAM-SHA-256", "o=h@example.org", PASSWORD, "--no-cb")


@tap.case("what is offered where")
def offers(p):
    with p.smtp("starttls") as t:
        has(t.ehlo().text, "AUTH PLAIN LOGIN")
        reply = t.cmd("AUTH SCRAM-SHA-256")
        same(reply.code, 504)
        has(reply.text, "PLAIN LOGIN")
    with talk(p) as t:
        has(t.ehlo().text, "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN")
        same(t.cmd("AUTH EXTERNAL").code, 504, "without a certificate")


@tap.case("a hidden -PLUS is seen, and so is another channel")
def downgrade(p):
    mark = p.mark_log()
    with talk(p) as t:
        reply = t.cmd("AUTH SCRAM-SHA-256 " + b64(f"y,,n={ALICE},r=abc"))
        same(reply.code, 535)
        has(reply.text, "between us")
    same(p.wait_event("auth.failed", mark)["reason"], "channel-binding")
    with talk(p) as t:
        reply = t.cmd("AUTH SCRAM-SHA-256-PLUS " +
                      b64(f"p=tls-exporter,,n={ALICE},r=abc"))
        same(reply.code, 334)
        server = base64.b64decode(reply.text.split()[-1]).decode()
        nonce = server.split(",")[0][2:]
        reply = t.cmd(b64("c=" + b64("p=tls-exporter,,x" * 2) +
                          f",r={nonce},p=" + b64("x" * 32)))
        same(reply.code, 535)
        has(reply.text, "between us")


@tap.case("an unknown name gets a salt that stays")
def salt(p):
    def ask(name):
        with talk(p) as t:
            reply = t.cmd("AUTH SCRAM-SHA-256 " + b64(f"n,,n={name},r=abc"))
            same(reply.code, 334)
            server = base64.b64decode(reply.text.split()[-1]).decode()
            return matches(server, r"^r=abc[^,]{24},(s=.{24},i=16384)$")[1]
    first = ask("nobody@example.org")
    same(ask("Nobody@example.org"), first)
    if ask("nobody2@example.org") == first or ask(ALICE) == first:
        raise AssertionError("everybody has the same salt")
    p.kill("postern-auth")
    tap.wait(lambda: p.cli("account", "list").code == 0, 30, "auth again")
    tap.wait(p.greets, 30, "logins again")
    same(ask("nobody@example.org"), first, "after a restart")
    wrong = gsasl("SCRAM-SHA-256", "nobody@example.org", PASSWORD, "--no-cb")
    if wrong.returncode == 0:
        raise AssertionError("nobody got in")


@tap.case("malformed words end it, and the session goes on")
def malformed(p):
    with talk(p) as t:
        for words in ("AUTH SCRAM-SHA-256 " + b64("hello"),
                      "AUTH SCRAM-SHA-256 ===="):
            same(t.cmd(words).code, 501)
        same(t.cmd("AUTH SCRAM-SHA-256").code, 334)
        same(t.cmd("*").code, 501)
        same(t.auth(ALICE, PASSWORD).code, 235)


@tap.case("an imported verifier logs in; a hash gets one at its first login")
def verifiers(p):
    doveadm = shutil.which("doveadm")
    if doveadm is None:
        raise tap.Skip("no doveadm here")
    lines = []
    for user, scheme in (("v1", "SCRAM-SHA-256"), ("v2", "SSHA256")):
        text = subprocess.run(
            [doveadm, "pw", "-s", scheme, "-p", PASSWORD], check=True,
            stdout=subprocess.PIPE, text=True).stdout.strip()
        lines.append(f"{user}@example.org:{text}\n")
    path = os.path.join(p.dir, "users")
    p.write(path, "".join(lines))
    p.must("account", "import", path)
    good(p, "SCRAM-SHA-256", "v1@example.org", PASSWORD, "--no-cb")
    if gsasl("SCRAM-SHA-256", "v2@example.org", PASSWORD,
             "--no-cb").returncode == 0:
        raise AssertionError("without a verifier")
    with talk(p) as t:
        same(t.auth("v2@example.org", PASSWORD).code, 235)
    good(p, "SCRAM-SHA-256-PLUS", "v2@example.org")


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE, BOB], extra=LISTEN))
