"""
A private Exim that receives into a maildir.

Its package would put Postfix out, so tests/lib/deps.sh check-all unpacks the
program alone.
"""

import glob
import os
import shutil
import signal
import socket
import subprocess

import postern
from tap import Skip, wait

PROGRAMS = ("/usr/sbin/exim4", "/usr/local/lib/postern-tests/exim4")


class Exim:
    """Accepts mail for everybody and keeps it in one maildir.  Needs root."""

    def __init__(self, **options):
        self.options = options

    def __enter__(self):
        if not postern.ROOT:
            raise Skip("Exim needs root")
        found = [path for path in PROGRAMS if os.path.exists(path)]
        if not found:
            raise Skip("no Exim here")
        self.dir = postern.directory()
        self.port = postern.free_port()
        self.box = os.path.join(self.dir, "box")
        for name in ("box", "spool", "log"):
            path = os.path.join(self.dir, name)
            os.mkdir(path)
            shutil.chown(path, "nobody")
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w") as f:
            f.write(self.configuration(found[0]))
        os.chmod(conf, 0o644)
        subprocess.run([found[0], "-C", conf, "-bd"], check=True, timeout=30,
                       stdin=subprocess.DEVNULL)
        wait(self.listens, 10, "Exim answers")
        return self

    def __exit__(self, *_):
        path = os.path.join(self.dir, "pid")
        if os.path.exists(path):
            with open(path) as f:
                os.kill(int(f.read()), signal.SIGTERM)
            wait(lambda: not self.listens(), 10, "Exim is gone")
        shutil.rmtree(self.dir, ignore_errors=True)

    def listens(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2):
                return True
        except OSError:
            return False

    def configuration(self, program):
        main = {
            "exim_path": program,
            "exim_user": "nobody",
            "exim_group": "nogroup",
            "never_users": "",
            "spool_directory": f"{self.dir}/spool",
            "log_file_path": f"{self.dir}/log/%slog",
            "pid_file_path": f"{self.dir}/pid",
            "primary_hostname": "mx.example.net",
            "local_interfaces": "127.0.0.1",
            "daemon_smtp_ports": str(self.port),
            "dsn_advertise_hosts": "*",
            "chunking_advertise_hosts": "*",
            "smtputf8_advertise_hosts": "*",
            "tls_advertise_hosts": "",
            "host_lookup": "",
            "rfc1413_hosts": "",
            "keep_environment": "",
            "acl_smtp_rcpt": "everybody",
            **self.options,
        }
        return "".join(f"{k} = {v}\n" for k, v in main.items()) + f"""
begin acl
everybody:
  accept
begin routers
box:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = {self.box}
  maildir_format
  user = nobody
  group = nogroup
"""

    def mails(self):
        """The bytes of each message received (with LF line ends)."""
        out = []
        for path in sorted(glob.glob(self.box + "/new/*")):
            with open(path, "rb") as f:
                out.append(f.read())
        return out
