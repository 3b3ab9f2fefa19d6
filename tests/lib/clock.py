"""A wall clock that a test sets ahead, for the server it starts."""

import mmap
import os
import struct

import postern


class Clock:
    """The control page of clock.c."""

    def __init__(self):
        self.path = os.path.join(postern.directory(), "clock")
        with open(self.path, "wb") as f:
            f.write(bytes(4096))
        os.chmod(self.path, 0o644)
        with open(self.path, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), 4096)

    def env(self):
        return {"LD_PRELOAD": postern.tool("crash/clock.c"),
                "CLOCK_CONTROL": self.path}

    def ahead(self, seconds):
        struct.pack_into("=q", self.page, 0, seconds)

    def close(self):
        self.page.close()
        os.unlink(self.path)
        os.rmdir(os.path.dirname(self.path))
