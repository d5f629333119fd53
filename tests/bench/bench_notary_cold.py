"""Questions that need other servers: a batch with dead ones in it, and what fetches under way do
to those who ask for what is known."""

import re
import statistics
import threading
import time

import fakenet
import known_servers
import measure
import origins
import trinity
from known_servers import QUERY

LIVE, DEAD = (80, 20) if measure.SHORT else (1600, 400)
LISTENERS = 8 if measure.SHORT else 128
DEADLINE_MS = 2500 if measure.SHORT else 9000  # the default
IN_FLIGHT = 40 if measure.SHORT else 500
PER_ADDRESS = 2  # fetches that the notary makes at once to one address
BATCH = IN_FLIGHT // PER_ADDRESS
PACE, PROBE_SECONDS = (200, 1) if measure.SHORT else (1000, 5)
ROUNDS = 1 if measure.SHORT else 3


# ---- a batch with dead servers


def dead_names(internet, count):
    """Refused, never a word, and no answer from DNS, a third each."""
    silent = [internet.net.silent() for _ in range(count // 3)]
    for i, host in enumerate(silent):
        internet.net.dns.set(f"silent{i}.test", "A", host.address)
    names = [f"silent{i}.test:{host.port}" for i, host in enumerate(silent)]
    names += [internet.dead(f"refuses{i}.test") for i in range(count // 3)]
    for i in range(count - len(names)):
        internet.net.dns.fail(f"lost{i}.test", "SILENT")
        names.append(f"lost{i}.test")
    return names


def answer_in_time(bench, internet):
    live = [origin.name for origin in internet.add_many("live.test", LIVE, LISTENERS)]
    names = [name for pair in zip(live[::4], live[1::4], live[2::4], live[3::4],
                                  dead_names(internet, DEAD)) for name in pair]
    rounds = []
    for _ in range(ROUNDS):
        notary = bench.notary({
            "outbound": internet.outbound, "query": {"deadline_ms": DEADLINE_MS},
        }).start()
        before, start = notary.cpu_seconds(), time.monotonic()
        reply = notary.post(QUERY, known_servers.question(names))
        rounds.append((len(reply.json["server_keys"]), time.monotonic() - start,
                       notary.cpu_seconds() - before))
        notary.stop()
    measure.heading(f"POST {QUERY}, cold: {len(names)} servers, of which {DEAD} are dead "
                    "(silent, refusing, lost in DNS)")
    found, seconds, cost = (statistics.median(part) for part in zip(*rounds))
    measure.figure(f"live servers in the answer, of {LIVE}", found, LIVE, at_least=True)
    measure.figure("seconds until the answer", seconds, DEADLINE_MS / 1000 + 0.5, " s")
    measure.figure("processor time", cost, unit=" s")


# ---- latency beside cold fetches


def probe(notary, name):
    return measure.probe(notary.plain.port, f"{QUERY}/{name}", PACE, PROBE_SECONDS)


def in_flight(notary):
    text = notary.admin.request("GET", "/metrics").body.decode()
    return int(re.search(r"^notary_key_fetches_in_flight (\d+)", text, re.M)[1])


class Askers:
    """Ask for servers that nobody has asked for yet, in batches, until told to stop;
    make(number) gives the names of a batch."""

    def __init__(self, notary, make, count):
        self.notary, self.make, self.count, self.stopping = notary, make, count, False
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        while not self.stopping:
            self.notary.post(QUERY, known_servers.question(self.make(number)))
            number += self.count

    def end(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def hanging(internet):
    """Batches of origins that take the connection and never say a word."""
    hosts = [internet.net.silent() for _ in range(BATCH)]
    for i, host in enumerate(hosts):
        for j in range(PER_ADDRESS):
            internet.net.dns.set(f"h{j}.silent{i}.test", "A", host.address)
    return lambda number: [f"h{number % PER_ADDRESS}.silent{i}.test:{host.port}"
                           for i, host in enumerate(hosts)]


def answering(internet):
    """Batches of origins that take two to four seconds for an answer."""
    batches = 3 if measure.SHORT else 16
    made = internet.add_many("slow.test", BATCH * batches, BATCH)
    for i, origin in enumerate(made):
        origin.delay = 2 + 2 * (i % BATCH) / BATCH
    names = [origin.name for origin in made]
    return lambda number: names[number % batches * BATCH :][:BATCH]


def quiet_and_busy(bench, internet, make, askers):
    """((median, p99) quiet, (median, p99) busy, fetches in flight before and after)"""
    notary = bench.notary({
        "outbound": {**internet.outbound, "transfers": 2 * IN_FLIGHT},
        "fetch": {"cold_burst": 100000, "cold_total_burst": 100000, "connect_ms": 30000,
                  "total_ms": 30000},
        "query": {"deadline_ms": DEADLINE_MS},
    }).start()
    (name,) = known_servers.import_into(notary, 1)
    probe(notary, name)
    quiet = probe(notary, name)
    asking = Askers(notary, make, askers)
    trinity.eventually(lambda: in_flight(notary) >= IN_FLIGHT)
    before, busy = in_flight(notary), probe(notary, name)
    flying = (before + in_flight(notary)) / 2
    asking.end()
    notary.stop()
    return quiet, busy, flying


def beside(bench, internet, what, make, askers):
    rounds = [quiet_and_busy(bench, internet, make, askers) for _ in range(ROUNDS)]
    measure.heading(f"GET {QUERY}/SERVER at {PACE} requests a second, beside fetches from origins "
                    f"that {what}")
    measure.figure("fetches in flight", statistics.median(flying for _, _, flying in rounds))
    for i, state in enumerate(("quiet", "beside the fetches")):
        for j, what in enumerate(("median", "p99")):
            figures = [one[i][j] for one in rounds]
            measure.figure(f"{what}, {state}", statistics.median(figures), unit=" µs")
    ratios = [busy[1] / quiet[1] for quiet, busy, _ in rounds]
    measure.figure("ratio of the p99", statistics.median(ratios), 2, " ×")


def main():
    with measure.Bench() as bench, fakenet.FakeNet(bench.path / "net") as net:
        internet = origins.Origins(net)
        answer_in_time(bench, internet)
        net.yield_processors()
        beside(bench, internet, "hang", hanging(internet), askers=2)
        beside(bench, internet, "answer", answering(internet), askers=3)


main()
