"""A client that says exactly what a test wants said, and no more."""

import base64
import re
import socket
import ssl
import time


class Closed(Exception):
    """The server closed the connection."""


class Reply:
    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[-1][:3])
        self.text = "\n".join(line[4:] for line in lines)
        found = re.match(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)", lines[-1][4:])
        self.enhanced = found.group(1) if found else None

    def __repr__(self):
        return " / ".join(self.lines)

    @property
    def suspended(self):
        """To AUTH: the password is right, and no mail will be taken."""
        return self.code == 235 and "account is suspended" in self.text

    @property
    def lets_in(self):
        return self.code == 235 and not self.suspended


def b64(text):
    data = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(data).decode()


def plain(user, password, authzid=""):
    return b64(f"{authzid}\0{user}\0{password}")


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


class Talk:
    """
    One connection.  tls is None, "starttls" (up to the second EHLO) or
    "implicit".  Every reply is checked for its form: a code on each line, an
    enhanced code of the same class in each 2yz, 4yz and 5yz after the banner
    and EHLO (RFC 2034 section 3).
    """

    def __init__(self, port, tls=None, host="127.0.0.1", source=None,
                 timeout=20, ssl_context=None, session=None, strict=True):
        self.strict = strict
        self.ssl_context = ssl_context or context()
        self.session = session
        self.buffer = b""
        self.ehlo_lines = []
        self.sock = socket.create_connection(
            (host, port), timeout, source_address=source and (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if tls == "implicit":
                self.wrap()
            if tls is not None:
                self.banner = self.reply(bare=True)
                if self.banner.code != 220:
                    raise AssertionError(f"banner: {self.banner}")
                if tls == "starttls":
                    self.ehlo()
                    self.starttls()
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def wrap(self):
        self.sock = self.ssl_context.wrap_socket(
            self.sock, server_hostname="mail.example.org",
            session=self.session)

    def starttls(self):
        reply = self.cmd("STARTTLS")
        if reply.code != 220:
            raise AssertionError(f"STARTTLS: {reply}")
        self.wrap()
        return reply

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def fill(self):
        try:
            more = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError) as e:
            raise Closed(str(e)) from e
        if not more:
            raise Closed("end of file")
        self.buffer += more

    def line(self):
        while b"\n" not in self.buffer:
            if len(self.buffer) > 8192:
                raise AssertionError("a reply line without an end")
            self.fill()
        line, _, self.buffer = self.buffer.partition(b"\n")
        if not line.endswith(b"\r"):
            raise AssertionError(f"a reply line without CR: {line!r}")
        if len(line) + 1 > 512:
            raise AssertionError(f"a reply line of {len(line) + 1} octets")
        return line[:-1].decode("ascii")

    def reply(self, bare=False):
        lines = []
        while True:
            line = self.line()
            if not re.match(r"[2-5][0-9][0-9]( |-|$)", line):
                raise AssertionError(f"not a reply: {line!r}")
            lines.append(line)
            if line[:3] != lines[0][:3]:
                raise AssertionError(f"two codes in one reply: {lines}")
            if line[3:4] != "-":
                break
        reply = Reply(lines)
        if self.strict and not bare and reply.code // 100 != 3:
            for line in lines:
                if not re.match(r"(\d)\d\d[ -]\1\.\d{1,3}\.\d{1,3}( |$)",
                                line):
                    raise AssertionError(f"no enhanced code: {line!r}")
        return reply

    def cmd(self, text):
        self.send((text if isinstance(text, bytes) else text.encode())
                  + b"\r\n")
        word = text[:4] if isinstance(text, str) else text[:4].decode("latin1")
        return self.reply(bare=word.upper() in ("EHLO", "HELO"))

    def ehlo(self, name="client.example.org"):
        reply = self.cmd(f"EHLO {name}")
        if reply.code == 250:
            self.ehlo_lines = [line[4:].upper() for line in reply.lines[1:]]
        return reply

    def offers(self, keyword):
        """The arguments behind an EHLO keyword, or None."""
        for line in self.ehlo_lines:
            words = line.split()
            if words and words[0] == keyword.upper():
                return words[1:]
        return None

    def auth(self, user, password):
        return self.cmd("AUTH PLAIN " + plain(user, password))

    def login(self, user, password):
        """EHLO and AUTH, which must succeed."""
        self.ehlo()
        reply = self.auth(user, password)
        if not reply.lets_in:
            raise AssertionError(f"login of {user}: {reply}")
        return self

    def mail(self, sender, *rcpts, params=""):
        """MAIL and RCPTs; the first reply that is not 2yz, or the last."""
        reply = self.cmd(f"MAIL FROM:<{sender}>{params}")
        for rcpt in rcpts:
            if reply.code // 100 != 2:
                return reply
            reply = self.cmd(f"RCPT TO:<{rcpt}>")
        return reply

    def data(self, message):
        """DATA, the message (dots stuffed here), the final reply."""
        reply = self.cmd("DATA")
        if reply.code != 354:
            return reply
        self.send(stuff(message))
        return self.reply()

    def submit(self, sender, rcpts, message):
        """A whole transaction; the reply that decided."""
        reply = self.mail(sender, *rcpts)
        if reply.code // 100 != 2:
            return reply
        return self.data(message)

    def closed(self, seconds=5):
        """Whether the server closes within seconds; eats what it says."""
        until = time.monotonic() + seconds
        self.sock.settimeout(seconds)
        try:
            while time.monotonic() < until:
                self.fill()
        except Closed:
            return True
        except (TimeoutError, ssl.SSLError, OSError):
            return False
        return False


def stuff(message):
    """CRLF message bytes as they follow a 354."""
    data = message if isinstance(message, bytes) else message.encode()
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", data) + b".\r\n"


def message(sender, to="bob@example.net", subject="test", body="hello\r\n",
            extra=""):
    """A small correct message with CRLF line ends."""
    return (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"
            f"Date: Fri, 21 Nov 2025 12:00:00 +0000\r\n"
            f"Message-ID: <{time.monotonic_ns()}@client.example.org>\r\n"
            f"{extra}\r\n{body}").encode()
