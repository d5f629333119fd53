"""Messages a second into one room and into many, beside Synapse: the same load on each, one after
the other on the same processor. An answer means that the message is durable."""

import statistics

import homeservers
import measure

MEMBERS = 10 if measure.SHORT else 50
ROOMS = 5 if measure.SHORT else 100
CONNECTIONS = 32
TIMES_SYNAPSE = 20
COST_US = 200


class Rooms:
    """The people of a homeserver, and where they talk."""

    def __init__(self, home):
        self.home = home
        self.people = home.people(MEMBERS)
        self.one = [self.make(self.people)]
        self.many = [self.make(self.people[:2]) for _ in range(ROOMS)]
        self.runs = 0
        # A slow one answers nothing before it has worked on all that came.
        self.seconds = measure.SECONDS if home.name == "Trinity" else 3 + 2 * measure.SECONDS

    def make(self, people):
        room = people[0].create_room()
        for person in people[1:]:
            person.join(room)
        return room

    def load(self, path, people, rooms):
        """(messages a second, µs of processor time each)"""
        self.runs += 1
        script = homeservers.send_script(path / "send.lua", people, rooms, self.runs)
        before = measure.cpu_seconds(self.home.pid)
        rate, count = measure.load(self.home.server.plain.url, script, CONNECTIONS, self.seconds)
        return rate, (measure.cpu_seconds(self.home.pid) - before) / count * 1e6


def compare(path, sides, what, choose):
    measure.heading(f"{what}, {CONNECTIONS} connections kept")
    seen = {side.home.name: [] for side in sides}
    for _ in range(measure.ROUNDS):
        for side in sides:
            seen[side.home.name].append(side.load(path, *choose(side)))
    rates = {name: statistics.median(rate for rate, _ in runs) for name, runs in seen.items()}
    costs = {name: statistics.median(cost for _, cost in runs) for name, runs in seen.items()}
    for side in sides:
        name = side.home.name
        measure.figure(f"messages a second, {name}", rates[name])
        measure.figure(f"processor time of a message, {name}", costs[name],
                       COST_US if side is sides[0] else None, " µs")
    own = sides[0].home.name
    for side in sides[1:]:
        measure.figure(f"ratio to {side.home.name}", rates[own] / rates[side.home.name],
                       TIMES_SYNAPSE, " ×", at_least=True)


def main():
    with measure.Bench() as bench, homeservers.all_of(bench) as homes, \
            homeservers.scratch() as scratch:
        sides = [Rooms(home) for home in homes]
        homeservers.pinned(homes)
        compare(scratch.path, sides, f"messages into one room of {MEMBERS} members",
                lambda side: (side.people, side.one))
        compare(scratch.path, sides, f"messages into {ROOMS} rooms of 2 members",
                lambda side: (side.people[:2], side.many))


main()
