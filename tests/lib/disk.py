"""Disks for the crash tests: one that can be cut off, one that fails."""

import errno
import fcntl
import mmap
import os
import struct
import subprocess
import time

import postern
from tap import Skip


class LoopDisk:
    """An ext4 (or tmpfs) file system of its own, in a file.  Needs root."""

    def __init__(self, mib, kind="ext4"):
        self.mib, self.kind = mib, kind

    def __enter__(self):
        if not postern.ROOT:
            raise Skip("mounting needs root")
        self.dir = postern.directory()
        self.image = os.path.join(self.dir, "image")
        self.path = os.path.join(self.dir, "mnt")
        os.mkdir(self.path)
        if self.kind == "ext4":
            with open(self.image, "wb") as f:
                f.truncate(self.mib << 20)
            subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-m",
                            "0", "-E", "lazy_itable_init=0", self.image],
                           check=True, stdin=subprocess.DEVNULL)
        self.mounted = False
        try:
            self.mount()
        except subprocess.CalledProcessError:
            self.clean()
            raise Skip("no loop mounts here") from None
        return self

    def mount(self):
        words = ["-o", "loop", self.image] if self.kind == "ext4" else \
            ["-t", "tmpfs", "-o", f"size={self.mib}m", "postern-test"]
        subprocess.run(["/bin/mount", *words, self.path], check=True,
                       stdin=subprocess.DEVNULL)
        self.mounted = True
        os.chmod(self.path, 0o755)

    def umount(self):
        for _ in range(600):
            if self.mounted and subprocess.run(
                    ["/bin/umount", self.path],
                    stderr=subprocess.DEVNULL).returncode == 0:
                self.mounted = False
            if not self.mounted and not self.attached():
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.path} stays busy")

    def attached(self):
        """
        A mount name space that somebody made meanwhile (`ip netns exec`) has
        the mount, too; to mount the image now would be to get that one back,
        with its cut.
        """
        return self.kind == "ext4" and subprocess.run(
            ["/sbin/losetup", "-j", self.image], check=True,
            stdout=subprocess.PIPE).stdout != b""

    def cut(self):
        """
        FS_IOC_GOINGDOWN without a log flush: from here on nothing reaches
        the disk, and what was not flushed never will.
        """
        EXT4_GOING_FLAGS_NOLOGFLUSH = 2
        request = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, request,
                        struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
        finally:
            os.close(fd)

    def fill(self, leave=0):
        """Take all free space but leave octets; the path to remove."""
        path = os.path.join(self.path, "filler")
        with open(path, "ab") as f:
            chunk = 1 << 20
            while chunk >= 512:
                free = os.statvfs(self.path)
                if free.f_bavail * free.f_frsize - leave < chunk:
                    chunk //= 2
                    continue
                try:
                    f.write(bytes(chunk))
                    f.flush()
                    os.fsync(f.fileno())
                except OSError as e:
                    if e.errno != errno.ENOSPC:
                        raise
                    chunk //= 2
        return path

    def free(self):
        st = os.statvfs(self.path)
        return st.f_bavail * st.f_frsize

    def clean(self):
        if self.mounted:
            self.umount()
        subprocess.run(["rm", "-rf", self.dir], check=False)

    def __exit__(self, *_):
        self.clean()


class Fault:
    """
    The control page of tests/crash/fault.c.  env() belongs into the
    environment of the server.
    """

    LAYOUT = struct.Struct("=4I2Q4Q4I")
    CALLS = {"write": 1, "pwrite": 2, "fdatasync": 4, "fsync": 8}
    FOREVER = 0xffffffff

    def __init__(self, process):
        self.process = process

    def __enter__(self):
        self.library = postern.tool("crash/fault.c")
        self.dir = postern.directory()
        self.path = os.path.join(self.dir, "control")
        with open(self.path, "wb") as f:
            f.write(bytes(4096))
        # A program that a test runs as an ordinary user maps it too.
        os.chmod(self.path, 0o666)
        self.file = open(self.path, "r+b")
        self.page = mmap.mmap(self.file.fileno(), 4096)
        return self

    def __exit__(self, *_):
        self.page.close()
        self.file.close()
        os.unlink(self.path)
        os.rmdir(self.dir)

    def env(self):
        return {"LD_PRELOAD": self.library, "FAULT_PROCESS": self.process,
                "FAULT_CONTROL": self.path}

    def fields(self):
        return self.LAYOUT.unpack_from(self.page)

    def poke(self, at, value, form="=I"):
        struct.pack_into(form, self.page, at, value)

    def arm(self, call, error, nth, times=1):
        """
        The nth such call from now fails, and times - 1 after it.  Calls are
        named like "fdatasync" or "write+pwrite".
        """
        self.disarm()
        self.poke(16, 0, "=Q")
        self.poke(24, 0, "=Q")
        self.poke(0, sum(self.CALLS[name] for name in call.split("+")))
        self.poke(4, getattr(errno, error))
        self.poke(12, times)
        self.poke(8, nth)

    def disarm(self):
        self.poke(8, 0)

    def room(self, free=None):
        """Let statvfs() say that so many octets are free; None: the truth."""
        self.poke(76, (free or 0) // 1024)
        self.poke(72, 0 if free is None else 1)

    def unsynced(self, on=True):
        self.poke(64, 1 if on else 0)

    @property
    def fired(self):
        return self.fields()[4]

    @property
    def fired_at(self):
        return self.fields()[5] / 1e6

    def seen(self, call):
        return self.fields()[6 + list(self.CALLS).index(call)]

    @property
    def pid(self):
        return self.fields()[11]
