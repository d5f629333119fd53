"""Rooms in /sync: joined, left, forgotten, invited to; the state that goes with their timelines."""

import pytest

from rooms import change, create, done, invite, join, leave, path, say, set_state, state
from syncing import Syncing, first_sync

LAZY = {"room": {"state": {"lazy_load_members": True}}}


def limited_to(limit, **state):
    return {"room": {"timeline": {"limit": limit}, "state": state}}


@pytest.fixture
def people(home):
    return home.user(None), home.user(None), home.user(None)


# ---- timelines


def test_a_new_room_is_told_from_its_beginning(people):
    ann, *_ = people
    phone = Syncing(ann)
    phone.sync()
    room = create(ann, name="Cats")
    answer = phone.sync()
    assert [event["type"] for event in answer.timeline(room)][:2] == ["m.room.create",
                                                                      "m.room.member"]
    assert answer.state(room) == {}
    assert answer.room(room)["summary"]["m.joined_member_count"] == 1
    assert answer.room(room)["unread_notifications"] == {"highlight_count": 0,
                                                         "notification_count": 0}


def test_a_gap_is_filled_by_paging_back(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    phone = Syncing(ann, filter=limited_to(3))
    phone.sync()
    since = phone.since
    join(bob, room)
    for number in range(8):
        say(ann, room, f"{number}")
    answer = phone.sync()
    assert answer.limited(room) and answer.messages(room) == ["5", "6", "7"]
    assert answer.members(room) == [bob.id]
    token = answer.room(room)["timeline"]["prev_batch"]
    page = done(ann.get(path(room, "messages") + f"?dir=b&limit=100&from={token}&to={since}"))
    bodies = [event["content"].get("body") for event in page["chunk"]]
    assert bodies == ["4", "3", "2", "1", "0", None]


def test_state_after_is_the_state_at_the_end(people):
    ann, *_ = people
    room = create(ann, name="first")
    for name, query in [("state_after", {"use_state_after": "true"}),
                        ("org.matrix.msc4222.state_after",
                         {"org.matrix.msc4222.use_state_after": "true"})]:
        phone = Syncing(ann, **query)
        answer = phone.sync()
        assert "state" not in answer.room(room)
        assert ("m.room.create", "") in answer.state(room, name=name)
        set_state(ann, room, "m.room.name", {"name": name})
        answer = phone.sync()
        assert answer.state(room, name=name) == {("m.room.name", ""): {"name": name}}
        assert [event["type"] for event in answer.timeline(room)] == ["m.room.name"]
        say(ann, room, "x")
        assert phone.sync().state(room, name=name) == {}


def test_full_state_is_everything_once_more(people):
    ann, *_ = people
    room = create(ann, name="Cats")
    phone = Syncing(ann)
    phone.sync()
    answer = phone.sync(full_state="true")
    assert answer.state(room)[("m.room.name", "")] == {"name": "Cats"}
    assert answer.timeline(room) == []


def test_rooms_can_be_picked(people):
    ann, *_ = people
    wanted, other = create(ann), create(ann)
    only = first_sync(ann, filter={"room": {"rooms": [wanted]}})
    assert list(only["rooms"]["join"]) == [wanted]
    without = first_sync(ann, filter={"room": {"not_rooms": [wanted]}})
    assert list(without["rooms"]["join"]) == [other]
    nothing = first_sync(ann, filter={"room": {"timeline": {"not_rooms": [wanted]}}})
    assert nothing.timeline(wanted) == [] and nothing.timeline(other)


# ---- lazy members


def test_members_come_with_what_they_say(people):
    ann, bob, cal = people
    room = create(ann, preset="public_chat", name="Cats")
    join(bob, room)
    join(cal, room)
    for _ in range(10):
        say(ann, room, "x")
    phone = Syncing(ann, filter=LAZY)
    assert phone.sync().members(room) == [ann.id]
    say(bob, room, "hi")
    assert phone.sync().members(room) == [bob.id]
    say(bob, room, "hi again")
    assert phone.sync().members(room) == []
    done(bob.put(f"/profile/{bob.id}/displayname", {"displayname": "Robert"}))
    assert first_sync(ann.another_device(), filter=LAZY).members(room) == \
        sorted([ann.id, bob.id])


def test_who_changed_in_a_gap_is_told(people):
    ann, bob, cal = people
    room = create(ann, preset="public_chat", name="Cats")
    join(bob, room)
    phone = Syncing(ann, filter=limited_to(1, lazy_load_members=True))
    phone.sync()
    leave(bob, room)
    join(cal, room)
    say(ann, room, "well")
    answer = phone.sync()
    assert answer.limited(room) and answer.members(room) == sorted([bob.id, cal.id])


def test_a_room_without_a_name_is_called_by_its_members(people):
    ann, bob, cal = people
    room = create(ann, preset="public_chat", invite=[bob.id])
    join(cal, room)
    summary = first_sync(ann, filter=LAZY).room(room)["summary"]
    assert summary == {"m.heroes": [bob.id, cal.id], "m.joined_member_count": 2,
                       "m.invited_member_count": 1}


# ---- coming and going


def test_joining_shows_the_room_whole(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat", name="Cats")
    for number in range(20):
        say(ann, room, f"{number}")
    phone = Syncing(bob)
    phone.sync()
    waiting = phone.waiting()
    join(bob, room)
    answer = waiting.result(5)
    assert answer.kinds(room) == ["join"] and answer.limited(room)
    assert answer.state(room)[("m.room.name", "")] == {"name": "Cats"}
    assert answer.messages(room) == [f"{number}" for number in range(11, 20)]


def test_a_room_ends_with_leaving_it(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    join(bob, room)
    phone = Syncing(bob)
    phone.sync()
    say(ann, room, "bye")
    leave(bob, room)
    say(ann, room, "secret")
    set_state(ann, room, "m.room.name", {"name": "secret"})
    answer = phone.sync()
    assert answer.kinds(room) == ["leave"]
    assert answer.messages(room, "leave") == ["bye"]
    assert answer.timeline(room, "leave")[-1]["content"]["membership"] == "leave"
    assert ("m.room.name", "") not in answer.state(room, "leave")
    assert phone.sync().says_nothing()
    left = first_sync(bob, filter={"room": {"include_leave": True}})
    assert left.messages(room, "leave") == ["bye"]
    assert ("m.room.name", "") not in left.state(room, "leave")
    assert first_sync(bob).kinds(room) == []


@pytest.mark.parametrize("what", ["kick", "ban"])
def test_who_is_sent_away_is_told(people, what):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    join(bob, room)
    phone = Syncing(bob)
    phone.sync()
    waiting = phone.waiting()
    done(change(ann, room, what, bob, reason="noise"))
    answer = waiting.result(5)
    assert answer.kinds(room) == ["leave"]
    last = answer.timeline(room, "leave")[-1]
    assert last["sender"] == ann.id and last["content"]["reason"] == "noise"


def test_what_is_forgotten_is_gone(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    join(bob, room)
    leave(bob, room)
    done(change(bob, room, "forget"))
    assert first_sync(bob, filter={"room": {"include_leave": True}}).kinds(room) == []
    phone = Syncing(bob)
    phone.sync()
    join(bob, room)
    assert phone.sync().kinds(room) == ["join"]


def test_a_device_that_was_away_is_told_of_a_room_that_was_left_and_forgotten(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    join(bob, room)
    phone, tablet = Syncing(bob), Syncing(bob.another_device())
    tablet.sync()
    set_state(ann, room, "m.room.topic", {"topic": "last words"})
    leave(bob, room)
    phone.sync()
    done(change(bob, room, "forget"))
    answer = tablet.sync()
    assert answer.kinds(room) == ["leave"] and answer.state(room, "leave") == {}
    assert [told["state_key"] for told in answer.timeline(room, "leave")] == [bob.id]
    assert tablet.sync().kinds(room) == phone.sync().kinds(room) == []


def test_joining_and_leaving_at_once_is_a_room_left(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    phone = Syncing(bob)
    phone.sync()
    join(bob, room)
    say(ann, room, "hello")
    leave(bob, room)
    answer = phone.sync()
    assert answer.kinds(room) == ["leave"] and answer.messages(room, "leave") == ["hello"]


def test_history_that_is_hidden_stays_hidden(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat", initial_state=[
        {"type": "m.room.history_visibility", "content": {"history_visibility": "joined"}}])
    say(ann, room, "before")
    phone = Syncing(bob)
    phone.sync()
    join(bob, room)
    say(ann, room, "with")
    leave(bob, room)
    say(ann, room, "without")
    join(bob, room)
    say(ann, room, "again")
    answer = phone.sync()
    assert answer.messages(room) == ["again"] and answer.limited(room)
    assert first_sync(bob).messages(room) == ["again"]


# ---- invites and knocks


def test_an_invite_tells_what_the_room_is(people):
    ann, bob, _ = people
    room = create(ann, name="Cats", topic="all about them")
    phone = Syncing(bob)
    phone.sync()
    waiting = phone.waiting()
    invite(ann, room, bob)
    answer = waiting.result(5)
    assert answer.kinds(room) == ["invite"]
    told = answer.room(room, "invite")["invite_state"]["events"]
    assert {event["type"] for event in told} >= {"m.room.create", "m.room.join_rules",
                                                 "m.room.name", "m.room.topic", "m.room.member"}
    assert all(set(event) == {"type", "state_key", "sender", "content"} for event in told)
    say(ann, room, "not yet")
    assert phone.sync().says_nothing()
    join(bob, room)
    assert phone.sync().kinds(room) == ["join"]


@pytest.mark.parametrize("who", ["invited", "inviting"])
def test_an_invite_that_comes_to_nothing_shows_nothing(people, who):
    ann, bob, _ = people
    room = create(ann, name="Cats")
    invite(ann, room, bob)
    phone = Syncing(bob, filter=LAZY)
    phone.sync()
    say(ann, room, "secret")
    if who == "invited":
        leave(bob, room)
    else:
        done(change(ann, room, "kick", bob))
    answer = phone.sync()
    assert answer.kinds(room) == ["leave"]
    assert [event["type"] for event in answer.timeline(room, "leave")] == ["m.room.member"]
    assert answer.state(room, "leave") == {}


def test_who_knocks_sees_where(people):
    ann, bob, _ = people
    room = create(ann, name="Cats", initial_state=[
        {"type": "m.room.join_rules", "content": {"join_rule": "knock"}}])
    done(bob.post(f"/knock/{room}", {}))
    answer = first_sync(bob)
    assert answer.kinds(room) == ["knock"]
    told = answer.room(room, "knock")["knock_state"]["events"]
    assert "Cats" in [event["content"].get("name") for event in told]


def test_nobody_is_told_of_rooms_that_are_not_theirs(people):
    ann, bob, _ = people
    room = create(ann, preset="public_chat")
    phone = Syncing(bob)
    phone.sync()
    say(ann, room, "here")
    assert phone.sync().says_nothing()
    assert state(ann, room, "m.room.member", ann.id)["membership"] == "join"
