"""The key history: memory of an entry, and what recording, loading and finding one costs.

Prints figures of the release build; --short runs it small, to see that it runs.
"""

import os
import statistics
import subprocess
import sys
import tempfile

SERVERS, ROUNDS = (200, 1) if "--short" in sys.argv else (10000, 3)
PROGRAM = os.path.join(os.environ["TRINITY_BUILD"], "tests", "keys_memory")


def measure():
    with tempfile.TemporaryDirectory() as directory:
        command = [PROGRAM, str(SERVERS), os.path.join(directory, "store")]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in lines.splitlines())}


def main():
    rounds = [measure() for _ in range(ROUNDS)]
    figures = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    payload, accounted, heap = (
        figures[name] for name in ("payload_bytes", "accounted_bytes", "heap_bytes")
    )
    print(f"keys: {SERVERS} servers, one version each, median of {ROUNDS}: {PROGRAM}")
    print(f"  memory of an entry   {heap:8.0f} bytes of heap, {accounted:.0f} accounted,")
    print(f"                       {heap / payload:8.2f} × the {payload:.0f} bytes of JSON in it")
    print(f"  all entries          {heap * SERVERS / 2**20:8.1f} MiB")
    print(f"  record a new object  {figures['record_us']:8.0f} µs, made, checked, sealed, durable")
    print(f"  load from the store  {figures['load_us']:8.1f} µs")
    print(f"  find in memory       {figures['peek_us']:8.2f} µs")
    if figures["entries"] != SERVERS:
        sys.exit("not all entries fit the cache")


main()
