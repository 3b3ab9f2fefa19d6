#!/usr/bin/python3
"""[listen] at a reload: opened, closed, renamed, and never half of it."""
# run: limit 60

import os
import re
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import PASSWORD, Postern, free_port
from proxied import dial, talk, v1
from tap import has, same, wait

ALICE = "alice@example.org"


class Site(Postern):
    def set_up(self):
        self.other = free_port()
        # One, or what one of them does tells nothing of the other.
        self.sections["smtpd"] = {"workers": "1"}
        super().set_up()

    def reload(self, event="conf.reloaded"):
        mark = self.mark_log()
        os.kill(self.process.pid, signal.SIGHUP)
        self.wait_event(event, mark)
        return mark

    def extend(self, text):
        self.extra = text
        self.configure()

    def extra_listen(self, more="", name="extra", tls="starttls"):
        self.extend(f"[listen {name}]\naddress = 127.0.0.1:{self.other}\n"
                    f"tls = {tls}\n{more}")


def answers(port):
    try:
        with client.Talk(port, timeout=5) as t:
            return t.reply(bare=True).code == 220
    except (OSError, client.Closed):
        return False


def refuses(port):
    """Nobody listens, in no process."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


@tap.case("one that is added is listened at, also behind a restart")
def added(p):
    same(refuses(p.other), True, "before")
    p.extra_listen()
    p.reload()
    wait(lambda: answers(p.other), 10, "the new one answers")
    p.kill("postern-smtpd")
    wait(lambda: answers(p.other), 20, "after a restart")


@tap.case("one that is taken out closes; who is connected goes on")
def removed(p):
    p.extra_listen()
    p.reload()
    wait(lambda: answers(p.other), 10, "it answers")
    with p.smtp("starttls", port=p.other) as t:
        t.login(ALICE, PASSWORD)
        p.extend("")
        p.reload()
        wait(lambda: refuses(p.other), 10, "it is closed")
        same(t.submit(ALICE, ["carol@example.net"],
                      client.message(ALICE)).code, 250, "the session")
    same(answers(p.port587), True, "the others")


@tap.case("the name, the mode and proxy-from of an address change")
def changed(p):
    p.extra_listen()
    p.reload()
    wait(lambda: answers(p.other), 10, "it answers")
    p.extra_listen("proxy-from = 127.0.0.1\n", "balanced")
    p.reload()

    def believes():
        with talk(dial(p.other, v1("192.0.2.7"))) as t:
            try:
                return t.reply(bare=True).code == 220 and \
                    t.ehlo().code == 250
            except (client.Closed, AssertionError, OSError):
                return False
    wait(believes, 10, "it takes the header")
    mark = p.mark_log()
    with dial(p.other, b"EHLO me\r\n") as s:
        try:
            same(s.recv(100), b"", "without the header")
        except ConnectionError:
            pass
    p.wait_event("smtp.closed", mark, hint="bad-proxy-header")
    p.extra_listen(tls="implicit")
    p.reload()

    def implicit():
        try:
            with client.Talk(p.other, "implicit", timeout=5):
                return True
        except (OSError, client.Closed, AssertionError):
            return False
    wait(implicit, 10, "TLS from the first byte")


@tap.case("an address that somebody else has: all stays as it was")
def taken(p):
    p.extend("")
    p.reload()
    # Each smtpd has a copy of the socket, and closes it in its own time.
    wait(lambda: refuses(p.other), 10, "it is closed")
    with socket.create_server(("127.0.0.1", p.other)):
        p.extra_listen()
        mark = p.reload("conf.kept")
        failed = p.wait_event("listen.failed", mark)
        same(failed["port"], str(p.other))
        has(failed["fix"], "ss -ltnp")
        same(answers(p.port587), True, "the others")
    wait(lambda: refuses(p.other), 5, "nobody is there")
    p.reload()
    wait(lambda: answers(p.other), 10, "now it works")


@tap.case("what only a restart changes is told while it differs")
def restart_needed(p):
    p.configure(queue={"cache": "32M"})
    mark = p.reload()
    same([e["key"] for e in p.events("conf.restart-needed", mark)],
         ["queue.cache"], "changed")
    p.configure(queue={"cache": None})
    mark = p.reload()
    same(p.events("conf.restart-needed", mark), [], "as it began")


def uid_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return [line for line in f if line.startswith("Uid:")]


@tap.case("whose the processes are stays until a restart")
def users(p):
    before = p.extra
    p.extend("[users]\nsmtpd = games\n")
    mark = p.reload()
    same([e["key"] for e in p.events("conf.restart-needed", mark)], ["users"],
         "changed")
    old = p.pid("postern-smtpd")
    uids = [uid_of(pid) for pid in old]
    mark = p.mark_log()
    p.kill("postern-smtpd")
    p.wait_event("process.died", mark, process="smtpd")
    wait(p.greets, 20, "it is back")
    new = p.pid("postern-smtpd")
    same(set(old) & set(new), set(), "started again")
    same([uid_of(pid) for pid in new], uids, "users")
    p.extend(before)
    mark = p.reload()
    same(p.events("conf.restart-needed", mark), [], "as it began")


@tap.case("the log goes where a reload sends it")
def syslog(p):
    p.extend("")
    p.reload()
    wait(lambda: refuses(p.other), 10, "it is closed")
    mark = p.mark_log()
    p.extra_listen("[log]\nsyslog = yes\n")
    os.kill(p.process.pid, signal.SIGHUP)
    wait(lambda: answers(p.other), 10, "what it does not tell here")
    p.extend("")
    p.reload()
    same(len(p.events("conf.reloaded", mark)), 1, "the second only")


@tap.case("a second server with the same run directory leaves the first its "
          "socket")
def second(p):
    path = os.path.join(p.dir, "second.conf")
    with open(p.config) as f:
        text = re.sub(r"(?m)^(state *= *\S+)", r"\1-2", f.read())
    p.write(path, text)
    same(p.cli("--config", path, "init").code, 0, "init")
    result = p.cli("--config", path, "serve", timeout=30)
    same(result.code, 75, f"{result}")
    has(result.err, "another postern uses this directory")
    same(p.cli("status").code, 0, "the first is there")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
