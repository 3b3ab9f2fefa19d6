#!/usr/bin/python3
"""8-bit mail for a server that takes 7 bits: converted, or sent back."""
# run: limit 60

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import Postern, free_port
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"
SEVEN = ("PIPELINING", "SIZE 50000000", "ENHANCEDSTATUSCODES")
TEXT = ("Gr\u00fc\u00dfe aus K\u00f6ln = 100 %\r\n"
        "a line that ends in a blank \r\n"
        ".a dot\r\n" + "\u00e9" * 400 + "\r\n"
        "From here on\r\n\r\nend\r\n")


class Site(Postern):
    def set_up(self):
        self.far = Sink(port=free_port(), extensions=SEVEN).start()
        self.routes["seven.example"] = {"via": f"127.0.0.1:{self.far.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.far.stop()

    def check(self):
        self.far.check("the far server")
        super().check()


def head(*lines):
    return "".join(line + "\r\n" for line in
                   (f"From: <{ALICE}>", "Subject: eight", "MIME-Version: 1.0",
                    *lines))


def arrives(p, text, to="v@seven.example"):
    """Send; the message as it arrived at the 7-bit server."""
    p.far.clear()
    raw = text if isinstance(text, bytes) else text.encode()
    mark = p.mark_log()
    ident = p.send(to, raw=raw)
    p.wait_event("msg.delivered", mark, id=ident)
    kept = p.far.messages[0]
    same("BODY" in kept.sender_params, False, "BODY parameter")
    high = [line for line in kept.data.split(b"\r\n")
            if any(octet > 127 for octet in line)]
    same(high, [], "8-bit lines")
    return kept


@tap.case("text/plain, utf-8: quoted-printable, the same text")
def plain(p):
    kept = arrives(p, head("Content-Type: text/plain; charset=utf-8",
                           "Content-Transfer-Encoding: 8bit")
                   + "\r\n" + TEXT)
    mail = kept.parsed()
    same(mail["Content-Transfer-Encoding"], "quoted-printable", "encoding")
    same(len(mail.get_all("Content-Transfer-Encoding")), 1, "such fields")
    same(mail.get_payload(decode=True), TEXT.encode(), "text")
    same(mail["Subject"], "eight", "Subject")
    for line in kept.body.split(b"\r\n"):
        if len(line) > 76:
            raise AssertionError(f"an encoded line of {len(line)} octets")


@tap.case("without any MIME field: no octet is lost")
def bare(p):
    text = f"From: <{ALICE}>\r\nSubject: eight\r\n\r\n" + TEXT
    kept = arrives(p, text.encode("latin1"))
    mail = kept.parsed()
    same(mail.get_payload(decode=True), TEXT.encode("latin1"), "text")
    same(len(mail.get_all("MIME-Version", [])), 1, "MIME-Version fields")


@tap.case("multipart: each part by itself, boundaries kept")
def multipart(p):
    png = bytes(range(128, 256)) * 6
    raw = (head('Content-Type: multipart/mixed; boundary="b o:u/n"')
           + "\r\npreamble\r\n--b o:u/n\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n"
           "Content-Transfer-Encoding: 8bit\r\n\r\n").encode() \
        + TEXT.encode() + (
            "\r\n--b o:u/n\r\nContent-Type: text/html; charset=us-ascii\r\n"
            "\r\n<p>plain</p>\r\n--b o:u/n\r\n"
            "Content-Type: application/x-thing\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n").encode() \
        + png.replace(b"\r", b"").replace(b"\n", b"") \
        + b"\r\n--b o:u/n--\r\nepilogue\r\n"
    mail = arrives(p, raw).parsed()
    parts = list(mail.iter_parts())
    same(len(parts), 3, "parts")
    same(parts[0].get_payload(decode=True), TEXT.encode(), "first part")
    same(parts[1].get_content().strip(), "<p>plain</p>", "second part")
    same(parts[1]["Content-Transfer-Encoding"], None, "its encoding")
    same(parts[2].get_payload(decode=True).rstrip(b"\r\n"),
         png.replace(b"\r", b"").replace(b"\n", b""), "third part")


@tap.case("nested multipart and an attached message")
def nested(p):
    inner = ("--in\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: 8bit\r\n\r\n\u00e4\u00f6\u00fc\r\n"
             "--in\r\nContent-Type: text/plain\r\n\r\nseven\r\n--in--\r\n")
    raw = head('Content-Type: multipart/mixed; boundary=out') \
        + "\r\n--out\r\nContent-Type: multipart/alternative; boundary=in\r\n" \
        + "Content-Transfer-Encoding: 8bit\r\n\r\n" + inner \
        + "--out\r\nContent-Type: text/plain\r\n\r\nlast\r\n--out--\r\n"
    mail = arrives(p, raw).parsed()
    parts = list(mail.walk())
    texts = [part.get_payload(decode=True) for part in parts
             if not part.is_multipart()]
    same([t.rstrip(b"\r\n") for t in texts],
         ["\u00e4\u00f6\u00fc".encode(), b"seven", b"last"], "parts")
    for part in parts:
        if part.is_multipart() and part["Content-Transfer-Encoding"] \
                not in (None, "7bit"):
            raise AssertionError(f"multipart with encoding "
                                 f"{part['Content-Transfer-Encoding']}")


@tap.case("a body of 7 bits is left alone, whatever it says of itself")
def seven(p):
    body = "just seven bits = 7\r\n" * 5
    kept = arrives(p, head("Content-Type: text/plain; charset=utf-8",
                           "Content-Transfer-Encoding: 8bit")
                   + "\r\n" + body)
    same(kept.body, body.encode(), "body")


@tap.case("long lines and a megabyte of them")
def large(p):
    line = "\u00e9\u00e8 " * 150 + "\r\n"
    body = line * 2000
    kept = arrives(p, head("Content-Type: text/plain; charset=utf-8",
                           "Content-Transfer-Encoding: 8bit")
                   + "\r\n" + body)
    if kept.parsed().get_payload(decode=True) != body.encode():
        raise AssertionError("the text differs")


@tap.case("what must not be changed goes back: 5.6.3")
def signed(p):
    p.sink.clear()
    raw = head('Content-Type: multipart/signed; boundary=s; '
               'protocol="application/pgp-signature"; micalg=pgp-sha256') \
        + "\r\n--s\r\nContent-Type: text/plain; charset=utf-8\r\n" \
        "Content-Transfer-Encoding: 8bit\r\n\r\ngr\u00fc\u00dfe\r\n" \
        "--s\r\nContent-Type: application/pgp-signature\r\n\r\nxx\r\n" \
        "--s--\r\n"
    p.far.clear()
    mark = p.mark_log()
    ident = p.send("v@seven.example", raw=raw.encode())
    event = p.wait_event("msg.bounced", mark, id=ident)
    has(str(event), "5.6.3", "status")
    same(p.far.messages + p.far.refused, [], "messages at the server")
    kept = wait(lambda: p.sink.to(ALICE), 20, "the bounce")[0]
    has(kept.data.decode(), "5.6.3", "the bounce")


@tap.case("8-bit in the header never leaves for such a server")
def header(p):
    p.sink.clear()
    p.far.clear()
    raw = (f"From: <{ALICE}>\r\nSubject: gr\u00fc\u00dfe\r\n\r\n"
           "body\r\n").encode()
    mark = p.mark_log()
    with p.logged_in() as t:
        reply = t.submit(ALICE, ["v@seven.example"], raw)
    if reply.code == 250:
        ident = p.accepted(reply, mark)
        p.wait_event("msg.bounced", mark, id=ident)
        wait(lambda: p.queue() == [], 20, "an empty queue")
    else:
        same(reply.code // 100, 5, "class")
    same(p.far.messages + p.far.refused, [], "messages at the server")


@tap.case("an 8BITMIME server gets it as it is, with BODY=8BITMIME")
def eight(p):
    p.sink.clear()
    raw = head("Content-Type: text/plain; charset=utf-8",
               "Content-Transfer-Encoding: 8bit") + "\r\n" + TEXT
    p.send("v@eight.example", raw=raw.encode())
    kept = wait(lambda: p.sink.to("v@eight.example"), 20, "it arrives")[0]
    same(kept.body, TEXT.encode(), "body")
    has(kept.sender_params.upper(), "BODY=8BITMIME", "MAIL parameters")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
