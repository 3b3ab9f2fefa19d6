#!/usr/bin/python3
"""What each process cannot do: libraries, user, root directory, rights."""
# run: limit 60

import os
import pwd
import re
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import postern
import tap
from postern import ROOT, Postern
from tap import has, same

ALICE = "alice@example.org"
DB, SSL, DNS, CRYPT = "libdb-", r"lib(ssl|crypto)\.", "libunbound", "libcrypt\\."
LINKS = {
    "postern": (DB, DNS, CRYPT),
    "postern-parent": (DB, DNS, CRYPT),
    "postern-smtpd": (DB, DNS, CRYPT),
    "postern-deliver": (DB, CRYPT),
    "postern-sts": (DB, DNS, CRYPT),
    "postern-queue": (SSL, DNS, CRYPT),
    "postern-auth": (DNS,),
}
CONFINED = ("postern-smtpd", "postern-deliver", "postern-auth",
            "postern-queue", "postern-sts")


def path(program):
    return os.path.join(postern.BUILD, program)


def needed(program):
    """What the program itself links (libunbound brings OpenSSL along)."""
    out = subprocess.run(["ldd", path(program)], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    return out


for program, never in LINKS.items():
    @tap.case(f"{program} links none of {', '.join(never)}", program, never)
    def links(p, program, never):
        for name in never:
            found = re.search(rf"(?m)^\s*({name}\S*)", needed(program))
            if found:
                raise AssertionError(f"{program} links {found.group(1)}")


@tap.case("the programs are hardened: PIE, full RELRO, no executable stack")
def hardened(p):
    for program in LINKS:
        text = subprocess.run(["readelf", "-hldW", path(program)], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        has(text, "DYN (", f"{program}: type")
        has(text, "GNU_RELRO", program)
        tap.matches(text, r"BIND_NOW|Flags:.*\bNOW\b", program)
        stack = re.search(r"GNU_STACK.*", text).group(0)
        if "RWE" in stack:
            raise AssertionError(f"{program}: {stack}")
        symbols = subprocess.run(["readelf", "-sW", "--dyn-syms",
                                  path(program)], check=True,
                                 stdout=subprocess.PIPE).stdout.decode()
        # Not in a build for the sanitizers.
        if "__asan" not in symbols:
            has(symbols, "__stack_chk_fail", f"{program}: stack protector")


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def each(p, programs=CONFINED):
    for pid, name in sorted(p.pids().items()):
        if name in programs:
            yield pid, name, status(pid)


@tap.case("one smtpd a core, one of each other")
def count(p):
    same(len(p.pid("postern-smtpd")), os.cpu_count(), "smtpd processes")
    for name in ("postern-auth", "postern-queue", "postern-deliver",
                 "postern-parent"):
        same(len(p.pid(name)), 1, name)


@tap.case("no_new_privs and no core files, everywhere")
def no_new_privs(p):
    for pid, name, st in each(p):
        same(st["NoNewPrivs"], "1", f"{name}: NoNewPrivs")
        with open(f"/proc/{pid}/limits") as f:
            limits = f.read()
        tap.matches(limits, r"Max core file size\s+0\s+0", name)


@tap.case("users: each process its own, none of them root")
def users(p):
    if not ROOT:
        raise tap.Skip("needs root")
    uids = {}
    for pid, name, st in each(p):
        ids = set(st["Uid"].split())
        same(len(ids), 1, f"{name}: user ids {ids}; number")
        groups = set(st["Gid"].split()) | set(st["Groups"].split())
        if "0" in ids | groups:
            raise AssertionError(f"{name} is root: {st['Uid']} {groups}")
        uids.setdefault(ids.pop(), set()).add(name)
        same(st["CapEff"], "0" * 16, f"{name}: capabilities")
        same(st["CapPrm"], "0" * 16, f"{name}: capabilities")
    same({uid: len(names) for uid, names in uids.items()},
         {uid: 1 for uid in uids}, "programs of each user")
    wanted = {"postern-smtpd": "_postern", "postern-auth": "_posternauth",
              "postern-queue": "_posternq", "postern-deliver": "_posternout",
              "postern-sts": "_posternsts"}
    same({names.pop(): pwd.getpwuid(int(uid)).pw_name
          for uid, names in uids.items()}, wanted, "users")


@tap.case("root directory: an empty one for smtpd and deliver, "
          "their own store for the others")
def roots(p):
    if not ROOT:
        raise tap.Skip("needs root")
    for pid, name, st in each(p):
        root = os.readlink(f"/proc/{pid}/root")
        inside = os.listdir(f"/proc/{pid}/root/")
        if root == "/":
            raise AssertionError(f"{name} sees the whole file system")
        if name in ("postern-smtpd", "postern-deliver", "postern-sts"):
            same(inside, [], f"{name}: in its root")
            st_dir = os.stat(f"/proc/{pid}/root/")
            if st_dir.st_mode & 0o022 or st_dir.st_uid:
                raise AssertionError(f"{name} may write to its root")
        elif "etc" in inside:
            raise AssertionError(f"{name}: {inside}")
        # The working directory is inside.
        if not (os.readlink(f"/proc/{pid}/cwd") + "/").startswith(root + "/") \
                and os.readlink(f"/proc/{pid}/cwd") != root:
            raise AssertionError(f"{name}: outside in "
                                 f"{os.readlink(f'/proc/{pid}/cwd')}")


def descriptors(pid):
    out = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            out[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            pass
    return out


@tap.case("open files: none but the log for smtpd and deliver, and no key")
def files(p):
    with p.logged_in() as t:
        t.mail(ALICE, "x@example.net")
        for pid, name, st in each(p):
            for fd, what in descriptors(pid).items():
                if re.match(r"(socket|pipe|anon_inode|/memfd)", what) or \
                        what.startswith(p.log_path) or what in (
                            "/dev/null", "/dev/urandom"):
                    continue
                if name in ("postern-smtpd", "postern-deliver",
                            "postern-sts"):
                    raise AssertionError(f"{name} has {fd} -> {what}")
                if name == "postern-queue" and ".key" in what:
                    raise AssertionError(f"{name} has {fd} -> {what}")


@tap.case("listening sockets: smtpd only, and only the ports configured")
def listeners(p):
    inodes = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as f:
            for line in f.readlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    inodes[fields[9]] = int(fields[1].rsplit(":", 1)[1], 16)
    ports = {}
    for pid, name in p.pids().items():
        for what in descriptors(pid).values():
            found = re.match(r"socket:\[(\d+)\]", what)
            if found and found.group(1) in inodes:
                ports.setdefault(name, set()).add(inodes[found.group(1)])
    for name in ("postern-auth", "postern-queue", "postern-deliver"):
        same(ports.get(name), None, f"{name} listens on")
    same(ports["postern-smtpd"], {p.port465, p.port587}, "smtpd listens on")


@tap.case("environment and command line hold no secret")
def environment(p):
    for pid, name in p.pids().items():
        for part in ("environ", "cmdline"):
            try:
                with open(f"/proc/{pid}/{part}", "rb") as f:
                    text = f.read()
            except OSError:
                continue
            if postern.PASSWORD.encode() in text or b"PRIVATE KEY" in text:
                raise AssertionError(f"{name}: {part}")


@tap.case("the private key is in auth only")
def key(p):
    if not ROOT:
        raise tap.Skip("needs root")
    with p.logged_in(), p.smtp("starttls"):
        pass
    secret = None
    for folder, _, names in os.walk(p.base):
        for name in names:
            if name.endswith((".pem", ".key")):
                with open(os.path.join(folder, name)) as f:
                    text = f.read()
                if "PRIVATE KEY" in text:
                    secret = text
    if secret is None:
        raise AssertionError("no private key below the state directory")
    der = subprocess.run(["openssl", "pkey", "-outform", "DER",
                          "-traditional"], input=secret.encode(), check=True,
                         stdout=subprocess.PIPE).stdout
    # ECPrivateKey: SEQUENCE, version 1, OCTET STRING of 32: the scalar.
    scalar = der[der.index(b"\x04\x20") + 2:][:32]
    for pid, name, st in each(p):
        if name != "postern-auth" and find(pid, scalar):
            raise AssertionError(f"{name} has the private key in memory")


@tap.case("a password is in no memory once it was checked")
def forgotten(p):
    if not ROOT:
        raise tap.Skip("needs root")
    word = client.plain(ALICE, postern.PASSWORD)
    with p.logged_in():
        for pid, name, st in each(p):
            for needle in (postern.PASSWORD.encode(), word[20:].encode()):
                if find(pid, needle):
                    raise AssertionError(f"{name} still has {needle!r}")


def find(pid, needle):
    """Whether the writable memory of a process holds these octets."""
    for form in (needle, needle[::-1]):
        with open(f"/proc/{pid}/maps") as maps, \
                open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                fields = line.split()
                if not fields[1].startswith("rw"):
                    continue
                start, end = (int(x, 16) for x in fields[0].split("-"))
                if end - start > 1 << 30:
                    continue  # a sanitizer's own
                try:
                    mem.seek(start)
                    data = mem.read(end - start)
                except (OSError, ValueError, OverflowError):
                    continue
                if form in data:
                    return True
    return False


@tap.case("files on disk: for their owner only")
def modes(p):
    state = os.path.join(p.base, "state")
    for folder, folders, names in os.walk(state):
        for name in folders + names:
            st = os.lstat(os.path.join(folder, name))
            if st.st_mode & 0o002:
                raise AssertionError(f"{folder}/{name}: {st.st_mode:o}")
    stores = [os.path.join(folder, name) for folder, _, names
              in os.walk(state) for name in names
              if name.startswith("log.0000000")]
    same(len(stores) >= 2, True, f"stores: {stores}; two or more")
    for store in stores:
        st = os.stat(os.path.dirname(store))
        same(st.st_mode & 0o777, 0o700, f"mode of {os.path.dirname(store)}")


@tap.case("the control socket is for root and the server's user")
def control(p):
    if not ROOT:
        raise tap.Skip("needs root")
    # Somebody who can reach the socket's directory and is nobody.
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         path("postern"), "--config", p.config, "account", "list"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=30)
    same(done.returncode, 4, f"{done.stderr!r}; code")
    same(done.stdout, b"", "what it printed")


HOLD = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
held = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for _ in range(80)]
for s in held:
    s.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@tap.case("who may not use the control socket cannot block it")
def blocked(p):
    if not ROOT:
        raise tap.Skip("needs root")
    sock = os.path.join(p.base, "run", "control")
    with subprocess.Popen([sys.executable, "-c", HOLD, sock],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        same(other.stdout.readline(), b"held\n", "80 connections")
        same(p.cli("status").code, 0, "status meanwhile; code")
        other.stdin.close()


@tap.case("as an ordinary user the same programs run")
def ordinary(p):
    if not ROOT:
        raise tap.Skip("is one")
    # A tree of their own: the checkout may lie where they cannot look.
    tree = user_dir(p)
    for folder in ("lib", "system"):
        shutil.copytree(os.path.join(postern.TOP, "tests", folder),
                        os.path.join(tree, "tests", folder))
    os.mkdir(os.path.join(tree, "build"))
    for name in os.listdir(postern.BUILD):
        if name.startswith("postern"):
            shutil.copy(path(name), os.path.join(tree, "build"))
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         "/usr/bin/python3",
         os.path.join(tree, "tests", "system", "privsep.py"), "--ordinary"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60, cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent",
             "PYTHONDONTWRITEBYTECODE": "1", "POSTERN_TMP": tree})
    text = done.stdout.decode("utf-8", "replace")
    if "all is well" not in text:
        raise AssertionError(text)


def user_dir(p):
    made = os.path.join(p.dir, "user")
    os.mkdir(made)
    os.chown(made, 65534, 65534)
    return made


if __name__ == "__main__":
    if sys.argv[1:] == ["--ordinary"]:
        with Postern(accounts=[ALICE]) as q:
            q.send("x@example.net")
            tap.wait(lambda: q.sink.to("x@example.net"), 20, "it arrives")
            same({status(pid)["Uid"].split()[0] for pid in q.pids()},
                 {"65534"}, "users")
            # No more processes for a while: the server stays.
            limit = resource.prlimit(q.sid, resource.RLIMIT_NPROC)
            resource.prlimit(q.sid, resource.RLIMIT_NPROC, (1, limit[1]))
            q.kill("postern-deliver")
            q.wait_event("process.failed", process="deliver")
            q.send("y@example.net")
            resource.prlimit(q.sid, resource.RLIMIT_NPROC, limit)
            tap.wait(lambda: q.sink.to("y@example.net"), 20, "it arrives")
        print("all is well")
        sys.exit(0)
    tap.main(lambda: Postern(accounts=[ALICE]))
