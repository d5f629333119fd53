"""Saying state: what clients may, and what would break their rooms."""

import pytest

from homeserver_world import refused
from rooms import create, done, join, path, put_state, set_state, state


@pytest.fixture
def room_of(home):
    """room_of(version): Ann, Bob and a room that both are in."""

    def make(version="12", **wish):
        ann, bob = home.user(None), home.user(None)
        room = create(ann, preset="public_chat", room_version=version, **wish)
        join(bob, room)
        return ann, bob, room

    return make


def test_state_with_and_without_a_key(room_of):
    ann, _, room = room_of()
    set_state(ann, room, "org.test", {"n": 1}, "key")
    done(ann.put(path(room, "state", "org.test"), {"n": 2}))
    assert state(ann, room, "org.test", "key") == {"n": 1}
    assert done(ann.get(path(room, "state", "org.test"))) == {"n": 2}
    done(ann.put(path(room, "state", "org.test") + "/", {"n": 3}))
    assert state(ann, room, "org.test") == {"n": 3}


def test_what_is_said_again_is_no_new_event(room_of):
    ann, _, room = room_of()
    first = set_state(ann, room, "m.room.topic", {"topic": "T"})
    assert set_state(ann, room, "m.room.topic", {"topic": "T"}) == first
    second = set_state(ann, room, "m.room.topic", {"topic": "U"})
    assert second != first
    assert set_state(ann, room, "m.room.topic", {"topic": "T"}) not in (first, second)


def test_saying_state_takes_membership_and_power(room_of, home):
    ann, bob, room = room_of()
    refused(put_state(bob, room, "m.room.name", {"name": "B"}), 403, "M_FORBIDDEN")
    refused(put_state(home.user(None), room, "m.room.name", {"name": "X"}), 403, "M_FORBIDDEN")
    refused(put_state(ann, "!nowhere:hs.test", "m.room.name", {}), 403, "M_FORBIDDEN")
    refused(put_state(bob, room, "org.test", {}, ann.id), 403, "M_FORBIDDEN")


def test_a_room_begins_once(room_of):
    ann, _, room = room_of()
    refused(put_state(ann, room, "m.room.create", {"room_version": "1"}), 403, "M_FORBIDDEN")


# ---- power levels


@pytest.mark.parametrize("version", ["9", "10", "12"])
@pytest.mark.parametrize("levels", [
    {"ban": "50"}, {"users": {"@a:hs.test": "50"}}, {"events": {"a": None}}, {"users": []},
    {"users_default": {}}, {"notifications": {"room": "50"}}])
def test_levels_are_integers(room_of, version, levels):
    ann, _, room = room_of(version)
    refused(put_state(ann, room, "m.room.power_levels", levels), 400, "M_BAD_JSON")


def test_levels_are_for_users(room_of):
    ann, _, room = room_of("11")
    levels = state(ann, room, "m.room.power_levels")
    levels["users"]["nobody"] = 50
    refused(put_state(ann, room, "m.room.power_levels", levels), 403, "M_FORBIDDEN")


def test_nobody_gives_more_than_they_have(room_of):
    ann, bob, room = room_of("11")
    levels = state(ann, room, "m.room.power_levels")
    levels["users"][bob.id] = 100
    set_state(ann, room, "m.room.power_levels", levels)
    levels["users"][ann.id] = 50
    refused(put_state(bob, room, "m.room.power_levels", levels), 403, "M_FORBIDDEN")
    levels["users"] |= {ann.id: 100, bob.id: 101}
    refused(put_state(bob, room, "m.room.power_levels", levels), 403, "M_FORBIDDEN")


def test_creators_stand_above_levels(room_of):
    ann, bob, room = room_of("12")
    refused(put_state(ann, room, "m.room.power_levels", {"users": {ann.id: 100}}),
            403, "M_FORBIDDEN")
    set_state(ann, room, "m.room.power_levels", {"users": {bob.id: 1000}, "state_default": 500})
    set_state(ann, room, "m.room.name", {"name": "still mine"})


# ---- access lists


@pytest.mark.parametrize("acl", [
    {"allow": ["*"], "deny": ["hs.test"]}, {"allow": ["*"], "deny": ["HS.*"]}, {"allow": []}, {},
    {"allow": "*"}, {"allow": ["*"], "deny": [3]}])
def test_nobody_shuts_out_their_own_server(room_of, acl):
    ann, _, room = room_of()
    refused(put_state(ann, room, "m.room.server_acl", acl), 400, "M_BAD_JSON")


def test_others_may_be_shut_out(room_of):
    ann, _, room = room_of()
    set_state(ann, room, "m.room.server_acl", {"allow": ["*"], "deny": ["*.bad.test"]})


def test_a_list_of_allowed_rooms_has_its_end(room_of):
    ann, _, room = room_of()
    rule = {"type": "m.room_membership", "room_id": room}
    refused(put_state(ann, room, "m.room.join_rules",
                      {"join_rule": "restricted", "allow": [rule] * 20000}), 413, "M_TOO_LARGE")


# ---- the canonical alias


def test_a_canonical_alias_leads_here(room_of, home):
    ann, _, room = room_of()
    name = f"#{ann.name}-{{}}:hs.test"
    for which in "ab":
        done(ann.put(f"/directory/room/{name.format(which).replace('#', '%23')}",
                     {"room_id": room}))
    set_state(ann, room, "m.room.canonical_alias",
              {"alias": name.format("a"), "alt_aliases": [name.format("b")]})
    elsewhere = create(ann, room_alias_name=f"{ann.name}-c")
    for content in ({"alias": name.format("c")}, {"alt_aliases": [name.format("c")]},
                    {"alias": name.format("none")}, {"alias": "#far:away.test"}):
        refused(put_state(ann, room, "m.room.canonical_alias", content), 400, "M_BAD_ALIAS")
    for content in ({"alias": "no alias"}, {"alt_aliases": ["#"]}):
        refused(put_state(ann, room, "m.room.canonical_alias", content), 400, "M_INVALID_PARAM")
    refused(put_state(ann, room, "m.room.canonical_alias", {"alt_aliases": "a"}),
            400, "M_BAD_JSON")
    assert elsewhere != room


def test_what_was_an_alias_may_stay_and_go(room_of):
    ann, _, room = room_of()
    alias = f"#{ann.name}:hs.test"
    quoted = alias.replace("#", "%23")
    done(ann.put(f"/directory/room/{quoted}", {"room_id": room}))
    set_state(ann, room, "m.room.canonical_alias", {"alias": alias})
    done(ann.delete(f"/directory/room/{quoted}"))
    set_state(ann, room, "m.room.canonical_alias", {"alt_aliases": [alias]})
    set_state(ann, room, "m.room.canonical_alias", {})
    refused(put_state(ann, room, "m.room.canonical_alias", {"alias": alias}), 400, "M_BAD_ALIAS")
