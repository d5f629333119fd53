"""A store on a disk that dies: the first sync or write that fails ends the process, and nothing
that was acknowledged before is lost."""

import os
import random
import signal
import subprocess

import pytest

import preload
import store_writer

TRIES = int(os.environ.get("TRINITY_CYCLES", "8"))
OPENING = 35  # so many writes, and syncs, belong to the making of a store


@pytest.fixture(scope="module")
def dying_disk(tmp_path_factory):
    made = preload.environment("dying_disk", tmp_path_factory.mktemp("library"))
    # A process that aborts has no time to give memory back.
    made["ASAN_OPTIONS"] += ":detect_leaks=0"
    return {**os.environ, **made}


def write(directory, environment):
    """(exit status, acknowledgements, what it complained of)"""
    done = subprocess.run(
        store_writer.command("write", directory, 1), env=environment, capture_output=True,
        timeout=store_writer.SECONDS,
    )
    return done.returncode, done.stdout.removeprefix(b"open\n"), done.stderr.decode()


@pytest.mark.parametrize("what", ["DISK_SYNC_FAILS", "DISK_WRITE_FAILS"])
def test_the_first_failure_ends_the_process_and_loses_nothing(tmp_path, dying_disk, what):
    for number in range(TRIES):
        directory, at = tmp_path / str(number), random.randrange(OPENING, 200)
        status, lines, complaint = write(directory, {**dying_disk, what: str(at)})
        assert status == -signal.SIGABRT, (at, status, complaint)
        assert "ends and recovers at its next start" in complaint
        store_writer.verify(directory, lines)


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_store_that_cannot_be_made_says_why(tmp_path, dying_disk, at):
    status, lines, complaint = write(tmp_path / "store", {**dying_disk, "DISK_SYNC_FAILS": str(at)})
    assert status == 1 and not lines
    assert "Input/output error" in complaint
    store_writer.verify(tmp_path / "store", b"")
