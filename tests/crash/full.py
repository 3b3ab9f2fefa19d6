#!/usr/bin/python3
"""
A spool of 24 MiB filled to the brim: 452 instead of loss, restarts while it
is full, and going on by itself once there is room.
"""
# run: limit 280
# run: limit-all 300
# run: alone

import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Closed
from crash import ACCOUNTS, Bed, check_codes
from disk import LoopDisk
from postern import PASSWORD
from tap import comment, same, wait

LIMITS = {"message-size": "256K"}
QUEUE = {"cache": "1M", "retry": "1s"}


def submit(p, rcpt):
    sender = ACCOUNTS[0]
    try:
        with p.smtp("implicit", timeout=30) as t:
            t.ehlo()
            reply = t.auth(sender, PASSWORD)
            if reply.code == 235:
                reply = t.submit(
                    sender, [rcpt], f"X-Load-Id: {rcpt}\r\n".encode()
                    + client.message(sender, rcpt))
            return reply
    except (Closed, OSError):
        return None


def fill_by_mail(bed):
    """Accept until it says 452; how often each code was said."""
    p = bed.p
    with bed.load("fill", 4, "--size", "20000", "--big-every", "9",
                  "--big-size", "200000") as load:
        def full():
            reply = submit(p, f"probe-{time.monotonic_ns()}@sink.example")
            return reply is not None and reply.code == 452 and reply
        reply = wait(full, 60, "452 in the end", 0.2)
        same(reply.enhanced, "4.3.1", f"{reply}; enhanced code")
        time.sleep(0.5)
        said = load.stop()
    comment(f"filled by mail: {said}")
    check_codes(said)
    if len(bed.acked()) < 20:
        raise AssertionError(f"only {len(bed.acked())} messages fitted")


def no_accounts(p):
    """auth had no room to recover its store, and says so."""
    return "has no room" in p.cli("account", "list").err


def to_the_brim(bed, disk):
    """
    Take what is free until there is nothing left to accept mail with, or to
    log in with (the server may have had something put aside); what it
    accepted counts.
    """
    for _ in range(20):
        disk.fill()
        rcpt = f"brim-{time.monotonic_ns()}@sink.example"
        reply = submit(bed.p, rcpt)
        if reply is not None and reply.code == 250:
            bed.extra.add(rcpt)
        elif reply is None or reply.code not in (421, 451, 452, 454):
            raise AssertionError(f"while full: {reply}")
        elif reply.code == 452:
            same(reply.enhanced, "4.3.1", f"{reply}; enhanced code")
            return
        elif reply.code == 454 and no_accounts(bed.p):
            comment(f"nobody can log in: {reply}")
            return
        time.sleep(0.5)
    raise AssertionError(f"no 452 on a full disk: {reply}")


def contents(path):
    """{file: octets on disk}, for the eye."""
    return {os.path.relpath(os.path.join(folder, name), path):
            os.lstat(os.path.join(folder, name)).st_blocks * 512
            for folder, _, names in os.walk(path) for name in names}


def scenario(kind, others):
    """
    others is what else lies on the disk from the start and goes away in the
    end, in octets.  With 0 there is no more room in the end than the server
    had put aside for itself: enough to deliver what it has.
    """
    with LoopDisk(24, kind) as disk, \
            Bed(base=disk.path, limits=LIMITS, queue=QUEUE,
                sink_up=False) as bed:
        p = bed.p
        if others:
            disk.fill(disk.free() - others)
        fill_by_mail(bed)
        # Now somebody else takes the rest.
        bed.extra = set()
        to_the_brim(bed, disk)
        comment(f"{len(bed.acked())} acknowledged, {disk.free()} octets free")
        if p.cli("queue", "list").code not in (0, 75):
            raise AssertionError(f"queue list: {p.cli('queue', 'list')}")
        # Clean stop and start, then death and start, all the while full.
        p.stop(seconds=60)
        disk.fill()
        p.start(ready=False)
        wait(p.greets, 30, "a greeting although the disk is full")
        to_the_brim(bed, disk)
        p.end_all()
        disk.fill()
        p.start(ready=False)
        wait(p.greets, 30, "a greeting although the disk is full")
        to_the_brim(bed, disk)
        # Room again.  Nothing is restarted, nothing is asked for.
        comment(f"before: {contents(disk.path)}")
        os.unlink(os.path.join(disk.path, "filler"))
        comment(f"{disk.free()} octets free again")
        bed.start_sink()
        wanted = bed.acked() | bed.extra
        try:
            wait(lambda: not wanted - bed.got(), 90,
                 f"{len(wanted)} messages arrive by themselves", 0.3)
        except AssertionError:
            comment(f"after: {disk.free()} free, {contents(disk.path)}")
            raise

        if not others:
            # What waited has left.  For new mail and a new reserve there may
            # be too little still, as there was when it was first refused.
            same(bed.settle(), [], "the queue in the end")
            p.mark = p.mark_log()
            return
        until = time.monotonic() + 60
        while True:
            reply = submit(p, "room@sink.example")
            if reply is not None and reply.code == 250:
                break
            if time.monotonic() > until:
                comment(f"after: {contents(disk.path)}")
                raise AssertionError(f"{disk.free()} octets free, and for "
                                     f"60 s: {reply}")
            time.sleep(0.3)
        bed.must_drain({"room@sink.example"})
        same(bed.settle(), [], "the queue in the end")
        p.mark = p.mark_log()


tap.add("24 MiB of ext4", scenario, "ext4", 6 << 20)
if tap.FULL:
    tap.add("24 MiB of tmpfs", scenario, "tmpfs", 6 << 20)
    tap.add("24 MiB of ext4, with only the server's own reserve to go on",
            scenario, "ext4", 0)


@tap.case("disk use does not grow with the mail that went through")
def floor():
    mib = 256
    with LoopDisk(mib) as disk, \
            Bed(base=disk.path, limits=LIMITS, queue=QUEUE) as bed:
        # Each octet is written to the log and to its page, so that with all
        # logs kept the disk would be full by then.
        enough = (3 if tap.FULL else 0.7) * (mib << 20)
        through = turn = 0
        while through < enough:
            turn += 1
            with bed.load(f"t{turn}", 8, "--size", "20000", "--big-every",
                          "4", "--big-size", "250000", seconds=2) as load:
                said = load.wait()
            through += said["accepted"] * 77500
            if "452" in said["codes"]:
                raise AssertionError(f"452 with room: {said}")
        bed.must_drain(bed.acked())
        same(bed.settle(), [], "queue")
        comment(f"{through >> 20} MiB went through, "
                f"{disk.free() >> 20} of {mib} MiB free")
        # What the log holds goes at the next checkpoint, a minute away.
        wait(lambda: disk.free() >= (mib - 128) << 20, 150,
             "disk use back at its floor", 1)


@tap.case("a queue that dies again and again leaves no log behind")
def restarts():
    with LoopDisk(64) as disk, \
            Bed(base=disk.path, limits=LIMITS, queue=QUEUE) as bed:
        p = bed.p
        env = os.path.join(disk.path, "state", "queue", "env")

        def logs():
            return [name for name in os.listdir(env)
                    if name.startswith(("log.", "old."))]
        for turn in range(12):
            with bed.load(f"t{turn}", 4, "--size", "20000") as load:
                before = len(bed.acked())
                wait(lambda: len(bed.acked()) > before + 90, 60, "mail")
                p.kill("postern-queue")
                check_codes(load.stop())
            p.end_all()
            p.start()
            bed.must_drain(bed.acked())
            wait(lambda: len(logs()) <= 3, 20, f"turn {turn}: {logs()}")
        p.mark = p.mark_log()


@tap.case("what came while deliver stood still leaves a full disk by itself")
def standstill():
    with LoopDisk(400) as disk, \
            Bed(base=disk.path, limits={"message-size": "1M"},
                queue=QUEUE) as bed:
        p = bed.p
        [pid] = p.pid("postern-deliver")
        with bed.load("fill", 4, "--size", "6000", "--big-every", "12",
                      "--big-size", "300000") as load:
            os.kill(pid, signal.SIGSTOP)
            try:
                wait(lambda: p.events("queue.full"), 60, "a full disk", 0.2)
                time.sleep(20 if tap.FULL else 3)
                comment(f"{disk.free() >> 10} KiB free")
            finally:
                os.kill(pid, signal.SIGCONT)
            check_codes(load.stop())
        bed.must_drain(bed.acked(), 90)
        same(bed.settle(), [], "queue")
        p.mark = p.mark_log()


if __name__ == "__main__":
    tap.main()
