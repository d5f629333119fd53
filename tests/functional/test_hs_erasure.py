"""Who wishes to be forgotten: those who knew what they said keep it, those who come later are shown
what a redaction leaves, wherever it is shown."""

import pytest

from contact_world import World
from homeserver_world import V1
from rooms import change, create, done, join, part, path, redact, say, set_state, state
from syncing import first_sync

WORLD = World


def forget(user):
    reply = user.confirm("POST", "/account/deactivate", {"erase": True})
    assert reply.status == 200, reply


class Room:
    """A room in which somebody said things before they wished to be forgotten."""

    def __init__(self, home):
        self.gone, self.friend, self.late = (home.user(None) for _ in range(3))
        self.id = create(self.gone, preset="public_chat", name="Ours")
        join(self.friend, self.id)
        done(self.gone.put(f"/profile/{self.gone.id}/displayname", {"displayname": "Gone"}))
        self.said = say(self.gone, self.id, "secret")
        self.edit = say(self.gone, self.id, "* secret 2", **{
            "m.new_content": {"msgtype": "m.text", "body": "secret 2"},
            "m.relates_to": {"rel_type": "m.replace", "event_id": self.said}})
        self.other = say(self.friend, self.id, "a question")
        self.answer = say(self.gone, self.id, "secret answer", **{
            "m.relates_to": {"rel_type": "m.thread", "event_id": self.other}})
        self.wrong = say(self.friend, self.id, "a mistake")
        done(redact(self.gone, self.id, self.wrong, reason="secret reason"))
        set_state(self.gone, self.id, "m.room.topic", {"topic": "secret topic"})
        set_state(self.gone, self.id, "m.room.topic", {"topic": "the topic"})
        forget(self.gone)
        join(self.late, self.id)

    def shown(self, reader):
        """Everything that a reader is shown, endpoint by endpoint."""
        get = reader.get
        return {
            "messages back": get(path(self.id, "messages") + "?dir=b&limit=100"),
            "messages on": get(path(self.id, "messages") + "?dir=f&limit=100"),
            "event": get(path(self.id, "event", self.said)),
            "event of any room": get(f"/events/{part(self.said)}"),
            "context": get(path(self.id, "context", self.said) + "?limit=100"),
            "edits": get(V1 + path(self.id, "relations", self.said)),
            "thread": get(V1 + path(self.id, "relations", self.other)),
            "root of the thread": get(path(self.id, "event", self.other)),
            "redacted": get(path(self.id, "event", self.wrong)),
            "sync": get('/sync?filter={"room":{"timeline":{"limit":100}}}'),
            "members": get(path(self.id, "members")),
            "membership": get(path(self.id, "state", "m.room.member", self.gone.id)),
            "old sync": get(path(self.id, "initialSync") + "?limit=100"),
        }


@pytest.fixture(scope="module")
def room(shared_home):
    return Room(shared_home)


def test_who_comes_later_is_not_told_anything(room):
    for where, reply in room.shown(room.late).items():
        assert reply.status == 200, (where, reply)
        assert b"secret" not in reply.body, (where, reply.json)


def test_who_was_there_keeps_all_of_it(room):
    shown = room.shown(room.friend)
    for where in set(shown) - {"members", "membership"}:
        assert b"secret" in shown[where].body, (where, shown[where].json)


def test_what_is_left_says_who_and_when(room):
    told = done(room.late.get(path(room.id, "event", room.said)))
    assert told["content"] == {}
    assert (told["sender"], told["type"]) == (room.gone.id, "m.room.message")
    assert "redacted_because" not in told["unsigned"]
    assert "m.replace" not in told["unsigned"].get("m.relations", {})


def test_a_name_is_no_part_of_what_is_left(room):
    chunk = done(room.late.get(path(room.id, "messages") + "?dir=b&limit=100"))["chunk"]
    own = [event for event in chunk if event.get("state_key") == room.gone.id]
    told = [event["content"]["membership"] for event in own]
    assert len(told) > 2 and (told[0], set(told[1:])) == ("leave", {"join"})
    assert all("displayname" not in event["content"] for event in own)


def test_the_room_stays_what_it_is(room):
    assert state(room.late, room.id, "m.room.topic") == {"topic": "the topic"}
    assert state(room.late, room.id, "m.room.name") == {"name": "Ours"}


def test_who_left_before_keeps_what_they_knew(home):
    gone, friend = home.user(None), home.user(None)
    room = create(gone, preset="public_chat")
    join(friend, room)
    before = say(gone, room, "before")
    done(change(friend, room, "leave"))
    meanwhile = say(gone, room, "meanwhile")
    stay = home.user(None)
    join(stay, room)
    forget(gone)
    join(friend, room)
    assert done(friend.get(path(room, "event", before)))["content"]["body"] == "before"
    assert done(friend.get(path(room, "event", meanwhile)))["content"] == {}
    assert done(stay.get(path(room, "event", meanwhile)))["content"]["body"] == "meanwhile"


def test_a_client_that_syncs_on_is_shown_what_is_left(home):
    gone, late = home.user(None), home.user(None)
    room = create(gone, preset="public_chat")
    say(gone, room, "hello")
    since = first_sync(late)["next_batch"]
    done(gone.post(f"/rooms/{room}/invite", {"user_id": late.id}))
    forget(gone)
    join(late, room)
    told = done(late.get(f"/sync?since={since}"))["rooms"]["join"][room]["timeline"]["events"]
    assert [event["content"] for event in told if event["type"] == "m.room.message"] == [{}]


def test_who_only_leaves_is_not_forgotten(home):
    gone, late = home.user(None), home.user(None)
    room = create(gone, preset="public_chat")
    said = say(gone, room, "stays")
    assert gone.confirm("POST", "/account/deactivate", {}).status == 200
    join(late, room)
    assert done(late.get(path(room, "event", said)))["content"]["body"] == "stays"


def test_nobody_is_remembered_after_a_restart(make_home):
    home = make_home().start()
    gone, late = home.user("gone"), home.user("late")
    room = create(gone, preset="public_chat")
    said = say(gone, room, "secret")
    forget(gone)
    home.homeserver.kill()
    home.homeserver.start()
    join(late, room)
    assert done(late.get(path(room, "event", said)))["content"] == {}
