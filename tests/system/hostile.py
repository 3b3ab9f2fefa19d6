#!/usr/bin/python3
"""Clients that break the rules get told so, and nothing worse happens."""
# run: limit 150
# run: limit-all 600

import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Closed, b64
from postern import PASSWORD, Postern
from tap import same, wait

ALICE, BOB = "alice@example.org", "bob@example.org"
RCPT = "carol@example.net"
SIZE = 1 << 20
PER_ADDRESS = 30


def ready(p, **kwargs):
    """Logged in, one transaction begun, 354 said."""
    t = p.logged_in(**kwargs)
    same(t.mail(ALICE, RCPT).code, 250, "RCPT")
    same(t.cmd("DATA").code, 354, "DATA")
    return t


def in_step(t):
    """The dialogue is where both sides think it is, or over."""
    try:
        reply = t.cmd("NOOP in step")
    except (Closed, OSError):
        return
    same(reply.code, 250, f"{reply}; NOOP")


def refuses(t):
    """5yz or 421, or the connection closed; the reply if any."""
    try:
        reply = t.reply()
    except (Closed, OSError):
        return None
    if reply.code < 500 and reply.code != 421:
        raise AssertionError(f"not refused: {reply}")
    return reply


def arrives_as(p, mark, data):
    """Exactly one message has been accepted since mark, and holds data."""
    wait(lambda: p.events("msg.delivered", mark), 20, "delivered")
    same(len(p.events("msg.accepted", mark)), 1, "messages accepted")
    if data not in p.sink.messages[-1].data:
        raise AssertionError(f"{data!r} is not in what arrived")


# Only CRLF ends a line.

for name, line in {
    "bare LF between two commands": b"NOOP\nRSET\r\n",
    "bare LF first": b"\nNOOP\r\n",
    "bare CR between two commands": b"NOOP\rRSET\r\n",
    "CR CR LF": b"NOOP\r\r\n",
    "NUL at the end": b"NOOP\0\r\n",
    "NUL in an argument": b"NOOP a\0b\r\n",
    "NUL in an address": b"MAIL FROM:<alice@example.org\0@example.net>\r\n",
    "bare CR in an address": b"MAIL FROM:<alice\r@example.org>\r\n",
    "bare LF behind an address":
        b"MAIL FROM:<alice@example.org>\nRCPT TO:<x@example.net>\r\n",
    "bare CR in a quoted recipient":
        b"RCPT TO:<\"a\rRCPT TO:<b\"@example.net>\r\n",
    "8-bit in a verb": b"N\xc3\x96P\r\n",
}.items():
    @tap.case(f"command with {name}: one refusal", line)
    def stray(p, line):
        with p.logged_in() as t:
            if line.startswith(b"RCPT"):
                same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "MAIL")
            t.send(line)
            refuses(t)
            in_step(t)


@tap.case("a line that never ends in CRLF is no command")
def lf_only(p):
    with p.logged_in() as t:
        t.send(f"MAIL FROM:<{ALICE}>\nRCPT TO:<{RCPT}>\nDATA\n")
        t.send("x\n.\nQUIT\n\r\n")
        refuses(t)
        in_step(t)


# Only CRLF.CRLF ends the data.

SMUGGLED = (f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<smuggled@example.net>\r\n"
            f"DATA\r\nFrom: <{ALICE}>\r\nSubject: smuggled\r\n\r\n"
            "smuggled\r\n").encode()
ENDS = {
    "LF . LF": b"\n.\n", "LF . CR LF": b"\n.\r\n",
    "CR LF . LF": b"\r\n.\n", "CR . CR": b"\r.\r",
    "CR LF . CR": b"\r\n.\r", "CR . CR LF": b"\r.\r\n",
    "CR . LF": b"\r.\n", "LF . CR": b"\n.\r",
    "LF LF . CR LF": b"\n\n.\r\n",
    "CR LF . CR CR LF": b"\r\n.\r\r\n", "CR LF NUL . CR LF": b"\r\n\0.\r\n",
    "CR LF . NUL CR LF": b"\r\n.\0\r\n", "CR NUL LF . CR LF":
        b"\r\0\n.\r\n", "LF CR . CR LF": b"\n\r.\r\n",
}
for name, end in ENDS.items():
    @tap.case(f"{name} is no end of data: refused as a whole", end)
    def smuggle(p, end):
        mark = p.mark_log()
        with ready(p) as t:
            t.send(client.message(ALICE)[:-2] + end + SMUGGLED + b".\r\n")
            reply = refuses(t)
            if reply is not None and reply.code not in (500, 550, 554):
                raise AssertionError(f"reply {reply}")
            in_step(t)
        time.sleep(0.05)
        same(p.events("msg.accepted", mark), [], "accepted")
        same(p.sink.to("smuggled@example.net"), [], "smuggled")

for name, part in {
    "bare LF in the header": b"X-A: b\nX-C: d\r\n",
    "bare CR in the header": b"X-A: b\rX-C: d\r\n",
    "NUL in the header": b"X-A: b\0\r\n",
    "bare LF in the body": b"\r\na\nb\r\n",
    "bare CR in the body": b"\r\na\rb\r\n",
    "NUL in the body": b"\r\na\0b\r\n",
    "bare CR before the end": b"\r\na\r",
}.items():
    @tap.case(f"message with {name}: refused", part)
    def stray_data(p, part):
        mark = p.mark_log()
        with ready(p) as t:
            t.send(f"From: <{ALICE}>\r\n".encode() + part
                   + b"\r\nmore\r\n.\r\n")
            refuses(t)
            in_step(t)
        same(p.events("msg.accepted", mark), [], "accepted")


@tap.case("the end of data is found wherever the reads split it")
def splits(p):
    text = f"From: <{ALICE}>\r\nSubject: split\r\n\r\n..a\r\n..\r\nend\r\n.\r\n"
    with p.logged_in() as t:
        for at in range(len(text) - 22, len(text)):
            mark = p.mark_log()
            same(t.mail(ALICE, RCPT).code, 250, "RCPT")
            same(t.cmd("DATA").code, 354, "DATA")
            t.send(text[:at])
            time.sleep(0.01)
            t.send(text[at:] + "NOOP\r\n")
            same(t.reply().code, 250, f"split at {at}")
            same(t.reply().code, 250, "NOOP behind")
            arrives_as(p, mark, b"\r\n\r\n.a\r\n.\r\nend\r\n")


@tap.case("one octet at a time works")
def octets(p):
    mark = p.mark_log()
    with p.logged_in() as t:
        for line in (f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{RCPT}>", "DATA",
                     f"From: <{ALICE}>\r\n\r\n..\r\nx\r\n."):
            for octet in (line + "\r\n").encode():
                t.send(bytes([octet]))
            if t.reply().code not in (250, 354):
                raise AssertionError(line)
    arrives_as(p, mark, b"\r\n\r\n.\r\nx\r\n")


@tap.case("a whole session in one write")
def one_write(p):
    mark = p.mark_log()
    with p.logged_in() as t:
        text = (f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<{RCPT}>\r\nDATA\r\n")
        t.send(text.encode())
        same([t.reply().code for _ in range(3)], [250, 250, 354], "codes")
        t.send(client.stuff(client.message(ALICE))
               + f"MAIL FROM:<{ALICE}>\r\nRSET\r\nNOOP\r\nQUIT\r\n".encode())
        same([t.reply().code for _ in range(5)], [250, 250, 250, 250, 221],
             "codes behind")
        if not t.closed():
            raise AssertionError("open after QUIT")
    arrives_as(p, mark, b"hello")


# STARTTLS.

@tap.case("octets behind STARTTLS are refused")
def injection(p):
    for more in (b"NOOP\r\n", b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n",
                 b"x", b"\r\n", b"RSET\r\n" * 50):
        with p.smtp(None) as t:
            t.reply(bare=True)
            t.ehlo()
            t.send(b"STARTTLS\r\n" + more)
            try:
                reply = t.reply()
            except Closed:
                continue
            if reply.code == 220:
                raise AssertionError(f"{more!r}: {reply}")


@tap.case("STARTTLS with an argument or twice: refused")
def starttls_argument(p):
    with p.smtp(None) as t:
        t.reply(bare=True)
        t.ehlo()
        same(t.cmd("STARTTLS now").code, 501, "argument")
        t.starttls()
        t.ehlo()
        same(t.cmd("STARTTLS").code // 100, 5, "twice")
        in_step(t)


@tap.case("a handshake of garbage harms nobody")
def garbage_handshake(p):
    for first in (b"\x16\x03\x01\x00\x00", b"\x16\x03\x01\xff\xff" + b"x" * 99,
                  b"\x80\x2e\x01\x00\x02", os.urandom(300), b"", b"\x15" * 9):
        with p.smtp(None) as t:
            t.reply(bare=True)
            t.ehlo()
            same(t.cmd("STARTTLS").code, 220, "STARTTLS")
            t.send(first)
        with socket.create_connection(("127.0.0.1", p.port465), 5) as s:
            s.sendall(first)
    p.greets() or tap.has("", "greeting")


@tap.case("a TLS ClientHello on the STARTTLS port: closed at once")
def client_hello(p):
    began = time.monotonic()
    for _ in range(5):
        with p.smtp(None) as t:
            t.reply(bare=True)
            t.send(b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03"
                   + os.urandom(237))
            if not t.closed(5):
                raise AssertionError("still open")
    if time.monotonic() - began > 5:
        raise AssertionError("not at once")
    with p.logged_in(tls="starttls"):
        pass


@tap.case("HTTP and other protocols: 421 and closed")
def http(p):
    for tls in (None, "implicit"):
        for first in ("GET / HTTP/1.1", "POST /x HTTP/1.0",
                      "CONNECT mx:25 HTTP/1.1", "PUT / HTTP/1.1",
                      "HEAD / HTTP/1.1", "OPTIONS * HTTP/1.1"):
            with p.smtp(tls) as t:
                if tls is None:
                    t.reply(bare=True)
                t.send(f"{first}\r\nHost: x\r\n\r\n"
                       f"EHLO x\r\nMAIL FROM:<{ALICE}>\r\n")
                same(t.reply().code, 421, first)
                if not t.closed():
                    raise AssertionError(f"open after {first}")


# Limits.

@tap.case("an oversize command line: one 500, and on")
def long_line(p):
    with p.logged_in() as t:
        for length in (2100, 4096, 8192, 20000):
            t.send(b"NOOP " + b"x" * length + b"\r\n")
            same(t.reply().code, 500, f"{length} octets")
            in_step(t)
        same(t.cmd("NOOP " + "x" * 400).code, 250, "a long one that is legal")


@tap.case("a line without end is cut off")
def endless_line(p):
    with p.logged_in() as t:
        try:
            for _ in range(64):
                t.send(b"x" * 65536)
            raised = False
        except (OSError, Closed):
            raised = True
        if not raised and not t.closed(5):
            raise AssertionError("4 MiB without a line end, still open")


@tap.case("AUTH lines: long ones are read, endless ones are not")
def long_auth(p):
    with p.smtp("implicit", source="127.3.1.1") as t:
        t.ehlo()
        reply = t.cmd("AUTH PLAIN " + b64("\0" + "a" * 250 + "\0" + "b" * 250))
        same(reply.code, 535, "a name of 250 octets")
        reply = t.cmd("AUTH PLAIN " + b64(b"\0a\0" + b"b" * 20000))
        if reply.code not in (500, 501, 535):
            raise AssertionError(f"20,000 octets: {reply}")
        in_step(t)


@tap.case("452 4.5.3 above the recipient limit, the others stay")
def recipients(p):
    mark = p.mark_log()
    with p.logged_in() as t:
        same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "MAIL")
        for n in range(100):
            same(t.cmd(f"RCPT TO:<r{n}@example.net>").code, 250, f"RCPT {n}")
        for n in range(3):
            reply = t.cmd("RCPT TO:<more@example.net>")
            same((reply.code, reply.enhanced), (452, "4.5.3"), "the 101st")
        same(t.data(client.message(ALICE)).code, 250, "message")
    event = p.wait_event("msg.accepted", mark)
    same(event["rcpts"], "100", "recipients in the log")
    wait(lambda: sum(len(m.rcpts) for m in p.sink.messages
                     if m.rcpts[0].startswith("r")) == 100, 20,
         "100 recipients at the sink")
    same(p.sink.to("more@example.net"), [], "the 101st")


@tap.case("SIZE: announced, refused at MAIL, refused at the end of data")
def sizes(p):
    with p.logged_in() as t:
        same(t.offers("SIZE"), [str(SIZE)], "SIZE offered")
        for value, want in ((SIZE + 1, (552, "5.3.4")),
                            (SIZE, (250, "2.1.0")), (0, (250, "2.1.0"))):
            reply = t.cmd(f"MAIL FROM:<{ALICE}> SIZE={value}")
            same((reply.code, reply.enhanced), want, f"SIZE={value}")
            t.cmd("RSET")
        for value in ("", "x", "-1", "1 SIZE=2", "99999999999999999999999"):
            reply = t.cmd(f"MAIL FROM:<{ALICE}> SIZE={value}")
            same(reply.code // 100, 5, f"SIZE={value}")
        mark = p.mark_log()
        head = client.message(ALICE)
        body = b"y" * 70 + b"\r\n"
        fits = head + body * ((SIZE - len(head)) // len(body) - 20)
        same(t.submit(ALICE, [RCPT], fits).code, 250, "just under the limit")
        reply = t.submit(ALICE, [RCPT], head + body * (SIZE // len(body) + 1))
        same((reply.code, reply.enhanced), (552, "5.3.4"), "over the limit")
        in_step(t)
        same(t.submit(ALICE, [RCPT], head).code, 250, "the next one")
        same(len(p.events("msg.accepted", mark)), 2, "accepted")


@tap.case("unknown parameters: 555 5.5.4, known ones are read")
def parameters(p):
    with p.logged_in() as t:
        for line in (f"MAIL FROM:<{ALICE}> FOO", f"MAIL FROM:<{ALICE}> X=y",
                     f"MAIL FROM:<{ALICE}> BODY=8BITMIME RRVS=1",
                     f"MAIL FROM:<{ALICE}> CONPERM"):
            reply = t.cmd(line)
            same((reply.code, reply.enhanced), (555, "5.5.4"), line)
        for line in (f"MAIL FROM:<{ALICE}> BODY=BINARY",
                     f"MAIL FROM:<{ALICE}> HOLDFOR=x",
                     f"MAIL FROM:<{ALICE}> RET=ALL",
                     f"MAIL FROM:<{ALICE}> BODY",
                     f"MAIL FROM:<{ALICE}> BODY=8BITMIME BODY=7BIT",
                     f"MAIL FROM:<{ALICE}>SIZE=1", f"MAIL FROM:{ALICE} x",
                     "MAIL FROM:", "MAIL", "MAIL FROM", f"MAIL TO:<{ALICE}>"):
            with p.logged_in() as t2:
                same(t2.cmd(line).code // 100, 5, line)
        for words in ("BODY=8BITMIME", "BODY=7BIT", "body=8bitmime size=99",
                      "AUTH=<>", f"AUTH={ALICE}", "SIZE=5 BODY=8BITMIME",
                      "RET=HDRS ENVID=x HOLDFOR=9 BY=9;N MT-PRIORITY=3"):
            same(t.cmd(f"MAIL FROM:<{ALICE}> {words}").code, 250, words)
            same(t.cmd("RSET").code, 250, "RSET")
    with p.logged_in() as t:
        t.cmd(f"MAIL FROM:<{ALICE}>")
        for words in ("RRVS=1", "FOO=bar", "X"):
            reply = t.cmd(f"RCPT TO:<{RCPT}> {words}")
            same((reply.code, reply.enhanced), (555, "5.5.4"), words)
        in_step(t)


@tap.case("recipients that are none: 5yz, the transaction goes on")
def bad_recipients(p):
    lines = ["<>", "<a>b", "<a@>", "<@b>", "<a@b", "a@b>", "<a b@c.example>",
             "<a@b@c.example>", "<a@-b.example>", "<a@b..example>",
             "<a@.example>", "<" + "a" * 65 + "@b.example>",
             "<a@" + ".".join(["x" * 63] * 5) + ">", "<a@[1.2.3]>",
             "<a@[300.1.1.1]>", "<a@[IPv6:zz]>", "<\"a@b.example>",
             "<a\\@b.example>", "<a@b_c.example>", "<(a)@b.example>", ""]
    for chunk in (lines[:8], lines[8:16], lines[16:]):
        with p.logged_in() as t:
            same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "MAIL")
            for rcpt in chunk:
                reply = t.cmd(f"RCPT TO:{rcpt}")
                # A domain with an underscore is an error to some only.
                if reply.code // 100 != 5 and "_" not in rcpt:
                    raise AssertionError(f"{rcpt}: {reply}")
            same(t.cmd(f"RCPT TO:<{RCPT}>").code, 250, "a good one")


@tap.case("commands out of order: 503; the transaction is reset as it should")
def order(p):
    with p.logged_in() as t:
        same(t.cmd(f"RCPT TO:<{RCPT}>").code, 503, "RCPT before MAIL")
        same(t.cmd("DATA").code, 503, "DATA before MAIL")
        same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 250, "MAIL")
        same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 503, "MAIL twice")
        same(t.cmd("DATA").code // 100, 5, "DATA before RCPT")
        same(t.auth(ALICE, PASSWORD).code, 503, "AUTH twice")
        same(t.cmd(f"RCPT TO:<{RCPT}>").code, 250, "RCPT")
        same(t.cmd("VRFY \u00fcmlaut@example.org").code // 100 in (2, 5),
             True, "VRFY inside")
        same(t.cmd("NOOP").code, 250, "NOOP inside")
        same(t.cmd("DATA x").code, 501, "DATA with argument")
        same(t.data(client.message(ALICE)).code, 250, "message")
    with p.logged_in() as t:
        for reset in ("RSET", "EHLO again.example"):
            same(t.mail(ALICE, RCPT).code, 250, "RCPT")
            same(t.cmd(reset).code, 250, reset)
            same(t.cmd("DATA").code, 503, f"DATA after {reset}")
        same(t.cmd("RSET now").code, 501, "RSET with argument")


@tap.case("EHLO arguments that are none")
def ehlo(p):
    with p.smtp("implicit") as t:
        for name in ("", "x" * 300, "a b c", "<script>", "a\tb"):
            reply = t.cmd("EHLO" + (" " + name if name else ""))
            if reply.code not in (250, 501, 500):
                raise AssertionError(f"EHLO {name!r}: {reply}")
            if len(name) > 255 or not name:
                same(reply.code // 100, 5, f"EHLO {name!r}")
        in_step(t)


@tap.case("a header without end, over a hundred Received fields: refused")
def headers(p):
    mark = p.mark_log()
    with p.logged_in() as t:
        head = f"From: <{ALICE}>\r\n" + \
            "Received: from a by b; Fri, 21 Nov 2025 12:00:00 +0000\r\n" * 101
        reply = t.submit(ALICE, [RCPT], head + "\r\nx\r\n")
        same((reply.code, reply.enhanced), (554, "5.4.6"), "101 hops")
        in_step(t)
        head = f"From: <{ALICE}>\r\n" + "X-A: " + "b" * 60 + "\r\n"
        reply = t.submit(ALICE, [RCPT], head + "X-B: c\r\n" * 100000
                         + "\r\nx\r\n")
        same(reply.code // 100, 5, "100,000 fields")
        in_step(t)
    same(p.events("msg.accepted", mark), [], "accepted")


@tap.case("lines of 998 octets pass, longer ones make no line of their own")
def text_lines(p):
    head = f"From: <{ALICE}>\r\nSubject: long\r\n\r\n"
    for length in (998, 999, 1000, 1022, 1024, 2048, 4096, 65536):
        mark = p.mark_log()
        with p.logged_in() as t:
            line = "x" * (length - 1) + "."
            reply = t.submit(ALICE, [RCPT], head + line + "\r\nend\r\n")
            if length <= 998:
                same(reply.code, 250, f"{length} octets")
            if reply.code == 250:
                # Whether it is passed on or folded: no dot came to stand
                # alone, so that it is the same message behind the sink.
                wait(lambda: p.events("msg.delivered", mark)
                     or p.events("msg.bounced", mark), 20, "settled")
            else:
                same(reply.code // 100, 5, f"{length} octets")
            in_step(t)
    p.sink.complaints = [c for c in p.sink.complaints if "998" not in c]


@tap.case("many errors: 421 and closed")
def errors(p):
    with p.logged_in() as t:
        for n in range(200):
            try:
                reply = t.cmd("FOO" if n % 2 else "RCPT TO:<>")
            except Closed:
                return
            if reply.code == 421:
                if not t.closed():
                    raise AssertionError("open after 421")
                return
        raise AssertionError("200 errors and still there")


@tap.case("three wrong passwords on one connection end it")
def guesses(p):
    with p.smtp("implicit", source="127.3.2.1") as t:
        t.ehlo()
        for n in range(10):
            try:
                reply = t.auth(BOB, f"guess {n}")
            except Closed:
                break
            if reply.code == 421 or n >= 2 and t.closed(1):
                break
            same(reply.code // 100 in (4, 5), True, f"guess {n}: {reply}")
        else:
            raise AssertionError("ten guesses on one connection")
        if n > 4:
            raise AssertionError(f"{n + 1} guesses on one connection")


# Clients that want too much of us.

@tap.case("more connections from one address than allowed: 421, "
          "others get through")
def crowd(p):
    held = []
    try:
        refused = 0
        for _ in range(PER_ADDRESS + 10):
            t = p.smtp(None, source="127.4.1.1", strict=False)
            held.append(t)
            try:
                refused += t.reply(bare=True).code == 421
            except Closed:
                refused += 1
        # Each process that talks to clients has its share of the limit, so
        # never more than the limit get in, and at least one share does.
        share = PER_ADDRESS // (os.cpu_count() or 1)
        if not 10 <= refused <= len(held) - share:
            raise AssertionError(f"{refused} of {len(held)} refused")
        with p.logged_in(source="127.5.1.1"):
            pass
    finally:
        for t in held:
            t.close()

    def again():
        with p.smtp(None, source="127.4.1.1", strict=False) as t:
            return t.reply(bare=True).code == 220
    wait(again, 10, "the address is welcome again")


@tap.case("a network that does nothing but handshakes is turned away, "
          "others and those who log in are not")
def handshakes(_):
    with Postern(accounts=[ALICE],
                 limits={"handshakes-per-minute": "40"}) as p:
        mark, turned = p.mark_log(), 0
        for n in range(120):
            try:
                with p.smtp("starttls", source=f"127.6.1.{1 + n % 9}",
                            strict=False):
                    pass
            except (AssertionError, Closed, OSError):
                turned += 1
        # Some of a minute may pass meanwhile.
        if not 40 <= turned <= 100:
            raise AssertionError(f"{turned} of 120 turned away")
        p.wait_event("smtp.closed", mark, hint="too-many-handshakes")
        for _ in range(60):
            with p.logged_in(source="127.7.1.1"):
                pass


@tap.case("more sessions of one account than allowed, from everywhere: 421")
def one_account(p):
    share = PER_ADDRESS // (os.cpu_count() or 1)
    held, refused = [], 0
    try:
        for n in range(PER_ADDRESS + 10):
            t = p.smtp("implicit", source=f"127.6.{n}.1", strict=False)
            held.append(t)
            t.ehlo()
            reply = t.cmd("AUTH PLAIN " + client.plain(ALICE, PASSWORD))
            refused += reply.code == 421
        if not 10 <= refused <= len(held) - share:
            raise AssertionError(f"{refused} of {len(held)} refused")
        with p.logged_in(1, source="127.6.0.2"):
            pass  # the other account
    finally:
        for t in held:
            t.close()

    def again():
        with p.smtp("implicit", source="127.6.0.1", strict=False) as t:
            t.ehlo()
            return t.cmd("AUTH PLAIN " + client.plain(
                ALICE, PASSWORD)).code == 235
    wait(again, 10, "the account is welcome again")


def memory_kib(p):
    total = 0
    for pid in p.pid("postern-smtpd"):
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total


@tap.case("clients that do not read: bounded memory, others are served")
def deaf(p):
    before = memory_kib(p)
    held = []
    try:
        for n in range(8):
            t = p.logged_in(source=f"127.6.{n}.1")
            t.sock.settimeout(0.5)
            held.append(t)
            try:
                for _ in range(40):
                    t.send(b"HELP\r\n" * 20000)
            except (OSError, Closed):
                pass
        grown = memory_kib(p) - before
        if grown > 16 * 1024:
            raise AssertionError(f"smtpd grew by {grown} KiB")
        began = time.monotonic()
        with p.logged_in(source="127.5.2.1") as t:
            same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
                 "another client")
        if time.monotonic() - began > 3:
            raise AssertionError("another client had to wait")
    finally:
        for t in held:
            t.close()


@tap.case("three hundred silent connections: bounded memory, "
          "others are served")
def silent(p):
    before = memory_kib(p)
    held = []
    try:
        for n in range(300):
            held.append(socket.create_connection(
                ("127.0.0.1", p.port465 if n % 2 else p.port587), 5,
                source_address=(f"127.8.{n % 250}.{n // 250 + 1}", 0)))
            if n % 3 == 0:
                held[-1].sendall(b"\x16\x03\x01")
        began = time.monotonic()
        with p.logged_in(source="127.5.3.1") as t:
            same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
                 "another client")
        if time.monotonic() - began > 3:
            raise AssertionError("another client had to wait")
        grown = memory_kib(p) - before
        if grown > 300 * 64:
            raise AssertionError(f"{grown} KiB for 300 connections")
    finally:
        for s in held:
            s.close()


@tap.case("clients that leave in the middle of anything leave nothing")
def leavers(p):
    mark = p.mark_log()
    steps = [b"EHLO x\r\n", b"AUTH PLAIN " + client.plain(
        ALICE, PASSWORD).encode() + b"\r\n", f"MAIL FROM:<{ALICE}>\r\n"
        .encode(), f"RCPT TO:<{RCPT}>\r\n".encode(), b"DATA\r\n",
        f"From: <{ALICE}>\r\n\r\nhalf a".encode(), b" line\r\n", b".\r"]
    for stop in range(len(steps)):
        with p.smtp("implicit") as t:
            for n, step in enumerate(steps[:stop + 1]):
                t.send(step)
                if n < 5:
                    t.reply(bare=True)
    time.sleep(0.2)
    same(p.events("msg.accepted", mark), [], "accepted")
    wait(lambda: p.queue() == [], 10, "an empty queue")


@tap.case("close_notify in the middle of the data ends it unaccepted")
def cut(p):
    mark = p.mark_log()
    with ready(p) as t:
        t.send(f"From: <{ALICE}>\r\n\r\nall of it\r\n.")
        try:
            t.sock.unwrap()
        except OSError:
            pass
    time.sleep(0.1)
    same(p.events("msg.accepted", mark), [], "accepted")


# What goes out, and what is written down.

LENIENT = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r",
           b"\r\n.\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\r\n.\r\r\n",
           b"\r\n.\r\r\n"]


@tap.case("what a receiver says splits no notice")
def reply_smuggling(p):
    evil = (b"550 5.1.1 no\n.\r\nMAIL FROM:<evil@example.net>\r\n",
            b"550 5.1.1 no\r.\rMAIL FROM:<evil@example.net>\r\n",
            b"550 5.1.1 no\0\x0b\x1b]0;x\x07\xff\xc2\x85.\xc2\x85\r\n",
            b"550-5.1.1 no\r\n550-.\r\n550 MAIL FROM:<evil@example.net>\r\n")
    for n, said in enumerate(evil):
        mark = p.mark_log()
        p.sink.script = {"rcpt": lambda s, arg, said=said:
                         said if "hostile" in arg else None}
        try:
            p.send(f"hostile{n}@example.net")
            if n < 2:
                # No reply at all: it is tried again later.
                p.wait_event("msg.deferred", mark)
                p.must("queue", "remove", "--all", "--yes")
                continue
            p.wait_event("msg.bounced", mark)
            notice = wait(lambda: p.sink.to(ALICE), 20, "the notice")[-1]
        finally:
            p.sink.script = {}
        stray = notice.data.replace(b"\r\n", b"")
        for octet in b"\r\n\0\x0b\x1b":
            if octet in stray:
                raise AssertionError(f"octet {octet} in the notice")
        if any(end in notice.data for end in LENIENT):
            raise AssertionError("the notice can be split")
        for line in notice.data.split(b"\r\n"):
            if line in (b".", b"MAIL FROM:<evil@example.net>"):
                raise AssertionError(f"a line of the notice is {line!r}")
        same([m for m in p.sink.messages if "evil" in m.sender], [], "smuggled")


@tap.case("names that end in the log stay in their quotes, on their line")
def log_lines(p):
    mark = p.mark_log()
    evil = 'x" ip=10.9.9.9 auth.ok account="bob\\'
    with p.smtp("implicit", source="127.3.7.1") as t:
        t.ehlo()
        same(t.auth(evil, "wrong").code, 535, "AUTH")
        same(t.auth("\u202e\u2028x\u0085y", "wrong").code // 100, 5, "AUTH")
    # A name that no host has, in the handshake.
    for name in ('x" tls.ok ip=10.9.9.9', "x\r\ntls.ok ip=10.9.9.9",
                 "x\\", "a" * 63 + ".\x1b[2J.example"):
        with socket.create_connection(("127.0.0.1", p.port465), 5) as s:
            with client.context().wrap_socket(s, server_hostname=name) as t:
                t.settimeout(10)
                same(t.recv(3), b"220", f"SNI {name!r}")
    with p.logged_in() as t:
        same(t.cmd("EHLO x\"y").code in (250, 501), True, "EHLO")
        reply = t.submit(ALICE, [RCPT], client.message(
            ALICE, extra="X-A: \x1b[2J\r\nMessage-Id: <a\" id=1 b@c>\r\n")
            .replace(b"Message-ID: <", b"X-ID: <"))
        same(reply.code, 250, "message")
    p.wait_event("msg.accepted", mark)
    log = p.log(mark)
    for line in log.splitlines():
        if not re.fullmatch(r"[\x20-\x7e]+", line):
            raise AssertionError(f"log line {line!r}")
    for event in ("auth.failed", "msg.accepted", "tls.failed", "auth.ok"):
        for found in p.events(event, mark):
            if "10.9.9.9" in (found.get("ip"), found.get("account")):
                raise AssertionError(f"{event}: {found}")
    # Of a name that nobody has only the beginning is written down, and nothing
    # of what is none.
    same([(found["reason"], found["user"])
          for found in p.events("auth.failed", mark)],
         [("unknown-user", evil[:3]), ("malformed", "")], "users in the log")


@tap.case("names in EHLO get into no header field of their own")
def header_injection(p):
    for name in ("a\\b", "a;b", "[x]", "(a", "a)b", '"', "a" * 255, "[127.0.0.1]",
                 "x\tBcc:y@example.net"):
        with p.smtp("implicit") as t:
            t.ehlo()
            same(t.auth(ALICE, PASSWORD).code, 235, "AUTH")
            if t.cmd(f"EHLO {name}").code != 250:
                continue
            before = len(p.sink.messages)
            same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
                 f"EHLO {name!r}; message")
        wait(lambda: len(p.sink.messages) > before, 20, "arrives")
        head = p.sink.messages[-1].header
        received = [line for line in re.sub(rb"\r\n[ \t]", b" ", head)
                    .split(b"\r\n") if line.startswith(b"Received:")]
        same(len(received), 1, "Received fields")
        # Quotes, brackets and backslashes would change what follows.
        if received[0].count(b"(") != received[0].count(b")"):
            raise AssertionError(f"EHLO {name!r}: {received[0]!r}")
        for field in head.split(b"\r\n"):
            if field and not re.match(rb"[!-9;-~]+:|[ \t]", field):
                raise AssertionError(f"EHLO {name!r}: {field!r}")


if tap.FULL:
    @tap.case("a client that says nothing is sent away in five minutes")
    def patience(p):
        with p.smtp(None, timeout=330) as t:
            t.reply(bare=True)
            began = time.monotonic()
            if not t.closed(320):
                raise AssertionError("still open after 320 s")
            if time.monotonic() - began < 20:
                raise AssertionError("sent away too early")


if __name__ == "__main__":
    tap.main(lambda: Postern(
        accounts=[ALICE, BOB],
        limits={"message-size": "1M", "recipients": "100",
                "connections": str(PER_ADDRESS)}))
