"""
A server under measurement: a postern, the fast sink it delivers to, the load
generator, and what the processes used meanwhile.

A figure is printed with its target beside it by line(); Table keeps them, so
that a program can end with 1 when one is missed.
"""

import json
import os
import signal
import subprocess
import sys
import time

from postern import PASSWORD, TOP, Postern, free_port, tool
from sink import LoadSink

BUILD = os.path.join(TOP, os.environ.get("B", "build"))
USERS = 100
# Of what waits for longer the queue believes that a clock was wrong.
RETRY_MOST_S = 4 * 3600
TICKS = os.sysconf("SC_CLK_TCK")


def built(name):
    """A program of tests/bench that links the server's own code."""
    path = os.path.join(BUILD, "tests/bench", name)
    subprocess.run(["make", "-s", f"B={os.path.relpath(BUILD, TOP)}",
                    os.path.relpath(path, TOP)], cwd=TOP, check=True)
    return path


def machine_s():
    """CPU seconds that the whole machine has spent."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:8]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def process_s(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        fields = f.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_kib(pid):
    """What it takes of the memory; what is shared counts in parts."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for row in f:
            if row.startswith("Pss:"):
                return int(row.split()[1])
    return 0


def end_well():
    """Who is told to end, maybe twice, stops its servers first."""
    def end(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(124)
    signal.signal(signal.SIGTERM, end)


def until(what, seconds, every=0.02):
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


class Rig:
    """
    server  another server than postern: called with accounts and via
    sink    False: nobody listens where the mail goes
    env, limits, queue, extra  as Postern has them
    """

    def __init__(self, server=None, sink=True, limits=None, users=USERS,
                 **kwargs):
        self.users = users
        self.with_sink, self.sink = sink, None
        accounts = [f"load{n}@bench.example" for n in range(users)]
        via = f"127.0.0.1:{free_port()}"
        self.p = server(accounts, via) if server else Postern(
            accounts=accounts, via=via,
            limits={"message-size": "110M", "recipients": "1000",
                    **{key: "1000000000" for key in
                       ("per-hour", "per-day", "messages-per-hour",
                        "messages-per-day", "new-per-day")},
                    **(limits or {})}, **kwargs)

    def __enter__(self):
        self.p.__enter__()
        self.ledger = os.path.join(self.p.dir, "got")
        self.acked = os.path.join(self.p.dir, "acked")
        open(self.ledger, "w").close()
        try:
            if self.with_sink:
                self.start_sink()
        except BaseException:
            self.p.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *args):
        try:
            self.p.__exit__(*args)
        finally:
            if self.sink is not None:
                self.sink.stop()

    def start_sink(self, *options):
        self.sink = LoadSink(tool("bench/sink.c"),
                             int(self.p.via.rpartition(":")[2]), self.ledger,
                             *options)

    def load_command(self, tag, *options):
        return [tool("bench/load.c"), "--port", str(self.p.port587),
                "--password", PASSWORD, "--user", "load%d@bench.example",
                "--users", str(self.users), "--ledger", self.acked,
                "--tag", tag, *map(str, options)]

    def start_load(self, tag, *options):
        return subprocess.Popen(self.load_command(tag, *options),
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE)

    def load(self, tag, *options):
        done = subprocess.run(self.load_command(tag, *options),
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def warm(self, empty=True):
        """Every account's first login costs a hash; a mail program's second
        one does not.  empty: wait until nothing is in the queue."""
        self.load("warm", "--connections", 20, "--messages",
                  self.users // 20 + 1, "--per-session", 1)
        if empty:
            until(self.idle, 20)
        time.sleep(0.3)

    def idle(self):
        return self.p.status("messages") == 0

    def arrived(self, tags, count, seconds=120):
        """Whether so many messages with one of these tags came in time."""
        return until(lambda: self.count(tags) >= count, seconds)

    def count(self, tags):
        try:
            with open(self.ledger, "rb") as f:
                data = f.read()
        except OSError:
            return 0
        return sum(data.count(f" {tag}-".encode()) for tag in tags)

    def last_arrival(self, tag):
        return max((at for at, name, *_ in self.sink.got()
                    if name.startswith(tag + "-")), default=0)

    def measure(self, tag, *options, deliver=True, seconds=120):
        """One load, and what the server used for it until the last message
        had arrived."""
        flushes = self.p.status("log_flushes")
        machine, before = machine_s(), self.p.cpu_by()
        other = process_s(self.sink.process.pid) if self.sink else 0
        said = self.load(tag, *options)
        n = max(1, said["accepted"])
        row = dict(said, complete=True)
        if deliver:
            row["complete"] = self.arrived([tag], said["accepted"], seconds)
            last = self.last_arrival(tag)
            row["delivered_per_s"] = n / max(1e-6, last - said["started"])
            row["delivered_s"] = last - said["started"]
            time.sleep(0.3)  # The last verdicts settle.
        by = {name: used - before.get(name, 0)
              for name, used in self.p.cpu_by().items()}
        row["cpu_s"] = sum(by.values())
        row["cpu_per_1000"] = row["cpu_s"] / n * 1000
        row["by"] = {name: used / n * 1000 for name, used in by.items()}
        if self.sink:
            row["sink_s"] = process_s(self.sink.process.pid) - other
        row["machine_s"] = machine_s() - machine
        after = self.p.status("log_flushes")
        row["flushes"] = (after - flushes) / n \
            if None not in (flushes, after) else None
        return row

    def fill(self, messages, rcpts=1, domains=1000, size=1024,
             due_s=RETRY_MOST_S):
        """Put so many into the spool of the stopped server."""
        home = os.path.join(self.p.base, "state", "queue", "env")
        owner = os.stat(home)
        subprocess.run([built("queue_fill"), home,
                        *map(str, (messages, rcpts, domains, self.users, size,
                                   due_s))], check=True)
        for name in os.listdir(home):
            os.chown(os.path.join(home, name), owner.st_uid, owner.st_gid)

    def pss(self):
        return {name: sum(pss_kib(pid) for pid in self.p.pid(name))
                for name in set(self.p.pids().values())}


class Table:
    """Prints figures; good is False once one has missed its target."""

    def __init__(self, out=sys.stdout):
        self.good, self.out, self.rows = True, out, []

    def head(self, text):
        print(f"{text}:", file=self.out, flush=True)
        self.section = text

    def line(self, name, value, most=None, least=None, form="{:.2f}"):
        """most, least: the target, or None."""
        text = "-" if value is None else form.format(value)
        target = most if most is not None else least
        verdict = ""
        if target is not None:
            good = value is not None and (
                value <= most if most is not None else value >= least)
            self.good &= good
            verdict = (f"  {'at most' if most is not None else 'at least'} "
                       f"{form.format(target):<8} "
                       f"{'met' if good else 'MISSED'}")
        print(f"  {name:<44}{text:>10}{verdict}", file=self.out, flush=True)
        self.rows.append((self.section, name, value, target))

    def point(self, axis, x, row):
        """One point of a curve."""
        text = f"{axis} {x}"
        if not row["complete"] or row["broken"] or row["refused"]:
            self.good = False
            text += " NOT COMPLETE"
        by = "  ".join(f"{name[8:]} {used:.2f}" for name, used in
                       sorted(row.get("by", {}).items()) if used >= 0.005)
        print(f"  {text:<30}{row['cpu_per_1000']:>10.3f}  {by}  "
              f"{row['rate']:.0f}/s", file=self.out, flush=True)
        self.rows.append((axis, x, row["cpu_per_1000"], row["rate"]))

    def save(self, path, server):
        """Append all figures, a line of JSON each."""
        with open(path, "a") as f:
            for section, name, value, target in self.rows:
                f.write(json.dumps({"server": server, "section": section,
                                    "name": name, "value": value,
                                    "target": target}) + "\n")

    def claim(self, name, true):
        self.good &= bool(true)
        print(f"  {name:<44}{'yes' if true else 'NO':>10}", file=self.out,
              flush=True)
