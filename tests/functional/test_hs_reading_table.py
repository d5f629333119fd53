"""Who may read what: everybody who ever had to do with a room, under each visibility of its
history, at every endpoint that shows it."""

import itertools

import pytest

from homeserver_world import V1, refused
from rooms import change, create, done, part, path, say, set_state

VISIBILITIES = ["shared", "joined", "invited", "world_readable"]

# What bob does between the first message and the second, and between the second and the third.
READERS = {
    "never": ([], []),
    "invited": (["invite"], []),
    "declined": (["invite"], ["leave"]),
    "left": (["join"], ["leave"]),
    "left after an invite": (["invite", "join"], ["leave"]),
    "banned": (["join"], ["ban"]),
    "forgot": (["join"], ["leave", "forget"]),
    "joined": (["join"], []),
    "came back": (["join", "leave"], ["join"]),
}

CLOSED, HIDDEN = (403, "M_FORBIDDEN"), (404, "M_NOT_FOUND")
NOTHING = set()
ALL = {"one", "two", "three"}

# Which of the messages they see, and the state (the topic) that they may know: None is refused.
EXPECTED = {
    ("never", "shared"): (None, None),
    ("never", "joined"): (None, None),
    ("never", "invited"): (None, None),
    ("invited", "shared"): (None, None),
    ("invited", "joined"): (None, None),
    ("invited", "invited"): (None, None),
    ("declined", "shared"): (None, None),
    ("declined", "joined"): (None, None),
    ("declined", "invited"): (None, None),
    ("forgot", "shared"): (None, None),
    ("forgot", "joined"): (None, None),
    ("forgot", "invited"): (None, None),
    ("left", "shared"): ({"one", "two"}, "then"),
    ("left", "joined"): ({"two"}, "then"),
    ("left", "invited"): ({"two"}, "then"),
    ("left after an invite", "shared"): ({"one", "two"}, "then"),
    ("left after an invite", "joined"): ({"two"}, "then"),
    ("left after an invite", "invited"): ({"two"}, "then"),
    ("banned", "shared"): ({"one", "two"}, "then"),
    ("banned", "joined"): ({"two"}, "then"),
    ("banned", "invited"): ({"two"}, "then"),
    ("joined", "shared"): (ALL, "now"),
    ("joined", "joined"): ({"two", "three"}, "now"),
    ("joined", "invited"): ({"two", "three"}, "now"),
    ("came back", "shared"): (ALL, "now"),
    ("came back", "joined"): ({"three"}, "now"),
    ("came back", "invited"): ({"three"}, "now"),
    # What everybody may read, everybody may; whoever left is told the state as it was then.
    **{(reader, "world_readable"): (ALL, "now") for reader in READERS},
    **{(reader, "world_readable"): (ALL, "then")
       for reader in ("left", "left after an invite", "banned")},
}


class Room:
    """A room in which three things are said, while bob comes and goes."""

    def __init__(self, home, reader, visibility):
        self.ann, self.bob = home.user(None), home.user(None)
        self.id = create(self.ann, preset="public_chat", initial_state=[
            {"type": "m.room.history_visibility", "content": {"history_visibility": visibility}}])
        first, second = READERS[reader]
        self.events = {"one": self.say("one")}
        self.at = done(self.ann.get(path(self.id, "messages") + "?dir=b&limit=1"))["start"]
        set_state(self.ann, self.id, "m.room.topic", {"topic": "then"})
        self.bob_does(first)
        self.events["two"] = self.say("two")
        self.bob_does(second)
        set_state(self.ann, self.id, "m.room.topic", {"topic": "now"})
        self.events["three"] = self.say("three")

    def say(self, text):
        """The message's id; each has a child as well."""
        event_id = say(self.ann, self.id, text)
        say(self.ann, self.id, f"{text}'s child", **{
            "m.relates_to": {"rel_type": "m.reference", "event_id": event_id}})
        return event_id

    def bob_does(self, steps):
        for step in steps:
            if step in ("invite", "ban"):
                done(change(self.ann, self.id, step, self.bob))
            else:
                done(change(self.bob, self.id, step))

    def get(self, *rest, query="", version="/_matrix/client/v3"):
        return self.bob.get(version + path(self.id, *rest) + query)


@pytest.fixture(scope="module", params=itertools.product(READERS, VISIBILITIES), ids=" ".join)
def case(shared_home, request):
    return Room(shared_home, *request.param), *EXPECTED[request.param]


def visible(reply, sees):
    """A list of what was said: None if it is refused."""
    if sees is None:
        refused(reply, *CLOSED)
        return None
    return {event["content"].get("body") for event in done(reply)["chunk"]} & ALL


def found(reply, refusal=HIDDEN):
    """Whether a single thing is there for bob."""
    if reply.status != 200:
        refused(reply, *refusal)
    return reply.status == 200


def test_history(case):
    room, sees, _ = case
    for direction in "bf":
        reply = room.get("messages", query=f"?dir={direction}&limit=100")
        assert visible(reply, sees) == sees


def test_single_events(case):
    room, sees, _ = case
    shown = {text for text, event in room.events.items() if found(room.get("event", event))}
    assert shown == (sees or NOTHING)
    shown = {text for text, event in room.events.items()
             if found(room.bob.get(f"/events/{part(event)}"))}
    assert shown == (sees or NOTHING)


def test_context(case):
    room, sees, _ = case
    refusal = CLOSED if sees is None else HIDDEN
    for text, event in room.events.items():
        reply = room.get("context", event, query="?limit=100")
        assert found(reply, refusal) == (text in (sees or NOTHING))
        if reply.status == 200:
            around = [reply.json["event"], *reply.json["events_before"],
                      *reply.json["events_after"]]
            assert {event["content"].get("body") for event in around} & ALL == sees


def test_relations(case):
    room, sees, _ = case
    for text, event in room.events.items():
        reply = room.get("relations", event, version=V1)
        assert found(reply) == (text in (sees or NOTHING))
        if reply.status == 200:
            assert [child["content"]["body"] for child in reply.json["chunk"]] == [
                f"{text}'s child"]


def test_state(case):
    room, _, topic = case
    replies = [room.get("state"), room.get("state", "m.room.topic"),
               room.get("state", "m.room.topic", ""), room.get("members")]
    if topic is None:
        assert {(reply.status, reply.errcode) for reply in replies} == {CLOSED}
        return
    whole, *one, members = map(done, replies)
    assert {"topic": topic} in [event["content"] for event in whole]
    assert one == [{"topic": topic}] * 2
    assert room.ann.id in [event["state_key"] for event in members["chunk"]]


def test_members_of_earlier(case):
    room, sees, _ = case
    reply = room.get("members", query=f"?at={room.at}&membership=join")
    if "one" not in (sees or NOTHING):
        refused(reply, *CLOSED)
    else:
        assert [event["state_key"] for event in done(reply)["chunk"]] == [room.ann.id]


def test_joined_members(case, request):
    room, _, topic = case
    reply = room.get("joined_members")
    if request.node.callspec.params["case"][0] in ("joined", "came back"):
        assert set(done(reply)["joined"]) == {room.ann.id, room.bob.id}
    else:
        refused(reply, *CLOSED)


def test_the_event_of_a_time(case):
    room, sees, _ = case
    reply = room.get("timestamp_to_event", query="?ts=0&dir=f", version=V1)
    if sees is None:
        refused(reply, *CLOSED)
    else:
        assert found(room.get("event", done(reply)["event_id"]))


def test_the_old_initial_sync(case):
    room, sees, topic = case
    reply = room.get("initialSync", query="?limit=100")
    if sees is None:
        refused(reply, *CLOSED)
        return
    bodies = {event["content"].get("body") for event in reply.json["messages"]["chunk"]}
    assert bodies & ALL == sees
    assert {"topic": topic} in [event["content"] for event in reply.json["state"]]
