"""
Mail programs as their users have them: told a server, a port, a name and a
password, and whom to trust; everything else stays as it comes.

    shown = PROGRAMS["msmtp"].send(Box(...), Letter(...), directory)
    shown.ok, shown.text        # whether it says it went; what a person reads
"""

import email.message
import email.policy
import email.utils
import json
import os
import smtplib
import ssl
import subprocess
from urllib.parse import quote

import thunderbird

TIMEOUT_S = 300


class Box:
    """What somebody types into the settings of a mail program."""

    def __init__(self, port, tls, user, password, ca, host="localhost"):
        self.host, self.port, self.tls = host, port, tls
        self.user, self.password, self.ca = user, password, ca

    @property
    def implicit(self):
        return self.tls == "implicit"


class Letter:
    """
    attachment   a file
    dsn          ask for a report of success
    raw          the message as it is to go out, instead of subject and text,
                 for programs that can send one
    """

    def __init__(self, sender, to, subject=None, text=None, attachment=None,
                 dsn=False, raw=None):
        self.sender, self.to, self.subject = sender, to, subject
        self.text, self.attachment, self.dsn = text, attachment, dsn
        self.raw = raw

    def mime(self):
        """The message, for programs that want it made."""
        wide = not (self.sender + self.to).isascii()
        made = email.message.EmailMessage(
            policy=email.policy.SMTPUTF8 if wide else email.policy.SMTP)
        made["From"], made["To"] = self.sender, self.to
        made["Subject"] = self.subject
        made["Date"] = email.utils.localtime()
        made["Message-ID"] = email.utils.make_msgid(domain="client.example")
        made.set_content(self.text)
        if self.attachment:
            with open(self.attachment, "rb") as f:
                made.add_attachment(
                    f.read(), maintype="application", subtype="octet-stream",
                    filename=os.path.basename(self.attachment))
        return made

    def octets(self):
        return self.raw or self.mime().as_bytes()


class Shown:
    """What a person sees afterwards."""

    def __init__(self, ok, text):
        self.ok, self.text = ok, text

    def __repr__(self):
        return f"{'sent' if self.ok else 'not sent'}: {self.text}"


class Program:
    """
    light   quick and small enough for every run of the tests
    can     of {"dsn", "raw"}: what it can do by its own means
    """

    def __init__(self, name, function, light, can):
        self.name, self.send = name, function
        self.light, self.can = light, set(can)


PROGRAMS = {}


def program(name, light=False, can=()):
    def register(function):
        PROGRAMS[name] = Program(name, function, light, can)
        return function
    return register


def write(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "wb") as f:
        f.write(data)
    return path


def run(words, home, stdin=b"", **env):
    """Run it as a user who has nothing but what is in home."""
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        words, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=TIMEOUT_S, cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8",
             "LC_ALL": "C.UTF-8", "TERM": "dumb", **env})
    return Shown(done.returncode == 0, done.stdout.decode("utf-8", "replace"))


@program("swaks", light=True, can=("raw",))
def swaks(box, letter, home):
    words = ["swaks", "--server", box.host, "--port", str(box.port),
             "--tls-on-connect" if box.implicit else "--tls",
             "--auth", "--auth-user", box.user, "--auth-password",
             box.password, "--from", letter.sender, "--to", letter.to,
             "--timeout", str(TIMEOUT_S)]
    if letter.raw:
        # Of what it reads from stdin it makes one line end more.
        return run([*words, "--data", "-"], home, letter.raw[:-2])
    words += ["--header", f"Subject: {letter.subject}", "--body", letter.text]
    if letter.attachment:
        words += ["--attach", "@" + letter.attachment]
    return run(words, home)


@program("msmtp", light=True, can=("dsn", "raw"))
def msmtp(box, letter, home):
    write(os.path.join(home, ".msmtprc"), f"""\
account default
host {box.host}
port {box.port}
tls on
tls_starttls {'off' if box.implicit else 'on'}
tls_trust_file {box.ca}
auth on
user {box.user}
password {box.password}
from {letter.sender}
""")
    words = ["msmtp", letter.to]
    if letter.dsn:
        words[1:1] = ["--dsn-notify=success,failure", "--dsn-return=headers"]
    text = letter.octets().replace(b"\r\n", b"\n")
    return run(words, home, text)


@program("curl", light=True, can=("raw",))
def curl(box, letter, home):
    # Without --verbose it tells the code of a refusal and not its text.
    upload = write(os.path.join(home, "upload"), letter.octets())
    return run(["curl", "--verbose", "--silent", "--show-error", "--url",
                f"{'smtps' if box.implicit else 'smtp'}://{box.host}:"
                f"{box.port}", "--ssl-reqd", "--cacert", box.ca,
                "--user", f"{box.user}:{box.password}",
                "--mail-from", letter.sender, "--mail-rcpt", letter.to,
                "--upload-file", upload], home)


@program("smtplib", light=True, can=("dsn", "raw"))
def python(box, letter, home):
    context = ssl.create_default_context(cafile=box.ca)
    try:
        if box.implicit:
            server = smtplib.SMTP_SSL(box.host, box.port, context=context,
                                      timeout=TIMEOUT_S)
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=TIMEOUT_S)
        with server:
            if not box.implicit:
                server.starttls(context=context)
            server.login(box.user, box.password)
            options = {"mail_options": ["RET=HDRS"], "rcpt_options":
                       ["NOTIFY=SUCCESS,FAILURE"]} if letter.dsn else {}
            if letter.raw:
                server.sendmail(letter.sender, [letter.to], letter.raw,
                                ["BODY=8BITMIME"])
            else:
                server.send_message(letter.mime(), **options)
    except (smtplib.SMTPException, OSError) as e:
        return Shown(False, f"{type(e).__name__}: {e}")
    return Shown(True, "")


NODEMAILER = """
const [mailer, box, letter] = [require('nodemailer'),
    ...process.argv.slice(1).map(JSON.parse)];
mailer.createTransport(box).sendMail(letter, error => {
    if (error)
        console.log(error.message);
    process.exit(error ? 1 : 0);
});
"""


@program("nodemailer", light=True, can=("dsn", "raw"))
def nodemailer(box, letter, home):
    # Some nodes take ::1 for localhost and try nothing else.
    settings = {"host": "127.0.0.1", "port": box.port, "secure": box.implicit,
                "tls": {"servername": box.host},
                "auth": {"user": box.user, "pass": box.password}}
    if letter.raw:
        mail = {"raw": letter.raw.decode(), "envelope": {
            "from": letter.sender, "to": [letter.to], "use8BitMime": True}}
    else:
        mail = {"from": letter.sender, "to": letter.to,
                "subject": letter.subject, "text": letter.text}
    if letter.attachment:
        mail["attachments"] = [{"path": letter.attachment}]
    if letter.dsn:
        mail["dsn"] = {"id": "letter", "return": "headers",
                       "notify": ["success", "failure"],
                       "recipient": letter.sender}
    # Debian's modules, whichever node it is that runs them.
    return run(["node", "-e", NODEMAILER, json.dumps(settings),
                json.dumps(mail)], home, NODE_EXTRA_CA_CERTS=box.ca,
               NODE_PATH="/usr/share/nodejs")


@program("s-nail", light=True)
def s_nail(box, letter, home):
    scheme = "submissions" if box.implicit else "submission"
    rc = write(os.path.join(home, ".mailrc"), f"""\
set v15-compat
set mta={scheme}://{quote(box.user, '')}:{quote(box.password, '')}\
@{box.host}:{box.port}
set tls-ca-file={box.ca}
set smtp-use-starttls
set from={letter.sender}
set DEAD={home}/dead.letter
set sendwait
""")
    words = ["s-nail", "-s", letter.subject]
    if letter.attachment:
        words += ["-a", letter.attachment]
    return run(words + [letter.to], home, letter.text, MAILRC=rc)


def muttrc(box, letter):
    scheme = "smtps" if box.implicit else "smtp"
    return f"""\
set smtp_url="{scheme}://{quote(box.user, '')}@{box.host}:{box.port}/"
set smtp_pass="{box.password}"
set ssl_starttls=yes
set from="{letter.sender}"
set copy=no
""" + ("set dsn_notify='success,failure' dsn_return=hdrs\n"
       if letter.dsn else "")


def mutt_like(words, box, letter, home, ca):
    rc = write(os.path.join(home, ".muttrc"), muttrc(box, letter) + ca)
    words = [*words, "-n", "-F", rc, "-s", letter.subject]
    if letter.attachment:
        words += ["-a", letter.attachment]
    return run([*words, "--", letter.to], home, letter.text)


@program("mutt", can=("dsn",))
def mutt(box, letter, home):
    return mutt_like(["mutt"], box, letter, home,
                     f"set certificate_file='{box.ca}'\n")


@program("neomutt", can=("dsn",))
def neomutt(box, letter, home):
    return mutt_like(["neomutt"], box, letter, home,
                     f"set certificate_file='{box.ca}'\n")


@program("git-send-email")
def git_send_email(box, letter, home):
    write(os.path.join(home, ".gitconfig"), f"""\
[user]
	name = Alice
	email = {letter.sender}
[sendemail]
	smtpServer = {box.host}
	smtpServerPort = {box.port}
	smtpEncryption = {'ssl' if box.implicit else 'tls'}
	smtpUser = {box.user}
	smtpPass = {box.password}
	smtpSSLCertPath = {box.ca}
	confirm = never
	suppressCc = all
""")
    patch = write(os.path.join(home, "0001-change.patch"),
                  letter.octets().replace(b"\r\n", b"\n"))
    return run(["git", "send-email", "--quiet", f"--to={letter.to}",
                "--from=" + letter.sender, patch], home)


@program("thunderbird", can=("dsn",))
def thunderbird_headless(box, letter, home):
    return Shown(*thunderbird.send(box, letter, home))
