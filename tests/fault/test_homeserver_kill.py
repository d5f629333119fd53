"""A homeserver that is killed at random moments under load forgets nothing that it acknowledged, and
does nothing twice.

People talk, redact, read, upload, register, sign in and out, change what they keep, make rooms, come
and go (kill_load.py). In the end every message is there once, everything is what it was told to be,
somebody who syncs all the time has been told of every message once, and every room's state is what
its events alone say (`homeserver_replay`).
"""

import collections
import os
import random
import subprocess

import trinity
from homeserver_world import World
from kill_load import Load
from rooms import part, path

CYCLES = int(os.environ.get("TRINITY_CYCLES", "8"))
LONGEST = 0.8  # seconds of load before a kill
SAMPLE = 25  # facts and things each that are looked at after each kill
PAGE = 1000


class Follower:
    """Somebody whose /sync goes on where it was before the kill."""

    def __init__(self, load):
        self.load, self.since, self.told = load, None, collections.Counter()
        self.sync()

    def sync(self):
        only = '{"room":{"timeline":{"limit":100,"types":["m.room.message"]}}}'
        since = f"&since={self.since}" if self.since else ""
        answer = self.ask(f"/sync?timeout=0&filter={part(only)}{since}")
        for room, news in answer.get("rooms", {}).get("join", {}).items():
            timeline = news["timeline"]
            self.tell(timeline["events"])
            if timeline["limited"] and self.since:
                self.fill_gap(room, timeline["prev_batch"])
        self.since = answer["next_batch"]

    def fill_gap(self, room, token):
        while token:
            page = self.ask(path(room, "messages") + f"?dir=b&limit=100&from={token}&to={self.since}")
            self.tell(page["chunk"])
            token = page.get("end")

    def ask(self, target):
        reply = self.load.reader.get(target)
        assert reply.status == 200, reply
        return reply.json

    def tell(self, events):
        self.told.update(e["event_id"] for e in events if e["type"] == "m.room.message")


# ---- looking at what is there


def check_facts(facts):
    for fact in facts:
        found = fact.found()
        assert found in fact.possible, (fact, fact.possible, found)


def check_sample(load):
    facts = load.facts()
    check_facts(random.sample(facts, min(SAMPLE, len(facts))))
    for thing in random.sample(load.things, min(SAMPLE, len(load.things))):
        thing.check()


def everything_said(reader, room):
    """body -> event ids, by all pages of the room's history; and redacted -> redactions."""
    said, redacted, token = collections.defaultdict(list), collections.defaultdict(list), None
    while True:
        query = f"?dir=b&limit={PAGE}" + (f"&from={token}" if token else "")
        page = reader.get(path(room, "messages") + query).json
        for event in page["chunk"]:
            if event["type"] == "m.room.message" and event["content"]:
                said[event["content"]["body"]].append(event["event_id"])
            if event["type"] == "m.room.redaction":
                redacted[event["content"]["reason"]].append(event["event_id"])
        token = page.get("end")
        if not token:
            return said, redacted


def check_all(load, follower):
    """How many messages there are."""
    messages = 0
    for room in load.rooms:
        said, redacted = everything_said(load.reader, room)
        twice = {name: ids for name, ids in [*said.items(), *redacted.items()] if len(ids) > 1}
        assert not twice, twice
        for name, event_id in load.said[room].items():
            assert said.get(name) == [event_id], (name, event_id, said.get(name))
            assert follower.told[event_id] == 1, (name, event_id, follower.told[event_id])
        messages += len(said)
    assert set(follower.told.values()) == {1}
    assert not list(load.half_rooms())
    check_facts(load.facts())
    for thing in load.things:
        thing.check()
    return messages


def replay(world):
    """All rooms, computed from their events alone."""
    store = world.homeserver.directory / "data" / "store"
    done = subprocess.run([trinity.program("homeserver_replay"), store], capture_output=True,
                          text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout.strip()


def kinds_of(things):
    return dict(collections.Counter(type(thing).__name__ for thing in things))


def test_nothing_acknowledged_is_lost_or_done_twice(request, tmp_path):
    world = World(tmp_path)
    request.node.trinity_story = world.story
    world.start()
    load, slowest = Load(world), 0.0
    follower = Follower(load)
    for cycle in range(CYCLES):
        load.run_and_kill(random.uniform(0, LONGEST))
        slowest = max(slowest, world.homeserver.come_back())
        follower.sync()
        check_sample(load)
        if cycle % 50 == 49:
            print(f"{cycle + 1} cycles", flush=True)
    messages = check_all(load, follower)
    world.homeserver.stop()
    print(f"{CYCLES} cycles: {messages} messages, {kinds_of(load.things)}, {len(load.facts())} facts;"
          f" {replay(world)}; slowest start {slowest:.1f} s")
    assert messages > CYCLES
    world.end()
