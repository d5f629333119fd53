"""What a client puts together from many answers is what another one is told in one."""

import random

from homeserver_world import refused
from rooms import change, create, send, put_state
from syncing import Syncing, first_sync

STEPS = 220


class Device(Syncing):
    """Remembers the state of rooms, by the rules for clients."""

    def __init__(self, user, **query):
        super().__init__(user, **query)
        self.rooms, self.joined = {}, set()

    def apply(self, answer):
        for kind in ["join", "leave", "invite", "knock"]:
            for room, told in answer.get("rooms", {}).get(kind, {}).items():
                self.joined.discard(room)
                if kind == "join":
                    self.joined.add(room)
                self.remember(room, told)

    def remember(self, room, told):
        events = (told["state_after"]["events"] if "state_after" in told else
                  [*told.get("state", {"events": []})["events"],
                   *told.get("timeline", {"events": []})["events"]])
        slots = self.rooms.setdefault(room, {})
        for event in events:
            if "state_key" in event:
                slots[event["type"], event["state_key"]] = event["event_id"]

    def look(self, **query):
        self.apply(self.sync(**query))

    def known(self):
        return {room: self.rooms[room] for room in self.joined}


class Life:
    """People who do what comes to their minds, as far as they may."""

    def __init__(self, home, seed):
        self.random = random.Random(seed)
        self.people = [home.user(None) for _ in range(3)]
        self.rooms = [create(self.people[0], preset="public_chat")]
        self.devices = [device for user in self.people for device in
                        (Device(user), Device(user.another_device(), use_state_after="true"))]

    def tried(self, reply):
        if reply.status != 200:
            refused(reply, 403, "M_FORBIDDEN")

    def step(self):
        deed = self.random.choice([self.look, self.speak, self.speak, self.name, self.move,
                                   self.move, self.move, self.build])
        deed(self.random.choice(self.people), self.random.choice(self.rooms))

    def look(self, user, room):
        limit = self.random.choice([1, 3, 20])
        self.random.choice(self.devices).look(filter={"room": {"timeline": {"limit": limit}}})

    def speak(self, user, room):
        self.tried(send(user, room, "m.room.message", {"body": "x"}))

    def name(self, user, room):
        key = self.random.choice(["", "a", "b"])
        self.tried(put_state(user, room, "org.state", {"value": self.random.random() > 0.5}, key))

    def move(self, user, room):
        what = self.random.choice(["join", "join", "join", "leave", "invite", "kick", "ban",
                                   "unban"])
        other = None if what in ("join", "leave") else self.random.choice(self.people)
        self.tried(change(user, room, what, other))

    def build(self, user, room):
        if len(self.rooms) < 5:
            visibility = self.random.choice(["shared", "joined", "invited"])
            self.rooms.append(create(user, preset="public_chat", initial_state=[
                {"type": "m.room.history_visibility",
                 "content": {"history_visibility": visibility}}]))


def test_many_answers_add_up_to_one(home):
    life = Life(home, seed=4)
    for _ in range(STEPS):
        life.step()
    for device in life.devices:
        device.look()
        fresh = Device(device.user, **device.query)
        fresh.apply(first_sync(device.user, **device.query))
        assert device.known() == fresh.known()
