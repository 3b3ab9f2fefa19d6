#!/usr/bin/python3
"""What an administrator types does what it says, with the codes it promises."""
# run: limit 150

import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import postern
import sink
import tap
from client import Closed
from postern import HOSTNAME, PASSWORD, ROOT, Postern
from tap import has, matches, same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"


def ends(p, code, *words, **kwargs):
    """The command ends with this status; what it said."""
    result = p.cli(*words, **kwargs)
    if result.code != code:
        raise AssertionError(f"postern {' '.join(words)}: {result}, "
                             f"want exit {code}")
    if code == 0 and "--json" in words and result.out.strip():
        result.json()
    if code not in (0, 1) and result.out:
        raise AssertionError(f"an error on stdout: {result}")
    if code not in (0, 1) and not result.err.strip():
        raise AssertionError(f"exit {code} and no word on stderr")
    return result


def can_log_in(p, user, password):
    with p.smtp("implicit", source="127.9.1.1") as t:
        t.ehlo()
        reply = t.auth(user, password)
        if reply.code not in (235, 535):
            raise AssertionError(f"AUTH: {reply}")
        return reply.lets_in


# Words and codes.

@tap.case("help, version and usage errors")
def usage(p):
    for words in (("help",), ("help", "account"), ("help", "account", "add"),
                  ("account", "add", "--help"), ("version",),
                  ("help", "exit-codes")):
        if not ends(p, 0, *words).out.strip():
            raise AssertionError(f"{words}: nothing on stdout")
    for words in ((), ("acount", "list"), ("account", "ad"), ("account",),
                  ("account", "add"), ("account", "list", "--jsn"),
                  ("queue", "show"), ("account", "show", ALICE, "more"),
                  ("account", "add", "no address", "--generate"),
                  ("account", "add", "@example.org", "--generate"),
                  ("queue", "retry"), ("status", "--config"), ("--nonsense",)):
        ends(p, 2, *words)
    has(ends(p, 2, "acount", "list").err, "account", "suggestion")
    has(ends(p, 2, "account", "list", "--jsn").err, "--json", "suggestion")
    # Flags stand anywhere.
    ends(p, 0, "--json", "account", "list")
    ends(p, 0, "account", "--json", "list")
    ends(p, 0, f"--config={p.config}", "version")


@tap.case("topics that are named are there, and what they name")
def topics(p):
    named = p.must("help", "help").out.split("besides the commands:")[1]
    for topic in re.findall(r"[a-z-]+", named.split(".")[0]):
        text = p.must("help", topic).out
        for line in text.splitlines():
            same(len(line) < 80, True, line)
            words = re.match(r"  postern (\S+) ?(\S*)", line)
            if words:
                p.must("help", *[w for w in words.groups()
                                 if re.fullmatch(r"[a-z][a-z-]*", w)])


@tap.case("version --json and status")
def status(p):
    matches(ends(p, 0, "version").out, r"\d+\.\d+")
    ends(p, 0, "version", "--json").json()
    same(subprocess.run([os.path.join(postern.BUILD, "postern"), "--version"],
                        capture_output=True).stdout.decode(),
         p.must("version").out, "--version")
    text = ends(p, 0, "status").out
    if len(text.splitlines()) > 40:
        raise AssertionError("status is more than one screen")
    data = ends(p, 0, "status", "--json").json()
    if not isinstance(data, (dict, list)) or not data:
        raise AssertionError(f"status --json: {data}")
    if p.status("log_flushes") is None:
        raise AssertionError("no log_flushes in status --json")


@tap.case("colour is for terminals only")
def colour(p):
    for words in (("status",), ("account", "list"), ("queue", "list"),
                  ("account", "show", ALICE), ("help",)):
        if "\x1b" in p.cli(*words).out:
            raise AssertionError(f"escape sequences from {words}")


# Accounts, with the server running and without.

def add(p):
    ends(p, 0, "account", "add", "new@example.org", "--password-stdin",
         stdin="first one 1\n")
    ends(p, 6, "account", "add", "new@example.org", "--password-stdin",
         stdin="other one 2\n")
    ends(p, 6, "account", "add", "new@EXAMPLE.org", "--password-stdin",
         stdin="other one 2\n")
    ends(p, 5, "account", "show", "nobody@example.org")
    ends(p, 5, "account", "passwd", "nobody@example.org",
         "--password-stdin", stdin="x y z 1\n")
    ends(p, 5, "account", "suspend", "nobody@example.org")
    ends(p, 5, "account", "remove", "nobody@example.org")
    ends(p, 2, "account", "add", "empty@example.org", "--password-stdin",
         stdin="")
    # Without a terminal nothing is asked.
    ends(p, 2, "account", "add", "ask@example.org")


def listing(p):
    rows = ends(p, 0, "account", "list", "--json").items()
    names = [row["account"] for row in rows]
    same(names, sorted(names), "order")
    for who in (ALICE, BOB, "new@example.org"):
        has(names, who, "account list")
    row = [r for r in rows if r["account"] == "new@example.org"][0]
    same(row["state"], "active", "state")
    has(str(row), "yescrypt", "hash")
    has(ends(p, 0, "account", "list").out, "new@example.org")
    has(ends(p, 0, "account", "list", "--plain").out, "new@example.org\t")
    shown = ends(p, 0, "account", "show", "new@example.org", "--json").json()
    same(shown["account"], "new@example.org", "account show")
    same(shown["may_send"], ["new@example.org"], "grants")
    has(ends(p, 0, "account", "show", "new@example.org").out,
        "new@example.org")
    for text in (ends(p, 0, "account", "list", "--json").out,
                 ends(p, 0, "account", "show", ALICE, "--json").out):
        if "$y$" in text or PASSWORD in text:
            raise AssertionError("a hash or a password is shown")


def tests(p):
    ends(p, 0, "account", "test", "new@example.org", "--password-stdin",
         stdin="first one 1\n")
    result = ends(p, 1, "account", "test", "new@example.org",
                  "--password-stdin", stdin="wrong\n")
    has((result.out + result.err).lower(), "password", "the reason")
    result = p.cli("account", "test", "nobody@example.org",
                   "--password-stdin", stdin="wrong\n")
    if result.code not in (1, 5):
        raise AssertionError(f"test of nobody: {result}")
    ends(p, 0, "account", "test", "new@example.org", "--password-stdin",
         "--json", stdin="first one 1\n")


def passwd(p):
    ends(p, 0, "account", "passwd", "new@example.org", "--password-stdin",
         stdin="second one 2\n")
    ends(p, 1, "account", "test", "new@example.org", "--password-stdin",
         stdin="first one 1\n")
    ends(p, 0, "account", "test", "new@example.org", "--password-stdin",
         stdin="second one 2\n")
    made = ends(p, 0, "account", "passwd", "new@example.org", "--generate")
    words = [w for w in re.split(r"\s+", made.out) if len(w) >= 12
             and "@" not in w]
    same(len(words), 1, f"passwords in {made.out!r}")
    ends(p, 0, "account", "test", "new@example.org", "--password-stdin",
         stdin=words[0] + "\n")
    shown = ends(p, 0, "account", "passwd", "new@example.org", "--generate",
                 "--json").json()
    secret = [v for v in shown.values() if isinstance(v, str)
              and len(v) >= 12 and "@" not in v]
    ends(p, 0, "account", "test", "new@example.org", "--password-stdin",
         stdin=secret[0] + "\n")


def suspend(p):
    result = ends(p, 0, "account", "suspend", "new@example.org", "--reason",
                  "sent 4100 messages in 10 min")
    has(result.out + result.err, "postern account resume new@example.org",
        "the way back")
    shown = ends(p, 0, "account", "show", "new@example.org", "--json").json()
    same(shown["state"], "suspended", "state")
    has(str(shown), "sent 4100 messages", "the reason")
    ends(p, 0, "account", "passwd", "new@example.org", "--password-stdin",
         stdin="third one 3\n")
    result = ends(p, 1, "account", "test", "new@example.org",
                  "--password-stdin", stdin="third one 3\n")
    has(result.out + result.err, "suspended", "why the login fails")
    has(result.out + result.err, "sent 4100 messages", "why it is suspended")
    ends(p, 0, "account", "resume", "new@example.org")
    ends(p, 0, "account", "test", "new@example.org", "--password-stdin",
         stdin="third one 3\n")


def remove(p):
    ends(p, 0, "account", "remove", "new@example.org")
    ends(p, 5, "account", "show", "new@example.org")
    ends(p, 5, "account", "remove", "new@example.org")
    rows = ends(p, 0, "grant", "list", "--json").items()
    same([r for r in rows if r["account"] == "new@example.org"], [],
         "its grants")


def stopped(p, function):
    p.stop()
    try:
        function(p)
    finally:
        p.start()


def life(p):
    """Of one account, from add to remove."""
    for step in (add, listing, tests, passwd, suspend, remove):
        step(p)


@tap.case("account add, list, show, test, passwd, suspend, resume, remove")
def running(p):
    life(p)


@tap.case("all of that with the server stopped")
def all_stopped(p):
    stopped(p, life)
    if not can_log_in(p, ALICE, PASSWORD):
        raise AssertionError("alice cannot log in afterwards")


@tap.case("what was made while it was stopped works when it runs")
def made_stopped(p):
    def make(p):
        p.add("offline@example.org", "made offline 1")
        p.must("grant", "add", "offline@example.org", "x@example.org")
    stopped(p, make)
    with p.smtp("implicit") as t:
        t.login("offline@example.org", "made offline 1")
        same(t.cmd("MAIL FROM:<x@example.org>").code, 250, "granted address")
    p.must("account", "remove", "offline@example.org")
    same(can_log_in(p, "offline@example.org", "made offline 1"), False,
         "login after remove")


@tap.case("server stopped: 3 where only the server knows")
def down(p):
    def look(p):
        for words in (("status",), ("status", "--json"), ("queue", "list"),
                      ("queue", "list", "--json"), ("queue", "retry", "--all"),
                      ("queue", "show", "0000000000000")):
            ends(p, 3, *words)
    stopped(p, look)


@tap.case("two servers with one configuration: the second refuses")
def second(p):
    ends_with = p.cli("serve", timeout=20)
    if ends_with.code == 0:
        raise AssertionError(f"a second server ran: {ends_with}")
    same(can_log_in(p, ALICE, PASSWORD), True, "login at the first")


@tap.case("a password change counts for the next login, at once")
def change(p):
    p.add("carl@example.org", "old one 1")
    same(can_log_in(p, "carl@example.org", "old one 1"), True, "old")
    ends(p, 0, "account", "passwd", "carl@example.org", "--password-stdin",
         stdin="new one 2\n")
    same(can_log_in(p, "carl@example.org", "old one 1"), False, "old, after")
    same(can_log_in(p, "carl@example.org", "new one 2"), True, "new")
    ends(p, 0, "account", "remove", "carl@example.org")
    same(can_log_in(p, "carl@example.org", "new one 2"), False, "removed")


@tap.case("passwords of many kinds")
def passwords(p):
    for number, secret in enumerate((
            "a", " leading and trailing ", "gr\u00fc\u00dfe \u2603",
            "tab\there", "x" * 200, "$y$j9T$looks$like", ":;'\"\\%s\\0")):
        who = f"kind{number}@example.org"
        result = p.cli("account", "add", who, "--password-stdin",
                       stdin=secret + "\n")
        if result.code == 2 and len(secret) < 8 or "\t" in secret:
            continue  # It may ask for more, or for less.
        same(result.code, 0, f"{secret!r}: {result}; code")
        same(can_log_in(p, who, secret), True, f"{secret!r}")
        same(can_log_in(p, who, secret[:-1] or "b"), False, f"{secret!r} cut")


# Suspension.

@tap.case("passwd: sessions opened with the old password end")
def relogin(p):
    with p.logged_in(1) as thief, p.logged_in() as other:
        ends(p, 0, "account", "passwd", BOB, "--password-stdin",
             stdin="another horse\n")
        try:
            reply = thief.cmd(f"MAIL FROM:<{BOB}>")
            same(reply.code, 421, f"{reply}; code")
        except (Closed, OSError):
            pass
        same(other.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "alice")
    same(can_log_in(p, BOB, PASSWORD), False, "login with the old one")
    same(can_log_in(p, BOB, "another horse"), True, "login with the new one")
    ends(p, 0, "account", "passwd", BOB, "--password-stdin",
         stdin=PASSWORD + "\n")


@tap.case("suspend: open sessions end, logins fail, mail waits; resume: goes")
def suspension(p):
    p.sink.clear()
    p.sink.script["rcpt"] = "450 4.2.0 later"
    waiting = p.send("w@example.net", number=1)
    p.wait_event("msg.deferred", id=waiting)
    # Of an active account nothing is dropped by a word too many.
    has(ends(p, 1, "account", "resume", BOB, "--drop-held").err,
        f"postern queue remove --account {BOB}")
    same([r["id"] for r in p.queue()], [waiting], "what waits")
    ends(p, 5, "account", "resume", "nobody@example.org", "--drop-held")
    with p.logged_in(1) as idle, p.logged_in(1) as busy, \
            p.logged_in() as other:
        same(busy.mail(BOB, "x@example.net").code, 250, "RCPT")
        ends(p, 0, "account", "suspend", BOB, "--reason", "test")
        p.sink.script.clear()

        def ended(t, line):
            try:
                reply = t.cmd(line)
                return reply.code == 421 or reply.code // 100 == 5
            except (Closed, OSError):
                return True
        same(ended(idle, f"MAIL FROM:<{BOB}>"), True, "the idle session")
        same(ended(busy, "DATA"), True, "the one in a transaction")
        same(other.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "alice")
    same(can_log_in(p, BOB, PASSWORD), False, "login while suspended")
    # Retrying does not help it; it waits, it is not lost.
    p.retry()
    time.sleep(1)
    same(p.sink.messages, [], "messages")
    row = [r for r in p.queue() if r["id"] == waiting][0]
    has(row["held"], "suspend", "held")
    has(ends(p, 0, "queue", "show", waiting).out, "suspended")
    p.send("alice-goes@example.net")
    wait(lambda: p.sink.to("alice-goes@example.net"), 20, "alice's arrives")
    # A restart forgets nothing of that.
    p.stop()
    p.start()
    p.retry()
    time.sleep(0.5)
    same(p.sink.to("w@example.net"), [], "messages after a restart")
    same(can_log_in(p, BOB, PASSWORD), False, "login after a restart")
    ends(p, 0, "account", "resume", BOB)
    wait(lambda: p.sink.to("w@example.net"), 20, "it goes on")
    same(can_log_in(p, BOB, PASSWORD), True, "login after resume")
    wait(lambda: p.queue() == [], 10, "an empty queue")
    same(len(p.sink.to("w@example.net")), 1, "copies")


@tap.case("remove: the account's mail does not go out")
def removal(p):
    p.sink.clear()
    p.add("gone@example.org")
    p.sink.script["rcpt"] = "450 4.2.0 later"
    with p.smtp("implicit") as t:
        t.login("gone@example.org", PASSWORD)
        same(t.submit("gone@example.org", ["w@example.net"],
                      client.message("gone@example.org")).code, 250, "code")
    wait(lambda: p.queue(), 5, "it waits")
    wait(lambda: p.events("msg.deferred"), 10, "deferred")
    ends(p, 0, "account", "remove", "gone@example.org")
    p.sink.script.clear()
    p.retry()
    time.sleep(1)
    same(p.sink.to("w@example.net"), [], "messages")
    for row in p.queue():
        ends(p, 0, "queue", "remove", row["id"])
    wait(lambda: p.queue() == [], 5, "an empty queue")


@tap.case("every change is in the log, with who made it")
def logged(p):
    mark = p.mark_log()
    ends(p, 0, "account", "suspend", BOB, "--reason", 'a "quoted\nreason')
    ends(p, 0, "account", "resume", BOB)
    events = wait(lambda: len(p.events("admin.change", mark)) >= 2
                  and p.events("admin.change", mark), 5, "two changes")
    for event in events:
        has(str(event), BOB, "account in the log")
        if not event.get("by"):
            raise AssertionError(f"nobody did {event}")


# The queue.

@tap.case("queue list, show, hold, release, retry, remove")
def queue(p):
    p.sink.clear()
    p.sink.script["rcpt"] = "450 4.2.0 come back"
    mark = p.mark_log()
    one = p.send(["a@example.net", "b@example.com"], subject="one")
    two = p.send("c@example.net", number=1, subject="two")
    wait(lambda: len(p.events("msg.deferred", mark)) >= 3, 20, "deferred")
    rows = {row["id"]: row for row in p.queue()}
    same(set(rows), {one, two}, "ids")
    same(rows[one]["account"], ALICE, "account")
    same(rows[one]["waiting"], 2, "waiting")
    if not re.fullmatch(r"[0-9a-z]{13}", one):
        raise AssertionError(f"id {one}")
    text = ends(p, 0, "queue", "list").out
    for ident in (one, two):
        has(text, ident, "queue list")
    same({r["id"] for r in ends(p, 0, "queue", "list", "--account", BOB,
                                "--json").items()}, {two}, "of bob")
    same({r["id"] for r in ends(p, 0, "queue", "list", "--domain",
                                "example.com", "--json").items()}, {one},
         "to example.com")
    shown = ends(p, 0, "queue", "show", one, "--json").json()
    same(sorted(r["address"] for r in shown["rcpts"]),
         ["a@example.net", "b@example.com"], "recipients")
    has(json.dumps(shown), "come back", "last answer")
    has(ends(p, 0, "queue", "show", one).out, "a@example.net")
    ends(p, 5, "queue", "show", "0000000000000")
    ends(p, 2, "queue", "show", "not-an-id")
    ends(p, 5, "queue", "hold", "0000000000000")

    ends(p, 0, "queue", "hold", one)
    p.sink.script.clear()
    ends(p, 0, "queue", "retry", "--all")
    wait(lambda: p.sink.to("c@example.net"), 20, "the other arrives")
    time.sleep(0.5)
    same(p.sink.to("a@example.net"), [], "the held one")
    has([r for r in p.queue() if r["id"] == one][0]["held"], "admin", "held")
    # Held through a restart of the queue.
    p.kill("postern-queue")
    p.mark = p.mark_log()
    wait(lambda: p.cli("queue", "list").code == 0, 30, "the queue is back")
    p.cli("queue", "retry", "--all")
    time.sleep(0.5)
    same(p.sink.to("a@example.net"), [], "the held one after a restart")
    ends(p, 0, "queue", "release", one)
    wait(lambda: p.sink.to("a@example.net") and p.sink.to("b@example.com"),
         20, "the released one arrives")
    wait(lambda: p.queue() == [], 5, "an empty queue")
    p.mark = p.mark_log()


@tap.case("queue remove takes messages away without a bounce")
def queue_remove(p):
    p.sink.clear()
    p.sink.script["rcpt"] = "450 4.2.0 come back"
    mark = p.mark_log()
    ids = [p.send(f"r{n}@example.net") for n in range(4)]
    wait(lambda: len(p.events("msg.deferred", mark)) >= 4, 20, "deferred")
    ends(p, 0, "queue", "remove", ids[0])
    ends(p, 5, "queue", "remove", ids[0])
    ends(p, 0, "queue", "remove", "--account", ALICE, "--dry-run")
    same(p.waiting(), 3, "waiting after a dry run")
    result = p.cli("queue", "remove", "--all")
    if result.code == 0 or p.waiting() != 3:
        raise AssertionError(f"all removed unasked: {result}")
    ends(p, 0, "queue", "remove", "--all", "--yes")
    same(p.queue(), [], "queue")
    p.sink.script.clear()
    time.sleep(0.5)
    same(p.sink.messages, [], "messages, bounces among them")
    has(str(p.log(mark)), ids[1], "the removal in the log")


@tap.case("queue list of two thousand messages is whole")
def long_list(p):
    p.sink.script["rcpt"] = "450 4.2.0 come back"
    with p.logged_in() as t:
        for n in range(2000):
            t.send(f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<r{n}@d{n % 7}.example>"
                   "\r\nDATA\r\n")
            same([t.reply().code for _ in range(3)], [250, 250, 354], "codes")
            t.send(f"From: <{ALICE}>\r\n\r\nx\r\n.\r\n")
            same(t.reply().code, 250, "message")
    same(len({r["id"] for r in p.queue()}), 2000, "ids listed")
    same(len(ends(p, 0, "queue", "list", "--limit", "10", "--json").items()),
         10, "with --limit")
    ends(p, 0, "queue", "remove", "--all", "--yes")
    same(p.queue(), [], "queue")
    p.sink.script.clear()
    p.sink.clear()


# Configuration.

def broken(p, text, *wants):
    """config check of a text: 78, with these words on stderr."""
    path = os.path.join(p.dir, "broken.conf")
    p.write(path, text)
    result = postern.Result(subprocess.run(
        [os.path.join(postern.BUILD, "postern"), "--config", path, "config",
         "check"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20))
    same(result.code, 78, f"{result}; code")
    said = result.out + result.err
    for want in wants:
        has(said, want.replace("FILE", path), "the complaint")
    return said


@tap.case("config check: file, line, nearest key, all errors in one run")
def config_errors(p):
    good = open(p.config).read()
    at = good[:good.index("[limits]")].count("\n") + 2
    broken(p, good.replace("[limits]\n", "[limits]\nmesage-size = 1M\n"),
           f"FILE:{at}:", "mesage-size", "message-size")
    broken(p, good.replace("[limits]\n", "[limits]\nmessage-size = big\n"),
           f"FILE:{at}:", "big")
    broken(p, good + "[qeue]\ngive-up = 1d\n", "qeue", "queue")
    broken(p, good + "just words\n", "FILE:")
    broken(p, good + "[route x.example]\nvia = nonsense:port\n", "FILE:")
    broken(p, good + "[route y.example]\nvia = 127.0.0.1:25\ntls = perhaps\n",
           "perhaps")
    broken(p, good + "[route form:x.example]\nvia = mx\n", "FILE:",
           "from:example.org")
    line = good.count("\n") + 1
    broken(p, good + "[route from:x.example]\nsource = 192.0.2.77\n",
           f"FILE:{line}:", "192.0.2.77", "not an address of this machine",
           "ip address")
    broken(p, good.replace(f"hostname = {HOSTNAME}", "hostname = a b"),
           "FILE:1:")
    said = broken(p, "hostnam = x\n[limits]\nrecipients = many\n"
                     "[listen a]\nadress = 127.0.0.1:1\n", "FILE:1:",
                  "FILE:3:", "FILE:5:", "hostname", "address")
    if len(said.splitlines()) > 40:
        raise AssertionError("a wall of words")
    result = p.cli("--config", os.path.join(p.dir, "none.conf"),
                   "config", "check")
    if result.code not in (78, 5):
        raise AssertionError(f"no file: {result}")


@tap.case("config check and config show of a good one")
def config_good(p):
    ends(p, 0, "config", "check")
    ends(p, 0, "config", "check", "--json")
    has(ends(p, 0, "config", "show").out, HOSTNAME)
    rows = ends(p, 0, "config", "show", "--json").items()
    has(str(rows), HOSTNAME, "config show --json")
    has(ends(p, 0, "config", "show", "--plain").out, "hostname\t")
    path = os.path.join(p.dir, "raised.conf")
    p.write(path, "hostname = a.example\n[listen a]\ntls = implicit\n"
                  "address = 127.0.0.1:1\n[limits]\nper-hour = 3000\n")
    rows = p.cli("--config", path, "config", "show", "--json").items()
    same([(r["value"], r["source"]) for r in rows
          if r["key"] == "limits.messages-per-hour"],
         [("2000", "raised with limits.per-hour")], "a limit that followed")


@tap.case("config check: keys and certificates that do not work, nobody trusted")
def config_machine(p):
    good = open(p.config).read()
    line = good.count("\n") + 2
    broken(p, good.replace("[limits]\n", "[limits]\nmessage-size = 900000G\n"),
           "limits.message-size: two such messages do not fit")
    broken(p, good + "[dns]\ntrust-anchor = /none\n", f"FILE:{line}:",
           "dns.trust-anchor: /none: No such file", "dns-root-data")
    broken(p, good + "[tls]\nca-file = /none\n", f"FILE:{line}:",
           "tls.ca-file: /none", "ca-certificates")
    os.mkdir(os.path.join(p.dir, "wide"))
    os.chmod(os.path.join(p.dir, "wide"), 0o777)
    broken(p, re.sub(r"(?m)^run *= *\S+", f"run = {p.dir}/wide", good),
           f"paths.run: everyone may write to {p.dir}/wide", "chmod o-w")
    if ROOT:
        broken(p, good + "[users]\nqueue = root\n", "users.queue: root has")
    cert = os.path.join(p.dir, "state/tls/cert.pem")
    key = os.path.join(p.dir, "other.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    broken(p, good + f"[tls]\ncertificate = {cert}\nkey = {key}\n",
           f"FILE:{line}: {key} does not belong")
    pair = f"[tls]\ncertificate = {p.dir}/pair.cert\nkey = {p.dir}/pair.key\n"
    for kind, says in (("rsa:1024", "RSA, 1024 bits"), ("ed25519", "ED25519"),
                       ("rsa:2048", None)):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", kind, "-nodes", "-days",
             "30", "-keyout", f"{p.dir}/pair.key", "-out",
             f"{p.dir}/pair.cert", "-subj", f"/CN={HOSTNAME}"], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(f"{p.dir}/pair.key", 0o600)
        if says:
            broken(p, good + pair, f"FILE:{line}:", says, "get one with")
    os.rename(f"{p.dir}/pair.key", f"{p.dir}/key")
    os.rename(f"{p.dir}/pair.cert", f"{p.dir}/pair.key")
    os.rename(f"{p.dir}/key", f"{p.dir}/pair.cert")
    os.chmod(f"{p.dir}/pair.key", 0o600)
    broken(p, good + pair, "pair.cert holds a private key", "swapped")
    broken(p, good.replace(f"hostname = {HOSTNAME}",
                           "hostname = else.example.org"),
           "cert.pem: it is not for else.example.org; move it", "init")


@tap.case("serve with a wrong configuration ends with 78 and binds nothing")
def serve_wrong(p):
    path = os.path.join(p.dir, "wrong.conf")
    p.write(path, open(p.config).read() + "[limits]\nnonsense = 1\n")
    result = p.cli("--config", path, "serve", timeout=20)
    same(result.code, 78, f"{result}; code")
    has(result.err, "nonsense", "the complaint")


@tap.case("a certificate without its key, a key open to everyone")
def config_files(p):
    pem = os.path.join(p.dir, "cert.pem")
    sink.certificate(pem)
    text = open(p.config).read()
    for keys, want in (
            (f"certificate = {pem}\nkey = {p.dir}/none.pem\n", "none.pem"),
            (f"certificate = {p.dir}/none.pem\nkey = {pem}\n", "none.pem")):
        broken(p, text + "[tls]\n" + keys, want)
    os.chmod(pem, 0o644)
    said = broken(p, text + f"[tls]\ncertificate = {pem}\nkey = {pem}\n", pem)
    has(said, "chmod", "the remedy")
    secret = os.path.join(p.dir, "secret")
    p.write(secret, "")
    os.chmod(secret, 0o600)
    said = broken(p, text + "[route x.example]\nvia = 127.0.0.1:25\n"
                            f"user = u\npassword-file = {secret}\n", secret)
    has(said, "is empty", "no password")


# init.

@tap.case("init again changes nothing")
def init_again(p):
    def state():
        out = {}
        for folder, _, names in os.walk(p.base):
            for name in names:
                path = os.path.join(folder, name)
                if path != p.log_path and "/state/spool" not in path:
                    st = os.lstat(path)
                    out[path] = (st.st_mode, st.st_uid)
        return out
    text = open(p.config).read()
    before = state()
    for _ in range(2):
        result = ends(p, 0, "init")
        if len((result.out + result.err).splitlines()) > 15:
            raise AssertionError(f"more than 15 lines: {result.out}")
    same(open(p.config).read(), text, "configuration")
    after = state()
    same({k: after.get(k) for k in before}, before, "modes and owners")
    same(can_log_in(p, ALICE, PASSWORD), True, "login")


@tap.case("init leaves what belongs to another user's server")
def init_foreign(p):
    if not ROOT:
        raise tap.Skip("needs root")
    state = os.path.join(p.dir, "foreign")
    os.makedirs(os.path.join(state, "auth"))
    os.chown(os.path.join(state, "auth"), 65534, -1)
    path = os.path.join(p.dir, "foreign.conf")
    p.write(path, re.sub(r"(?m)^(state|run) *= *\S+", fr"\1 = {state}",
                         open(p.config).read()))
    result = p.cli("--config", path, "init")
    same(result.code, 4, f"{result}; code")
    has(result.err, f"{state}/auth belongs to nobody", "whose it is")
    same(os.stat(os.path.join(state, "auth")).st_uid, 65534, "owner")
    os.chown(os.path.join(state, "auth"), 0, -1)
    same(p.cli("--config", path, "init").code, 0, "root's own is put right")


@tap.case("init --dry-run makes nothing")
def init_dry(p):
    path = os.path.join(p.dir, "dry", "postern.conf")
    os.mkdir(os.path.dirname(path))
    p.write(path, f"hostname = {HOSTNAME}\n[listen a]\n"
            f"address = 127.0.0.1:1\ntls = starttls\n[paths]\n"
            f"state = {p.dir}/dry/state\nrun = {p.dir}/dry/run\n")
    before = sorted(os.listdir(os.path.dirname(path)))
    result = ends(p, 0, "--config", path, "init", "x@example.org",
                  "--dry-run")
    if not (result.out + result.err).strip():
        raise AssertionError("it says nothing")
    same(sorted(os.listdir(os.path.dirname(path))), before, "files")
    ends(p, 2, "init", "not an address")
    ends(p, 2, "--config", path + ".none", "init", "--hostname",
         "not a host", "--dry-run")


@tap.case("init on a bare machine: 15 lines, one password, and it serves")
def init_bare(p):
    if not ROOT:
        raise tap.Skip("needs root")
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--propagation", "private",
         sys.executable, os.path.abspath(__file__), "--inside"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=90)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode == 125 or "unshare:" in text:
        raise tap.Skip("no namespaces here")
    if done.returncode != 0 or "all is well" not in text:
        raise AssertionError(text)


def inside():
    """
    In namespaces of its own: /etc, /var/lib and /run as on a machine that
    never saw a postern, and no network but loopback, which is even down.
    """
    def sh(*words):
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)

    build = os.path.realpath(postern.BUILD)
    program = os.path.join(build, "postern")
    copy = tempfile.mkdtemp(dir=postern.scratch())
    sh("mount", "-t", "tmpfs", "none", copy)
    sh("cp", "-a", "/etc", copy + "/etc")
    for name in ("passwd", "group", "shadow", "gshadow"):
        for path in (f"{copy}/etc/{name}", f"{copy}/etc/{name}-"):
            if os.path.exists(path):
                with open(path) as f:
                    lines = [x for x in f if not x.startswith("_postern")]
                with open(path, "w") as f:
                    f.writelines(lines)
    shutil.rmtree(f"{copy}/etc/postern", ignore_errors=True)
    sh("mount", "--bind", f"{copy}/etc", "/etc")
    sh("mount", "-t", "tmpfs", "none", "/var/lib")
    sh("mount", "-t", "tmpfs", "none", "/run")

    def run(*words, **kwargs):
        done = subprocess.run([program, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=30, **kwargs)
        return postern.Result(done)

    dry = run("init", ALICE, "--hostname", HOSTNAME, "--dry-run")
    same(dry.code, 0, f"{dry}; code")
    same(os.path.exists("/etc/postern"), False, "made by a dry run")
    same(os.listdir("/var/lib"), [], "made by a dry run")
    first = run("init", ALICE, "--hostname", HOSTNAME)
    same(first.code, 0, f"{first}; code")
    said = first.out + first.err
    if len(said.splitlines()) > 15:
        raise AssertionError(f"{len(said.splitlines())} lines:\n{said}")
    if max(map(len, said.splitlines())) > 100:
        raise AssertionError(f"long lines:\n{said}")
    same(os.path.exists("/etc/postern/postern.conf"), True, "configuration")
    again = run("init", ALICE, "--hostname", HOSTNAME)
    if again.code not in (0, 6):
        raise AssertionError(f"again: {again}")
    passwords = [w for w in re.findall(r"[\w.-]{12,}", said)
                 if re.search(r"\d|-", w) and w not in (ALICE, HOSTNAME)]
    same(run("config", "check").code, 0, "config check")
    # Loopback comes up now: SIOCSIFFLAGS with IFF_UP | IFF_RUNNING.
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
    serve = subprocess.Popen([program, "serve"], stdin=subprocess.DEVNULL,
                             start_new_session=True)
    try:
        def up():
            same(serve.poll(), None, "serve ended with")
            try:
                with client.Talk(587, "starttls"), \
                        client.Talk(465, "implicit"):
                    return True
            except OSError:
                return False
        wait(up, 20, "both ports answer")
        good = []
        for word in passwords:
            with client.Talk(465, "implicit") as t:
                t.ehlo()
                if t.auth(ALICE, word).code == 235:
                    good.append(word)
        same(len(good), 1, f"passwords that work in:\n{said}")
        if good[0] in again.out + again.err:
            raise AssertionError("the password is shown again")
        same(run("status").code, 0, "status")
        same(run("account", "list").code, 0, "account list")
    finally:
        serve.terminate()
        same(serve.wait(20), 0, "exit status of serve")
    for folder in ("/var/lib/postern", "/etc/postern"):
        for path, _, names in os.walk(folder):
            for name in names:
                mode = os.lstat(os.path.join(path, name)).st_mode
                if mode & 0o022 or mode & 0o004 and "key" in name:
                    raise AssertionError(f"{path}/{name}: {mode:o}")
    print("all is well")


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        inside()
        sys.exit(0)
    tap.main(lambda: Postern(accounts=[ALICE, BOB]))
