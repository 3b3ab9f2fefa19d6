#!/usr/bin/python3
"""
By which way mail leaves: by its recipients, its account, its sender; from
which address and under which name; and what a corrected route does for mail
that waits.
"""
# run: limit 120

import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import sink as sinks
import tap
from client import message
from postern import Postern, free_port
from postfix import Postfix
from sink import Sink
from tap import Skip, has, same, wait

ALICE, BOB, NEWS = "alice@example.org", "bob@example.org", "news@example.com"
SECRET = "a secret, with = and ,"
WAYS = ("recipient", "below", "account", "sender")
SOURCE, HELO = "127.0.0.77", "news.example.com"


class Ways(Postern):
    """A server for each kind of route, and the default sink."""

    def set_up(self):
        self.far = {way: Sink().start() for way in WAYS}
        at = {way: {"via": f"127.0.0.1:{far.port}"}
              for way, far in self.far.items()}
        self.routes = {
            "one.example": at["recipient"],
            "*.deep.example": at["below"],
            "inside": at["recipient"],
            f"account:{ALICE}": at["account"],
            "from:example.com": {**at["sender"], "source": SOURCE,
                                 "helo": HELO},
        }
        super().set_up()
        self.must("grant", "add", BOB, NEWS)
        self.must("grant", "add", ALICE, NEWS)

    def __exit__(self, *args):
        super().__exit__(*args)
        for far in self.far.values():
            far.stop()

    def reload(self, **routes):
        """Change what is there, or with None remove it."""
        for name, keys in routes.items():
            if keys is None:
                self.routes.pop(name, None)
            else:
                self.routes[name] = keys
        self.configure()
        mark = self.mark_log()
        self.process.send_signal(signal.SIGHUP)
        self.wait_event("conf.reloaded", mark)
        # Every process has read it when it answers an operator.
        self.must("status")
        self.cli("relay-test", "nobody@one.example")

    def post(self, number, sender, rcpts):
        rcpts = [rcpts] if isinstance(rcpts, str) else rcpts
        mark = self.mark_log()
        with self.logged_in(number) as t:
            reply = t.submit(sender, rcpts, message(
                sender or self.accounts[number], rcpts[0]))
            same(reply.code, 250, f"{reply}; code")
            t.cmd("QUIT")
        return self.accepted(reply, mark)

    def gone(self, ident, event="msg.delivered", count=1):
        wait(lambda: len(self.events(event, id=ident)) >= count, 20,
             f"{event} of {ident}")

    def check(self):
        for way, far in {**self.far, "default": self.sink}.items():
            far.check(way)
            far.clear()
        super().check()


def ways_of(p):
    """{recipient: by which way it came}"""
    found = {}
    for way, far in {**p.far, "default": p.sink}.items():
        for kept in far.messages:
            for rcpt in kept.rcpts:
                if rcpt in found:
                    raise AssertionError(f"{rcpt} came twice")
                found[rcpt] = way
    return found


@tap.case("the recipient's domain, then the account, then the sender, then *")
def precedence(p):
    everywhere = ["a@one.example", "a@x.deep.example", "a@two.example"]
    sent = [
        (0, ALICE, "account"), (0, NEWS, "account"), (1, NEWS, "sender"),
        (1, BOB, "default"),
    ]
    for number, sender, way in sent:
        ident = p.post(number, sender, everywhere)
        p.gone(ident, count=3)
        same(ways_of(p), {"a@one.example": "recipient",
                          "a@x.deep.example": "below",
                          "a@two.example": way}, f"the ways of {sender}")
        for far in [*p.far.values(), p.sink]:
            far.clear()


@tap.case("a domain of one word")
def one_word(p):
    ident = p.post(0, ALICE, "fax@INSIDE")
    p.gone(ident)
    same([m.rcpts for m in p.far["recipient"].to("fax@inside")],
         [["fax@inside"]], "there")
    with p.logged_in(0) as t:
        same(t.mail(ALICE, "fax@outside").code, 554, "no route has its name")


@tap.case("a bounce is nobody's: by its recipient, or by *")
def bounce(p):
    p.far["account"].script["rcpt"] = "550 5.1.1 nobody"
    try:
        p.post(0, ALICE, "gone@two.example")
        wait(lambda: p.sink.messages, 20, "the bounce at the default sink")
        same(p.sink.messages[0].rcpts, [ALICE], "its recipient")
        same(p.far["account"].messages, [], "by the account's way")
        same(p.far["sender"].messages, [], "by the sender's way")
    finally:
        p.far["account"].script.pop("rcpt")


@tap.case("source and helo: the far server sees them, and only there")
def source(p):
    ident = p.post(1, NEWS, ["a@two.example", "b@two.example"])
    p.gone(ident)
    kept = wait(lambda: p.far["sender"].messages, 10, "the mail")[0]
    same(kept.peer, SOURCE, "where it came from")
    same(kept.helo, HELO, "EHLO")
    p.gone(p.post(1, BOB, "a@two.example"))
    kept = p.sink.messages[-1]
    same(kept.peer, "127.0.0.1", "the default source")
    same(kept.helo, postern.HOSTNAME, "the default EHLO")


@tap.case("two routes to one server share no connection but what they agree on")
def not_shared(p):
    via = {"via": f"127.0.0.1:{p.sink.port}"}
    name, was = f"account:{BOB}", p.routes["one.example"]
    own = {**via, "source": "127.0.0.78"}
    p.reload(**{name: own, "one.example": via})

    def rounds(want):
        p.sink.clear()
        for _ in range(3):
            p.gone(p.post(1, BOB, "bob@two.example"))
            p.gone(p.post(0, ALICE, "alice@one.example"))
        same({(m.rcpts[0][0], m.peer, m.helo) for m in p.sink.messages},
             {("b", *want), ("a", "127.0.0.1", postern.HOSTNAME)}, "clients")
    try:
        rounds(("127.0.0.78", postern.HOSTNAME))
        p.reload(**{name: {**via, "helo": "b.example"}})
        rounds(("127.0.0.1", "b.example"))
    finally:
        p.reload(**{name: None, "one.example": was})


@tap.case("a source that is not ours: waits, says so, and goes when it is")
def bad_source(p):
    name = f"account:{BOB}"
    keys = {"via": f"127.0.0.1:{p.sink.port}"}
    p.reload(**{name: {**keys, "source": "192.0.2.77"}})
    try:
        result = p.cli("config", "check")
        same(result.code, 78, "config check")
        has(result.err, "192.0.2.77 is not an address of this machine",
            "config check")
        ident = p.post(1, BOB, "a@two.example")
        event = p.wait_event("msg.deferred", id=ident)
        has(event["reply"], "source 192.0.2.77 of [route account:bob@"
            "example.org] is not an address of this machine", "the reason")
        same(p.sink.messages, [], "sent from elsewhere")
        p.reload(**{name: {**keys, "source": "127.0.0.79"}})
        p.must("queue", "retry", ident)
        p.gone(ident)
        same(p.sink.messages[-1].peer, "127.0.0.79", "where it came from")
        # Of the other family there is none: not from anywhere.
        p.reload(**{name: {**keys, "source": "::1"}})
        ident = p.post(1, BOB, "a@two.example")
        event = p.wait_event("msg.deferred", id=ident)
        has(event["reply"], "has no IPv4 address as source", "the reason")
        p.must("queue", "remove", ident)
    finally:
        p.reload(**{name: None})


@tap.case("both families: each server from the source of its own kind")
def both_families(p):
    try:
        six = Sink(address="::1").start()
    except OSError:
        raise Skip("no IPv6 here") from None
    with six:
        p.reload(**{f"account:{BOB}": {"via": f"[::1]:{six.port}",
                                       "source": "127.0.0.80, ::1"}})
        try:
            p.gone(p.post(1, BOB, "a@two.example"))
            same(six.messages[0].peer, "::1", "where it came from")
        finally:
            p.reload(**{f"account:{BOB}": None})


@tap.case("a corrected route takes mail that waits behind a silent one at once")
def corrected(p):
    dead = free_port()
    name = f"account:{BOB}"
    p.reload(**{name: {"via": f"127.0.0.1:{dead}"}})
    try:
        first = p.post(1, BOB, "first@two.example")
        event = p.wait_event("msg.deferred", id=first)
        has(event["mx"], f":{dead}", "the dead one")
        # The destination is left alone now: this one is not tried.
        second = p.post(1, BOB, "second@two.example")
        shown = p.must("queue", "show", second, "--json").json()
        same(shown["rcpts"][0]["attempts"], 0, "attempts")
        has(shown["rcpts"][0]["route"], f"[route {name}] via 127.0.0.1:{dead}",
            "the route it would take")
        # Everybody else's way is free meanwhile.
        p.gone(p.post(0, ALICE, "a@two.example"))
        p.reload(**{name: {"via": f"127.0.0.1:{p.sink.port}"}})
        p.gone(second)
        same(p.sink.messages[-1].rcpts, ["second@two.example"], "arrived")
        wait(lambda: f" route={name} " in p.must("trace", second).out, 10,
             "the route in the trace")
        # What was tried goes at its next attempt, by the new route.
        shown = p.must("queue", "show", first, "--json").json()
        has(shown["rcpts"][0]["route"], f"via 127.0.0.1:{p.sink.port}",
            "the route it will take")
        p.must("queue", "retry", first)
        p.gone(first)
    finally:
        p.reload(**{name: None})


@tap.case("relay-test by account and by sender tells the route and tries it")
def relay_test(p):
    def route(*flags):
        out = p.must("relay-test", "a@two.example", "--json", *flags).json()
        return out["route"], out["servers"][0]["server"]
    for flags, name, far in [
            ((), "*", p.sink),
            (("--account", ALICE), f"account:{ALICE}", p.far["account"]),
            (("--account", BOB, "--sender", NEWS), "from:example.com",
             p.far["sender"]),
            (("--sender", NEWS), "from:example.com", p.far["sender"])]:
        said, server = route(*flags)
        same(said, f"[route {name}] via 127.0.0.1:{far.port}", "the route")
        has(server, f":{far.port}", "the server")
    same(p.far["sender"].sessions[-1].peer, SOURCE, "its source")
    same(p.cli("relay-test", "a@b.example", "--account", "x").code, 2, "code")


class Smarthost(Postfix):
    """A Postfix that wants SASL: Cyrus, with a sasldb of its own."""

    def __init__(self, pem):
        if not os.path.exists("/usr/sbin/saslpasswd2"):
            raise Skip("no sasl2-bin here")
        only = "permit_sasl_authenticated, reject"
        super().__init__(cert=pem, domains=("far.example",), options={
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_local_domain": "mx.example.net",
            "smtpd_tls_auth_only": "yes",
            "smtpd_recipient_restrictions": only,
            "smtpd_relay_restrictions": only,
        })

    def services(self):
        # Debian's looks beside main.cf, not where cyrus_sasl_config_path says.
        folder = os.path.join(self.dir, "conf", "sasl")
        os.mkdir(folder)
        db, conf = (os.path.join(folder, n) for n in ("db", "smtpd.conf"))
        with open(conf, "w") as f:
            f.write("pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
                    f"sasldb_path: {db}\n"
                    "mech_list: SCRAM-SHA-256 PLAIN LOGIN\n")
        done = subprocess.run(
            ["/usr/sbin/saslpasswd2", "-p", "-c", "-f", db, "-u",
             "mx.example.net", "relay"], input=SECRET.encode(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        same(done.returncode, 0, f"saslpasswd2: {done.stdout}")
        shutil.chown(db, "postfix")
        for path, mode in ((folder, 0o755), (conf, 0o644)):
            os.chmod(path, mode)
        return super().services()


@tap.case("Postfix with Cyrus SASL as the smarthost of one account: "
          "SCRAM-SHA-256")
def postfix_scram(p):
    pem = sinks.certificate(os.path.join(p.dir, "postfix.pem"))
    secret = os.path.join(p.dir, "smart.password")
    p.write(secret, SECRET + "\n")
    os.chmod(secret, 0o600)
    name = f"account:{BOB}"
    with Smarthost(pem) as far:
        keys = {"via": f"127.0.0.1:{far.port}", "tls": "required",
                "user": "relay", "password-file": secret}
        p.reload(**{name: keys})
        try:
            p.gone(p.post(1, BOB, "a@far.example"))
            wait(far.mails, 20, "the mail")
            with open(far.log) as f:
                log = f.read()
            has(log, "sasl_method=SCRAM-SHA-256, sasl_username=relay",
                "Postfix's log")
            # Who has no such route has no password, and nothing leaks.
            same(re.findall("authentication failed", log), [], "failures")
        finally:
            p.reload(**{name: None})


if __name__ == "__main__":
    tap.main(lambda: Ways(queue={"retry": "1h"}))
