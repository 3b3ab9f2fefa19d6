#!/usr/bin/python3
"""Each device has a credential of its own, good for what it says, until it
is revoked."""
# run: limit 200

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import PASSWORD, Postern
from tap import comment, has, matches, same, wait

ALICE, BOB, CAROL = ("alice@example.org", "bob@example.org",
                     "carol@example.org")


def app_password(p, label, *flags):
    done = p.must("account", "app-password", "add", ALICE, label, *flags)
    has(done.err, f'"{label}"')
    matches(done.out, r"^([a-z2-9]{6}-){3}[a-z2-9]{6}\n$")
    return done.out.strip()


def logged_in(p, secret, want=235, **kwargs):
    t = p.smtp("implicit", **kwargs)
    t.ehlo()
    reply = t.auth(ALICE, secret)
    if reply.code != want:
        raise AssertionError(f"AUTH: {reply}, want {want}")
    return t, reply


def submit(t, sender, to="carol@example.net", author=None):
    to = [to] if isinstance(to, str) else to
    return t.submit(sender, to, client.message(author or sender, to[0]))


@tap.case("an app password logs in, however it is typed, and is shown once")
def typed(p):
    secret = app_password(p, "phone")
    for form in (secret, secret.replace("-", ""), secret.upper(),
                 secret.replace("-", " ")):
        t, _ = logged_in(p, form)
        t.close()
    t, _ = logged_in(p, PASSWORD)
    t.close()
    logged_in(p, secret[:-1] + "x" if secret[-1] != "x" else secret[:-1] + "y",
              535)[0].close()
    event = p.events("auth.ok", credential="phone")[-1]
    same(event["account"], ALICE)
    row = p.must("account", "app-password", "list", ALICE,
                 "--json").items()[0]
    same((row["label"], row["last_ip"]), ("phone", "127.0.0.1"))
    if row["last_use"] is None:
        raise AssertionError("no last use")
    for words in (("account", "export"),
                  ("account", "app-password", "list", ALICE, "--json")):
        if secret in p.must(*words).out or secret in p.log():
            raise AssertionError("the password is told again")
    same(p.cli("account", "app-password", "add", ALICE, "phone").code, 6)
    same(p.cli("account", "app-password", "add", ALICE, "password").code, 2)
    same(p.cli("account", "app-password", "add", "x@example.org", "a").code, 5)


@tap.case("it sends only as its senders say, and says which credential it was")
def senders(p):
    p.must("grant", "add", ALICE, "list@example.org")
    secret = app_password(p, "list", "--senders", "list@example.org")
    t, _ = logged_in(p, secret)
    refused = t.cmd(f"MAIL FROM:<{ALICE}>")
    same(refused.code, 553)
    has(refused.text, "list may not send as")
    same(submit(t, "list@example.org", author=ALICE).code, 550)
    t.cmd("RSET")
    same(submit(t, "list@example.org").code, 250)
    same(submit(t, "list+tag@example.org").code, 250)
    t.close()
    # What the account may not, no scope allows.
    p.must("grant", "remove", ALICE, "list@example.org")
    t, _ = logged_in(p, secret)
    same(t.cmd("MAIL FROM:<list@example.org>").code, 553)
    t.close()


@tap.case("it sends to so many a day, and the account to more")
def per_day(p):
    secret = app_password(p, "scanner", "--per-day", "3")
    t, _ = logged_in(p, secret)
    same(submit(t, ALICE, ["a@example.net", "b@example.net"]).code, 250)
    over = submit(t, ALICE, ["a@example.net", "b@example.net"])
    same(over.code, 450)
    has(over.text, "scanner may send to 3 recipients a day")
    # Its other limits are none, and that is no 0 to people.
    row = next(line.split() for line in p.must(
        "account", "app-password", "list", ALICE).out.splitlines()
        if line.startswith("scanner "))
    same([w for w in row if w in ("any", "0", "3")][:2], ["3", "any"], row)
    t.cmd("RSET")
    same(submit(t, ALICE).code, 250)
    t.close()
    p.send()


@tap.case("it has each limit that an account has, and narrows them only")
def each_limit(p):
    secret = app_password(
        p, "ticket", "--messages-per-hour", "2", "--per-hour", "4",
        "--messages-per-day", "50", "--new-per-day", "40", "--per-day", "30",
        "--recipients", "2", "--size", "2K")
    row = next(r for r in p.must("account", "app-password", "list", ALICE,
                                 "--json").items() if r["label"] == "ticket")
    same([row[k] for k in ("messages_per_hour", "per_hour", "per_day",
                           "messages_per_day", "new_per_day", "recipients",
                           "size")], [2, 4, 30, 50, 40, 2, 2048])
    t, _ = logged_in(p, secret)
    same(t.cmd(f"MAIL FROM:<{ALICE}> SIZE=3000").code, 552)
    same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 250)
    same([t.cmd(f"RCPT TO:<{c}@example.net>").code for c in "xyz"],
         [250, 250, 452])
    t.cmd("RSET")
    same(submit(t, ALICE, ["a@example.net", "b@example.net"]).code, 250)
    same(submit(t, ALICE).code, 250)
    over = submit(t, ALICE)
    same(over.code, 450)
    has(over.text, "ticket may send 2 messages an hour; this message fits "
                   "again in")
    t.close()
    # The page of the account has all of it.
    page = p.must("account", "show", ALICE, "--json").json()
    same(next(r for r in page["app_passwords"] if r["label"] == "ticket")
         ["messages_per_hour"], 2)
    same(page["logins"][0]["credential"], "ticket")
    same([r["limit"] for r in page["limits"]][0], "recipients")
    has(p.must("account", "show", ALICE).out, "ticket")
    # Another device of the same account goes on.
    t, _ = logged_in(p, PASSWORD)
    same(submit(t, ALICE).code, 250)
    t.close()
    tap.wait(lambda: next(
        r for r in p.must("account", "app-password", "list", ALICE,
                          "--json").items()
        if r["label"] == "ticket")["used_per_day"] == 3, what="what is used")
    same(p.cli("account", "app-password", "add", ALICE, "x", "--size",
               "much").code, 2)
    same(p.cli("account", "app-password", "add", ALICE, "x", "--per-hour",
               "default").code, 2)


@tap.case("a phone with an old password delays neither laptop nor neighbours")
def old_phone(p):
    def took(address, source):
        with p.smtp("implicit", source=source) as t:
            t.ehlo()
            began = time.monotonic()
            same(t.auth(address, PASSWORD).code, 235)
            return time.monotonic() - began

    def phone():
        while not stopped.is_set():
            with p.smtp("implicit", source="127.6.0.2") as t:
                t.ehlo()
                same(t.auth(ALICE, "the old one").code in (454, 535), True)

    stopped = threading.Event()
    phones = [threading.Thread(target=phone) for _ in range(3)]
    for thread in phones:
        thread.start()
    try:
        wait(lambda: len(p.events("auth.stale", user=ALICE)) > 5, 30,
             "the phone is at it")
        # The same house for one, the same office for the other.
        times = [took(who, source) for _ in range(10) for who, source in
                 ((ALICE, "127.6.0.3"), (CAROL, "127.6.0.4"))]
    finally:
        stopped.set()
        for thread in phones:
            thread.join()
    wrong = p.events("auth.stale", user=ALICE)
    comment(f"{len(wrong)} times the old password; the longest of {len(times)} right "
            f"ones took {max(times) * 1000:.0f} ms")
    if max(times) > 2:
        raise AssertionError(f"{max(times)} s for a right password")


@tap.case("it is good from its networks only")
def networks(p):
    secret = app_password(p, "office", "--networks",
                          "127.7.0.0/16, 2001:db8::/32")
    logged_in(p, secret, source="127.7.1.1")[0].close()
    t, reply = logged_in(p, secret, 535, source="127.8.1.1")
    has(reply.text, "your network")
    t.close()
    test = p.cli("account", "test", ALICE, "--password-stdin", "--from",
                 "127.8.1.1", stdin=secret + "\n")
    same(test.code, 1)
    has(test.out, "127.7.0.0/16")
    same(p.cli("account", "test", ALICE, "--password-stdin", "--from",
               "127.7.1.1", stdin=secret + "\n").code, 0)
    same(p.cli("account", "app-password", "add", ALICE, "x", "--networks",
               "127.0.0.1/33").code, 2)


@tap.case("it ends when its time is over, in a session too")
def expiry(p):
    secret = app_password(p, "visit", "--expires", "3s")
    t, _ = logged_in(p, secret)

    def over():
        reply = t.cmd(f"MAIL FROM:<{ALICE}>")
        t.cmd("RSET")
        return reply.code == 550 and reply
    reply = tap.wait(over, 20, "the end of its time", step=0.3)
    has(reply.text, "visit is not valid any more")
    t.close()
    t, reply = logged_in(p, secret, 535)
    has(reply.text, "expired")
    t.close()
    same(p.cli("account", "app-password", "add", ALICE, "y", "--expires",
               "soon").code, 2)


@tap.case("revoking it ends its sessions, and no others")
def revoke(p):
    lost, kept = app_password(p, "lost"), app_password(p, "kept")
    sessions = [logged_in(p, s)[0] for s in (lost, kept, PASSWORD)]
    for t in sessions:
        same(t.cmd("NOOP").code, 250)
    p.must("account", "app-password", "revoke", ALICE, "lost")
    same(sessions[0].cmd("NOOP").code, 421)
    for t in sessions[1:]:
        same(t.cmd("NOOP").code, 250)
    # A new password ends the sessions of the old one only.
    p.must("account", "passwd", ALICE, "--password-stdin",
           stdin=PASSWORD + "\n")
    same(sessions[2].cmd("NOOP").code, 421)
    same(sessions[1].cmd("NOOP").code, 250)
    for t in sessions:
        t.close()
    logged_in(p, lost, 535, source="127.9.1.1")[0].close()
    same(p.cli("account", "app-password", "revoke", ALICE, "lost").code, 5)


@tap.case("a change that was answered survives kill -9")
def killed(p):
    secret = app_password(p, "killed")
    p.kill("postern-auth")
    tap.wait(lambda: p.cli("account", "list").code == 0, 30, "auth again")
    logged_in(p, secret)[0].close()
    p.must("account", "app-password", "revoke", ALICE, "killed")
    p.kill("postern-auth")
    tap.wait(lambda: p.cli("account", "list").code == 0, 30, "auth again")
    logged_in(p, secret, 535, source="127.9.1.2")[0].close()


@tap.case("the last logins are told, good and bad, the newest first")
def logins(p):
    secret = app_password(p, "tablet")
    logged_in(p, secret, source="127.6.0.1")[0].close()
    logged_in(p, "wrong one", 535, source="127.6.0.2")[0].close()
    rows = p.must("account", "logins", ALICE, "--json").items()
    same([(r["ip"], r["credential"], r["result"]) for r in rows[:2]],
         [("127.6.0.2", "password", "bad-password"),
          ("127.6.0.1", "tablet", "ok")])
    same(rows[1]["mech"], "PLAIN")
    for n in range(60):
        logged_in(p, secret, source=f"127.6.1.{n + 1}")[0].close()
        p.must("account", "show", ALICE)
    rows = p.must("account", "logins", ALICE, "--json").items()
    if not 10 < len(rows) < 60:
        raise AssertionError(f"{len(rows)} logins are kept")
    same(rows[0]["ip"], "127.6.1.60")
    same(p.must("account", "logins", BOB).out, "")


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE, BOB, CAROL]))
