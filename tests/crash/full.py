#!/usr/bin/python3
"""
A spool of 24 MiB filled to the brim: 452 instead of loss, restarts while it
is full, and going on by itself once there is room.
"""
# run: limit 150
# run: limit-all 300
# run: alone

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Closed
from crash import ACCOUNTS, Bed
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
    for code in said["codes"]:
        if code not in ("421", "451", "452", "454"):
            raise AssertionError(f"a client was told {code}: {said}")
    if len(bed.acked()) < 20:
        raise AssertionError(f"only {len(bed.acked())} messages fitted")


def refuses(p):
    """No 250, but a decent 4yz, from a server that is there."""
    reply = submit(p, "full@sink.example")
    if reply is None or reply.code not in (421, 451, 452, 454):
        raise AssertionError(f"while full: {reply}")


def scenario(kind):
    with LoopDisk(24, kind) as disk, \
            Bed(base=disk.path, limits=LIMITS, queue=QUEUE,
                sink_up=False) as bed:
        p = bed.p
        fill_by_mail(bed)
        # Now somebody else takes the rest.
        filler = disk.fill()
        comment(f"{len(bed.acked())} acknowledged, {disk.free()} octets free")
        for _ in range(5):
            refuses(p)
        if p.cli("queue", "list").code not in (0, 75):
            raise AssertionError(f"queue list: {p.cli('queue', 'list')}")
        # Clean stop and start, then death and start, all the while full.
        p.stop(seconds=60)
        p.start()
        refuses(p)
        p.end_all()
        disk.fill()
        p.start(ready=False)
        wait(p.greets, 30, "a greeting although the disk is full")
        refuses(p)
        time.sleep(2)
        refuses(p)
        # Room again.  Nothing is restarted, nothing is asked for.
        os.unlink(filler)

        def accepted():
            reply = submit(p, "room@sink.example")
            return reply is not None and reply.code == 250
        bed.start_sink()
        missing = bed.acked()
        wait(lambda: not bed.acked() - bed.got(), 90,
             f"{len(missing)} messages arrive by themselves", 0.3)
        wait(accepted, 60, "mail is accepted again", 0.3)
        bed.must_drain(bed.acked() | {"room@sink.example"})
        same(bed.settle(), [], "the queue in the end")
        p.mark = p.mark_log()


tap.add("24 MiB of ext4", scenario, "ext4")
if tap.FULL:
    tap.add("24 MiB of tmpfs", scenario, "tmpfs")


@tap.case("an empty queue goes back to its floor")
def floor():
    with LoopDisk(64) as disk, \
            Bed(base=disk.path, limits=LIMITS, queue=QUEUE) as bed:
        sizes = []
        for turn in range(4):
            with bed.load(f"t{turn}", 8, "--size", "20000", "--big-every",
                          "9", "--big-size", "250000", seconds=3) as load:
                said = load.wait()
            bed.must_drain(bed.acked())
            same(bed.settle(), [], "queue")
            time.sleep(1)
            sizes.append(disk.free())
            comment(f"turn {turn}: {said['accepted']} messages, "
                    f"{disk.free() >> 10} KiB free")
        if "452" in said["codes"]:
            raise AssertionError(f"452 with an empty queue: {said}")
        if sizes[-1] < sizes[1] - (4 << 20):
            raise AssertionError(f"free space shrinks: {sizes}")


if __name__ == "__main__":
    tap.main()
