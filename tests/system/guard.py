#!/usr/bin/python3
"""An account with a stolen password stops itself, and tells; one that is
suspended by hand stops at once."""
# run: limit 200

import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import PASSWORD, Postern
from tap import comment, has, matches, same

ALICE, BOB, CAROL = ("alice@example.org", "bob@example.org",
                     "carol@example.org")
UNKNOWN = re.compile(r"u\d+@")


def may_log_in(p, sender):
    t = p.smtp("implicit", source="127.9.9.9")
    t.ehlo()
    reply = t.auth(sender, PASSWORD)
    return (t if reply.lets_in else None), reply


def steal(p, sender, refuse, most=400):
    """The run of 1997, a recipient a message: how many were taken before
    the account was frozen, and the reply that said so."""
    t, reply = may_log_in(p, sender)
    taken = 0
    for n in range(most):
        name = "u" if refuse and n % 8 in (2, 7) else "p"
        to = f"{name}{n}@d{n % 500}.example.net"
        try:
            reply = t.submit(sender, [to], client.message(sender, to))
            gone = reply.code == 421
        except client.Closed:
            gone = True
        if gone:  # for too many errors, or for good
            t, reply = may_log_in(p, sender)
            if t is None:
                return taken, reply
        elif reply.code == 250:
            taken += 1
        elif reply.code != 450:
            t.close()
            return taken, reply
        else:
            t.cmd("RSET")
        if refuse:
            # The answers come back while it goes on.
            time.sleep(0.15)
    raise AssertionError(f"not frozen after {most}, {taken} were taken")


def mail_to(p, address):
    return [m for m in p.sink.messages if address in m.rcpts]


@tap.case("a stolen password reaches fewer than 100, without any answer")
def strangers(p):
    mark = p.mark_log()
    taken, reply = steal(p, ALICE, False)
    comment(f"{taken} recipients were reached")
    if not 20 < taken < 100:
        raise AssertionError(f"{taken} were reached")
    has(reply.text, "is suspended")
    event = p.wait_event("guard.frozen", mark)
    same((event["rule"], event["account"]), ("new-recipients", ALICE))
    same(may_log_in(p, ALICE)[1].suspended, True)


@tap.case("the account shows why, and the guard explains")
def evidence(p):
    row = p.must("account", "show", ALICE, "--json").json()
    same((row["state"], row["by"]), ("suspended", "guard"))
    matches(row["reason"], r"about \d+ recipients in a day that it never")
    told = p.must("guard", "explain", ALICE, "--json").json()
    same(told["verdict"], row["reason"])
    if told["new_recipients"] <= told["new_recipients_most"]:
        raise AssertionError(f"{told}")
    same(row["evidence"], told)
    same(told["rule"], "new-recipients")
    page = p.must("account", "show", ALICE).out
    for words in ("suspended since", "postern guard explain", "new recipients "
                  "a day", "last logins"):
        has(page, words)
    has(p.must("guard", "explain", BOB).out, "fine")
    same(p.must("account", "show", BOB, "--json").json()["evidence"], None)
    same(p.cli("guard", "explain", "nobody@example.org").code, 5)


@tap.case("the postmaster and the account are told by mail")
def told(p):
    for address, words in (("help@example.org", "account resume"),
                           (ALICE, "your password is known")):
        tap.wait(lambda a=address: mail_to(p, a), what=f"mail to {address}")
        mail = mail_to(p, address)[0]
        same(mail.sender, "")
        has(mail.data.decode(), words)
        has(mail.data.decode(), "never wrote to")


@tap.case("recipients that do not exist stop it sooner")
def refused(p):
    taken, _ = steal(p, BOB, True)
    event = p.wait_event("guard.frozen", account=BOB)
    comment(f"{taken} recipients were reached, rule {event['rule']}")
    same(event["rule"], "refused")
    if taken >= 80:
        raise AssertionError(f"{taken} were reached")


@tap.case("resumed, it goes on, with its held mail or without")
def resumed(p):
    for flag in ("--release", "--drop-held"):
        same(p.cli("account", "resume", BOB, "--release",
                   "--drop-held").code, 2)
        p.must("account", "resume", BOB)
        t = p.logged_in(1)
        to = "x@hold.example"
        same(t.submit(BOB, [to], client.message(BOB, to)).code, 250)
        p.must("account", "suspend", BOB)
        held = [m for m in p.queue() if m["account"] == BOB]
        p.must("account", "resume", BOB, flag)
        now = [m for m in p.queue() if m["account"] == BOB]
        if not held or (now == []) != (flag == "--drop-held"):
            raise AssertionError(f"{flag}: {held} {now}")
        t.close()


@tap.case("suspended by hand, it sends its last byte within a second")
def by_hand(p):
    p.must("account", "limits", CAROL, "--new-per-day", "100000",
           "--per-hour", "100000", "--messages-per-hour", "100000",
           "--per-day", "100000", "--messages-per-day", "100000")
    stopped, taken = threading.Event(), []

    def send():
        t = p.logged_in(2)
        n = 0
        while not stopped.is_set():
            to = f"slow{n}@example.com"
            try:
                reply = t.submit(CAROL, [to], client.message(CAROL, to))
            except (OSError, client.Closed):
                return
            if reply.code != 250:
                return
            taken.append(time.monotonic())
            n += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        tap.wait(lambda: sum(m.sender == CAROL for m in p.sink.messages) > 5,
                 what="its mail is under way")
        began = time.monotonic()
        p.must("account", "suspend", CAROL)
        thread.join(20)
        same(thread.is_alive(), False)
    finally:
        stopped.set()
    # Nothing of it comes in the next second but what had begun.
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < 1.5:
        time.sleep(0.1)
        now = sum(m.sender == CAROL for m in p.sink.messages)
        if now != seen:
            seen, since = now, time.monotonic()
    last = max(m.at for m in p.sink.messages if m.sender == CAROL)
    comment(f"last message taken {taken[-1] - began:.3f} s and last one "
            f"delivered {last - began:.3f} s after the command began")
    if taken[-1] - began > 1 or last - began > 1:
        raise AssertionError("it took longer than a second")


def rcpt(_, argument):
    if UNKNOWN.search(argument):
        return "550 5.1.1 no such user"
    return None


if __name__ == "__main__":
    tap.main(lambda: Postern(
        accounts=[ALICE, BOB, CAROL],
        guard={"freeze": "yes", "notify": "help@example.org",
               "refused": "5", "refused-share": "20"},
        limits={"new-per-day": "90", "new-account": "0s"},
        routes={"hold.example": {"via": "127.0.0.1:1"}},
        script={"rcpt": rcpt}))
