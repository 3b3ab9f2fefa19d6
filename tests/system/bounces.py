#!/usr/bin/python3
"""Notices of failure and delay are as RFC 3464 has them, and never storm."""
# run: limit 120

import email.utils
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import HOSTNAME, Postern, free_port
from sink import Sink
from tap import has, matches, same, wait

ALICE = "alice@example.org"


class Site(Postern):
    """Mail to victim.example goes to a server that refuses."""

    def set_up(self):
        self.far = Sink({"rcpt": "550 5.1.1 no such user"},
                        port=free_port()).start()
        self.routes["victim.example"] = {
            "via": f"127.0.0.1:{self.far.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.far.stop()


class Notice:
    """A multipart/report taken apart."""

    def __init__(self, kept):
        self.kept = kept
        self.mail = kept.parsed()
        same(kept.sender, "", "return path")
        same(self.mail.get_content_type(), "multipart/report", "type")
        same(self.mail.get_param("report-type"), "delivery-status",
             "report type")
        same(self.mail.defects, [], "defects")
        parts = list(self.mail.iter_parts())
        same(len(parts), 3, "parts")
        same(parts[0].get_content_type(), "text/plain", "first part")
        same(parts[1].get_content_type(), "message/delivery-status",
             "second part")
        same(parts[2].get_content_type(), "text/rfc822-headers",
             "third part")
        self.text = parts[0].get_content()
        blocks = parts[1].get_payload()
        self.message, self.recipients = blocks[0], blocks[1:]
        self.original = parts[2].get_payload(decode=True)

    def form(self):
        """What holds for every notice of ours."""
        mail = self.mail
        for name in ("From", "To", "Subject", "Date", "Message-ID",
                     "MIME-Version", "Auto-Submitted"):
            same(len(mail.get_all(name, [])), 1, f"{name} fields")
        has(str(mail["From"]).lower(), HOSTNAME, "From")
        matches(str(mail["Auto-Submitted"]), r"^auto-(replied|generated)$")
        if email.utils.parsedate_to_datetime(mail["Date"]) is None:
            raise AssertionError("Date")
        matches(self.message["Reporting-MTA"], rf"^dns; ?{HOSTNAME}$")
        matches(self.message["Arrival-Date"], r"\d{4} \d\d:\d\d:\d\d")
        for recipient in self.recipients:
            matches(recipient["Final-Recipient"], r"(?i)^rfc822; ?.+")
            matches(recipient["Action"], r"^(failed|delayed)$")
            matches(recipient["Status"], r"^[45]\.\d{1,3}\.\d{1,3}$")
        for line in self.kept.data.split(b"\r\n"):
            if len(line) > 998:
                raise AssertionError(f"a line of {len(line)} octets")

    def recipient(self, address):
        found = [r for r in self.recipients
                 if r["Final-Recipient"].partition(";")[2].strip() == address]
        same(len(found), 1, f"blocks for {address}")
        return found[0]


def notice(p, seconds=20, count=1):
    kept = wait(lambda: len(p.sink.to(ALICE)) >= count and p.sink.to(ALICE),
                seconds, "a notice arrives")
    same(len(kept), count, "notices")
    p.sink.clear()
    return Notice(kept[-1])


@tap.case("a failure: three parts, the header and never the body")
def structure(p):
    p.sink.clear()
    p.send("v@victim.example", subject="about the tower",
           body="this is private\r\n", extra="X-Folded: a\r\n b\r\n")
    n = notice(p)
    n.form()
    same(str(n.mail["To"]).strip("<>"), ALICE, "To")
    block = n.recipient("v@victim.example")
    same(block["Action"], "failed", "Action")
    same(block["Status"], "5.1.1", "Status")
    has(block["Diagnostic-Code"], "smtp;", "Diagnostic-Code")
    has(block["Diagnostic-Code"], "no such user", "Diagnostic-Code")
    has(block["Remote-MTA"], "dns;", "Remote-MTA")
    has(n.text, "v@victim.example", "text for people")
    has(n.text, "no such user", "text for people")
    has(n.original.decode(), "Subject: about the tower", "original header")
    has(n.original.decode(), "X-Folded: a", "original header")
    if b"this is private" in n.kept.data:
        raise AssertionError("the body of the original is in the notice")
    wait(lambda: p.queue() == [], 5, "an empty queue")


@tap.case("a hundred failures of one message: one notice")
def hundred(p):
    p.sink.clear()
    names = [f"v{n}@victim.example" for n in range(100)]
    p.send(names)
    n = notice(p)
    n.form()
    same(len(n.recipients), 100, "recipients in the notice")
    time.sleep(0.5)
    same(p.sink.messages, [], "more notices")


@tap.case("what a stranger says becomes no header, no part, no control "
          "character")
def hostile(p):
    for reply in (b"550 5.1.1 \x1b[31mred\x07 \x00 nul \x7f\r\n",
                  b"550 5.1.1 \xff\xfe 8-bit \xc3\xa9\r\n",
                  b"550-5.1.1 line\r\n550-\r\n550 5.1.1 \r\n",
                  b"550 5.1.1 --=boundary\r\n",
                  b"550 5.1.1 " + b"long " * 100 + b"\r\n",
                  b"550-5.1.1 x\rSubject: forged\r\n550 5.1.1 y\r\n",
                  b"550 5.1.1 (comment \" quote \\ \r\n"):
        p.sink.clear()
        p.far.script["rcpt"] = reply
        mark = p.mark_log()
        ident = p.send("v@victim.example")

        def settled():
            return p.events("msg.bounced", mark, id=ident) or \
                p.events("msg.deferred", mark, id=ident)
        wait(settled, 20, "settled")
        if p.events("msg.deferred", mark, id=ident):
            p.must("queue", "remove", ident)
            continue
        n = notice(p)
        n.form()
        same(len(n.mail.get_all("Subject")), 1, "Subject fields")
        if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", n.kept.data):
            raise AssertionError(f"{reply!r}: control characters or 8-bit")
        event = p.events("msg.bounced", mark, id=ident)[0]
        if re.search(r"[\x00-\x1f\x7f]", str(event.values())):
            raise AssertionError(f"control characters in the log: {event}")
    p.far.script["rcpt"] = "550 5.1.1 no such user"


@tap.case("odd recipients and odd headers of the original")
def odd(p):
    for rcpt in ('"a b"@victim.example', "x!#$%&'*+-/=?^_`{|}~@victim.example",
                 '"<>;,\\""@victim.example'):
        p.sink.clear()
        p.send(rcpt)
        n = notice(p)
        n.form()
        has(n.recipients[0]["Final-Recipient"].replace(" ", ""),
            rcpt.replace(" ", ""), "Final-Recipient")
    p.sink.clear()
    raw = (f"From: <{ALICE}>\r\nSubject: gr\u00fc\u00dfe\r\n"
           "X-Boundary: --a\r\n" + "".join(
               f"X-{n}: " + "y" * 900 + "\r\n" for n in range(60))
           + "\r\nbody\r\n").encode()
    p.send("v@victim.example", raw=raw)
    n = notice(p)
    n.form()
    if len(n.kept.data) > 100000:
        raise AssertionError(f"a notice of {len(n.kept.data)} octets")


@tap.case("a bounce that fails makes no other")
def no_storm(p):
    p.sink.clear()
    p.sink.script["rcpt"] = "550 5.7.1 no bounces here"
    try:
        mark = p.mark_log()
        ident = p.send("v@victim.example")
        p.wait_event("msg.bounced", mark, id=ident)
        wait(lambda: len(p.sink.sessions) > 0 and p.queue() == [], 20,
             "an empty queue")
        time.sleep(1)
        same(p.queue(), [], "queue")
        senders = [c for s in p.sink.sessions[-3:] for c in s.commands
                   if c.startswith("MAIL")]
        same([s for s in senders if "<>" not in s], [], "other senders")
    finally:
        p.sink.script.clear()
    same(p.sink.messages, [], "messages")


@tap.case("a bounce waits like any mail while its road is closed")
def bounce_waits(p):
    p.sink.clear()
    p.sink.script["mail"] = "451 4.3.0 later"
    try:
        mark = p.mark_log()
        ident = p.send("v@victim.example")
        p.wait_event("msg.bounced", mark, id=ident)
        wait(lambda: p.waiting() == 1, 10, "the bounce waits")
        row = p.queue()[0]
        same(row["sender"].strip("<>"), "", "its sender")
    finally:
        p.sink.script.clear()
    p.retry()
    notice(p).form()


@tap.case("a bounce survives a restart between verdict and delivery")
def bounce_survives(p):
    p.sink.clear()
    p.sink.script["mail"] = "451 4.3.0 later"
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    p.wait_event("msg.bounced", mark, id=ident)
    wait(lambda: p.waiting() == 1, 10, "the bounce waits")
    p.kill("postern-queue")
    p.end_all()
    p.sink.script.clear()
    p.start()
    p.mark = p.mark_log()
    p.retry()
    notice(p).form()
    wait(lambda: p.queue() == [], 5, "an empty queue")
    time.sleep(0.5)
    same(p.sink.messages, [], "second notice")


@tap.case("a delay notice once, then the failure, at their times")
def delay(p):
    with Postern(accounts=[ALICE], queue={
            "retry": "1s", "delay-notice": "3s", "give-up": "8s"},
            script={"rcpt": lambda s, a: None if a == ALICE
                    else "450 4.2.0 busy as a bee"}) as q:
        began = time.monotonic()
        mark = q.mark_log()
        ident = q.send("v@example.net")
        kept = wait(lambda: q.sink.to(ALICE), 15, "the delay notice")
        if not 2 < time.monotonic() - began < 7:
            raise AssertionError(f"delay notice after "
                                 f"{time.monotonic() - began:.1f} s")
        n = Notice(kept[0])
        n.form()
        block = n.recipient("v@example.net")
        same(block["Action"], "delayed", "Action")
        same(block["Status"][0], "4", "Status class")
        has(block["Diagnostic-Code"], "busy as a bee", "Diagnostic-Code")
        if block["Will-Retry-Until"] is None:
            raise AssertionError("no Will-Retry-Until")
        kept = wait(lambda: len(q.sink.to(ALICE)) > 1 and q.sink.to(ALICE),
                    20, "the failure notice")
        took = time.monotonic() - began
        if not 7 < took < 14:
            raise AssertionError(f"given up after {took:.1f} s")
        n = Notice(kept[1])
        n.form()
        block = n.recipient("v@example.net")
        same(block["Action"], "failed", "Action")
        has(str(n.kept.data), "busy as a bee", "the last answer")
        q.wait_event("msg.bounced", mark, id=ident)
        wait(lambda: q.queue() == [], 5, "an empty queue")
        same(len(q.sink.messages), 2, "notices in all")
        q.check()


@tap.case("a server that never answers is given up on too")
def dead(p):
    with Postern(accounts=[ALICE], queue={"retry": "1s", "give-up": "4s"},
                 routes={"dead.example": {
                     "via": f"127.0.0.1:{free_port()}"}}) as q:
        q.send("v@dead.example")
        kept = wait(lambda: q.sink.to(ALICE), 20, "the failure notice")
        n = Notice(kept[0])
        n.form()
        same(n.recipient("v@dead.example")["Action"], "failed", "Action")
        q.check()


@tap.case("a remark after the final dot is kept for the sender")
def at_the_dot(p):
    p.sink.clear()
    p.far.script = {"body": "554 5.6.0 we do not like your prose"}
    try:
        p.send("v@victim.example")
        n = notice(p)
        n.form()
        same(n.recipients[0]["Status"], "5.6.0", "Status")
        has(n.text, "we do not like your prose", "text for people")
    finally:
        p.far.script = {"rcpt": "550 5.1.1 no such user"}


@tap.case("two refusals at two places: each recipient in a notice, once")
def two_places(p):
    p.sink.clear()
    other = Sink({"rcpt": "550 5.2.1 mailbox closed"}).start()
    with other, Postern(accounts=[ALICE], routes={
            "one.example": {"via": f"127.0.0.1:{p.far.port}"},
            "two.example": {"via": f"127.0.0.1:{other.port}"}}) as q:
        q.send(["a@one.example", "b@two.example", "c@fine.example"])
        wait(lambda: q.queue() == [] and q.sink.to(ALICE), 20, "settled")
        got = []
        for kept in q.sink.to(ALICE):
            n = Notice(kept)
            n.form()
            got += [r["Final-Recipient"].split(";")[1].strip()
                    for r in n.recipients]
        same(sorted(got), ["a@one.example", "b@two.example"], "recipients")
        q.check()


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
