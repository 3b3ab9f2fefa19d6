#!/usr/bin/python3
"""SCRAM and EXTERNAL with the clients that know them."""
# run: limit 200

import base64
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import postern
import tap
from postern import PASSWORD, Postern
from tap import has, matches, same

ALICE, BOB = "alice@example.org", "bob@example.org"
PORT = postern.free_port()
LISTEN = f"""[listen sasl]
address = 127.0.0.1:{PORT}
tls = starttls
scram = yes
client-certificates = yes
"""


def b64(text):
    return base64.b64encode(text.encode()).decode()


def gsasl(mechanism, user=ALICE, password=PASSWORD, *words):
    program = shutil.which("gsasl")
    if program is None:
        raise tap.Skip("no gsasl here")
    done = subprocess.run(
        [program, "--smtp", "--connect", f"127.0.0.1:{PORT}",
         "--x509-ca-file=", "-a", user, "-p", password, "-m", mechanism,
         *words], input="", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=60)
    return done


def talk(p, **kwargs):
    t = p.smtp(port=PORT, **kwargs)
    t.ehlo()
    return t


def good(p, mechanism, *words):
    mark = p.mark_log()
    done = gsasl(mechanism, *words)
    same(done.returncode, 0, done.stderr[-300:])
    has(done.stdout, "235 2.7.0")
    event = p.wait_event("auth.ok", mark)
    same(event["mech"], mechanism)
    return event


@tap.case("gsasl logs in by SCRAM-SHA-256-PLUS, bound by tls-exporter")
def plus(p):
    same(good(p, "SCRAM-SHA-256-PLUS")["account"], ALICE)
    wrong = gsasl("SCRAM-SHA-256-PLUS", BOB, "wrong")
    if wrong.returncode == 0:
        raise AssertionError("a wrong password got in")
    same(p.wait_event("auth.failed")["reason"], "bad-password")


@tap.case("gsasl logs in by SCRAM-SHA-256, and as a bare name")
def plain_scram(p):
    good(p, "SCRAM-SHA-256", ALICE, PASSWORD, "--no-cb")
    p.must("account", "add", "o=h@example.org", "--password-stdin",
           stdin=PASSWORD + "\n")
    good(p, "SCRAM-SHA-256", "o=h@example.org", PASSWORD, "--no-cb")
    # Whoever is suspended hears so from the server that he means.
    p.must("account", "suspend", "o=h@example.org")
    mark = p.mark_log()
    done = gsasl("SCRAM-SHA-256", "o=h@example.org", PASSWORD, "--no-cb")
    has(done.stdout, "235 2.7.0 password accepted, but this account is "
                     "suspended")
    same(p.wait_event("auth.failed", mark)["reason"], "suspended")


@tap.case("what is offered where")
def offers(p):
    with p.smtp("starttls") as t:
        has(t.ehlo().text, "AUTH PLAIN LOGIN")
        reply = t.cmd("AUTH SCRAM-SHA-256")
        same(reply.code, 504)
        has(reply.text, "PLAIN LOGIN")
    with talk(p) as t:
        has(t.ehlo().text, "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN")
        same(t.cmd("AUTH EXTERNAL").code, 504, "without a certificate")


@tap.case("a hidden -PLUS is seen, and so is another channel")
def downgrade(p):
    mark = p.mark_log()
    with talk(p) as t:
        reply = t.cmd("AUTH SCRAM-SHA-256 " + b64(f"y,,n={ALICE},r=abc"))
        same(reply.code, 535)
        has(reply.text, "between us")
    same(p.wait_event("auth.failed", mark)["reason"], "channel-binding")
    with talk(p) as t:
        reply = t.cmd("AUTH SCRAM-SHA-256-PLUS " +
                      b64(f"p=tls-exporter,,n={ALICE},r=abc"))
        same(reply.code, 334)
        server = base64.b64decode(reply.text.split()[-1]).decode()
        nonce = server.split(",")[0][2:]
        reply = t.cmd(b64("c=" + b64("p=tls-exporter,,x" * 2) +
                          f",r={nonce},p=" + b64("x" * 32)))
        same(reply.code, 535)
        has(reply.text, "between us")


@tap.case("a channel binding of a kind that there is not is no attack")
def kind_of_binding(p):
    for name in (ALICE, "nobody@example.org"):
        mark = p.mark_log()
        with talk(p) as t:
            reply = t.cmd("AUTH SCRAM-SHA-256-PLUS " +
                          b64(f"p=tls-unique,,n={name},r=abc"))
            same(reply.code, 504)
            has(reply.text, "use tls-exporter")
            same("between us" in reply.text, False)
        same(p.wait_event("auth.failed", mark)["reason"],
             "channel-binding-kind")


@tap.case("an unknown name gets a salt that stays")
def salt(p):
    def ask(name):
        with talk(p) as t:
            reply = t.cmd("AUTH SCRAM-SHA-256 " + b64(f"n,,n={name},r=abc"))
            same(reply.code, 334)
            server = base64.b64decode(reply.text.split()[-1]).decode()
            return matches(server, r"^r=abc[^,]{24},(s=.{24},i=16384)$")[1]
    first = ask("nobody@example.org")
    # Were one of these another name, it would say that there is no account.
    for name in ("Nobody@example.org", "nobody@example.org ", "nobody",
                 "NOBODY "):
        same(ask(name), first, name)
    beyond = ask("n\u00e9mo@example.org")
    for name in ("ne\u0301mo@example.org", "N\u00c9MO@example.org ",
                 "NE\u0301MO"):
        same(ask(name), beyond, name)
    if ask("nobody2@example.org") == first or ask(ALICE) == first:
        raise AssertionError("everybody has the same salt")
    p.kill("postern-auth")
    tap.wait(lambda: p.cli("account", "list").code == 0, 30, "auth again")
    tap.wait(p.greets, 30, "logins again")
    same(ask("nobody@example.org"), first, "after a restart")
    wrong = gsasl("SCRAM-SHA-256", "nobody@example.org", PASSWORD, "--no-cb")
    if wrong.returncode == 0:
        raise AssertionError("nobody got in")


@tap.case("a wrong proof is told with the name that was typed")
def typed(p):
    for name in ("alice", "nobody", "Alice@example.org", "Nobody@example.org"):
        with talk(p) as t:
            reply = t.cmd("AUTH SCRAM-SHA-256 " + b64(f"n,,n={name},r=abc"))
            server = base64.b64decode(reply.text.split()[-1]).decode()
            nonce = server.split(",")[0][2:]
            reply = t.cmd(b64(f"c=biws,r={nonce},p=" + b64("x" * 32)))
            same(reply.code, 535, name)
            has(reply.text, f" ({name}):" if "@" in name else "password:")


@tap.case("malformed words end it, and the session goes on")
def malformed(p):
    with talk(p) as t:
        for words in ("AUTH SCRAM-SHA-256 " + b64("hello"),
                      "AUTH SCRAM-SHA-256 ===="):
            same(t.cmd(words).code, 501)
        same(t.cmd("AUTH SCRAM-SHA-256").code, 334)
        same(t.cmd("*").code, 501)
        same(t.auth(ALICE, PASSWORD).code, 235)


@tap.case("an imported verifier logs in; a hash gets one at its first login")
def verifiers(p):
    doveadm = shutil.which("doveadm")
    if doveadm is None:
        raise tap.Skip("no doveadm here")
    lines = []
    for user, scheme in (("v1", "SCRAM-SHA-256"), ("v2", "SSHA256")):
        text = subprocess.run(
            [doveadm, "pw", "-s", scheme, "-p", PASSWORD], check=True,
            stdout=subprocess.PIPE, text=True).stdout.strip()
        lines.append(f"{user}@example.org:{text}\n")
    path = os.path.join(p.dir, "users")
    p.write(path, "".join(lines))
    p.must("account", "import", path)
    good(p, "SCRAM-SHA-256", "v1@example.org", PASSWORD, "--no-cb")
    if gsasl("SCRAM-SHA-256", "v2@example.org", PASSWORD,
             "--no-cb").returncode == 0:
        raise AssertionError("without a verifier")
    with talk(p) as t:
        same(t.auth("v2@example.org", PASSWORD).code, 235)
    good(p, "SCRAM-SHA-256-PLUS", "v2@example.org")


def pem(p, p12, password):
    """Certificate and key, as programs without PKCS#12 want them."""
    out = {}
    for name, flag in (("cert", "-nokeys"), ("key", "-nocerts")):
        out[name] = os.path.join(p.dir, f"{name}.pem")
        subprocess.run(["openssl", "pkcs12", "-in", p12, "-passin",
                        f"pass:{password}", "-nodes", flag, "-clcerts",
                        "-out", out[name]], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return out


def with_certificate(cert, key):
    context = client.context()
    context.load_cert_chain(cert, key)
    return context


def issue(p, label, *flags):
    p12 = os.path.join(p.dir, f"{label}.p12")
    done = p.must("account", "certificate", "issue", ALICE, label, "--out",
                  p12, *flags)
    same(os.stat(p12).st_mode & 0o777, 0o600)
    return p12, done.out.strip()


def curl(p, p12, password, user=ALICE):
    mail = os.path.join(p.dir, "mail")
    p.write(mail, f"From: {ALICE}\r\n\r\nhello\r\n")
    return subprocess.run(
        ["curl", "-sS", "-k", "--ssl-reqd", f"smtp://127.0.0.1:{PORT}",
         "--cert", f"{p12}:{password}", "--cert-type", "P12",
         "--login-options", "AUTH=EXTERNAL", "-u", f"{user}:",
         "--mail-from", ALICE, "--mail-rcpt", "carol@example.net",
         "--upload-file", mail], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=60)


@tap.case("curl logs in with a certificate that postern made")
def with_curl(p):
    p12, password = issue(p, "curl")
    mark = p.mark_log()
    done = curl(p, p12, password)
    same(done.returncode, 0, done.stderr)
    event = p.wait_event("auth.ok", mark)
    same((event["mech"], event["credential"]), ("EXTERNAL", "curl"))
    same(p.wait_event("msg.accepted", mark)["account"], ALICE)
    row = p.must("account", "certificate", "list", ALICE, "--json").items()[0]
    same((row["label"], row["last_ip"]), ("curl", "127.0.0.1"))
    # As somebody else it is nobody.
    if curl(p, p12, password, BOB).returncode == 0:
        raise AssertionError("alice's key logged in as bob")
    p.must("account", "certificate", "revoke", ALICE, "curl")
    if curl(p, p12, password).returncode == 0:
        raise AssertionError("a revoked certificate logged in")
    same(p.events("auth.failed")[-1]["reason"], "unknown-certificate")


@tap.case("msmtp logs in with a certificate")
def with_msmtp(p):
    p12, password = issue(p, "msmtp")
    files = pem(p, p12, password)
    config = os.path.join(p.dir, "msmtprc")
    p.write(config, f"""account default
host 127.0.0.1
port {PORT}
tls on
tls_starttls on
tls_certcheck off
tls_cert_file {files['cert']}
tls_key_file {files['key']}
auth external
user {ALICE}
from {ALICE}
""")
    os.chmod(config, 0o600)
    mark = p.mark_log()
    done = subprocess.run(
        ["msmtp", "-C", config, "carol@example.net"],
        input=f"From: {ALICE}\n\nhello\n", text=True, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    same(done.returncode, 0, done.stdout)
    same(p.wait_event("auth.ok", mark)["credential"], "msmtp")


def swaks(cert, key, *words):
    return subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(PORT), "-tls",
         "--tls-cert", cert, "--tls-key", key, "--from", ALICE, "--to",
         "carol@example.net", *words], stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


# swaks has no EXTERNAL of its own.  Its LOGIN under that name says AUTH
# EXTERNAL and then who it is; for the 235 that comes where it expects a
# question it takes no offence when logging in is optional.
AS_LOGIN = ("--auth-optional", "EXTERNAL", "--auth-map", "EXTERNAL=LOGIN",
            "--auth-password", "none")


@tap.case("swaks logs in with a certificate")
def with_swaks(p):
    cert, key = (os.path.join(p.dir, n) for n in ("own.pem", "own.key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-subj", "/CN=me", "-days", "9"],
                   check=True, stderr=subprocess.DEVNULL)
    done = swaks(cert, key, "--auth", "PLAIN", "--auth-user", ALICE,
                 "--auth-password", PASSWORD)
    same(done.returncode, 0, done.stdout[-600:])
    has(done.stdout, "EXTERNAL PLAIN LOGIN")
    # A key that is nobody's.
    done = swaks(cert, key, *AS_LOGIN, "--auth-user", ALICE)
    if done.returncode == 0:
        raise AssertionError(done.stdout)
    has(done.stdout, "belongs to no account: ask your administrator")
    # Its owner is known by the key, whoever signed it.
    p.must("account", "certificate", "add", ALICE, "swaks", cert)
    mark = p.mark_log()
    done = swaks(cert, key, *AS_LOGIN, "--auth-user", ALICE)
    same(done.returncode, 0, done.stdout[-600:])
    has(done.stdout, " ~> AUTH EXTERNAL")
    event = p.wait_event("auth.ok", mark)
    same((event["mech"], event["credential"], event["account"]),
         ("EXTERNAL", "swaks", ALICE))
    same(p.wait_event("msg.accepted", mark)["mech"], "EXTERNAL")
    # As somebody else it is nobody.
    done = swaks(cert, key, *AS_LOGIN, "--auth-user", BOB)
    has(done.stdout, "535 5.7.8 may not act as somebody else")
    # And a response that is none (RFC 4422 A.1: there is a NUL in it).
    done = swaks(cert, key, "--auth", "EXTERNAL", "--auth-map",
                 "EXTERNAL=PLAIN", "--auth-user", ALICE, "--auth-password", "")
    has(done.stdout, "501 5.5.2 cannot read this login")
    p.must("account", "certificate", "revoke", ALICE, "swaks")


@tap.case("a certificate logs in by EXTERNAL, and only as its owner")
def external(p):
    p12, password = issue(p, "own", "--networks", "127.0.0.0/8")
    files = pem(p, p12, password)

    def hello():
        t = talk(p, ssl_context=with_certificate(files["cert"],
                                                 files["key"]))
        has(t.ehlo().text, "EXTERNAL")
        return t
    for words in ("AUTH EXTERNAL =", f"AUTH EXTERNAL {b64(ALICE)}",
                  f"AUTH EXTERNAL {b64('alice@EXAMPLE.org')}"):
        with hello() as t:
            same(t.cmd(words).code, 235, words)
    with hello() as t:
        same(t.cmd("AUTH EXTERNAL").code, 334)
        same(t.cmd("").code, 235)
    with hello() as t:
        same(t.cmd(f"AUTH EXTERNAL {b64(BOB)}").code, 535)
    # A password still does, for the same client.
    with hello() as t:
        same(t.auth(BOB, PASSWORD).code, 235)
    # One key, one owner.
    cert = files["cert"]
    taken = p.cli("account", "certificate", "add", BOB, "mine", cert)
    same(taken.code, 6)
    has(taken.err, f"this key is {ALICE}'s already")
    with hello() as t:
        same(t.cmd("AUTH EXTERNAL =").code, 235)
        p.must("account", "certificate", "revoke", ALICE, "own")
        same(t.cmd("NOOP").code, 421)
    p.must("account", "certificate", "add", BOB, "mine", cert)
    with hello() as t:
        same(t.cmd("AUTH EXTERNAL =").code, 235)
    same(p.events("auth.ok")[-1]["account"], BOB)
    p.must("account", "certificate", "revoke", BOB, "mine")
    p.must("account", "remove", BOB)


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE, BOB], extra=LISTEN))
