"""Coming and going: joining, inviting, leaving, kicking, banning, knocking, forgetting."""

import concurrent.futures

import pytest

from homeserver_world import V1, User, refused
from rooms import (change, create, done, invite, join, joined_rooms, leave, member, membership,
                   path, put_state, redact, say, set_state, summary)

RESTRICTED = ["8", "9", "10", "11", "12"]
CONFIGURATION = {"registration": {"guests": True}}


@pytest.fixture
def three(home):
    """Ann, who has made a public room; Bob and Cat, who are not in it."""
    ann, bob, cat = home.user(None), home.user(None), home.user(None)
    return ann, bob, cat, create(ann, preset="public_chat")


def forbidden(reply):
    return refused(reply, 403, "M_FORBIDDEN")


# ---- joining


def test_one_joins_by_id_and_by_alias(three):
    ann, bob, cat, room = three
    alias = f"#{ann.name}:hs.test"
    done(ann.put(f"/directory/room/%23{ann.name}:hs.test", {"room_id": room}))
    assert done(bob.post(f"/join/{room}")) == {"room_id": room}
    assert done(cat.post("/join/" + alias.replace("#", "%23"))) == {"room_id": room}
    assert joined_rooms(bob) == joined_rooms(cat) == [room]


def test_joining_needs_no_body(three):
    _, bob, _, room = three
    reply = bob.world.homeserver.plain.request(
        "POST", f"/_matrix/client/v3/rooms/{room}/join",
        headers={"Authorization": f"Bearer {bob.token}"})
    assert done(reply) == {"room_id": room}


def test_joining_again_changes_nothing(three):
    ann, bob, _, room = three
    join(bob, room)
    before = done(ann.get(path(room, "state", "m.room.member", bob.id) + "?format=event"))
    join(bob, room)
    after = done(ann.get(path(room, "state", "m.room.member", bob.id) + "?format=event"))
    assert after["event_id"] == before["event_id"]


def test_who_joins_is_called_as_the_profile_says(three):
    ann, bob, _, room = three
    done(bob.put(f"/profile/{bob.id}/displayname", {"displayname": "Bob"}))
    join(bob, room, reason="hello")
    assert member(ann, room, bob) == {
        "membership": "join", "displayname": "Bob", "reason": "hello"}


def test_a_private_room_is_for_who_is_invited(three):
    ann, bob, _, _ = three
    room = create(ann)
    forbidden(change(bob, room, "join"))
    invite(ann, room, bob, reason="come")
    assert member(ann, room, bob)["reason"] == "come"
    join(bob, room)
    assert membership(ann, room, bob) == "join"


@pytest.mark.parametrize("target,status,errcode", [
    ("!unknown:hs.test", 404, "M_NOT_FOUND"),
    ("!unknown:hs.test?via=away.test", 502, "M_UNKNOWN"),
    ("!unknown:hs.test?via=hs.test", 404, "M_NOT_FOUND"),
    ("%23unknown:hs.test", 404, "M_NOT_FOUND"),
    ("%23room:away.test", 502, "M_UNKNOWN"),
    ("room", 400, "M_INVALID_PARAM"),
    ("%23", 400, "M_INVALID_PARAM")])
@pytest.mark.parametrize("way", ["join", "knock"])
def test_what_is_not_here_is_not_entered(three, way, target, status, errcode):
    refused(three[1].post(f"/{way}/{target}"), status, errcode)


def test_many_come_and_go_at_once(three):
    ann, _, _, room = three
    people = [ann.world.user(None) for _ in range(12)]

    def visit(user):
        join(user, room)
        said = say(user, room, "hello")
        leave(user, room)
        join(user, room)
        return said

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(visit, people))) == len(people)
    assert len(done(ann.get(path(room, "joined_members")))["joined"]) == len(people) + 1
    assert done(summary(ann, room))["num_joined_members"] == len(people) + 1


# ---- restricted rooms


@pytest.mark.parametrize("version", RESTRICTED)
def test_a_restricted_room_lets_in_who_is_in_another(three, version):
    ann, bob, cat, club = three
    room = create(ann, room_version=version, initial_state=[
        {"type": "m.room.join_rules", "content": {
            "join_rule": "restricted",
            "allow": [{"type": "m.room_membership", "room_id": club}, {"type": "odd"}, 3]}}])
    forbidden(change(bob, room, "join"))
    join(bob, club)
    join(bob, room)
    assert member(ann, room, bob)["join_authorised_via_users_server"] == ann.id
    join(bob, room)
    forbidden(change(cat, room, "join"))
    invite(ann, room, cat)
    join(cat, room)
    assert "join_authorised_via_users_server" not in member(ann, room, cat)


def test_somebody_must_be_there_to_let_others_in(three):
    ann, bob, cat, club = three
    join(bob, club), join(cat, club)
    room = create(ann, invite=[bob.id], initial_state=[{
        "type": "m.room.join_rules", "content": {
            "join_rule": "restricted",
            "allow": [{"type": "m.room_membership", "room_id": club}]}}],
        power_level_content_override={"invite": 50})
    join(bob, room)
    leave(ann, room)
    forbidden(change(cat, room, "join"))


def test_clients_do_not_say_who_let_them_in(three):
    ann, bob, _, room = three
    content = {"membership": "join", "join_authorised_via_users_server": ann.id}
    done(put_state(bob, room, "m.room.member", content, bob.id))
    assert "join_authorised_via_users_server" not in member(ann, room, bob)


# ---- knocking


def test_a_knock_is_answered_by_an_invite(three):
    ann, bob, cat, _ = three
    room = create(ann, initial_state=[
        {"type": "m.room.join_rules", "content": {"join_rule": "knock"}}])
    assert done(bob.post(f"/knock/{room}", {"reason": "please"})) == {"room_id": room}
    assert member(ann, room, bob)["membership"] == "knock"
    forbidden(change(bob, room, "join"))
    invite(ann, room, bob)
    join(bob, room)
    forbidden(bob.post(f"/knock/{room}"))
    done(cat.post(f"/knock/{room}"))
    leave(cat, room)
    assert membership(ann, room, cat) == "leave"


@pytest.mark.parametrize("version,rule", [("6", "knock"), ("12", "invite"), ("12", "public")])
def test_not_every_door_can_be_knocked_at(three, version, rule):
    ann, bob, _, _ = three
    room = create(ann, room_version=version, initial_state=[
        {"type": "m.room.join_rules", "content": {"join_rule": rule}}])
    forbidden(bob.post(f"/knock/{room}"))


# ---- inviting


def test_only_members_with_the_level_invite(three):
    ann, bob, cat, room = three
    forbidden(change(bob, room, "invite", cat))
    join(bob, room)
    forbidden(change(bob, room, "invite", cat))
    set_state(ann, room, "m.room.power_levels", {"invite": 0})
    invite(bob, room, cat)
    invite(bob, room, cat)
    forbidden(change(ann, room, "invite", bob))


def test_users_of_other_servers_cannot_be_reached_yet(three):
    ann, _, _, room = three
    refused(ann.post(path(room, "invite"), {"user_id": "@far:away.test"}), 502, "M_UNKNOWN")


def test_who_takes_no_invites_gets_none(three):
    ann, bob, _, room = three
    done(bob.put(f"/user/{bob.id}/account_data/m.invite_permission_config",
                 {"default_action": "block"}))
    refused(change(ann, room, "invite", bob), 403, "M_INVITE_BLOCKED")
    refused(ann.post("/createRoom", {"invite": [bob.id]}), 403, "M_INVITE_BLOCKED")
    refused(put_state(ann, room, "m.room.member", {"membership": "invite"}, bob.id),
            403, "M_INVITE_BLOCKED")
    done(bob.put(f"/user/{bob.id}/account_data/m.invite_permission_config", {}))
    invite(ann, room, bob)


@pytest.mark.parametrize("body,errcode", [
    ({}, "M_MISSING_PARAM"), ({"user_id": "bob"}, "M_INVALID_PARAM"),
    ({"user_id": 3}, "M_BAD_JSON"), ({"reason": 3, "user_id": "@b:hs.test"}, "M_BAD_JSON")])
def test_an_invite_names_a_user(three, body, errcode):
    ann, _, _, room = three
    refused(ann.post(path(room, "invite"), body), 400, errcode)


# ---- leaving, forgetting


def test_who_leaves_is_gone(three):
    ann, bob, _, room = three
    join(bob, room)
    leave(bob, room, reason="bye")
    assert member(ann, room, bob) == {"membership": "leave", "reason": "bye"}
    assert joined_rooms(bob) == []
    leave(bob, room)


def test_an_invite_is_declined(three):
    ann, bob, _, _ = three
    room = create(ann, invite=[bob.id])
    leave(bob, room)
    assert membership(ann, room, bob) == "leave"
    forbidden(change(bob, room, "join"))


def test_who_never_was_there_does_not_leave(three):
    _, bob, _, room = three
    forbidden(change(bob, room, "leave"))
    forbidden(change(bob, "!nowhere:hs.test", "leave"))


def test_one_forgets_what_one_has_left(three):
    _, bob, cat, room = three
    join(bob, room)
    refused(change(bob, room, "forget"), 400, "M_UNKNOWN")
    leave(bob, room)
    done(change(bob, room, "forget"))
    done(change(bob, room, "forget"))
    join(bob, room)
    assert joined_rooms(bob) == [room]


def test_a_room_one_never_was_in_has_not_been_left(three):
    _, bob, cat, room = three
    for nowhere in (room, "!nowhere:hs.test"):
        refused(change(cat, nowhere, "forget"), 400, "M_UNKNOWN")


# ---- moderating


def test_who_is_kicked_may_come_back_and_who_is_banned_may_not(three):
    ann, bob, _, room = three
    join(bob, room)
    done(change(ann, room, "kick", bob, reason="rude"))
    assert member(ann, room, bob) == {"membership": "leave", "reason": "rude"}
    join(bob, room)
    done(change(ann, room, "ban", bob, reason="again"))
    assert member(ann, room, bob)["membership"] == "ban"
    forbidden(change(bob, room, "join"))
    forbidden(change(ann, room, "invite", bob))
    forbidden(change(ann, room, "kick", bob))
    done(change(ann, room, "unban", bob))
    join(bob, room)


def test_nobody_is_put_out_who_is_not_in(three):
    ann, bob, cat, room = three
    forbidden(change(ann, room, "kick", bob))
    forbidden(change(ann, room, "unban", bob))
    done(change(ann, room, "ban", cat))
    assert membership(ann, room, cat) == "ban"


@pytest.mark.parametrize("what", ["kick", "ban", "unban"])
def test_putting_others_out_takes_power(three, what):
    ann, bob, cat, room = three
    join(bob, room), join(cat, room)
    forbidden(change(bob, room, what, cat))
    forbidden(change(bob, room, what, ann))


# ---- memberships as state


def test_one_has_a_name_for_one_room_only(three):
    ann, bob, _, room = three
    join(bob, room)
    set_state(bob, room, "m.room.member",
              {"membership": "join", "displayname": "Bobby", "org.test": 1}, bob.id)
    assert member(ann, room, bob) == {
        "membership": "join", "displayname": "Bobby", "org.test": 1}
    other = create(bob)
    assert member(bob, other, bob).get("displayname") != "Bobby"


@pytest.mark.parametrize("content,errcode", [
    ({}, "M_BAD_JSON"), ({"membership": "here"}, "M_BAD_JSON"), ({"membership": 3}, "M_BAD_JSON"),
    ({"membership": "join", "displayname": 3}, "M_BAD_JSON"),
    ({"membership": "join", "displayname": "ü" * 257}, "M_INVALID_PARAM"),
    ({"membership": "join", "avatar_url": "m" * 1001}, "M_INVALID_PARAM")])
def test_a_membership_has_its_shape(three, content, errcode):
    _, bob, _, room = three
    refused(put_state(bob, room, "m.room.member", content, bob.id), 400, errcode)


@pytest.mark.parametrize("wanted", ["join", "invite", "leave", "ban", "knock"])
def test_a_member_is_a_user(three, wanted):
    ann, _, _, room = three
    for key in ("nobody", "", "@", "@nobody"):
        refused(put_state(ann, room, "m.room.member", {"membership": wanted}, key), 400,
                "M_INVALID_PARAM")


def test_nobody_joins_for_somebody_else(three):
    ann, bob, _, room = three
    forbidden(put_state(ann, room, "m.room.member", {"membership": "join"}, bob.id))


def test_members_are_also_changed_as_state(three):
    ann, bob, _, room = three
    done(put_state(ann, room, "m.room.member", {"membership": "invite"}, bob.id))
    done(put_state(bob, room, "m.room.member", {"membership": "join"}, bob.id))
    done(put_state(ann, room, "m.room.member", {"membership": "ban"}, bob.id))
    assert membership(ann, room, bob) == "ban"


# ---- rooms that two share


def test_two_people_see_which_rooms_they_share(three):
    ann, bob, cat, room = three
    other = create(ann, preset="public_chat")
    join(bob, room), join(bob, other)
    found = done(bob.get(f"{V1}/mutual_rooms?user_id={ann.id}"))
    assert sorted(found["joined"]) == sorted([room, other]) and found["count"] == 2
    assert done(cat.get(f"{V1}/mutual_rooms?user_id={ann.id}")) == {"joined": [], "count": 0}
    assert done(bob.get(f"{V1}/mutual_rooms?user_id=@nobody:hs.test"))["joined"] == []
    assert done(bob.get(f"{V1}/mutual_rooms?user_id={ann.id}&from=999999"))["joined"] == []


@pytest.mark.parametrize("query,errcode", [
    ("", "M_MISSING_PARAM"), ("user_id=bob", "M_INVALID_PARAM"),
    ("user_id=@a:hs.test&from=x", "M_INVALID_PARAM"),
    ("user_id=@a:hs.test&from=-1", "M_INVALID_PARAM")])
def test_a_question_about_shared_rooms_has_its_shape(home, query, errcode):
    refused(home.user(None).get(f"{V1}/mutual_rooms?{query}"), 400, errcode)


def test_one_shares_no_rooms_with_oneself(home):
    ann = home.user(None)
    refused(ann.get(f"{V1}/mutual_rooms?user_id={ann.id}"), 400, "M_INVALID_PARAM")


# ---- guests


@pytest.fixture
def guest(home):
    return User(home, done(home.anybody.post("/register?kind=guest")))


def test_guests_come_in_where_they_may(three, guest):
    ann, bob, _, room = three
    join(bob, room)
    refused(change(guest, room, "join"), 403, "M_GUEST_ACCESS_FORBIDDEN")
    set_state(ann, room, "m.room.guest_access", {"guest_access": "can_join"})
    join(guest, room)
    say(guest, room, "hello")
    set_state(ann, room, "m.room.guest_access", {"guest_access": "forbidden"})
    assert membership(ann, room, guest) == "leave"
    assert membership(ann, room, bob) == "join"


def test_a_rule_that_is_taken_back_lets_no_guest_in(three, guest):
    ann, _, _, room = three
    rule = set_state(ann, room, "m.room.guest_access", {"guest_access": "can_join"})
    assert done(summary(ann, room))["guest_can_join"] is True
    join(guest, room)
    done(redact(ann, room, rule))
    assert membership(ann, room, guest) == "leave"
    assert done(summary(ann, room))["guest_can_join"] is False
    refused(change(guest, room, "join"), 403, "M_GUEST_ACCESS_FORBIDDEN")


@pytest.mark.parametrize("method,target", [
    ("POST", "/createRoom"), ("POST", "/knock/!a:hs.test"), ("GET", f"{V1}/mutual_rooms"),
    ("PUT", "/directory/room/%23a:hs.test"), ("POST", "/rooms/!a:hs.test/invite"),
    ("POST", "/rooms/!a:hs.test/kick"), ("POST", "/rooms/!a:hs.test/upgrade")])
def test_guests_may_not_do_everything(guest, method, target):
    refused(guest.request(method, target, {"user_id": "@a:b", "room_id": "!a:b",
                                           "new_version": "12"}),
            403, "M_GUEST_ACCESS_FORBIDDEN")
