"""Presence: who is there."""

import pytest

from following import Following
from homeserver_world import refused
from rooms import create, done, join, part, say


def status(user):
    return f"/presence/{part(user.id)}/status"


def pair(home, name):
    """Two people in a room."""
    ann, bob = home.user(f"{name}.ann"), home.user(f"{name}.bob")
    room = create(ann, preset="public_chat")
    join(bob, room)
    return ann, bob, room


def says(user, presence, **more):
    return user.put(status(user), {"presence": presence, **more})


def test_what_one_says_is_shown(home):
    ann, bob, _room = pair(home, "says")
    assert says(bob, "online", status_msg="writing ü").json == {}
    seen = done(ann.get(status(bob)))
    assert seen.pop("last_active_ago") < 20000
    assert seen == {"presence": "online", "currently_active": True, "status_msg": "writing ü"}
    says(bob, "unavailable")
    seen = done(ann.get(status(bob)))
    assert seen["presence"] == "unavailable" and "status_msg" not in seen


def test_who_never_was_there_is_offline(home):
    ann, bob, _room = pair(home, "never")
    assert done(ann.get(status(bob))) == {"presence": "offline"}


def test_presence_is_for_those_who_share_a_room(home):
    _ann, bob, _room = pair(home, "shares")
    eve = home.user("shares.eve")
    says(bob, "online")
    refused(eve.get(status(bob)), 403, "M_FORBIDDEN")
    refused(eve.get("/presence/@nobody:hs.test/status"), 403, "M_FORBIDDEN")
    refused(home.anybody.get(status(bob)), 401, "M_MISSING_TOKEN")
    assert done(bob.get(status(bob)))["presence"] == "online"
    assert not Following(eve).first.presence(bob)


def test_one_speaks_for_oneself(home):
    ann, bob, _room = pair(home, "oneself")
    refused(ann.put(status(bob), {"presence": "offline"}), 403, "M_FORBIDDEN")
    refused(says(bob, "busy"), 400, "M_INVALID_PARAM")
    refused(bob.put(status(bob), {}), 400, "M_MISSING_PARAM")
    refused(says(bob, "online", status_msg="x" * 1025), 400, "M_INVALID_PARAM")
    refused(says(bob, "online", status_msg=3), 400, "M_BAD_JSON")


def test_changes_come_with_sync(home):
    ann, bob, _room = pair(home, "changes")
    eyes = Following(ann)
    says(bob, "online", status_msg="here")
    told = eyes.until(lambda news: news.presence(bob))[-1]
    assert (told["presence"], told["status_msg"]) == ("online", "here")
    says(bob, "offline")
    assert eyes.until(lambda news: news.presence(bob))[-1]["presence"] == "offline"


def test_who_joins_is_told_who_is_there(home):
    ann, bob = home.user("newcomer.ann"), home.user("newcomer.bob")
    room = create(ann, preset="public_chat")
    says(ann, "online", status_msg="at home")
    hers, his = Following(ann), Following(bob, set_presence="offline")
    says(bob, "unavailable")
    assert not his.next(0).presence(ann) and not hers.next(0).presence(bob)
    join(bob, room)
    told = his.next(0)
    assert told.presence(ann)[-1]["status_msg"] == "at home" and not told.presence(bob)[1:]
    assert hers.next(0).presence(bob)[-1]["presence"] == "unavailable"
    assert not his.next(0).presence(ann) and not hers.next(0).presence(bob)


def test_presence_carries_no_name(home):
    ann, bob, _room = pair(home, "noname")
    done(bob.put(f"/profile/{part(bob.id)}/displayname", {"displayname": "Bob"}))
    eyes = Following(ann)
    says(bob, "online", status_msg="here")
    told = eyes.until(lambda news: news.presence(bob))[-1]
    assert set(told) == {"presence", "currently_active", "last_active_ago", "status_msg"}
    done(bob.put(f"/profile/{part(bob.id)}/displayname", {"displayname": "Bobby"}))
    eyes.until(lambda news: [event for event in news.timeline(_room)
                             if event["content"].get("displayname") == "Bobby"])


@pytest.mark.parametrize("wish, shown", [
    ("online", "online"), ("unavailable", "unavailable"), ("offline", "offline")])
def test_who_syncs_is_there_as_they_wish(home, wish, shown):
    ann, bob, _room = pair(home, f"wish{wish}")
    Following(bob, set_presence=wish)
    assert done(ann.get(status(bob)))["presence"] == shown


def test_who_writes_is_back(home):
    ann, bob, room = pair(home, "back.p")
    Following(bob)
    says(bob, "unavailable")
    say(bob, room, "hello")
    assert done(ann.get(status(bob)))["presence"] == "online"


def test_without_presence_everybody_is_offline(make_home):
    home = make_home({"presence": {"enabled": False}}).start()
    ann, bob, _room = pair(home, "off")
    Following(bob)
    assert says(bob, "online", status_msg="here").json == {}
    assert done(ann.get(status(bob))) == {"presence": "offline"}
    assert not Following(ann).first.presence(bob)
