#!/usr/bin/python3
"""An account sends so much and no more; the reply says when it may again and
whom to ask, and a crash forgets a second of it at most."""
# run: limit 200

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import Postern
from tap import has, matches, same

ALICE, BOB = "alice@example.org", "bob@example.org"
HASH = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="


def submit(p, to, number=0, size=0):
    t = p.logged_in(number)
    sender = (ALICE, BOB)[number]
    reply = t.submit(sender, to, client.message(
        sender, to[0], body="x" * 70 + "\r\n" + ("x" * 70 + "\r\n") * (size // 72)))
    t.close()
    return reply


def people(first, n):
    return [f"p{i}@example.net" for i in range(first, first + n)]


def limits(p, address=ALICE):
    rows = p.must("account", "limits", address, "--json").items()
    return {row["limit"]: row for row in rows}


@tap.case("a new account has half of the server's limits; used ones are told")
def defaults(p):
    rows = limits(p)
    same(rows["per_hour"]["value"], 20)
    same(rows["recipients"]["value"], 12)
    same(submit(p, people(0, 3)).code, 250)
    rows = limits(p)
    same([rows[k]["used"] for k in
          ("per_hour", "per_day", "messages_per_hour", "new_per_day")],
         [3, 3, 1, 3])


@tap.case("a limit that is reached names itself, the time and whom to ask")
def reached(p):
    reply = submit(p, people(3, 8))
    same(reply.code, 450)
    has(reply.text, "10 recipients a day that it never wrote to;")
    matches(reply.text, r"fits again in \d+ (minutes|hours)")
    has(reply.text, "ask help@example.org")
    reply = submit(p, people(20, 11))
    same(reply.code, 550)
    has(reply.text, "this message has 11")
    # Known ones are no news.
    same(submit(p, people(0, 3)).code, 250)
    event = p.events("limit.reached")[-1]
    same((event["per"], event["limit"], event["new"]), ("new-day", "10", "11"))


@tap.case("an account gets limits of its own, and gives them back")
def own(p):
    p.must("account", "limits", BOB, "--per-hour", "2", "--recipients", "3",
           "--size", "2K")
    rows = limits(p, BOB)
    same((rows["per_hour"]["value"], rows["per_hour"]["own"]), (2, True))
    t = p.logged_in(1)
    t.ehlo()
    same((t.offers("SIZE"), t.offers("LIMITS")), (["2048"], ["RCPTMAX=3"]))
    same(t.cmd(f"MAIL FROM:<{BOB}> SIZE=3000").code, 552)
    t.close()
    same(submit(p, people(0, 1), 1, size=3000).code, 552)
    same(submit(p, people(0, 3), 1).code, 550)
    t = p.logged_in(1)
    t.cmd(f"MAIL FROM:<{BOB}>")
    codes = [t.cmd(f"RCPT TO:<{a}>").code for a in people(0, 4)]
    same(codes, [250, 250, 250, 452])
    t.close()
    same(submit(p, people(0, 2), 1).code, 250)
    has(submit(p, people(0, 1), 1).text, "2 recipients an hour")
    # A program that changes one hears what they are then.
    rows = p.must("account", "limits", BOB, "--per-hour", "default",
                  "--json").items()
    same([r["own"] for r in rows if r["limit"] == "per_hour"], [False])
    same(limits(p, BOB)["per_hour"]["own"], False)
    same(submit(p, people(0, 1), 1).code, 250)
    same(p.cli("account", "limits", BOB, "--per-hour", "many").code, 2)
    same(p.cli("account", "limits", "nobody@example.org").code, 5)


@tap.case("a limit that was raised takes along those that go by it")
def raised(p):
    p.must("account", "limits", BOB, "--per-day", "1000")
    rows = limits(p, BOB)
    same([(rows[k]["value"], rows[k]["own"])
          for k in ("per_day", "messages_per_day", "new_per_day")],
         [(1000, True), (10000, True), (200, True)])
    same([rows[k]["from"] for k in ("per_day", "new_per_day")],
         ["the account", "raised with recipients a day"], "from where")
    p.must("account", "limits", BOB, "--new-per-day", "7")
    same(limits(p, BOB)["new_per_day"]["value"], 7)
    p.must("account", "limits", BOB, "--new-per-day", "default",
           "--per-day", "default")
    rows = limits(p, BOB)
    same([(rows[k]["value"], rows[k]["own"])
          for k in ("per_day", "messages_per_day", "new_per_day")],
         [(50, False), (500, False), (10, False)])


@tap.case("a message that is refused after all is not counted")
def undone(p):
    before = limits(p)["per_day"]["used"]
    t = p.logged_in()
    text = client.message(ALICE, body="bare\nline feed\r\n")
    code = t.submit(ALICE, people(0, 2), text).code
    t.close()
    same(code // 100, 5)
    tap.wait(lambda: limits(p)["per_day"]["used"] == before, 10,
             "not counted any more")


@tap.case("an imported account is not new, unless one says so")
def imported(p):
    for address, words, want in (("old@example.org", (), 40),
                                 ("young@example.org", ("--new",), 20)):
        p.must("account", "import", "-", "--format", "htpasswd", *words,
               stdin=f"{address}:{HASH}\n")
        same(limits(p, address)["per_hour"]["value"], want)
    # It is so in an export, too, and behind one.
    export = p.must("account", "export").out
    same([json.loads(line)["grown"] for line in export.splitlines()
          if "old@" in line or "young@" in line], [True, False])
    p.must("account", "remove", "old@example.org")
    p.must("account", "import", "-", stdin=export)
    same(limits(p, "old@example.org")["per_hour"]["value"], 40)
    p.must("account", "remove", "old@example.org")
    p.must("account", "add", "old@example.org", "--generate")
    same(limits(p, "old@example.org")["per_hour"]["value"], 20)


@tap.case("what was used outlives kill -9")
def killed(p):
    before = limits(p)
    # What is promised: all but the last second.
    time.sleep(1.5)
    mark = p.mark_log()
    p.kill("postern-auth")
    p.wait_event("peer.gone", mark, peer="auth")
    tap.wait(lambda: p.cli("account", "limits", ALICE).code == 0, 30,
             "auth is back")
    after = limits(p)
    for key in ("per_hour", "per_day", "new_per_day"):
        if not before[key]["used"] - 1 <= after[key]["used"] \
                <= before[key]["used"]:
            raise AssertionError(f"{key}: {before[key]} {after[key]}")
    same(submit(p, people(30, 9)).code, 450)


if __name__ == "__main__":
    tap.main(lambda: Postern(
        accounts=[ALICE, BOB],
        limits={"recipients": "12", "per-hour": "40", "per-day": "100",
                # Slow enough that what was used is still there when looked at.
                "messages-per-hour": "200", "messages-per-day": "1000",
                "new-per-day": "20", "contact": "help@example.org"}))
