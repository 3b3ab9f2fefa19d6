#!/usr/bin/python3
"""Accounts of other servers come over with the files their own tools make."""
# run: limit 200

import json
import os
import pty
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import tap
from postern import Postern
from tap import has, matches, same

SECRET = "Old-Secret 1"
# What doveadm can make and nobody can check against a password that is sent.
HOPELESS = {"CRAM-MD5", "HMAC-MD5", "DIGEST-MD5", "OTP", "PLAIN-MD4",
            "PLAIN-TRUNC", "LANMAN", "SKEY", "RPA"}


def tool(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        raise tap.Skip(f"no {name} here")
    return path


def run(*words, stdin=""):
    done = subprocess.run(words, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.stderr}")
    return done.stdout


def file(p, name, text):
    path = os.path.join(p.dir, name)
    p.write(path, text)
    return path


def imported(p, path, *flags):
    return p.must("account", "import", path, "--domain", "example.org",
                  *flags)


def hash_of(p, user):
    return p.must("account", "show", f"{user}@example.org",
                  "--json").json()["password"]


def log_in(p, user, password=SECRET, want=235, suspended=False):
    with p.smtp("implicit") as t:
        t.ehlo()
        reply = t.auth(user, password)
        same((reply.code, reply.suspended), (want, suspended),
             f"login of {user}")


@tap.case("a certificate's key that somebody has: the line is named")
def taken_key(p):
    def line(user, key):
        return json.dumps({"account": f"{user}@example.org", "state": "active",
                           "credentials": [{
                               "label": "laptop", "kind": "certificate",
                               "hash": key * 64}]}) + "\n"
    both = p.cli("account", "import", "-", "--format", "json",
                 stdin=line("key1", "a") + line("key2", "a"))
    same(both.code, 1)
    matches(both.err + both.out, r"2.*laptop is key1@example\.org's already")
    same(p.cli("account", "show", "key1@example.org").code, 5)
    p.must("account", "import", "-", "--format", "json",
           stdin=line("key1", "a"))
    for words in (("--dry-run",), ()):
        done = p.cli("account", "import", "-", "--format", "json", *words,
                     stdin=line("key3", "b") + line("key2", "a"))
        same(done.code, 1)
        matches(done.err + done.out, r"laptop is key1@example\.org's already")


@tap.case("shadow, as chpasswd makes it, and entries that are locked")
def shadow(p):
    if os.geteuid() != 0:
        raise tap.Skip("chpasswd needs root")
    root = os.path.join(p.dir, "root")
    os.makedirs(os.path.join(root, "etc"))
    kinds = {"u-sha512": "SHA512", "u-sha256": "SHA256", "u-md5": "MD5",
             "u-des": "DES", "u-yescrypt": "YESCRYPT"}
    users = [*kinds, "u-locked", "u-never"]
    for name, line in (("passwd", "{u}:x:{n}:{n}::/:/bin/sh\n"),
                       ("shadow", "{u}:!:19000:0:99999:7:::\n"),
                       ("group", "{u}:x:{n}:\n")):
        p.write(os.path.join(root, "etc", name),
                "".join(line.format(u=u, n=2000 + n)
                        for n, u in enumerate(users)))
    for user, kind in {**kinds, "u-locked": "SHA512"}.items():
        run(tool("chpasswd"), "-R", root, "-c", kind,
            stdin=f"{user}:{SECRET[:8]}\n")
    run(tool("usermod"), "-R", root, "-L", "u-locked")
    path = os.path.join(root, "etc", "shadow")
    dry = imported(p, path, "--dry-run")
    has(dry.out, "md5crypt")
    has(dry.err, "u-des@example.org (descrypt)")
    has(dry.err, "would add 6 accounts")
    rows = imported(p, path, "--dry-run", "--json").json()
    same({r["account"].split("@")[0]: r["weak"] for r in rows},
         {"u-sha512": True, "u-sha256": True, "u-md5": True, "u-des": True,
          "u-yescrypt": False, "u-locked": False}, "who is weak")
    same(p.cli("account", "show", "u-md5@example.org").code, 5)
    imported(p, path)
    for user in kinds:
        log_in(p, user, SECRET[:8])
        same(hash_of(p, user), "yescrypt")
    same(hash_of(p, "u-locked"), "locked")
    log_in(p, "u-locked", SECRET[:8], 535)
    same(p.cli("account", "show", "u-never@example.org").code, 5)
    # Again: who is there is left alone.
    has(imported(p, path).err, "left alone 6")


@tap.case("htpasswd, with every kind it makes")
def htpasswd(p):
    kinds = {"m": "apr1", "B": "bcrypt", "d": "descrypt", "s": "sha1",
             "2": "sha256crypt", "5": "sha512crypt"}
    lines = [run(tool("htpasswd"), "-n", "-b", f"-{flag}", kind,
                 SECRET[:8]).strip() for flag, kind in kinds.items()]
    imported(p, file(p, "htpasswd", "\n".join(lines) + "\n"),
             "--format", "htpasswd")
    weak = {r["account"]: r["password"] for r in
            p.must("account", "list", "--weak", "--json").items()}
    for kind in kinds.values():
        same(weak[f"{kind}@example.org"], kind)
        log_in(p, kind.upper(), SECRET[:8])
        same(hash_of(p, kind), "yescrypt")
        log_in(p, f"{kind}@example.org", SECRET[:8])


@tap.case("a passwd-file, with every scheme that doveadm lists")
def dovecot(p):
    schemes = run(tool("doveadm"), "pw", "-l").split()
    good, bad = [], []
    for scheme in schemes:
        for suffix in ("", ".b64", ".hex"):
            if suffix and (scheme in HOPELESS or "CRYPT" in scheme or
                           "ARGON" in scheme or "SCRAM" in scheme or
                           scheme in ("MD5", "PBKDF2")):
                continue
            user = f"d-{scheme}{suffix}".lower()
            text = run(tool("doveadm"), "pw", "-s", scheme + suffix, "-p",
                       SECRET, "-u", f"{user}@example.org").strip()
            (bad if scheme in HOPELESS else good).append((user, text))
    lines = [f"{u}:{t}::::::userdb_quota=1" for u, t in good + bad]
    lines.append(f"d-nologin:{{PLAIN}}{SECRET}::::::nologin")
    path = file(p, "passwd-file", "\n".join(lines) + "\n")
    refused = p.cli("account", "import", path, "--domain", "example.org")
    same(refused.code, 1, "one that cannot be checked stops all")
    for user, _ in bad:
        has(refused.err, f"the password of {user}@example.org")
    same(p.cli("account", "show", f"{good[0][0]}@example.org").code, 5)
    imported(p, path, "--skip-bad")
    for user, _ in good:
        log_in(p, user)
        same(hash_of(p, user), "yescrypt", user)
    log_in(p, good[0][0], "wrong", 535)
    log_in(p, "d-nologin", want=535)


@tap.case("sasldb2, as saslpasswd2 and db_dump make it")
def sasldb(p):
    path = os.path.join(p.dir, "sasldb2")
    for user in ("s-one", "s-two"):
        run(tool("saslpasswd2"), "-p", "-c", "-f", path, "-u", "example.org",
            user, stdin=SECRET + " é")
    for number, words in enumerate(([], ["-p"])):
        dump = run(tool("db5.3_dump"), *words, path)
        name = file(p, f"dump{number}", dump)
        p.must("account", "import", name, "--update")
    same(hash_of(p, "s-one"), "ssha512")
    log_in(p, "s-one", SECRET + " é")
    log_in(p, "s-two", SECRET + " e\u0301")  # as a Mac composes it
    same(hash_of(p, "s-two"), "yescrypt")
    has(p.must("account", "export").out, "s-one")
    if SECRET in p.must("account", "export").out:
        raise AssertionError("a password in the clear was kept")


@tap.case("a Latin-1 password, hashed by an old server")
def latin1(p):
    text = subprocess.run(
        [tool("openssl"), "passwd", "-1", "-stdin"], check=True,
        input="müller".encode("latin-1"), stdout=subprocess.PIPE).stdout
    imported(p, file(p, "latin1", f"l1:{text.decode().strip()}\n"))
    log_in(p, "l1", "müller")
    same(hash_of(p, "l1"), "yescrypt")
    log_in(p, "l1", "mu\u0308ller")


@tap.case("all or nothing, and which line is to blame")
def nothing(p):
    path = file(p, "broken", "a1:$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1\n"
                "b b:$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1\n"
                "c1:plain\n")
    result = p.cli("account", "import", path, "--domain", "example.org")
    same(result.code, 1)
    has(result.err, f"{path}:2: ")
    same(p.cli("account", "show", "a1@example.org").code, 5)
    # What only auth can tell: a hash that no login may cost.
    path = file(p, "broken", "a1:$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1\n"
                "c1:$argon2id$v=19$m=1048576,t=3,p=1$c2FsdHNhbHQ$aGFzaA\n")
    result = p.cli("account", "import", path, "--domain", "example.org")
    same(result.code, 1)
    has(result.err, "line 2: c1@example.org")
    same(p.cli("account", "show", "a1@example.org").code, 5)
    same(p.cli("account", "import", os.path.join(p.dir, "none")).code, 5)
    same(p.cli("account", "import", path, "--format", "odd").code, 2)
    has(p.cli("account", "import", path).err, "--domain")


@tap.case("grants from aliases, virtual and sender_login_maps")
def grants(p):
    aliases = file(p, "aliases", "postmaster: Alice\n"
                   "office: alice, bob,\n\tnobody, \"|/bin/x\"\n")
    virtual = file(p, "virtual", "# a comment\nsales@example.org  bob\n"
                   "@example.net\talice@example.org stranger@example.com\n")
    for path, count in ((aliases, 3), (virtual, 2)):
        dry = p.must("grant", "import", path, "--domain", "example.org",
                     "--dry-run")
        has(dry.err, f"would add {count} grants")
        done = p.must("grant", "import", path, "--domain", "example.org")
        has(done.err, f"added {count} grants; left out 1 ")
    may = {(g["account"].split("@")[0], g["address"]) for g in
           p.must("grant", "list", "--json").items()}
    for pair in (("alice", "postmaster@example.org"),
                 ("bob", "office@example.org"), ("bob", "sales@example.org"),
                 ("alice", "@example.net")):
        has(may, pair)
    p.send(raw="From: office@example.org\r\n\r\nx\r\n")


@tap.case("what is exported comes back the same")
def round_trip(p):
    p.must("account", "suspend", "bob@example.org", "--reason", "a \"test\"")
    text = p.must("account", "export").out
    objects = [json.loads(line) for line in text.splitlines()]
    has([o["account"] for o in objects], "alice@example.org")
    with Postern(accounts=[], start=False) as other:
        path = file(other, "export", text)
        has(other.must("account", "import", path).err,
            f"added {len(objects)} accounts")
        same(other.must("account", "export").out, text, "the second export")
        other.start()
        log_in(other, "alice@example.org", "correct horse 9")
        log_in(other, "bob@example.org", "correct horse 9", suspended=True)
        # An import is on disk when it is answered.
        more = file(other, "more", "m1:$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1\n")
        other.must("account", "import", more, "--domain", "example.org")
        other.kill("postern-auth")
        tap.wait(lambda: other.cli("account", "list").code == 0, 30,
                 "auth again")
        same(hash_of(other, "m1"), "md5crypt")
    p.must("account", "resume", "bob@example.org")


MANY = 100000 if tap.FULL else 10000


@tap.case(f"{MANY} accounts in one go, in seconds")
def many(p):
    hash_text = "$6$saltstring$" + "a" * 86
    path = file(p, "many", "".join(f"n{i}:{hash_text}\n"
                                   for i in range(MANY)))
    began = time.monotonic()
    has(imported(p, path).err, f"added {MANY} accounts")
    took = time.monotonic() - began
    tap.comment(f"{took:.1f} s")
    if took > 60:
        raise AssertionError(f"{took:.0f} s")


@tap.case("a progress bar on a terminal, and none elsewhere")
def progress(p):
    path = file(p, "bar", "".join(f"bar{i}:$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1"
                                  "\n" for i in range(300)))
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [os.path.join(postern.BUILD, "postern"), "--config", p.config,
         "account", "import", path, "--domain", "example.org"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:  # the other end is closed
        pass
    same(child.wait(60), 0)
    child.stdout.close()
    os.close(ours)
    has(said.decode(), "sending [")
    has(said.decode(), "100 %")
    has(said.decode(), "added 300 accounts")
    if "[" in imported(p, path).err:
        raise AssertionError("a bar into a pipe")


@tap.case("--update replaces a password, and ends the sessions of the old one")
def update(p):
    old = imported(p, file(p, "one", "up:$1$Daxl/Tq0$"
                           "RlbdagHN.SwBipatBqmtg1\n"))
    has(old.err, "added 1 accounts")
    with p.smtp("implicit") as t:
        t.ehlo()
        same(t.auth("up", "correct horse").code, 235)
        new = file(p, "two", f"up:{{PLAIN}}{SECRET}\n")
        has(imported(p, new, "--format", "passwd-file").err, "left alone 1")
        same(t.cmd("NOOP").code, 250)
        has(imported(p, new, "--update").err, "updated 1")
        same(t.cmd("NOOP").code, 421)
    log_in(p, "up")
    with p.smtp("implicit", source="127.9.1.9") as t:
        t.ehlo()
        same(t.auth("up", "correct horse").code, 535)


if __name__ == "__main__":
    tap.main(lambda: Postern())
