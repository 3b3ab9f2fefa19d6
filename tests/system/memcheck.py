#!/usr/bin/python3
"""All processes of a server under valgrind, while mail goes through it."""
# run: limit 280
# run: only all

import glob
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import BUILD, CHILDREN, TOP, Postern
from tap import same, wait

ALICE = "alice@example.org"


class Site(Postern):
    def start(self, ready=True, env=None):
        """Without a filter of system calls: valgrind makes some of its own."""
        self.notes_at = os.path.join(self.dir, "memcheck")
        os.mkdir(self.notes_at)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["valgrind", "-q", "--vgdb=no", "--trace-children=yes",
                 "--leak-check=full", "--errors-for-leak-kinds=definite",
                 f"--suppressions={TOP}/tests/lib/valgrind.supp",
                 f"--log-file={self.notes_at}/%p",
                 os.path.join(BUILD, "postern"), "--config", self.config,
                 "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "POSTERN_SANDBOX": "off"},
                start_new_session=True)
        self.sid = self.process.pid
        wait(self.greets, 120, "the ports answer", 0.5)
        return self


@tap.case("mail, a wrong password, a reload, a silent server, clients that leave: "
          "no error and no leak")
def everything():
    if shutil.which("valgrind") is None:
        raise tap.Skip("no valgrind")
    with Site(accounts=[ALICE], routes={"no.example": {
            "via": "127.0.0.1:9"}}) as p:
        # In the record, in the table, in a file.
        for lines in (1, 1500, 6000):
            p.send("v@far.example", raw=(f"From: {ALICE}\r\n\r\n" + (
                "x" * 70 + "\r\n") * lines).encode())
        same(p.cli("account", "test", ALICE, "--password-stdin",
                   stdin="wrong\n").code, 1, "a wrong password")
        os.kill(p.sid, signal.SIGHUP)
        p.send("v@no.example")
        for _ in range(5):
            p.smtp("starttls", timeout=60, strict=False).sock.close()
        with p.logged_in(timeout=60) as t:
            t.cmd(f"MAIL FROM:<{ALICE}>")
            t.cmd("RCPT TO:<v@far.example>")
        wait(lambda: len(p.events("msg.done")) >= 3 and p.events("msg.deferred"),
             60, "all have been tried")
        p.stop(seconds=90)
        files = glob.glob(p.notes_at + "/*")
        same(len(files) > len(CHILDREN), True, f"{files} looked at")
        for path in files:
            with open(path, errors="replace") as f:
                said = [line for line in f if line.startswith("==")]
            same(said, [], "what valgrind found")


if __name__ == "__main__":
    tap.main()
