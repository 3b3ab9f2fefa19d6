#!/usr/bin/python3
"""
torture.py [SECONDS]: everything that can happen to a mail server, mixed, for
TORTURE_SECONDS (an hour), and a ledger in the end.

Under load, and while accounts are being changed: kill -9 of each process and
of all at random moments and at each named point, power cuts, failing system
calls, a full disk with restarts while it is full, no descriptors, no memory, a
wall clock that jumps, processes that stand still.  After each trouble every
message that got a 250 arrives and every change of an account that was
reported as done is so.

SEED repeats a run, as far as the moments do.  ONLY names kinds of trouble.
"""
# run: limit-all 400
# run: only all
# run: alone

import collections
import mmap
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import tap
from changes import Changes
from clock import Clock
from crash import (PROGRAMS, TARGETS, Bed, check_codes, points, strike,
                   unjustified)
from disk import Fault, LoopDisk
from tap import Skip, comment, same, wait

SECONDS = float(os.environ.get("TORTURE_SECONDS", 100))
DISK_MIB = 512  # for the journal of an hour, and a copy of it in `look`
STRIKES, CUTS = 8, 5  # in one round
STILL_S = max(2, min(30, SECONDS / 60))
FAULTS = (("write+pwrite", "EIO", 250), ("write+pwrite", "ENOSPC", 20),
          ("fdatasync", "EIO", 1), ("fdatasync", "ENOSPC", 3),
          ("fsync", "EIO", 1))
LIMITS = {"Max open files": "nofile", "Max address space": "as"}
LOAD = ("--size", "6000", "--per-session", "5", "--big-every", "12",
        "--big-size", "300000", "--domains", "3")


class Site:
    """One server, what it stands on, and what was promised."""

    def __init__(self, disk, bed, changes, clock):
        self.disk, self.bed, self.p = disk, bed, bed.p
        self.changes, self.clock = changes, clock
        self.troubles = []   # when duplicates may come from
        self.too_late = set()

    def trouble(self, at=None):
        self.troubles.append(at or time.monotonic())

    def going(self, more=20, seconds=90):
        """
        Mail is accepted, without a helping hand; a child that died several
        times in a row is waited for by the parent, up to 16 s.
        """
        then = len(self.bed.acked())
        wait(lambda: len(self.bed.acked()) > then + more, seconds,
             "mail is accepted")

    def restart(self, **more):
        self.trouble()
        self.p.end_all()
        self.p.start(**more)


# The kinds of trouble.  Each is called under load and leaves a server that
# gets well by itself.


def kill(site, target):
    for _ in range(STRIKES):
        time.sleep(random.uniform(0, 0.3))
        site.trouble(strike(site.p, target))
        counted["kill -9"] += 1
        if target not in ("all", "all stopped first", "parent"):
            # Quicker than to wait for the parent, who takes its time for a
            # child that dies again and again.
            site.going(1)
            if random.random() < 0.5:
                site.restart()
        site.going(5)


def point(site, name):
    """The queue dies at a point; a new one, without the order to, goes on."""
    turn = random.choice((1, 2, 3, 7, 20))
    mark = site.p.mark_log()
    site.restart(env={"POSTERN_CRASH": f"{name}:{turn}"})
    until = time.monotonic() + 4
    while time.monotonic() < until and \
            not site.p.events("process.died", mark):
        time.sleep(0.02)
    counted["crash points"] += bool(site.p.events("process.died", mark))
    site.restart()
    site.going()


def power(site, _):
    if site.disk is None:
        raise Skip("no loop mounts")
    for _ in range(CUTS):
        time.sleep(random.uniform(0, 0.4))
        site.changes.deaf = True
        acked = site.bed.acked()
        site.disk.cut()
        site.trouble()
        site.p.end_all()
        site.too_late |= site.bed.acked() - acked
        site.disk.umount()
        site.disk.mount()
        site.p.start()
        site.changes.deaf = False
        counted["power cuts"] += 1
        site.going(5)


def fault(site, what):
    program, (call, error, times) = what
    with Fault(program) as broken:
        env = broken.env()
        env["LD_PRELOAD"] += ":" + site.p.env["LD_PRELOAD"]
        site.restart(env=env)
        for _ in range(3):
            site.going(5)
            broken.arm(call, error, random.randrange(1, 40), times)
            until = time.monotonic() + 2
            while time.monotonic() < until and not broken.fired:
                time.sleep(0.01)
            site.trouble()
            time.sleep(0.2)
            counted["failing calls"] += broken.fired > 0
            broken.disarm()
        site.going(5)
        site.restart()
    site.going()


def full(site, _):
    """Somebody else takes all that is free, and gives it back later."""
    if site.disk is None:
        raise Skip("no loop mounts")
    for _ in range(3):
        filler = site.disk.fill()
        time.sleep(random.uniform(0, 1))
    for target in random.sample(("postern-queue", "postern-auth", "all",
                                 "postern-smtpd"), 2):
        site.trouble()
        if target == "all":
            site.p.end_all()
            site.disk.fill()
            site.p.start(ready=False)
            wait(site.p.greets, 60, "a greeting although the disk is full")
        else:
            site.p.kill(target)
        site.disk.fill()
        time.sleep(random.uniform(0, 1.5))
        counted["restarts while full"] += 1
    site.trouble()
    os.unlink(filler)
    site.going()


def ids(pid):
    """(uid, gid) of a process."""
    with open(f"/proc/{pid}/status") as f:
        words = dict(line.split(":", 1) for line in f)
    return [int(words[key].split()[0]) for key in ("Uid", "Gid")]


def limits(pid, name):
    """(soft, hard), as text; None: the process is gone."""
    try:
        with open(f"/proc/{pid}/limits") as f:
            lines = f.readlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(name):
            return line[len(name):].split()[:2]
    raise AssertionError(f"no limit called {name}")


def set_limit(pid, name, soft, hard):
    """As the user of the process: not every root may limit others."""
    try:
        uid, gid = ids(pid)
    except OSError:
        return  # it is gone
    subprocess.run(["prlimit", f"--pid={pid}",
                    f"--{LIMITS[name]}={soft}:{hard}"], user=uid, group=gid,
                   extra_groups=[], stderr=subprocess.DEVNULL)


def limit(site, program, what, amount, seconds):
    """One process has no more of something than it has just now."""
    pids = site.p.pid(program)
    if not pids:
        return
    pid = random.choice(pids)
    before = limits(pid, what)
    set_limit(pid, what, amount(pid), before[1])
    # Having no more may have ended it at once.
    now = limits(pid, what)
    if now is not None:
        same(now[0] != before[0], True, f"{what} is set")
    until = time.monotonic() + seconds
    while time.monotonic() < until and pid in site.p.pid(program):
        time.sleep(0.05)
    counted[f"died without {LIMITS[what]}"] += pid not in site.p.pid(program)
    site.trouble()
    set_limit(pid, what, *before)
    site.going()


def descriptors(site, program):
    """
    As many as it has open, and a few; not for the parent, who opens none for
    strangers.
    """
    def amount(pid):
        return max(int(n) for n in os.listdir(f"/proc/{pid}/fd")) + 1 \
            + random.randrange(4)
    with site.bed.load(f"crowd{counted['rounds']}", 12, *LOAD) as crowd:
        limit(site, program, "Max open files", amount, 2)
        check_codes(crowd.stop())
    counted["no descriptors"] += 1


def memory(site, program):
    def amount(pid):
        with open(f"/proc/{pid}/statm", "rb") as f:
            pages = int(f.read().split()[0])
        return pages * mmap.PAGESIZE + random.randrange(1 << 17)
    with site.bed.load(f"crowd{counted['rounds']}", 60, *LOAD) as crowd:
        limit(site, program, "Max address space", amount, 2)
        check_codes(crowd.stop())
    counted["no memory"] += 1


def look(site, _):
    """The stores are whole, under load, and when the queue dies over it."""
    def looked():
        result = site.p.cli("check", "store", timeout=200)
        return result if result.code not in (3, 75) else None
    result = wait(looked, 60, "check store", 0.2)
    same(result.code, 0, f"check store: {result}; exit code")
    before = site.p.pid("postern-queue")
    with subprocess.Popen(
            [os.path.join(postern.BUILD, "postern"), "--config",
             site.p.config, "check", "store"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        time.sleep(random.uniform(0, 0.3))
        site.trouble(strike(site.p, "postern-queue"))
        other.wait(60)
    wait(lambda: site.p.pid("postern-queue") not in ([], before), 60,
         "a new queue")
    site.going()
    same(wait(looked, 60, "check store", 0.2).code, 0, "check store")
    same(os.path.exists(os.path.join(site.p.base, "state", "queue",
                                     "check")), False, "a copy is left")
    counted["stores looked at"] += 2


def jumps(site, seconds):
    """The clock is set, and set right again."""
    for ahead in (seconds, -seconds, 0):
        site.clock.ahead(ahead)
        site.trouble()
        time.sleep(random.uniform(0.3, 1.2))
        if random.random() < 0.3:
            site.restart()
    counted["clock jumps"] += 3
    site.going()


def still(site, program):
    """A process stands still for a while, and goes on as if nothing was."""
    pids = [pid for pid, name in site.p.pids().items()
            if program in (name, "all")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STILL_S)
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
    counted["standing still"] += 1
    site.going()


counted = collections.Counter()


def deck():
    """One of everything that can happen, in some order."""
    cards = [(kill, t) for t in TARGETS] + [(kill, "all")] * 3
    cards += [(point, name) for name in points()]
    cards += [(power, None)] * 4 + [(full, None)] * 2
    cards += [(fault, ("postern-queue", f)) for f in FAULTS]
    cards += [(fault, ("postern-auth", f)) for f in FAULTS[2:4]]
    cards += [(kind, name) for kind in (descriptors, memory)
              for name in PROGRAMS]
    cards += [(look, None)] * 2
    cards += [(jumps, s) for s in (3600, 86400)]
    cards += [(still, name) for name in
              (*PROGRAMS, "postern-parent", "all")]
    only = os.environ.get("ONLY", "").split()
    cards = [c for c in cards if not only or c[0].__name__ in only]
    random.shuffle(cards)
    return cards


def one_round(site, number, kind, what):
    bed = site.bed
    before = bed.acked()
    began = time.monotonic()
    mark = site.p.mark_log()
    with site.changes, bed.load(f"r{number}", 4, *LOAD) as load:
        site.going(10)
        kind(site, what)
        said = load.stop()
    check_codes(said)
    bed.must_drain(bed.acked() - before - site.too_late, 90)
    site.changes.check()
    comment(f"{number}: {kind.__name__} {what or ''}: "
            f"{len(bed.acked()) - len(before)} acknowledged, "
            f"{said['broken']} cut off, {time.monotonic() - began:.1f} s")
    for line in sorted({" ".join(line.split()[1:])
                        for line in site.p.log(mark).splitlines()
                        if " fatal " in line}):
        comment(f"    {line[:150]}")


def play(site, cards, until):
    while cards and time.monotonic() < until:
        kind, what = cards.pop()
        counted["rounds"] += 1
        try:
            one_round(site, counted["rounds"], kind, what)
        except Skip as e:
            comment(f"{kind.__name__}: {e}")
    bed = site.bed
    same(bed.settle(60), [], "the queue in the end")
    promised, got = bed.acked() - site.too_late, bed.got()
    same(promised - got, set(), "lost")
    bad, copies = unjustified(bed.copies(), site.troubles)
    same(bad[:5], [], "duplicates without a trouble that explains them")
    counted["acknowledged"] += len(promised)
    counted["delivered"] += len(promised & got)
    counted["duplicated"] += copies
    counted["account changes"] += site.changes.acknowledged
    counted["account changes cut off"] += site.changes.uncertain
    # Some said with fatal that they could not go on, as they should.
    site.p.mark = site.p.mark_log()


def torture(disk, cards, until, seed):
    clock = Clock()
    try:
        with Bed(base=disk and disk.path, env=clock.env(),
                 limits={"message-size": "1M"}, queue={"cache": "2M"},
                 rcpts=2) as bed:
            play(Site(disk, bed, Changes(bed.p, seed), clock), cards, until)
    finally:
        clock.close()


def main(seconds):
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    comment(f"SEED={seed}, {seconds:.0f} s")
    random.seed(seed)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        # A new spool for each deck: the ledgers are kept in memory.
        try:
            with LoopDisk(DISK_MIB) as disk:
                torture(disk, deck(), until, seed)
        except Skip as e:
            comment(f"{e}: without power cuts and full disks")
            torture(None, deck(), until, seed)
    for name, count in counted.items():
        comment(f"{name:<24}{count:>9}")
    comment(f"{'lost':<24}{0:>9}")


if __name__ == "__main__":
    words = [w for w in sys.argv[1:] if w.isdigit()]
    sys.argv = sys.argv[:1]
    if words:
        SECONDS = float(words[0])
    tap.add("nothing acknowledged is lost", main, SECONDS)
    tap.main()
