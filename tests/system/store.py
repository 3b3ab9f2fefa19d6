#!/usr/bin/python3
"""The stores as an operator meets them: whose format they are."""
# run: limit 120

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import TOP, Postern
from tap import has, same


def site():
    return Postern(start=False)


def our_format(source):
    with open(os.path.join(TOP, source)) as f:
        return int(re.search(r"#define FORMAT +(\d+)", f.read()).group(1))


def set_format(p, number, name, *options):
    """As another postern would have left it."""
    path = os.path.join(p.base, "state", name)
    owner = os.stat(path)
    subprocess.run(["db5.3_load", "-T", "-t", "btree", *options, path],
                   input=b"format\n" + b"".join(
                       b"\\%02x" % b for b in number.to_bytes(4, "big")) + b"\n",
                   check=True)
    os.chown(path, owner.st_uid, owner.st_gid)


SPOOL = "queue/env/meta.db"
ACCOUNTS = "auth/env/accounts.db", "-c", "database=meta"


def refused(p, *words):
    """The server ends by itself with 78, and has said why."""
    mark = p.mark_log()
    p.start(ready=False)
    same(p.process.wait(20), 78, "serve; exit code")
    p.process = None
    fatal = [line for line in p.log(mark).splitlines() if "fatal " in line]
    same(len(fatal), 1, f"{fatal}; lines that say why")
    for word in words:
        has(fatal[0], word, "what the log says")
    p.mark = p.mark_log()


def works(p):
    p.start()
    p.send()
    p.stop()


@tap.case("a spool of another format is left alone")
def spool(p):
    works(p)
    set_format(p, 99, SPOOL)
    refused(p, "format 99", "run the postern that wrote it, or a newer one")
    set_format(p, 0, SPOOL)
    refused(p, "format 0", "until", "queue list")
    set_format(p, our_format("queue/t_meta.c"), SPOOL)
    works(p)


@tap.case("accounts of another format are left alone")
def accounts(p):
    set_format(p, 99, *ACCOUNTS)
    result = p.cli("account", "list")
    same(result.code, 78, f"account list: {result}; exit code")
    has(result.err, "run the postern that wrote them, or a newer one")
    refused(p, "format 99", "run the postern that wrote them")
    set_format(p, our_format("auth/store.c"), *ACCOUNTS)
    works(p)


if __name__ == "__main__":
    tap.main(site)
