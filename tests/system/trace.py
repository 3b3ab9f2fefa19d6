#!/usr/bin/python3
"""`postern trace`, `postern log`: what became of each mail, found again."""
# run: limit 90

import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import tap
from postern import Postern
from tap import has, same

ALICE, BOB = "alice@example.org", "bob@example.org"
NO = {"rcpt": lambda session, address:
      "550 5.1.1 nobody of this name" if address == "no@refused.test"
      else None}


def send(p, sender, rcpts, number):
    msgid = f"<{number}.{os.getpid()}@client.test>"
    p.send(rcpts, p.accounts.index(sender), raw=(
        f"From: <{sender}>\r\nSubject: {number}\r\n"
        f"Message-ID: {msgid}\r\n\r\nhello\r\n").encode())
    return msgid


def documents(r):
    decoder, text, found = json.JSONDecoder(), r.out.strip(), []
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].strip()
    return found


def traced(p, *args, code=0):
    r = p.cli("trace", "--json", *args)
    same(r.code, code, r.err)
    return documents(r)


@tap.case("by id, by Message-ID, by account, sender and recipient")
def found(p):
    p.first = send(p, ALICE, ["friend@far.test"], 1)
    tap.wait(lambda: p.sink.to("friend@far.test"), 20, "it arrives")
    tap.wait(lambda: traced(p, p.first)[0]["state"] == "gone", 20, "it is gone")
    (one,) = traced(p, p.first)
    same(one["account"], ALICE, "account")
    same(one["message_id"], p.first, "message_id")
    same(one["credential"], "password", "credential")
    same([e["event"] for e in one["events"]], ["accepted", "delivered"],
         "events")
    detail = one["events"][0]["detail"]
    for part in ("ip=127.0.0.1", "tls=TLSv1.3", "mech=", "credential=",
                 "tag="):
        has(detail, part, "how it came")
    p.id = one["id"]
    same([m["id"] for m in traced(p, p.id)], [p.id], "by id")
    same([m["id"] for m in traced(p, ALICE)], [p.id], "by account")
    same([m["id"] for m in traced(p, "friend@far.test")], [p.id], "by rcpt")
    same([m["id"] for m in traced(p, "Friend@FAR.test", code=5)], [],
         "another local part")
    same(traced(p, "nobody@far.test", code=5), [], "a stranger")


@tap.case("only those of the account that is asked for, the last ones first")
def several(p):
    second = send(p, BOB, ["friend@far.test"], 2)
    tap.wait(lambda: len(traced(p, "friend@far.test")) == 2, 20, "both")
    same([m["message_id"] for m in traced(p, BOB)], [second], "of Bob")
    for n in range(3, 6):
        last = send(p, BOB, ["friend@far.test"], n)
    tap.wait(lambda: len(traced(p, BOB)) == 4, 20, "all four")
    ids = [m["id"] for m in traced(p, BOB)]
    same(ids, sorted(ids, reverse=True), "the last ones first")
    r = p.cli("trace", BOB, "--limit", "1", "--json")
    same([m["message_id"] for m in documents(r)], [last], "the last one")
    has(r.err, "older", "there are more")


@tap.case("a refusal with the remote words, and the bounce")
def refused(p):
    msgid = send(p, ALICE, ["no@refused.test"], 7)
    tap.wait(lambda: traced(p, msgid)[0]["state"] == "gone", 20, "it ends")
    (one,) = traced(p, msgid)
    same([e["event"] for e in one["events"]], ["accepted", "bounced"],
         "events")
    has(one["events"][1]["detail"], "nobody of this name", "the answer")


@tap.case("--received knows our line, and what is not ours")
def received(p):
    text = p.sink.to("friend@far.test")[0].data.decode()
    line = re.search(r"Received: by .*?\r\n(?:[ \t].*?\r\n)*", text).group(0)
    r = p.cli("trace", "--received", "-", "--json", stdin=text)
    same(r.code, 0, r.err)
    has(r.err, "ours:", "stderr")
    same(documents(r)[0]["id"], p.id, "the message")
    quoted = "Somebody wrote:\n" + "".join(
        f"> {part}\n" for part in line.strip().split("\r\n"))
    same(p.cli("trace", "--received", "-", stdin=quoted).code, 0,
         "as a complaint quotes it")
    tag = re.search(r"-([0-9a-hjkmnp-tv-z]{13})", line).group(1)
    forged = line.replace(tag, tag[:-1] + ("0" if tag[-1] != "0" else "1"))
    r = p.cli("trace", "--received", "-", stdin=forged)
    same(r.code, 1, r.err)
    has(r.err, "NOT ours", "a forged tag")
    r = p.cli("trace", "--received", "-", stdin=line.replace("-" + tag, ""))
    same(r.code, 1, "without its tag")
    r = p.cli("trace", "--received", "-",
              stdin="Received: from a by b with SMTP id 1; now\r\n")
    same(r.code, 1, "another server's")
    r = p.cli("trace", "--received", "/nonexistent")
    same(r.code, 5, r.err)


@tap.case("a report for an abuse desk")
def report(p):
    r = p.cli("trace", p.id, "--report")
    same(r.code, 0, r.err)
    for part in ("Feedback-Type: abuse", f"Original-Mail-From: <{ALICE}>",
                 "Source-IP: 127.0.0.1", f"from the account {ALICE}",
                 "delivered to 1"):
        has(r.out, part, "report")
    tap.matches(re.search(r"Arrival-Date: (.*)", r.out).group(1),
                r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$")


@tap.case("log tells events in their order, of one account, of one message")
def events(p):
    rows = [json.loads(s) for s in p.cli("log", "--json").out.splitlines()]
    times = [row["time"] for row in rows]
    same(times, sorted(times), "order")
    same({row["account"] for row in rows} >= {ALICE, BOB}, True, "all")
    rows = [json.loads(s) for s in
            p.cli("log", "--json", "--account", BOB).out.splitlines()]
    same({row["account"] for row in rows}, {BOB}, "of Bob")
    rows = [json.loads(s) for s in
            p.cli("log", "--json", "--id", p.id).out.splitlines()]
    same([row["event"] for row in rows], ["accepted", "delivered"], "of one")
    same(p.cli("log", "--json", "--since", "2099-01-01").out, "", "later")
    same(p.cli("log", "--since", "yesterday").code, 2, "no time")


@tap.case("log --follow goes on with what happens")
def follow(p):
    process = subprocess.Popen(
        [os.path.join(postern.BUILD, "postern"), "log", "--follow", "--json",
         "--config", p.config], stdout=subprocess.PIPE, cwd=p.dir)
    try:
        time.sleep(1)
        msgid = send(p, ALICE, ["late@far.test"], 9)
        (one,) = traced(p, msgid)
        while True:
            row = json.loads(process.stdout.readline())
            if row["id"] == one["id"] and row["event"] == "delivered":
                break
    finally:
        process.terminate()
        process.wait(10)


@tap.case("after a crash the index is made again")
def crash(p):
    msgid = send(p, ALICE, ["crash@far.test"], 11)
    tap.wait(lambda: p.sink.to("crash@far.test"), 20, "it arrives")
    p.kill("postern-queue")

    def back():
        r = p.cli("trace", msgid, "--json")
        return r.code == 0 and documents(r)[0]["account"] == ALICE
    tap.wait(back, 30, "it is found again")


@tap.case("what cannot be looked for is told")
def words(p):
    same(p.cli("trace").code, 2, "nothing")
    same(p.cli("trace", "x y").code, 2, "no address")
    same(p.cli("trace", "a@b.test", "--limit", "0").code, 2, "limit")
    same(p.cli("trace", "0000000000001").code, 5, "an id of nobody")


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE, BOB], script=NO))
