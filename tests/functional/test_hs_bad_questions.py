"""What clients should not ask: numbers, directions and tokens that are none, and what only
administrators may. The number in a test's name is its place in our catalogue of bad input."""

import pytest

from homeserver_world import V1, V3, User, refused
from rooms import create, done, messages, part, path, say, send

CONFIGURATION = {"registration": {"guests": True}}
IP = (400, "M_INVALID_PARAM")
ROOM, ROOM_V1 = f"{V3}/rooms/{{room}}", f"{V1}/rooms/{{room}}"


@pytest.fixture(scope="module")
def talk(shared_home):
    """Ann, a room of hers, and its message."""
    ann = shared_home.user("ann")
    room = create(ann)
    return ann, room, say(ann, room, "hello")


def ask(talk, target):
    ann, room, event_id = talk
    return ann.get(target.format(room=part(room), event=part(event_id)))


# ---- numbers, directions, tokens

LIMITED = [f"{ROOM}/messages?dir=b&", f"{ROOM}/context/{{event}}?", f"{ROOM}/initialSync?",
           f"{ROOM_V1}/relations/{{event}}?", "/initialSync?", "/publicRooms?"]
FROM = [f"{ROOM}/messages?dir=b&from=", f"{ROOM}/messages?dir=b&to=", f"{ROOM}/members?at=",
        f"{ROOM_V1}/relations/{{event}}?from=", f"{ROOM_V1}/relations/{{event}}?to=",
        "/sync?since=", "/events?timeout=0&from=", "/publicRooms?since=",
        f"{V1}/mutual_rooms?user_id=@b:hs.test&from="]


@pytest.mark.parametrize("target", LIMITED)
@pytest.mark.parametrize("limit", ["-1", "abc", "1.5", "99999999999999999999"])
def test_168_a_limit_is_a_number(home, talk, target, limit):
    refused(ask(talk, f"{target}limit={limit}"), *IP)


@pytest.mark.parametrize("target", LIMITED)
def test_169_a_limit_that_is_too_high_is_lowered(home, talk, target):
    done(ask(talk, f"{target}limit={10 ** 9}"))


@pytest.mark.parametrize("target", [f"{ROOM}/messages?", f"{ROOM_V1}/relations/{{event}}?",
                                    f"{ROOM_V1}/timestamp_to_event?ts=1&"])
@pytest.mark.parametrize("direction", ["x", "", "fb", "F"])
def test_170_a_direction_is_forth_or_back(home, talk, target, direction):
    refused(ask(talk, f"{target}dir={direction}"), *IP)


@pytest.mark.parametrize("target", FROM)
@pytest.mark.parametrize("token", ["x", "s", "s1", "t1", "s-1_1", "1" * 5000, "%F0%9F%90%88"])
def test_171_a_token_is_one_of_ours(home, talk, target, token):
    refused(ask(talk, target + token), *IP)


def test_171_a_token_of_another_room_shows_nothing_of_it(home, talk):
    """It is a place in time, whoever got it."""
    ann, _, _ = talk
    bob = home.user(None)
    theirs, own = create(ann), create(bob)
    say(ann, theirs, "secret")
    token = done(ann.get(path(theirs, "messages") + "?dir=b&limit=1"))["start"]
    say(bob, own, "mine")
    for direction in "bf":
        told = done(bob.get(path(own, "messages") + f"?dir={direction}&from={token}"))
        assert "secret" not in str(told)
    refused(bob.get(path(theirs, "messages") + f"?dir=b&from={token}"), 403, "M_FORBIDDEN")
    refused(bob.get(path(theirs, "members") + f"?at={token}"), 403, "M_FORBIDDEN")


ODD = [
    "/rooms/nothing/messages?dir=b", f"/rooms/!{'x' * 300}/state", f"{ROOM}/event/nothing",
    f"{ROOM}/context/nothing", "/events/nothing", f"{ROOM_V1}/relations/nothing",
    f"{ROOM}/members?not_membership=friend", f"{ROOM_V1}/timestamp_to_event?dir=f&ts=abc",
    f"{ROOM}/state/m.room.member?format=tree", "/initialSync?archived=perhaps",
    "/profile/nobody", "/profile/%40a%00:hs.test", "/presence/nobody/status",
    "/directory/room/alias", f"{V1}/room_summary/room", "/user/nobody/filter/0",
    f"{V1}/media/download/hs.test/abc?timeout_ms=soon", f"{V1}/admin/lock/nobody",
]


@pytest.mark.parametrize("target", ODD)
def test_names_in_a_path_are_what_they_are_for(home, talk, target):
    refused(ask(talk, target), *IP)


# ---- who may


@pytest.mark.parametrize("method, target", [
    ("GET", "lock"), ("PUT", "lock"), ("GET", "suspend"), ("PUT", "suspend")])
def test_154_only_administrators_moderate(home, talk, method, target):
    ann, _, _ = talk
    guest = User(home, done(home.anybody.post("/register?kind=guest")))
    body = {"locked": True, "suspended": True} if method == "PUT" else None
    for user, errcode in ((guest, "M_GUEST_ACCESS_FORBIDDEN"), (ann, "M_FORBIDDEN")):
        refused(user.request(method, f"{V1}/admin/{target}/{ann.id}", body), 403, errcode)
    done(ann.get("/account/whoami"))


# ---- what is too much, or none, only when it is looked at closely


@pytest.mark.parametrize("content", [
    {"m.mentions": {"user_ids": [3]}}, {"m.mentions": {"user_ids": ["nobody"]}},
    {"m.mentions": {"room": "yes"}}, {"m.relates_to": {"rel_type": 3}},
    {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$e"}}])
def test_060_mentions_and_relations_have_their_shape(home, talk, content):
    ann, room, _ = talk
    refused(send(ann, room, "m.room.message", content), 400, "M_BAD_JSON")
    assert messages(ann, room) == ["hello"]


def test_060_the_key_of_a_reaction_is_not_a_novel(home, talk):
    ann, room, event_id = talk
    relation = {"rel_type": "m.annotation", "event_id": event_id}
    refused(send(ann, room, "m.reaction", {"m.relates_to": {**relation, "key": "x" * 501}}),
            413, "M_TOO_LARGE")
    done(send(ann, room, "m.reaction", {"m.relates_to": {**relation, "key": "x" * 500}}))


def test_051_numbers_that_grow_when_they_are_written_out_are_counted_so(home, talk):
    """Rooms of old versions have numbers with a point: 1e15 is 1000000000000000.0 in an event."""
    ann, _, _ = talk
    room = create(ann, room_version="5")

    def numbers(count):
        return b'{"n":[' + b",".join([b"1e15"] * count) + b"]}"

    done(send(ann, room, "org.test", numbers(3000)))
    assert len(numbers(8000)) < 41000
    refused(send(ann, room, "org.test", numbers(8000)), 413, "M_TOO_LARGE")
