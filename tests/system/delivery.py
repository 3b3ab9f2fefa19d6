#!/usr/bin/python3
"""Every recipient ends with the right verdict, whatever the next server does."""
# run: limit 240

import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import sink as sinks
import tap
from postern import Postern, free_port
from postfix import Postfix, SmtpSink
from sink import CLOSE, RESET, Sink, Slow
from tap import has, same, wait

ALICE = "alice@example.org"


class Site(Postern):
    """Mail to victim.example goes to a server that each case scripts."""

    def set_up(self):
        self.far = Sink(port=free_port())
        self.routes["victim.example"] = {
            "via": f"127.0.0.1:{self.far.port}"}
        self.far.start()
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.far.stop()

    def play(self, script=None, **options):
        """A server for victim.example that behaves so, from now on."""
        port = self.far.port
        self.far.stop()
        self.far = Sink(script, port=port, **options).start()
        return self.far

    def check(self):
        self.far.check("the far server")
        super().check()


def finish(p, ident, address="v@victim.example"):
    """From here on the far server is good: one copy arrives by a retry."""
    mark = p.mark_log()
    far = p.play()
    same(p.must("queue", "retry", ident).code, 0, "queue retry")
    p.wait_event("msg.delivered", mark, id=ident)
    wait(lambda: far.to(address), 5, "the message arrives")
    wait(lambda: p.queue() == [], 5, "an empty queue")
    same(len(far.messages), 1, "copies")


def bounce(p, seconds=20):
    """The one bounce that came to alice; removes it."""
    kept = wait(lambda: p.sink.to(ALICE), seconds, "a bounce arrives")
    same(len(kept), 1, "bounces")
    p.sink.clear()
    return kept[0]


def expect_deferred(p, script, text=None, seconds=20, **options):
    p.sink.clear()
    far = p.play(script, **options)
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    # All of the message was said: whether it was taken, nobody knows.
    lost = any(script.get(s) in (CLOSE, RESET) for s in ("body", "half"))
    name, event = p.verdict(mark, ident, seconds)
    same(name, "msg.uncertain" if lost else "msg.deferred",
         f"{event}; verdict")
    same(far.messages, [], "messages at the far server")
    if text:
        has(str(event), text, "the remote words in the log")
        has(p.must("queue", "show", ident).out, text,
            "the remote words in queue show")
    finish(p, ident)
    same(p.sink.messages, [], "bounces")


def expect_bounced(p, script, status, text, **options):
    p.sink.clear()
    p.play(script, **options)
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    name, event = p.verdict(mark, ident)
    same(name, "msg.bounced", f"{event}; verdict")
    has(str(event), status, "the status in the log")
    kept = bounce(p)
    same(kept.sender, "", "return path of the bounce")
    has(kept.data.decode(), text, "the remote words in the bounce")
    wait(lambda: p.queue() == [], 5, "an empty queue")


@tap.case("a message arrives once, whole, and in the log")
def arrives(p):
    far = p.play()
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    event = p.wait_event("msg.delivered", mark, id=ident)
    same(len(far.messages), 1, "messages")
    has(event["mx"], "127.0.0.1", "mx in the log")
    has(far.messages[0].data.decode(), ident, "the id in Received")
    same(far.sessions[0].commands[0], "EHLO mail.example.org", "greeting")
    wait(lambda: p.queue() == [], 5, "an empty queue")


for stage in ("connect", "ehlo", "mail", "rcpt", "data", "body"):
    text = f"4 at {stage}"
    script = {stage: f"450 4.2.0 {text}"}
    if stage == "ehlo":
        script["helo"] = script["ehlo"]
    tap.add(f"450 at {stage}: deferred, then delivered once",
            expect_deferred, script, text)
    tap.add(f"421 at {stage}: deferred, then delivered once",
            expect_deferred, {stage: [f"421 4.3.2 {text}", CLOSE, CLOSE]},
            None)
    tap.add(f"hang-up at {stage}: deferred, then delivered once",
            expect_deferred, {stage: CLOSE})
    tap.add(f"connection reset at {stage}: deferred, then delivered once",
            expect_deferred, {stage: RESET})
    text = f"5 at {stage}"
    script = {stage: f"554 5.7.1 {text}"}
    if stage == "ehlo":
        script["helo"] = script["ehlo"]
    if stage in ("connect", "ehlo"):
        # It is about the host, not about the message: others may do, later.
        tap.add(f"554 at {stage}: deferred, then delivered once",
                expect_deferred, script, text)
    else:
        tap.add(f"554 at {stage}: bounced with the remote words",
                expect_bounced, script, "5.7.1", text)

tap.add("hang-up in the middle of the data: deferred, then delivered once",
        expect_deferred, {"half": CLOSE})
tap.add("a multi-line refusal is kept whole",
        expect_bounced, {"rcpt": "550-5.1.1 the first line\n"
                                 "550-5.1.1 the second line\n"
                                 "550 5.1.1 no such user here"}, "5.1.1",
        "the second line")
tap.add("a refusal without an enhanced code",
        expect_bounced, {"rcpt": "550 plain words"}, "5.", "plain words")
tap.add("a refusal without words",
        expect_bounced, {"rcpt": b"550\r\n"}, "5.", "550")

for name, junk in {
    "words that are no reply": b"hello there\r\n",
    "a reply with a code of two digits": b"25 ok\r\n",
    "NULs": b"\0\0\0\0\r\n",
    "a code out of range": b"999 what\r\n",
    "a reply with two codes": b"250-a\r\n550 b\r\n",
    "a line of 100,000 octets": b"250 " + b"x" * 100000 + b"\r\n",
    "a reply of 20,000 lines": b"250-more\r\n" * 20000 + b"250 end\r\n",
}.items():
    for stage in ("connect", "mail"):
        @tap.case(f"{name} at {stage}: not delivered by that, no harm done",
                  stage, junk)
        def garbage(p, stage, junk):
            p.sink.clear()
            far = p.play({stage: junk, "body": CLOSE}, strict=False)
            mark = p.mark_log()
            ident = p.send("v@victim.example")
            what, event = p.verdict(mark, ident)
            if what != "msg.deferred":
                raise AssertionError(f"{what} {event}")
            same(far.messages, [], "messages")
            finish(p, ident)


@tap.case("nobody listens: deferred")
def nobody(p):
    p.far.stop()
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    same(p.verdict(mark, ident)[0], "msg.deferred", "verdict")
    finish(p, ident)


@tap.case("multi-line replies at every stage are understood")
def multi_line(p):
    far = p.play({
        "connect": "220-hello\n220-there\n220 ready",
        "mail": "250-2.1.0 a\n250 2.1.0 b", "rcpt": "250-2.1.5 a\n250 2.1.5 b",
        "data": "354-go\n354 on", "body": "250-2.0.0 a\n250 2.0.0 b",
        "quit": "221-2.0.0 a\n221 2.0.0 b"})
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    p.wait_event("msg.delivered", mark, id=ident)
    same(len(far.messages), 1, "messages")


@tap.case("251 and 252 to RCPT are acceptance")
def forwarding(p):
    for reply in ("251 2.1.5 will forward", "252 2.1.5 will try"):
        far = p.play({"rcpt": [reply]})
        mark = p.mark_log()
        ident = p.send("v@victim.example")
        p.wait_event("msg.delivered", mark, id=ident)
        same(len(far.messages), 1, "messages")


@tap.case("a server that knows only HELO gets no extension")
def helo(p):
    far = p.play({"ehlo": "502 5.5.1 what is EHLO"}, extensions=())
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    p.wait_event("msg.delivered", mark, id=ident)
    same(far.messages[0].sender_params.strip(), "", "MAIL parameters")
    same(far.messages[0].helo, "mail.example.org", "HELO")


@tap.case("a server that hangs up on EHLO gets HELO or a later try")
def ehlo_hangs_up(p):
    p.play({"ehlo": CLOSE}, extensions=())
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    what, event = p.verdict(mark, ident)
    if what == "msg.bounced":
        raise AssertionError(f"bounced: {event}")
    if what == "msg.deferred":
        finish(p, ident)


@tap.case("no PIPELINING: one command at a time; SIZE only where offered")
def no_pipelining(p):
    for extensions in ((), ("SIZE 1000000",), ("8BITMIME",),
                       ("PIPELINING",)):
        far = p.play(extensions=extensions)
        mark = p.mark_log()
        ident = p.send([f"v{n}@victim.example" for n in range(5)])
        p.wait_event("msg.delivered", mark, id=ident)
        same(sorted(far.messages[0].rcpts),
             [f"v{n}@victim.example" for n in range(5)], "recipients")


@tap.case("a server slow at every stage is waited for")
def slow(p):
    far = p.play({stage: Slow(0.7) for stage in
                  ("connect", "ehlo", "mail", "rcpt", "data", "body",
                   "quit")})
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    p.wait_event("msg.delivered", mark, id=ident)
    same(len(far.messages), 1, "messages")


@tap.case("each recipient has a verdict of its own")
def partial(p):
    p.sink.clear()

    def rcpt(session, address):
        return {"later@victim.example": "450 4.2.1 later please",
                "never@victim.example": "550 5.1.1 never heard of"}.get(
                    address)
    far = p.play({"rcpt": rcpt})
    mark = p.mark_log()
    ident = p.send(["one@victim.example", "later@victim.example",
                    "never@victim.example", "two@victim.example"])
    for name in ("msg.delivered", "msg.deferred", "msg.bounced"):
        p.wait_event(name, mark, id=ident)
    same(sorted(far.messages[0].rcpts),
         ["one@victim.example", "two@victim.example"], "recipients")
    kept = bounce(p)
    has(kept.data.decode(), "never@victim.example", "the bounce")
    has(kept.data.decode(), "never heard of", "the bounce")
    if b"later@victim.example" in kept.body.partition(
            b"message/delivery-status")[2].partition(b"\r\n--")[0]:
        raise AssertionError("the deferred recipient is in the bounce")
    finish(p, ident, "later@victim.example")
    same(p.far.messages[0].rcpts, ["later@victim.example"],
         "recipients of the retry")


@tap.case("all recipients refused: no data, one bounce for all")
def none_left(p):
    p.sink.clear()
    far = p.play({"rcpt": "550 5.1.1 unknown"})
    mark = p.mark_log()
    ident = p.send(["a@victim.example", "b@victim.example"])
    p.wait_event("msg.bounced", mark, id=ident)
    kept = bounce(p)
    for who in ("a@victim.example", "b@victim.example"):
        has(kept.data.decode(), who, "the bounce")
    same(far.refused + far.messages, [], "data sent")


@tap.case("recipients of one domain share a transaction, "
          "others are messages of their own")
def shared(p):
    far = p.play()
    p.sink.clear()
    p.send([f"v{n}@victim.example" for n in range(20)]
           + [f"w{n}@other.example" for n in range(3)])
    wait(lambda: len(p.sink.messages) == 1 and len(far.messages) == 1, 20,
         "both arrive")
    same(len(far.messages[0].rcpts), 20, "recipients at the one")
    same(len(p.sink.messages[0].rcpts), 3, "recipients at the other")


@tap.case("too many recipients for them (452): the rest follow")
def too_many(p):
    def rcpt(session, address):
        return "452 4.5.3 too many recipients" \
            if len(session.rcpts) >= 3 else None
    far = p.play({"rcpt": rcpt})
    names = {f"v{n}@victim.example" for n in range(8)}
    ident = p.send(sorted(names))
    until = time.monotonic() + 30
    got = set()
    while got != names and time.monotonic() < until:
        time.sleep(0.3)
        p.cli("queue", "retry", ident)
        got = {r for m in far.messages for r in m.rcpts}
    same(got, names, "recipients reached")
    same(sum(len(m.rcpts) for m in far.messages), 8, "copies")
    wait(lambda: p.queue() == [], 5, "an empty queue")


@tap.case("their SIZE is smaller: bounced 5.3.4 without sending it")
def too_big(p):
    p.sink.clear()
    far = p.play(extensions=("SIZE 2000", "PIPELINING"))
    mark = p.mark_log()
    ident = p.send("v@victim.example", body="x" * 70 + "\r\n" * 1 +
                   ("y" * 70 + "\r\n") * 100)
    name, event = p.verdict(mark, ident)
    same(name, "msg.bounced", f"{event}; verdict")
    has(str(event), "5.3.4", "status")
    same(far.refused + far.messages, [], "data sent")
    bounce(p)


@tap.case("the final dot is answered late: still one copy")
def late(p):
    far = p.play({"body": Slow(4)})
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    p.wait_event("msg.delivered", mark, id=ident)
    time.sleep(0.5)
    same(len(far.messages), 1, "copies")


@tap.case("a silent destination delays no other")
def no_blocking(p):
    p.sink.clear()
    p.play({"connect": Slow(300)})
    for n in range(5):
        p.send(f"v{n}@victim.example")
    began = time.monotonic()
    p.send("quick@other.example")
    wait(lambda: p.sink.to("quick@other.example"), 10, "the other arrives")
    if time.monotonic() - began > 3:
        raise AssertionError("it had to wait")
    p.must("queue", "remove", "--domain", "victim.example", "--yes")
    p.play()
    wait(lambda: p.queue() == [], 10, "an empty queue")


@tap.case("connections are reused, and few at a time to one destination")
def reuse(p):
    with Postern(accounts=[ALICE], queue={"per-destination": "3"},
                 script={"body": Slow(0.05)}) as q:
        with q.logged_in() as t:
            for n in range(60):
                same(t.submit(ALICE, [f"c{n}@example.net"],
                              client.message(ALICE)).code, 250, "message")
        wait(lambda: len(q.sink.messages) == 60, 30, "all arrive")
        # A relay stands for many destinations and gets twice as many.
        if q.sink.peak > 6:
            raise AssertionError(f"{q.sink.peak} connections at once")
        if len(q.sink.sessions) > 30:
            raise AssertionError(f"{len(q.sink.sessions)} connections "
                                 "for 60 messages")
        wait(lambda: q.sink.open == 0, 120, "idle connections are closed")
        q.check()


@tap.case("greylisting is waited out without anybody's help")
def greylisting(p):
    seen = {}

    def rcpt(session, address):
        first = seen.setdefault(address, time.monotonic())
        return None if time.monotonic() - first > 1.5 else \
            "450 4.7.1 greylisted, come again"
    with Postern(accounts=[ALICE], queue={"retry": "1s, 1s, 2s"},
                 script={"rcpt": rcpt}) as q:
        q.send("grey@example.net")
        q.send(["grey2@example.net", "grey3@example.net"])
        wait(lambda: len(q.sink.messages) >= 2 and q.queue() == [], 30,
             "all arrive")
        same(sorted(r for m in q.sink.messages for r in m.rcpts),
             ["grey2@example.net", "grey3@example.net", "grey@example.net"],
             "recipients, each once")
        q.check()


@tap.case("an IPv6 next hop")
def ipv6(p):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise tap.Skip("no IPv6 here") from None
    with Sink(address="::1") as six, \
            Postern(accounts=[ALICE], via=f"[::1]:{six.port}") as q:
        q.send("v@example.net")
        wait(lambda: six.messages, 20, "it arrives")
        q.check()


@tap.case("Postfix's smtp-sink receives")
def smtp_sink(p):
    with SmtpSink() as far, \
            Postern(accounts=[ALICE], via=f"127.0.0.1:{far.port}") as q:
        mark = q.mark_log()
        for n in range(10):
            q.send(f"v{n}@example.net", subject=f"number {n}")
        wait(lambda: len(q.events("msg.delivered", mark)) == 10, 20,
             "ten deliveries")
        wait(lambda: len(far.mails()) == 10, 5, "ten files")
        has(b"".join(far.mails()).decode(), "Subject: number 9")
        q.check()


for how in ("maildir", "pipe", "TLS"):
    @tap.case(f"Postfix receives ({how})", how)
    def postfix(p, how):
        cert = sinks.certificate(os.path.join(p.dir, "postfix.pem"))
        os.chmod(cert, 0o600)
        with Postfix(pipe=how == "pipe",
                     cert=cert if how == "TLS" else None) as far, \
                Postern(accounts=[ALICE],
                        via=f"127.0.0.1:{far.port}") as q:
            mark = q.mark_log()
            body = ".dot\r\n..\r\ngr\u00fc\u00dfe\r\n" + "z" * 900 + "\r\n"
            ident = q.send("v@example.net", body=body)
            event = q.wait_event("msg.delivered", mark, id=ident)
            same("TLS" in event.get("tls", ""), how == "TLS", "TLS in the log")
            mail = wait(far.mails, 20, "a file")[0]
            has(mail.decode(), body.replace("\r\n", "\n"), "body")
            # An unknown domain is refused there, and bounced here; the
            # bounce is refused as well, and that is the end of it.
            mark = q.mark_log()
            ident = q.send("v@unknown.example")
            q.wait_event("msg.bounced", mark, id=ident)
            wait(lambda: q.queue() == [], 20, "an empty queue")
            q.check()


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
