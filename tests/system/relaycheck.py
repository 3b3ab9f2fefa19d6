#!/usr/bin/python3
"""`postern check relay`: it finds nothing here, and what there is elsewhere."""
# run: limit 120

import json
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import HOSTNAME, Postern, free_port
from tap import has, same


class Relay:
    """A server that relays when its rule says so: rule(hello, mail, rcpt)."""

    def __init__(self, rule):
        self.rule, self.taken = rule, []
        self.socket = socket.create_server(("127.0.0.1", free_port()))
        self.socket.settimeout(30)
        self.host = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.settimeout(30)
                try:
                    self.talk(client.makefile("rwb"))
                except OSError:
                    pass

    def talk(self, f):
        def say(text):
            f.write(text.encode() + b"\r\n")
            f.flush()

        hello = mail = rcpt = ""
        say("220 relay.example ESMTP")
        for line in f:
            line = line.rstrip(b"\r\n").decode("latin-1")
            verb = line[:4].upper()
            if verb in ("EHLO", "HELO"):
                hello = line[5:]
                say("250 relay.example")
            elif verb == "MAIL":
                mail = line[5:]
                say("250 ok")
            elif verb == "RCPT":
                good = self.rule(hello, mail, line[5:])
                rcpt = line[5:] if good else rcpt
                say("250 ok" if good else "550 relaying denied")
            elif verb == "DATA" and rcpt:
                say("354 go")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    more = f.readline()
                    if not more:
                        return
                    body += more
                self.taken.append((mail, rcpt, body))
                say("250 queued")
            elif verb == "NOOP" or verb == "RSET":
                say("250 ok")
            else:
                say("503 no")


def check(p, *args):
    r = p.cli("check", "relay", "--json", *args, timeout=110)
    return r, [json.loads(line) for line in r.out.splitlines()]


@tap.case("every listener refuses every form, and nothing leaves")
def closed(p):
    r, rows = check(p)
    same(r.code, 0, r.err + r.out[-2000:])
    has(r.err, "does not relay", "stderr")
    same([row for row in rows if not row["ok"]], [], "taken")
    for port in (p.port465, p.port587):
        groups = {row["group"] for row in rows
                  if row["listener"].endswith(f":{port}")}
        for group in ("sender", "percent", "bang", "route", "quoting",
                      "domain", "claim", "login", "state", "end of data",
                      "BDAT", "ticket"):
            same(group in groups, True, f"{group} on {port}")
    # Each got an answer from a server, not silence.
    mute = [row for row in rows if not row["reply"][:3].isdigit()]
    same([row["form"] for row in mute
          if row["group"] not in ("claim", "state", "starttls", "sender",
                                  "quoting", "domain")], [], "mute")
    same(len(rows) > 300, True, f"{len(rows)} forms")
    same(len(p.sink.messages), 0, "at the sink")
    same(p.cli("queue", "list", "--json").out, "", "the spool")
    same("relay-check" in p.cli("account", "list", "--json").out, False,
         "the passing account")


@tap.case("it can be run again")
def again(p):
    same(check(p)[0].code, 0, "exit code")


@tap.case("an open relay is recognised")
def opened(p):
    with Relay(lambda hello, mail, rcpt: True) as far:
        r, rows = check(p, "--host", far.host)
        same(r.code, 1, r.err)
        has(r.err, "relays", "stderr")
        same(any(row["group"] == "sender" and not row["ok"] for row in rows),
             True, "a stranger to a stranger")
        mark = rows[0]["form"]
        same(bool(far.taken), True, mark)
        has(far.taken[0][2].decode(), "Subject: relay check", "the mail")


ONE = {
    "the percent sign": (lambda h, m, r: "%" in r and "@127.0.0.1" in r,
                         {"percent"}),
    "a source route": (lambda h, m, r: r.startswith("TO:<@127.0.0.1:"),
                       {"route"}),
    "its own name in EHLO": (lambda h, m, r: h == "127.0.0.1", {"claim"}),
    "the null path": (lambda h, m, r: m == "FROM:<>", {"sender"}),
    "quoted addresses": (lambda h, m, r: r.startswith('TO:<"relay'),
                         {"quoting", "percent"}),
}
for name, (rule, groups) in ONE.items():
    @tap.case(f"a server that only falls for {name}", rule, groups)
    def one(p, rule, groups):
        with Relay(rule) as far:
            r, rows = check(p, "--host", far.host)
        same(r.code, 1, r.err)
        same({row["group"] for row in rows if not row["ok"]}, groups, "open")


@tap.case("one that refuses everybody is well")
def shut(p):
    with Relay(lambda h, m, r: False) as far:
        r, rows = check(p, "--host", far.host)
    same(r.code, 0, r.err)


@tap.case("the report holds every form with the reply to it")
def report(p):
    with Relay(lambda h, m, r: "!" in r) as far:
        r = p.cli("check", "relay", "--report", "--host", far.host)
    same(r.code, 1, "exit code")
    has(r.out, f"Relay check of {far.host}", "head")
    has(r.out, "domain!user@server", "a form that was taken")
    has(r.out, "550 relaying denied", "one that was not")


@tap.case("a host that is none is told so")
def no_host(p):
    for word in ("far:smtp", "[::1]:99999", ":25"):
        r = p.cli("check", "relay", "--host", word)
        same(r.code, 2, r.err)
        has(r.err, f'"{word}"', "what is wrong")


@tap.case("relay-test --abuse is the same against another server")
def abuse(p):
    with Relay(lambda h, m, r: "%" in r) as far:
        r = p.cli("relay-test", far.host, "--abuse")
    same(r.code, 1, r.err)
    has(r.out, "user%domain@server", "a form that was taken")


@tap.case("nobody there is said so")
def nobody(p):
    r = p.cli("check", "relay", "--host", f"127.0.0.1:{free_port()}")
    same(r.code, 75, r.err)
    has(r.err, "Connection refused", "stderr")


@tap.case("what an interrupted check has left is taken over, and goes")
def again(p):
    name = f"relay-check@{HOSTNAME}"
    p.add(name)
    p.must("check", "relay", timeout=100)
    same(p.cli("account", "show", name).code, 5)


@tap.case("a server that does not run cannot be checked")
def down(p):
    p.stop()
    r = p.cli("check", "relay")
    same(r.code, 3, r.err)


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=["a@example.org"], script={}))
