#!/usr/bin/python3
"""A backup, made while the server works, fills an empty one."""
# run: limit 240

import hashlib
import json
import os
import stat
import subprocess
import sys
import tarfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import dkim
import tap
from postern import BUILD, PASSWORD, ROOT, Postern
from tap import has, same, wait

ALICE, BOB, CAROL = ("alice@example.org", "bob@example.org",
                     "carol@example.org")
FAR = {"far.example": {"via": "127.0.0.1:1"}}


def source(**kwargs):
    return Postern(routes=FAR, **kwargs)


def target(**kwargs):
    return Postern(accounts=(), start=False, **kwargs)


def made(p, *flags, name="backup.tar"):
    path = os.path.join(p.dir, name)
    if os.path.exists(path):
        os.unlink(path)
    p.must("backup", "create", path, *flags)
    return path


def contents(path):
    with tarfile.open(path) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers()}


def lines(octets):
    return [json.loads(line) for line in octets.decode().splitlines()]


def tree(p):
    """What is in the stores' directories, byte by byte."""
    out = {}
    for top, _, names in os.walk(os.path.join(p.base, "state")):
        for name in names:
            path = os.path.join(top, name)
            if name != "lock" and stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    out[path] = hashlib.sha256(f.read()).hexdigest()
    return out


def code(p, want, *words):
    result = p.cli(*words)
    same(result.code, want, f"postern {' '.join(words)}: {result}; exit code")
    return result


def logs_in(p, user, password, want=235, suspended=False):
    with p.smtp("implicit") as t:
        t.ehlo()
        reply = t.auth(user, password)
        same((reply.code, reply.suspended), (want, suspended),
             f"{user} logs in")


def body(number, size):
    """Lines of no other message."""
    line = f"{number:06d} " + "x" * 61 + "\r\n"
    return line * max(1, size // len(line))


def keep_sending(p, stop, sent, number):
    """A load: some of it leaves, some waits."""
    n = 0
    while not stop.is_set():
        n += 1
        to = "now@example.net" if n % 2 else "later@far.example"
        sent.append(p.send(to=to, body=body(number * 100000 + n, 3000)))


def wait_for_ids(p, ids):
    wait(lambda: set(ids) <= {m["id"] for m in p.queue()}, 20,
         "the messages wait")


@tap.case("a busy server, and everything is there again")
def whole():
    with source(accounts=(ALICE, BOB, CAROL),
                limits={"recipients": "300"}) as p:
        p.must("dkim", "add", "example.org")
        app = p.must("account", "app-password", "add", BOB, "phone",
                     "--per-day", "7").out.strip()
        p.must("account", "suspend", CAROL, "--reason", "left")
        p.must("account", "legacy", BOB, "on")
        p.must("account", "limits", BOB, "--per-day", "123")
        p.must("account", "add", "gone@example.org", "--generate")
        p.must("account", "remove", "gone@example.org")
        bodies = {}
        for n, size in enumerate((10, 3000, 90000, 400000)):
            text = body(900000 + n, size)
            bodies[p.send(to=f"r{n}@far.example", body=text)] = text
        held = p.send(to="held@far.example", body=body(900100, 10))
        p.must("queue", "hold", held)
        bodies[held] = body(900100, 10)
        with p.logged_in() as t:
            mark = p.mark_log()
            t.cmd(f"MAIL FROM:<{ALICE}> RET=HDRS ENVID=QQ314")
            for n in range(250):
                t.cmd(f"RCPT TO:<many{n}@far.example> "
                      f"NOTIFY=FAILURE ORCPT=rfc822;many{n}@far.example")
            text = body(900200, 10)
            many = p.accepted(t.data(client.message(
                ALICE, "many@far.example", body=text)), mark)
            bodies[many] = text
        wait_for_ids(p, bodies)
        # An attempt has been made, so there is an answer to keep.
        tried = p.wait_event("msg.deferred")["id"]

        stop, sent = threading.Event(), []
        threads = [threading.Thread(target=keep_sending,
                                    args=(p, stop, sent, n))
                   for n in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait(lambda: len(sent) > 20, 30, "a load")
            before = {m["id"] for m in p.queue()}
            path = made(p, "--journal", "--keys")
            after = {m["id"] for m in p.queue()}
            count = len(sent)
            wait(lambda: len(sent) > count + 5, 30, "the load goes on")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        must = before & after
        same(set(bodies) <= must, True, "the messages waited all the time")
        same(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
        has(p.must("backup", "verify", path).err, "is whole")

        inside = contents(path)
        rows = {r["id"]: r for r in lines(inside["spool/messages.jsonl"])}
        same(must <= set(rows), True, "all that waited is in it")
        same(b"PRIVATE KEY" in inside["tls/0-key.pem"], True, "the TLS key")
        has(inside["postern.conf"].decode(), "far.example")
        same(any(e["id"] == many for e in lines(inside["journal.jsonl"])),
             True, "the journal")
        same([len(j["rcpts"]) for j in rows[many]["jobs"]], [100, 100, 50],
             "recipients")
        job = rows[tried]["jobs"][0]
        has(job["answers"][job["rcpts"][0]["answer"]]["text"], "refused")
        same(rows[many]["envid"], "QQ314", "envid")
        for name, text in bodies.items():
            same(inside[f"spool/{name}.eml"].endswith(text.encode()), True,
                 "the body")
        listed = p.must("backup", "list", path, "--json").json()
        same(listed["manifest"]["counts"]["messages"], len(rows), "messages")
        subprocess.run(["tar", "-xf", path], cwd=p.dir, check=True)
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"],
                       cwd=p.dir, check=True)
        records = {k["name"]: k["value"] for k in p.must(
            "dkim", "list", "example.org", "--json").items()}

        with target() as q:
            dry = tree(q)
            has(q.must("restore", path, "--dry-run").err,
                f"would restore 3 accounts and {len(rows)} messages")
            same(tree(q), dry, "the stores after a dry run")
            result = q.must("restore", path)
            has(result.err, f"restored 3 accounts and {len(rows)} messages")
            has(result.err, "a second time")
            code(q, 6, "restore", path)
            for part in ("accounts", "spool"):
                has(code(q, 6, "restore", path, "--only", part).err, "move")
                code(q, 6, "restore", path, "--only", part, "--dry-run")
            has(q.must("check", "store", "--json").out
                if q.process else code(q, 3, "check", "store").out, "whole")
            q.start()
            code(q, 1, "restore", path)
            same(code(q, 0, "check", "store").out.count("whole"), 2, "whole")
            logs_in(q, ALICE, PASSWORD)
            logs_in(q, BOB, PASSWORD)
            logs_in(q, BOB, app)
            logs_in(q, CAROL, PASSWORD, suspended=True)
            same(q.must("account", "show", BOB, "--json").json()["legacy"],
                 True, "legacy")
            same({r["limit"]: r["value"] for r in q.must(
                "account", "limits", BOB, "--json").items() if r["own"]},
                {"per_day": 123}, "limits of its own")
            waits = [m["id"] for m in q.queue() if m["held"]]
            q.retry()  # those that were tried wait for a minute more
            wait(lambda: q.waiting() == 1, 60, "the rest is delivered")
            same(held in waits and q.queue()[0]["id"] == held, True, "held")
            q.must("queue", "release", held)
            wait(lambda: q.waiting() == 0, 20, "the held one is delivered")
            got = {}
            for kept in q.sink.messages:
                for rcpt in kept.rcpts:
                    key = (rcpt, hashlib.sha256(kept.body).hexdigest())
                    got[key] = got.get(key, 0) + 1
            want = {}
            for name, row in rows.items():
                text = inside[f"spool/{name}.eml"].partition(b"\r\n\r\n")[2]
                for job in row["jobs"]:
                    for rcpt in job["rcpts"]:
                        if rcpt["state"] == "waiting":
                            key = (rcpt["address"],
                                   hashlib.sha256(text).hexdigest())
                            want[key] = want.get(key, 0) + 1
            same(set(want.values()), {1}, "each is one")
            same(got, want, "what arrives")
            # The signature, by the key that DNS has from before.
            kept = [k for k in q.sink.messages
                    if any(r.startswith("r1@") for r in k.rcpts)][0]

            def txt(name, **_):
                return records[name.decode().rstrip(".")].encode()
            for n in range(2):
                same(dkim.DKIM(kept.data).verify(idx=n, dnsfunc=txt), True,
                     "signed")
            has(q.must("trace", many).out, many, "trace")
            # A new one gets an id of its own.
            q.accounts = [ALICE]
            same(q.send() in rows, False, "an old id")


@tap.case("what is held for years is restored, too")
def years():
    with source(limits={"hold": "3000d"}) as p:
        with p.logged_in() as t:
            mark = p.mark_log()
            same(t.cmd(f"MAIL FROM:<{ALICE}> HOLDFOR=200000000").code, 250,
                 "MAIL")
            t.cmd("RCPT TO:<later@far.example>")
            p.accepted(t.data(client.message(ALICE, "later@far.example")),
                       mark)
        path = made(p)
        release = [(m["id"], m["release"]) for m in p.queue()]
        same(len(release), 1, "messages")
        with target() as q:
            q.must("restore", path)
            q.start()
            same([(m["id"], m["release"]) for m in q.queue()], release, "held")


@tap.case("a Message-ID that is no text keeps nothing from being restored")
def odd_message_id():
    with source() as p:
        body = (f"From: {ALICE}\r\nMessage-ID: <a\u0085b@x>\r\n\r\nx\r\n")
        with p.logged_in() as t:
            mark = p.mark_log()
            t.cmd(f"MAIL FROM:<{ALICE}>")
            t.cmd("RCPT TO:<late@far.example>")
            p.accepted(t.data(body.encode()), mark)
        path = made(p)
        old = os.path.join(p.dir, "old.tar")

        def as_it_was(name, octets):
            """Earlier versions kept it as it came."""
            return octets.replace(b"<a??b@x>", "<a\u0085b@x>".encode()) \
                if name == "spool/messages.jsonl" else octets
        repack(path, as_it_was, old)
        for archive in (path, old):
            with target() as q:
                q.must("restore", archive)
                q.start()
                same([m["message_id"] for m in q.queue()], ["<a??b@x>"],
                     archive)


@tap.case("every byte counts")
def flipped():
    with source(start=False) as p:
        p.start()
        p.send(to="late@far.example", body="one\r\n")
        p.stop()
        path = made(p)  # without a server, too
        with open(path, "rb") as f:
            good = f.read()
        bad = os.path.join(p.dir, "bad.tar")

        def refused(octets, what):
            with open(bad, "wb") as f:
                f.write(octets)
            same(p.cli("backup", "verify", bad).code, 1, what)
        # One in each block of 512 octets, wherever that is, and the ends.
        for at in [*range(0, len(good), 509), len(good) - 1]:
            octets = bytearray(good)
            octets[at] ^= 1 << at % 8
            refused(octets, f"byte {at} of {len(good)} flipped; exit code")
        for n in (0, 1, 511, 512, 700, len(good) // 2, len(good) - 512,
                  len(good) - 1):
            refused(good[:n], f"cut at {n}; exit code")
        refused(good + bytes(512), "longer; exit code")
        with target() as q:
            before = tree(q)
            has(code(q, 1, "restore", bad).err, "nothing was restored")
            same(tree(q), before, "the stores")


def repack(path, change, out):
    """The archive with members changed, and right digests."""
    with tarfile.open(path) as tar:
        members = [(m, tar.extractfile(m).read()) for m in tar.getmembers()]
    sums = b""
    with open(out, "wb") as f:
        for m, octets in members:
            if m.name == "SHA256SUMS":
                octets = sums
            octets = change(m.name, octets)
            sums += hashlib.sha256(octets).hexdigest().encode() + \
                b"  " + m.name.encode() + b"\n"
            m.size = len(octets)
            f.write(header(m) + octets + bytes(-len(octets) % 512))
        f.write(bytes(1024))


def header(m):
    """As tar.c writes it."""
    def octal(n, size):
        return f"{n:0{size - 1}o}".encode() + b"\0"
    h = bytearray(512)
    h[0:len(m.name)] = m.name.encode()
    h[100:108] = octal(0o600, 8)
    h[108:116] = h[116:124] = octal(0, 8)
    h[124:136] = octal(m.size, 12)
    h[136:148] = octal(int(m.mtime), 12)
    h[148:156] = b" " * 8
    h[156:157] = b"0"
    h[257:265] = b"ustar\0" + b"00"
    h[265:269] = h[297:301] = b"root"
    h[148:155] = octal(sum(h), 7)
    return bytes(h)


@tap.case("whoever changed a backup gets nothing past a restore")
def hostile():
    with source() as p:
        p.send(to="late@far.example", body="one\r\n")
        path = made(p)
        bad = os.path.join(p.dir, "bad.tar")

        def message(**fields):
            def change(name, octets):
                if name != "spool/messages.jsonl":
                    return octets
                row = json.loads(octets)
                for key, value in fields.items():
                    row[key] = value(row) if callable(value) else value
                return json.dumps(row).encode() + b"\n"
            return change

        def job(**fields):
            return message(jobs=lambda row: [{**row["jobs"][0], **fields}])

        def rcpt(**fields):
            return message(jobs=lambda row: [{
                **row["jobs"][0], "rcpts": [
                    {**row["jobs"][0]["rcpts"][0], **fields}]}])

        def eml(new):
            def change(name, octets):
                if name.endswith(".eml"):
                    same(len(new(octets)), len(octets), "length")
                    return new(octets)
                return octets
            return change

        def account(key, value):
            def change(name, octets):
                if name != "accounts.jsonl":
                    return octets
                rows = lines(octets)
                rows[0][key] = value
                return "".join(json.dumps(r) + "\n" for r in rows).encode()
            return change

        def renamed(name, octets):
            return octets
        repack(path, renamed, bad)
        same(p.cli("backup", "verify", bad).code, 0, "a good one, repacked")
        changes = (
                ("a sender that is none", message(sender="a b")),
                ("an unknown flag", message(flags=["8bit", "made-up"])),
                ("a flag that no row has", message(flags=["in-file"])),
                ("an id of the future", message(id="zzzzzzzzzzzzz")),
                ("a number too large", message(held=1 << 40)),
                ("a negative one", message(size=-1)),
                ("more than there is", message(size=1 << 40)),
                ("an unknown member", message(extra=1)),
                ("no jobs", message(jobs=[])),
                ("a control character", message(ip="1.2.3.4\r\nX: y")),
                ("a text too long", message(mech="x" * 30)),
                ("another domain", job(domain="evil.example")),
                ("no recipients", job(rcpts=[])),
                ("an address that is none", rcpt(address="late")),
                ("an unknown state", rcpt(state="lost")),
                ("nobody who waits", rcpt(state="delivered")),
                ("an answer that is not there", rcpt(answer=99)),
                ("a bare LF", eml(lambda b: b.replace(b"e\r\n", b"\nx\n"))),
                ("a NUL", eml(lambda b: b.replace(b"one", b"o\0e"))),
                ("an account that is none", account("account", "x")),
                ("an unknown account state", account("state", "odd")),
                ("a hash that cannot be checked", account(
                    "credentials", [{"label": "password",
                                     "kind": "password", "hash": "plain"}])),
        )
        with target() as q:
            for what, change in changes:
                repack(path, change, bad)
                part = "accounts" if "ccount" in what or "hash" in what \
                    else "spool"
                result = q.cli("restore", bad, "--only", part)
                same(result.code, 1, f"{what}: {result}; exit code")
                same(len(result.err.splitlines()) > 0, True, "a reason")
            # It has taken nothing of any of them.
            same(q.must("account", "list", "--json").items(), [], "accounts")
            q.must("restore", path)


@tap.case("parts of a backup, and messages that wait to be released")
def parts():
    with source() as p:
        p.send(to="late@far.example", body="one\r\n")
        path = made(p)
        has(code(p, 6, "backup", "create", path).err, "already")
        code(p, 5, "backup", "verify", path + ".none")
        with target() as q:
            q.must("restore", path, "--only", "accounts")
            q.start()
            logs_in(q, ALICE, PASSWORD)
            same(q.waiting(), 0, "messages")
            q.stop()
            q.must("restore", path, "--only", "spool", "--hold")
            q.start()
            rows = q.queue()
            same([(len(rows), r["held"] != "") for r in rows],
                 [(1, True)], "held")
            q.must("queue", "release", "--all")
            wait(lambda: q.sink.messages, 20, "it is delivered")
            same(q.sink.messages[0].body, b"one\r\n", "body")
            code(q, 2, "restore", path, "--only", "half")


if ROOT:
    @tap.case("not everybody who may administer may make one")
    def privilege():
        with source(start=False) as p:
            p.configure(users={"admin-group": "games"})
            p.start()
            path = os.path.join(p.dir, "open")
            os.mkdir(path)
            os.chmod(path, 0o777)
            path += "/backup.tar"
            done = subprocess.run(
                ["setpriv", "--reuid=games", "--regid=games",
                 "--clear-groups", os.path.join(BUILD, "postern"),
                 "--config", p.config, "backup", "create", path],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            same(done.returncode, 4, f"{done}; exit code")
            has(done.stdout.decode(), "only root may make one")
            same(os.path.exists(path), False, "a file")


if __name__ == "__main__":
    tap.main()
