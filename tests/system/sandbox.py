#!/usr/bin/python3
"""What a process that was taken over could do: nothing of the list."""
# run: limit 60

import ctypes
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import tap
from postern import Postern
from tap import has, same

CHILDREN = ("postern-smtpd", "postern-auth", "postern-queue",
            "postern-deliver", "postern-sts")
BIND = [("deliver", "choose a source address")]
CONNECT = [(name, "connect to a host") for name in ("deliver", "sts")]


def sanitized():
    with open(os.path.join(postern.BUILD, "postern-smtpd"), "rb") as f:
        return b"__asan_init" in f.read()


def rows(result):
    return [json.loads(line) for line in result.out.splitlines()]


@tap.case("every attempt of every process is refused")
def refused(p):
    r = p.cli("check", "sandbox", "--json")
    if sanitized():
        same(r.code, 1, "a build without a sandbox is told")
        return
    same(r.code, 0, r.out + r.err)
    tried = {row["process"] for row in rows(r)}
    same(tried, {name.removeprefix("postern-") for name in CHILDREN}, "tried")
    for row in rows(r):
        same(row["ok"], True, f"{row['process']}: {row['attempt']}")
    allowed = [(row["process"], row["attempt"]) for row in rows(r)
               if row["result"].startswith("allowed")]
    same(sorted(allowed), sorted(CONNECT + BIND), "allowed")


@tap.case("the check sees a sandbox that is off")
def seen(p):
    r = p.cli("check", "sandbox", "--json", env={"POSTERN_SANDBOX": "off"})
    same(r.code, 1, "exit code")
    has(r.err, "were not refused", "stderr")
    open_doors = {(row["process"], row["attempt"]) for row in rows(r)
                  if not row["ok"]}
    for name in CHILDREN:
        for what in ("make memory executable", "connect to a host"):
            door = (name.removeprefix("postern-"), what)
            if door not in CONNECT:
                same(door in open_doors, True, f"{door} is open")


def landlock():
    """What the kernel has, by landlock_create_ruleset(2)."""
    return ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)


@tap.case("the processes that run are filtered, and say so")
def running(p):
    if sanitized():
        return
    for pid, name in sorted(p.pids().items()):
        if name not in CHILDREN:
            continue
        with open(f"/proc/{pid}/status") as f:
            text = f.read()
        has(text, "Seccomp:\t2\n", name)
        has(text, "NoNewPrivs:\t1\n", name)
        said = re.search(rf"process\.confined process={name} .*", p.log())
        if said is None:
            raise AssertionError(f"{name} did not say how it is confined")
        has(said.group(0), "seccomp=yes", name)
        if landlock() > 0:
            same("landlock=0" in said.group(0), False, f"{name}, Landlock off")


@tap.case("without a configuration there is nothing to check")
def no_conf(p):
    r = p.cli("check", "sandbox", "--config", "/nonexistent/postern.conf")
    same(r.code, 78, "exit code")


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=["a@example.org"]))
