#!/usr/bin/python3
"""
powercut.py [ROUNDS]: cut the power of the spool's disk under load.

The spool is on an ext4 of its own; FS_IOC_GOINGDOWN without a flush of the
journal stops everything at once that has not been flushed, as a power cut
does.  The ledger of acknowledged messages is on another disk and read before
the cut.  With flushing switched off the same rounds must lose messages, or
they would prove nothing.
"""
# run: limit 120
# run: limit-all 600
# run: alone

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from crash import Bed
from disk import Fault, LoopDisk
from tap import comment, wait

QUICK, FULL, CONTROL = 3, 20, 6


def cut(bed, disk, number):
    """One power cut; the ids that were acknowledged before it."""
    # In every other round nothing is delivered meanwhile, so that all that
    # was acknowledged must come out of the spool.
    if number % 2:
        bed.stop_sink()
    elif not bed.sink:
        bed.start_sink()
    before = bed.acked()
    with bed.load(f"c{number}", 8, "--size", "6000", "--per-session", "20",
                  "--big-every", "20", "--big-size", "400000"):
        wait(lambda: len(bed.acked()) > len(before) + 30, 30,
             "the load runs")
        time.sleep(random.uniform(0, 0.5))
        acked = bed.acked() - bed.too_late
        disk.cut()
        bed.p.end_all()
        # A machine without power says nothing; these processes had a moment
        # more, and what they promised in it nobody would have heard.
        bed.too_late |= bed.acked() - acked
    disk.umount()
    disk.mount()
    return acked


def recover(bed):
    bed.p.start()
    if not bed.sink:
        bed.start_sink()


def rounds(count):
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    comment(f"SEED={seed}")
    random.seed(seed)
    with LoopDisk(512) as disk, Bed(base=disk.path) as bed:
        bed.too_late = set()
        for number in range(count):
            acked = cut(bed, disk, number)
            recover(bed)
            bed.must_drain(acked)
        if bed.settle():
            raise AssertionError(f"left in the queue: {bed.settle()[:3]}")
        # Processes that found their disk gone said so and ended.
        bed.p.mark = bed.p.mark_log()
        comment(f"{len(acked)} acknowledged before {count} cuts, none lost")


def control():
    """
    The same with a queue that does not flush: told so by its switch for
    tests, and kept from it by a library in front of fdatasync().
    """
    random.seed(1)
    with Fault("postern-queue") as fault, LoopDisk(512) as disk, \
            Bed(base=disk.path, sink_up=False,
                env={**fault.env(), "POSTERN_UNSYNCED": "1"}) as bed:
        bed.too_late = set()
        for number in range(CONTROL):
            # From the start of each process on.
            fault.unsynced()
            acked = cut(bed, disk, 2 * number + 1)
            try:
                recover(bed)
            except AssertionError:
                comment(f"cut {number + 1} left a store that does not open")
                return
            lost = bed.drain(acked, 8)
            if lost:
                comment(f"cut {number + 1} lost {len(lost)} of {len(acked)}")
                return
        raise AssertionError(
            f"{CONTROL} cuts without flushing lost nothing: "
            "the test would not notice a loss")


if __name__ == "__main__":
    words = [w for w in sys.argv[1:] if w.isdigit()]
    sys.argv = sys.argv[:1]
    count = int(words[0]) if words else FULL if tap.FULL else QUICK
    tap.add(f"{count} power cuts lose nothing acknowledged", rounds, count)
    tap.add("negative control: unsynced, it loses", control)
    tap.main()
