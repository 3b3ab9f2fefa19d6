"""
A private postern: its own directory, configuration, ports and accounts.

    with Postern(accounts=["alice@example.org"]) as p:
        p.smtp("starttls").login(*p.login())

Everything is below build/tmp and gone afterwards; as root the processes run
as the users that `postern init` makes, otherwise all as the caller.
"""

import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import client
import sink as sinks
from tap import comment, wait

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("B", "build"))
ROOT = os.geteuid() == 0
SETTLED = ("msg.delivered", "msg.deferred", "msg.uncertain", "msg.bounced")
PASSWORD = "correct horse 9"
HOSTNAME = "mail.example.org"
CHILDREN = ("postern-smtpd", "postern-auth", "postern-queue",
            "postern-deliver", "postern-sts")


def traversable(path):
    """Whether the users of the children can get at what is below path."""
    while True:
        if not os.stat(path).st_mode & 0o001:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def scratch():
    """
    Where private directories go: build/tmp, unless the checkout lies where
    the users of the children cannot reach; or what POSTERN_TMP says.
    """
    if "POSTERN_TMP" in os.environ:
        return os.environ["POSTERN_TMP"]
    path = os.path.join(BUILD, "tmp")
    os.makedirs(path, exist_ok=True)
    if ROOT and not traversable(path):
        path = os.path.join(tempfile.gettempdir(), "postern-tests")
        os.makedirs(path, exist_ok=True)
    return path


def directory():
    path = tempfile.mkdtemp(prefix="t", dir=scratch())
    os.chmod(path, 0o755)
    return path


_claims = []


def free_port():
    """
    A port free on every address, and not handed to another test running now
    on this machine: each claim is a name in the abstract socket namespace.
    Below the ephemeral range, so that no outgoing connection takes it.
    """
    for _ in range(1000):
        port = random.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0postern-test-port-{port}")
            with socket.socket() as tcp, \
                    socket.socket(type=socket.SOCK_DGRAM) as udp:
                tcp.bind(("0.0.0.0", port))
                udp.bind(("0.0.0.0", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise RuntimeError("no free port")


def tool(source):
    """The program built from a C file of the tests; compiles it if need be."""
    path = os.path.join(TOP, "tests", source)
    shared = source.startswith("crash/")
    out = os.path.join(BUILD, "tests", source[:-2] + (".so" if shared else ""))
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(out) or \
                os.path.getmtime(out) < os.path.getmtime(path):
            flags = ["-O2", "-g", "-std=gnu11", "-D_GNU_SOURCE", "-Wall",
                     "-Wextra", path, "-o", out + ".new"]
            flags += ["-shared", "-fPIC", "-ldl"] if shared else \
                     ["-pthread", "-lssl", "-lcrypto"]
            subprocess.run([os.environ.get("CC", "cc")] + flags, check=True)
            os.rename(out + ".new", out)
    return out


def processes(session):
    """{pid: name} of the live processes of a session id."""
    out = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as f:
                comm, _, rest = f.read().partition(b"(")[2].rpartition(b")")
        except OSError:
            continue
        fields = rest.split()
        if int(fields[3]) == session and fields[0] not in (b"Z", b"X"):
            try:
                exe = os.path.basename(os.readlink(f"/proc/{name}/exe"))
            except OSError:
                exe = comm.decode()
            out[int(name)] = exe.replace(" (deleted)", "")
    return out


def end(process, seconds=10):
    """End a program that has a session of its own, and what it started."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    until = time.monotonic() + 5
    while processes(process.pid) and time.monotonic() < until:
        time.sleep(0.02)
    for pid in processes(process.pid):
        os.kill(pid, signal.SIGKILL)


class Result:
    """What a command said."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def json(self):
        """One document, or a list of the documents that stand one a line."""
        try:
            return json.loads(self.out)
        except ValueError:
            return [json.loads(line) for line in self.out.splitlines()]

    def items(self):
        """The list that a list command printed, in either form."""
        if not self.out.strip():
            return []
        data = self.json()
        if isinstance(data, dict):
            lists = [v for v in data.values() if isinstance(v, list)]
            if len(data) <= 2 and len(lists) == 1:
                return lists[0]
            return [data]
        return data

    def __repr__(self):
        return f"exit {self.code}, stdout {self.out!r}, stderr {self.err!r}"


class Postern:
    """
    accounts   addresses that get PASSWORD
    via        value of [route *] via; None makes a Sink and routes to it
    limits     keys of [limits]; queue, dns: keys of those sections
    routes     {domain: {key: value}} more [route] sections
    script     the script of the Sink made
    extra      text put at the end of the configuration
    env        more environment of the server
    base       an existing directory to put state and run into
    """

    def __init__(self, accounts=("alice@example.org", "bob@example.org"),
                 via=None, limits=None, guard=None, queue=None, dns=None, routes=None,
                 script=None, extra="", env=None, base=None, start=True,
                 listen="127.0.0.1", sink_options=None):
        self.accounts = list(accounts)
        self.via, self.routes = via, dict(routes or {})
        # Loads and crowds of cases share one account.
        self.sections = {
            "limits": {"per-hour": "1000000", "per-day": "1000000",
                       "messages-per-hour": "1000000",
                       "messages-per-day": "1000000",
                       "handshakes-per-minute": "1000000",
                       "new-per-day": "1000000",
                       **(limits or {})},
            # Only who tests the guard wants to be frozen.
            "guard": {"freeze": "no", **(guard or {})},
            # Many cases count the notices to one account.
            "queue": {"notices-per-hour": "1000000", **(queue or {})},
            "dns": dict(dns or {}),
            "tls": {},
        }
        self.extra, self.env, self.autostart = extra, dict(env or {}), start
        self.script, self.sink_options = script, dict(sink_options or {})
        self.listen = listen
        self.base = base
        self.programs = BUILD
        self.sink = self.process = None
        self.sid = None
        self.mark = 0

    # Life.

    def __enter__(self):
        self.dir = directory()
        try:
            self.set_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def set_up(self):
        self.base = self.base or self.dir
        self.port465, self.port587 = free_port(), free_port()
        self.config = os.path.join(self.dir, "postern.conf")
        self.log_path = os.path.join(self.dir, "log")
        open(self.log_path, "w").close()
        if self.via is None:
            self.sink = sinks.Sink(self.script, port=free_port(),
                                   **self.sink_options).start()
            self.via = f"127.0.0.1:{self.sink.port}"
        self.configure()
        self.must("init")
        for address in self.accounts:
            self.add(address)
        if self.autostart:
            self.start()

    def __exit__(self, kind, value, trace):
        problems = []
        try:
            if self.process is not None:
                self.stop()
        except AssertionError as e:
            problems.append(str(e))
        finally:
            self.end_all()
            if self.sink:
                self.sink.stop()
            if kind is not None and issubclass(kind, Exception):
                comment(self.notes())
            shutil.rmtree(self.dir, ignore_errors=True)
        if problems and kind is None:
            raise AssertionError("; ".join(problems))

    def configure(self, **sections):
        """Write the configuration; sections update what is there."""
        for name, keys in sections.items():
            self.sections.setdefault(name, {}).update(keys)
        lines = [f"hostname = {HOSTNAME}", ""]
        listen = {
            "listen submissions": {
                "address": f"{self.listen}:{self.port465}",
                "tls": "implicit"},
            "listen submission": {
                "address": f"{self.listen}:{self.port587}",
                "tls": "starttls"},
        }
        routes = {"route *": {"via": self.via}}
        for domain, keys in self.routes.items():
            routes[f"route {domain}"] = keys
        paths = {"paths": {"state": os.path.join(self.base, "state"),
                           "run": os.path.join(self.base, "run")}}
        for part in (listen, self.sections, routes, paths):
            for name, keys in part.items():
                keys = {k: v for k, v in keys.items() if v is not None}
                if keys:
                    lines.append(f"[{name}]")
                    lines += [f"{k} = {v}" for k, v in keys.items()]
                    lines.append("")
        self.write(self.config, "\n".join(lines) + self.extra)

    @staticmethod
    def write(path, text):
        with open(path, "w") as f:
            f.write(text)

    def start(self, ready=True, env=None):
        program = os.path.join(self.programs, "postern")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program, "--config", self.config, "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.env, **(env or {})},
                start_new_session=True)
        self.sid = self.process.pid
        if ready:
            self.ready()
        return self

    def ready(self, seconds=30):
        """Wait until both ports greet and all children are up."""
        def up():
            if self.process.poll() is not None:
                raise AssertionError(
                    f"serve ended with {self.process.returncode}:\n"
                    + self.log()[-2000:])
            if {"postern-auth", "postern-queue", "postern-deliver"} \
                    - set(self.pids().values()):
                return False
            return self.greets()
        wait(up, seconds, "the ports answer")

    def greets(self):
        """Whether a login would work now, as far as one can see outside."""
        try:
            with client.Talk(self.port587, timeout=5, strict=False) as t:
                if t.reply(bare=True).code != 220:
                    return False
            with client.Talk(self.port465, "implicit", timeout=5,
                             strict=False) as t:
                return True
        except (OSError, client.Closed, AssertionError):
            return False

    def stop(self, seconds=20):
        """SIGTERM; everything must be gone in time and end with 0."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"SIGTERM: still there after {seconds} s: "
                                 f"{self.pids()}") from None
        finally:
            if self.process.poll() is not None:
                self.process = None
        try:
            wait(lambda: not self.pids(), 5, "all children gone")
        except AssertionError:
            raise AssertionError(f"left after the parent: {self.pids()}") \
                from None
        if status not in (0, -signal.SIGTERM):
            raise AssertionError(f"serve ended with {status}")

    def end_all(self):
        """kill -9 to each process of ours, by id."""
        if self.sid is None:
            return
        until = time.monotonic() + 10
        while time.monotonic() < until:
            left = self.pids()
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if self.process:
                self.process.poll()
            time.sleep(0.01)
        if self.process:
            self.process.wait(10)
        self.process = None

    def pids(self):
        """{pid: program} of everything this server runs now."""
        return processes(self.sid) if self.sid else {}

    def pid(self, name):
        """The ids of the processes of one program."""
        return sorted(p for p, n in self.pids().items() if n == name)

    def kill(self, name, number=signal.SIGKILL, which=None):
        """Signal the processes of one program; their ids."""
        pids = self.pid(name)
        if which is not None:
            pids = pids[which:which + 1]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return pids

    def cpu_by(self):
        """{program: CPU seconds} used so far; reaped children are the
        parent's."""
        seconds = {}
        for pid, name in self.pids().items():
            try:
                with open(f"/proc/{pid}/stat", "rb") as f:
                    fields = f.read().rpartition(b")")[2].split()
            except OSError:
                continue
            ticks = int(fields[11]) + int(fields[12])
            if pid == self.sid:
                ticks += int(fields[13]) + int(fields[14])
            seconds[name] = (seconds.get(name, 0)
                             + ticks / os.sysconf("SC_CLK_TCK"))
        return seconds

    # The command line.

    def cli(self, *args, stdin=None, timeout=60, env=None):
        data = stdin.encode() if isinstance(stdin, str) else stdin
        if not any(a.startswith("--config") for a in args):
            args = ("--config", self.config, *args)
        return Result(subprocess.run(
            [os.path.join(BUILD, "postern"), *args],
            input=data if data is not None else b"", timeout=timeout,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.dir,
            env=dict(os.environ, **(env or {}))))

    def must(self, *args, **kwargs):
        result = self.cli(*args, **kwargs)
        if result.code != 0:
            raise AssertionError(f"postern {' '.join(args)}: {result}")
        return result

    def add(self, address, password=PASSWORD):
        return self.must("account", "add", address, "--password-stdin",
                         stdin=password + "\n")

    def queue(self):
        """The messages waiting, as `queue list --json` has them."""
        return self.must("queue", "list", "--json").items()

    def waiting(self):
        return len(self.queue())

    def status(self, key):
        """A key of `status --json`, at whatever depth."""
        def look(node):
            if isinstance(node, dict):
                if key in node:
                    return node[key]
                node = list(node.values())
            if isinstance(node, list):
                for part in node:
                    found = look(part)
                    if found is not None:
                        return found
            return None
        return look(self.must("status", "--json").json())

    def retry(self):
        return self.cli("queue", "retry", "--all")

    # Talking to it.

    def login(self, number=0):
        return self.accounts[number], PASSWORD

    def smtp(self, tls="starttls", **kwargs):
        """A connection, up to and without EHLO (inside TLS unless None)."""
        port = kwargs.pop("port", None) or (
            self.port465 if tls == "implicit" else self.port587)
        return client.Talk(port, tls, **kwargs)

    def logged_in(self, number=0, tls="implicit", **kwargs):
        return self.smtp(tls, **kwargs).login(*self.login(number))

    def send(self, to="carol@example.net", number=0, **kwargs):
        """Submit a small message; the id that the server gave it."""
        rcpts = [to] if isinstance(to, str) else list(to)
        sender = self.accounts[number]
        text = kwargs.pop("raw", None) or client.message(
            sender, rcpts[0], **kwargs)
        mark = self.mark_log()
        with self.logged_in(number) as t:
            reply = t.submit(sender, rcpts, text)
            if reply.code != 250:
                raise AssertionError(f"not accepted: {reply}")
            t.cmd("QUIT")
        return self.accepted(reply, mark)

    def accepted(self, reply, mark):
        """The id of a message just accepted: in the reply and in the log."""
        events = wait(lambda: self.events("msg.accepted", mark), 5,
                      "msg.accepted in the log")
        for event in events:
            if event["id"] in reply.text:
                return event["id"]
        raise AssertionError(f"no id of {events} in the reply {reply}")

    # The log.

    def log(self, mark=0):
        with open(self.log_path, "rb") as f:
            f.seek(mark)
            return f.read().decode("utf-8", "replace")

    def mark_log(self):
        return os.path.getsize(self.log_path)

    def events(self, name, mark=0, **match):
        """The events of one name since mark, as dicts of their keys."""
        out = []
        for line in self.log(mark).splitlines():
            event = parse_event(line)
            if event and event[0] == name and all(
                    event[1].get(k) == v for k, v in match.items()):
                out.append(event[1])
        return out

    def wait_event(self, name, mark=0, seconds=20, **match):
        return wait(lambda: self.events(name, mark, **match), seconds,
                    f"{name} {match} in the log")[0]

    def verdict(self, mark, ident, seconds=20):
        """The first (event name, event) of a message since mark."""
        def look():
            for name in SETTLED:
                for event in self.events(name, mark, id=ident):
                    return name, event
            return None
        return wait(look, seconds, f"a verdict on {ident}")

    # For tap.main.

    def check(self):
        """After each case: still whole, and nothing has crashed."""
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(
                f"the server ended with {self.process.returncode}")
        log = self.log(self.mark)
        self.mark = self.mark_log()
        bad = re.search(r"(?m)^.*(AddressSanitizer|runtime error:|"
                        r"LeakSanitizer|Assertion .* failed).*|"
                        r"^(\S+Z )?fatal\b.*", log)
        if bad:
            raise AssertionError(f"in the log: {bad.group(0)}")
        if self.sink:
            self.sink.check()

    def notes(self):
        try:
            tail = [line[:240] for line in self.log().splitlines()[-20:]]
            return "the end of the log:\n" + "\n".join(tail)
        except OSError as e:
            return str(e)


def parse_event(line):
    """`event key=value key="quoted \\"value\\""`; (name, dict) or None."""
    found = re.search(r"(?:^|[\s:])([a-z]+\.[a-z.-]+)(?= [a-z_]+=|\s*$)", line)
    if not found:
        return None
    keys = {}
    for key, value in re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)',
                                 line[found.end():]):
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        keys.setdefault(key, value)
    return found.group(1), keys
