#!/usr/bin/python3
"""
The nth write, pwrite, fdatasync or fsync of a store fails, n swept.

Whatever fails and however: no 250 for a message that is not safe, every 250
arrives, and the server is back by itself.
"""
# run: limit 120
# run: limit-all 1500
# run: alone

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Closed
from crash import ACCOUNTS, Bed, check_codes
from disk import Fault
from postern import PASSWORD
from tap import comment, has, same, wait

# Berkeley DB writes again with write() when pwrite() failed, and a hundred
# times more after EIO: fewer failures than this it does not even notice.
WRITES = "write+pwrite"
FAULTS = ((WRITES, "EIO", 250), (WRITES, "ENOSPC", 2), ("pwrite", "ENOSPC", 1),
          ("fdatasync", "EIO", 1), ("fdatasync", "ENOSPC", 1),
          ("fsync", "EIO", 1))
SWEEP = [1, 3] if not tap.FULL else list(range(1, 25)) \
    + list(range(25, 120, 8))


def submit(p, rcpt, body="x\r\n"):
    """The reply that decided about one message, None without one."""
    sender = ACCOUNTS[0]
    try:
        with p.smtp("implicit", timeout=30) as t:
            t.ehlo()
            reply = t.auth(sender, PASSWORD)
            if reply.code != 235:
                return reply
            text = client.message(sender, rcpt, body=body)
            return t.submit(sender, [rcpt], f"X-Load-Id: {rcpt}\r\n".encode()
                            + text)
    except (Closed, OSError):
        return None


def back(p):
    """Accepting again, by itself; the message that proves it."""
    rcpt = f"back-{time.monotonic_ns()}@sink.example"

    def accepted():
        reply = submit(p, rcpt)
        return reply is not None and reply.code == 250
    wait(accepted, 60, "mail is accepted again", 0.3)
    return rcpt


def at_the_commit(program, call, error, times):
    """
    With nothing else going on, the flush of one message fails: its reply must
    not be 250, or the flush was somebody else's.
    """
    with Fault(program) as fault, \
            Bed(env=fault.env(), sink_up=False,
                queue={"retry": "1h"}) as bed:
        p = bed.p
        wait(lambda: fault.pid, 10, f"fault.so is loaded in {program}")
        same(submit(p, "before@sink.example").code, 250, "before")
        time.sleep(1)
        safe = {"before@sink.example"}
        for n in (1, 2, 3):
            wait(lambda: p.pid(program), 30, program)
            pid = p.pid(program)
            rcpt = f"{call}-{error}-{n}@sink.example"
            fault.arm(call, error, n, times)
            began = time.monotonic()
            reply = submit(p, rcpt)
            ended = time.monotonic()
            fired = fault.fired and began < fault.fired_at < ended
            fault.disarm()
            if reply is not None and reply.code == 250:
                safe.add(rcpt)
                if fired and call in ("fdatasync", WRITES) and n == 1:
                    raise AssertionError(
                        f"250 although the first {call} failed: {reply}")
            elif reply is not None and reply.code // 100 != 4:
                raise AssertionError(f"{rcpt}: {reply}")
            if fired and call == "fdatasync":
                # After one failed flush nothing of that process counts.
                wait(lambda: p.pid(program) != pid, 20,
                     f"a new {program} after a failed {call}")
            safe.add(back(p))
            # As after a power cut: from disk, not from memory.
            p.end_all()
            p.start()
        bed.start_sink()
        bed.must_drain(safe, 30)
        p.mark = p.mark_log()


def sweep(program, call, error, times):
    fired = deaths = 0
    with Fault(program) as fault, Bed(env=fault.env()) as bed:
        p = bed.p
        wait(lambda: fault.pid, 10, f"fault.so is loaded in {program}")
        for n in SWEEP:
            pid = p.pid(program)
            fault.arm(call, error, n, times)
            if program == "postern-auth":
                work_auth(p, fault, n)
            else:
                work_queue(bed, fault, n)
            fired += fault.fired > 0
            fault.disarm()
            bed.proof = back(p)
            if p.pid(program) != pid:
                deaths += 1
                # A new start is quicker than the parent's back-off.
                p.end_all()
                p.start()
        if not fired and program == "postern-queue":
            raise AssertionError(f"no {call} has failed: nothing was tested")
        wanted = bed.acked() | {bed.proof}
        bed.must_drain(wanted, 60)
        same(bed.settle(), [], "the queue in the end")
        comment(f"{program}: {call} {error}: fired in {fired} of "
                f"{len(SWEEP)} rounds, {deaths} restarts, "
                f"{len(wanted)} messages safe")
        p.mark = p.mark_log()


def work_queue(bed, fault, n):
    """Traffic until the fault has come, or has had its chance."""
    with bed.load(f"n{n}-{time.monotonic_ns()}", 3, "--size", "3000",
                  "--big-every", "7", "--big-size", "300000") as load:
        until = time.monotonic() + 2
        while time.monotonic() < until and not fault.fired:
            time.sleep(0.01)
        time.sleep(0.15)
        said = load.stop()
    check_codes(said)


def work_auth(p, fault, n):
    """Changes of accounts; what they report must be so."""
    who = f"f{n}-{time.monotonic_ns()}@example.org"
    until = time.monotonic() + 3
    turn = 0
    while time.monotonic() < until and not fault.fired and turn < 40:
        turn += 1
        result = p.cli("account", "add", who, "--password-stdin",
                       stdin=f"password {turn}\n")
        if result.code not in (0, 3, 6, 75):
            raise AssertionError(f"account add: {result}")
        if result.code in (0, 6):
            with_auth(p, who, turn, result.code)
        p.cli("account", "remove", who)


def with_auth(p, who, turn, code):
    """An account reported as made is there, whoever is asked."""
    def shown():
        return p.cli("account", "show", who).code
    wait(lambda: shown() not in (3, 75), 60, "auth answers", 0.2)
    same(shown(), 0, f"account show after add ended with {code}; code")


def no_room_to_recover(nths):
    """
    From the nth write of its recovery on, the queue's disk is full.  Berkeley
    DB panics then, and a process in which it did must not use it again.
    """
    with Fault("postern-queue") as fault, \
            Bed(env=fault.env(), sink_up=False, queue={"retry": "1h"}) as bed:
        p = bed.p
        safe, refused = set(), 0
        for n in nths:
            for size in (100, 30000, 120000):
                rcpt = f"room-{n}-{size}@sink.example"
                same(submit(p, rcpt, "x\r\n" * (size // 3)).code, 250, rcpt)
                safe.add(rcpt)
            mark = p.mark_log()
            fault.room(64 << 10)
            fault.arm(WRITES, "ENOSPC", n, Fault.FOREVER)
            p.kill("postern-queue")
            wait(lambda: p.events("queue.no-room", mark)
                 or p.events("queue.ready", mark), 20,
                 "recovery fails or ends")
            if p.events("queue.no-room", mark):
                refused += 1
                refuses(p, mark)
            fault.disarm()
            fault.room()
            p.wait_event("queue.ready", mark, 20)
            safe.add(back(p))
            same([e for e in p.events("process.died", mark)
                  if e.get("signal") not in (None, "9")], [], "crashes")
        comment(f"{refused} of {len(nths)} times there was no room")
        if not refused:
            raise AssertionError("recovery had room each time")
        bed.start_sink()
        bed.must_drain(safe, 30)
        p.mark = p.mark_log()


def refuses(p, mark):
    """No room for the spool: everybody is told, and nothing is tried."""
    pid = p.pid("postern-queue")
    reply = wait(lambda: submit(p, "no@sink.example"), 20, "a reply")
    same((reply.code, reply.enhanced), (452, "4.3.1"), f"{reply}; code")
    listed = p.cli("queue", "list")
    same(listed.code, 75, f"queue list: {listed}; exit code")
    has(listed.err, "room", "what the operator is told")
    time.sleep(2.5)  # two looks at the disk
    same(p.pid("postern-queue"), pid, "the process, there being no more room")
    same(len(p.events("queue.no-room", mark)), 1, "attempts")


def no_room_for_accounts():
    """
    The disk of auth is full when it recovers: handshakes go on, who logs in
    is told to come again, and all is well once there is room.
    """
    with Fault("postern-auth") as fault, Bed(env=fault.env()) as bed:
        p = bed.p
        p.must("account", "add", "late@example.org", "--password-stdin",
               stdin="late password\n")
        mark = p.mark_log()
        fault.room(64 << 10)
        fault.arm(WRITES, "ENOSPC", 1, Fault.FOREVER)
        p.kill("postern-auth")
        p.wait_event("store.full", mark, 20)
        reply = wait(lambda: submit(p, "no@sink.example"), 20, "a reply")
        same(reply.code, 454, f"{reply}; code at AUTH")
        def told():
            shown = p.cli("account", "list")
            same(shown.code, 75, f"account list: {shown}; exit code")
            return "room" in shown.err  # and not that it is restarting
        wait(told, 20, "the operator is told of the room", 0.1)
        pid = p.pid("postern-auth")
        time.sleep(2.5)  # two looks at the disk
        same(p.pid("postern-auth"), pid, "the process, there being no room")
        fault.disarm()
        fault.room()
        p.wait_event("process.again", mark, 20)
        wait(lambda: (submit(p, "yes@sink.example") or reply).code == 250, 20,
             "mail is taken again", 0.2)
        p.must("account", "show", "late@example.org")
        bed.must_drain({"yes@sink.example"}, 30)
        p.mark = p.mark_log()


for call, error, times in FAULTS:
    tap.add(f"queue, idle: {call} fails with {error} at the commit",
            at_the_commit, "postern-queue", call, error, times)
for call, error, times in FAULTS:
    tap.add(f"queue, busy: nth {call} fails with {error}", sweep,
            "postern-queue", call, error, times)
if tap.FULL:
    for call, error in ((WRITES, "ENOSPC"), ("fdatasync", "EIO")):
        tap.add(f"queue, busy: 20 {call}s from the nth fail with {error}",
                sweep, "postern-queue", call, error, 20)
for call, error, times in FAULTS if tap.FULL else FAULTS[3:4]:
    tap.add(f"auth: nth {call} fails with {error}", sweep, "postern-auth",
            call, error, times)
tap.add("queue: no room to recover", no_room_to_recover,
        range(1, 12) if tap.FULL else (1, 3))
tap.add("auth: no room to recover", no_room_for_accounts)

if __name__ == "__main__":
    tap.main()
