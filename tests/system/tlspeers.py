#!/usr/bin/python3
"""
DANE and MTA-STS towards servers that others wrote: Postfix, Exim, chasquid,
each with a good certificate, an expired one, one of another name, and none.
"""
# run: only all
# run: limit-all 300

import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import https
import pki
import postern
import tap
from dns import Dns
from postern import Postern, free_port
from postfix import Postfix
from tap import Skip, same, wait

ALICE = "alice@example.org"


class Daemon:
    """One that runs in the foreground until it is told to end."""

    def __init__(self, domains, cert):
        self.domains, self.cert = domains, cert

    def __enter__(self):
        if not postern.ROOT:
            raise Skip("needs root")
        self.dir = postern.directory()
        self.port = free_port()
        self.box = os.path.join(self.dir, "box")
        os.mkdir(self.box)
        os.chmod(self.box, 0o777)
        self.out = open(os.path.join(self.dir, "out"), "wb")
        self.process = subprocess.Popen(
            self.words(), stdin=subprocess.DEVNULL, stdout=self.out,
            stderr=self.out, start_new_session=True)
        try:
            wait(lambda: Postfix.listens(self), 20, "it answers")
        except AssertionError:
            with open(self.out.name) as f:
                text = f.read()
            self.__exit__()
            raise AssertionError(f"{self.words()}: {text}") from None
        return self

    def __exit__(self, *_):
        postern.end(self.process)
        self.out.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def mails(self):
        out = []
        for path in glob.glob(self.box + "/**/*", recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    out.append(f.read())
        return out


class Exim(Daemon):
    @staticmethod
    def program():
        """Debian has either Postfix or Exim; this one is only unpacked."""
        for path in ("/usr/sbin/exim4",
                     os.path.join(postern.BUILD, "exim/usr/sbin/exim4")):
            if os.path.exists(path):
                return path
        folder = os.path.join(postern.BUILD, "exim")
        os.makedirs(folder, exist_ok=True)
        if subprocess.run(["apt-get", "download", "exim4-daemon-light"],
                          cwd=folder, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode:
            raise Skip("Exim cannot be had")
        deb = glob.glob(folder + "/*.deb")[0]
        subprocess.run(["dpkg", "-x", deb, folder], check=True)
        return path

    def words(self):
        program = self.program()
        if subprocess.run([program, "-bV"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode > 1:
            raise Skip("Exim does not run here")
        for name in ("spool", "log"):
            os.mkdir(os.path.join(self.dir, name))
            shutil.chown(os.path.join(self.dir, name), "mail", "mail")
        tls = "tls_advertise_hosts ="
        if self.cert:
            tls = f"tls_advertise_hosts = *\ntls_certificate = {self.cert}\n" \
                  f"tls_privatekey = {self.cert}"
            os.chmod(self.cert, 0o644)
        conf = self.write("conf", f"""
primary_hostname = mx.exim.example
queue_only
spool_directory = {self.dir}/spool
log_file_path = {self.dir}/log/%slog
exim_user = mail
exim_group = mail
host_lookup =
rfc1413_hosts =
{tls}
acl_smtp_rcpt = all
begin acl
all:
  accept
""")
        return [program, "-C", conf, "-bdf", "-oX", f"127.0.0.1.{self.port}",
                "-oP", os.path.join(self.dir, "pid"), "-odq"]

    def mails(self):
        """Those it took responsibility for; they stay in its queue."""
        try:
            with open(f"{self.dir}/log/mainlog") as f:
                return [line for line in f if " <= " in line]
        except OSError:
            return []


class Chasquid(Daemon):
    def words(self):
        program = "/usr/bin/chasquid"
        if not os.path.exists(program):
            raise Skip("no chasquid here")
        keep = self.write("keep", f"#!/bin/sh\nf=$(mktemp {self.box}/XXXXXX)\n"
                          'cat >"$f"\n', 0o755)
        with open(self.cert) as f:
            pem = f.read()
        self.write("certs/mx.example/fullchain.pem", pem)
        self.write("certs/mx.example/privkey.pem", pem)
        for domain in self.domains:
            self.write(f"domains/{domain}/aliases", f"v: | {keep}\n")
        os.mkdir(os.path.join(self.dir, "data"))
        self.write("chasquid.conf", f"""
hostname: "mx.example"
smtp_address: "127.0.0.1:{self.port}"
data_dir: "{self.dir}/data"
mail_log_path: "{self.dir}/mail-log"
""")
        return [program, "-config_dir", self.dir, "-logtime"]


class Mailbox(Postfix):
    def __init__(self, domains, cert):
        super().__init__(domains, cert=cert)


PEERS = {"postfix": Mailbox, "exim": Exim, "chasquid": Chasquid}

# What a server shows: a certificate that is right, one that is over, one of
# another name, none at all.
STATES = ("good", "expired", "other", "missing")
BARE = ("postfix", "exim")  # chasquid does not run without a certificate
CLEAR = "none"

# What is published, and what comes of it in each state: the policy by which it
# is delivered, or None where it must wait.
CASES = {
    "ee": ("signed", "dane", "dane", "dane", None),
    "ta": ("signed", "dane", None, None, None),
    "wrong": ("signed", None, None, None, None),
    "sts": ("plain", "sts", None, None, None),
    "none": ("plain", "opportunistic", "opportunistic", "opportunistic",
             CLEAR),
}


class Site(Postern):
    def __init__(self, peer):
        super().__init__(accounts=[ALICE])
        self.peer = peer

    def states(self):
        return STATES if self.peer in BARE else STATES[:-1]

    def domains(self, state):
        return {case: f"{case}-{state}.{zone}"
                for case, (zone, *_) in CASES.items()}

    @staticmethod
    def certificate(authority, state, names):
        return {
            "good": lambda: authority.issue("mx.example", names=names),
            "expired": lambda: authority.issue("mx.example", names=names,
                                               expired=True),
            "other": lambda: authority.issue("elsewhere.example"),
            "missing": lambda: None,
        }[state]()

    def set_up(self):
        authority = pki.Pki(os.path.join(self.dir, "pki"))
        self.servers, zones, pages = {}, {"signed": "", "plain": ""}, {}
        for state in self.states():
            domains = self.domains(state)
            cert = self.certificate(
                authority, state, [f"mx.{d}" for d in domains.values()])
            server = PEERS[self.peer](list(domains.values()),
                                      cert).__enter__()
            self.servers[state] = server
            data = {"ee": pki.tlsa(3, 1, 1, cert or authority.roots),
                    "ta": pki.tlsa(2, 0, 1, authority.roots),
                    "wrong": "3 1 1 " + "ab" * 32}
            for case, domain in domains.items():
                zone = CASES[case][0]
                lines = "@ MX 10 mx\nmx A 127.0.0.1\n"
                if case in data:
                    lines += f"_{server.port}._tcp.mx TLSA {data[case]}\n"
                if case == "sts":
                    pages[f"mta-sts.{domain}"] = \
                        "version: STSv1\nmode: enforce\nmax_age: 600\n" \
                        f"mx: mx.{domain}\n"
                    lines += f"mta-sts A {https.address()}\n" \
                             '_mta-sts TXT "v=STSv1; id=1"\n'
                zones[zone] += f"$ORIGIN {domain}.\n{lines}"
                self.routes[domain] = {"via": f"mx:{server.port}"}
        web = authority.issue("web.example", names=list(pages))
        self.web = https.Https(
            lambda host, path: (200, {"Content-Type": "text/plain"},
                                pages[host]),
            {host: web for host in pages}).start()
        self.names = Dns(zones, "knot", True, unsigned=["plain"]).__enter__()
        self.via = "mx"
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}",
                                "trust-anchor": self.names.anchor}
        self.sections["tls"]["ca-file"] = authority.roots
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        for server in getattr(self, "servers", {}).values():
            server.__exit__()
        if hasattr(self, "web"):
            self.web.stop()
        if hasattr(self, "names"):
            self.names.__exit__()


def run(peer):
    with Site(peer) as p:
        for number, state in enumerate(p.states()):
            mark, idents = p.mark_log(), {}
            for case, domain in p.domains(state).items():
                idents[case] = p.send(f"v@{domain}")
            for case, ident in idents.items():
                want = CASES[case][1 + number]
                name = "msg.delivered" if want else "msg.deferred"
                event = p.wait_event(name, mark, 60, id=ident)
                if want:
                    same(event["policy"], want, f"{case}, {state}: {event}")
                    same(event["tls"] == "-", want == CLEAR, "in the clear")
            count = sum(1 for c in CASES.values() if c[1 + number])
            wait(lambda: len(p.servers[state].mails()) == count, 20,
                 f"{count} mails at {state}")
        same(p.events("msg.bounced"), [], "bounces")
        p.check()


for name in PEERS:
    tap.add(f"{name}: certificates good, expired, of another name, missing",
            run, name)


if __name__ == "__main__":
    tap.main()
