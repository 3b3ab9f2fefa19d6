#!/usr/bin/python3
"""
Real mail programs, as their users have them, on 465 and on 587: either the
mail arrives, or a person reads what to do.
"""
# run: limit 150
# run: limit-all 1200

import concurrent.futures
import email
import email.policy
import hashlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from mailprograms import PROGRAMS, Box, Letter
from postern import PASSWORD, Postern
from tap import FULL, matches, same, wait

ALICE, BOB, SUE = (f"{n}@example.org" for n in ("alice", "bob", "sue"))
EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 50000000",
              "ENHANCEDSTATUSCODES")
# In base64 the smaller attachment fits, and the larger does not.
LIMIT = "42M"
SIZES = {"30 MB": 30_000_000, "too large": 33_000_000}
SUBJECT = "Gr\u00fc\u00dfe \u2014 \u4f60\u597d"
TEXT = "Sch\u00f6ne Gr\u00fc\u00dfe,\n.ein Punkt\n\u4f60\u597d\n"
RAW = (
    "From: Alice Example <alice@example.org>\r\n"
    "To: <%s>\r\n"
    "Subject: what arrives is what was sent\r\n"
    "Date: Fri, 21 Nov 2025 12:00:00 +0000\r\n"
    "Message-ID: <intact@client.example.org>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "X-Folded: one\r\n two\r\n\tthree\r\n"
    "\r\n"
    ".a dot first\r\n..two dots\r\n.\x20\r\n"
    "trailing blanks  \r\n\ttab\r\n\r\n\r\n"
    + "x" * 990 + "\r\n"
    "gr\u00fc\u00dfe \u2014 8 bit\r\n"
    "From the start of a line\r\n.\u00e9\r\nlast line\r\n")

# What a person must read, whichever program shows it: who, why, what to do.
TOLD = {
    "wrong": (rf"wrong user name or password \({ALICE}\): check both",
              "ask your administrator"),
    "suspended": (rf"this account is suspended \({SUE}\): "
                  "ask your administrator",),
    "foreign": (f"may not send as {BOB}", "your administrator can allow it"),
    "too large": ("message too large", r"\d+ octets at most", "send less"),
}
# These show words of their own, whatever we say.
OWN_WORDS = {
    ("mutt", "wrong"): ("SASL authentication failed",),
    ("neomutt", "wrong"): ("SASL authentication failed",),
    ("thunderbird", "wrong"): (
        f"Login to server localhost with username {ALICE} failed",
        r"\[Retry\] \[Enter New Password\]",
        "Please check the password"),
}
# These cannot send to such an address, and say so or let us say so.
NO_UTF8_ADDRESS = {
    "swaks": ("SMTPUTF8",),
    "msmtp": ("SMTPUTF8",),
    "git-send-email": ("SMTPUTF8",),
    "s-nail": (r"j\\u00F6rg-s-nail-.* contains invalid byte",),
}


# These look for DSN before they log in, where it is not offered: some send
# without, and the others say why they do not.
WITHOUT_DSN = {
    "msmtp": ("the server does not support DSN",),
    "mutt": (), "neomutt": (), "nodemailer": (), "thunderbird": (),
}


def authority(directory):
    """A CA and a certificate of it for localhost, in directory."""
    def openssl(*words):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", *words],
            check=True, cwd=directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    openssl("-subj", "/CN=Test Authority", "-keyout", "ca.key", "-out",
            "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign")
    openssl("-subj", "/CN=localhost", "-keyout", "server.key", "-out",
            "server.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")


class Site(Postern):
    """
    Starts the programs of the next few cases while one is looked at: most of
    their time they wait.
    """

    def __init__(self):
        super().__init__([ALICE, BOB, SUE], limits={"message-size": LIMIT},
                         sink_options={"extensions": EXTENSIONS})

    def set_up(self):
        authority(self.dir)
        self.sections["tls"] = {"certificate": f"{self.dir}/server.pem",
                                "key": f"{self.dir}/server.key"}
        if FULL:
            for size in SIZES.values():
                with open(self.attachment(size), "wb") as f:
                    f.write(os.urandom(size))
        self.pool = concurrent.futures.ThreadPoolExecutor(3)
        self.shown = {}
        super().set_up()
        self.must("account", "suspend", SUE, "--reason", "a test")

    def __exit__(self, *args):
        if hasattr(self, "pool"):
            self.pool.shutdown(cancel_futures=True)
        super().__exit__(*args)

    def attachment(self, size):
        return os.path.join(self.dir, f"{size}.bin")

    def show(self, row):
        """What the program of this row showed; starts those that follow."""
        rows = [args[0] for _, _, args in tap.chosen()]
        at = rows.index(row)
        for each in rows[at:at + 4]:
            if each not in self.shown:
                self.shown[each] = self.pool.submit(each.run, self)
        return self.shown.pop(row).result()


class Row:
    """One program, one port, one case."""

    def __init__(self, program, tls, case):
        self.program, self.tls, self.case = program, tls, case
        port = 465 if tls == "implicit" else 587
        self.name = f"{program.name} on {port}: {case}"
        local = f"{program.name}-{port}-{case}".replace(" ", "-")
        self.to = f"{local}@example.net"
        if case == "UTF-8 address":
            self.to = "j\u00f6rg-" + self.to

    def port(self, p):
        return p.port465 if self.tls == "implicit" else p.port587

    def letter(self, p):
        if self.case == "intact":
            return Letter(ALICE, self.to, raw=(RAW % self.to).encode())
        size = SIZES.get(self.case)
        return Letter(
            {"foreign": BOB, "suspended": SUE}.get(self.case, ALICE),
            self.to, SUBJECT, TEXT, dsn=self.case == "DSN",
            attachment=p.attachment(size) if size else None)

    def run(self, p):
        home = os.path.join(p.dir, f"{self.program.name}-{self.tls}-"
                            + self.case.replace(" ", "-"))
        os.mkdir(home)
        box = Box(self.port(p), self.tls,
                  SUE if self.case == "suspended" else ALICE,
                  "not it" if self.case == "wrong" else PASSWORD,
                  f"{p.dir}/ca.pem")
        self.mark = p.mark_log()
        return self.program.send(box, self.letter(p), home)


def arrived(p, row):
    """The message at the sink, after a look into the log."""
    shown = p.show(row)
    if not shown.ok:
        raise AssertionError(shown)
    kept = wait(lambda: p.sink.to(row.to), 60, "the message arrives")[0]
    same(kept.sender, ALICE, "envelope sender")
    done = p.wait_event("msg.delivered", row.mark, to=row.to)
    event = p.wait_event("msg.accepted", row.mark, id=done["id"])
    same(event["account"], ALICE, "account in the log")
    same(event["port"], str(row.port(p)), "port in the log")
    return kept


def subject(kept):
    """Encoded, or 8-bit as it came."""
    found = re.search(rb"(?mi)^Subject: (.*(?:\r\n[ \t].*)*)\r\n", kept.header)
    if found.group(1).isascii():
        return str(kept.parsed()["Subject"])
    return found.group(1).decode()


def same_text(kept):
    same(subject(kept), SUBJECT, "Subject")
    if kept.parsed()["MIME-Version"]:
        part = kept.parsed().get_body(("plain",))
        text = part.get_content()
    else:
        text = kept.body.decode()
    lines = text.replace("\r\n", "\n").rstrip("\n")
    same(lines, TEXT.rstrip("\n"), "text")


def right(p, row):
    same_text(arrived(p, row))


def attached(p, row):
    kept = arrived(p, row)
    message = email.message_from_bytes(kept.data, policy=email.policy.default)
    with open(p.attachment(SIZES["30 MB"]), "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    same([hashlib.sha256(part.get_payload(decode=True)).hexdigest()
          for part in message.walk()
          if not part.is_multipart()
          and part.get_content_maintype() != "text"], [want],
         "attachments")
    kept.data = b""  # there are many of this size


def fields(header):
    """The header's fields as they stand, folding included."""
    return re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", header)


def intact(p, row):
    """Byte for byte the same, but for the trace line added on top."""
    kept = arrived(p, row)
    head, _, body = (RAW % row.to).encode().partition(b"\r\n\r\n")
    same(kept.body, body, "body")
    want, got = fields(head + b"\r\n"), fields(kept.header)
    added = got[:len(got) - len(want)]
    same(got[len(added):], want, "header of the client")
    names = [f.partition(b":")[0].lower() for f in added]
    same(names, [b"received"], "fields added")


def refused(p, row, words, event=None, **keys):
    shown = p.show(row)
    if shown.ok:
        raise AssertionError(f"it went through: {shown}")
    for word in words:
        matches(shown.text, word, "what the program shows")
    same(p.sink.to(row.to), [], "messages at the sink")
    if event:
        p.wait_event(event, row.mark, port=str(row.port(p)), **keys)


def told(row):
    return OWN_WORDS.get((row.program.name, row.case), TOLD[row.case])


def wrong(p, row):
    # The first is a failure, the same once more a stale one.
    refused(p, row, told(row))
    wait(lambda: p.events("auth.failed", row.mark, reason="bad-password",
                          user=ALICE)
         or p.events("auth.stale", row.mark, user=ALICE), 5,
         "the failure in the log")


def suspended(p, row):
    refused(p, row, told(row), "auth.failed", reason="suspended", user=SUE)


def foreign(p, row):
    refused(p, row, told(row))


def wide_address(p, row):
    words = NO_UTF8_ADDRESS.get(row.program.name)
    if words:
        refused(p, row, words)
    else:
        right(p, row)


def reports(p, row):
    return [m for m in p.sink.to(ALICE) if m.sender == ""
            and row.to.encode() in m.data and b"Action: relayed" in m.data]


def reported(p, row):
    """A report of success comes back, as the sink knows no DSN; but only to
    programs that ask for it all the same."""
    words = WITHOUT_DSN.get(row.program.name)
    if words:
        refused(p, row, words)
        return
    same_text(arrived(p, row))
    if words is None:
        wait(lambda: reports(p, row), 20, "a report of the relay")
        return
    # A report is in the queue before the mail it is about is gone from it.
    wait(lambda: p.queue() == [], 20, "nothing is under way")
    same(reports(p, row), [], "reports")


# case: (how it is looked at, in every run, what the program must be able to)
CASES = {
    "right": (right, True, None),
    "intact": (intact, True, "raw"),
    "wrong": (wrong, True, None),
    "suspended": (suspended, True, None),
    "foreign": (foreign, True, None),
    "too large": (foreign, False, None),
    "30 MB": (attached, False, None),
    "UTF-8 address": (wide_address, False, None),
    "DSN": (reported, False, "dsn"),
}

for case, (look, quick, ability) in CASES.items():
    for program in PROGRAMS.values():
        if (FULL or (quick and program.light)) and \
                (ability is None or ability in program.can):
            for tls in ("starttls", "implicit"):
                row = Row(program, tls, case)
                tap.add(row.name, look, row)


if __name__ == "__main__":
    tap.main(Site)
