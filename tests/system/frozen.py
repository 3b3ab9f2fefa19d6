#!/usr/bin/python3
"""Many accounts are frozen in an hour: their owners are told at once, the
postmaster of the first, and then by summaries."""
# run: limit 120

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import PASSWORD, Postern
from tap import comment, has, matches, same, wait

WHO = [f"user{n}@example.org" for n in range(8)]
HELP = "help@example.org"


def freeze(p, who):
    """Its password is stolen; its owner has the letter when this returns."""
    with p.smtp("implicit") as t:
        t.ehlo()
        same(t.auth(who, PASSWORD).lets_in, True)
        for n in range(40):
            to = f"s{n}@d{n}.example.net"
            try:
                reply = t.submit(who, [to], client.message(who, to))
            except client.Closed:
                break
            if reply.code == 421 or "suspended" in reply.text:
                break
    p.wait_event("guard.frozen", account=who)
    wait(lambda: p.sink.to(who), 20, f"a letter to {who}")
    same(len(p.sink.to(who)), 1, "letters to the owner")


def told(p):
    """The accounts in each mail to the admin; a mail that came twice behind a
    crash (RFC 1047) is one."""
    out = {}
    for kept in p.sink.to(HELP):
        same(kept.sender, "", "return path")
        text = kept.body.decode()
        out[str(kept.parsed()["Message-ID"])] = sorted(set(
            re.findall(r"account resume (\S+)", text)))
    return list(out.values())


@tap.case("the admin hears of the first at once, and of the rest together")
def gathered(p):
    freeze(p, WHO[0])
    wait(lambda: told(p) == [WHO[:1]], 20, "mail about the first")
    for who in WHO[1:4]:
        freeze(p, who)
    mark = p.mark_log()
    p.kill("postern-queue")
    p.wait_event("queue.ready", mark)
    wait(p.greets, 20, "logins again")
    for who in WHO[4:]:
        freeze(p, who)
    wait(lambda: sorted(sum(told(p), [])) == WHO, 40, "all are told")
    mails = told(p)
    comment(f"{len(mails)} mails about {len(WHO)} accounts")
    same(mails[0], WHO[:1])
    # One, but on a machine that takes its time.
    if len(mails) > 4:
        raise AssertionError(f"{mails}")


@tap.case("the summary is a table, with what to type")
def table(p):
    kept = max(p.sink.to(HELP), key=lambda m: len(m.data))
    text = kept.body.decode()
    who = re.findall(r"account resume (\S+) --drop-held", text)
    same(str(kept.parsed()["Subject"]), f"{len(who)} accounts were suspended")
    for address in who:
        matches(text, rf"(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ  {address}  "
                      r"about \d+ recipients in a day that it never wrote to")
    has(text, "postern guard explain ADDRESS")
    # What it says to type works.
    p.must("account", "resume", who[0], "--drop-held")
    same(p.must("account", "show", who[0], "--json").json()["state"],
         "active")


if __name__ == "__main__":
    tap.main(lambda: Postern(
        accounts=WHO, queue={"digest": "8s"},
        guard={"freeze": "yes", "notify": HELP, "new-recipients": "6"}))
