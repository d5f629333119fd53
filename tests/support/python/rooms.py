"""What people do in rooms, for stories of the homeserver.

    room = create(ann, name="Cats", preset="public_chat")
    join(bob, room)
    say(bob, room, "hello")
"""

import itertools
import urllib.parse

from homeserver_world import V1, refused

_txn_ids = (f"t{number}" for number in itertools.count())


def part(text):
    """A segment of a path."""
    return urllib.parse.quote(text, safe="")


def path(room, *rest):
    return "/".join(["/rooms", part(room), *map(part, rest)])


def done(reply):
    """What a request that must succeed said."""
    assert reply.status == 200, reply
    return reply.json


# ---- rooms


def create(user, **wish):
    """The id of a new room."""
    return done(user.post("/createRoom", wish))["room_id"]


def upgrade(user, room, version, **more):
    """The id of the room that follows."""
    body = {"new_version": version, **more}
    return done(user.post(path(room, "upgrade"), body))["replacement_room"]


def state(user, room, event_type, key=""):
    """The content of the state now; None if there is none."""
    reply = user.get(path(room, "state", event_type, key))
    if reply.status == 404:
        refused(reply, 404, "M_NOT_FOUND")
        return None
    return done(reply)


def all_state(user, room):
    return done(user.get(path(room, "state")))


def put_state(user, room, event_type, content, key=""):
    """The answer, whatever it is."""
    return user.put(path(room, "state", event_type, key), content)


def set_state(user, room, event_type, content, key=""):
    """The id of the event."""
    return done(put_state(user, room, event_type, content, key))["event_id"]


def event(user, room, event_id):
    return done(user.get(path(room, "event", event_id)))


# ---- messages


def send(user, room, event_type, content, txn_id=None):
    """The answer, whatever it is."""
    return user.put(path(room, "send", event_type, txn_id or next(_txn_ids)), content)


def say(user, room, text, **more):
    """The id of a message."""
    content = {"msgtype": "m.text", "body": text, **more}
    return done(send(user, room, "m.room.message", content))["event_id"]


def redact(user, room, event_id, txn_id=None, **body):
    """The answer, whatever it is."""
    return user.put(path(room, "redact", event_id, txn_id or next(_txn_ids)), body)


def messages(user, room):
    """The bodies of all messages, oldest first."""
    chunk = done(user.get(path(room, "messages") + "?dir=b&limit=100"))["chunk"]
    return [told["content"]["body"] for told in reversed(chunk)
            if told["type"] == "m.room.message" and "body" in told["content"]]


# ---- members


def change(user, room, what, other=None, **more):
    """The answer to join, leave, invite, kick, ban, unban or forget."""
    body = {**({"user_id": other.id} if other else {}), **more}
    return user.post(path(room, what), body)


def join(user, room, **more):
    done(change(user, room, "join", **more))


def invite(user, room, other, **more):
    done(change(user, room, "invite", other, **more))


def leave(user, room, **more):
    done(change(user, room, "leave", **more))


def member(user, room, other):
    """The content of the other's membership as the user sees it; None if there is none."""
    return state(user, room, "m.room.member", other.id)


def membership(user, room, other):
    content = member(user, room, other)
    return content and content["membership"]


def joined_rooms(user):
    return done(user.get("/joined_rooms"))["joined_rooms"]


def summary(user, room):
    """The answer, whatever it is."""
    return user.get(f"{V1}/room_summary/{part(room)}")


def bodies(events):
    """What was said in them."""
    return [told["content"]["body"] for told in events if "body" in told["content"]]
