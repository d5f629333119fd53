"""A million people: how long a look-up takes, what a change of the pepper does to it, and what the
service keeps resident, with nothing and with all of them."""

import pathlib
import re
import shutil
import statistics
import threading
import time

import known_people
import measure
import trinity

PEOPLE = 5000 if measure.SHORT else 1000000
CACHE_MB = 512
BASE_MB = 30
PACE, PROBE_SECONDS = (100, 1) if measure.SHORT else (200, 10)
REHASH_PROBE_SECONDS = 1 if measure.SHORT else 5
ROUNDS = 1 if measure.SHORT else 3
PHONE = ("libphonenumber", "libgeocoding", "libprotobuf", "libicu", "libstdc++", "libabsl",
         "libboost")


# ---- memory


def resident_of(pid, names):
    """MiB of mapped files with these names."""
    kb, counted = 0, False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-", line):
            counted = any(name in line for name in names)
        elif counted and line.startswith("Rss:"):
            kb += int(line.split()[1])
    return kb / 1024


def ask_for_a_number(made):
    """Something that is no number, so nothing is sent; the tables are there afterwards."""
    reply = made.client.post("/validate/msisdn/requestToken", {
        "client_secret": "secret", "country": "GB", "phone_number": "12", "send_attempt": 1})
    assert reply.status == 400, reply


def measure_idle(bench):
    with known_people.service(bench, 0) as made:
        made.identity.restart()
        bench.settle()
        resident, private = measure.memory_mb(made.pid)
        phone = resident_of(made.pid, PHONE)
        ask_for_a_number(made)
        grown = measure.memory_mb(made.pid)[0] - resident
    measure.heading("just started; from /proc/PID/smaps_rollup and smaps")
    measure.figure("resident, shared libraries included", resident, unit=" MiB")
    measure.figure("of which libphonenumber and what it needs", phone, unit=" MiB")
    measure.figure("resident without those", resident - phone, BASE_MB, " MiB")
    measure.figure("private", private, unit=" MiB")
    measure.figure("more, once a phone number was looked at", grown, unit=" MiB")


def measure_full(made, what):
    resident, private = measure.memory_mb(made.pid)
    measure.figure(f"resident, {what}", resident, BASE_MB + CACHE_MB, " MiB")
    measure.figure(f"private, {what}", private, unit=" MiB")


# ---- look-ups


def probe(made, requests, seconds=PROBE_SECONDS):
    return measure.probe(made.identity.plain.port, f"@{requests}", PACE, seconds)


class Rehash(threading.Thread):
    """All hashes are made for another pepper. seconds: until it counts."""

    def __init__(self, made):
        super().__init__()
        self.made, self.begin, self.seconds = made, time.monotonic(), None
        reply = made.identity.admin.request(
            "POST", "/admin/v1/import/end", {"source": "measured", "rotate_pepper": True})
        assert reply.status == 200, reply
        self.start()

    def run(self):
        trinity.eventually(lambda: self.made.metric("identity_lookup_peppers_total"), 1200, 0.1)
        self.seconds = time.monotonic() - self.begin


def during_rehash(made, requests):
    """(seconds, median, p99); look-ups that were still asked when it was over do not count, unless
    there are no others."""
    rehash, probes = Rehash(made), []
    while rehash.seconds is None:
        took = probe(made, requests, REHASH_PROBE_SECONDS)
        if rehash.seconds is None or not probes:
            probes.append(took)
    rehash.join()
    return (rehash.seconds, *(statistics.median(part) for part in zip(*probes)))


def one_round(made, requests, template):
    """((median, p99) before, (seconds, median, p99) during), on the same store each time."""
    made.identity.stop()
    shutil.rmtree(made.identity.directory / "data")
    shutil.copytree(template, made.identity.directory / "data")
    made.start()
    probe(made, requests, 1)
    return probe(made, requests), during_rehash(made, requests)


def print_rounds(rounds):
    quiet, busy = zip(*rounds)
    p50, p99 = (statistics.median(part) for part in zip(*quiet))
    seconds, busy_p50, busy_p99 = (statistics.median(part) for part in zip(*busy))
    measure.figure("median", p50 / 1000, unit=" ms")
    measure.figure("p99", p99 / 1000, 2, " ms")
    measure.figure("median while the pepper changes", busy_p50 / 1000, unit=" ms")
    measure.figure("p99 while the pepper changes", busy_p99 / 1000, unit=" ms")
    ratio = statistics.median(during[2] / before[1] for before, during in rounds)
    measure.figure("ratio of the p99", ratio, 1.5, " ×")
    measure.figure("the change of the pepper", seconds, 60, " s")


def measure_people(bench):
    with known_people.service(bench, PEOPLE, {"cache_mb": CACHE_MB}) as made:
        requests = known_people.write_requests(bench.path / "lookups", known_people.lookups(made))
        made.identity.stop()
        template = bench.path / "template"
        shutil.copytree(made.identity.directory / "data", template)
        made.start()
        rounds = [one_round(made, requests, template) for _ in range(ROUNDS)]
        measure.heading(f"{PEOPLE} people, cache_mb {CACHE_MB}: {PACE} look-ups of "
                        f"{known_people.HASHES} hashes a second")
        print_rounds(rounds)
        measure_full(made, "with two peppers")


def main():
    with measure.Bench() as bench:
        measure_idle(bench)
        measure_people(bench)


main()
