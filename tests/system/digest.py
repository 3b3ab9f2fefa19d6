#!/usr/bin/python3
"""An account with many failures gets a few notices and then digests; no
failure is lost in a crash, and none is told twice."""
# run: limit 120

import email
import email.policy
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import HOSTNAME, Postern, free_port
from sink import Sink
from tap import comment, has, matches, same, wait

ALICE, BOB, CAROL = ("alice@example.org", "bob@example.org",
                     "carol@example.org")
ALONE = 3


class Site(Postern):
    """Mail to *.victim.example goes to a server that refuses."""

    def set_up(self):
        self.far = Sink({"rcpt": "550 5.1.1 no such user"},
                        port=free_port()).start()
        self.routes["*.victim.example"] = {"via": f"127.0.0.1:{self.far.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.far.stop()


def groups(text, boundary):
    """The groups of fields in the second part, whatever its type: Python
    knows nothing of message/global-delivery-status."""
    part = text.split(f"--{boundary}")[2].partition("\r\n\r\n")[2]
    return [email.message_from_string(block, policy=email.policy.compat32)
            for block in part.strip().split("\r\n\r\n")]


def mails(p, address):
    """(its text, its groups) of each notice to an address."""
    out = []
    for kept in p.sink.to(address):
        same(kept.sender, "", "return path")
        mail = kept.parsed()
        same(mail.defects, [], "defects")
        same(mail.get_content_type(), "multipart/report")
        parts = list(mail.iter_parts())
        blocks = groups(kept.data.decode(), mail.get_boundary())
        out.append((mail, parts, blocks[0], blocks[1:]))
    return out


def told(p, address):
    return [b["Final-Recipient"].partition(";")[2].strip()
            for *_, blocks in mails(p, address) for b in blocks]


def fail(p, number, names, **kwargs):
    return [p.send(f"{name}@{name}.victim.example", number, **kwargs)
            for name in names]


@tap.case("a few notices one by one, and the rest in one digest")
def gathered(p):
    names = [f"n{i}" for i in range(12)]
    ids = fail(p, 0, names)
    wait(lambda: p.queue() == [] or len(told(p, ALICE)) >= ALONE, 20,
         "the first notices")
    wait(lambda: "its failure waits for the digest at 2"
         in p.must("trace", ids[-1], "--json").out, 20, "the last one's story")
    ask(p)  # their digest is looked at in the next case
    wait(lambda: len(told(p, ALICE)) == 12, 30, "all are told")
    all_of = mails(p, ALICE)
    same([len(blocks) for *_, blocks in all_of], [1] * ALONE + [12 - ALONE])
    _, parts, message, blocks = all_of[-1]
    same(len(parts), 2, "parts")
    matches(message["Reporting-MTA"], rf"^dns; ?{HOSTNAME}$")
    same(sorted(told(p, ALICE)),
         sorted(f"{n}@{n}.victim.example" for n in names))
    for group in blocks:
        same((group["Action"], group["Status"]), ("failed", "5.1.1"))
        has(group["Diagnostic-Code"], "550 no such user")
        if group["X-Postern-Message"] not in ids:
            raise AssertionError(f"{group.items()}")
    table = parts[0].get_content()
    has(table, "these 9 addresses")
    for name in names[ALONE:]:
        matches(table, rf"(?m)^  5\.1\.1  {name}@{name}\.victim\.example +"
                       r"550 ")
    has(table, "What to do:")
    event = p.wait_event("msg.notice", kind="digest")
    same((event["failures"], event["to"]), ("9", ALICE))


def ask(p):
    """Failures of all kinds behind BOB's first notices."""
    fail(p, 1, [f"m{i}" for i in range(ALONE)])
    wait(lambda: len(told(p, BOB)) == ALONE, 20, "the first notices")
    with p.logged_in(1) as t:
        for n, (mail, rcpt) in enumerate((
                (" ENVID=QQ314159", " ORCPT=rfc822;First@old.example"),
                ("", " NOTIFY=NEVER"),
                (" RET=FULL", " NOTIFY=FAILURE"),
                (" SMTPUTF8", ""))):
            name = "j\u00fc" if n == 3 else f"w{n}"
            same(t.cmd(f"MAIL FROM:<{BOB}>{mail}").code, 250)
            same(t.cmd(f"RCPT TO:<{name}@w{n}.victim.example>{rcpt}").code,
                 250)
            same(t.data(client.message(BOB, "x@x.example",
                                       body="the body\r\n")).code, 250)


@tap.case("what its senders asked for holds in a digest, too")
def asked(p):
    wait(lambda: len(told(p, BOB)) == ALONE + 3, 30, "all are told")
    (_, whole, _, alone), (*_, blocks) = mails(p, BOB)[ALONE:]
    same(alone[0]["Final-Recipient"], "rfc822; w2@w2.victim.example")
    same(whole[2].get_content_type(), "message/rfc822")
    has(whole[2].as_string(), "the body")
    same([g["Final-Recipient"] for g in blocks],
         ["rfc822; w0@w0.victim.example",
          "utf-8; j\u00fc@w3.victim.example"])
    same(blocks[0]["Original-Recipient"], "rfc822; First@old.example")
    same(blocks[0]["X-Postern-Original-Envelope-Id"], "QQ314159")
    same(blocks[1]["X-Postern-Original-Envelope-Id"], None)


@tap.case("killed while failures gather and when they are told")
def killed(p):
    p.sink.clear()
    names = [f"k{i}" for i in range(40)]
    for n, name in enumerate(names):
        fail(p, 2, [name])
        if n in (19, 39):
            mark = p.mark_log()
            p.kill("postern-queue")
            p.wait_event("queue.ready", mark)
    # And when the first of them are told.
    first = p.wait_event("msg.notice", kind="digest", to=CAROL)
    mark = p.mark_log()
    p.kill("postern-queue")
    p.wait_event("queue.ready", mark)
    comment(f"killed behind a digest of {first['failures']}")
    want = sorted(f"{n}@{n}.victim.example" for n in names)
    wait(lambda: set(told(p, CAROL)) >= set(want) and p.queue() == [], 40,
         "all are told")
    got = told(p, CAROL)
    comment(f"{len(p.sink.to(CAROL))} notices for {len(names)} failures")
    # A delivery whose verdict was not committed may be repeated (RFC 1047),
    # of a notice as of any mail: the same Message-ID then.
    once = {str(mail["Message-ID"]): [g["Final-Recipient"] for g in blocks]
            for mail, _, _, blocks in mails(p, CAROL)}
    same(sorted(r.partition(";")[2].strip() for rs in once.values()
                for r in rs), want, "each told once")
    if len(once) > 25 or len(got) < len(want):
        raise AssertionError(f"{len(once)} notices")


@tap.case("a backup tells first what waits")
def backup(p):
    p.sink.clear()
    fail(p, 2, ["b0", "b1", "b2", "b3", "b4"])
    wait(lambda: p.queue() == [], 20, "settled")
    mark = p.mark_log()
    p.must("backup", "create", os.path.join(p.dir, "backup.tar"))
    log = p.log(mark)
    if not 0 <= log.find("kind=digest failures=") or \
            log.find("admin.backup") == -1:
        raise AssertionError(f"not told with the backup: {log}")
    wait(lambda: len(told(p, CAROL)) == 5, 20, "all are told")


if __name__ == "__main__":
    tap.main(lambda: Site(
        accounts=[ALICE, BOB, CAROL],
        queue={"notices-per-hour": str(ALONE), "digest": "4s"}))
