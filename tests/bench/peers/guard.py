#!/usr/bin/python3
"""
guard.py COMMAND... - run a server whose processes leave their parents, and be
the parent of all of them: what they used is then in /proc, and none is left
behind.  Ends when the last of them has.
"""

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def main(words):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Whoever stops the server stops its processes, and this one follows.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=lambda:
                     signal.signal(signal.SIGTERM, signal.SIG_DFL))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
