"""State that was taken back is nowhere any more; state that makes no sense harms nobody."""

import pytest

from homeserver_world import V1, refused
from rooms import (create, done, event, invite, join, member, path, put_state, redact, say,
                   set_state, state, summary, upgrade)
from syncing import Syncing


@pytest.fixture
def two(home):
    return home.user(None), home.user(None)


def row_of(home, room):
    """What the directory says of the room."""
    rows = done(home.anybody.get("/publicRooms?limit=500"))["chunk"]
    return next(row for row in rows if row["room_id"] == room)


# ---- taken back


SAID = {"m.room.name": {"name": "Secret"}, "m.room.topic": {"topic": "Secret"},
        "m.room.avatar": {"url": "mxc://hs.test/secret"}}


def everywhere(home, who, room):
    """All that is told of a room by what is not the room itself."""
    stranger = home.user(None)
    invite(who, room, stranger)
    yield Syncing(stranger).sync()["rooms"]["invite"][room]
    yield row_of(home, room)
    yield done(summary(stranger, room))
    yield done(who.get("/publicRooms?limit=500"))["chunk"]
    yield done(who.post("/publicRooms", {"filter": {"generic_search_term": "Secret"}}))["chunk"]
    yield Syncing(who).sync()["rooms"]["join"][room]
    yield done(who.get(path(room, "messages") + "?dir=b&limit=100"))
    yield done(who.get(path(room, "state")))
    yield done(who.get(path(room, "members")))
    yield done(who.get(path(room, "joined_members")))
    yield done(who.get(path(room, "initialSync")))


@pytest.mark.parametrize("version", ["1", "10", "12"])
def test_what_a_room_was_called_is_nowhere_once_it_is_taken_back(two, home, version):
    ann, _ = two
    room = create(ann, preset="public_chat", visibility="public", room_version=version)
    said = [set_state(ann, room, event_type, content) for event_type, content in SAID.items()]
    assert all("ecret" in str(told) for told in [row_of(home, room), done(summary(ann, room))])
    for event_id in said:
        done(redact(ann, room, event_id))
    for told in everywhere(home, ann, room):
        assert "ecret" not in str(told), told
    assert "ecret" not in str(done(ann.get(path(upgrade(ann, room, "12"), "state"))))


def test_what_is_said_again_after_it_was_taken_back_is_said(two, home):
    ann, bob = two
    room = create(ann, preset="public_chat", visibility="public")
    join(bob, room)
    first = set_state(ann, room, "m.room.name", {"name": "Cats"})
    done(redact(ann, room, first))
    again = set_state(ann, room, "m.room.name", {"name": "Cats"})
    assert again != first and state(bob, room, "m.room.name") == {"name": "Cats"}
    assert row_of(home, room)["name"] == "Cats"


def test_a_member_without_a_name_stays_one(two):
    ann, bob = two
    room = create(ann, preset="public_chat")
    joined = set_state(ann, room, "m.room.member",
                       {"membership": "join", "displayname": "Secret"}, ann.id)
    join(bob, room)
    done(redact(ann, room, joined))
    assert member(bob, room, ann) == {"membership": "join"}
    say(ann, room, "still here")
    told = Syncing(bob).sync()["rooms"]["join"][room]
    assert "Secret" not in str(told)


def test_a_child_that_is_taken_back_is_not_in_the_next_space(two):
    ann, _ = two
    space = create(ann, creation_content={"type": "m.space"})
    child = set_state(ann, space, "m.space.child", {"via": ["hs.test"]}, "!child:hs.test")
    done(redact(ann, space, child))
    assert state(ann, upgrade(ann, space, "12"), "m.space.child", "!child:hs.test") in (None, {})


# ---- odd


ODD = [3, None, True, "", [], {}, [[]], {"a": 1}, "x" * 3000, -1]
PLACES = [
    ("m.room.name", "name"), ("m.room.topic", "topic"), ("m.room.topic", "m.topic"),
    ("m.room.avatar", "url"), ("m.room.guest_access", "guest_access"),
    ("m.room.history_visibility", "history_visibility"), ("m.room.encryption", "algorithm"),
    ("m.room.tombstone", "replacement_room"), ("m.room.pinned_events", "pinned"),
    ("m.room.third_party_invite", "public_keys"), ("m.space.child", "via"),
    ("m.room.join_rules", "allow"), ("m.room.join_rules", "join_rule")]


def readers(ann, bob, room):
    """Every way to look at a room."""
    for target in (path(room, "state"), path(room, "members"), path(room, "joined_members"),
                   path(room, "initialSync"), path(room, "messages") + "?dir=b&limit=50",
                   path(room, "aliases"), f"{V1}/room_summary/{room}", "/publicRooms?limit=500",
                   "/initialSync", "/sync", "/joined_rooms"):
        yield ann, target
        yield bob, target


@pytest.mark.parametrize("event_type,key", PLACES)
def test_odd_state_is_everybodys_to_read(two, event_type, key):
    ann, bob = two
    room = create(ann, preset="public_chat", visibility="public")
    join(bob, room)
    for odd in ODD:
        put = put_state(ann, room, event_type, {key: odd, "join_rule": "restricted", key: odd})
        assert put.status == 200, put
        for user, target in readers(ann, bob, room):
            assert user.get(target).status in (200, 403, 404), (target, odd)
    say(ann, room, "still here")


@pytest.mark.parametrize("content", [
    {"type": 3}, {"m.federate": "no"}, {"predecessor": 3}, {"predecessor": {"room_id": 3}},
    {"predecessor": {"room_id": "!x"}}, {"predecessor": []}, {"type": {"a": []}}])
def test_a_room_may_begin_oddly(two, content):
    ann, bob = two
    room = create(ann, preset="public_chat", visibility="public", creation_content=content)
    join(bob, room)
    for user, target in readers(ann, bob, room):
        assert user.get(target).status == 200, target
    assert upgrade(ann, room, "11")


@pytest.mark.parametrize("content", [
    {"notifications": {"room": None}}, {"notifications": 3}, {"users": {"@a:hs.test": None}},
    {"ban": None}, {"events": []}, {"users_default": 1.5}, {"kick": "50"}])
def test_levels_that_are_none_do_not_get_in(two, content):
    ann, _ = two
    room = create(ann, room_version="12")
    refused(put_state(ann, room, "m.room.power_levels", content), 400, "M_BAD_JSON")


def test_rooms_that_replace_each_other_in_a_circle_are_rooms(two):
    ann, bob = two
    rooms = [create(ann, preset="public_chat") for _ in range(3)]
    for old, new in zip(rooms, rooms[1:] + rooms[:1]):
        set_state(ann, old, "m.room.tombstone", {"body": "on", "replacement_room": new})
    for room in rooms:
        join(bob, room)
    assert set(Syncing(bob).sync()["rooms"]["join"]) >= set(rooms)


def test_keys_of_any_name_pass_through(two):
    ann, bob = two
    room = create(ann, preset="public_chat")
    join(bob, room)
    content = {"__proto__": {"x": 1}, "constructor": "y", "": 0, "toString": None}
    sent = set_state(ann, room, "org.test", content, "__proto__")
    assert event(bob, room, sent)["content"] == content
    assert state(bob, room, "org.test", "__proto__") == content


def test_a_huge_room_is_told_of_in_its_invites(two):
    ann, bob = two
    room = create(ann)
    for event_type, key in (("m.room.name", "name"), ("m.room.topic", "topic"),
                            ("m.room.avatar", "url")):
        set_state(ann, room, event_type, {key: "x" * 60000})
    invite(ann, room, bob)
    assert room in Syncing(bob).sync()["rooms"]["invite"]
    assert join(bob, room) is None
