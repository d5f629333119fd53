"""What people have a homeserver keep, for stories in which it may die at any moment.

A value is written, and is then what is read. While no answer has come it may be the old one, the
new one, or what lies between them:

    fact = Fact(AccountData(), ann, "test.1")
    fact.change(7)()         # raises what the connection raises
    assert fact.found() in fact.possible
"""

import json
import random

from rooms import part, path
from syncing import Answer

FIRST_PASSWORD = "password number 0"


class Fact:
    """One value of one person."""

    def __init__(self, kind, person, key):
        self.kind, self.person, self.key = kind, person, key
        self.possible = [None]

    def change(self, value):
        """What makes it so, as often as it is tried."""

        def write():
            between = self.kind.between(value)
            self.possible = list(dict.fromkeys([*self.possible, *between, value]))
            self.kind.write(self.person, self.key, value, self.possible)
            self.possible = [value]

        return write

    def found(self):
        return self.kind.read(self.person, self.key, self.possible)

    def __repr__(self):
        return f"{type(self.kind).__name__} {self.key} of {self.person.user.id}"


class Kind:
    """How such values are chosen, written and read."""

    keys = 3

    def between(self, value):
        return []

    def key(self):
        return f"test.{random.randrange(self.keys)}"

    def value(self, person, number):
        return number

    def write(self, person, key, value, possible):
        raise NotImplementedError

    def read(self, person, key, possible):
        raise NotImplementedError


def kept(person, target, name):
    """A member of an object that may not be there."""
    reply = person.ask("GET", target, also=404)
    return reply.json.get(name) if reply.status == 200 else None


# ---- of one's own


class AccountData(Kind):
    def place(self, person, key):
        return f"/user/{part(person.user.id)}/account_data/{key}"

    def write(self, person, key, value, possible):
        person.ask("PUT", self.place(person, key), {"value": value})

    def read(self, person, key, possible):
        return kept(person, self.place(person, key), "value")


class RoomData(AccountData):
    def place(self, person, key):
        return f"/user/{part(person.user.id)}/rooms/{part(person.den)}/account_data/{key}"


class Tag(Kind):
    def place(self, person):
        return f"/user/{part(person.user.id)}/rooms/{part(person.den)}/tags"

    def value(self, person, number):
        return random.choice((None, round(random.random(), 6)))

    def write(self, person, key, value, possible):
        target = f"{self.place(person)}/{key}"
        if value is None:
            person.ask("DELETE", target)
        else:
            person.ask("PUT", target, {"order": value})

    def read(self, person, key, possible):
        return person.ask("GET", self.place(person)).json["tags"].get(key, {}).get("order")


class ProfileField(Kind):
    def key(self):
        return random.choice(("displayname", "test.field"))

    def value(self, person, number):
        return f"name {number}"

    def write(self, person, key, value, possible):
        person.ask("PUT", f"/profile/{part(person.user.id)}/{key}", {key: value})

    def read(self, person, key, possible):
        return kept(person, f"/profile/{part(person.user.id)}", key)


class DeviceName(Kind):
    def key(self):
        return "this device"

    def value(self, person, number):
        return f"device {number}"

    def write(self, person, key, value, possible):
        person.ask("PUT", f"/devices/{person.user.device}", {"display_name": value})

    def read(self, person, key, possible):
        return kept(person, f"/devices/{person.user.device}", "display_name")


class Password(Kind):
    """Of the person's double, so that nobody else's devices are touched."""

    def key(self):
        return "password"

    def value(self, person, number):
        return f"password number {number}"

    def fits(self, person, password):
        """A log-in; always on the same device."""
        reply = person.ask("POST", "/login", {
            "type": "m.login.password", "password": password, "device_id": "DOUBLE",
            "identifier": {"type": "m.id.user", "user": person.double.name}}, also=403)
        return reply.status == 200

    def write(self, person, key, value, possible):
        old = self.read(person, key, possible)
        if old == value:
            return
        body = {"new_password": value, "logout_devices": False}
        asked = person.ask("POST", "/account/password", body, who=person.double, also=401)
        person.ask("POST", "/account/password", who=person.double, body={**body, "auth": {
            "session": asked.json["session"], **person.double.proof(old or FIRST_PASSWORD)}})

    def read(self, person, key, possible):
        for password in possible:
            if self.fits(person, password or FIRST_PASSWORD):
                return password
        return "none of them"


# ---- of rooms


class Topic(Kind):
    def key(self):
        return random.choice(("m.room.topic", "test.state"))

    def write(self, person, key, value, possible):
        person.ask("PUT", path(person.den, "state", key, ""), {"topic": str(value)})

    def read(self, person, key, possible):
        topic = kept(person, path(person.den, "state", key, ""), "topic")
        return topic and int(topic)


class Alias(Kind):
    def key(self):
        return f"alias{random.randrange(self.keys)}"

    def value(self, person, number):
        return random.choice((None, person.den))

    def place(self, person, key):
        return "/directory/room/" + part(f"#{key}-of-{person.user.name}:hs.test")

    def write(self, person, key, value, possible):
        if value is None:
            person.ask("DELETE", self.place(person, key), also=404)
        else:
            person.ask("PUT", self.place(person, key), {"room_id": value}, also=409)

    def read(self, person, key, possible):
        return kept(person, self.place(person, key), "room_id")


class Published(Kind):
    def key(self):
        return "den"

    def value(self, person, number):
        return random.choice(("public", None))

    def place(self, person):
        return f"/directory/list/room/{part(person.den)}"

    def write(self, person, key, value, possible):
        person.ask("PUT", self.place(person), {"visibility": value or "private"})

    def read(self, person, key, possible):
        visibility = person.ask("GET", self.place(person)).json["visibility"]
        return visibility if visibility == "public" else None


class Membership(Kind):
    """Of the person's double in the den: invited, kicked, banned by the one, joined by the other."""

    def key(self):
        return "den"

    def between(self, value):
        return [None]  # on the way from one to another

    def value(self, person, number):
        return random.choice(("invite", "join", None, "ban"))

    def tell(self, person, what, who=None):
        body = {} if who else {"user_id": person.double.id}
        person.ask("POST", path(person.den, what), body, who=who)

    def write(self, person, key, value, possible):
        now = self.read(person, key, possible)
        if now == value:
            return
        if now == "ban":
            self.tell(person, "unban")
        if value == "join":
            self.tell(person, "join", person.double)
        elif value == "invite":
            if now == "join":
                self.tell(person, "kick")
            self.tell(person, "invite")
        elif value == "ban":
            self.tell(person, "ban")
        elif now in ("join", "invite"):
            self.tell(person, "kick")

    def read(self, person, key, possible):
        where = path(person.den, "state", "m.room.member", person.double.id)
        now = kept(person, where, "membership")
        return None if now == "leave" else now


class OwnMembership(Kind):
    """In the room where people only come and go."""

    def key(self):
        return "lobby"

    def value(self, person, number):
        return random.choice(("join", None))

    def write(self, person, key, value, possible):
        if self.read(person, key, possible) != value:
            person.ask("POST", path(person.load.lobby, value or "leave"))

    def read(self, person, key, possible):
        joined = person.ask("GET", "/joined_rooms").json["joined_rooms"]
        return "join" if person.load.lobby in joined else None


# ---- how far somebody has read


class ReadMarker(Kind):
    """At the newest thing that the person said in the first room."""

    def key(self):
        return "marker"

    def value(self, person, number):
        return person.newest

    def write(self, person, key, value, possible):
        if value:
            person.ask("POST", path(person.load.rooms[0], "read_markers"),
                       {"m.fully_read": value})

    def read(self, person, key, possible):
        place = f"/user/{part(person.user.id)}/rooms/{part(person.load.rooms[0])}"
        return kept(person, place + "/account_data/m.fully_read", "event_id")


class Receipt(ReadMarker):
    """Which is read by a /sync from the beginning."""

    def key(self):
        return "receipt"

    def write(self, person, key, value, possible):
        if value:
            person.ask("POST", path(person.load.rooms[0], "receipt", "m.read", value))

    def read(self, person, key, possible):
        room = person.load.rooms[0]
        only = {"room": {"rooms": [room], "timeline": {"limit": 1},
                         "ephemeral": {"types": ["m.receipt"]}}}
        told = Answer(person.ask("GET", f"/sync?filter={part(json.dumps(only))}").json)
        at = [event_id for content in told.ephemeral(room, "m.receipt")
              for event_id, kinds in content.items() if person.user.id in kinds.get("m.read", {})]
        return at[0] if at else None


KINDS = [AccountData(), RoomData(), Tag(), ProfileField(), DeviceName(), Password(), Topic(),
         Alias(), Published(), Membership(), OwnMembership(), ReadMarker(), Receipt()]
