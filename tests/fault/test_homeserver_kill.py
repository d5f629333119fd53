"""A homeserver that is killed at random moments under load forgets nothing that it acknowledged, and
does nothing twice.

People talk, change state, come and go, and keep data. A request whose answer never came is sent
again after the kill with the same transaction id, as clients do. In the end every message is there
once, everybody is where they were told to be, and every room's state is what its events alone say
(`homeserver_replay`).
"""

import collections
import http.client
import os
import random
import subprocess
import threading
import time
import urllib.parse

import trinity
from homeserver_world import World

CYCLES = int(os.environ.get("TRINITY_CYCLES", "8"))
LONGEST = 0.8  # seconds of load before a kill
PEOPLE = 6
ROOMS = 4
SAMPLE = 40  # messages looked at after each kill
PAGE = 1000


class Killed(Exception):
    """The server is gone: it may have happened or not."""


def quoted(text):
    return urllib.parse.quote(text, safe="")


class Room:
    def __init__(self, room_id):
        self.id = room_id
        self.path = f"/rooms/{quoted(room_id)}"
        self.said = {}  # body -> event id, acknowledged


class Person:
    """One device, one thing after the other."""

    def __init__(self, load, user, number):
        self.load, self.user, self.number = load, user, number
        self.count = 0
        self.again = None  # what was sent and not answered: its callable
        self.data = {}  # account data: type -> what it may be: the old value, a new one
        self.away = {}  # room -> what the membership may be, likewise

    def ask(self, method, path, body=None):
        try:
            reply = self.user.request(method, path, body)
        except (OSError, http.client.HTTPException) as gone:
            raise Killed from gone
        if reply.status >= 500:
            raise Killed
        assert reply.status == 200, (path, reply)
        return reply.json

    def say(self):
        self.count += 1
        room, body = random.choice(self.load.rooms), f"{self.number}-{self.count}"
        path = f"{room.path}/send/m.room.message/{body}"

        def send():
            event_id = self.ask("PUT", path, {"msgtype": "m.text", "body": body})["event_id"]
            room.said[body] = event_id
            assert event_id == self.ask("PUT", path, {"body": "another"})["event_id"]

        return send

    def keep(self):
        self.count += 1
        kind, value = f"test.{random.randrange(4)}", self.count
        path = f"/user/{quoted(self.user.id)}/account_data/{kind}"

        def put():
            self.data[kind] = [self.data.get(kind, [None])[0], value]
            self.ask("PUT", path, {"value": value})
            self.data[kind] = [value]

        return put

    def come_or_go(self):
        """Only in the room that nobody else talks in."""
        room = self.load.lobby
        wanted = random.choice(("join", "leave"))

        def change():
            was = self.away[room.id][0]
            self.away[room.id] = [was, wanted]
            if wanted != was:
                self.ask("POST", f"{room.path}/{wanted}", {})
            self.away[room.id] = [wanted]

        return change

    def rename(self):
        self.count += 1
        room, name = self.load.lobby, f"{self.number}-{self.count}"

        def put():
            if self is self.load.people[0]:
                self.ask("PUT", f"{room.path}/state/m.room.topic", {"topic": name})

        return put

    def take_a_step(self):
        step = self.again or random.choice(
            (self.say, self.say, self.say, self.keep, self.come_or_go, self.rename))()
        self.again = step
        step()
        self.again = None


class Worker(threading.Thread):
    def __init__(self, load, person):
        super().__init__()
        self.load, self.person, self.wrong = load, person, None

    def run(self):
        try:
            while not self.load.killed.is_set():
                self.person.take_a_step()
        except Killed as wrong:
            if not self.load.killed.is_set():
                self.wrong = wrong
        except BaseException as wrong:  # pylint: disable=broad-except
            self.wrong = wrong


class Load:
    """Everybody, in a few rooms that all are in, and in a lobby."""

    def __init__(self, world):
        self.world, self.killed = world, threading.Event()
        self.people = [Person(self, world.user(f"person{i}"), i) for i in range(PEOPLE)]
        self.rooms = [self.make() for _ in range(ROOMS)]
        self.lobby = self.make()
        for person in self.people:
            person.away[self.lobby.id] = ["join"]
        self.people[0].come_or_go = self.people[0].rename

    def make(self):
        first, *others = (person.user for person in self.people)
        made = first.post("/createRoom", {"preset": "public_chat"})
        assert made.status == 200, made
        room = Room(made.json["room_id"])
        for user in others:
            assert user.post(f"{room.path}/join").status == 200
        return room

    def run_and_kill(self, seconds):
        self.killed.clear()
        workers = [Worker(self, person) for person in self.people]
        for worker in workers:
            worker.start()
        time.sleep(seconds)
        self.killed.set()
        self.world.homeserver.kill()
        for worker in workers:
            worker.join()
        for worker in workers:
            if worker.wrong:
                raise worker.wrong


def start_again(world):
    """Sometimes it is killed once more while it starts. Seconds until it is ready."""
    if random.random() < 0.3:
        world.homeserver.launch()
        time.sleep(random.uniform(0, 0.4))
        world.homeserver.kill()
    begin = time.monotonic()
    world.homeserver.start()
    return time.monotonic() - begin


# ---- looking at what is there


def verify_sample(load):
    reader = load.people[0].user
    said = [(room, body, event_id) for room in load.rooms for body, event_id in room.said.items()]
    for room, body, event_id in random.sample(said, min(SAMPLE, len(said))):
        event = reader.get(f"{room.path}/event/{quoted(event_id)}")
        assert event.status == 200 and event.json["content"]["body"] == body, event


def verify_people(load):
    for person in load.people:
        for kind, values in person.data.items():
            kept = person.user.get(f"/user/{quoted(person.user.id)}/account_data/{kind}")
            found = kept.json["value"] if kept.status == 200 else None
            assert found in values, (kind, values, kept)
        members = load.people[0].user.get(f"{load.lobby.path}/joined_members").json["joined"]
        there = "join" if person.user.id in members else "leave"
        assert there in person.away[load.lobby.id], (person.user.id, person.away, there)


def everything_said(reader, room):
    """body -> event ids, by all pages of the room's history."""
    found, token = collections.defaultdict(list), None
    while True:
        query = f"?dir=b&limit={PAGE}" + (f"&from={token}" if token else "")
        page = reader.get(f"{room.path}/messages{query}").json
        for event in page["chunk"]:
            if event["type"] == "m.room.message":
                found[event["content"]["body"]].append(event["event_id"])
        token = page.get("end")
        if not token:
            return found


def verify_all(load):
    messages = 0
    for room in load.rooms:
        found = everything_said(load.people[0].user, room)
        twice = {body: ids for body, ids in found.items() if len(ids) > 1}
        assert not twice, twice
        for body, event_id in room.said.items():
            assert found.get(body) == [event_id], (body, event_id, found.get(body))
        messages += len(found)
    return messages


def replay(world):
    """All rooms, computed from their events alone."""
    store = world.homeserver.directory / "data" / "store"
    done = subprocess.run([trinity.program("homeserver_replay"), store], capture_output=True,
                          text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout.strip()


def test_nothing_acknowledged_is_lost_or_done_twice(request, tmp_path):
    world = World(tmp_path)
    request.node.trinity_story = world.story
    world.start()
    load, slowest = Load(world), 0.0
    for _ in range(CYCLES):
        load.run_and_kill(random.uniform(0, LONGEST))
        slowest = max(slowest, start_again(world))
        verify_sample(load)
        verify_people(load)
    messages = verify_all(load)
    world.homeserver.stop()
    print(f"{CYCLES} cycles: {messages} messages; {replay(world)}; slowest start {slowest:.1f} s")
    assert messages > CYCLES
    world.end()
