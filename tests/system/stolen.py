#!/usr/bin/python3
"""With default settings: a stolen password of an account with some history
reaches few people once other servers refuse."""
# run: limit 120

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from clock import Clock
from postern import PASSWORD, Postern
from tap import comment, has, same, wait

ALICE = "alice@example.org"
HOME, ABROAD = "127.0.0.1", "127.9.9.9"
DAY_S = 86400


class Site(Postern):
    """What the other tests switch off is at its defaults here."""

    def __init__(self):
        self.clock = Clock()
        super().__init__([ALICE], guard={"freeze": "yes"},
                         env=self.clock.env(), script={"rcpt": rcpt})
        for section in ("limits", "queue"):
            self.sections[section] = {}

    def __exit__(self, *args):
        super().__exit__(*args)
        self.clock.close()


def rcpt(_, argument):
    if re.search(r"unknown\d+@", argument):
        return "550 5.1.1 no such user"
    return None


def logged_in(p, source):
    t = p.smtp("implicit", source=source)
    t.ehlo()
    return t, t.auth(ALICE, PASSWORD)


def submit(t, to):
    return t.submit(ALICE, [to], client.message(ALICE, to))


def heard(p):
    """Refusals that the guard knows of."""
    return p.must("guard", "explain", ALICE, "--json").json()["refused"]


@tap.case("days of ordinary mail are learned")
def ordinary(p):
    for day in (0, 1, 2, 3, 8):
        p.clock.ahead(day * DAY_S)
        t, reply = logged_in(p, HOME)
        same(reply.lets_in, True, reply)
        for n in range(4):
            same(submit(t, f"friend{n}@example.net").code, 250)
        t.close()
    wait(lambda: p.queue() == [], 20, "all is delivered")
    told = p.must("guard", "explain", ALICE, "--json").json()
    same((told["verdict"], told["days_learned"] >= 3), ("fine", True), told)


@tap.case("every eighth is unknown: fewer than 20 are reached")
def stolen(p):
    """The share of 1997, evenly; each refusal comes back before it goes on."""
    t, reply = logged_in(p, ABROAD)
    same(reply.lets_in, True, reply)
    taken = 0
    for n in range(100):
        name = "unknown" if n % 8 == 7 else "person"
        try:
            reply = submit(t, f"{name}{n}@d{n}.example.net")
        except client.Closed:
            break
        if reply.code != 250:
            break
        taken += 1
        if name == "unknown":
            wait(lambda seen=taken // 8: heard(p) >= seen, 20,
                 "the refusal reaches the guard")
    event = p.wait_event("guard.frozen")
    comment(f"{taken} recipients were reached, rule {event['rule']}")
    same(event["rule"], "refused-elsewhere")
    if taken >= 20:
        raise AssertionError(f"{taken} were reached")
    same(logged_in(p, HOME)[1].suspended, True)
    has(p.must("account", "show", ALICE, "--json").json()["reason"],
        "do not exist")


if __name__ == "__main__":
    tap.main(Site)
