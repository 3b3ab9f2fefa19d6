"""
Another submission server, in a private directory and on ports of its own, with
the few words that Rig needs of it.  Nothing of the system's configuration is
read or written; as root only, because these servers change users.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys

import postern
from tap import Skip, wait

HERE = os.path.dirname(os.path.abspath(__file__))
TICKS = os.sysconf("SC_CLK_TCK")
SYNC_US = "5000"


def fields_of(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        comm, _, rest = f.read().partition(b"(")[2].rpartition(b")")
    return comm.decode(), rest.split()


class Peer:
    """
    name     as it is shown
    domain   the port of its relay is in via
    slow     its flushes take 5 ms longer

    A subclass has set_up(), command() and flush(), and queued() that counts
    messages.
    """

    name = None
    program = None

    def __init__(self, accounts, via, slow=False):
        self.accounts, self.via, self.slow = list(accounts), via, slow
        self.guard = None

    @classmethod
    def installed(cls):
        return postern.ROOT and cls.program is not None and \
            os.path.exists(cls.program)

    def __enter__(self):
        if not self.installed():
            raise Skip(f"no {self.name} here")
        self.dir = self.base = postern.directory()
        self.port587, self.port465 = postern.free_port(), postern.free_port()
        self.relay = int(self.via.rpartition(":")[2])
        try:
            self.certificate()
            self.set_up()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text, mode=0o644, owner=None):
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        if owner:
            shutil.chown(self.path(name), owner)

    def certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=mail.example.org", "-keyout", self.path("key.pem"), "-out",
             self.path("cert.pem")], check=True, stderr=subprocess.DEVNULL)

    def hashed(self):
        """PASSWORD as the system's own default for other servers has it."""
        return subprocess.run(
            ["openssl", "passwd", "-6", "-salt", "postern", postern.PASSWORD],
            check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    def environment(self):
        """What makes its flushes slow, {} when they are not to be."""
        return {"LD_PRELOAD": postern.tool("crash/slowsync.c"),
                "SLOW_SYNC_US": SYNC_US} if self.slow else {}

    # Life.

    def start(self):
        with open(self.path("output"), "ab") as out:
            self.guard = subprocess.Popen(
                [sys.executable, os.path.join(HERE, "guard.py"),
                 *self.command()], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, env={**os.environ, **self.environment()})
        wait(self.listens, 20, f"{self.name} answers")

    def stop(self):
        """TERM to each of its processes, by id, and KILL to what stays."""
        if self.guard is None:
            return
        for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
            for pid in self.pids():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            try:
                self.guard.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self.guard = None

    def listens(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port587), 2) as s:
                s.settimeout(5)
                return s.recv(4).startswith(b"220")
        except OSError:
            return False

    # What Rig asks.

    def pids(self):
        """{pid: name} of everything below the guard."""
        children, out = {}, {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                comm, fields = fields_of(name)
            except OSError:
                continue
            if fields[0] not in (b"Z", b"X"):
                children.setdefault(int(fields[1]), []).append(
                    (int(name), comm))
        look = [self.guard.pid] if self.guard else []
        while look:
            for pid, comm in children.get(look.pop(), []):
                out[pid] = comm
                look.append(pid)
        return out

    def pid(self, name):
        return [pid for pid, comm in self.pids().items() if comm == name]

    def cpu_by(self):
        """CPU seconds of all its processes, reaped ones with their parents;
        the guard's own do not count."""
        ticks = 0
        for pid in [*self.pids(), self.guard.pid]:
            try:
                _, fields = fields_of(pid)
            except OSError:
                continue
            own = sum(map(int, fields[11:13])) if pid != self.guard.pid else 0
            ticks += own + sum(map(int, fields[13:15]))
        return {self.name: ticks / TICKS}

    def status(self, key):
        return self.queued() if key == "messages" else None

    def retry(self):
        self.flush()
