#!/usr/bin/python3
"""What each process cannot do: libraries, user, root directory, rights."""
# run: limit 60

import os
import pwd
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import memory
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


@tap.case("one smtpd for two cores, one of each other")
def count(p):
    same(len(p.pid("postern-smtpd")), (os.cpu_count() + 1) // 2,
         "smtpd processes")
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
    if not ROOT:
        raise tap.Skip("needs root")
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
    if not ROOT:
        raise tap.Skip("needs root")
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


def secrets_of(pem):
    """The numbers of a private key that nobody may know."""
    text = subprocess.run(["openssl", "pkey", "-noout", "-text"], input=pem,
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    for name, digits in re.findall(r"(\w+):\n((?:    [0-9a-f:]+\n)+)", text):
        if name in ("priv", "privateExponent", "prime1", "prime2",
                    "exponent1", "exponent2", "coefficient"):
            yield name, bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(
                b"\0")


def unlimited(pid):
    with open(f"/proc/{pid}/limits") as f:
        return re.search(r"Max locked memory\s+unlimited", f.read())


@tap.case("private keys are in auth only, and there locked in memory")
def key(p):
    if not ROOT:
        raise tap.Skip("needs root")
    before = dict(p.sections["tls"])
    pem = os.path.join(p.dir, "rsa")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-days", "2", "-subj", "/CN=rsa.example.org", "-addext",
                    "subjectAltName=DNS:rsa.example.org", "-keyout",
                    pem + ".key", "-out", pem + ".cert"], check=True,
                   stderr=subprocess.DEVNULL)
    os.chmod(pem + ".key", 0o600)
    own = os.path.join(p.base, "state", "tls", "key.pem")
    p.configure(**{"tls rsa.example.org": {"certificate": pem + ".cert",
                                           "key": pem + ".key"}})
    os.kill(p.sid, signal.SIGHUP)

    def rsa_is_used():
        raw = socket.create_connection(("127.0.0.1", p.port465), 10)
        with client.context().wrap_socket(
                raw, server_hostname="rsa.example.org") as s:
            with open(pem + ".cert") as f:
                return s.getpeercert(binary_form=True) == \
                    ssl.PEM_cert_to_DER_cert(f.read())
    tap.wait(rsa_is_used, 20, "the RSA certificate")
    p.send()
    count = 0
    for path_ in (own, pem + ".key"):
        with open(path_, "rb") as f:
            text = f.read()
        needles = list(secrets_of(text))
        # The file's text itself, from its middle.
        needles.append(("text", text.splitlines()[2][:48]))
        for name, needle in needles:
            for pid, program, st in each(p):
                held = memory.find(pid, needle)
                if program != "postern-auth" and held:
                    raise AssertionError(f"{program} has {name} in memory")
                for flags in held:
                    count += 1
                    # OpenSSL works with copies of the primes, which are
                    # locked only where all of the memory may be.
                    if name.startswith("prime") and not unlimited(pid):
                        continue
                    if "lo" not in flags or \
                            (name == "priv" and "dd" not in flags):
                        raise AssertionError(
                            f"auth has {name} in memory with {flags}")
    if count == 0:
        raise AssertionError("auth has no key either: nothing was looked at")
    same(p.sections["tls"], before, "configuration")
    del p.sections["tls rsa.example.org"]
    p.configure()
    os.kill(p.sid, signal.SIGHUP)


@tap.case("nobody can be dumped, or looked into by others of its user")
def dumpable(p):
    if not ROOT:
        raise tap.Skip("needs root")
    for pid, name, st in each(p):
        # The kernel gives what cannot be dumped to root.
        same(os.stat(f"/proc/{pid}/mem").st_uid, 0, f"{name}: owner of mem")


@tap.case("a password is in no memory once it was checked")
def forgotten(p):
    if not ROOT:
        raise tap.Skip("needs root")
    word = client.plain(ALICE, postern.PASSWORD)
    with p.logged_in():
        for pid, name, st in each(p):
            for needle in (postern.PASSWORD.encode(), word[20:].encode()):
                if memory.find(pid, needle):
                    raise AssertionError(f"{name} still has {needle!r}")


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
