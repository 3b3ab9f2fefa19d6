#!/usr/bin/python3
"""
What a client asks for reaches the next server, or is resolved where that
server lacks it: DSN, SMTPUTF8, FUTURERELEASE, DELIVERBY, MT-PRIORITY,
BINARYMIME.
"""
# run: limit 120

import email
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from client import message
from exim import Exim
from postern import Postern, free_port
from postfix import Postfix
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"
RICH = ("PIPELINING", "8BITMIME", "SIZE 50000000", "ENHANCEDSTATUSCODES",
        "SMTPUTF8", "DSN", "DELIVERBY", "MT-PRIORITY", "CHUNKING",
        "BINARYMIME")
UMLAUT = "j\u00fcrgen@rich.example"


class Site(Postern):
    """rich.example offers everything, poor.example nothing of it."""

    def set_up(self):
        self.rich = Sink(port=free_port(), extensions=RICH).start()
        self.poor = Sink(port=free_port()).start()
        for name, sink in (("rich", self.rich), ("poor", self.poor)):
            self.routes[f"{name}.example"] = {"via": f"127.0.0.1:{sink.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.rich.stop()
        self.poor.stop()

    def check(self):
        for sink in (self.rich, self.poor):
            same(sink.complaints, [], "complaints")
        super().check()

    def wish(self, to, mail="", rcpt="", text=None):
        """Submit with parameters; the id."""
        mark = self.mark_log()
        for sink in (self.rich, self.poor, self.sink):
            sink.clear()
        with self.logged_in() as t:
            reply = t.cmd(f"MAIL FROM:<{ALICE}> {mail}")
            same(reply.code, 250, f"MAIL {mail}")
            reply = t.cmd(f"RCPT TO:<{to}> {rcpt}")
            same(reply.code, 250, f"RCPT {rcpt}")
            reply = t.data(text or message(ALICE, "x@example.net"))
            same(reply.code, 250, "the end of the data")
        return self.accepted(reply, mark)


def arrived(sink, count=1):
    return wait(lambda: len(sink.messages) >= count and sink.messages, 20,
                "it arrives")[0]


def report(p):
    """The one notice to Alice: (its parts, the status part as text)."""
    kept = wait(lambda: p.sink.to(ALICE), 20, "a notice arrives")
    same(len(kept), 1, "notices")
    same(kept[0].sender, "", "return path")
    parts = list(kept[0].parsed().iter_parts())
    text = kept[0].data.decode()
    return parts, text


@tap.case("a server that knows everything is told everything")
def rich(p):
    mark = p.mark_log()
    ident = p.wish("v@rich.example",
           "RET=HDRS ENVID=a+20b BY=3600;N MT-PRIORITY=3",
           "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Bx@example.com")
    kept = arrived(p.rich)
    for part in ("RET=HDRS", "ENVID=a+20b", "BY=3", ";N", "MT-PRIORITY=3"):
        has(kept.sender_params, part, "MAIL parameters")
    same(kept.rcpt_params,
         ["NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Bx@example.com"],
         "RCPT parameters")
    p.wait_event("msg.done", mark, id=ident)
    same(p.events("msg.notice", mark), [], "notices of ours")


@tap.case("a server without DSN: a relayed report of success")
def relayed(p):
    p.wish("v@poor.example", "ENVID=QQ314159",
           "NOTIFY=SUCCESS ORCPT=rfc822;o@example.com")
    parts, text = report(p)
    same(parts[1].get_content_type(), "message/delivery-status", "type")
    has(text, "Original-Envelope-Id: QQ314159\r\n")
    has(text, "Original-Recipient: rfc822; o@example.com\r\n"
              "Final-Recipient: rfc822; v@poor.example\r\n"
              "Action: relayed\r\nStatus: 2.")


@tap.case("NOTIFY=NEVER: no notice of a failure")
def never(p):
    p.poor.script["rcpt"] = "550 5.1.1 no such user"
    mark = p.mark_log()
    ident = p.wish("v@poor.example", "", "NOTIFY=NEVER")
    p.wait_event("msg.done", mark, id=ident)
    p.poor.script.clear()
    same(p.events("msg.notice", mark), [], "notices")
    same(p.queue(), [], "queue")


@tap.case("RET=FULL: the whole message comes back")
def full(p):
    p.poor.script["rcpt"] = "550 5.1.1 no such user"
    p.wish("v@poor.example", "RET=FULL",
           text=message(ALICE, body="the very words\r\n.dot\r\n"))
    parts, text = report(p)
    p.poor.script.clear()
    same(parts[2].get_content_type(), "message/rfc822", "third part")
    has(text, "\r\n\r\nthe very words\r\n.dot\r\n\r\n--")


@tap.case("UTF-8 addresses and header to a server with SMTPUTF8")
def utf8(p):
    p.wish(UMLAUT, "SMTPUTF8 BODY=8BITMIME",
           text=message(ALICE, UMLAUT, subject="gr\u00fc\u00dfe"))
    kept = arrived(p.rich)
    same(kept.rcpts, [UMLAUT], "recipients")
    has(kept.sender_params, " SMTPUTF8", "MAIL parameters")
    has(kept.data.decode(), "Subject: gr\u00fc\u00dfe\r\n", "header")


@tap.case("a UTF-8 address at a server without: 5.6.7, an international DSN")
def utf8_refused(p):
    address = "j\u00fcrgen@poor.example"
    p.wish(address, "SMTPUTF8")
    parts, text = report(p)
    same(p.poor.messages, [], "messages at the server")
    same(parts[1].get_content_type(), "message/global-delivery-status",
         "second part")
    has(text, f"Final-Recipient: utf-8; {address}\r\nAction: failed\r\n"
              "Status: 5.6.7\r\n")
    has(text, "SMTPUTF8", "text for people")
    # It was never asked.
    same("answered" in text, False, "words in the server's mouth")
    same("Diagnostic-Code: smtp;" in text, False, "a reply nobody gave")


@tap.case("SMTPUTF8 said of plain ASCII: the mail goes anywhere")
def utf8_needless(p):
    p.wish("v@poor.example", "SMTPUTF8")
    same("SMTPUTF8" in arrived(p.poor).sender_params, False, "SMTPUTF8 said")


@tap.case("HOLDFOR: it waits, also across a restart; release lets it go")
def hold(p):
    mark = p.mark_log()
    ident = p.wish("v@poor.example", "HOLDFOR=4")
    began = time.monotonic()
    later = p.wish("v@poor.example", "HOLDFOR=3600")
    row = [r for r in p.queue() if r["id"] == later][0]
    same(row["held"], "sender", "held")
    same(row["release"], row["next"], "release")
    same(row["release"][-1], "Z", "a time")
    has(p.must("queue", "show", later).out, "as its sender asked")
    p.kill("queue")
    kept = wait(lambda: len(p.poor.messages) >= 1 and p.poor.messages, 30,
                "it arrives")
    if time.monotonic() - began < 3:
        raise AssertionError("it did not wait")
    p.wait_event("msg.done", mark, id=ident)
    same(len(kept), 1, "messages")
    p.must("queue", "retry", "--all")
    same(len(p.queue()), 1, "what waits")
    p.must("queue", "release", later)
    wait(lambda: len(p.poor.messages) == 2, 20, "the other arrives")
    wait(lambda: p.queue() == [], 20, "an empty queue")


@tap.case("what is held for its sender can be removed")
def hold_removed(p):
    ident = p.wish("v@poor.example", "HOLDFOR=3600")
    p.must("queue", "remove", ident)
    same(p.queue(), [], "queue")


@tap.case("DELIVERBY with R at a server that knows no deadlines: 5.3.3")
def by_return(p):
    p.wish("v@poor.example", "BY=3600;R")
    _, text = report(p)
    same(p.poor.messages, [], "messages at the server")
    has(text, "Action: failed\r\nStatus: 5.3.3\r\n")


@tap.case("DELIVERBY with N at such a server: passed on, and told so")
def by_notify(p):
    p.wish("v@poor.example", "BY=3600;N")
    arrived(p.poor)
    _, text = report(p)
    has(text, "Action: relayed\r\n")


@tap.case("DELIVERBY with trace: each hop is told of")
def by_trace(p):
    p.wish("v@rich.example", "BY=3600;RT")
    has(arrived(p.rich).sender_params, ";RT", "MAIL parameters")
    _, text = report(p)
    has(text, "Action: relayed\r\n")


BINARY = bytes(range(256)) + b"\n.\n\r\r\n.\r\n"


def send_binary(p, to):
    text = (f"From: <{ALICE}>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: application/octet-stream\r\n"
            "Content-Transfer-Encoding: binary\r\n\r\n").encode() + BINARY
    with p.logged_in() as t:
        t.cmd(f"MAIL FROM:<{ALICE}> BODY=BINARYMIME")
        t.cmd(f"RCPT TO:<{to}>")
        t.send(f"BDAT {len(text)} LAST\r\n".encode() + text)
        same(t.reply().code, 250, "BDAT")


@tap.case("binary: one chunk where it may be, lines where not")
def binary(p):
    for sink, domain in ((p.rich, "rich"), (p.poor, "poor")):
        sink.clear()
        send_binary(p, f"v@{domain}.example")
        kept = arrived(sink)
        same(kept.chunked, domain == "rich", "chunked")
        same("BINARYMIME" in kept.sender_params, domain == "rich",
             "BODY=BINARYMIME")
        same(kept.parsed().get_payload(decode=True), BINARY, "body")


@tap.case("Postfix: DSN and SMTPUTF8, success told by the last server")
def postfix(p):
    with Postfix(domains=("fix.example", "example.org")) as far:
        p.routes["fix.example"] = {"via": f"127.0.0.1:{far.port}"}
        p.configure()
        p.stop()
        p.start()
        address = "j\u00fcrgen@fix.example"
        p.wish(address, "SMTPUTF8 RET=HDRS ENVID=QQ314159",
               "NOTIFY=SUCCESS ORCPT=utf-8;o\\x{FC}@example.com",
               text=message(ALICE, "x@example.net",
                            subject="gr\u00fc\u00dfe"))
        mails = wait(lambda: len(far.mails()) >= 2 and far.mails(), 30,
                     "the mail and its report")
        report = [m for m in mails if b"multipart/report" in m]
        same(len(report), 1, "reports")
        text = report[0].decode()
        has(text, "Original-Envelope-Id: QQ314159\n")
        has(text, "Original-Recipient: utf-8;o\u00fc@example.com\n")
        has(text, "Action: delivered\n")
        has([m for m in mails if m is not report[0]][0].decode(),
            "Subject: gr\u00fc\u00dfe\n")


@tap.case("Postfix, which has no BINARYMIME: every octet arrives all the same")
def postfix_binary(p):
    with Postfix(domains=("fix.example",)) as far:
        p.routes["fix.example"] = {"via": f"127.0.0.1:{far.port}"}
        p.configure()
        p.stop()
        p.start()
        send_binary(p, "v@fix.example")
        mail = wait(far.mails, 30, "the mail")[0]
        same(email.message_from_bytes(mail).get_payload(decode=True), BINARY,
             "body")


@tap.case("Exim: DSN and SMTPUTF8, success told by the last server")
def exim(p):
    with Exim() as far:
        p.routes["ex.example"] = {"via": f"127.0.0.1:{far.port}"}
        p.configure()
        p.stop()
        p.start()
        p.wish("j\u00fcrgen@ex.example", "SMTPUTF8 RET=HDRS ENVID=QQ314159",
               "NOTIFY=SUCCESS", text=message(ALICE, "x@example.net",
                                              subject="gr\u00fc\u00dfe"))
        mails = wait(lambda: len(far.mails()) >= 2 and far.mails(), 30,
                     "the mail and its report")
        report = [m for m in mails if b"multipart/report" in m]
        same(len(report), 1, "reports")
        has(report[0].decode(), "Action: delivered\n")
        has([m for m in mails if m is not report[0]][0].decode(),
            "Subject: gr\u00fc\u00dfe\n")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
