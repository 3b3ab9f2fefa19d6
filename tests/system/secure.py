#!/usr/bin/python3
"""TLS on the way out, and smarthosts that want a password."""
# run: limit 120

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import sink as sinks
import tap
from postern import Postern, free_port
from sink import CLOSE, Sink, Slow
from tap import has, same, wait

ALICE = "alice@example.org"
USER, SECRET = "relay-user", "smart pass\u00e9 9"


class Site(Postern):
    """Several routes to one scripted server, secured in several ways."""

    def set_up(self):
        self.pem = sinks.certificate(os.path.join(self.dir, "far.pem"))
        self.port = free_port()
        self.secret = os.path.join(self.dir, "secret")
        self.write(self.secret, SECRET + "\n")
        os.chmod(self.secret, 0o600)
        via = {"via": f"127.0.0.1:{self.port}"}
        login = {"user": USER, "password-file": self.secret}
        self.routes = {
            "may.example": via,
            "must.example": {**via, "tls": "required"},
            "verified.example": {**via, "tls": "verified"},
            "never.example": {**via, "tls": "never"},
            "smart.example": {**via, "tls": "required", **login},
            "open.example": {**via, **login},
        }
        self.far = Sink().start()
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.far.stop()

    def play(self, script=None, **options):
        self.far.stop()
        self.far = Sink(script, port=self.port, **options).start()
        return self.far

    def check(self):
        self.far.check("the far server")
        super().check()


def verdict(p, mark, ident, seconds=20):
    # The case before may have made this host one to be left alone.
    p.cli("queue", "retry", ident)
    return p.verdict(mark, ident, seconds)


def delivered(p, domain):
    """Sends one; how it came: the message at the far server."""
    mark = p.mark_log()
    ident = p.send(f"v@{domain}")
    name, event = verdict(p, mark, ident)
    same(name, "msg.delivered", f"{event}; verdict")
    same(len(p.far.messages), 1, "copies")
    kept = p.far.messages[0]
    same(event["tls"], kept.tls or "-", "TLS in the log")
    return kept


def not_delivered(p, domain, name="msg.deferred"):
    mark = p.mark_log()
    ident = p.send(f"v@{domain}")
    what, event = verdict(p, mark, ident)
    same(what, name, f"{event}; verdict")
    same(p.far.messages, [], "messages at the far server")
    if what == "msg.deferred":
        p.must("queue", "remove", ident)
    wait(lambda: p.queue() == [], 10, "an empty queue")
    p.sink.clear()
    return event


@tap.case("STARTTLS is used where offered, with no certificate to trust")
def opportunistic(p):
    p.play(cert=p.pem)
    kept = delivered(p, "may.example")
    if kept.tls not in ("TLSv1.2", "TLSv1.3"):
        raise AssertionError(f"tls={kept.tls}")
    same(kept.helo, "mail.example.org", "EHLO inside TLS")


@tap.case("no STARTTLS offered: in the clear")
def clear(p):
    p.play()
    same(delivered(p, "may.example").tls, None, "TLS")


@tap.case("tls = never: in the clear even where offered")
def never(p):
    p.play(cert=p.pem)
    same(delivered(p, "never.example").tls, None, "TLS")


for name, script in {
    "STARTTLS refused (454)": {"starttls": "454 4.7.0 no TLS now"},
    "STARTTLS refused (502)": {"starttls": "502 5.5.1 changed our mind"},
    "hang-up at STARTTLS": {"starttls": CLOSE},
    "hang-up in the handshake": {"tls": CLOSE},
    # Not in one packet with the 220: that is a case of its own.
    "garbage instead of a handshake":
        {"tls": Slow(0.2, b"not TLS at all\r\n" * 4)},
    "a TLS alert": {"tls": Slow(0.2, b"\x15\x03\x03\x00\x02\x02\x28")},
}.items():
    @tap.case(f"{name}: falls back once to the clear", script)
    def falls_back(p, script):
        far = p.play(script, cert=p.pem)
        same(delivered(p, "may.example").tls, None, "TLS")
        if len(far.sessions) > 3:
            raise AssertionError(f"{len(far.sessions)} connections")

    @tap.case(f"{name}, tls = required: deferred, nothing in the clear",
              script)
    def stays(p, script):
        far = p.play(script, cert=p.pem)
        not_delivered(p, "must.example")
        for session in far.sessions:
            if any(c.startswith("MAIL") for c in session.commands):
                raise AssertionError(f"in the clear: {session.commands}")


@tap.case("octets behind their 220 never become replies inside TLS")
def injected(p):
    far = p.play({"starttls": b"220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n"},
                 cert=p.pem)
    # The scripted server stops at the raw reply: the client must not go on
    # as if it were inside TLS, nor believe the injected lines.
    mark = p.mark_log()
    ident = p.send("v@may.example")
    name, event = verdict(p, mark, ident)
    if name == "msg.bounced":
        raise AssertionError(f"bounced: {event}")
    for kept in far.messages:
        same(kept.tls, None, "TLS")
    if name == "msg.deferred":
        p.must("queue", "remove", ident)


@tap.case("tls = required: encrypted, or deferred and not a word of it")
def required(p):
    p.play(cert=p.pem)
    if delivered(p, "must.example").tls is None:
        raise AssertionError("in the clear")
    far = p.play()
    event = not_delivered(p, "must.example")
    has(str(event).upper(), "TLS", "the reason")
    for session in far.sessions:
        if any(c.startswith("MAIL") for c in session.commands):
            raise AssertionError(f"in the clear: {session.commands}")


@tap.case("log and trace say protocol, cipher and policy")
def told(p):
    p.play(cert=p.pem)
    for domain, policy in (("must.example", "route"),
                           ("may.example", "opportunistic"),
                           ("never.example", "none")):
        mark = p.mark_log()
        ident = p.send(f"v@{domain}")
        _, event = verdict(p, mark, ident)
        tls = policy != "none"
        same((event["policy"], event["tls"] != "-", event["cipher"] != "-"),
             (policy, tls, tls), f"{event}")
        wait(lambda: p.cli("trace", ident, "--json").items(), 10, "a trace")
        out = p.must("trace", ident).out
        has(out, f"policy={policy} ", "trace")
        if tls:
            has(out, f"tls={event['tls']} cipher={event['cipher']} ", "trace")


@tap.case("tls = verified: a certificate of nobody will not do")
def verified(p):
    far = p.play(cert=p.pem)
    not_delivered(p, "verified.example")
    for session in far.sessions:
        if any(c.startswith("MAIL") for c in session.commands):
            raise AssertionError("unverified")


@tap.case("tls = verified: a certificate of a known issuer, by name and by "
          "address")
def trusted(p):
    path = os.path.join(p.dir, "good.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
         path + ".key", "-out", path], check=True, stderr=subprocess.DEVNULL)
    with open(path) as cert, open(path + ".key") as key:
        both = cert.read() + key.read()
    p.write(path + ".both", both)
    os.chmod(path, 0o644)
    with Sink(cert=path + ".both") as far, Postern(
            accounts=[ALICE], extra=f"[tls]\nca-file = {path}\n",
            routes={"ok.example": {"via": f"127.0.0.1:{far.port}",
                                   "tls": "verified"}}) as q:
        mark = q.mark_log()
        ident = q.send("v@ok.example")
        name, event = verdict(q, mark, ident)
        same(name, "msg.delivered", f"{event}; verdict")
        if not far.messages[0].tls:
            raise AssertionError("in the clear")
        q.check()


for mechanisms in (("PLAIN",), ("LOGIN",), ("LOGIN", "PLAIN"),
                   ("CRAM-MD5", "LOGIN"), ("SCRAM-SHA-256",),
                   ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS")):
    @tap.case(f"smarthost with AUTH {' '.join(mechanisms)}", mechanisms)
    def smarthost(p, mechanisms):
        p.play(cert=p.pem, users={USER: SECRET}, mechanisms=mechanisms)
        kept = delivered(p, "smart.example")
        same(kept.user, USER, "login at the smarthost")
        same(kept.mechanism, "SCRAM-SHA-256"
             if "SCRAM-SHA-256" in mechanisms
             else [m for m in ("PLAIN", "LOGIN") if m in mechanisms][0],
             "mechanism")
        if kept.tls is None:
            raise AssertionError("the password went in the clear")
        # The sender keeps its name in the envelope.
        same(kept.sender, ALICE, "envelope sender")
        if SECRET in p.log():
            raise AssertionError("the password is in the log")


@tap.case("smarthost that refuses the password: deferred, not bounced")
def wrong_password(p):
    p.play(cert=p.pem, users={USER: "something else"})
    not_delivered(p, "smart.example")
    p.play({"auth": "454 4.7.0 directory is down"}, cert=p.pem,
           users={USER: SECRET})
    not_delivered(p, "smart.example")


@tap.case("SCRAM: a wrong password is deferred; a server that wants a million "
          "rounds gets PLAIN, where it has that")
def scram(p):
    p.play(cert=p.pem, users={USER: "else"}, mechanisms=("SCRAM-SHA-256",))
    event = not_delivered(p, "smart.example")
    has(event["reply"], "SCRAM-SHA-256", "the reason")
    p.play(cert=p.pem, users={USER: SECRET}, rounds=1000000,
           mechanisms=("SCRAM-SHA-256",))
    event = not_delivered(p, "smart.example")
    has(event["reply"], "rounds", "the reason")
    p.play(cert=p.pem, users={USER: SECRET}, rounds=1000000,
           mechanisms=("SCRAM-SHA-256", "PLAIN"))
    same(delivered(p, "smart.example").mechanism, "PLAIN", "mechanism")


@tap.case("smarthost without a mechanism of ours: deferred")
def no_mechanism(p):
    p.play(cert=p.pem, users={USER: SECRET}, mechanisms=("GSSAPI",))
    not_delivered(p, "smart.example")


@tap.case("the password never goes in the clear")
def password_in_clear(p):
    far = p.play(users={USER: SECRET})
    mark = p.mark_log()
    ident = p.send("v@open.example")
    verdict(p, mark, ident)
    for session in far.sessions:
        for command in session.commands:
            if command.upper().startswith("AUTH"):
                raise AssertionError(command.split()[:2])
    p.cli("queue", "remove", ident)
    p.sink.clear()


@tap.case("a changed password file counts after a reload")
def changed(p):
    try:
        p.write(p.secret, "the new one\n")
        p.process.send_signal(1)
        time.sleep(0.5)
        p.play(cert=p.pem, users={USER: "the new one"})
        same(delivered(p, "smart.example").user, USER, "login")
    finally:
        p.write(p.secret, SECRET + "\n")
        p.process.send_signal(1)


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
