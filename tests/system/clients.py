#!/usr/bin/python3
"""Real mail programs submit over 465 and 587, and what arrives is intact."""
# run: limit 150

import os
import re
import smtplib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import PASSWORD, Postern
from tap import same, wait

ALICE = "alice@example.org"
RCPT = "carol@example.net"
HEADER = (
    "From: Alice Example <alice@example.org>\r\n"
    "To: <carol@example.net>\r\n"
    "Subject: what arrives is what was sent\r\n"
    "Date: Fri, 21 Nov 2025 12:00:00 +0000\r\n"
    "Message-ID: <intact@client.example.org>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "X-Folded: one\r\n two\r\n\tthree\r\n")
BODY = (
    ".a dot first\r\n..two dots\r\n.\x20\r\n"
    "trailing blanks  \r\n\ttab\r\n\r\n\r\n"
    + "x" * 990 + "\r\n"
    "gr\u00fc\u00dfe \u2014 8 bit\r\n"
    "From the start of a line\r\n.\u00e9\r\nlast line\r\n")
MESSAGE = (HEADER + "\r\n" + BODY).encode()


def run(words, stdin=b"", env=None):
    done = subprocess.run(words, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60,
                          env=dict(os.environ, **(env or {})))
    return done.returncode, done.stdout.decode("utf-8", "replace")


# Each takes (postern, tls, password) and returns (success, what it printed).

def swaks(p, tls, password):
    port = p.port465 if tls == "implicit" else p.port587
    return run(["swaks", "--server", "127.0.0.1", "--port", str(port),
                "--tls-on-connect" if tls == "implicit" else "--tls",
                "--auth", "LOGIN", "--auth-user", ALICE,
                "--auth-password", password, "--from", ALICE, "--to", RCPT,
                "--timeout", "20", "--data", "-"], MESSAGE)


def msmtp(p, tls, password):
    port = p.port465 if tls == "implicit" else p.port587
    secret = os.path.join(p.dir, "msmtp-password")
    p.write(secret, password)
    os.chmod(secret, 0o600)
    return run(["msmtp", "--file=/dev/null", "--host=127.0.0.1",
                f"--port={port}", "--tls=on",
                "--tls-starttls=" + ("off" if tls == "implicit" else "on"),
                "--tls-certcheck=off", "--auth=plain", f"--user={ALICE}",
                f"--passwordeval=cat {secret}", f"--from={ALICE}",
                "--timeout=20", "--", RCPT],
               MESSAGE.replace(b"\r\n", b"\n"))


def curl(p, tls, password):
    url = f"smtps://127.0.0.1:{p.port465}" if tls == "implicit" \
        else f"smtp://127.0.0.1:{p.port587}"
    path = os.path.join(p.dir, "upload")
    with open(path, "wb") as f:
        f.write(MESSAGE)
    return run(["curl", "--verbose", "--silent", "--show-error", "--insecure",
                "--max-time", "30", "--ssl-reqd", "--url",
                url + "/client.example.org", "--user", f"{ALICE}:{password}",
                "--mail-from", ALICE, "--mail-rcpt", RCPT, "--upload-file",
                path])


def python(p, tls, password):
    try:
        if tls == "implicit":
            s = smtplib.SMTP_SSL("127.0.0.1", p.port465, timeout=20,
                                 context=client.context())
        else:
            s = smtplib.SMTP("127.0.0.1", p.port587, timeout=20)
        with s:
            if tls != "implicit":
                s.starttls(context=client.context())
            s.login(ALICE, password)
            s.sendmail(ALICE, [RCPT], MESSAGE, ["BODY=8BITMIME"])
        return 0, ""
    except smtplib.SMTPException as e:
        return 1, repr(e)


def nodemailer(p, tls, password):
    script = """
const nodemailer = require('nodemailer');
const [port, secure, pass] = process.argv.slice(1);
let input = [];
process.stdin.on('data', d => input.push(d)).on('end', () => {
    nodemailer.createTransport({
        host: '127.0.0.1', port: +port, secure: secure === 'yes',
        requireTLS: true, tls: {rejectUnauthorized: false},
        connectionTimeout: 20000,
        auth: {user: '%s', pass}
    }).sendMail({
        envelope: {from: '%s', to: ['%s'], use8BitMime: true},
        raw: Buffer.concat(input)
    }, (error, info) => {
        console.log(error ? error.message : info.response);
        process.exit(error ? 1 : 0);
    });
});
""" % (ALICE, ALICE, RCPT)
    port = p.port465 if tls == "implicit" else p.port587
    # Debian's modules, whichever node it is that runs them.
    path = os.pathsep.join(
        filter(None, [os.environ.get("NODE_PATH"), "/usr/share/nodejs"]))
    return run(["node", "-e", script, str(port),
                "yes" if tls == "implicit" else "no", password], MESSAGE,
               {"NODE_PATH": path})


def fields(header):
    """The header's fields as they stand, folding included."""
    return re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", header)


def intact(original, kept):
    """Byte for byte the same, but for the trace line added on top."""
    head, _, body = original.partition(b"\r\n\r\n")
    same(kept.body, body, "body")
    want, got = fields(head + b"\r\n"), fields(kept.header)
    added = got[:len(got) - len(want)]
    same(got[len(added):], want, "header of the client")
    names = [f.partition(b":")[0].lower() for f in added]
    same(names, [b"received"], "fields added")


def right(p, function, tls):
    p.sink.clear()
    mark = p.mark_log()
    code, text = function(p, tls, PASSWORD)
    if code != 0:
        raise AssertionError(f"exit {code}: {text}")
    kept = wait(lambda: p.sink.to(RCPT), 20, "the message arrives")[0]
    sent = MESSAGE
    # swaks ends what it reads from stdin with one more line end.
    if function is swaks and kept.data.endswith(b"\r\n\r\n"):
        kept.data = kept.data[:-2]
    intact(sent, kept)
    same(kept.sender, ALICE, "envelope sender")
    event = p.wait_event("msg.accepted", mark)
    same(event["account"], ALICE, "account in the log")
    same(event["port"], str(p.port465 if tls == "implicit" else p.port587),
         "port in the log")
    p.wait_event("msg.delivered", mark, id=event["id"])


def account(p):
    """What is known of the account, without the marks of its use."""
    shown = p.must("account", "show", ALICE, "--json").json()
    while isinstance(shown, list) and len(shown) == 1:
        shown = shown[0]
    return {k: v for k, v in shown.items()
            if not re.search(r"last|sent|fail|used", k)}


def wrong(p, function, tls):
    p.sink.clear()
    before, mark = account(p), p.mark_log()
    # Not twice the same: that would be a device with a stale password.
    code, text = function(p, tls, f"not {function.__name__} over {tls}")
    if code == 0:
        raise AssertionError(f"it went through: {text}")
    if not re.search(r"535[ ,-].{0,3}5\.7\.8", text):
        # curl tells no text of a refused login, only its code.
        if not (function is curl and "535" in text):
            raise AssertionError(f"no 535 5.7.8 in {text}")
    event = p.wait_event("auth.failed", mark)
    same(event["reason"], "bad-password", "reason in the log")
    same(account(p), before, "account after a wrong password")
    same(p.sink.messages, [], "messages at the sink")


for tls in ("starttls", "implicit"):
    for function in (swaks, msmtp, curl, python, nodemailer):
        where = f"{function.__name__} over {tls}"
        tap.add(f"{where}: right password, intact at the sink",
                right, function, tls)
for tls in ("starttls", "implicit"):
    for function in (swaks, msmtp, curl, python, nodemailer):
        tap.add(f"{function.__name__} over {tls}: wrong password, 535 5.7.8",
                wrong, function, tls)


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
