"""Waiting for news: whoever polls is told of everything, once, and never sleeps beside it."""

import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rooms import create, done, join, leave, path, say

PATIENCE_MS = 25_000  # of a poll: who is not woken sits it out, and is found out


EVERYTHING = urllib.parse.quote('{"room":{"timeline":{"limit":100}}}')


def poll(user, since, timeout_ms=PATIENCE_MS):
    return done(user.get(f"/sync?since={since}&timeout={timeout_ms}&filter={EVERYTHING}"))


def position(user):
    return done(user.get("/sync"))["next_batch"]


def told(answer, room):
    """What is said in a room."""
    timeline = answer.get("rooms", {}).get("join", {}).get(room, {}).get("timeline", {})
    return [event["content"]["body"] for event in timeline.get("events", [])
            if event["type"] == "m.room.message"]


def listen(user, since, room, count):
    """Everything that is said, until so many were heard."""
    heard = []
    while len(heard) < count:
        answer = poll(user, since)
        since = answer["next_batch"]
        heard += told(answer, room)
    return heard


@contextmanager
def listening(users, room, count):
    """All of them listen meanwhile; what each heard, when all have heard enough."""
    heard = []
    with ThreadPoolExecutor(len(users)) as ears:
        begun = [(user, position(user)) for user in users]
        waiting = [ears.submit(listen, user, since, room, count) for user, since in begun]
        started = time.monotonic()
        yield heard
        heard += [ear.result() for ear in waiting]
        assert time.monotonic() - started < PATIENCE_MS / 1000, "somebody was not woken"


def test_everybody_hears_everything_once(home):
    ann, bob, cat = home.user(None), home.user(None), home.user(None)
    room = create(ann, preset="public_chat")
    join(bob, room)
    join(cat, room)
    people = [ann, bob, cat, ann.another_device(), bob.another_device()]

    def talk(speaker):
        for number in range(12):  # each with ids of their own, as they talk at once
            done(speaker.put(path(room, "send", "m.room.message", f"{speaker.name}{number}"),
                             {"msgtype": "m.text", "body": f"{speaker.id} {number}"}))

    with listening(people, room, 36) as heard, ThreadPoolExecutor(3) as mouths:
        list(mouths.map(talk, [ann, bob, cat]))
    assert all(sorted(one) == sorted(heard[0]) for one in heard)
    assert len(set(heard[0])) == 36
    assert all(one == heard[0] for one in heard), "they heard it in different orders"


def test_who_said_something_is_told_at_once(home):
    ann = home.user(None)
    room = create(ann)
    since = position(ann)
    for number in range(30):
        say(ann, room, str(number))
        answer = poll(ann, since, timeout_ms=0)
        assert told(answer, room) == [str(number)]
        since = answer["next_batch"]


def test_who_joins_while_they_wait_is_woken_by_the_room(home):
    ann, bob = home.user(None), home.user(None)
    room = create(ann, preset="public_chat")
    with listening([bob], room, 2) as heard:
        join(bob, room)
        say(ann, room, "one")
        say(ann, room, "two")
    assert heard == [["one", "two"]]


def test_who_left_is_not_woken_by_the_room(home):
    ann, bob = home.user(None), home.user(None)
    room = create(ann, preset="public_chat")
    join(bob, room)
    leave(bob, room)
    since = position(bob)
    with ThreadPoolExecutor(1) as ears:
        waiting = ears.submit(poll, bob, since, 1500)
        for number in range(5):
            say(ann, room, str(number))
        answer = waiting.result()
    assert room not in str(answer)


def test_another_device_is_woken_by_what_only_its_user_sees(home):
    ann = home.user(None)
    other = ann.another_device()
    since = position(other)
    with ThreadPoolExecutor(1) as ears:
        started = time.monotonic()
        waiting = ears.submit(poll, other, since)
        done(ann.put(f"/user/{ann.id}/account_data/org.example.color", {"color": "red"}))
        answer = waiting.result()
    assert time.monotonic() - started < PATIENCE_MS / 1000
    assert answer["account_data"]["events"] == [
        {"type": "org.example.color", "content": {"color": "red"}}]


def test_positions_go_on_after_a_restart(home):
    ann = home.user(None)
    room = create(ann)
    since = position(ann)
    say(ann, room, "before")
    home.homeserver.restart()
    answer = poll(ann, since, timeout_ms=0)
    assert told(answer, room) == ["before"]
    say(ann, room, "after")
    assert told(poll(ann, answer["next_batch"]), room) == ["after"]
