"""A small disk that others fill, and what a daemon says of it.

    with mounted(path) as disk:
        disk.fill(LITTLE)
        eventually(lambda: says_full(notary))
"""

import concurrent.futures
import contextlib
import os
import random
import subprocess
import time

MIB = 1 << 20
DISK = 160 * MIB
LITTLE = 20 * MIB  # below what the store wants to stay free


class Disk:
    """A small file system. Somebody else's file may fill it."""

    def __init__(self, path):
        self.path, self.filler = path, path / "filler"

    def free(self):
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave):
        """Down to so many bytes, whoever else takes some at the same time."""
        with open(self.filler, "ab") as file:
            while (taken := self.free() - leave) > 0:
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), taken)

    def fill_amid(self, longest, *works):
        """Somebody takes all there is at some moment of the first `longest` seconds of what these
        functions do at once. What they return."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = [pool.submit(work) for work in works]
            time.sleep(random.uniform(0, longest))
            self.fill(0)
            return [one.result() for one in running]

    def clear(self):
        self.filler.unlink()


class NoDisk(Exception):
    """No file system may be mounted here: the text says why."""


@contextlib.contextmanager
def mounted(path):
    """A file system in memory that goes away. Needs root."""
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "trinity-test", str(path)],
        capture_output=True, text=True,
    )
    if mount.returncode != 0:
        raise NoDisk(mount.stderr.strip())
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def says_full(daemon):
    """Readiness with its reasons: a full disk is a warning, as questions are answered."""
    reply = daemon.admin.request("GET", "/health/ready")
    assert reply.status == 200 and reply.json["ready"], reply
    return any(r["name"] == "store" and "disk is full" in r["why"] for r in reply.json["reasons"])


def is_refused(reply):
    return reply.status == 507 and reply.errcode == "M_RESOURCE_LIMIT_EXCEEDED"
