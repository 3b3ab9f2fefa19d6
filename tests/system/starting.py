#!/usr/bin/python3
"""
What a service manager hears of a start: that it takes longer, that it is done,
and, of one that will not end, no more than that the parent lives.
"""
# run: limit 120

import fcntl
import os
import shutil
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import BUILD, CHILDREN, Postern
from tap import same, wait

EXTEND, READY, ALIVE = "EXTEND_TIMEOUT_USEC=", "READY=1", "WATCHDOG=1"


DIES = "#!/bin/sh\nexit 1\n"
# A process that was taken over, on its line to the parent.
TAKEN = """#!/usr/bin/python3
import socket, time
line = socket.socket(fileno=3)
{}
time.sleep(600)
"""


class Site(Postern):
    """With a service manager, and a program that is another one."""

    def __init__(self, broken=None, text=DIES):
        super().__init__(accounts=[], start=False)
        self.broken, self.text, self.manager = broken, text, None

    def set_up(self):
        super().set_up()
        if self.broken:
            self.programs = os.path.join(self.dir, "programs")
            os.mkdir(self.programs)
            for name in ("postern", "postern-parent", *CHILDREN):
                shutil.copy(os.path.join(BUILD, name), self.programs)
            path = os.path.join(self.programs, self.broken)
            os.unlink(path)
            self.write(path, self.text)
            os.chmod(path, 0o755)
        self.path = os.path.join(self.dir, "notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(self.path)
        os.chmod(self.path, 0o777)
        self.manager.settimeout(15)

    def __exit__(self, *about):
        super().__exit__(*about)
        if self.manager:
            self.manager.close()

    def begin(self, **env):
        return self.start(ready=False,
                          env={"NOTIFY_SOCKET": self.path, **env})

    def fill(self):
        """Leave no room in the manager's queue, for any sender."""
        sent = 1
        while sent:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.setblocking(False)
                sent = 0
                try:
                    while True:
                        other.sendto(b"STATUS=busy", self.path)
                        sent += 1
                except BlockingIOError:
                    pass

    def heard(self):
        return self.manager.recv(4096).decode()

    def told(self, word, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if word in self.heard() and time.monotonic() < until:
                return
        raise AssertionError(f"no {word} in {seconds} s")


@tap.case("without postern-sts mail flows, and the start is done")
def no_sts():
    with Site("postern-sts") as p:
        p.begin()
        p.told(READY)
        p.ready()


for name in ("postern-queue", "postern-deliver"):
    @tap.case(f"a start with a {name} that dies again and again gets no more "
              "time", name)
    def failing(name):
        with Site(name) as p:
            p.begin(WATCHDOG_USEC="20000")
            p.told(EXTEND)
            until = time.monotonic() + 60
            alive = 0
            while alive < 100:
                word = p.heard()
                if READY in word:
                    raise AssertionError("it says that it is ready")
                alive = 0 if EXTEND in word else alive + (ALIVE in word)
                if time.monotonic() > until:
                    raise AssertionError("it asks for more time for ever")


@tap.case("a reload while the server starts does not end the start")
def reload():
    with Site("postern-queue") as p:
        p.begin(WATCHDOG_USEC="20000")
        p.told(EXTEND)
        os.kill(p.process.pid, signal.SIGHUP)
        p.wait_event("conf.reloaded")
        words = [p.heard() for _ in range(100)]
        for word in (READY, "RELOADING=1"):
            if any(word in heard for heard in words):
                raise AssertionError(f"it says {word}")


@tap.case("a reload before the server can read anew is kept in mind")
def early():
    with Site() as p:
        with open(os.path.join(p.dir, "state", "lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            p.begin()
            path = f"/proc/{p.process.pid}/comm"
            wait(lambda: open(path).read().startswith("postern-parent"), 30,
                 "the parent waits for the lock")
            # It blocks the signal first of all.
            wait(lambda: blocks_hup(p.process.pid), 30, "it is at work")
            os.kill(p.process.pid, signal.SIGHUP)
        p.wait_event("conf.reloaded", seconds=30)


def blocks_hup(pid):
    with open(f"/proc/{pid}/status") as f:
        mask = [line for line in f if line.startswith("SigBlk:")][0].split()[1]
    return int(mask, 16) & 1 << (signal.SIGHUP - 1) != 0


for what, words in (("says what no child says", 'line.send(b"garbage")'),
                    ("hangs up", "line.close()")):
    @tap.case(f"a child that {what} is ended, and nobody else", words)
    def taken(words):
        with Site("postern-sts", TAKEN.format(words)) as p:
            p.begin()
            wait(lambda: [e for e in p.events("process.died")
                          if e["process"] == "sts"], 30, "its end")
            same(p.events("process.died")[0]["signal"], "9", "signal")
            p.ready()
            same({e["process"] for e in p.events("process.died")}, {"sts"},
                 "who died")


@tap.case("a manager that had no room hears of the end of a start soon after")
def owed():
    with Site() as p:
        p.fill()
        p.begin()
        wait(lambda: p.events("server.ready"), 30, "it is ready")
        time.sleep(0.5)  # the first time that it tries again is over
        p.told(READY, 5)


if __name__ == "__main__":
    tap.main()
