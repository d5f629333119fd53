"""State resolution: the time of a few and of many keys in conflict, in a room of 200,000 events.

Prints figures of the release build; --short runs it small, to see that it runs.
"""

import os
import subprocess
import sys

SHORT = "--short" in sys.argv
EVENTS = 5000 if SHORT else 200_000
ROUNDS = 3 if SHORT else 21
GOALS = ((50, 5.0),) if SHORT else ((50, 5.0), (5000, 150.0))  # keys, milliseconds
PROGRAM = os.path.join(os.environ["TRINITY_BUILD"], "tests", "homeserver_resolution")


def measure(version, keys):
    command = [PROGRAM, version, str(EVENTS), str(keys), str(ROUNDS)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in lines.splitlines())}


def main():
    print(f"state resolution over {EVENTS:,} state events, median of {ROUNDS}: {PROGRAM}")
    for version in ("10", "12"):
        for keys, goal in GOALS:
            figures = measure(version, keys)
            verdict = "" if figures["median_ms"] <= goal or SHORT else "  MISSED"
            print(f"  version {version}, {keys:5,} keys in conflict"
                  f" {figures['median_ms']:9.2f} ms of processor time, first {figures['first_ms']:.2f},"
                  f" worst {figures['worst_ms']:.2f} (goal ≤ {goal:.0f}){verdict}")


main()
