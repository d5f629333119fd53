"""From a message to the other side's /sync, beside Synapse: two people in a room of their own, while
others talk in 100 rooms, half as fast as the server can take it."""

import statistics
import subprocess

import homeservers
import measure
import trinity

ROOMS = 5 if measure.SHORT else 100
CONNECTIONS = 32
SECONDS = 1 if measure.SHORT else 10
PER_SECOND = {"Trinity": 50}  # messages that are looked at; of Synapse few, as they are load to it
PER_SECOND_ELSE = 2
HALF_MS, MOST_MS = 3, 15


class Side:
    def __init__(self, home):
        self.home = home
        self.others = home.people(2, "o")
        self.rooms = [self.make(self.others) for _ in range(ROOMS)]
        self.talker, self.reader = home.people(2, "l")
        self.room = self.make([self.talker, self.reader])
        self.runs = 0
        self.most = None  # messages a second
        self.busy_ms = 0  # how long a message of the load takes
        self.took_ms, self.rates = [], []

    def make(self, people):
        room = people[0].create_room()
        people[1].join(room)
        return room

    def script(self, path, pause_ms=0):
        self.runs += 1
        return homeservers.send_script(path / "send.lua", self.others, self.rooms, self.runs,
                                       pause_ms)

    def find_most(self, path):
        self.most, _ = measure.load(self.home.server.plain.url, self.script(path), CONNECTIONS,
                                    SECONDS)

    def round(self, path):
        """Each connection pauses so that all of them together make half of the largest rate."""
        pause_ms = max(0, 2 * CONNECTIONS / self.most * 1000 - self.busy_ms)
        command = measure.wrk_command(self.home.server.plain.url, self.script(path, pause_ms),
                                      CONNECTIONS, SECONDS + 3)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
            self.took_ms += self.probe()
            rate = float(measure.LOADED.search(load.communicate()[0])[1])
        self.rates.append(rate)
        self.busy_ms = max(0, CONNECTIONS / rate * 1000 - pause_ms)

    def probe(self):
        command = [trinity.program("sync_probe"), self.home.server.plain.port, self.talker.token,
                   self.reader.token, homeservers.in_path(self.room),
                   PER_SECOND.get(self.home.name, PER_SECOND_ELSE), SECONDS, f"run{self.runs}"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True,
                              preexec_fn=measure.come_first)
        return [int(line) / 1000 for line in done.stdout.splitlines()]

    def percentile(self, part):
        return sorted(self.took_ms)[int(len(self.took_ms) * part)]


def report(sides):
    ours = sides[0]
    for side in sides:
        name = side.home.name
        measure.figure(f"messages a second at most, {name}", side.most)
        measure.figure(f"messages a second meanwhile, {name}", statistics.median(side.rates))
        measure.figure(f"median of {len(side.took_ms)}, {name}", side.percentile(0.5),
                       HALF_MS if side is ours else None, " ms")
        measure.figure(f"p99, {name}", side.percentile(0.99), MOST_MS if side is ours else None,
                       " ms")
    for side in sides[1:]:
        measure.figure(f"median of {side.home.name} against ours",
                       side.percentile(0.5) / ours.percentile(0.5), unit=" ×")


def main():
    with measure.Bench() as bench, homeservers.all_of(bench) as homes, \
            homeservers.scratch() as scratch:
        sides = [Side(home) for home in homes]
        homeservers.pinned(homes)
        for home in homes:
            measure.put_first(home.pid)
        measure.heading(f"from a message to the other side's /sync, while others talk in {ROOMS} "
                        "rooms at half of the largest rate")
        for side in sides:
            side.find_most(scratch.path)
        for _ in range(measure.ROUNDS):
            for side in sides:
                side.round(scratch.path)
        report(sides)


main()
