#!/usr/bin/python3
"""What an administrator can still do while the configuration is broken."""
# run: limit 90

import os
import pwd
import re
import shlex
import socket
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import BUILD, ROOT, Postern
from tap import Skip, has, same

ALICE, BOB = "alice@example.org", "bob@example.org"


class Site(Postern):
    """A server whose mail waits."""

    def __init__(self):
        super().__init__([ALICE, BOB], via="127.0.0.1:1")

    def __enter__(self):
        super().__enter__()
        with open(self.config) as f:
            self.whole = f.read()
        self.send("far@example.net")
        return self

    def broken(self, more="[limits]\ntypo = 1\n", **change):
        text = self.whole
        for old, new in change.items():
            text = text.replace(f"\n{old} = ", f"\n{new} = ")
        self.write(self.config, text + more)

    def mended(self):
        self.write(self.config, self.whole)


@tap.case("what the running server does by itself works, with a word about it")
def emergency(p):
    p.broken()
    try:
        for command in (("queue", "hold", "--all"),
                        ("account", "suspend", BOB), ("account", "list"),
                        ("account", "passwd", BOB, "--generate"),
                        ("grant", "list"), ("guard", "explain", BOB),
                        ("queue", "list"), ("queue", "shape"),
                        ("queue", "release", "--all"), ("dkim", "list"),
                        ("trace", ALICE), ("log",), ("status",),
                        ("check", "client", "192.0.2.1"), ("tls", "reload"),
                        ("check", "store"),
                        ("backup", "create", f"{p.dir}/b.tar")):
            said = p.cli(*command)
            same(said.code, 0, f"{command}: {said}")
            has(said.err, f"{p.config} has 1 error; the running server goes "
                "on with what it read before (see: postern config check)",
                command)
            same(said.err.count("goes on"), 1, f"{command}: once")
    finally:
        p.mended()
    said = p.cli("account", "show", BOB, "--json").json()
    same(said["state"], "suspended", "what was changed meanwhile")


@tap.case("a backup without a [tls] that can be read: all but certificates")
def backup(p):
    path = os.path.join(p.dir, "tls.tar")
    pair = os.path.join(p.base, "state", "tls")
    heading = "\n[tls]\n"
    conf = p.whole + (f"{heading}certificate = {pair}/cert.pem\n"
                      f"key = {pair}/key.pem\n")
    try:
        for broken in (conf.replace("\ncertificate = ", "\ncertifcate = "),
                       conf.replace("\ncertificate = ", "\ncertificate = x")
                       .replace("\nkey = ", "\nkey = x"),
                       conf.replace(heading, "\n[tsl]\n"),
                       conf.replace(heading, "\ntls]\n")):
            same(broken != conf, True, "a change")
            p.write(p.config, broken)
            said = p.cli("backup", "create", path, "--keys", "--json")
            same(said.code, 1, said)
            has(said.err, "the certificates are left out")
            same(said.json()["complete"], False, said)
            with tarfile.open(path) as tar:
                same([n for n in tar.getnames() if n.startswith("tls/")], [],
                     broken)
            p.must("backup", "verify", path)
            os.unlink(path)
        # It is another part that is broken: they are in it.
        p.broken()
        p.must("backup", "create", path, "--keys")
        with tarfile.open(path) as tar:
            has(tar.getnames(), "tls/0-key.pem")
        os.unlink(path)
    finally:
        p.mended()
    gone = os.path.join(p.dir, "gone.pem")
    p.write(p.config, re.sub(r"\nkey = .*", f"\nkey = {gone}", conf))
    said = p.cli("backup", "create", path, "--keys")
    p.mended()
    same(said.code, 1, said)
    has(said.err, f"{gone} is left out: No such file")
    p.must("backup", "verify", path)


@tap.case("what follows from the file is refused, and so is a doubtful server")
def refused(p):
    for change, command in (({}, ("client-settings", ALICE)),
                            ({}, ("dns", "example.org")),
                            ({}, ("config", "show")),
                            ({"run": "rnu"}, ("queue", "list")),
                            ({"run": "rnu"}, ("account", "list"))):
        p.broken(**change)
        try:
            said = p.cli(*command)
        finally:
            p.mended()
        same(said.code, 78, f"{command}: {said}")
        has(said.err, "unknown key \"typo\"", command)


@tap.case("without a server the errors are told, and nothing is started")
def stopped(p):
    p.stop()
    p.broken()
    try:
        said = p.cli("account", "list")
        same(said.code, 78, said)
        has(said.err, "unknown key \"typo\"")
    finally:
        p.mended()
        p.start()


@tap.case("before a start: which ports another program has")
def ports(p):
    p.stop()
    for words in (("config", "check"), ("init",)):
        if "another program" in p.must(*words).err:
            raise AssertionError(f"{words}: nobody listens")
    with socket.create_server(("127.0.0.1", p.port587)):
        for words in (("config", "check"), ("init",)):
            said = p.must(*words)
            has(said.err, f"listens on 127.0.0.1 port {p.port587}")
            same(said.err.count("another program"), 1, said)
    p.start()
    if "another program" in p.must("config", "check").err:
        raise AssertionError("it is our own")


@tap.case("an unknown key: the keys that there are")
def keys(p):
    p.broken("[paths]\nsomewhere = /x\n")
    try:
        has(p.cli("config", "check").err, "keys here: state, run")
    finally:
        p.mended()


@tap.case("the recipes of help name commands and flags that there are")
def recipes(p):
    for topic in ("first-mail", "limits", "migrate", "stolen-password"):
        lines = [re.split(r"  +|\(", line.strip())[0]
                 for line in p.cli("help", topic).out.splitlines()
                 if line.startswith("  postern ")]
        same(len(lines) > 1, True, topic)
        for line in lines:
            same(p.cli(*shlex.split(line)[1:], "--help").code, 0, line)


@tap.case("two processes must not be one user")
def users(p):
    if not ROOT:
        raise Skip("only root becomes somebody else")
    for lines, key, other in ((["auth = _postern"], "auth", "smtpd"),
                              (["sts = _posternq"], "sts", "queue"),
                              (["queue = _posternsts"], "sts", "queue")):
        p.broken("\n".join(["[users]", *lines, ""]))
        try:
            said = p.cli("config", "check")
            same(said.code, 78, said)
            has(said.err, f"{p.config}:{p.whole.count(chr(10)) + 2}: ")
            has(said.err, f"users.{key}: ")
            has(said.err, f"is the user of {other} already")
            has(said.err, "name a user of its own, or remove the key")
            same(p.cli("serve").code, 78, "serve")
        finally:
            p.mended()


@tap.case("a store that belongs to somebody else, as after a copy by root")
def owners(p):
    if not ROOT:
        raise Skip("only root gives files away")
    p.stop()
    queue = os.path.join(p.dir, "state", "queue")
    log = next(os.path.join(queue, "env", name)
               for name in os.listdir(os.path.join(queue, "env"))
               if name.startswith("log."))
    for path in (queue, log):
        before = os.stat(path)
        os.chown(path, 0, 0)
        for command in (("config", "check"), ("serve",)):
            said = p.cli(*command)
            same(said.code, 78, f"{path}, {command}: {said}")
            has(said.err, f"paths.state: {path}: belongs to root, not to "
                "_posternq")
            has(said.err, f"chown -R _posternq {queue}")
        os.chown(path, before.st_uid, before.st_gid)
    # Of a server without root, which root would break.
    state = os.path.dirname(queue)
    games = pwd.getpwnam("games").pw_uid
    for path in (state, queue):
        os.chown(path, games, -1)
    has(p.cli("config", "check").err, "run this as games, whose server it may "
        f"be; where it is not: chown -R _posternq {queue}\n")
    for path, owner in ((state, 0), (queue, before.st_uid)):
        os.chown(path, owner, -1)
    os.rename(queue, queue + ".away")
    has(p.cli("serve").err, f"{queue}: there is no such directory\n    "
        "run `postern init`")
    os.rename(queue + ".away", queue)
    p.start()


@tap.case("a store on another disk, by a link of root's, with a DB_CONFIG")
def linked(p):
    if not ROOT:
        raise Skip("only root gives files away")
    p.stop()
    queue = os.path.join(p.dir, "state", "queue")
    elsewhere = os.path.join(p.dir, "elsewhere")
    tuning = os.path.join(elsewhere, "env", "DB_CONFIG")
    os.rename(queue, elsewhere)
    os.symlink(elsewhere, queue)
    p.write(tuning, "# of root, for all to read\n")
    os.chmod(tuning, 0o644)
    try:
        same(p.cli("config", "check").code, 0, "config check")
        p.start()
        p.send()
    finally:
        if p.process:
            p.stop()
        os.unlink(tuning)
        os.unlink(queue)
        os.rename(elsewhere, queue)
    p.start()


@tap.case("config check by a user whose server it is not: nothing to give away")
def not_his(p):
    if not ROOT:
        raise Skip("only root runs it as another user")
    try:
        said = subprocess.run(
            [os.path.join(BUILD, "postern"), "--config", p.config, "config",
             "check"], user="nobody", group="nogroup", extra_groups=[],
            cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except PermissionError:
        raise Skip("others cannot come as far as this directory") from None
    has(said.stderr, "belongs to _posternauth, not to nobody\n"
        "    run this as root, whose server it may be")
    if "chown" in said.stderr:
        raise AssertionError(said.stderr)


@tap.case("import: a directory, a file of no known format, one bad line")
def imports(p):
    path = os.path.join(p.dir, "list")
    same(p.cli("account", "import", p.dir).code, 2, "a directory")
    p.write(path, "one\ntwo\nthree\n")
    said = p.cli("account", "import", path)
    same(said.code, 1, said)
    same(said.err.count("no known format"), 1, said)
    p.write(path, "x@example.org:{CRAM-MD5}00\ny@example.org:{PLAIN}yes1\n")
    said = p.cli("account", "import", path)
    same(said.code, 1, said)
    has(said.err, "1 line of ")
    has(said.err, "--skip-bad leaves it out")
    rows = b"account,password\nskip%d@example.org,a long enough one\n"
    for i, first in enumerate((b"My accounts", b"a\0b", b"x" * 70000,
                               b"My accounts, all of them")):
        with open(path, "wb") as f:
            f.write(first + b"\n" + rows % i)
        same(p.cli("account", "import", path).code, 1, first[:20])
        said = p.cli("account", "import", path, "--skip-bad")
        same(said.code, 0, said)
        has(said.err, "left out 1 line")
        same(p.cli("account", "show", f"skip{i}@example.org").code, 0, said)
    p.write(path, "root:x:0:0:root:/root:/bin/bash\n")
    has(p.cli("account", "import", path).err, "import /etc/shadow")
    with open(path, "wb") as f:
        f.write(b"\0\0\1" * 10)
    has(p.cli("grant", "import", path).err, "postmap(1)")
    for text in ("one\ntwo\n", "a,b\nc,d\n"):
        p.write(path, text)
        said = p.cli("account", "import", path, "--skip-bad")
        same(said.code, 1, said)
        has(said.err, "nothing was imported")


@tap.case("limits take the units of the configuration")
def limits(p):
    for words in (("--per-hour", "10/hour"), ("--new-per-day", "7/day")):
        same(p.cli("account", "limits", BOB, *words).code, 0, words)
    for words in (("--per-hour", "10/day"), ("--recipients", "10/hour")):
        same(p.cli("account", "limits", BOB, *words).code, 2, words)
    for words in (("--per-hour", "default"), ("--new-per-day", "default")):
        p.must("account", "limits", BOB, *words)


# In name spaces of its own, as `postern init` and the service have it.
MEMBER = """
set -e
mount --make-rprivate /
mount -t tmpfs none $WORK
for d in etc var/lib run; do
    n=$WORK/${d#*/}
    mkdir $n.up $n.work
    mount -t overlay -o lowerdir=/$d,upperdir=$n.up,workdir=$n.work none /$d
done
rm -rf /etc/postern /var/lib/postern /run/postern
ip link set lo up
P=$BUILD/postern
$P init alice@example.org --hostname mail.example.org >/dev/null 2>&1
printf '[users]\\nadmin-group = games\\n' >> /etc/postern/postern.conf
$P serve >$WORK/log 2>&1 & server=$!
for i in $(seq 600); do
    $P queue list >/dev/null 2>&1 && break
    sleep 0.05
done
as() {
    echo "== $*"
    setpriv --reuid=$1 --regid=$(id -g $1) --clear-groups $P $2 $3 2>&1 &&
        c=0 || c=$?
    echo "exit $c"
}
as games queue list
as nobody queue list
as games config show
mv /etc/postern/postern.conf $WORK/kept
as root queue list
head -c 70000 /dev/zero | tr '\\0' '#' >/etc/postern/postern.conf
as root queue list
kill $server
wait $server
"""


@tap.case("a member of admin-group needs not read what only root may")
def member(p):
    if not ROOT:
        raise Skip("only root makes users and name spaces")
    try:
        for name in ("games", "nobody"):
            pwd.getpwnam(name)
    except KeyError as e:
        raise Skip(str(e)) from None
    work = os.path.join(p.dir, "names")
    os.mkdir(work)
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c",
         MEMBER],
        env={**os.environ, "WORK": work, "BUILD": BUILD},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=80)
    said = done.stdout.decode()
    if "mount:" in said or "unshare:" in said:
        raise Skip(said.strip().splitlines()[0])
    first, second, third, gone, long = said.split("== ")[1:]
    has(first, "exit 0", said)
    same("goes on" in first, False, first)
    has(second, "exit 4", said)
    has(second, "users.admin-group", said)
    has(third, "exit 4", said)
    has(third, "permission denied", said)
    # Nobody knows where the server is that the file told of.
    has(gone, "exit 78", said)
    has(gone, "there is no configuration", said)
    has(long, "exit 78", said)
    has(long, "over 64 KiB", said)


if __name__ == "__main__":
    tap.main(Site)
