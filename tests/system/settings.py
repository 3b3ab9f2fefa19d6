#!/usr/bin/python3
"""postern client-settings says what mail programs need, as they read it."""
# run: limit 90

import json
import os
import plistlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
import thunderbird
from postern import BUILD
from tap import FULL, has, same

ALICE = "alice@example.org"
LISTEN = """\
[listen submission]
address = 0.0.0.0:587, [::]:587
tls     = starttls
[listen submissions]
address = 0.0.0.0:465, [::]:465
tls     = implicit
[listen scanners]
address = 0.0.0.0:2465
tls     = implicit
legacy  = yes
"""
IMAP = ("--imap", "imap.example.org")


class Site:
    """Only a configuration: no server runs."""

    def __enter__(self):
        self.work = tempfile.TemporaryDirectory()
        self.dir = self.work.name
        self.conf = os.path.join(self.dir, "postern.conf")
        with open(self.conf, "w") as f:
            f.write("hostname = mail.example.org\n" + LISTEN
                    + f"[paths]\nstate = {self.dir}\nrun = {self.dir}\n")
        return self

    def __exit__(self, *_):
        self.work.cleanup()

    def ask(self, *words, address=ALICE, code=0):
        done = subprocess.run(
            [os.path.join(BUILD, "postern"), "--config", self.conf,
             "client-settings", address, *words],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        same(done.returncode, code, f"exit status ({done.stderr})")
        return (done.stdout if code == 0 else done.stderr).decode()


@tap.case("text: the name, the server, the ports, the best one first")
def text(p):
    said = p.ask()
    for word in (ALICE, "mail.example.org", "465, SSL/TLS", "587, STARTTLS"):
        has(said, word)
    same(said.index("465") < said.index("587"), True, "order")
    same("2465" in said, False, "the port for old devices")
    same("IMAP" in said, False, "IMAP that nobody named")
    has(p.ask("--imap", "imap.example.org:1993"), "port 1993")


@tap.case("json")
def document(p):
    for words in (("--json",), ("--format", "json"), ("--format=json",)):
        said = json.loads(p.ask(*words))
        same(said["user"], ALICE, "user")
        same(said["imap"], None, "imap")
        same([(s["host"], s["port"], s["security"]) for s in said["smtp"]],
             [("mail.example.org", 465, "tls"),
              ("mail.example.org", 587, "starttls")], "smtp")


@tap.case("autoconfig: both directions")
def autoconfig(p):
    root = xml.etree.ElementTree.fromstring(
        p.ask("--format", "autoconfig", *IMAP))
    same((root.tag, root.get("version")), ("clientConfig", "1.1"), "root")
    same(root.find("emailProvider/domain").text, "example.org", "domain")
    servers = [(s.get("type"), s.find("hostname").text, s.find("port").text,
                s.find("socketType").text, s.find("authentication").text,
                s.find("username").text)
               for s in root.find("emailProvider") if s.tag[-6:] == "Server"]
    same(servers, [
        (kind, host, port, security, "password-cleartext", "%EMAILADDRESS%")
        for kind, host, port, security in (
            ("imap", "imap.example.org", "993", "SSL"),
            ("smtp", "mail.example.org", "465", "SSL"),
            ("smtp", "mail.example.org", "587", "STARTTLS"))], "servers")


@tap.case("mobileconfig: a profile, the same one twice, any address")
def mobileconfig(p):
    seen = set()
    for address in (ALICE, "a&b@example.org", '"<x>"@example.org'):
        said = p.ask("--format", "mobileconfig", *IMAP, address=address)
        same(p.ask("--format", "mobileconfig", *IMAP, address=address), said,
             "a second one")
        profile = plistlib.loads(said.encode())
        same(profile["PayloadType"], "Configuration", "type")
        mail, = profile["PayloadContent"]
        same(mail["PayloadType"], "com.apple.mail.managed", "type")
        same((mail["OutgoingMailServerHostName"],
              mail["OutgoingMailServerPortNumber"],
              mail["OutgoingMailServerUseSSL"],
              mail["OutgoingMailServerUsername"]),
             ("mail.example.org", 465, True, address), "outgoing")
        same((mail["IncomingMailServerHostName"],
              mail["IncomingMailServerPortNumber"]),
             ("imap.example.org", 993), "incoming")
        seen |= {profile["PayloadUUID"], mail["PayloadUUID"]}
    same(len(seen), 6, "names of payloads")


@tap.case("qr: the code of Thunderbird's export, module for module")
def qr(p):
    try:
        import qrcodegen
    except ImportError:
        raise tap.Skip("no python3-qrcodegen") from None
    lines = p.ask("--format", "qr", *IMAP).splitlines()
    rows = []
    for line in lines:
        rows.append([c in " \u2584" for c in line])
        rows.append([c in " \u2580" for c in line])
    want = qrcodegen.QrCode.encode_text(json.dumps(
        [1, [1, 1],
         [0, "imap.example.org", 993, 3, 1, ALICE, ALICE, ""],
         [[[0, "mail.example.org", 465, 3, 1, ALICE, ""], [ALICE, ""]]]],
        separators=(",", ":")), qrcodegen.QrCode.Ecc.LOW)
    size = want.get_size()
    same([row[4:4 + size] for row in rows[4:4 + size]],
         [[want.get_module(x, y) for x in range(size)] for y in range(size)],
         "modules")


@tap.case("what is missing or wrong is named")
def wrong(p):
    for form in ("autoconfig", "mobileconfig", "qr"):
        has(p.ask("--format", form, code=2), "--imap HOST")
    has(p.ask("--format", "html", code=2), "mobileconfig")
    for bad in ("x y", "h:0", "h:65536", "h:+1", "h:1x", "-x", "a/b",
                "h:", "<x>"):
        has(p.ask("--imap", bad, code=2), "HOST:PORT")
    p.ask(address="alice", code=2)


READS = r"""
const { readFromXML } = ChromeUtils.importESModule(
    "resource:///modules/accountcreation/readFromXML.sys.mjs");
const { JXON } = ChromeUtils.importESModule("resource:///modules/JXON.sys.mjs");
const found = readFromXML(JXON.build(
    new DOMParser().parseFromString(arguments[0], "text/xml")), "test");
return [found.outgoing, ...found.outgoingAlternatives, found.incoming].map(
    s => [s.type, s.hostname, s.port, s.socketType, s.auth]);
"""


def read(p):
    with thunderbird.Thunderbird(p.dir) as t:
        # Sockets: 3 is TLS, 2 STARTTLS; auth 3 is a normal password.
        same(t.script(READS, p.ask("--format", "autoconfig", *IMAP)), [
            ["smtp", "mail.example.org", 465, 3, 3],
            ["smtp", "mail.example.org", 587, 2, 3],
            ["imap", "imap.example.org", 993, 3, 3]], "servers")


if FULL:
    tap.add("autoconfig: Thunderbird reads it", read)

if __name__ == "__main__":
    tap.main(Site)
