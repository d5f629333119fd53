"""Filters that clients upload: kept, handed out to their user, refused when they are none."""

import json

import pytest

from homeserver_world import refused
from rooms import create, done, part, say
from syncing import first_sync


def filters(user, *rest):
    return "/".join([f"/user/{part(user.id)}/filter", *rest])


def upload(user, wanted):
    return done(user.post(filters(user), wanted))["filter_id"]


def test_a_filter_comes_back_as_it_was(home):
    ann = home.user(None)
    wanted = {"room": {"timeline": {"limit": 5, "types": ["m.*"]}}, "org.unknown": [1, {"a": None}]}
    filter_id = upload(ann, wanted)
    assert not filter_id.startswith("{")
    assert done(ann.get(filters(ann, filter_id))) == wanted
    assert upload(ann, wanted) == filter_id


def test_filters_are_ones_own(home):
    ann, bob = home.user(None), home.user(None)
    filter_id = upload(ann, {"event_format": "client"})
    refused(bob.post(filters(ann), {}), 403, "M_FORBIDDEN")
    refused(bob.get(filters(ann, filter_id)), 403, "M_FORBIDDEN")
    refused(bob.get(filters(bob, filter_id)), 404, "M_NOT_FOUND")
    refused(bob.get(f"/sync?filter={filter_id}"), 404, "M_NOT_FOUND")
    refused(ann.get(filters(ann, "unknown")), 404, "M_NOT_FOUND")
    refused(ann.get(filters(ann, "x" * 2000)), 404, "M_NOT_FOUND")


def test_a_stored_filter_filters(home):
    ann = home.user(None)
    room = create(ann)
    for number in range(4):
        say(ann, room, f"{number}")
    filter_id = upload(ann, {"room": {"timeline": {"limit": 2}}})
    assert first_sync(ann, filter=filter_id).messages(room) == ["2", "3"]


WRONG = [
    {"room": {"timeline": {"types": 3}}},
    {"room": {"timeline": {"types": [3]}}},
    {"room": {"timeline": {"limit": 0}}},
    {"room": {"timeline": {"limit": "10"}}},
    {"room": {"timeline": []}},
    {"room": {"rooms": ["no room"]}},
    {"room": []},
    {"presence": {"senders": ["nobody"]}},
    {"event_fields": "content"},
    {"event_format": "other"},
    {"account_data": {"not_types": {"a": "b"}}},
]


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_what_is_no_filter_is_refused(home, wrong):
    ann = home.user(None)
    refused(ann.post(filters(ann), wrong), 400, "M_BAD_JSON")
    refused(first := ann.get("/sync?filter=" + part(json.dumps(wrong))), 400, "M_BAD_JSON")
    assert "must be" in first.json["error"]


def test_text_that_is_no_json_is_refused(home):
    ann = home.user(None)
    refused(ann.post(filters(ann), b"{"), 400, "M_NOT_JSON")
    refused(ann.get("/sync?filter=%7B"), 400, "M_NOT_JSON")
    nested = '{"a":' * 50 + "1" + "}" * 50
    refused(ann.get("/sync?filter=" + part(nested)), 400, "M_BAD_JSON")


def test_a_filter_has_a_size(home):
    ann = home.user(None)
    refused(ann.post(filters(ann), {"x": "x" * 2 ** 20}), 413, "M_TOO_LARGE")


def test_a_hundred_thousand_rooms_can_be_left_out(home):
    ann = home.user(None)
    room = create(ann)
    rooms = [f"!{number}" for number in range(100000)]
    filter_id = upload(ann, {"room": {"not_rooms": rooms}})
    assert first_sync(ann, filter=filter_id).kinds(room) == ["join"]


def test_a_user_has_not_any_number_of_filters(home):
    ann = home.user(None)
    for number in range(1000):
        upload(ann, {"x": number})
    refused(ann.post(filters(ann), {"x": 1000}), 403, "M_RESOURCE_LIMIT_EXCEEDED")
    upload(ann, {"x": 999})
