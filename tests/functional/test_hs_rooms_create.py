"""Rooms begin: what is in them, in which order, and what nobody gets."""

import pytest

from homeserver_world import refused
from rooms import all_state, create, done, join, joined_rooms, member, membership, state

VERSIONS = [str(number) for number in range(1, 13)]


def kinds(events):
    return [event["type"].removeprefix("m.room.") for event in events]


# ---- what is in a new room


def test_a_new_room_is_private_and_its_maker_is_in_it(home):
    ann = home.user("c.ann")
    room = create(ann)
    assert joined_rooms(ann) == [room]
    assert sorted(kinds(all_state(ann, room))) == [
        "create", "guest_access", "history_visibility", "join_rules", "member", "power_levels"]
    assert state(ann, room, "m.room.create") == {"room_version": "12"}
    assert state(ann, room, "m.room.join_rules") == {"join_rule": "invite"}
    assert room.startswith("!") and ":" not in room


@pytest.mark.parametrize("version", VERSIONS)
def test_rooms_of_every_version_are_made(home, version):
    ann, bob = home.user(f"v{version}.ann"), home.user(f"v{version}.bob")
    room = create(ann, room_version=version, preset="public_chat", name="N", topic="T")
    join(bob, room)
    assert state(bob, room, "m.room.create")["room_version"] == version
    assert state(bob, room, "m.room.name") == {"name": "N"}
    assert membership(ann, room, bob) == "join"


@pytest.mark.parametrize("preset,rule,visibility,guests", [
    ("private_chat", "invite", "shared", "can_join"),
    ("trusted_private_chat", "invite", "shared", "can_join"),
    ("public_chat", "public", "shared", "forbidden"),
])
def test_presets_say_who_comes_in_and_who_sees(home, preset, rule, visibility, guests):
    ann = home.user(f"p.{preset}")
    room = create(ann, preset=preset)
    assert state(ann, room, "m.room.join_rules") == {"join_rule": rule}
    assert state(ann, room, "m.room.history_visibility") == {"history_visibility": visibility}
    assert state(ann, room, "m.room.guest_access") == {"guest_access": guests}


def test_everything_that_was_wished_for_is_there(home):
    ann, bob = home.user("w.ann"), home.user("w.bob")
    ann.put(f"/profile/{ann.id}/displayname", {"displayname": "Ann"})
    room = create(
        ann, name="Cats", topic="About cats", room_alias_name="w.cats", is_direct=True,
        invite=[bob.id], creation_content={"type": "m.space", "m.federate": False},
        initial_state=[{"type": "m.room.join_rules", "content": {"join_rule": "knock"}},
                       {"type": "org.test", "state_key": "k", "content": {"a": [1]}}])
    assert state(ann, room, "m.room.create") == {
        "room_version": "12", "type": "m.space", "m.federate": False}
    assert state(ann, room, "m.room.canonical_alias") == {"alias": "#w.cats:hs.test"}
    assert state(ann, room, "m.room.topic")["m.topic"]["m.text"][0]["body"] == "About cats"
    assert state(ann, room, "m.room.join_rules") == {"join_rule": "knock"}
    assert state(ann, room, "org.test", "k") == {"a": [1]}
    invited = member(ann, room, bob)
    assert invited["membership"] == "invite" and invited["is_direct"] is True
    found = done(home.anybody.get("/directory/room/%23w.cats:hs.test"))
    assert found == {"room_id": room, "servers": ["hs.test"]}


def test_trusted_users_are_creators_too(home):
    ann, bob = home.user("t.ann"), home.user("t.bob")
    room = create(ann, preset="trusted_private_chat", invite=[bob.id])
    assert state(ann, room, "m.room.create")["additional_creators"] == [bob.id]
    old = create(ann, preset="trusted_private_chat", invite=[bob.id], room_version="11")
    assert state(ann, old, "m.room.power_levels")["users"] == {ann.id: 100, bob.id: 100}


# ---- what nobody gets


@pytest.mark.parametrize("wish,status,errcode", [
    ({"room_version": "99"}, 400, "M_UNSUPPORTED_ROOM_VERSION"),
    ({"room_version": 12}, 400, "M_BAD_JSON"),
    ({"initial_state": {}}, 400, "M_BAD_JSON"),
    ({"initial_state": [{"type": "a"}]}, 400, "M_MISSING_PARAM"),
    ({"preset": "secret_chat"}, 400, "M_INVALID_PARAM"),
    ({"invite": ["@u:hs.test"] * 10000}, 400, "M_INVALID_PARAM"),
    ({"invite": ["nobody"]}, 400, "M_INVALID_PARAM"),
    ({"room_alias_name": "a:b"}, 400, "M_INVALID_PARAM"),
    ({"room_version": "11", "power_level_content_override": {"users": {}}}, 400, "M_BAD_JSON"),
    ({"power_level_content_override": {"ban": "50"}}, 400, "M_BAD_JSON"),
    ({"room_version": "11", "name": "n", "power_level_content_override": {
        "state_default": 101, "events": {}}}, 400, "M_INVALID_ROOM_STATE"),
    ({"initial_state": [{"type": "m.room.create", "content": {}}]}, 400, "M_INVALID_ROOM_STATE"),
    ({"creation_content": {"additional_creators": ["nobody"]}}, 400, "M_INVALID_ROOM_STATE"),
    ({"invite": ["@far:away.test"]}, 502, "M_UNKNOWN"),
])
def test_what_no_room_can_be_is_refused_as_a_whole(home, wish, status, errcode):
    ann = home.user(None)
    refused(ann.post("/createRoom", wish), status, errcode)
    assert joined_rooms(ann) == []


def test_the_creator_is_not_named_in_levels_of_newer_rooms(home):
    ann = home.user("l.ann")
    wish = {"power_level_content_override": {"users": {ann.id: 100}}}
    refused(ann.post("/createRoom", wish), 400, "M_INVALID_ROOM_STATE")


@pytest.mark.parametrize("override,tombstone", [
    ({}, 150), ({"state_default": 200}, 201), ({"events": {"m.room.name": 0}}, 150),
    ({"events": {"m.room.tombstone": 50}, "state_default": 0}, 50)])
def test_replacing_a_newer_room_takes_more_than_changing_it(home, override, tombstone):
    ann = home.user(None)
    room = create(ann, power_level_content_override=override)
    assert state(ann, room, "m.room.power_levels")["events"]["m.room.tombstone"] == tombstone


def test_an_alias_that_is_taken_makes_no_room(home):
    ann = home.user("a.ann")
    create(ann, room_alias_name="taken")
    refused(ann.post("/createRoom", {"room_alias_name": "taken"}), 400, "M_ROOM_IN_USE")
    assert len(joined_rooms(ann)) == 1


def test_who_is_nobody_makes_no_room(home):
    refused(home.anybody.post("/createRoom"), 401, "M_MISSING_TOKEN")


def test_the_operator_says_what_a_room_is_by_default(make_home):
    home = make_home({"default_room_version": "11"}).start()
    ann = home.user("d.ann")
    versions = done(ann.get("/capabilities"))["capabilities"]["m.room_versions"]
    assert versions["default"] == "11" and versions["available"]["12"] == "stable"
    assert state(ann, create(ann), "m.room.create")["room_version"] == "11"
    assert state(ann, create(ann, room_version="12"), "m.room.create")["room_version"] == "12"
