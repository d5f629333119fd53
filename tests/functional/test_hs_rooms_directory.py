"""Finding rooms: aliases, the directory, summaries; and telling the administrator about them."""

import concurrent.futures
import json

import pytest

from homeserver_world import refused
from rooms import (change, create, done, invite, join, joined_rooms, leave, part, path, say,
                   set_state, summary, upgrade)


def at(alias):
    return f"/directory/room/{part(alias)}"


@pytest.fixture
def two(home):
    """Ann, who has made a public room that nobody finds, and Bob."""
    ann, bob = home.user(None), home.user(None)
    return ann, bob, create(ann, preset="public_chat")


# ---- aliases


def test_an_alias_is_made_found_and_removed(two, home):
    ann, bob, room = two
    alias = f"#{ann.name} ü:hs.test"
    refused(bob.get(at(alias)), 404, "M_NOT_FOUND")
    done(ann.put(at(alias), {"room_id": room}))
    assert done(home.anybody.get(at(alias))) == {"room_id": room, "servers": ["hs.test"]}
    assert done(ann.get(path(room, "aliases"))) == {"aliases": [alias]}
    done(ann.delete(at(alias)))
    refused(ann.delete(at(alias)), 404, "M_NOT_FOUND")
    assert done(ann.get(path(room, "aliases"))) == {"aliases": []}


def test_an_alias_has_one_room(two):
    ann, bob, room = two
    alias = f"#{ann.name}:hs.test"
    done(ann.put(at(alias), {"room_id": room}))
    mine = create(bob)
    refused(bob.put(at(alias), {"room_id": mine}), 409, "M_UNKNOWN")
    refused(bob.delete(at(alias)), 403, "M_FORBIDDEN")
    join(bob, room)
    refused(bob.delete(at(alias)), 403, "M_FORBIDDEN")
    set_state(ann, room, "m.room.power_levels", {"users": {bob.id: 50}})
    done(bob.delete(at(alias)))


def test_of_many_who_want_an_alias_one_gets_it(home):
    people = [home.user(None) for _ in range(8)]
    rooms = {user: create(user) for user in people}
    wanted = at(f"#{people[0].name}-wanted:hs.test")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda user: user.put(wanted, {"room_id": rooms[user]}), people))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    winner = people[[reply.status for reply in replies].index(200)]
    assert done(home.anybody.get(wanted))["room_id"] == rooms[winner]


def test_of_many_rooms_with_one_alias_one_begins(home):
    people = [home.user(None) for _ in range(8)]
    wish = {"room_alias_name": f"{people[0].name}-first"}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda user: user.post("/createRoom", wish), people))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 7
    assert sum(len(joined_rooms(user)) for user in people) == 1


@pytest.mark.parametrize("alias", ["#a:away.test", "#:hs.test", "a:hs.test", "#a",
                                   f"#{'x' * 247}:hs.test"])
def test_not_everything_is_an_alias_of_ours(two, alias):
    ann, _, room = two
    refused(ann.put(at(alias), {"room_id": room}), 400, "M_INVALID_PARAM")


def test_aliases_are_made_by_members(two):
    ann, bob, room = two
    alias = f"#{bob.name}:hs.test"
    refused(bob.put(at(alias), {"room_id": room}), 403, "M_FORBIDDEN")
    refused(bob.put(at(alias), {"room_id": "!nowhere:hs.test"}), 403, "M_FORBIDDEN")
    refused(bob.put(at(alias), {"room_id": "room"}), 400, "M_INVALID_PARAM")
    refused(bob.put(at(alias), {}), 400, "M_MISSING_PARAM")


def test_aliases_of_other_servers_are_asked_there(two):
    refused(two[0].get(at("#room:away.test")), 502, "M_UNKNOWN")


def test_only_who_may_read_a_room_sees_its_aliases(two):
    ann, bob, room = two
    refused(bob.get(path(room, "aliases")), 403, "M_FORBIDDEN")
    set_state(ann, room, "m.room.history_visibility", {"history_visibility": "world_readable"})
    assert done(bob.get(path(room, "aliases"))) == {"aliases": []}


# ---- the directory


def publish(user, room, visibility="public"):
    return user.put(f"/directory/list/room/{room}", {"visibility": visibility})


def found(client, **body):
    return [row["room_id"] for row in done(client.post("/publicRooms", body))["chunk"]]


def search(client, term, **body):
    return found(client, filter={"generic_search_term": term}, **body)


def test_a_room_is_in_the_directory_when_its_people_want_it(two, home):
    ann, bob, room = two
    where = f"/directory/list/room/{room}"
    assert done(home.anybody.get(where)) == {"visibility": "private"}
    join(bob, room)
    refused(publish(bob, room), 403, "M_FORBIDDEN")
    done(publish(ann, room))
    assert done(home.anybody.get(where)) == {"visibility": "public"}
    assert room in found(bob)
    done(ann.put(where))
    done(publish(ann, room, "private"))
    assert room not in found(bob)


def test_what_is_not_here_is_not_published(two):
    ann, bob, room = two
    refused(publish(ann, "!nowhere:hs.test"), 404, "M_NOT_FOUND")
    refused(ann.get("/directory/list/room/!nowhere:hs.test"), 404, "M_NOT_FOUND")
    refused(publish(bob, room), 403, "M_FORBIDDEN")
    refused(publish(ann, room, "secret"), 400, "M_INVALID_PARAM")


def test_a_row_tells_what_the_room_says_of_itself(two, home):
    ann, bob, _ = two
    room = create(ann, visibility="public", name="Row", topic="About rows",
                  room_alias_name=f"{ann.name}-row", creation_content={"type": "m.space"},
                  initial_state=[{"type": "m.room.avatar", "content": {"url": "mxc://hs.test/a"}}])
    join(bob, room)
    row, = [row for row in done(home.anybody.get("/publicRooms?limit=500"))["chunk"]
            if row["room_id"] == room]
    assert row == {
        "room_id": room, "name": "Row", "topic": "About rows", "avatar_url": "mxc://hs.test/a",
        "canonical_alias": f"#{ann.name}-row:hs.test", "join_rule": "public",
        "room_type": "m.space", "num_joined_members": 2, "world_readable": False,
        "guest_can_join": False}


def test_odd_state_does_not_break_the_directory(two):
    ann, bob, _ = two
    room = create(ann, visibility="public")
    for event_type, key in (("name", "name"), ("topic", "topic"), ("avatar", "url"),
                            ("guest_access", "guest_access")):
        set_state(ann, room, f"m.room.{event_type}", {key: {"a": 1}})
    row, = [row for row in done(bob.post("/publicRooms", {"limit": 500}))["chunk"]
            if row["room_id"] == room]
    assert row == {"room_id": room, "join_rule": "public", "num_joined_members": 1,
                   "world_readable": False, "guest_can_join": False}


def test_rooms_are_searched(two):
    ann, bob, _ = two
    space = create(ann, visibility="public", name=f"École {ann.name}",
                   creation_content={"type": "m.space"})
    plain = create(ann, visibility="public", topic=f"about éCOLE {ann.name}")
    assert sorted(search(bob, f"école {ann.name}")) == sorted([space, plain])
    both = {"generic_search_term": ann.name}
    assert found(bob, filter={**both, "room_types": ["m.space"]}) == [space]
    assert found(bob, filter={**both, "room_types": [None]}) == [plain]
    assert found(bob, filter={**both, "room_types": []}) == []
    assert search(bob, "nobody calls a room like this") == []


def test_the_directory_is_read_page_by_page(two):
    ann, bob, _ = two
    rooms = [create(ann, visibility="public", name=f"page {ann.name} {n}") for n in range(5)]
    for room in rooms[3:]:
        join(bob, room)
    wanted = rooms[3:] + rooms[:3]  # the largest first
    query = {"limit": 2, "filter": {"generic_search_term": f"page {ann.name}"}}
    pages, page = [], done(bob.post("/publicRooms", query))
    pages.append(page)
    while "next_batch" in page:
        page = done(bob.post("/publicRooms", {**query, "since": page["next_batch"]}))
        pages.append(page)
    assert [row["room_id"] for page in pages for row in page["chunk"]] == wanted
    back = done(bob.post("/publicRooms", {**query, "since": pages[1]["prev_batch"]}))
    assert [row["room_id"] for row in back["chunk"]] == wanted[:2]


def test_a_room_that_grew_is_listed_once_at_its_new_place(two, home):
    ann, bob, _ = two
    small = create(ann, visibility="public", name=f"grow {ann.name}")
    large = create(ann, visibility="public", preset="public_chat", name=f"grow {ann.name}")
    people = [home.user(None) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda user: join(user, large), people))
    assert search(bob, f"grow {ann.name}") == [large, small]
    for user in people:
        leave(user, large)
    assert search(bob, f"grow {ann.name}") == [small, large]


def test_the_place_in_the_directory_goes_over_to_the_new_room(two):
    ann, bob, _ = two
    room = create(ann, visibility="public", name=f"old {ann.name}")
    replacement = upgrade(ann, room, "12")
    assert search(bob, f"old {ann.name}") == [replacement]


def test_how_many_rooms_there_are_is_estimated(two, home):
    create(two[0], visibility="public")
    page = done(home.anybody.get("/publicRooms?limit=1"))
    assert len(page["chunk"]) == 1 <= page["total_room_count_estimate"]


@pytest.mark.parametrize("query", ["since=x", "since=f1", "since=f-1_2", "limit=-1", "limit=abc"])
def test_bad_pages_are_refused(home, query):
    refused(home.anybody.get(f"/publicRooms?{query}"), 400, "M_INVALID_PARAM")


def test_directories_of_other_servers_are_there(home):
    ann = home.user(None)
    refused(ann.get("/publicRooms?server=away.test"), 502, "M_UNKNOWN")
    refused(ann.get("/publicRooms?server=a%20b"), 400, "M_INVALID_PARAM")
    assert ann.get("/publicRooms?server=hs.test&limit=1000000000").status == 200


# ---- summaries


def test_a_summary_shows_an_open_room_to_anybody(two, home):
    ann, bob, room = two
    shown = done(summary(home.anybody, room))
    assert shown["room_id"] == room and shown["room_version"] == "12"
    assert done(summary(bob, room))["room_id"] == room


def test_a_summary_says_what_one_is_in_the_room(two, home):
    ann, bob, room = two
    assert "membership" not in done(summary(home.anybody, room))
    assert done(summary(bob, room))["membership"] == "leave"
    join(bob, room)
    assert done(summary(bob, room))["membership"] == "join"


def test_a_summary_of_a_private_room_is_for_its_people(two, home):
    ann, bob, _ = two
    room = create(ann)
    refused(summary(home.anybody, room), 404, "M_NOT_FOUND")
    refused(summary(bob, room), 404, "M_NOT_FOUND")
    invite(ann, room, bob)
    assert done(summary(bob, room))["membership"] == "invite"
    leave(bob, room)
    refused(summary(bob, room), 404, "M_NOT_FOUND")
    refused(summary(bob, "!nowhere:hs.test"), 404, "M_NOT_FOUND")
    refused(summary(bob, "room"), 400, "M_INVALID_PARAM")


def test_a_restricted_room_shows_itself_to_who_may_join(two):
    ann, bob, club = two
    room = create(ann, initial_state=[{"type": "m.room.join_rules", "content": {
        "join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": club}]}}])
    refused(summary(bob, room), 404, "M_NOT_FOUND")
    join(bob, club)
    assert done(summary(bob, room))["allowed_room_ids"] == [club]


# ---- reports, and what the administrator does


def reports(home):
    return done(home.admin("GET", "/admin/v1/reports?limit=1000"))["reports"]


def test_reports_reach_the_administrator(two, home):
    ann, bob, room = two
    join(bob, room)
    said = say(ann, room, "rude")
    done(bob.post(path(room, "report"), {"reason": "a room"}))
    done(bob.post(path(room, "report", said), {"reason": "an event", "score": -100}))
    done(bob.post(f"/users/{ann.id}/report", {"reason": "a user"}))
    mine = [report for report in reports(home) if report["reporter"] == bob.id]
    user, event, of_room = [{key: value for key, value in report.items()
                             if key not in ("id", "received_ms")} for report in mine]
    assert user == {"reporter": bob.id, "user_id": ann.id, "reason": "a user"}
    assert event == {"reporter": bob.id, "room_id": room, "event_id": said, "reason": "an event",
                     "score": -100}
    assert of_room == {"reporter": bob.id, "room_id": room, "reason": "a room"}
    for report in mine:
        assert home.admin("DELETE", f"/admin/v1/reports/{report['id']}").status == 200
    assert not [report for report in reports(home) if report["reporter"] == bob.id]
    refused(home.admin("DELETE", f"/admin/v1/reports/{mine[0]['id']}"), 404, "M_NOT_FOUND")


def test_reports_have_limits(two):
    ann, bob, room = two
    said = say(ann, room, "x")
    refused(bob.post(path(room, "report", said), {}), 404, "M_NOT_FOUND")
    refused(ann.post(path(room, "report", "$nothing"), {}), 404, "M_NOT_FOUND")
    refused(ann.post(path("!nowhere:hs.test", "report"), {"reason": ""}), 404, "M_NOT_FOUND")
    refused(ann.post(path(room, "report"), {}), 400, "M_MISSING_PARAM")
    refused(ann.post(path(room, "report", said), {"score": 10**9}), 400, "M_INVALID_PARAM")
    refused(ann.post(path(room, "report", said), {"reason": "x" * 10**6}), 413, "M_TOO_LARGE")
    done(ann.post("/users/@nobody:hs.test/report", {"reason": "who"}))


def test_the_administrator_sees_rooms_and_blocks_them(two, home):
    ann, bob, room = two
    shown = done(home.admin("GET", f"/admin/v1/rooms/{part(room)}"))
    assert shown["creator"] == ann.id and shown["blocked"] is False
    assert room in [row["room_id"] for row in done(home.admin("GET", "/admin/v1/rooms?limit=1000"))
                    ["rooms"]]
    assert home.admin("PUT", f"/admin/v1/rooms/{part(room)}/block", {"reason": "spam"}).status == 200
    refused(change(bob, room, "join"), 403, "M_FORBIDDEN")
    assert {"room_id": room, "reason": "spam"}.items() <= [
        row for row in done(home.admin("GET", "/admin/v1/blocked-rooms"))["rooms"]
        if row["room_id"] == room][0].items()
    say(ann, room, "who is in stays in")
    assert home.admin("DELETE", f"/admin/v1/rooms/{part(room)}/block").status == 200
    join(bob, room)
    done(publish(ann, room))
    assert home.admin("DELETE", f"/admin/v1/rooms/{part(room)}/published").status == 200
    assert room not in found(bob, limit=500)


def test_the_operator_has_commands_for_rooms_and_reports(two, home):
    ann, bob, room = two
    set_state(ann, room, "m.room.name", {"name": "Cats\x1b[2J"})
    done(publish(ann, room))
    said = say(ann, room, "rude")
    join(bob, room)
    done(bob.post(path(room, "report", said), {"reason": "it is"}))
    assert f"{room} 2 members, published: (unprintable)\n" in home.command("room", "list")
    assert json.loads(home.command("room", "show", room))["creator"] == ann.id
    home.command("room", "unpublish", room)
    home.command("room", "unpublish", room, status=1)
    home.command("room", "block", "--reason", "spam", room)
    assert any(line.startswith(room) and line.endswith(": spam")
               for line in home.command("room", "blocked").splitlines())
    refused(change(home.user(None), room, "join"), 403, "M_FORBIDDEN")
    home.command("room", "unblock", room)
    line, = [line for line in home.command("report", "list").splitlines() if said in line]
    assert f" by {bob.id} about {room} {said}: it is" in line
    home.command("report", "remove", line.split()[0])
    assert said not in home.command("report", "list")
    for wrong in (["room"], ["room", "list", "x"], ["room", "eat", room], ["report"],
                  ["room", "show", "--reason", "x", room], ["report", "list", "x"]):
        assert home.homeserver.command(*wrong).returncode == 2


@pytest.mark.parametrize("content,shown", [
    ({"topic": "old"}, "old"),
    ({"topic": "old", "m.topic": {"m.text": [{"body": "new"}]}}, "new"),
    ({"topic": "old", "m.topic": {"m.text": [
        {"mimetype": "text/html", "body": "<b>new</b>"}, {"mimetype": "text/plain", "body": "new"}]}},
     "new"),
    ({"topic": "old", "m.topic": {"m.text": [{"mimetype": "text/html", "body": "<b>"}]}}, "old"),
    ({"m.topic": {"m.text": [{"mimetype": "text/html", "body": "<b>"}]}}, None),
    ({"topic": "old", "m.topic": {"m.text": "new"}}, "old")])
def test_a_topic_is_shown_as_plain_text(two, content, shown):
    ann, _, room = two
    set_state(ann, room, "m.room.topic", content)
    assert done(summary(ann, room)).get("topic") == shown
