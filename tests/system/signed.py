#!/usr/bin/python3
"""What people sign still verifies where it arrives: S/MIME by openssl, PGP by
gpg, sent with curl, kept by Postfix."""
# run: limit 120

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import PASSWORD, Postern
from postfix import Postfix
from tap import same, wait

ALICE, TO = "alice@example.org", "v@fix.example"
# What servers on the way like to change.
PART = ("Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        "X-Folded:   two\r\n\t blanks\r\n\r\n"
        "trailing blanks  \r\n.\r\n..dots\r\n.a dot\r\n\r\n"
        "From here on\r\n--\r\n-- \r\ngr\u00fc\u00dfe\r\n\t\r\n"
        + "x" * 990 + "\r\n\r\nlast line\r\n").encode()
HEAD = (f"From: Alice <{ALICE}>\r\nTo: <{TO}>\r\nSubject: signed\r\n"
        "Bcc: <secret@fix.example>\r\nMIME-Version: 1.0\r\n").encode()


class Site(Postern):
    def set_up(self):
        self.far = Postfix(domains=("fix.example",)).__enter__()
        self.routes["fix.example"] = {"via": f"127.0.0.1:{self.far.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        if hasattr(self, "far"):
            self.far.__exit__(None, None, None)


def run(*words, good=True, data=b""):
    done = subprocess.run(words, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    same(done.returncode == 0, good, f"{words}: {done.stdout[-500:]}")


def carried(p, mail):
    """The octets that arrive, by a real client and at a real server."""
    path = os.path.join(p.dir, "mail")
    with open(path, "wb") as f:
        f.write(mail)
    before = len(p.far.mails())
    run("curl", "-sS", "-k", "--ssl-reqd", f"smtp://127.0.0.1:{p.port587}",
        "--user", f"{ALICE}:{PASSWORD}", "--mail-from", ALICE,
        "--mail-rcpt", TO, "--upload-file", path)
    wait(lambda: len(p.far.mails()) > before, 30, "the mail")
    kept = [m for m in p.far.mails() if b"Subject: signed" in m]
    same((len(kept), b"secret@" in kept[0]), (1, False), "mails, Bcc:")
    for name in os.listdir(p.far.box + "/new"):
        os.unlink(os.path.join(p.far.box, "new", name))
    return kept[0].replace(b"\n", b"\r\n")  # as a maildir has no CR


def changed(mail):
    return mail.replace(b"trailing blanks  \r\n", b"trailing blanks\r\n")


@tap.case("S/MIME: openssl verifies what arrives")
def smime(p):
    cert, key, part, out = (os.path.join(p.dir, n) for n in
                            ("own.pem", "own.key", "part", "signed"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
        "-keyout", key, "-out", cert, "-subj", "/CN=Alice", "-days", "9",
        "-addext", "extendedKeyUsage=emailProtection")
    with open(part, "wb") as f:
        f.write(PART)
    run("openssl", "cms", "-sign", "-crlfeol", "-in", part,
        "-signer", cert, "-inkey", key, "-out", out)
    with open(out, "rb") as f:
        body = f.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    # It begins with MIME-Version: itself.
    mail = carried(p, HEAD.rpartition(b"MIME-Version")[0] + body)
    for text, good in ((mail, True), (changed(mail), False)):
        with open(out, "wb") as f:
            f.write(text)
        run("openssl", "cms", "-verify", "-CAfile", cert, "-in",
            out, "-out", "/dev/null", good=good)


@tap.case("PGP/MIME: gpg verifies what arrives")
def pgp(p):
    home = os.path.join(p.dir, "gpg")
    os.mkdir(home, 0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--no-tty", "--pinentry-mode",
           "loopback", "--passphrase", "")
    part, sig = os.path.join(home, "part"), os.path.join(home, "part.asc")
    try:
        run(*gpg, "--quick-generate-key", ALICE, "ed25519", "sign", "never")
        # RFC 3156 5: the last line end belongs to the boundary.
        signed = PART[:-2]
        with open(part, "wb") as f:
            f.write(signed)
        run(*gpg, "--armor", "--detach-sign", "--output", sig, part)
        with open(sig, "rb") as f:
            armor = f.read().replace(b"\n", b"\r\n")
        mail = carried(
            p, HEAD + b"Content-Type: multipart/signed; boundary=b; "
            b'protocol="application/pgp-signature"; micalg=pgp-sha512\r\n\r\n'
            b"--b\r\n" + signed + b"\r\n--b\r\nContent-Type: "
            b"application/pgp-signature\r\n\r\n" + armor + b"\r\n--b--\r\n")
        arrived = mail.split(b"\r\n--b")
        with open(sig, "wb") as f:
            f.write(arrived[2].partition(b"\r\n\r\n")[2])
        for text, good in ((arrived[1][2:], True),
                           (changed(arrived[1][2:]), False)):
            with open(part, "wb") as f:
                f.write(text)
            run(*gpg, "--verify", sig, part, good=good)
    finally:
        run("gpgconf", "--homedir", home, "--kill", "all")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
