"""A notary that is killed at random moments under load forgets nothing that it acknowledged.

What it said yes to is written down here: keys that it imported or answered with, decisions of its
operator, keys of its own. After each kill it must start and still stand by all of it, while the
servers that it learned from do not answer any more.
"""

import http.client
import itertools
import json
import os
import random
import threading
import time

import origins as world_of
from origins import Origin
from trinity import eventually

CYCLES = int(os.environ.get("TRINITY_CYCLES", "8"))
LONGEST = 0.8  # seconds of load before a kill
SAMPLE = 100  # of what earlier cycles acknowledged, looked at after each kill
BATCH = 2000  # servers in one question
ORIGINS_A_BLOCK = 200
ROTATIONS = 2  # each more key makes every entry longer
QUERY = "/_matrix/key/v2/query"
SERVERS = "/admin/v1/servers"


class Acknowledged:
    """What the notary said yes to."""

    def __init__(self):
        self.keys = {}  # server -> its verify keys
        self.pins = {}  # server -> (key id, public key)
        self.denials = {}  # server -> is it still denied?
        self.own = {}  # the notary's key id -> public key

    def parts(self):
        return self.keys, self.pins, self.denials

    def counts(self):
        return [len(part) for part in self.parts()]

    def since(self, counts):
        """What came after these counts, and a sample of what was there before."""
        picked = Acknowledged()
        for part, into, count in zip(self.parts(), picked.parts(), counts, strict=True):
            rows = list(part.items())
            into.update(rows[count:])
            into.update(random.sample(rows[:count], min(count, SAMPLE)))
        picked.own = self.own
        return picked


class Worker(threading.Thread):
    """Does one thing again and again until the notary is gone. Anything that goes wrong before
    that is an error."""

    def __init__(self, load, step):
        super().__init__()
        self.load, self.step, self.wrong = load, step, None

    def run(self):
        try:
            while not self.load.killed.is_set():
                self.step()
        except Exception as wrong:  # noqa: BLE001  (handed to the thread that waits)
            gone = isinstance(wrong, (OSError, http.client.HTTPException))
            if not (gone and self.load.killed.is_set()):
                self.wrong = wrong


class Load:
    """Everything that asks and tells the notary something, all at once."""

    def __init__(self, notary, origins):
        self.notary, self.origins = notary, origins
        self.acknowledged = Acknowledged()
        self.numbers = itertools.count()
        self.killed = threading.Event()
        self.fresh = []  # origins that were never asked for
        self.blocks = 0

    def add_origins(self):
        """Servers to be asked for. Those that were asked do not answer again."""
        for origin in self.origins.all.values():
            if origin.name in self.acknowledged.keys:
                origin.fault = world_of.answers(500)
        if len(self.fresh) < ORIGINS_A_BLOCK // 2:
            domain = f"b{self.blocks}.test"
            self.fresh += self.origins.add_many(domain, ORIGINS_A_BLOCK, listeners=2)
            self.blocks += 1

    def name(self, kind):
        return f"{kind}{next(self.numbers)}.here.test"

    def told(self, method, path, body=None):
        reply = self.notary.admin.request(method, path, body)
        assert reply.status == 200, reply
        return reply.json

    # ---- the steps

    def ask(self):
        """Unknown servers, and one that may be known already."""
        cold = [self.fresh.pop() for _ in range(min(3, len(self.fresh)))]
        names = [origin.name for origin in cold]
        names += random.sample(list(self.acknowledged.keys), min(1, len(self.acknowledged.keys)))
        self.acknowledged.keys.update(answered(self.notary, names))

    def make_objects(self, count):
        made = [Origin(self.name("import")) for _ in range(count)]
        lines = [{"server": o.name, "object": json.dumps(o.published())} for o in made]
        return lines, {o.name: o.unsigned()["verify_keys"] for o in made}

    def post_import(self):
        lines, keys = self.make_objects(random.randrange(1, 10))
        report = self.told("POST", "/admin/v1/import", {"source": "a test", "objects": lines})
        assert report["new"] == len(keys)
        self.acknowledged.keys.update(keys)

    def import_file(self):
        lines, keys = self.make_objects(30)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        done = self.notary.command("import", "trinity", "-", stdin=text)
        if done.returncode == 0:
            self.acknowledged.keys.update(keys)
        elif not self.killed.is_set():
            raise AssertionError(done.stdout + done.stderr)

    def pin(self):
        origin = Origin(self.name("pin"))
        key = ("ed25519:a", origin.public_key("ed25519:a"))
        self.told("PUT", f"{SERVERS}/{origin.name}/pin",
                  {"key_id": key[0], "public_key": key[1], "reason": "a test"})
        self.acknowledged.pins[origin.name] = key

    def deny(self):
        name = self.name("deny")
        self.told("PUT", f"{SERVERS}/{name}/deny", {"reason": "a test"})
        if random.random() < 0.7:
            self.acknowledged.denials[name] = True
            return
        self.told("DELETE", f"{SERVERS}/{name}/deny")
        self.acknowledged.denials[name] = False

    def rotate(self):
        """A new key of its own, seen in what it publishes."""
        before = set(self.acknowledged.own)
        assert self.notary.command("key", "rotate").returncode == 0
        self.notary.reload()
        eventually(lambda: set(published_keys(self.notary)) - before)
        self.acknowledged.own.update(published_keys(self.notary))

    # ---- until the end

    def run_and_kill(self, seconds):
        steps = [self.ask, self.ask, self.post_import, self.import_file, self.pin, self.deny]
        self.killed.clear()
        workers = [Worker(self, step) for step in steps]
        for worker in workers:
            worker.start()
        time.sleep(seconds)
        self.killed.set()
        self.notary.kill()
        for worker in workers:
            worker.join()
        for worker in workers:
            if worker.wrong:
                raise worker.wrong


# ---- looking at what is there


def answered(notary, names):
    """server -> verify keys, of what a question for all keys brings."""
    reply = notary.post(QUERY, {"server_keys": {name: {} for name in names}})
    assert reply.status == 200, reply
    return {entry["server_name"]: entry["verify_keys"] for entry in reply.json["server_keys"]}


def published_keys(notary):
    own = notary.get("/_matrix/key/v2/server").json
    both = {**own["verify_keys"], **own["old_verify_keys"]}
    return {key_id: key["key"] for key_id, key in both.items()}


def verify_keys(notary, expected):
    names = list(expected)
    for start in range(0, len(names), BATCH):
        part = names[start : start + BATCH]
        found = answered(notary, part)
        lost = [name for name in part if found.get(name) != expected[name]]
        assert not lost, f"{len(lost)} lost, one is {lost[0]}"


def decision(notary, name):
    return notary.admin.request("GET", f"{SERVERS}/{name}").json["decision"] or {}


def verify_decisions(notary, acknowledged):
    for name, (key_id, key) in acknowledged.pins.items():
        pins = decision(notary, name).get("pins", [])
        assert {"key_id": key_id, "public_key": key} in pins, f"the pin of {name} is lost"
    for name, denied in acknowledged.denials.items():
        assert decision(notary, name).get("denied", False) == denied, name


def verify(notary, acknowledged):
    verify_keys(notary, acknowledged.keys)
    verify_decisions(notary, acknowledged)
    now = published_keys(notary)
    assert acknowledged.own.items() <= now.items(), "a key of its own is gone"


def a_notary(story, origins):
    former = str(story.directory / "former.key")
    notary = story.notary({"outbound": origins.outbound, "keys": {
        "signing_file": str(story.directory / "notary.key"), "countersign_file": former}})
    assert notary.command("key", "generate", former).returncode == 0
    return notary


def test_nothing_acknowledged_is_lost_by_a_kill(story, origins):
    notary = a_notary(story, origins)
    load = Load(notary, origins)
    acknowledged, slowest = load.acknowledged, 0.0
    for cycle in range(CYCLES):
        load.add_origins()
        slowest = max(slowest, notary.come_back())
        if cycle in range(1, 1 + ROTATIONS):
            load.rotate()
        acknowledged.own.update(published_keys(notary))
        counts = acknowledged.counts()
        load.run_and_kill(random.uniform(0, LONGEST))
        notary.come_back()
        load.add_origins()
        verify(notary, acknowledged.since(counts))
        notary.kill()
    slowest = max(slowest, notary.come_back())
    verify_keys(notary, acknowledged.keys)
    print(f"{CYCLES} cycles; keys, pins and denials: {acknowledged.counts()}, all there; slowest"
          f" start {slowest:.1f} s")
    assert all(count > CYCLES for count in acknowledged.counts())
