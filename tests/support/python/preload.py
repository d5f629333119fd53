"""Libraries that change what a program sees of its machine: see tests/fault/*.c."""

import os
import pathlib
import subprocess

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
