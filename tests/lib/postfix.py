"""A private Postfix that receives into a maildir, and Postfix's smtp-sink."""

import glob
import os
import shutil
import socket
import subprocess
import time

import postern
from tap import Skip, wait


class Postfix:
    """
    Accepts mail for domains and keeps it in one maildir (or gives it to a
    pipe that writes one file a message).  Needs root.
    """

    def __init__(self, domains=("example.net",), pipe=False, cert=None,
                 options=None):
        self.domains, self.pipe, self.cert = list(domains), pipe, cert
        self.options = dict(options or {})

    def __enter__(self):
        if not postern.ROOT:
            raise Skip("Postfix needs root")
        if not os.path.exists("/usr/sbin/postfix"):
            raise Skip("no Postfix here")
        self.dir = postern.directory()
        self.port = postern.free_port()
        self.box = os.path.join(self.dir, "box")
        conf, queue, data = (os.path.join(self.dir, d)
                             for d in ("conf", "queue", "data"))
        for path in (conf, queue, data, self.box):
            os.mkdir(path)
        shutil.chown(data, "postfix")
        shutil.chown(self.box, "nobody")
        self.log = os.path.join(self.dir, "log")
        main = {
            "compatibility_level": "3.6",
            "queue_directory": queue,
            "data_directory": data,
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "myhostname": "mx.example.net",
            "mydestination": "",
            "mynetworks": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "maillog_file": self.log,
            "maillog_file_prefixes": self.dir,
            "virtual_mailbox_domains": " ".join(self.domains),
            "virtual_mailbox_base": self.dir,
            "virtual_mailbox_maps": "static:box/",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "virtual_transport": "keep" if self.pipe else "virtual",
            "smtpd_peername_lookup": "no",
            "smtpd_tls_security_level": "none",
            "smtpd_relay_restrictions": "reject_unauth_destination",
        }
        if self.cert:
            main["smtpd_tls_security_level"] = "may"
            main["smtpd_tls_chain_files"] = self.cert
        main.update(self.options)
        with open(os.path.join(conf, "main.cf"), "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in main.items())
        with open(os.path.join(conf, "master.cf"), "w") as f:
            f.write(self.services())
        self.conf = conf
        done = self.postfix("start")
        if done.returncode != 0:
            text = done.stdout.decode("utf-8", "replace")
            self.remove()
            raise AssertionError(f"postfix start: {text}")
        wait(self.listens, 10, "Postfix answers")
        return self

    def __exit__(self, *_):
        self.postfix("stop")
        # `postfix stop` returns once the master has gone; its children
        # follow at once.
        time.sleep(0.1)
        self.remove()

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def postfix(self, verb):
        return subprocess.run(["/usr/sbin/postfix", "-c", self.conf, verb],
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)

    def listens(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2):
                return True
        except OSError:
            return False

    def services(self):
        keep = os.path.join(self.dir, "keep")
        with open(keep, "w") as f:
            f.write(f"#!/bin/sh\nf=$(mktemp {self.box}/XXXXXXXX)\n"
                    "cat >\"$f\" && mv \"$f\" \"$f.mail\"\n")
        os.chmod(keep, 0o755)
        return (
            f"127.0.0.1:{self.port} inet n - n - - smtpd\n"
            "cleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\n"
            "rewrite unix - - n - - trivial-rewrite\n"
            "bounce unix - - n - 0 bounce\n"
            "defer unix - - n - 0 bounce\n"
            "trace unix - - n - 0 bounce\n"
            "verify unix - - n - 1 verify\n"
            "proxymap unix - - n - - proxymap\n"
            "error unix - - n - - error\n"
            "retry unix - - n - - error\n"
            "discard unix - - n - - discard\n"
            "virtual unix - n n - - virtual\n"
            "anvil unix - - n - 1 anvil\n"
            "postlog unix-dgram n - n - 1 postlogd\n"
            f"keep unix - n n - 5 pipe flags=R user=nobody argv={keep}\n")

    def mails(self):
        """The bytes of each message received (with LF line ends)."""
        paths = glob.glob(self.box + "/*.mail") if self.pipe \
            else glob.glob(self.box + "/new/*")
        out = []
        for path in sorted(paths):
            with open(path, "rb") as f:
                out.append(f.read())
        return out


class SmtpSink:
    """Postfix's smtp-sink; every message becomes a file."""

    PROGRAM = "/usr/sbin/smtp-sink"

    def __init__(self, *options, port=None):
        self.options, self.port = list(options), port

    def __enter__(self):
        if not os.path.exists(self.PROGRAM):
            raise Skip("no smtp-sink here")
        self.dir = postern.directory()
        os.chmod(self.dir, 0o777)
        self.port = self.port or postern.free_port()
        user = ["-u", "nobody"] if postern.ROOT else []
        self.process = subprocess.Popen(
            [self.PROGRAM, *user, *self.options, "-d", "got/%s.",
             f"127.0.0.1:{self.port}", "1024"], cwd=self.prepare(),
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(lambda: Postfix.listens(self), 10, "smtp-sink answers")
        return self

    def prepare(self):
        got = os.path.join(self.dir, "got")
        os.mkdir(got)
        os.chmod(got, 0o777)
        return self.dir

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.dir, ignore_errors=True)

    def mails(self):
        out = []
        for path in sorted(glob.glob(self.dir + "/got/*")):
            with open(path, "rb") as f:
                out.append(f.read())
        return out
