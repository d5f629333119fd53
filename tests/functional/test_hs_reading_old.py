"""What clients asked for before there was /sync, and how one looks into a room without joining."""

import concurrent.futures

import pytest

from homeserver_world import refused
from rooms import bodies, create, done, invite, join, leave, path, say, set_state


def listen(user, query):
    return done(user.get("/events" + query))


def now(user, more=""):
    """The token of this moment."""
    return listen(user, "?timeout=0" + more)["end"]


# ---- the overview


def test_an_overview_has_all_rooms(talk, home):
    ann, bob, room = talk
    say(ann, room, "hi")
    invited, left = create(ann), create(ann, preset="public_chat")
    invite(ann, invited, bob)
    join(bob, left)
    leave(bob, left)
    told = done(bob.get("/initialSync?limit=1"))
    rooms = {told["room_id"]: told for told in told["rooms"]}
    assert {room: told["membership"] for room, told in rooms.items()} == {
        room: "join", invited: "invite"}
    assert bodies(rooms[room]["messages"]["chunk"]) == ["hi"]
    assert rooms[invited]["invite"]["sender"] == ann.id
    archived = done(bob.get("/initialSync?archived=true"))["rooms"]
    assert {told["room_id"] for told in archived} == {room, invited, left}
    refused(bob.get("/initialSync?archived=perhaps"), 400, "M_INVALID_PARAM")


def test_what_happened_since_an_overview_is_told(talk):
    ann, bob, room = talk
    end = done(bob.get("/initialSync"))["end"]
    say(ann, room, "later")
    assert bodies(listen(bob, f"?from={end}&timeout=0")["chunk"]) == ["later"]


def test_a_rooms_messages_go_on_from_its_tokens(talk):
    ann, bob, room = talk
    for text in "abcdef":
        say(ann, room, text)
    told = done(bob.get(path(room, "initialSync") + "?limit=2"))["messages"]
    assert bodies(told["chunk"]) == ["e", "f"]
    earlier = done(bob.get(path(room, "messages") + f"?dir=b&limit=2&from={told['start']}"))
    assert bodies(earlier["chunk"]) == ["d", "c"]


# ---- events as they happen


def test_who_waits_is_told_at_once(talk):
    ann, bob, room = talk
    start = now(bob)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listen, bob, f"?from={start}&timeout=20000")
        say(ann, room, "hello")
        told = waiting.result(15)
    assert bodies(told["chunk"]) == ["hello"]
    assert told["start"] == start
    assert listen(bob, f"?from={told['end']}&timeout=0")["chunk"] == []


def test_events_of_several_rooms_come_in_their_order(talk):
    ann, bob, room = talk
    other = create(ann, preset="public_chat")
    join(bob, other)
    hidden = create(ann)
    start = now(bob)
    for where, text in ((room, "1"), (other, "2"), (hidden, "no"), (room, "3")):
        say(ann, where, text)
    told = listen(bob, f"?from={start}&timeout=0")
    assert bodies(told["chunk"]) == ["1", "2", "3"]
    leave(bob, room)
    start = now(bob)
    say(ann, room, "after bob left")
    assert listen(bob, f"?from={start}&timeout=0")["chunk"] == []


def test_one_looks_into_a_room_of_the_world(home):
    ann, stranger = home.user(None), home.user(None)
    room = create(ann, preset="public_chat")
    refused(stranger.get(f"/events?room_id={room}&timeout=0"), 403, "M_FORBIDDEN")
    set_state(ann, room, "m.room.history_visibility", {"history_visibility": "world_readable"})
    start = now(stranger, f"&room_id={room}")
    say(ann, room, "seen")
    say(ann, create(ann), "not seen")
    told = listen(stranger, f"?room_id={room}&from={start}&timeout=0")["chunk"]
    assert bodies(told) == ["seen"]
    assert listen(stranger, f"?from={start}&timeout=0")["chunk"] == []


@pytest.mark.parametrize("query", ["?from=nonsense", "?from=t1_1", "?timeout=soon"])
def test_bad_queries_are_refused(talk, query):
    _, bob, _ = talk
    refused(bob.get("/events" + query), 400, "M_INVALID_PARAM")


def test_a_token_of_the_future_is_taken_for_now(talk):
    ann, bob, room = talk
    say(ann, room, "past")
    assert listen(bob, f"?from=s{2 ** 60}_1&timeout=0")["chunk"] == []
