#!/usr/bin/python3
"""Behind a load balancer: HAProxy in front, and those who only say they are."""
# run: limit 90

import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Closed, Talk
from postern import PASSWORD, Postern, free_port
from proxied import dial, talk, v1
from tap import has, same, wait

ALICE = "alice@example.org"
RCPT = "carol@example.net"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BALANCER, STRANGER = "127.0.0.1", "127.0.0.9"


class Site(Postern):
    """Two listeners that take connections of 127.0.0.1 and of a network of
    IPv6 only with a header."""

    def set_up(self):
        self.smtps, self.smtp_port = free_port(), free_port()
        # Each worker has its share of the limit.
        self.extra = "[smtpd]\nworkers = 2\n" + "".join(
            f"[listen {name}]\naddress = 127.0.0.1:{port}\ntls = {mode}\n"
            "proxy-from = 127.0.0.1, 2001:db8::/32\n"
            for name, port, mode in (("lb465", self.smtps, "implicit"),
                                     ("lb587", self.smtp_port, "starttls")))
        super().set_up()

    def open(self, header, port=None, source=BALANCER):
        return dial(port or self.smtp_port, header, source)


def v2(source, command=0x21, tlv=b""):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    address = socket.inet_pton(family, source) * 2
    body = address + struct.pack(">HH", 4242, 587) + tlv
    return SIGNATURE + bytes([command, 0x21 if ":" in source else 0x11]) + \
        struct.pack(">H", len(body)) + body


def closed(sock):
    """Whether it ends without a word."""
    try:
        return sock.recv(100) == b""
    except ConnectionError:
        return True


for name, header, ip in (
        ("v1", v1("192.0.2.7"), "192.0.2.7"),
        ("v1 of IPv6", v1("2001:db8::7"),
         "2001:db8::7"),
        ("v1 UNKNOWN", b"PROXY UNKNOWN\r\n", BALANCER),
        ("v2", v2("192.0.2.8"), "192.0.2.8"),
        ("v2 of IPv6", v2("2001:db8::8"), "2001:db8::8"),
        ("v2 with TLVs", v2("192.0.2.8", tlv=b"\x04\x01\x00" + b"n" * 256),
         "192.0.2.8"),
        ("v2 LOCAL", v2("192.0.2.8", command=0x20), BALANCER)):
    @tap.case(f"{name}: the log has the client's address", header, ip)
    def address(p, header, ip):
        mark = p.mark_log()
        with talk(p.open(header)) as t:
            same(t.reply(bare=True).code, 220, "banner")
            t.ehlo()
            t.starttls()
            t.login(ALICE, PASSWORD)
            same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
                 "message")
        p.wait_event("auth.ok", mark, ip=ip)
        p.wait_event("msg.accepted", mark, ip=ip)
        # Before TLS, whatever the pieces it comes in.
        mark = p.mark_log()
        raw = p.open(header[:1], p.smtps)
        for i in range(1, len(header), max(1, len(header) // 7)):
            raw.sendall(header[i:i + max(1, len(header) // 7)])
            time.sleep(0.002)
        with talk(client.context().wrap_socket(raw)) as t:
            same(t.reply(bare=True).code, 220, "banner")
            t.login(ALICE, PASSWORD)
        p.wait_event("auth.ok", mark, ip=ip)


@tap.case("header and ClientHello in one segment")
def together(p):
    ends = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client.context().wrap_bio(*ends)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    with p.open(v2("192.0.2.9") + ends[1].read(), p.smtps) as raw:
        for _ in range(20):
            ends[0].write(raw.recv(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
        raw.sendall(ends[1].read())
        while True:
            try:
                has(tls.read(100), b"220 ", "banner")
                break
            except ssl.SSLWantReadError:
                ends[0].write(raw.recv(65536))


@tap.case("no header, half a one, a wrong one: closed without a word")
def hostile(p):
    mark = p.mark_log()
    wrong = {
        "a client": b"EHLO me\r\n",
        "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"x" * 500,
        "v1 without an end": b"PROXY TCP4 " + b"1" * 200,
        "v1 LF": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        "v1 with a command": b"PROXY TCP4 192.0.2.1\r\nEHLO me\r\n",
        "v1 log forged": b"PROXY TCP4 192.0.2.1\nauth.ok 192.0.2.2 1 2\r\n",
        "v1 UDP": b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        "v2 version 3": v2("192.0.2.1", command=0x31),
        "v2 command": v2("192.0.2.1", command=0x2f),
        "v2 too long": SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 4000,
        "v2 too short": SIGNATURE + b"\x21\x11\0\x04\xc0\0\2\1",
        "v2 unix": SIGNATURE + b"\x21\x31\0\xd8" + b"/x" * 108,
    }
    for name, header in wrong.items():
        for port in (p.smtp_port, p.smtps):
            with p.open(header, port) as s:
                same(closed(s), True, f"{name}: closed")
    same(len(p.events("smtp.closed", mark, hint="bad-proxy-header")),
         2 * len(wrong), "logged")
    # Nothing at all, or the rest never comes: five seconds.
    began = time.monotonic()
    waiting = [p.open(header) for header in
               (b"", b"PROXY", v1("192.0.2.1")[:-1], v2("192.0.2.1")[:-1],
                SIGNATURE)]
    for s in waiting:
        s.settimeout(15)
        same(closed(s), True, "closed")
        s.close()
    took = time.monotonic() - began
    if not 4.5 < took < 14:
        raise AssertionError(f"after {took:.1f} s")
    p.wait_event("smtp.closed", mark, hint="no-proxy-header")
    with p.open(b"PROXY TCP4") as s:
        s.shutdown(socket.SHUT_WR)
        same(closed(s), True, "half a header: closed")


@tap.case("from elsewhere: closed, header or not")
def elsewhere(p):
    mark = p.mark_log()
    for header in (v1("127.0.0.1"), v2("127.0.0.1"), b"EHLO me\r\n"):
        with p.open(b"", source=STRANGER) as s:
            try:
                s.sendall(header)
            except ConnectionError:
                continue
            same(closed(s), True, "closed")
    p.wait_event("smtp.closed", mark, ip=STRANGER, hint="not-proxy-from")


@tap.case("a listener without proxy-from takes it for an unknown command")
def unknown(p):
    for header in (v1("192.0.2.1"), b"PROXY UNKNOWN\r\n"):
        with talk(p.open(header, p.port587)) as t:
            same(t.reply(bare=True).code, 220, "banner")
            same(t.reply().code, 500, "PROXY")
            same(t.ehlo().code, 250, "EHLO")
    with p.open(v2("192.0.2.1"), p.port465) as s:
        try:
            while s.recv(100):
                pass  # an alert
        except ConnectionError:
            pass


@tap.case("an address in a header is no account, and counts for limits")
def trust(p):
    with talk(p.open(v1("127.0.0.1"))) as t:
        t.reply(bare=True)
        t.ehlo()
        same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 530, "MAIL")
        t.starttls()
        t.ehlo()
        same(t.cmd(f"MAIL FROM:<{ALICE}>").code, 530, "MAIL")
    # One address has its limit, another one room.
    crowd, refused = [], 0
    try:
        for _ in range(110):
            crowd.append(talk(p.open(v1("198.51.100.1")), strict=False))
            refused += crowd[-1].reply(bare=True).code == 421
        if refused < 10:
            raise AssertionError(f"{refused} of 110 refused")
        with talk(p.open(v1("198.51.100.2"))) as t:
            same(t.reply(bare=True).code, 220, "somebody else")
    finally:
        for t in crowd:
            t.close()


HAPROXY = """
global
    log stderr format raw local0
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend f1
    bind 127.0.0.1:{v1}
    default_backend b1
backend b1
    server s 127.0.0.1:{to} send-proxy
frontend f2
    bind 127.0.0.1:{v2}
    default_backend b2
backend b2
    server s 127.0.0.1:{to} send-proxy-v2 check inter 200
"""


@tap.case("HAProxy in front, both versions, 465 and 587")
def haproxy(p):
    program = shutil.which("haproxy", path="/usr/sbin:" + os.environ["PATH"])
    if program is None:
        raise tap.Skip("no haproxy")
    for to, tls in ((p.smtps, "implicit"), (p.smtp_port, "starttls")):
        ports = {"v1": free_port(), "v2": free_port()}
        path = os.path.join(p.dir, "haproxy.cfg")
        p.write(path, HAPROXY.format(to=to, **ports))
        mark = p.mark_log()
        with subprocess.Popen([program, "-db", "-f", path],
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as balancer:
            try:
                for version, port in ports.items():
                    def up():
                        try:
                            with Talk(port, tls, source="127.0.0.5"):
                                return True
                        except (OSError, Closed, AssertionError):
                            return False
                    wait(up, 20, f"HAProxy {version}")
                    with Talk(port, tls, source="127.0.0.5") as t:
                        t.login(ALICE, PASSWORD)
                        same(t.submit(ALICE, [RCPT],
                                      client.message(ALICE)).code, 250,
                             f"{version}: message")
            finally:
                balancer.terminate()
        same({e["ip"] for e in p.events("msg.accepted", mark)},
             {"127.0.0.5"}, "addresses in the log")
        same(p.events("smtp.closed", mark, hint="bad-proxy-header"), [],
             "health checks with a wrong header")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
