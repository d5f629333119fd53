"""Account data and tags: what clients keep for their users."""

import pytest

from following import Following
from homeserver_world import refused
from rooms import create, join, part, say

IGNORED = "m.ignored_user_list"


def data(user, event_type, room=None):
    where = f"/rooms/{part(room)}" if room else ""
    return f"/user/{part(user.id)}{where}/account_data/{part(event_type)}"


def tags(user, room, tag=None):
    return f"/user/{part(user.id)}/rooms/{part(room)}/tags" + (f"/{part(tag)}" if tag else "")


def test_account_data_is_kept_as_it_was_said(home):
    ann = home.user("data.ann")
    content = {"deep": {"list": [1, 2.5, None, "ü"]}, "": False}
    assert ann.put(data(ann, "org.example"), content).json == {}
    assert ann.get(data(ann, "org.example")).json == content
    assert ann.put(data(ann, "org.example"), {"other": 1}).status == 200
    assert ann.get(data(ann, "org.example")).json == {"other": 1}
    refused(ann.get(data(ann, "org.other")), 404, "M_NOT_FOUND")


def test_account_data_is_nobody_elses(home):
    ann, bob = home.user("own.ann"), home.user("own.bob")
    ann.put(data(ann, "org.example"), {"a": 1})
    refused(bob.get(data(ann, "org.example")), 403, "M_FORBIDDEN")
    refused(bob.put(data(ann, "org.example"), {}), 403, "M_FORBIDDEN")
    refused(bob.get(data(bob, "org.example")), 404, "M_NOT_FOUND")
    refused(home.anybody.get(data(ann, "org.example")), 401, "M_MISSING_TOKEN")


@pytest.mark.parametrize("managed", ["m.fully_read", "m.push_rules"])
def test_what_the_server_manages_is_not_set(home, managed):
    ann = home.user(f"managed.{managed[2:7]}")
    room = create(ann)
    refused(ann.put(data(ann, managed), {}), 405, "M_BAD_JSON")
    refused(ann.put(data(ann, managed, room), {}), 405, "M_BAD_JSON")


def test_the_rules_of_notifications_are_read_as_account_data(home):
    ann = home.user("rules.ann")
    rules = ann.get("/pushrules/").json
    assert ann.get(data(ann, "m.push_rules")).json == rules
    eyes = Following(ann)
    assert eyes.first.account_data()["m.push_rules"] == rules
    assert not eyes.next(timeout=0).account_data()
    only = Following(ann, filter='%7B"account_data":%7B"not_types":["m.push_rules"]%7D%7D').first
    assert only.account_data() == {}


def test_account_data_has_its_limits(home):
    ann = home.user("limits.ann")
    refused(ann.put(data(ann, "org.example"), {"a": "x" * 65536}), 413, "M_TOO_LARGE")
    refused(ann.put(data(ann, "t" * 256), {}), 400, "M_INVALID_PARAM")
    refused(ann.put(data(ann, "org.example"), [1]), 400, "M_BAD_JSON")
    refused(ann.request("PUT", data(ann, "org.example"), b"{"), 400, "M_NOT_JSON")


def test_a_room_has_data_of_its_own(home):
    ann, bob = home.user("room.ann"), home.user("room.bob")
    room, other = create(ann), create(ann)
    ann.put(data(ann, "org.example", room), {"a": 1})
    assert ann.get(data(ann, "org.example", room)).json == {"a": 1}
    refused(ann.get(data(ann, "org.example", other)), 404, "M_NOT_FOUND")
    refused(ann.get(data(ann, "org.example")), 404, "M_NOT_FOUND")
    refused(bob.put(data(bob, "org.example", room), {}), 403, "M_FORBIDDEN")
    refused(ann.put(data(ann, "org.example", "!unknown:hs.test"), {}), 403, "M_FORBIDDEN")
    refused(ann.put(data(ann, "org.example", "@ann:hs.test"), {}), 400, "M_INVALID_PARAM")


def test_other_devices_hear_of_it(home):
    ann = home.user("device.ann")
    room = create(ann)
    eyes = Following(ann.another_device())
    ann.put(data(ann, "org.example"), {"a": 1})
    assert eyes.until(lambda news: news.account_data()) == {"org.example": {"a": 1}}
    ann.put(data(ann, "org.example", room), {"b": 2})
    assert eyes.until(lambda news: news.account_data(room)) == {"org.example": {"b": 2}}
    assert Following(ann).first.account_data()["org.example"] == {"a": 1}


def test_account_data_survives_a_restart(make_home):
    home = make_home().start()
    ann = home.user("ann")
    eyes = Following(ann)
    ann.put(data(ann, "org.example"), {"a": 1})
    home.daemon.restart()
    assert ann.get(data(ann, "org.example")).json == {"a": 1}
    assert eyes.until(lambda news: news.account_data()) == {"org.example": {"a": 1}}


# ---- tags


def test_rooms_are_tagged(home):
    ann = home.user("tag.ann")
    room = create(ann)
    assert ann.get(tags(ann, room)).json == {"tags": {}}
    assert ann.put(tags(ann, room, "m.favourite"), {"order": 0.25}).json == {}
    assert ann.put(tags(ann, room, "u.work/ü"), {}).json == {}
    both = {"tags": {"m.favourite": {"order": 0.25}, "u.work/ü": {}}}
    assert ann.get(tags(ann, room)).json == both
    assert ann.get(data(ann, "m.tag", room)).json == both
    assert ann.delete(tags(ann, room, "m.favourite")).json == {}
    assert ann.delete(tags(ann, room, "m.favourite")).json == {}
    assert ann.get(tags(ann, room)).json == {"tags": {"u.work/ü": {}}}


def test_tags_come_with_sync(home):
    ann = home.user("tagsync.ann")
    room = create(ann)
    eyes = Following(ann)
    ann.put(tags(ann, room, "u.x"), {"order": 1})
    told = eyes.until(lambda news: news.account_data(room))
    assert told == {"m.tag": {"tags": {"u.x": {"order": 1}}}}


def test_an_order_is_between_0_and_1(home):
    ann = home.user("order.ann")
    room = create(ann)
    for order in ("0.5", -0.1, 1.5, None):
        refused(ann.put(tags(ann, room, "u.x"), {"order": order}), 400, "M_INVALID_PARAM")


def test_tags_have_their_limits(home):
    ann, bob = home.user("taglimit.ann"), home.user("taglimit.bob")
    room = create(ann)
    refused(ann.put(tags(ann, room, "t" * 300), {}), 400, "M_INVALID_PARAM")
    refused(bob.get(tags(ann, room)), 403, "M_FORBIDDEN")
    refused(bob.put(tags(bob, room, "u.x"), {}), 403, "M_FORBIDDEN")


# ---- whom one ignores


def test_who_is_ignored_is_not_heard_any_more(home):
    ann, bob, eve = (home.user(f"ignore.{name}") for name in ("ann", "bob", "eve"))
    room = create(ann, preset="public_chat")
    join(bob, room)
    join(eve, room)
    ann.put(data(ann, IGNORED), {"ignored_users": {eve.id: {}}})
    eyes = Following(ann)
    say(eve, room, "buy this")
    say(bob, room, "hello")
    heard = eyes.until(lambda news: [told["sender"] for told in news.timeline(room)])
    assert eve.id not in heard
