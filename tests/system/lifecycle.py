#!/usr/bin/python3
"""Start, reload, stop and death: nothing accepted is lost, nobody is stuck."""
# run: limit 240

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import sink as sinks
import tap
from client import Closed
from postern import BUILD, PASSWORD, Postern, parse_event, processes
from sink import Slow
from tap import has, same, wait

ALICE = "alice@example.org"
RCPT = "carol@example.net"


class Site(Postern):
    """With a certificate of the test's own making."""

    def set_up(self):
        self.pem = os.path.join(self.dir, "pem")
        self.renew()
        self.sections["tls"] = {"certificate": self.pem + ".cert",
                                "key": self.pem + ".key"}
        super().set_up()

    def renew(self):
        sinks.certificate(self.pem, "mail.example.org")
        with open(self.pem) as f:
            key, mark, cert = f.read().partition("-----BEGIN CERT")
        os.unlink(self.pem)
        for name, text in ((".key", key), (".cert", mark + cert)):
            self.write(self.pem + name + ".new", text)
            os.chmod(self.pem + name + ".new", 0o600)
            os.rename(self.pem + name + ".new", self.pem + name)

    def served(self, tls="implicit"):
        """The certificate that a new connection gets."""
        with self.smtp(tls) as t:
            return t.sock.getpeercert(binary_form=True)

    def on_disk(self):
        with open(self.pem + ".cert") as f:
            return ssl.PEM_cert_to_DER_cert(f.read())

    def reload(self):
        os.kill(self.sid, signal.SIGHUP)


class Stream(threading.Thread):
    """A client that submits one message after another until it is told."""

    def __init__(self, p, tag, pause=0.01):
        super().__init__()
        self.p, self.tag, self.pause = p, tag, pause
        self.accepted, self.trouble = [], []
        self.end = threading.Event()
        self.start()

    def run(self):
        n = 0
        while not self.end.is_set():
            try:
                with self.p.logged_in(timeout=30) as t:
                    while not self.end.is_set():
                        n += 1
                        rcpt = f"{self.tag}-{n}@example.net"
                        reply = t.submit(ALICE, [rcpt],
                                         client.message(ALICE))
                        if reply.code == 250:
                            self.accepted.append(rcpt)
                        else:
                            self.trouble.append(repr(reply))
                            if reply.code == 421:
                                break
                            t.cmd("RSET")
                        time.sleep(self.pause)
            except (Closed, OSError, AssertionError) as e:
                self.trouble.append(repr(e))
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end.set()
        self.join(40)


def all_arrive(p, rcpts, seconds=60):
    """Every one of them is at the sink; how many copies there are more."""
    wanted = set(rcpts)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = [r for m in list(p.sink.messages) for r in m.rcpts
               if r in wanted]
        if wanted <= set(got):
            return len(got) - len(set(got))
        p.cli("queue", "retry", "--all")
        time.sleep(0.3)
    raise AssertionError(f"lost: {sorted(wanted - set(got))[:5]} "
                         f"of {len(wanted)}")


# SIGHUP.

@tap.case("SIGHUP: a new certificate on both ports")
def certificate(p):
    same(p.served(), p.on_disk(), "certificate at the start")
    old = p.served()
    p.renew()
    same(p.served(), old, "certificate before SIGHUP")
    p.reload()
    wait(lambda: p.served() == p.on_disk(), 10, "the new one on 465")
    # All workers have it.
    for _ in range(8):
        same(p.served("starttls"), p.on_disk(), "certificate on 587")


@tap.case("SIGHUP: an open session and a transaction in it survive")
def survives(p):
    pids = p.pids()
    with p.logged_in() as one, p.logged_in(tls="starttls") as two:
        same(one.mail(ALICE, RCPT).code, 250, "RCPT")
        same(one.cmd("DATA").code, 354, "DATA")
        one.send(f"From: <{ALICE}>\r\nSubject: half\r\n\r\n")
        p.renew()
        p.reload()
        wait(lambda: p.served() == p.on_disk(), 10, "reloaded")
        one.send("the other half\r\n.\r\n")
        same(one.reply().code, 250, "end of data")
        same(two.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
             "the other session")
    same(p.pids(), pids, "processes")


@tap.case("SIGHUP: session tickets of before are good after")
def tickets(p):
    made = client.context()
    with p.smtp("implicit", ssl_context=made) as t:
        t.ehlo()
        session = t.sock.session
    p.reload()
    time.sleep(0.5)
    with p.smtp("implicit", ssl_context=made, session=session) as t:
        t.ehlo()
        same(t.sock.session_reused, True, "session resumed")


@tap.case("SIGHUP with an error in the configuration: the old one stays")
def broken(p):
    text = open(p.config).read()
    mark = p.mark_log()
    p.write(p.config, text + "[limits]\nnonsense = 1\n")
    try:
        with p.logged_in() as t:
            p.reload()
            wait(lambda: "nonsense" in p.log(mark), 10, "a word in the log")
            same(t.submit(ALICE, [RCPT], client.message(ALICE)).code, 250,
                 "open session")
        p.send(RCPT)
    finally:
        p.write(p.config, text)
    p.reload()
    time.sleep(0.3)
    p.send(RCPT)


@tap.case("SIGHUP with a certificate that is none: the old one stays")
def broken_certificate(p):
    old = p.served()
    good = open(p.pem + ".cert").read()
    for text in ("", "garbage\n", good.replace("MII", "MIJ", 1),
                 open(p.pem + ".key").read()):
        p.write(p.pem + ".cert", text)
        p.reload()
        time.sleep(0.3)
        same(p.served(), old, "certificate")
        p.send(RCPT)
    # A certificate and a key that do not belong together.
    key = open(p.pem + ".key").read()
    p.write(p.pem + ".cert", good)
    p.renew()
    p.write(p.pem + ".key", key)
    p.reload()
    time.sleep(0.3)
    same(p.served(), old, "certificate")
    p.renew()
    p.reload()
    wait(lambda: p.served() == p.on_disk(), 10, "a good one again")
    p.mark = p.mark_log()


@tap.case("SIGHUP changes limits for sessions to come")
def limits(p):
    p.configure(limits={"recipients": "3"})
    p.reload()

    def three():
        with p.logged_in() as t:
            return t.mail(ALICE, *[f"r{n}@example.net"
                                   for n in range(4)]).code == 452
    wait(three, 10, "the new limit")
    p.configure(limits={"recipients": None})
    p.reload()
    wait(lambda: not three(), 10, "the old limit")


@tap.case("twenty SIGHUPs under load: not one refusal")
def many_reloads(p):
    p.sink.clear()
    with Stream(p, "hup") as s, Stream(p, "hup2") as s2:
        for _ in range(20):
            p.reload()
            time.sleep(0.05)
        time.sleep(0.3)
    same(s.trouble + s2.trouble, [], "troubles")
    same(all_arrive(p, s.accepted + s2.accepted), 0, "duplicates")


# SIGTERM.

@tap.case("SIGTERM: idle sessions get 421, a transaction finishes, nobody new")
def term(p):
    idle, busy = p.logged_in(), p.logged_in()
    try:
        same(busy.mail(ALICE, "term@example.net").code, 250, "RCPT")
        same(busy.cmd("DATA").code, 354, "DATA")
        busy.send(f"From: <{ALICE}>\r\n\r\nhalf\r\n")
        began = time.monotonic()
        p.process.terminate()
        same(idle.reply().code, 421, "to the idle session")
        same(idle.closed(5), True, "idle session closed")

        def unwelcome():
            """Refused, or left without a greeting until the end."""
            try:
                with socket.create_connection(("127.0.0.1", p.port587), 2) \
                        as new:
                    new.settimeout(0.5)
                    return not new.recv(1)
            except (ConnectionError, TimeoutError):
                return True
        same(unwelcome(), True, "a new connection is turned away")
        busy.send("the rest\r\n.\r\n")
        same(busy.reply().code, 250, "end of data after SIGTERM")
        try:
            reply = busy.reply()
            same(reply.code, 421, "behind it")
        except Closed:
            pass
        p.stop()
        if time.monotonic() - began > 15:
            raise AssertionError("it took long")
    finally:
        idle.close()
        busy.close()
    p.start()
    wait(lambda: p.sink.to("term@example.net"), 20, "it arrives")
    same(len(p.sink.to("term@example.net")), 1, "copies")


@tap.case("SIGTERM with a client that never finishes: bounded")
def stalled(p):
    with p.logged_in() as t:
        t.mail(ALICE, RCPT)
        t.cmd("DATA")
        t.send("half a line")
        began = time.monotonic()
        p.stop(seconds=60)
        if time.monotonic() - began > 45:
            raise AssertionError(f"{time.monotonic() - began:.0f} s")
    p.start()


@tap.case("SIGTERM with a delivery that never ends: bounded, and not lost")
def stalled_delivery(p):
    p.sink.script["body"] = Slow(60, "451 4.3.0 no")
    ident = p.send("stall@example.net")
    wait(lambda: p.sink.open, 10, "the delivery runs")
    began = time.monotonic()
    p.stop(seconds=60)
    if time.monotonic() - began > 45:
        raise AssertionError(f"{time.monotonic() - began:.0f} s")
    p.sink.script.clear()
    p.start()
    p.cli("queue", "retry", ident)
    wait(lambda: p.sink.to("stall@example.net"), 30, "it arrives")


@tap.case("what waited before a stop goes on after a start")
def waited(p):
    p.sink.script["rcpt"] = "450 4.2.0 later"
    mark = p.mark_log()
    ids = [p.send(f"w{n}@example.net", body="x" * 70 + "\r\n")
           for n in range(20)]
    big = client.message(ALICE)[:-7] + (b"z" * 78 + b"\r\n") * 10000
    ids.append(p.send("wbig@example.net", raw=big))
    wait(lambda: len(p.events("msg.deferred", mark)) >= 21, 20, "deferred")
    p.stop()
    p.sink.script.clear()
    p.start()
    same({r["id"] for r in p.queue()} - set(ids), set(), "other ids")
    same(all_arrive(p, [f"w{n}@example.net" for n in range(20)]
                    + ["wbig@example.net"]), 0, "duplicates")
    same(p.sink.to("wbig@example.net")[0].body,
         big.partition(b"\r\n\r\n")[2], "the big body")
    wait(lambda: p.queue() == [], 10, "an empty queue")


@tap.case("starting, ready, alive, reloading and stopping are told to the "
          "service manager")
def notify(p):
    p.stop()
    path = os.path.join(p.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        os.chmod(path, 0o777)
        s.settimeout(15)

        def told(word):
            until = time.monotonic() + 15
            while time.monotonic() < until:
                if word in s.recv(4096).decode():
                    return
            raise AssertionError(f"no {word}")
        # More than a manager that does not read has room for.
        p.start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000"})
        told("EXTEND_TIMEOUT_USEC=")
        told("READY=1")
        told("WATCHDOG=1")
        told("WATCHDOG=1")
        p.reload()
        told("READY=1")
        p.stop()
        told("STOPPING=1")
    os.unlink(path)
    p.start()


# Death.

def restarted(p, name, before):
    wait(lambda: len(p.pid(name)) == len(before)
         and not set(p.pid(name)) & set(before), 30, f"a new {name}")


for name in ("postern-queue", "postern-auth", "postern-smtpd",
             "postern-deliver"):
    @tap.case(f"kill -9 of {name}: restarted, nothing lost", name)
    def death(p, name):
        p.sink.clear()
        mark = p.mark_log()
        with Stream(p, f"{name}1", 0) as one, Stream(p, f"{name}2", 0) as two:
            time.sleep(0.4)
            before = p.kill(name)
            restarted(p, name, before)
            count = len(one.accepted) + len(two.accepted)
            wait(lambda: len(one.accepted) + len(two.accepted) > count + 4,
                 40, "mail is accepted again")
        # 451 4.3.0 (454 for a login), a lost connection, or nothing at all.
        for said in one.trouble + two.trouble:
            if not re.search(r"45[014] 4\.(3\.0|7\.0)|421|Closed|Connection"
                             r"|Broken pipe|EOF|[Tt]imed? ?out", said):
                raise AssertionError(f"a client was told {said}")
        extra = all_arrive(p, one.accepted + two.accepted)
        if extra > 60:
            raise AssertionError(f"{extra} duplicates")
        if name in ("postern-auth", "postern-smtpd"):
            same(extra, 0, "duplicates")
        same(p.process.poll(), None, "the parent")
        has(p.log(mark), name.partition("-")[2], "its death in the log")
        # What arrived without an answer heard is uncertain and tried again.
        wait(lambda: p.cli("queue", "retry", "--all") and p.queue() == [], 20,
             "an empty queue", 0.3)
        p.mark = p.mark_log()


@tap.case("451 4.3.0 while the queue is away, and the session goes on")
def away(p):
    # Stopped again and again, the queue stays away for a while.
    with p.logged_in() as t:
        codes = set()
        until = time.monotonic() + 4
        while time.monotonic() < until and "451 4.3.0" not in codes:
            p.kill("postern-queue")
            for _ in range(5):
                reply = t.submit(ALICE, ["away@example.net"],
                                 client.message(ALICE))
                codes.add(f"{reply.code} {reply.enhanced}")
                if reply.code != 250:
                    same(t.cmd("RSET").code, 250, "RSET")
        if "451 4.3.0" not in codes:
            raise AssertionError(f"replies seen: {codes}")
        wait(lambda: t.submit(ALICE, ["back@example.net"],
                              client.message(ALICE)).code == 250
             or t.cmd("RSET") and False, 60, "accepted again", 0.2)
    wait(lambda: p.sink.to("back@example.net"), 30, "it arrives")
    p.mark = p.mark_log()


@tap.case("a queue that stands still holds up nobody who needs it not")
def frozen(p):
    pid = p.pid("postern-queue")[0]
    with p.logged_in() as t, p.logged_in() as other:
        same(t.mail(ALICE, "frozen@example.net").code, 250, "RCPT")
        same(t.cmd("DATA").code, 354, "DATA")
        os.kill(pid, signal.SIGSTOP)
        try:
            t.send(client.stuff(client.message(ALICE)))
            time.sleep(0.5)
            for _ in range(3):
                same(other.cmd("NOOP").code, 250, "NOOP elsewhere")
            with p.logged_in():
                pass
        finally:
            os.kill(pid, signal.SIGCONT)
        same(t.reply().code, 250, "end of data")
    wait(lambda: p.sink.to("frozen@example.net"), 20, "it arrives")


@tap.case("kill -9 of the parent: no process stays, a start works at once")
def parent(p):
    p.sink.script["rcpt"] = "450 4.2.0 later"
    p.send("orphan@example.net")
    os.kill(p.sid, signal.SIGKILL)
    p.process.wait()
    p.process = None
    wait(lambda: p.pids() == {}, 15, "no process left")
    p.sink.script.clear()
    p.start()
    same(all_arrive(p, ["orphan@example.net"]), 0, "duplicates")
    p.mark = p.mark_log()


# What a log reader may believe.

@tap.case("auth.failed lines cannot be forged by names")
def forged(p):
    line = re.compile(r"(?m)^(?:\S+ )?auth\.failed ip=(\S+) ")
    names = [
        'x" ip=203.0.113.9', "x ip=203.0.113.9", "x\nauth.failed ip=203.0.113.9"
        " port=465", "x\r\nauth.failed ip=203.0.113.9 reason=bad-password",
        'x"\nauth.failed ip=203.0.113.9', "x\\", 'x\\" ip=203.0.113.9 y="',
        "\x1b[2K\rauth.failed ip=203.0.113.9 ", "\u2028auth.failed "
        "ip=203.0.113.9", "a" * 250, "\u00e9" * 120, "auth.failed",
        "\x85auth.failed ip=203.0.113.9 ", ALICE + '" reason=x ip=203.0.113.9']
    mark = p.mark_log()
    for number, name in enumerate(names):
        source = f"127.20.{number}.1"
        with p.smtp("implicit", source=source) as t:
            t.ehlo()
            t.cmd("AUTH PLAIN " + client.plain(name, f"pw {number}"))
        with p.smtp("implicit", source=source) as t:
            t.ehlo()
            t.auth(f"{number}" + ALICE, f"pw {number}")
    text = p.log(mark)
    found = line.findall(text)
    if set(found) - {f"127.20.{n}.1" for n in range(len(names))}:
        raise AssertionError(f"forged: {set(found)}")
    for number in range(len(names)):
        if f"127.20.{number}.1" not in found:
            raise AssertionError(f"no line for 127.20.{number}.1")
    raw = open(p.log_path, "rb").read()[mark:]
    for entry in raw.split(b"\n"):
        if len(entry) > 1024:
            raise AssertionError(f"a line of {len(entry)} octets")
        if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", entry):
            raise AssertionError(f"control characters: {entry!r}")
    for entry in text.splitlines():
        event = parse_event(entry)
        if event and event[0] == "auth.failed":
            same(list(event[1])[0], "ip", "first key")
            if not event[1].get("reason"):
                raise AssertionError(f"no reason in {entry}")


@tap.case("envelope and header strings cannot forge lines either")
def forged_mail(p):
    mark = p.mark_log()
    with p.logged_in() as t:
        t.cmd('MAIL FROM:<"x ip=203.0.113.9 y"@example.net>')
        t.cmd("EHLO msg.accepted")
        t.cmd(f"MAIL FROM:<{ALICE}>")
        t.cmd('RCPT TO:<"a b=c msg.delivered id=x"@example.net>')
        t.data(f"From: <{ALICE}>\r\nMessage-ID: <x\" id=forged \"@y>\r\n"
               "Subject: msg.bounced id=forged\r\n\r\nx\r\n")
    wait(lambda: p.queue() == [], 20, "settled")
    for line in p.log(mark).splitlines():
        event = parse_event(line)
        if event and event[1].get("id") in ("forged", "x"):
            raise AssertionError(line)


@tap.case("no password is in the log, whatever happened to it")
def secrets(p):
    log = p.log()
    for secret in (PASSWORD, client.plain(ALICE, PASSWORD),
                   client.b64(PASSWORD)):
        if secret in log:
            raise AssertionError("a password")


def confined(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return "NoNewPrivs:\t1" in f.read()
    except OSError:
        return False


@tap.case("a command that is killed leaves no process behind, not even one "
          "that is stuck")
def orphan(_):
    with Postern(accounts=[], start=False) as p:
        for _ in range(30):
            command = subprocess.Popen(
                [os.path.join(BUILD, "postern"), "--config", p.config,
                 "account", "list"], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            stuck = None
            while stuck is None and command.poll() is None:
                stuck = next((pid for pid, name
                              in processes(command.pid).items()
                              if name == "postern-auth" and confined(pid)),
                             None)
            try:
                if stuck:
                    os.kill(stuck, signal.SIGSTOP)
            except ProcessLookupError:
                stuck = None
            command.kill()
            command.wait()
            try:
                wait(lambda: not processes(command.pid), 15, "all are gone")
            finally:
                for pid in processes(command.pid):
                    os.kill(pid, signal.SIGKILL)
            if stuck:
                return
        raise AssertionError("never met one")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
