"""Look-ups below HTTP: by the store and in memory, and what a hash takes there."""

import subprocess
import tempfile

import measure
import trinity

PEOPLE = 5000 if measure.SHORT else 100000
CACHE_MB = 128
NAMES = ("misses", "hits", "mixed")


def run(memory_mb):
    """{name: figure} of identity_lookup."""
    with tempfile.TemporaryDirectory(prefix="trinity-bench-") as directory:
        command = [trinity.program("identity_lookup"), PEOPLE, directory, CACHE_MB, memory_mb]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}


def main():
    print(measure.machine())
    for memory_mb, where in ((0, "by the store"), (CACHE_MB, "in memory")):
        figures = run(memory_mb)
        measure.heading(f"look-ups of 100 hashes below HTTP, {PEOPLE} people, {where}")
        for name in NAMES:
            measure.figure(f"{name}, a second of processor time", figures[f"{name}_per_cpu_second"])
        measure.figure("a binding with one pepper", figures["bytes_per_binding"], unit=" bytes")


main()
