#!/usr/bin/python3
"""What mail programs do and expect, said by hand."""
# run: limit 150

import os
import re
import shlex
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import PASSWORD, Postern
from tap import has, same, wait

ALICE = "alice@example.org"
RCPT = "carol@example.net"


@tap.case("a wrong password: 535 5.7.8, and the account stays as it was")
def wrong(p):
    def account():
        shown = p.must("account", "show", ALICE, "--json").json()
        return {k: v for k, v in shown.items()
                if not re.search(r"last|sent|fail|used|logins", k)}

    before = account()
    with p.smtp() as t:
        t.ehlo()
        reply = t.auth(ALICE, "not it")
        same((reply.code, reply.enhanced), (535, "5.7.8"), "reply")
        has(reply.text, ALICE, "the name that was typed")
    # A name that may be a password is not said back.
    with p.smtp() as t:
        t.ehlo()
        same("correct" in t.auth("correct horse", "x").text, False, "echo")
    same(account(), before, "account after a wrong password")


def habit(line, *more):
    """A login the way some programs write it, then a transaction."""
    def run_habit(p):
        p.sink.clear()
        with p.smtp() as t:
            t.ehlo()
            reply = t.cmd(line)
            for answer in more:
                same(reply.code, 334, f"code after {line}")
                reply = t.cmd(answer)
            same(reply.code, 235, f"code after {line}")
            reply = t.submit(ALICE, [RCPT], client.message(ALICE))
            same(reply.code, 250, "code of the message")
        wait(lambda: p.sink.to(RCPT), 20, "the message arrives")
    return run_habit


SECRET = client.plain(ALICE, PASSWORD)
for name, words in {
    "AUTH PLAIN with two spaces": ("AUTH PLAIN  " + SECRET,),
    "AUTH PLAIN without initial response": ("AUTH PLAIN", SECRET),
    "AUTH LOGIN with the name as initial response":
        ("AUTH LOGIN " + client.b64(ALICE), client.b64(PASSWORD)),
    "AUTH LOGIN":
        ("AUTH LOGIN", client.b64(ALICE), client.b64(PASSWORD)),
    "auth plain in lower case": ("auth plain " + SECRET,),
    "authorization identity equal to the account":
        ("AUTH PLAIN " + client.plain(ALICE, PASSWORD, ALICE),),
}.items():
    tap.add(name, habit(*words))


@tap.case("AUTH LOGIN challenges are Username: and Password:")
def challenges(p):
    with p.smtp() as t:
        t.ehlo()
        same(t.cmd("AUTH LOGIN").text, client.b64("Username:"), "first")
        same(t.cmd(client.b64(ALICE)).text, client.b64("Password:"), "second")
        same(t.cmd(client.b64(PASSWORD)).code, 235, "code")


@tap.case("a name is found in any spelling, LOGIN also in Latin-1")
def spellings(p):
    p.add("j\u00dcrgen@example.org", "gr\u00fc\u00dfe 123")
    rows = p.must("account", "list", "--json").items()
    has(str([r["account"] for r in rows]), "j\u00fcrgen@example.org", "made")
    for name in ("j\u00fcrgen@example.org", "ju\u0308rgen@Example.ORG",
                 "J\u00dcRGEN@example.org", " j\u00fcrgen@example.org "):
        with p.smtp() as t:
            t.ehlo()
            same(t.auth(name, "gr\u00fc\u00dfe 123").code, 235, repr(name))
    with p.smtp() as t:
        t.ehlo()
        t.cmd("AUTH LOGIN")
        t.cmd(client.b64("j\u00fcrgen@example.org".encode("latin-1")))
        same(t.cmd(client.b64("gr\u00fc\u00dfe 123".encode("latin-1"))).code,
             235, "LOGIN in Latin-1")


@tap.case("a name is one account, however a file spells it")
def imported(p):
    path = os.path.join(p.dir, "names")
    p.write(path, "".join(f"{name}@example.org:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37"
                          "mj9g=\n" for name in ("\u00c9lodie", "Ame\u0301")))
    p.must("account", "import", path)
    for name in ("\u00e9lodie@example.org", "am\u00e9@example.org"):
        same(p.cli("account", "add", name, "--password-stdin",
                   stdin=PASSWORD + "\n").code, 6, name)
        with p.smtp() as t:
            t.ehlo()
            same(t.auth(name, "password").code, 235, name)
    addresses = [g["address"] for g in p.must(
        "grant", "list", "\u00e9lodie@example.org", "--json").items()]
    same(sorted(addresses),
         ["\u00c9lodie@example.org", "\u00e9lodie@example.org"], "grants")


@tap.case("commands in sentences can be copied, or are not there")
def copied(p):
    name, label = "o'brien@example.org", "Pat's \"phone\""

    def undo(done):
        said = done.out + done.err
        words = shlex.split(said.split("(undo: ")[1].split(")\n")[0])
        same(words[0], "postern", said)
        p.must(*words[1:])

    p.add(name)
    undo(p.must("account", "app-password", "add", name, label))
    same(p.must("account", "app-password", "list", name, "--json").items(),
         [], "app passwords")
    undo(p.must("grant", "add", name, "`id`@example.org"))
    undo(p.must("account", "suspend", name))
    p.must("account", "suspend", name, "--reason", "away")
    page = p.must("account", "show", name).out
    for field in ("undo", "queue"):
        line = re.search(rf"^{field}\s+postern (.*)$", page, re.M).group(1)
        p.must(*shlex.split(line))
    p.must("account", "suspend", name)
    undo(p.cli("account", "test", name, "--password-stdin",
               stdin=PASSWORD + "\n"))
    long = "x" * 64 + "@" + "y" * 40 + ".example"
    with p.smtp() as t:
        t.login(ALICE, PASSWORD)
        text = t.mail("bob@example.org").text
        has(text, f"postern grant add {ALICE} bob@example.org", "a command")
        text = t.mail(long).text
        same("grant add" in text, False, text)
        has(text, "a grant", "what to ask for")


@tap.case("MAIL FROM: <> with a space, EHLO literal and bare name")
def spaces(p):
    for name in ("[192.168.1.5]", "phone", "[IPv6:fd00::1]"):
        with p.smtp() as t:
            same(t.ehlo(name).code, 250, f"EHLO {name}")
            same(t.auth(ALICE, PASSWORD).code, 235, "AUTH")
            same(t.cmd(f"MAIL FROM: <{ALICE}>").code, 250, "MAIL with space")
            same(t.cmd(f"RCPT TO: <{RCPT}>").code, 250, "RCPT with space")
            same(t.data(client.message(ALICE)).code, 250, "message")


@tap.case("a burst of EHLO and QUIT costs nobody anything")
def burst(p):
    for _ in range(20):
        with p.smtp(None) as t:
            t.reply(bare=True)
            t.ehlo("we-guess.mozilla.org")
            same(t.cmd("QUIT").code, 221, "QUIT")
    with p.logged_in():
        pass


@tap.case("Date and Message-ID are added where they lack, and only there")
def completed(p):
    p.sink.clear()
    text = f"From: <{ALICE}>\r\nTo: <{RCPT}>\r\n\r\nshort\r\n"
    with p.logged_in() as t:
        same(t.submit(ALICE, [RCPT], text).code, 250, "code")
    kept = wait(lambda: p.sink.to(RCPT), 20, "the message arrives")[0]
    header = kept.parsed()
    for name in ("Date", "Message-ID", "Received"):
        same(len(header.get_all(name, [])), 1, f"{name} fields")
    if header["Date"].datetime is None:
        raise AssertionError(f"Date: {header['Date']}")
    same(kept.body, b"short\r\n", "body")


@tap.case("Received tells neither the client's address nor its login")
def privacy(p):
    for tls, word in (("starttls", "ESMTPSA"), ("implicit", "ESMTPSA")):
        p.sink.clear()
        with p.smtp(tls, source="127.0.7.9") as t:
            t.login(ALICE, PASSWORD)
            same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
                 "code")
        kept = wait(lambda: p.sink.to(RCPT), 20, "the message arrives")[0]
        received = kept.parsed()["Received"]
        for secret in ("127.0.7.9", "alice", "client.example.org"):
            if secret in received:
                raise AssertionError(f"{secret} in Received: {received}")
        if f"with {word}" not in " ".join(received.split()):
            raise AssertionError(f"no \"with {word}\" in {received}")


@tap.case("two thousand lines and a 3 MiB message arrive intact")
def large(p):
    p.sink.clear()
    body = b"".join(b"%06d " % n + b"y" * 70 + b"\r\n" for n in range(40000))
    text = client.message(ALICE)[:-7] + body
    with p.logged_in() as t:
        same(t.submit(ALICE, [RCPT], text).code, 250, "code")
    kept = wait(lambda: p.sink.to(RCPT), 30, "the message arrives")[0]
    same(len(kept.body), len(text.partition(b"\r\n\r\n")[2]), "length")
    if kept.body != text.partition(b"\r\n\r\n")[2]:
        raise AssertionError("the body differs")


@tap.case("session tickets work, whichever worker answers")
def tickets(p):
    made = client.context()
    # A ticket of TLS 1.3 comes after the handshake: read something first.
    with p.smtp("implicit", ssl_context=made) as t:
        t.ehlo()
        session = t.sock.session
        if not session.has_ticket:
            raise AssertionError("no session ticket")
    resumed = 0
    for _ in range(6):
        with p.smtp("implicit", ssl_context=made, session=session) as t:
            t.ehlo()
            resumed += t.sock.session_reused
            session = t.sock.session
    same(resumed, 6, "sessions resumed of 6")


@tap.case("only TLS 1.2 and 1.3 with modern ciphers")
def versions(p):
    import ssl
    for version, good in ((ssl.TLSVersion.TLSv1_2, True),
                          (ssl.TLSVersion.TLSv1_3, True),
                          (ssl.TLSVersion.TLSv1_1, False),
                          (ssl.TLSVersion.TLSv1, False)):
        made = client.context()
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = version
        try:
            with p.smtp("implicit", ssl_context=made) as t:
                done = t.sock.version()
                cipher = t.sock.cipher()[0]
        except (ssl.SSLError, ConnectionError):
            done = None
        same(done is not None, good, f"handshake with {version.name}")
        if done and not re.search(r"GCM|CHACHA20", cipher):
            raise AssertionError(f"cipher {cipher}")
    for ciphers in ("AES128-SHA", "AES256-GCM-SHA384",
                    "ECDHE-ECDSA-AES128-SHA", "NULL", "aNULL"):
        made = client.context()
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.set_ciphers(ciphers + ":@SECLEVEL=0")
        except ssl.SSLError:
            continue
        try:
            with p.smtp("implicit", ssl_context=made) as t:
                raise AssertionError(f"{t.sock.cipher()} was accepted")
        except (ssl.SSLError, ConnectionError):
            pass


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE]))
