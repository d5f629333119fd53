"""A store whose process is killed at random moments keeps every acknowledged transaction whole."""

import os
import random
import subprocess
import threading
import time

import store_writer

CYCLES = int(os.environ.get("TRINITY_CYCLES", "8"))
LONGEST = 0.6  # seconds of writing before a kill
A_STORE = 50  # cycles: a large one would only take longer to check
OPENING = 60  # seconds a store may take to recover


class Listener(threading.Thread):
    """Reads acknowledgements until the writer's end of the pipe is closed."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe, self.lines, self.is_open = pipe, [], threading.Event()

    def run(self):
        for line in self.pipe:
            if line == b"open\n":
                self.is_open.set()
            elif line.endswith(b"\n"):
                self.lines.append(line)


def write_and_kill(directory, run, moment):
    """What was acknowledged. A moment of less than 50 ms may come before the store is open."""
    writer = subprocess.Popen(
        store_writer.command("write", directory, run), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    listener = Listener(writer.stdout)
    listener.start()
    opened = moment < 0.05 or listener.is_open.wait(OPENING)
    time.sleep(moment)
    early = writer.poll()
    writer.kill()
    writer.wait()
    listener.join()
    assert early is None, writer.stderr.read().decode()
    assert opened, "the store did not open in time"
    return listener.lines


def counting(lines):
    return sum(1 for line in lines if int(line.split()[1]) % 3 == 0)


def test_no_acknowledged_transaction_is_lost_or_torn_by_a_kill(tmp_path):
    chance, acknowledged, counter, run = random.Random(), 0, 0, 0
    for cycle in range(CYCLES):
        directory = str(tmp_path / f"store-{cycle // A_STORE}")
        counter = counter if cycle % A_STORE else 0
        lines, kills = [], 1 + (chance.random() < 0.3)
        for kill in range(kills):
            # A second kill meets the store while it recovers from the first.
            run += 1
            moment = chance.uniform(0, LONGEST if kill == 0 else 0.05)
            lines += write_and_kill(directory, run, moment)
        _, counted = store_writer.verify(directory, b"".join(lines))
        assert counted >= counter + counting(lines)
        counter = counted
        acknowledged += len(lines)
    print(f"{CYCLES} cycles, {run} kills, {acknowledged} acknowledged, all there")
    assert acknowledged > CYCLES
