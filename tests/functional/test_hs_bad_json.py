"""What is no JSON, no event, or only looks dangerous, sent as the content of a message into a room of
version 10."""

import json

import pytest

import bad_json
from bad_json import BJ, TL, member, nested, text
from homeserver_world import refused
from rooms import create, done, event, path, put_state, say, send
from syncing import first_sync

EVENT_MAX = 65536


@pytest.fixture(scope="module")
def room(shared_home):
    ann = shared_home.user("ann")
    return ann, create(ann, room_version="10")


REALS = {
    "014 a number with a point": (b"1.0", BJ),
    "015 an exponent": (b"1e2", BJ),
    "016 minus zero with a point": (b"-0.0", BJ),
    "019 2^53": (b"9007199254740992", BJ),
    "020 -2^53": (b"-9007199254740992", BJ),
}

REFUSED = {
    **bad_json.refused(b"body", REALS),
    "044 two hundred thousand brackets": (b"[" * 200000, TL),
    "046 two hundred thousand arrays": (member(b"[" + b"[]," * 200000 + b"[]]"), TL),
    "047 50,000 keys": (b"{" + b",".join(b'"%d":0' % i for i in range(50000)) + b"}", TL),
    "050 a body larger than any event": (text(b"a" * EVENT_MAX), TL),
    "051 an event larger than its content": (text(b"a" * (EVENT_MAX - 100)), TL),
    "060 mentions that are none": (b'{"m.mentions":3}', BJ),
    "060 a relation that is none": (b'{"m.relates_to":[]}', BJ),
}

TAKEN = {**bad_json.taken("body"), "042 many levels": (nested(99), None)}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_content_is_refused(home, room, case):
    ann, where = room
    body, expected = REFUSED[case]
    refused(send(ann, where, "m.room.message", body), *expected)
    say(ann, where, "the next request is served")


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_only_odd_comes_back_as_it_was(home, room, case):
    ann, where = room
    body, expected = TAKEN[case]
    sent = done(send(ann, where, "m.room.message", body))["event_id"]
    content = event(ann, where, sent)["content"]
    assert content == (json.loads(body) if expected is None else expected)


# ---- sizes of whole events


def size_as_servers_see_it(user, where, event_id):
    told = first_sync(user, filter={"event_format": "federation"}).timeline(where)[-1]
    assert told["type"] == "org.test.size", event_id
    del told["unsigned"]
    return len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())


def test_049_an_event_has_65536_bytes_and_not_one_more(home):
    ann = home.user(None)
    where = create(ann, room_version="10")
    empty = done(send(ann, where, "org.test.size", {"x": ""}))["event_id"]
    room_left = EVENT_MAX - size_as_servers_see_it(ann, where, empty)
    refused(send(ann, where, "org.test.size", {"x": "y" * (room_left + 1)}), *TL)
    largest = done(send(ann, where, "org.test.size", {"x": "y" * room_left}))["event_id"]
    assert size_as_servers_see_it(ann, where, largest) == EVENT_MAX


def test_052_names_of_events_have_255_bytes(home, room):
    ann, where = room
    assert send(ann, where, "t" * 255, {}).status == 200
    refused(send(ann, where, "t" * 256, {}), *TL)
    refused(send(ann, where, "ü" * 128, {}), *TL)
    assert put_state(ann, where, "org.test", {}, "ü" * 127).status == 200
    refused(put_state(ann, where, "org.test", {}, "ü" * 128), *TL)


@pytest.mark.parametrize("version", ["9", "10"])
@pytest.mark.parametrize("level", ["50", " +50 ", 1.5, None, []], ids=json.dumps)
def test_057_levels_are_integers_for_clients(home, version, level):
    ann = home.user(None)
    where = create(ann, room_version=version)
    levels = done(ann.get(path(where, "state", "m.room.power_levels")))
    refused(put_state(ann, where, "m.room.power_levels", {**levels, "ban": level}), *BJ)
    assert done(ann.get(path(where, "state", "m.room.power_levels"))) == levels
