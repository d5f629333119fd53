"""Everything that people do on a homeserver, while it may die at any moment.

    load = Load(world)
    load.run_and_kill(0.5)

A request whose answer never came is sent again after the kill, with the same transaction id, as
clients do. What was acknowledged is looked for by `Thing.check`, and by `Fact.found` (facts.py).
"""

import http.client
import itertools
import random
import threading
import time

import facts
from homeserver_world import V1, User
from rooms import part, path

PEOPLE = 6
ROOMS = 4
UPLOAD = "/_matrix/media/v3/upload"
CREATE_MEDIA = "/_matrix/media/v1/create"


class Killed(Exception):
    """The server is gone: it may have happened or not."""


class Person:
    """One device, one thing after the other; and a double, whose password and membership change."""

    def __init__(self, load, number):
        self.load, self.number = load, number
        self.user = load.world.user(f"person{number}")
        self.double = load.world.user(f"double{number}", password=facts.FIRST_PASSWORD)
        self.numbers = itertools.count(1)
        self.again = None  # what was sent and not answered: its callable
        self.facts = {}  # (kind, key) -> what it may be
        self.newest = None  # event id of the last thing said in the first room
        self.den = self.ask("POST", "/createRoom", {"preset": "public_chat"}).json["room_id"]

    def ask(self, method, target, body=None, who=None, also=None, **more):
        """A request that must be answered with 200, or with the status `also`."""
        if body is None and method in ("POST", "PUT"):
            body = {}
        try:
            reply = (who or self.user).request(method, target, body, **more)
        except (OSError, http.client.HTTPException) as gone:
            raise Killed from gone
        assert reply.status in (200, also), (method, target, reply)
        return reply

    def name(self):
        return f"{self.number}-{next(self.numbers)}"

    def fact(self):
        kind = random.choice(facts.KINDS)
        key = kind.key()
        fact = self.facts.setdefault((kind, key), facts.Fact(kind, self, key))
        return fact.change(kind.value(self, next(self.numbers)))

    def thing(self):
        thing = random.choice(THINGS)(self)

        def make():
            thing.tries += 1
            thing.make()
            self.load.things.append(thing)

        return make

    def noise(self):
        """What only memory keeps."""
        room = random.choice(self.load.rooms)

        def ask():
            self.ask("PUT", path(room, "typing", self.user.id), {"typing": True, "timeout": 5000})
            self.ask("PUT", f"/presence/{part(self.user.id)}/status",
                     {"presence": random.choice(("online", "unavailable"))})

        return ask

    def step(self):
        what = self.again or random.choices((self.thing, self.fact, self.noise), (8, 10, 1))[0]()
        self.again = what
        what()
        self.again = None


# ---- what is made once, and stays


class Thing:
    """make() is tried until it is answered; then check() finds it."""

    def __init__(self, person):
        self.person, self.name, self.tries = person, person.name(), 0
        self.begin()

    def begin(self):
        pass

    def make(self):
        raise NotImplementedError

    def check(self):
        raise NotImplementedError

    def ask(self, *arguments, **more):
        return self.person.ask(*arguments, **more)

    def again(self, status):
        """A status that is right only for what was tried before."""
        return status if self.tries > 1 else None

    def event(self, event_id):
        return self.ask("GET", path(self.room, "event", event_id)).json


class Message(Thing):
    """The same transaction id is the same event, also when it comes again."""

    def begin(self):
        self.room = random.choice(self.person.load.rooms)

    def say(self):
        where = path(self.room, "send", "m.room.message", self.name)
        said = self.ask("PUT", where, {"msgtype": "m.text", "body": self.name}).json["event_id"]
        assert said == self.ask("PUT", where, {"body": "another"}).json["event_id"]
        if self.room == self.person.load.rooms[0]:
            self.person.newest = said
        return said

    def make(self):
        self.id = self.say()
        self.person.load.said[self.room][self.name] = self.id

    def check(self):
        assert self.event(self.id)["content"]["body"] == self.name


class Redacted(Message):
    id = None

    def make(self):
        self.id = self.id or self.say()
        where = path(self.room, "redact", self.id, f"r{self.name}")
        self.redaction = self.ask("PUT", where, {"reason": self.name}).json["event_id"]
        assert self.redaction == self.ask("PUT", where).json["event_id"]

    def check(self):
        event = self.event(self.id)
        assert not event["content"], event
        assert event["unsigned"]["redacted_because"]["event_id"] == self.redaction, event


class Upload(Thing):
    def begin(self):
        # Some of them are the same bytes.
        self.content = (f"file {random.randrange(50)} " * random.randrange(1, 3000)).encode()

    def send(self, method, target, also=None):
        return self.ask(method, target, self.content, also=also,
                        headers={"Content-Type": "text/plain"})

    def make(self):
        self.uri = self.send("POST", f"{UPLOAD}?filename={self.name}").json["content_uri"]

    def check(self):
        found = self.ask("GET", f"{V1}/media/download/{self.uri.removeprefix('mxc://')}")
        assert found.body == self.content, self.uri


class LateUpload(Upload):
    """Its id comes first. If it was there when it died, it may not be written again."""

    uri = None

    def make(self):
        self.uri = self.uri or self.ask("POST", CREATE_MEDIA).json["content_uri"]
        self.send("PUT", f"{UPLOAD}/{self.uri.removeprefix('mxc://')}", also=self.again(409))


class Account(Thing):
    """Somebody new, who signs in a second time."""

    password = "a new password"

    def sign_in(self, also=None):
        return self.ask("POST", "/login", {
            "type": "m.login.password", "password": self.password,
            "identifier": {"type": "m.id.user", "user": f"new{self.name}"}}, also=also)

    def register(self):
        """The name may be taken: then it is ours."""
        self.ask("POST", "/register", also=self.again(400), body={
            "username": f"new{self.name}", "password": self.password, "inhibit_login": True,
            "auth": {"type": "m.login.dummy"}})
        return User(self.person.load.world, self.sign_in().json, self.password)

    def make(self):
        self.user = self.register()

    def check(self):
        assert self.ask("GET", "/account/whoami", who=self.user).json["user_id"] == self.user.id


class SignedOut(Account):
    user = None

    def make(self):
        self.user = self.user or self.register()
        self.ask("POST", "/logout", who=self.user, also=self.again(401))

    def check(self):
        reply = self.ask("GET", "/account/whoami", who=self.user, also=401)
        assert reply.errcode == "M_UNKNOWN_TOKEN", reply


class Gone(Account):
    """An account that its user ended."""

    user = None

    def make(self):
        self.user = self.user or self.register()
        asked = self.ask("POST", "/account/deactivate", who=self.user, also=401).json
        if "session" in asked:  # otherwise the token is dead: it was done
            self.ask("POST", "/account/deactivate", who=self.user,
                     body={"auth": {"session": asked["session"], **self.user.proof()}})

    def check(self):
        assert self.sign_in(also=403).errcode == "M_USER_DEACTIVATED", self.user.id
        self.ask("GET", "/account/whoami", who=self.user, also=401)


class Room(Thing):
    """It is made whole or not at all: Load.half_rooms() looks for the other ones."""

    def make(self):
        self.room = self.ask("POST", "/createRoom", {
            "name": self.name, "invite": [self.person.double.id]}).json["room_id"]

    def state(self, *rest):
        return self.ask("GET", path(self.room, "state", *rest)).json

    def check(self):
        assert self.state("m.room.name", "")["name"] == self.name
        invited = self.state("m.room.member", self.person.double.id)
        assert invited["membership"] == "invite", invited


class Filter(Thing):
    def place(self):
        return f"/user/{part(self.person.user.id)}/filter"

    def make(self):
        self.filter = {"event_fields": [f"content.{random.randrange(100)}"]}
        self.id = self.ask("POST", self.place(), self.filter).json["filter_id"]

    def check(self):
        assert self.ask("GET", f"{self.place()}/{self.id}").json == self.filter


THINGS = [Message] * 20 + [Redacted] * 3 + [Upload, LateUpload] * 2 + [
    Account, SignedOut, Gone, Room, Filter]


# ---- all of them


class Worker(threading.Thread):
    def __init__(self, load, person):
        super().__init__()
        self.load, self.person, self.wrong = load, person, None

    def run(self):
        try:
            while not self.load.killed.is_set():
                self.person.step()
        except Killed as wrong:
            if not self.load.killed.is_set():
                self.wrong = wrong
        except BaseException as wrong:  # pylint: disable=broad-except
            self.wrong = wrong


class Load:
    """Everybody, in a few rooms that all are in, and in a lobby."""

    def __init__(self, world):
        self.world, self.killed = world, threading.Event()
        self.things = []  # acknowledged
        self.people = [Person(self, number) for number in range(PEOPLE)]
        self.reader = world.user("reader")  # is everywhere and says nothing
        self.rooms = [self.make_room() for _ in range(ROOMS)]
        self.lobby = self.people[0].ask(
            "POST", "/createRoom", {"preset": "public_chat"}, who=self.reader).json["room_id"]
        self.said = {room: {} for room in self.rooms}  # body -> event id, acknowledged

    def make_room(self):
        first = self.people[0]
        room = first.ask("POST", "/createRoom", {"preset": "public_chat"}).json["room_id"]
        for user in [person.user for person in self.people[1:]] + [self.reader]:
            first.ask("POST", path(room, "join"), who=user)
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

    def facts(self):
        return [fact for person in self.people for fact in person.facts.values()]

    def half_rooms(self):
        """Rooms of people that have no name, other than those of the story's beginning."""
        for person in self.people:
            known = {*self.rooms, self.lobby, person.den}
            for room in person.ask("GET", "/joined_rooms").json["joined_rooms"]:
                named = person.ask("GET", path(room, "state", "m.room.name", ""), also=404)
                if named.status == 404 and room not in known:
                    yield room
