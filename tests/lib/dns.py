"""An authoritative name server (nsd or knot) for zones a test writes."""

import json
import os
import shutil
import socket
import struct
import subprocess

import postern
from tap import wait


def ask(port, name, qtype):
    """One question over UDP; the response code, or None without an answer."""
    labels = b"".join(bytes([len(x)]) + x.encode()
                      for x in name.rstrip(".").split(".") if x) + b"\0"
    packet = struct.pack(">6H", 4711, 0x0100, 1, 0, 0, 0) + labels \
        + struct.pack(">2H", qtype, 1)
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.settimeout(0.3)
        try:
            s.sendto(packet, ("127.0.0.1", port))
            answer = s.recv(4096)
        except OSError:
            return None
    return answer[3] & 15


class Dns:
    """
    zones    {"example.net": "zone lines without SOA and NS"}; a value of None
             is a zone that is configured and cannot be loaded: SERVFAIL.
    program  "nsd" or "knot"
    signed   with knot: all zones are signed, with a chain of trust from the
             root, whose key is in the file `anchor`; otherwise that is empty
    unsigned zones that are not, nevertheless
    bogus    zones signed with a key that is not the one their parent vouches
             for
    stale    zones signed rightly, for a month that is over

    A root zone is added, so that every other name is NXDOMAIN.
    """

    def __init__(self, zones, program="nsd", signed=False, unsigned=(),
                 bogus=(), stale=()):
        self.unsigned, self.bogus = set(unsigned), set(bogus)
        self.stale = {zone: None for zone in stale}
        self.zones = {"": ""}
        self.zones.update(zones)
        self.program, self.signed = program, signed
        self.process = None
        self.serial = 2

    def __enter__(self):
        self.dir = postern.directory()
        self.port = postern.free_port()
        for zone in self.zones:
            self.write(zone)
        os.mkdir(os.path.join(self.dir, "db"), 0o700)
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w") as f:
            f.write(self.nsd_conf() if self.program == "nsd"
                    else self.knot_conf())
        words = ["/usr/sbin/nsd", "-d", "-c", conf] \
            if self.program == "nsd" else ["/usr/sbin/knotd", "-c", conf]
        self.log = os.path.join(self.dir, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.anchor = os.path.join(self.dir, "anchor")
        open(self.anchor, "w").close()
        try:
            wait(self.answers, 10, f"{self.program} answers", 0.05)
            if self.signed:
                self.chain()
        except AssertionError:
            with open(self.log) as f:
                text = f.read()
            self.__exit__()
            raise AssertionError(f"{self.program}: {text}") from None
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        postern.end(self.process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}")
        return all(ask(self.port, zone or ".", 6) == 0
                   for zone, text in self.zones.items() if text is not None)

    def path(self, zone):
        return os.path.join(self.dir, (zone or "root") + ".zone")

    def write(self, zone, serial=1):
        text = self.zones[zone]
        if text is None:
            return
        origin = zone + "."
        with open(self.path(zone), "w") as f:
            f.write(f"$ORIGIN {origin}\n$TTL 5\n"
                    f"@ SOA ns.dns-test. admin.dns-test. {serial} 60 60 60 5\n"
                    f"@ NS ns.dns-test.\n")
            if not zone:
                f.write("ns.dns-test. A 127.0.0.1\n")
                # Delegations, so that an iterating resolver would agree.
                for other in self.zones:
                    if other:
                        f.write(f"{other}. NS ns.dns-test.\n")
            f.write(text + "\n")
        if zone in self.stale:
            self.presign(zone)

    def presign(self, zone):
        with open(self.path(zone)) as f:
            done = subprocess.run(
                [os.path.join(os.path.dirname(__file__), "presign.py"),
                 zone, "40", "10"], stdin=f, stdout=subprocess.PIPE,
                check=True)
        made = json.loads(done.stdout)
        self.stale[zone] = made["ds"]
        with open(self.path(zone), "w") as f:
            f.write(made["zone"])

    def reload(self, zone):
        subprocess.run(
            ["/usr/sbin/knotc", "-c", os.path.join(self.dir, "conf"), "-b",
             "zone-reload", zone + "."], stdin=subprocess.DEVNULL, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def update(self, zone, text):
        """With knot: other lines in a zone, at once."""
        self.zones[zone] = text
        self.serial += 1
        self.write(zone, self.serial)
        self.reload(zone)

    def chain(self):
        """Put the children's keys into the root, and the root's into anchor."""
        def keymgr(zone, verb):
            return subprocess.run(
                ["/usr/sbin/keymgr", "-c", os.path.join(self.dir, "conf"),
                 zone + ".", verb], stdin=subprocess.DEVNULL, check=True,
                stdout=subprocess.PIPE).stdout.decode()
        for zone, text in self.zones.items():
            if not zone or text is None or zone in self.unsigned:
                continue
            lines = self.stale.get(zone) or keymgr(zone, "ds")
            if zone in self.bogus:
                lines = "".join(
                    line[:-8] + f"{int(line[-8:], 16) ^ 1:08x}\n"
                    for line in lines.splitlines())
            self.zones[""] += lines
        self.write("", serial=2)
        self.reload("")
        with open(self.anchor, "w") as f:
            f.write(keymgr("", "ds"))

    def nsd_conf(self):
        lines = [
            "server:", f"  ip-address: 127.0.0.1@{self.port}",
            "  server-count: 1", '  username: ""', '  chroot: ""',
            f'  zonesdir: "{self.dir}"', f'  pidfile: "{self.dir}/pid"',
            '  database: ""', f'  zonelistfile: "{self.dir}/zone.list"',
            f'  xfrdfile: "{self.dir}/xfrd.state"',
            f'  xfrdir: "{self.dir}"', "  verbosity: 0",
            "remote-control:", "  control-enable: no",
        ]
        for zone in self.zones:
            lines += ["zone:", f'  name: "{zone}."',
                      f'  zonefile: "{self.path(zone)}"']
        return "\n".join(lines) + "\n"

    def knot_conf(self):
        lines = [
            "server:", f"    rundir: {self.dir}",
            f"    listen: 127.0.0.1@{self.port}", "    udp-workers: 1",
            "    tcp-workers: 1", "    background-workers: 1",
            "database:", f"    storage: {self.dir}/db",
            "control:", f"    listen: {self.dir}/control",
            "log:", "  - target: stderr", "    any: warning",
            "zone:",
        ]
        for zone in self.zones:
            lines += [f"  - domain: {zone}.", f"    file: {self.path(zone)}"]
            if self.signed and zone not in self.unsigned \
                    and zone not in self.stale:
                lines += ["    dnssec-signing: on", "    zonefile-sync: -1",
                          "    zonefile-load: difference-no-serial",
                          "    journal-content: all"]
        return "\n".join(lines) + "\n"
