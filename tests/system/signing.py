#!/usr/bin/python3
"""DKIM: what arrives verifies with the keys that were to be published."""
# run: limit 120

import base64
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import dkim
import tap
from dns import Dns
from postern import HOSTNAME, ROOT, Postern, directory, free_port
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"
SEVEN = ("PIPELINING", "SIZE 50000000", "ENHANCEDSTATUSCODES")
MIME = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit")
PGP = ("Content-Type: multipart/signed; boundary=s; micalg=pgp-sha256; "
       'protocol="application/pgp-signature"')


class Site(Postern):
    def set_up(self):
        self.seven = Sink(port=free_port(), extensions=SEVEN).start()
        self.late = None
        self.late_port = free_port()
        self.names = Dns({"example.org": "", "x.example": ""},
                         "knot").__enter__()
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}"}
        self.routes["seven.example"] = {"via": f"127.0.0.1:{self.seven.port}"}
        self.routes["late.example"] = {"via": f"127.0.0.1:{self.late_port}"}
        super().set_up()
        self.must("dkim", "add", "example.org")
        self.seen = []

    def __exit__(self, *args):
        super().__exit__(*args)
        for far in (self.seven, self.late):
            if far:
                far.stop()
        self.names.__exit__()

    def keys(self, domain="example.org"):
        return {key["name"]: key
                for key in self.must("dkim", "list", domain,
                                     "--json").items()}

    def selectors(self, state):
        return {key["selector"] for key in self.keys().values()
                if key["state"] == state}

    def arrives(self, raw, to="v@far.example", at=None, **kwargs):
        at = at or self.sink
        at.clear()
        self.send(to, raw=raw if isinstance(raw, bytes) else raw.encode(),
                  **kwargs)
        return wait(lambda: at.messages, 30, "it arrives")[0]


def verify(p, data, domain="example.org", keys=None):
    """Both signatures, by dkimpy."""
    keys = keys or p.keys()
    records = {name + ".": key["value"].encode()
               for name, key in keys.items()}
    asked = []

    def txt(name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        asked.append(name)
        return records.get(name)

    message = dkim.DKIM(data)
    count = len([1 for name, _ in message.headers
                 if name.lower() == b"dkim-signature"])
    same(count, 2, "signatures")
    for n in range(count):
        if not message.verify(idx=n, dnsfunc=txt):
            raise AssertionError(f"signature {n} does not verify ({asked}): "
                                 f"{data[:3000]!r}")
        same(message.domain, domain.encode(), "d=")
    kinds = {key["algorithm"] for name, key in keys.items()
             if name + "." in asked}
    same(kinds, {"rsa", "ed25519"}, "algorithms")
    p.seen.append(data)


def head(*lines):
    return "".join(line + "\r\n" for line in
                   (f"From: Alice <{ALICE}>", "To: v@far.example",
                    "Subject: signed", *lines))


SHAPES = {
    "plain": head() + "\r\nbody\r\n",
    "folded header": f"From:\r\n \"A,\r\n\tB\"  <{ALICE}>\r\n"
    "Subject: a  b\r\n\t c \r\n  \r\n d\r\nTO:x@y.example\r\n"
    "List-Unsubscribe: <mailto:u@example.org>\r\nReferences: <a@b>\r\n"
    "\t<c@d>\r\n\r\nbody\r\n",
    "blanks and empty lines at the end":
    head() + "\r\na \t b \r\n\t\r\n.\r\n..dots\r\n\r\n \r\n\r\n\r\n",
    "empty body": head() + "\r\n",
    "empty lines only": head() + "\r\n\r\n\r\n\r\n",
    "header only": head(),
    "UTF-8 in subject and name":
    f"From: =?utf-8?q?K=C3=B6ln?= <{ALICE}>\r\n"
    "Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n\r\nbody\r\n",
    "8-bit": head(*MIME) + "\r\nGr\u00fc\u00dfe  aus K\u00f6ln \r\n",
    "dots and long lines": head() + "\r\n" + ".x " * 300 + "\r\n.\r\n..\r\n",
    "Bcc: that is taken out":
    "Return-Path: <x@y.example>\r\n" + head("Bcc: secret@x.example",
                                           "Cc: v@far.example")
    + "\r\nbody  \r\n",
    "two fields of a kind": head("List-Id: <a>", "List-Id: <b>")
    + "\r\nx\r\n",
}


def arrives_signed(p, text):
    verify(p, p.arrives(text).data)


for name, text in SHAPES.items():
    tap.add(name, arrives_signed, text)


@tap.case("10 MiB with trailing blank lines")
def large(p):
    body = b"0123456789 abcdef  \r\n" * 500000 + b"\r\n \r\n" * 3000
    verify(p, p.arrives(head().encode() + b"\r\n" + body).data)


@tap.case("every field that may come once is signed once more")
def oversigned(p):
    kept = p.arrives(head("Cc: w@far.example", "Reply-To: " + ALICE)
                     + "\r\nx\r\n")
    verify(p, kept.data)
    for field in ("From: Mallory <m@example.net>", "Subject: other",
                  "To: x@y", "Cc: x@y", "Reply-To: x@y", "Date: now"):
        forged = (field + "\r\n").encode() + kept.data
        same(dkim.DKIM(forged).verify(
            dnsfunc=lambda name, timeout=5: next(
                k["value"].encode() for n, k in p.keys().items()
                if n + "." == name.decode())), False, field)


@tap.case("one signature for two destinations")
def shared(p):
    p.sink.clear()
    p.seven.clear()
    with p.logged_in() as t:
        same(t.submit(ALICE, ["v@far.example", "w@far.example",
                              "v@seven.example"],
                      SHAPES["plain"].encode()).code, 250, "code")
    near = wait(lambda: p.sink.messages, 20, "it arrives")[0]
    far = wait(lambda: p.seven.messages, 20, "it arrives there")[0]
    verify(p, near.data)
    same(far.data, near.data, "the other copy")


@tap.case("8-bit made 7-bit is signed as it leaves")
def downgraded(p):
    p.sink.clear()
    p.seven.clear()
    with p.logged_in() as t:
        same(t.submit(ALICE, ["v@far.example", "v@seven.example"],
                      SHAPES["8-bit"].encode()).code, 250, "code")
    near = wait(lambda: p.sink.messages, 20, "it arrives")[0]
    far = wait(lambda: p.seven.messages, 20, "it arrives there")[0]
    verify(p, near.data)
    verify(p, far.data)
    has(far.data, b"quoted-printable", "the converted message")
    same(near.data != far.data, True, "they differ")


def unbending():
    """A message that a server of seven bits cannot have."""
    return (head(PGP) + "\r\n--s\r\nContent-Type: text/plain; charset=utf-8"
            "\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\u00fc\u00dfe \r\n"
            "--s\r\nContent-Type: application/pgp-signature\r\n\r\nxx\r\n"
            "--s--\r\n").encode()


@tap.case("parts signed by the author stay as they are; a bounce is signed")
def bounce(p):
    raw = unbending()
    kept = p.arrives(raw)
    verify(p, kept.data)
    same(kept.body, raw.partition(b"\r\n\r\n")[2], "body")
    p.sink.clear()
    p.send("v@seven.example", raw=raw)
    kept = wait(lambda: p.sink.to(ALICE), 20, "the bounce")[0]
    same(kept.sender, "", "return path")
    has(kept.header, b"postmaster@" + HOSTNAME.encode(), "From:")
    verify(p, kept.data)


@tap.case("a digest of failures is signed like any bounce")
def digest(p):
    p.sink.clear()
    for n in range(6):
        p.send(f"v{n}@seven.example", raw=unbending())
    p.wait_event("msg.notice", kind="digest")
    wait(lambda: any(b"v5@seven.example" in m.data
                     for m in p.sink.to(ALICE)), 30, "the digest")
    mails = p.sink.to(ALICE)
    # Some are told one by one, the others together.
    same(2 <= len(mails) < 6, True, f"{len(mails)} mails")
    for kept in mails:
        same(kept.sender, "", "return path")
        verify(p, kept.data)


@tap.case("a domain without keys: unsigned, and told once")
def unsigned(p):
    p.cli("grant", "add", ALICE, "@other.example")
    mark = p.mark_log()
    for _ in range(3):
        kept = p.arrives("From: a@other.example\r\n\r\nx\r\n")
        same(b"DKIM-Signature" in kept.data, False, "a signature")
    same(len(p.events("dkim.unsigned", mark)), 1, "events")
    # With keys for it the next one is signed.
    p.must("dkim", "add", "other.example")
    kept = p.arrives("From: a@other.example\r\n\r\nx\r\n")
    verify(p, kept.data, "other.example", p.keys("other.example"))
    p.must("dkim", "retire", "other.example", "--all")
    kept = p.arrives("From: a@other.example\r\n\r\nx\r\n")
    same(b"DKIM-Signature" in kept.data, False, "a signature")
    p.seen.pop()


@tap.case("a domain below one with keys is signed by them")
def below(p):
    p.cli("grant", "add", ALICE, "@sub.example.org")
    verify(p, p.arrives("From: a@sub.example.org\r\n\r\nx\r\n").data)


@tap.case("mail waits while nobody can sign, and is signed then")
def away(p):
    mark = p.mark_log()
    ident = p.send("v@late.example", raw=SHAPES["plain"].encode())
    p.wait_event("msg.deferred", mark, id=ident)
    pid = p.pid("postern-auth")[0]
    p.late = Sink(port=p.late_port).start()
    os.kill(pid, signal.SIGSTOP)
    mark = p.mark_log()
    p.must("queue", "retry", ident)
    wait(lambda: any(s.commands for s in p.late.sessions), 20, "EHLO")
    os.kill(pid, signal.SIGKILL)
    wait(lambda: p.pid("postern-auth") not in ([], [pid]), 20, "a new auth")

    def there():
        p.cli("queue", "retry", ident)
        return p.late.messages
    verify(p, wait(there, 30, "it arrives", 0.3)[0].data)
    same(p.events("msg.bounced", mark), [], "bounces")


@tap.case("opendkim-testmsg agrees")
def opendkim(p):
    if not ROOT:
        raise tap.Skip("needs root, for a network of its own")
    zone = ""
    for name, key in p.keys().items():
        value = key["value"]
        zone += f"{name}. TXT " + " ".join(
            f'"{value[i:i + 250]}"' for i in range(0, len(value), 250)) + "\n"
    where = directory()
    with open(os.path.join(where, "resolv.conf"), "w") as f:
        f.write("nameserver 127.0.0.1\n")
    with Dns({"example.org": zone}) as names:
        for n, data in enumerate(p.seen):
            with open(os.path.join(where, f"{n}.eml"), "wb") as f:
                f.write(data)
        with open(os.path.join(where, "z.eml"), "wb") as f:
            f.write(p.seen[0].replace(b"\r\n\r\n", b"\r\n\r\nmore "))
        conf = os.path.join(names.dir, "conf")
        with open(conf) as f:
            text = f.read().replace(f"127.0.0.1@{names.port}",
                                    "127.0.0.1@53")
        with open(conf + "53", "w") as f:
            f.write(text)
        done = subprocess.run(
            ["unshare", "--mount", "--net", "--propagation", "private",
             "--pid", "--fork", "--kill-child", "sh", "-c", f"""
             ip link set lo up || exit 125
             mount --bind {where}/resolv.conf /etc/resolv.conf || exit 125
             /usr/sbin/nsd -d -c {conf}53 2>/dev/null & nsd=$!
             n=0
             until /usr/sbin/opendkim-testmsg -t {where} <{where}/0.eml \
                 2>/dev/null; do
                 n=$((n + 1)); [ $n -lt 50 ] || break; sleep 0.2
             done
             for f in {where}/*.eml; do
                 /usr/sbin/opendkim-testmsg -t {where} <$f ||
                     echo "${{f##*/}} $?"
             done
             kill $nsd
             """], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60)
    subprocess.run(["rm", "-rf", where], check=True)
    text = done.stdout.decode()
    if done.returncode == 125 or "unshare:" in text:
        raise tap.Skip("no namespaces here: " + text)
    bad = [line.split()[0] for line in text.splitlines() if ".eml " in line]
    same(bad, ["z.eml"], f"bad ones of {len(p.seen)} messages ({text})")
    same(len(p.seen) > 10, True, "enough messages")


@tap.case("rotation: made, seen in DNS, switched, retired")
def rotation(p):
    old = p.selectors("active")
    first = p.cli("dkim", "rotate", "example.org")
    same(first.code, 75, f"exit status ({first})")
    new = p.selectors("pending")
    same((len(new), p.selectors("active")), (2, old), "new and active keys")
    for selector in new:
        has(first.out, f"{selector}._domainkey.example.org.", "records")
        has(first.err, f"{selector}._domainkey.example.org is not there yet",
            "what it waits for")
    # Again: the same keys, nothing else happens.
    same(p.cli("dkim", "rotate", "example.org").out, first.out, "records")
    p.names.update("example.org", first.out)
    done = wait(lambda: (r := p.cli("dkim", "rotate", "example.org")).code == 0
                and r, 60, "DNS shows them", 0.5)
    has(done.err, "DNS shows them", "steps")
    same((p.selectors("active"), p.selectors("retiring")), (new, old),
         "active and retiring keys")
    verify(p, p.arrives(SHAPES["plain"]).data)
    early = p.cli("dkim", "retire", "example.org")
    same(early.code, 1, "exit status, too early")
    has(early.err, "--force", "the remedy")
    p.must("dkim", "retire", "example.org", "--force")
    same(p.selectors("retiring"), set(), "retiring keys")
    verify(p, p.arrives(SHAPES["plain"]).data)


@tap.case("commands: what they say and how they end")
def commands(p):
    same(p.cli("dkim", "add", "example.org").code, 6, "add again")
    same(p.cli("dkim", "add", "-").code, 2, "no domain")
    same(p.cli("dkim", "rotate", "none.example").code, 5, "nothing to rotate")
    same(p.cli("dkim", "retire", "none.example").code, 5, "nothing to retire")
    same(p.cli("dkim", "list", "none.example").out, "", "list")
    for key in p.must("dkim", "list", "--json").items():
        value = dict(part.strip().split("=", 1)
                     for part in key["value"].split(";"))
        same(value["v"], "DKIM1", "v=")
        raw = base64.b64decode(value["p"])
        same(len(raw), 32 if value["k"] == "ed25519" else 294, "key length")
    # The vault alone can be asked too.
    p.stop()
    same(len(p.must("dkim", "list", "--json").items()), 2, "keys, stopped")
    down = p.cli("dkim", "rotate", "example.org")
    same(down.code, 3, "rotate, stopped")
    p.start()


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE], queue={
        "notices-per-hour": "3", "digest": "2s"}))
