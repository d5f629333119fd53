"""The program that writes into a store and says what it has acknowledged, and checks afterwards that all
of that is there."""

import subprocess

import trinity

SECONDS = 60  # a store may take some to recover


def command(what, directory, *more):
    return [str(trinity.program("store_writer")), what, str(directory), *map(str, more)]


def verify(directory, lines):
    """Every acknowledgement, a line each, is kept. How many rows there are, as it counts them."""
    run = subprocess.run(command("verify", directory), input=lines, capture_output=True,
                         timeout=SECONDS)
    assert run.returncode == 0, run.stderr.decode()
    counted = [int(number) for number in run.stdout.split()]
    assert counted[0] == lines.count(b"\n")
    return counted
