"""Libraries that change what a program sees of its machine: see tests/fault/*.c."""

import os
import pathlib
import struct
import subprocess
import time

FAULTS = pathlib.Path(__file__).resolve().parents[2] / "fault"


def environment(name, directory, **more):
    """Builds tests/fault/NAME.c; the environment of a program into which it is loaded first."""
    library = pathlib.Path(directory) / f"{name}.so"
    if not library.exists():
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-O1", "-o", str(library),
             str(FAULTS / f"{name}.c"), "-ldl"],
            check=True,
        )
    # The sanitizer wants to be first, and need not be.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": sanitizer, **more}


class DyingDisk:
    """The disk of one daemon; `environment` is for its start. what: DISK_SYNC_FAILS or
    DISK_WRITE_FAILS."""

    def __init__(self, directory, what, at):
        self.path = pathlib.Path(directory) / "disk-is-dying"
        self.path.write_bytes(b"\0")
        self.environment = environment("dying_disk", directory, **{
            what: str(at), "DISK_FILE": str(self.path)})
        # A process that aborts has no time to give memory back.
        self.environment["ASAN_OPTIONS"] += ":detect_leaks=0"

    def die(self):
        """The at-th sync or write from now on fails."""
        with open(self.path, "r+b", buffering=0) as file:
            file.write(b"\1")


class Clock:
    """The wall clock of one daemon: `environment` is for its start."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "offset"
        self.jump(0)
        self.environment = environment("clock", directory, CLOCK_FILE=str(self.path))

    def jump(self, seconds):
        """So many seconds away from the real time. The file is mapped: it keeps its place."""
        with open(self.path, "r+b" if self.path.exists() else "w+b", buffering=0) as file:
            file.write(struct.pack("=q", int(seconds)))
        self.seconds = seconds

    def freeze(self, now_ms):
        """It stands still at this time."""
        with open(self.path, "r+b", buffering=0) as file:
            file.seek(8)
            file.write(struct.pack("=q", now_ms))

    def now_ms(self):
        return int((time.time() + self.seconds) * 1000)
