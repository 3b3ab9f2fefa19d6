"""
Load with a ledger, for the tests that break things under it.

The promise: what got a 250 arrives.  load.c writes the id of each message
acknowledged to one ledger, sink.c the id of each received to another; an id
in the first and not in the second is a message lost.
"""

import glob
import json
import os
import random
import re
import signal
import subprocess
import time

from postern import PASSWORD, TOP, Postern, free_port, tool
from sink import LoadSink
from tap import comment, wait

USERS = 4
ACCOUNTS = [f"load{n}@bench.example" for n in range(USERS)]


class Load:
    """One run of load.c against p, going until stop()."""

    def __init__(self, p, ledger, tag, connections=8, seconds=0, *options):
        words = [tool("bench/load.c"), "--port", str(p.port465),
                 "--implicit", "--password", PASSWORD, "--users", str(USERS),
                 "--connections", str(connections), "--ledger", ledger,
                 "--tag", tag, "--insist", "--seconds", str(seconds or 3600),
                 "--timeout", "20", *options]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE)

    def stop(self):
        """Finish the transactions under way; what the load says of itself."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def wait(self):
        """For a load of so many seconds: what it says in the end."""
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Ledger:
    """A file that grows by lines, and is read but once."""

    def __init__(self, path):
        self.path, self.at = path, 0

    def more(self):
        """The lines since the last call; one half written does not count."""
        try:
            with open(self.path, "rb") as f:
                f.seek(self.at)
                data = f.read()
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        self.at += whole
        return data[:whole].decode().splitlines()


class Bed:
    """
    A postern, the fast sink it delivers to, and both ledgers.  The state may
    lie on another disk (base); the ledgers never do.  rcpts is how many a
    message of the load has.
    """

    def __init__(self, base=None, env=None, limits=None, queue=None,
                 sink_up=True, rcpts=1):
        self.rcpts = rcpts
        self.sink_port = free_port()
        self.p = Postern(accounts=ACCOUNTS,
                         via=f"127.0.0.1:{self.sink_port}", base=base,
                         env=env, limits=limits,
                         queue={"retry": "1s", **(queue or {})})
        self.sink = None
        self.sink_up = sink_up

    def __enter__(self):
        self.p.__enter__()
        self.acked_path = os.path.join(self.p.dir, "acked")
        self.got_path = os.path.join(self.p.dir, "got")
        open(self.got_path, "w").close()
        self.promised, self.received = \
            Ledger(self.acked_path), Ledger(self.got_path)
        self.ids, self.sent, self.arrived = set(), {}, set()
        if self.sink_up:
            try:
                self.start_sink()
            except BaseException:
                self.p.__exit__(None, None, None)
                raise
        return self

    def __exit__(self, *args):
        try:
            self.p.__exit__(*args)
        finally:
            self.stop_sink()

    def start_sink(self, *options):
        self.sink = LoadSink(tool("bench/sink.c"), self.sink_port,
                             self.got_path, *options)

    def stop_sink(self):
        if self.sink:
            self.sink.stop()
        self.sink = None

    def load(self, tag, connections=8, *options, seconds=0):
        return Load(self.p, self.acked_path, tag, connections, seconds,
                    "--rcpts", str(self.rcpts), *options)

    def acked(self):
        """The ids acknowledged so far."""
        self.ids.update(self.promised.more())
        return set(self.ids)

    def copies(self):
        """{(id, first recipient): [(time, recipients) of each copy]}"""
        for line in self.received.more():
            at, name, count, first = line.split(" ")
            firsts = self.sent.setdefault(name, {})
            firsts.setdefault(first, []).append((int(at) / 1e6, int(count)))
            wanted = self.rcpts if re.match(r".*-\d+-\d+$", name) else 1
            if sum(max(c[1] for c in copies)
                   for copies in firsts.values()) >= wanted:
                self.arrived.add(name)
        return {(name, first): copies for name, firsts in self.sent.items()
                for first, copies in firsts.items()}

    def got(self):
        """The ids that have arrived for all of their recipients."""
        self.copies()
        return set(self.arrived)

    def drain(self, wanted, seconds=60):
        """
        Wait until all of wanted have arrived; those that have not.  Retries
        are asked for: it is not the schedule that is under test.
        """
        until = time.monotonic() + seconds
        missing = wanted - self.got()
        while missing and time.monotonic() < until:
            self.p.cli("queue", "retry", "--all")
            for _ in range(5):
                time.sleep(0.1)
                missing = wanted - self.got()
                if not missing:
                    break
        return missing

    def settle(self, seconds=30):
        """Wait for an empty queue; what is in it."""
        until = time.monotonic() + seconds
        while True:
            result = self.p.cli("queue", "list", "--json")
            rows = result.items() if result.code == 0 else ["?"]
            if not rows or time.monotonic() > until:
                return rows
            self.p.cli("queue", "retry", "--all")
            time.sleep(0.2)

    def must_drain(self, wanted, seconds=60):
        missing = self.drain(wanted, seconds)
        if missing:
            comment(f"queue list: {self.p.cli('queue', 'list')}")
            self.tell(sorted(missing)[:3])
            raise AssertionError(
                f"lost {len(missing)} of {len(wanted)} acknowledged "
                f"messages, e.g. {sorted(missing)[:5]}")

    def tell(self, names):
        """What the log has about these messages of the load."""
        lines = self.p.log().splitlines()
        for name in names:
            for line in lines:
                if f"<{name}@" in line and "msg.accepted id=" in line:
                    ident = line.partition("id=")[2].split()[0]
                    comment("\n".join(x for x in lines
                                      if f"id={ident} " in x))


PROGRAMS = ("postern-queue", "postern-deliver", "postern-smtpd",
            "postern-auth")
TARGETS = ["postern-queue", "all", "postern-deliver", "postern-queue",
           "postern-smtpd", "postern-auth", "queue twice", "parent",
           "postern-queue", "all stopped first"]
# 421 closing, 451 queue away, 452 busy or full, 454 no auth just now.
PATIENT = ("421", "451", "452", "454")


def points():
    """The names of the CRASH_POINT()s of queue and deliver."""
    found = set()
    for path in (glob.glob(os.path.join(TOP, "queue", "*.c"))
                 + glob.glob(os.path.join(TOP, "deliver", "*.c"))):
        with open(path) as f:
            found |= set(re.findall(r'CRASH_POINT\("([^"]+)"\)', f.read()))
    return sorted(found)


def strike(p, target):
    """
    kill -9 to one of TARGETS; the time of it.  The server runs again when
    this returns, or the parent sees to it.
    """
    at = time.monotonic()
    if target in ("all", "all stopped first"):
        if target != "all":
            # Some go on for a moment while others are dead already.
            for name in random.sample(PROGRAMS, 2):
                p.kill(name)
            time.sleep(random.uniform(0, 0.05))
            at = time.monotonic()
        p.end_all()
        p.start()
    elif target == "parent":
        os.kill(p.sid, signal.SIGKILL)
        p.process.wait()
        p.process = None
        wait(lambda: not p.pids(), 20, "the children follow the parent")
        p.start()
    elif target == "queue twice":
        p.kill("postern-queue")
        # In the middle of the recovery, more often than not.
        if wait(lambda: p.pid("postern-queue"), 20, "a new queue", 0.001):
            time.sleep(random.uniform(0, 0.08))
            at = time.monotonic()
            p.kill("postern-queue")
    else:
        p.kill(target)
    return at


def check_codes(said):
    """A client may be put off by trouble, and never be turned away."""
    for code in said["codes"]:
        if code not in PATIENT:
            raise AssertionError(f"a client was told {code}: {said}")


def unjustified(copies, kills, in_flight=500):
    """
    (the duplicates that no kill explains, how many there are in all).

    RFC 1047: a copy may be sent again when the first was accepted and the
    sender died before it could note that.  A verdict is flushed within 50 ms,
    later on a busy machine, so the first copy must have arrived a moment
    before a kill; or behind it, while what was under way goes on until the
    neighbours notice.
    """
    before_s, after_s = 0.3, 1.5
    bad, per_kill, extra = [], {}, 0
    for name, sent in copies.items():
        times = sorted(at for at, _ in sent)
        extra += len(times) - 1
        for first in times[:-1]:
            near = [k for k in kills if k - before_s <= first <= k + after_s]
            if near:
                per_kill[near[0]] = per_kill.get(near[0], 0) + 1
            else:
                bad.append((name, times))
    bad += [(k, n) for k, n in per_kill.items() if n > in_flight]
    return bad, extra
