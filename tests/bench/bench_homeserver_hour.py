"""Memory through an hour of load on 10,000 rooms: people talk, read, wait, come and go in all of
them, at a modest pace. The cache is what the sample configuration names.

    bench_homeserver_hour.py [--minutes 60] [--rooms 10000] [--rate 80]

A whole run of all benchmarks does the same for a few minutes on few rooms: the hour is asked for.
"""

import argparse
import collections
import http.client
import itertools
import json
import pathlib
import random
import re
import threading
import time
import urllib.parse

import homeservers
import measure
import trinity

IDLE_MB = 40  # what a homeserver may take besides its cache
PEOPLE_OF_A_ROOM = 4
WORKERS = 8
WAIT_MS = 1000 if measure.SHORT else 10000  # of a /sync
LAZY = json.dumps({"room": {"timeline": {"limit": 20}, "state": {"lazy_load_members": True}}})
CHECK_SECONDS = 1 if measure.SHORT else 5
SAMPLE = trinity.ROOT / "packaging" / "config" / "homeserver.yaml"


def options():
    asked = argparse.ArgumentParser()
    asked.add_argument("--minutes", type=float, default=0.1 if measure.SHORT else 3)
    asked.add_argument("--rooms", type=int, default=20 if measure.SHORT else 1000)
    asked.add_argument("--people", type=int, default=10 if measure.SHORT else 200)
    asked.add_argument("--rate", type=float, default=80, help="requests a second")
    asked.add_argument("--short", action="store_true")
    asked.add_argument("--first", action="store_true")
    return asked.parse_args()


def cache_mb():
    return int(re.search(r"^#?cache_mb: (\d+)", SAMPLE.read_text(), re.M)[1])


class Client:
    """One kept connection, with which one thread asks for many people."""

    def __init__(self, home, errors):
        self.home, self.errors = home, errors
        self.connection = home.server.plain.connection(timeout=120)

    def ask(self, person, method, path, body=None):
        """The answer, or None: then it is among the errors."""
        headers = {"Authorization": f"Bearer {person.token}"}
        try:
            self.connection.request(method, homeservers.V3 + path,
                                    json.dumps(body) if body is not None else None, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as why:
            self.connection.close()
            self.errors[f"{method}: {why!r}"] += 1
            return None
        if answer.status != 200:
            self.errors[f"{method} {path[:24]}: {answer.status} {text[:80]!r}"] += 1
            return None
        return json.loads(text)


class Room:
    def __init__(self, id, people):
        self.id, self.people = id, people
        self.path = f"/rooms/{urllib.parse.quote(id)}"
        self.last = None  # event of it


class Town:
    """All rooms and who is in them."""

    def __init__(self, home, count, people):
        self.home = home
        self.errors = collections.Counter()
        self.done = collections.Counter()
        self.people = home.people(people)
        self.rooms = []
        self.number = itertools.count()
        self.in_threads(WORKERS, self.make_rooms, count)

    def in_threads(self, count, what, *more):
        threads = [threading.Thread(target=what, args=(i, *more)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def make_rooms(self, worker, count):
        client = Client(self.home, self.errors)
        for i in range(worker, count, WORKERS):
            people = [self.people[(i * 7 + j * 31) % len(self.people)]
                      for j in range(PEOPLE_OF_A_ROOM)]
            made = client.ask(people[0], "POST", "/createRoom",
                              {"preset": "public_chat", "name": f"Room {i}"})
            room = Room(made["room_id"], people)
            for person in people[1:]:
                client.ask(person, "POST", f"/join/{urllib.parse.quote(room.id)}", {})
            self.rooms.append(room)


# ---- what people do: each takes a client, a room, somebody in it and a number of its own


def say(client, room, person, number):
    said = client.ask(person, "PUT", f"{room.path}/send/m.room.message/{number}",
                      {"msgtype": "m.text", "body": f"This is number {number} of what was said."})
    room.last = said["event_id"] if said else room.last


def set_topic(client, room, _, number):
    client.ask(room.people[0], "PUT", f"{room.path}/state/m.room.topic",
               {"topic": f"What {number} is about"})


def read(client, room, person, _):
    if room.last:
        client.ask(person, "POST",
                   f"{room.path}/receipt/m.read/{urllib.parse.quote(room.last)}", {})


def type_on(client, room, person, _):
    client.ask(person, "PUT", f"{room.path}/typing/{urllib.parse.quote(person.id)}",
               {"typing": True, "timeout": 5000})


def scroll_back(client, room, person, _):
    client.ask(person, "GET", f"{room.path}/messages?dir=b&limit=20")


def look_at_members(client, room, person, _):
    client.ask(person, "GET", f"{room.path}/members")


def come_and_go(client, room, _, __):
    client.ask(room.people[-1], "POST", f"{room.path}/leave", {})
    client.ask(room.people[-1], "POST", f"/join/{urllib.parse.quote(room.id)}", {})


def begin_anew(client, _, person, __):
    client.ask(person, "GET", homeservers.sync_path(filter=LAZY))


DEEDS = {say: 600, set_topic: 20, read: 150, type_on: 40, scroll_back: 60, look_at_members: 30,
         come_and_go: 10, begin_anew: 2}


class Load:
    """The deeds of a number of threads, and everybody's /sync, until it is over."""

    def __init__(self, town, seconds, rate):
        self.town, self.rate = town, rate
        self.end = time.monotonic() + seconds

    def work(self, worker):
        client = Client(self.town.home, self.town.errors)
        chance = random.Random(worker)
        due = time.monotonic()
        while (due := due + WORKERS / self.rate) < self.end:
            time.sleep(max(0, due - time.monotonic()))
            deed = chance.choices(list(DEEDS), DEEDS.values())[0]
            number = next(self.town.number)
            # Room after room, so that all of them are in use.
            room = self.town.rooms[number * 7919 % len(self.town.rooms)]
            deed(client, room, chance.choice(room.people[:-1]), number)
            self.town.done[deed.__name__] += 1

    def follow(self, which):
        """Somebody's client, which always waits for what comes."""
        client = Client(self.town.home, self.town.errors)
        person, since = self.town.people[which], {}
        while time.monotonic() < self.end:
            got = client.ask(person, "GET", homeservers.sync_path(
                filter=LAZY, timeout=WAIT_MS, **since))
            since = {"since": got["next_batch"]} if got else {}
            self.town.done["sync"] += 1

    def start(self):
        threads = [threading.Thread(target=self.work, args=(i,)) for i in range(WORKERS)]
        threads += [threading.Thread(target=self.follow, args=(i,))
                    for i in range(min(50, len(self.town.people)))]
        for thread in threads:
            thread.start()
        return threads


# ---- memory


class Memory:
    """Resident memory of a process, looked at again and again."""

    def __init__(self, pid):
        self.pid = pid
        self.seen = []  # (minutes, MiB)
        self.began = time.monotonic()

    def look(self):
        self.seen.append(((time.monotonic() - self.began) / 60, measure.memory_mb(self.pid)[0]))
        return self.seen[-1]

    @property
    def peak(self):
        return max(mb for _, mb in self.seen)

    def slope_per_hour(self):
        """By least squares over the second half, when what grows at first has grown."""
        half = self.seen[len(self.seen) // 2:]
        mean_x = sum(x for x, _ in half) / len(half)
        mean_y = sum(y for _, y in half) / len(half)
        spread = sum((x - mean_x) ** 2 for x, _ in half)
        return sum((x - mean_x) * (y - mean_y) for x, y in half) / spread * 60 if spread else 0


def watch(town, memory, threads, end):
    printed = -1
    while time.monotonic() < end:
        time.sleep(CHECK_SECONDS)
        minutes, mb = memory.look()
        if int(minutes) > printed:
            printed = int(minutes)
            print(f"  {printed:4} min  {mb:7.1f} MiB  {sum(town.done.values()):8} requests  "
                  f"{sum(town.errors.values())} errors", flush=True)
    for thread in threads:
        thread.join()


def data_mb(home):
    data = pathlib.Path(home.server.configuration["data_directory"])
    return sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) / 2**20


def report(town, memory, ceiling, seconds):
    measure.heading("what was done: " + ", ".join(
        f"{name} {count}" for name, count in sorted(town.done.items())))
    measure.figure("requests a second", sum(town.done.values()) / seconds)
    measure.figure("errors", sum(town.errors.values()), 0)
    for error, count in town.errors.most_common(5):
        print(f"    {count} × {error}")
    measure.figure("data on disk", data_mb(town.home), unit=" MiB")
    measure.figure("resident, at the end", memory.seen[-1][1], unit=" MiB")
    measure.figure("resident, second half, growth an hour", memory.slope_per_hour(), unit=" MiB")
    measure.figure("resident, peak", memory.peak, ceiling, " MiB")


def main():
    asked = options()
    with measure.Bench() as bench:
        cache = cache_mb()
        home = homeservers.ours(bench, {"cache_mb": cache})
        memory = Memory(home.pid)
        measure.heading(f"{asked.minutes:g} minutes on {asked.rooms} rooms, {asked.people} people, "
                        f"cache_mb {cache}")
        measure.figure("resident, just started", memory.look()[1], unit=" MiB")
        town = Town(home, asked.rooms, asked.people)
        minutes, mb = memory.look()
        measure.figure("minutes until all rooms were made", minutes)
        measure.figure("resident then", mb, unit=" MiB")
        load = Load(town, asked.minutes * 60, asked.rate)
        watch(town, memory, load.start(), load.end)
        report(town, memory, IDLE_MB + cache, asked.minutes * 60)


main()
