"""
A mail server that keeps what it gets, and misbehaves on request.

    with Sink() as sink:                      # a correct server
    with Sink({"rcpt": "450 4.2.0 busy"}):    # 450 to each RCPT
    with Sink({"body": ["451 4.3.0 no", None]})   # the first time only
    with Sink({"data": CLOSE})                # hang up instead of a reply

A script maps a stage to what happens there: a str is the reply (lines split
at "\\n" make it a multi-line one), bytes go out raw, CLOSE hangs up, RESET
resets the connection, Slow(seconds, then) waits first, None behaves well, a
list is used up one entry at a time (then None), and a callable is asked:
f(session, argument) -> any of these.

Stages: connect, ehlo, helo, starttls, tls (before the handshake), auth, mail,
rcpt, data, body (after the final dot), rset, noop, quit, and half (in the
middle of the data).
"""

import base64
import email
import email.policy
import hashlib
import hmac
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

CLOSE = object()
RESET = object()


class Slow:
    def __init__(self, seconds, then=None):
        self.seconds, self.then = seconds, then


class Kept:
    """One message as the sink got it: dots removed, CRLF line ends."""

    def __init__(self, session, data):
        self.sender = session.sender
        self.sender_params = session.sender_params
        self.rcpts = list(session.rcpts)
        self.rcpt_params = list(session.rcpt_params)
        self.chunked = session.chunked
        self.data = data
        self.tls = session.tls
        self.helo = session.helo
        self.peer = session.peer
        self.mechanism = session.mechanism
        self.resumed = session.resumed
        self.user = session.user
        self.port = session.server.port
        self.address = session.server.address
        self.session = session.number
        self.at = time.monotonic()

    @property
    def header(self):
        return self.data.partition(b"\r\n\r\n")[0] + b"\r\n"

    @property
    def body(self):
        return self.data.partition(b"\r\n\r\n")[2]

    def parsed(self):
        return email.message_from_bytes(self.data,
                                        policy=email.policy.default)

    def __repr__(self):
        return (f"<{self.sender}> -> {self.rcpts} "
                f"({len(self.data)} bytes, tls={self.tls})")


class _Gone(Exception):
    pass


class Session:
    def __init__(self, server, sock, number):
        self.server, self.sock, self.number = server, sock, number
        try:
            self.peer = sock.getpeername()[0]
        except OSError:
            self.peer = None
        self.tls = self.helo = self.user = self.mechanism = None
        self.resumed = False
        self.buffer = b""
        self.commands = []
        self.reset()

    def reset(self):
        self.sender = self.sender_params = None
        self.rcpts, self.rcpt_params = [], []
        self.chunked, self.chunks = False, b""

    # Input.

    def fill(self):
        try:
            more = self.sock.recv(65536)
        except OSError as e:
            raise _Gone from e
        if not more:
            raise _Gone
        self.server.octets += len(more)
        self.buffer += more

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        line, _, self.buffer = self.buffer.partition(b"\n")
        if not line.endswith(b"\r"):
            self.server.complain(f"bare LF in a command: {line!r}")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def body(self):
        half = False
        # A line end in front, so that each end of data looks the same.
        data, looked = bytearray(b"\r\n" + self.buffer), 0
        while (end := data.find(b"\r\n.\r\n", looked)) < 0:
            looked = max(0, len(data) - 4)
            self.buffer = b""
            self.fill()
            data += self.buffer
            if not half and len(data) > 100:
                half = True
                self.act("half", "")
        self.buffer = bytes(data[end + 5:])
        data = bytes(data[2:end + 2])
        stray = data.replace(b"\r\n", b"")
        if b"\r" in stray or b"\n" in stray:
            self.server.complain("a bare CR or LF in the data")
        if b"\0" in stray:
            self.server.complain("a NUL in the data")
        if max(map(len, data.split(b"\r\n"))) > 999:
            self.server.complain("a line over 998 octets")
        lines = data.split(b"\r\n")
        for i, line in enumerate(lines):
            if line.startswith(b"."):
                if not line.startswith(b".."):
                    self.server.complain(f"an unstuffed dot: {line[:40]!r}")
                lines[i] = line[1:]
        return b"\r\n".join(lines)

    # Output.

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise _Gone from e

    def say(self, text):
        lines = text.split("\n")
        code = lines[0][:3]
        out = []
        for i, line in enumerate(lines):
            rest = line[4:] if line[:3] == code else line
            out.append(code + ("-" if i + 1 < len(lines) else " ") + rest)
        self.raw(("\r\n".join(out) + "\r\n").encode())

    def hang_up(self, reset=False):
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        raise _Gone

    def act(self, stage, argument, good=None):
        """Do what the script says; True when that was the good thing."""
        return self.perform(self.server.next(stage, self, argument), good)

    def perform(self, what, good):
        while isinstance(what, Slow):
            until = time.monotonic() + what.seconds
            while time.monotonic() < until and not self.server.stopping:
                time.sleep(0.02)
            what = what.then
        if what is None:
            if good is not None:
                self.say(good)
            return True
        if what is CLOSE:
            self.hang_up()
        elif what is RESET:
            self.hang_up(reset=True)
        elif isinstance(what, bytes):
            self.raw(what)
        else:
            self.say(what)
            return what.startswith(("2", "3"))
        return False

    # The dialogue.

    def run(self):
        try:
            if self.server.implicit_tls:
                self.secure()
            if not self.act("connect", "", "220 sink.example.org ready"):
                self.after_refusal()
            while True:
                line = self.line()
                self.commands.append(line)
                verb, _, rest = line.partition(" ")
                self.alone(verb.upper())
                method = getattr(self, "do_" + verb.lower(), None)
                if method is None:
                    self.say("500 5.5.2 what?")
                else:
                    method(rest)
        except _Gone:
            pass
        finally:
            self.server.ended(self)
            # Unread input would turn the close into a reset and lose the
            # last reply on its way.
            try:
                self.sock.settimeout(0.05)
                if not self.server.stopping:
                    self.sock.shutdown(socket.SHUT_WR)
                    while self.sock.recv(65536):
                        pass
            except OSError:
                pass
            self.sock.close()

    def alone(self, verb):
        """RFC 2920 section 3.1: what may stand in a group of commands."""
        if not self.buffer:
            return
        if "PIPELINING" not in self.server.extensions or not self.helo:
            self.server.complain(f"pipelined behind {verb}, not offered")
        elif verb in ("EHLO", "HELO", "STARTTLS", "AUTH", "DATA", "QUIT"):
            self.server.complain(f"pipelined behind {verb}")

    def after_refusal(self):
        """After a 4yz or 5yz greeting only QUIT makes sense."""
        while True:
            line = self.line()
            self.commands.append(line)
            if line.upper() == "QUIT":
                self.say("221 2.0.0 bye")
                raise _Gone
            self.say("503 5.5.1 no")

    def secure(self):
        if not self.act("tls", ""):
            self.hang_up()
        if self.buffer:
            self.server.complain("octets behind STARTTLS")
        try:
            self.sock = self.server.ssl_context.wrap_socket(
                self.sock, server_side=True)
        except (OSError, ssl.SSLError) as e:
            raise _Gone from e
        self.tls = self.sock.version()
        self.resumed = self.sock.session_reused
        self.buffer = b""
        self.helo = None
        self.reset()

    def do_ehlo(self, rest):
        words = list(self.server.extensions)
        if self.server.ssl_context and not self.tls:
            words.append("STARTTLS")
        if self.server.users and (self.tls or not self.server.ssl_context):
            words.append("AUTH " + " ".join(self.server.mechanisms))
        if self.act("ehlo", rest,
                    "\n".join(["250 sink.example.org"] + words)):
            self.helo = rest
        self.reset()

    def do_helo(self, rest):
        if self.act("helo", rest, "250 sink.example.org"):
            self.helo = rest
        self.reset()

    def do_starttls(self, rest):
        if not self.server.ssl_context or self.tls:
            self.say("502 5.5.1 no")
        elif self.act("starttls", rest, "220 2.0.0 go"):
            self.secure()

    def do_auth(self, rest):
        mechanism, _, initial = rest.partition(" ")
        mechanism = mechanism.upper()
        if not self.act("auth", rest):
            return
        if mechanism not in self.server.mechanisms:
            self.say("504 5.5.4 mechanism")
            return
        if mechanism == "SCRAM-SHA-256":
            self.scram(initial)
            return
        if mechanism == "PLAIN":
            if not initial:
                self.raw(b"334 \r\n")
                initial = self.line()
            _, user, password = base64.b64decode(initial).decode().split("\0")
        else:
            if not initial:
                self.raw(b"334 VXNlcm5hbWU6\r\n")
                initial = self.line()
            user = base64.b64decode(initial).decode()
            self.raw(b"334 UGFzc3dvcmQ6\r\n")
            password = base64.b64decode(self.line()).decode()
        if self.server.users.get(user) == password:
            self.user, self.mechanism = user, mechanism
            self.say("235 2.7.0 welcome")
        else:
            self.say("535 5.7.8 no")

    def scram(self, initial):
        """SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side."""
        first = base64.b64decode(initial).decode()
        gs2, bare = first[:3], first[3:]
        user = bare[2:bare.index(",")].replace("=2C", ",").replace("=3D", "=")
        nonce = bare[bare.index(",r=") + 3:] + "ofthesink"
        salt, rounds = os.urandom(12), self.server.rounds
        challenge = (f"r={nonce},s={base64.b64encode(salt).decode()},"
                     f"i={rounds}")
        self.say("334 " + base64.b64encode(challenge.encode()).decode())
        final = self.line()
        if final == "*":
            self.say("501 5.7.0 as you like")
            return
        final = base64.b64decode(final).decode()
        without, _, proof = final.rpartition(",p=")
        if gs2 != "n,," or without != f"c=biws,r={nonce}":
            self.server.complain(f"SCRAM: {first!r}, {final!r}")
        salted = hashlib.pbkdf2_hmac(
            "sha256", self.server.users.get(user, "?").encode(), salt, rounds)

        def sign(key, text):
            return hmac.new(key, text.encode(), "sha256").digest()
        everything = ",".join((bare, challenge, without))
        key = sign(salted, "Client Key")
        want = bytes(a ^ b for a, b in zip(key, sign(
            hashlib.sha256(key).digest(), everything)))
        if base64.b64decode(proof) != want:
            self.say("535 5.7.8 no")
            return
        last = sign(sign(salted, "Server Key"), everything)
        self.say("334 " + base64.b64encode(
            b"v=" + base64.b64encode(last)).decode())
        if self.line() != "":
            self.server.complain("SCRAM: no empty answer at the end")
        self.user, self.mechanism = user, "SCRAM-SHA-256"
        self.say("235 2.7.0 welcome")

    def do_mail(self, rest):
        if self.server.users and not self.user:
            self.say("530 5.7.0 log in")
            return
        if not self.helo and self.server.strict:
            self.server.complain("MAIL before EHLO or HELO")
        address, _, params = rest[5:].partition(">")
        if not rest.upper().startswith("FROM:<"):
            self.server.complain(f"MAIL {rest!r}")
        if self.sender is not None:
            self.server.complain("MAIL inside a transaction")
            self.say("503 5.5.1 nested MAIL")
            return
        self.check_offered(params)
        if self.act("mail", rest, "250 2.1.0 ok"):
            self.sender, self.sender_params = address.lstrip("<"), params

    def check_offered(self, params):
        """A parameter is said only when its extension was offered."""
        offered = [e.split()[0] for e in self.server.extensions]
        for word in params.split():
            keyword, _, value = word.upper().partition("=")
            if keyword == "BODY":
                keyword = value
            keyword = {"RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN",
                       "ORCPT": "DSN", "BY": "DELIVERBY"}.get(keyword, keyword)
            if keyword not in offered:
                self.server.complain(f"parameter {word} was not offered")

    def do_rcpt(self, rest):
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
            return
        address, _, params = rest[3:].strip().lstrip("<").partition(">")
        self.check_offered(params)
        if self.act("rcpt", address, "250 2.1.5 ok"):
            self.rcpts.append(address)
            self.rcpt_params.append(params.strip())

    def do_data(self, rest):
        if not self.rcpts:
            self.say("503 5.5.1 no valid recipients")
        elif self.act("data", rest, "354 go on"):
            self.end(self.body())

    def do_bdat(self, rest):
        """RFC 3030: the octets are consumed whatever becomes of them."""
        size, _, last = rest.partition(" ")
        if "CHUNKING" not in self.server.extensions:
            self.server.complain("BDAT, not offered")
        while len(self.buffer) < int(size):
            self.fill()
        self.chunks += self.buffer[:int(size)]
        self.buffer = self.buffer[int(size):]
        self.chunked = True
        if not self.rcpts:
            self.say("503 5.5.1 no valid recipients")
        elif last.upper() == "LAST":
            self.end(self.chunks)
        else:
            self.say("250 2.0.0 more")

    def end(self, data):
        """The message is whole."""
        kept = Kept(self, data)
        # Kept before the reply: what the client does not hear counts.
        what = self.server.next("body", self, data)
        good = what is None or (isinstance(what, Slow) and what.then is None)
        if good or (isinstance(what, str) and what.startswith("2")):
            self.server.keep(kept)
        else:
            self.server.refused.append(kept)
        self.reset()
        self.perform(what, "250 2.0.0 kept")

    def do_rset(self, rest):
        if self.act("rset", rest, "250 2.0.0 ok"):
            self.reset()

    def do_noop(self, rest):
        self.act("noop", rest, "250 2.0.0 ok")

    def do_quit(self, rest):
        self.act("quit", rest, "221 2.0.0 bye")
        raise _Gone


class Crowd:
    """How many connections are open at once, at one server or at several."""

    def __init__(self):
        self.open = self.peak = 0
        self.lock = threading.Lock()

    def come(self):
        with self.lock:
            self.open += 1
            self.peak = max(self.peak, self.open)

    def go(self):
        with self.lock:
            self.open -= 1

    def look_anew(self):
        with self.lock:
            self.peak = self.open


class Sink:
    """
    extensions   what EHLO offers besides STARTTLS and AUTH
    cert         a PEM file with certificate and key: offer STARTTLS
    implicit     TLS from the first octet
    users        {name: password}: demand AUTH before MAIL
    mechanisms   offered: PLAIN, LOGIN, SCRAM-SHA-256
    rounds       of SCRAM
    port         0 means a free one
    crowd        a Crowd that several sinks share
    """

    DEFAULT = ("PIPELINING", "8BITMIME", "SIZE 50000000",
               "ENHANCEDSTATUSCODES")

    def __init__(self, script=None, extensions=DEFAULT, cert=None,
                 implicit=False, users=None, mechanisms=("PLAIN", "LOGIN"),
                 address="127.0.0.1", port=0, strict=True, rounds=4096,
                 crowd=None):
        self.script = dict(script or {})
        self.extensions, self.users = list(extensions), dict(users or {})
        self.mechanisms, self.strict = list(mechanisms), strict
        self.rounds = rounds
        self.implicit_tls = implicit
        self.ssl_context = None
        if cert:
            self.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.ssl_context.load_cert_chain(cert)
        self.messages, self.refused, self.complaints = [], [], []
        self.sessions, self.open = [], 0
        self.peak = self.octets = 0
        self.stopping = False
        self.lock = threading.Lock()
        self.crowd = crowd or Crowd()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.address, self.port = address, self.listener.getsockname()[1]
        self.thread = None

    def start(self):
        self.listener.listen(1024)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        self.stopping = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.hang_up()

    def hang_up(self):
        """End every session, without a word."""
        with self.lock:
            live = [s for s in self.sessions if s.live]
        for session in live:
            try:
                session.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.crowd.come()
            with self.lock:
                session = Session(self, sock, len(self.sessions))
                session.live = True
                self.sessions.append(session)
                self.open += 1
                self.peak = max(self.peak, self.open)
            threading.Thread(target=session.run, daemon=True).start()

    def ended(self, session):
        with self.lock:
            session.live = False
            self.open -= 1
        self.crowd.go()

    def complain(self, text):
        self.complaints.append(text)

    def check(self, who="the sink"):
        """What nobody who speaks SMTP would have said is told once."""
        if self.complaints:
            said, self.complaints = self.complaints, []
            raise AssertionError(f"{who} complains: {said[:3]}")

    def next(self, stage, session, argument):
        with self.lock:
            what = self.script.get(stage)
            if isinstance(what, list):
                what = what.pop(0) if what else None
        if callable(what):
            what = what(session, argument)
        return what

    def keep(self, kept):
        with self.lock:
            self.messages.append(kept)

    def to(self, address):
        """The messages that have this recipient."""
        with self.lock:
            return [m for m in self.messages if address in m.rcpts]

    def clear(self):
        with self.lock:
            self.messages, self.refused = [], []


class LoadSink:
    """tests/bench/sink.c: fast, with a ledger on disk."""

    def __init__(self, program, port, ledger, *options):
        self.ledger = ledger
        self.process = subprocess.Popen(
            [program, "--port", str(port), "--ledger", ledger, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.port = port
        try:
            if self.process.stdout.readline() != b"ready\n":
                raise RuntimeError("the sink does not start")
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        self.process.stdout.close()

    def signal(self, number):
        self.process.send_signal(number)

    def got(self):
        """Each copy: (CLOCK_MONOTONIC seconds, id, recipients, the first)."""
        return read_got(self.ledger)

    def count(self):
        try:
            with open(self.ledger, "rb") as f:
                return f.read().count(b"\n")
        except OSError:
            return 0


def read_got(path):
    """The ledger of a LoadSink; a line half written does not count."""
    with open(path, "rb") as f:
        data = f.read()
    out = []
    for line in data[:data.rfind(b"\n") + 1].decode().splitlines():
        at, name, count, first = line.split(" ")
        out.append((int(at) / 1e6, name, int(count), first))
    return out


def certificate(path, name="sink.example.org"):
    """
    Make a self-signed certificate in one PEM file with its key, which comes
    first, as Postfix wants it.
    """
    if not os.path.exists(path):
        tmp = f"{path}.{os.getpid()}"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", tmp + ".key", "-out", tmp],
            check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(tmp + ".key", "a") as out, open(tmp) as cert:
            out.write(cert.read())
        os.unlink(tmp)
        os.rename(tmp + ".key", path)
    return path
