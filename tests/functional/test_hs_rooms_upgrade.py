"""A room is upgraded: what goes over into the new one, and what stays behind."""

import pytest

from homeserver_world import refused
from rooms import (create, done, join, joined_rooms, part, path, say, send, set_state, state,
                   upgrade)


@pytest.fixture
def people(home):
    return home.user(None), home.user(None), home.user(None)


@pytest.mark.parametrize("old_version", ["1", "9", "11", "12"])
@pytest.mark.parametrize("version", ["6", "11", "12"])
def test_a_room_goes_over_with_its_names(people, old_version, version):
    ann, bob, _ = people
    alias = f"#{ann.name}:hs.test"
    old = create(ann, room_version=old_version, visibility="public", name="Cats", topic="T",
                 room_alias_name=ann.name, creation_content={"type": "m.space"},
                 initial_state=[{"type": "m.room.encryption", "content": {"algorithm": "a"}},
                                {"type": "org.test", "content": {}}])
    join(bob, old)
    new = upgrade(ann, old, version)
    made = state(ann, new, "m.room.create")
    assert made["room_version"] == version and made["type"] == "m.space"
    assert made["predecessor"]["room_id"] == old
    assert ("event_id" in made["predecessor"]) == (version != "12")
    assert state(ann, old, "m.room.tombstone")["replacement_room"] == new
    for event_type in ("name", "join_rules", "encryption", "history_visibility", "guest_access"):
        event_type = f"m.room.{event_type}"
        assert state(ann, new, event_type) == state(ann, old, event_type)
    assert state(ann, new, "org.test") is None
    assert done(ann.get(f"/directory/room/{part(alias)}"))["room_id"] == new
    assert state(ann, new, "m.room.canonical_alias")["alias"] == alias
    assert "alias" not in state(ann, old, "m.room.canonical_alias")
    assert done(ann.get(f"/directory/list/room/{new}")) == {"visibility": "public"}
    assert done(ann.get(f"/directory/list/room/{old}")) == {"visibility": "private"}
    join(bob, new)
    set_state(ann, new, "m.room.name", {"name": "Still Ann's"})


def test_in_the_old_room_only_the_strong_speak(people):
    ann, bob, _ = people
    old = create(ann, preset="public_chat")
    join(bob, old)
    say(bob, old, "before")
    upgrade(ann, old, "12")
    refused(send(bob, old, "m.room.message", {"body": "after"}), 403, "M_FORBIDDEN")
    assert state(bob, old, "m.room.power_levels")["invite"] == 50
    say(ann, old, "creators may")


def test_levels_go_over_without_creators(people):
    ann, bob, cat = people
    old = create(ann, room_version="11", power_level_content_override={
        "users": {ann.id: 100, bob.id: 100, cat.id: 50}})
    new = upgrade(ann, old, "12", additional_creators=[bob.id])
    assert state(ann, new, "m.room.create")["additional_creators"] == [bob.id]
    levels = state(ann, new, "m.room.power_levels")
    assert levels["users"] == {cat.id: 50} and levels["events"]["m.room.tombstone"] == 150
    back = upgrade(ann, new, "11")
    assert state(ann, back, "m.room.power_levels")["users"] == {
        ann.id: 150, bob.id: 150, cat.id: 50}


def test_a_space_keeps_its_rooms(people):
    ann, _, _ = people
    space = create(ann, creation_content={"type": "m.space"})
    set_state(ann, space, "m.space.child", {"via": ["hs.test"]}, "!child:hs.test")
    assert state(ann, upgrade(ann, space, "12"), "m.space.child", "!child:hs.test") == {
        "via": ["hs.test"]}


def test_who_moves_takes_tags_and_direct_chats_along(people):
    ann, bob, _ = people
    old = create(ann, invite=[bob.id], is_direct=True, preset="public_chat")
    join(bob, old)
    done(bob.put(f"/user/{bob.id}/rooms/{old}/tags/u.work", {"order": 0.5}))
    done(bob.put(f"/user/{bob.id}/account_data/m.direct", {ann.id: [old]}))
    new = upgrade(ann, old, "12")
    join(bob, new)
    assert done(bob.get(f"/user/{bob.id}/rooms/{new}/tags"))["tags"] == {"u.work": {"order": 0.5}}
    assert done(bob.get(f"/user/{bob.id}/account_data/m.direct")) == {ann.id: [old, new]}


def test_that_a_room_follows_is_not_believed_of_it_alone(people):
    """Somebody may well say that their room is the next one."""
    ann, bob, _ = people
    old = create(ann, preset="public_chat", room_alias_name=f"{ann.name}-mine")
    join(bob, old)
    done(bob.put(f"/user/{bob.id}/rooms/{old}/tags/u.work", {}))
    false = create(ann, preset="public_chat", creation_content={"predecessor": {"room_id": old}})
    join(bob, false)
    assert done(bob.get(f"/user/{bob.id}/rooms/{false}/tags"))["tags"] == {}
    found = done(ann.get(f"/directory/room/%23{ann.name}-mine:hs.test"))
    assert found["room_id"] == old


def test_a_room_follows_another_only_if_that_one_says_so(people):
    ann, bob, eve = people
    old = create(ann, preset="public_chat")
    join(bob, old)
    done(bob.put(f"/user/{bob.id}/rooms/{old}/tags/u.work", {}))
    upgrade(ann, old, "12")
    false = create(eve, preset="public_chat", creation_content={"predecessor": {"room_id": old}})
    join(bob, false)
    assert done(bob.get(f"/user/{bob.id}/rooms/{false}/tags"))["tags"] == {}


@pytest.mark.parametrize("body,status,errcode", [
    ({"new_version": "99"}, 400, "M_UNSUPPORTED_ROOM_VERSION"), ({}, 400, "M_MISSING_PARAM"),
    ({"new_version": 12}, 400, "M_BAD_JSON"),
    ({"new_version": "12", "additional_creators": ["bob"]}, 400, "M_INVALID_PARAM")])
def test_what_no_upgrade_can_be_changes_nothing(people, body, status, errcode):
    ann, _, _ = people
    room = create(ann)
    refused(ann.post(path(room, "upgrade"), body), status, errcode)
    assert joined_rooms(ann) == [room] and state(ann, room, "m.room.tombstone") is None


def test_versions_without_other_creators_do_not_ask_for_them(people):
    ann, _, _ = people
    new = upgrade(ann, create(ann), "11", additional_creators=["nobody"])
    assert "additional_creators" not in state(ann, new, "m.room.create")


def test_upgrading_takes_power(people):
    ann, bob, cat = people
    room = create(ann, preset="public_chat")
    join(bob, room)
    for who in (bob, cat):
        refused(who.post(path(room, "upgrade"), {"new_version": "12"}), 403, "M_FORBIDDEN")
    assert len(joined_rooms(bob)) == 1
    refused(ann.post(path("!nowhere:hs.test", "upgrade"), {"new_version": "12"}),
            403, "M_FORBIDDEN")
