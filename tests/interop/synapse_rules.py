"""Rooms that never were, judged by Synapse: run by its own Python, see test_synapse_rules.py.

    synapse_rules.py resolve|judge SEED COUNT

prints COUNT lines for each room version, each with a question for tests/support/tools/homeserver_rules.c and Synapse's answer.
"""

import asyncio
import json
import random
import sys

from synapse import event_auth
from synapse.api.errors import SynapseError
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.events import make_event_from_dict
from synapse.state import v1, v2
from synapse.storage.databases.main.event_federation import StateDifference

USERS = [f"@{name}:{server}.example" for server in "ab" for name in ("ann", "bob", "cat")]
MEMBERSHIPS = ["join", "join", "join", "leave", "leave", "invite", "ban", "knock"]
RULES = ["public", "public", "invite", "knock", "restricted", "knock_restricted"]
LEVELS = ["users_default", "events_default", "state_default", "ban", "kick", "redact", "invite"]


class Room:
    """Events and branches of one room; a branch is a state that somebody believes in."""

    def __init__(self, version, rand):
        self.version, self.rand = KNOWN_ROOM_VERSIONS[version], rand
        self.events, self.index = [], {}
        self.branches = [{}]
        self.time = 1000
        self.create()

    # ---- events

    def make(self, state, type, key, sender, content, before=("p",)):
        """An event that cites what it has to of the state."""
        self.time += self.rand.choice([0, 0, 1, 5])
        event = {
            "type": type, "sender": sender, "content": content, "depth": self.rand.randint(1, 9),
            "origin_server_ts": self.time, "hashes": {}, "signatures": {},
            "prev_events": [self.reference(f"${id}:a.example") for id in before],
            "auth_events": [], "state_key": key,
        }
        if self.events or self.version.identifier != "12":
            event["room_id"] = self.room_id()
        if self.version.identifier in ("1", "2"):
            event["event_id"] = f"$e{len(self.events)}{self.rand.randrange(10**6)}:a.example"
        wanted = event_auth.auth_types_for_event(self.version, self.event(event))
        cited = [state[key] for key in sorted(wanted) if key in state and self.is_cited(key)]
        event["auth_events"] = [self.reference(one.event_id) for one in cited]
        return self.event(event)

    def is_cited(self, key):
        return self.version.identifier != "12" or key != ("m.room.create", "")

    def event(self, content):
        return make_event_from_dict(json.loads(json.dumps(content)), self.version)

    def room_id(self):
        if self.version.identifier == "12":
            return "!" + self.events[0].event_id[1:]
        return "!room:a.example"

    def keep(self, event):
        if event.event_id not in self.index:
            self.index[event.event_id] = len(self.events)
            self.events.append(event)

    def allowed(self, event, state):
        try:
            event_auth.check_state_dependent_auth_rules(event, list(state.values()))
        except SynapseError:
            return False
        return True

    def try_put(self, branch, event):
        state = self.branches[branch]
        # Synapse knowingly never takes back a rejection, the specification does: so that both
        # say the same, what is rejected is in no state.
        if self.allowed(event, state):
            self.keep(event)
            self.branches[branch] = {**state, (event.type, event.state_key): event}

    # ---- what happens in rooms

    def create(self):
        content = {"room_version": self.version.identifier}
        if not self.version.implicit_room_creator:
            content["creator"] = USERS[0]
        if self.version.identifier == "12" and self.rand.random() < 0.3:
            content["additional_creators"] = [USERS[3]]
        create = self.make({}, "m.room.create", "", USERS[0], content, before=())
        self.keep(create)
        self.branches[0][("m.room.create", "")] = create
        join = self.make(self.branches[0], "m.room.member", USERS[0], USERS[0],
                         {"membership": "join"})
        # The first join follows the create event.
        join = self.following(join, create)
        self.keep(join)
        self.branches[0][("m.room.member", USERS[0])] = join
        self.try_put(0, self.make(self.branches[0], "m.room.power_levels", "", USERS[0],
                                  self.levels(self.branches[0], calm=True)))
        self.try_put(0, self.make(self.branches[0], "m.room.join_rules", "", USERS[0],
                                  {"join_rule": "public"}))

    def reference(self, id):
        return [id, {"sha256": "x"}] if self.version.identifier in ("1", "2") else id

    def following(self, event, before):
        return self.event({**self.pdu(event), "prev_events": [self.reference(before.event_id)]})

    def number(self):
        value = self.rand.choice([0, 0, 10, 50, 50, 75, 100, 100])
        if self.version.identifier in ("1", "5", "9") and self.rand.random() < 0.1:
            return str(value)
        return value

    def levels(self, state, calm=False):
        users = {} if self.version.identifier == "12" else {USERS[0]: 100}
        if not calm:
            before = state.get(("m.room.power_levels", ""))
            users = dict(before.content.get("users", {})) if before else {}
            for user in self.rand.sample(USERS, 2):
                users[user] = self.number()
            if self.version.identifier == "12":
                users.pop(USERS[0], None)
        content = {"users": users}
        for name in LEVELS:
            if self.rand.random() < (0.1 if calm else 0.3):
                content[name] = 0 if calm else self.number()
        if self.rand.random() < 0.3:
            content["events"] = {"m.room.topic": self.number()}
        if self.rand.random() < 0.2:
            content["notifications"] = {"room": self.number()}
        return content

    def membership(self, state):
        sender = self.rand.choice(USERS)
        target = sender if self.rand.random() < 0.5 else self.rand.choice(USERS)
        content = {"membership": self.rand.choice(MEMBERSHIPS)}
        if self.rand.random() < 0.2:
            content["join_authorised_via_users_server"] = self.rand.choice(USERS)
        return "m.room.member", target, sender, content

    def action(self, state):
        """type, key, sender, content"""
        what, sender = self.rand.random(), self.rand.choice(USERS)
        if what < 0.5:
            return self.membership(state)
        if what < 0.7:
            return "m.room.power_levels", "", sender, self.levels(state)
        if what < 0.8:
            return "m.room.join_rules", "", sender, {"join_rule": self.rand.choice(RULES)}
        if what < 0.9:
            return "m.room.topic", "", sender, {"topic": str(self.rand.random())}
        return "org.example.state", self.rand.choice(["", *USERS]), sender, {}

    def live(self, steps, resolve):
        for _ in range(steps):
            branch = self.rand.randrange(len(self.branches))
            if self.rand.random() < 0.12 and len(self.branches) < 5:
                self.branches.append(dict(self.branches[branch]))
            elif self.rand.random() < 0.05 and len(self.branches) > 1:
                other = self.branches.pop(branch)
                mine = self.rand.randrange(len(self.branches))
                self.branches[mine] = resolve(self, [self.branches[mine], other])
            else:
                state = self.branches[branch]
                self.try_put(branch, self.make(state, *self.action(state)))

    # ---- questions

    def pdus(self):
        return [self.pdu(event) for event in self.events]

    def pdu(self, event):
        content = event.get_dict()
        content.pop("unsigned", None)
        if self.version.identifier not in ("1", "2"):
            content.pop("event_id", None)
        return content

    def indices(self, state):
        return sorted(self.index[event.event_id] for event in state.values())

    def question(self, **rest):
        return {"version": self.version.identifier, "events": self.pdus(), **rest}


# ---- Synapse's answers


class Store:
    """Everything is in the map of events already."""

    async def get_events(self, ids, allow_rejected=False):
        assert not list(ids), "an event is missing"
        return {}

    async def get_auth_chain_difference(self, room_id, states, conflicted, more):
        return StateDifference(auth_difference=set(),
                               conflicted_subgraph=None if conflicted is None else set())


class Clock:
    async def sleep(self, *_):
        pass


def resolve(room, states):
    by_id = {event.event_id: event for event in room.events}
    sets = [{key: event.event_id for key, event in state.items()} for state in states]

    async def some(ids):
        return {id: by_id[id] for id in ids}

    if room.version.identifier == "1":
        run = v1.resolve_events_with_store(room.room_id(), room.version, sets, dict(by_id), some)
    else:
        run = v2.resolve_events_with_store(Clock(), room.room_id(), room.version, sets,
                                           dict(by_id), Store())
    return {key: by_id[id] for key, id in asyncio.run(run).items()}


def ask_resolve(version, rand):
    room = Room(version, rand)
    room.live(rand.randint(20, 200), resolve)
    if len(room.branches) == 1:
        room.branches.append(dict(room.branches[0]))
        room.live(60, resolve)
    states = room.branches
    return (room.question(states=[room.indices(state) for state in states]),
            room.indices(resolve(room, states)))


def ask_judge(version, rand):
    room = Room(version, rand)
    room.live(rand.randint(0, 100), resolve)
    state = rand.choice(room.branches)
    event = room.make(state, *room.action(state))
    return (room.question(state=room.indices(state), event=room.pdu(event)),
            room.allowed(event, state))


def main(kind, seed, count):
    ask = {"resolve": ask_resolve, "judge": ask_judge}[kind]
    for version in (str(number) for number in range(1, 13)):
        rand = random.Random(f"{kind} {version} {seed}")
        for _ in range(int(count)):
            question, answer = ask(version, rand)
            print(json.dumps({"question": question, "answer": answer}))


main(*sys.argv[1:])
