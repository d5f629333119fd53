"""Reading a room: its history page by page, what is around an event, what belongs to it, its state
and members."""

import pytest

from homeserver_world import V1, refused
from rooms import (all_state, bodies, create, done, event, invite, join, leave, messages, part, path,
                   put_state, redact, say, send, set_state)


def page(user, room, query):
    return done(user.get(path(room, "messages") + query))


def ids(events):
    return [told["event_id"] for told in events]


def pages(user, room, query, most=50):
    """All events of all pages until there is no `end`."""
    events, token = [], ""
    for _ in range(most):
        told = page(user, room, query + token)
        events += told["chunk"]
        if "end" not in told:
            return events
        token = f"&from={told['end']}"
    raise AssertionError("there is no end")


# ---- history


def test_pages_show_everything_once_in_both_directions(talk):
    ann, bob, room = talk
    for number in range(25):
        say(ann, room, str(number))
    back = pages(bob, room, "?dir=b&limit=4")
    assert list(reversed(bodies(back))) == [str(number) for number in range(25)]
    assert back[-1]["type"] == "m.room.create"
    assert ids(pages(bob, room, "?dir=f&limit=7")) == list(reversed(ids(back)))


def test_ten_are_shown_when_nothing_is_said(talk):
    ann, bob, room = talk
    for number in range(12):
        say(ann, room, str(number))
    assert bodies(page(bob, room, "?dir=b")["chunk"]) == [str(n) for n in range(11, 1, -1)]


def test_a_page_ends_at_to(talk):
    ann, bob, room = talk
    say(ann, room, "before")
    here = page(bob, room, "?dir=b&limit=1")["start"]
    for text in ("one", "two", "three"):
        say(ann, room, text)
    assert bodies(page(bob, room, f"?dir=b&to={here}")["chunk"]) == ["three", "two", "one"]
    assert bodies(page(bob, room, f"?dir=f&from={here}")["chunk"]) == ["one", "two", "three"]
    there = page(bob, room, f"?dir=f&from={here}&limit=2")["end"]
    assert bodies(page(bob, room, f"?dir=f&from={here}&to={there}")["chunk"]) == ["one", "two"]
    assert page(bob, room, f"?dir=b&from={here}&to={there}")["chunk"] == []


def test_a_page_begins_with_the_token_that_was_given(talk):
    ann, bob, room = talk
    since = done(bob.get("/sync"))["next_batch"]
    say(ann, room, "hi")
    told = page(bob, room, f"?dir=f&from={since}")
    assert told["start"] == since and bodies(told["chunk"]) == ["hi"]
    assert page(bob, room, f"?dir=b&from={told['start']}")["start"] == since


def test_a_page_that_ends_with_the_history_is_the_last(talk):
    _, bob, room = talk
    everything = page(bob, room, "?dir=b&limit=100")["chunk"]
    for direction in "bf":
        told = page(bob, room, f"?dir={direction}&limit={len(everything)}")
        assert len(told["chunk"]) == len(everything) and "end" not in told
        assert "end" in page(bob, room, f"?dir={direction}&limit={len(everything) - 1}")


def test_what_is_filtered_does_not_end_the_history(talk):
    ann, bob, room = talk
    say(ann, room, "needle")
    for number in range(30):
        send(ann, room, "org.test.hay", {"number": number})
    told = pages(bob, room, '?dir=b&limit=5&filter={"types":["m.room.message"]}')
    assert bodies(told) == ["needle"]
    assert pages(bob, room, f'?dir=b&filter={{"not_rooms":["{room}"]}}') == []
    assert bodies(pages(bob, room, f'?dir=b&filter={{"senders":["{bob.id}"]}}')) == []


def test_a_page_of_what_is_filtered_alone_does_not_end_the_history(talk):
    """So many events are looked at for one page; then it ends, however empty it is."""
    ann, _, _ = talk
    hay = [{"type": "org.test.hay", "state_key": str(n), "content": {}} for n in range(1000)]
    room = create(ann, initial_state=hay)
    query = '?dir=b&limit=5&filter={"types":["m.room.create"]}'
    told = page(ann, room, query)
    assert told["chunk"] == [] and "end" in told
    assert [event["type"] for event in pages(ann, room, query)] == ["m.room.create"]


def test_senders_come_with_the_page_when_members_are_loaded_lazily(talk):
    ann, bob, room = talk
    for user in (ann, bob, ann):
        say(user, room, "hi")
    told = page(bob, room, '?dir=b&limit=2&filter={"lazy_load_members":true}')
    assert {member["state_key"] for member in told["state"]} == {ann.id, bob.id}
    told = page(bob, room, '?dir=b&limit=1&filter={"lazy_load_members":true}')
    assert [member["state_key"] for member in told["state"]] == [ann.id]
    assert "state" not in page(bob, room, "?dir=b&limit=1")


@pytest.mark.parametrize("query", [
    "?dir=x", "?dir=b&limit=-1", "?dir=b&limit=abc", "?dir=b&from=nonsense", "?dir=b&from=t1_",
    "?dir=b&from=t99999999999999999999_1", "?dir=b&to=s", "?dir=b&from=s1_2_3"])
def test_bad_queries_are_refused(talk, query):
    _, bob, room = talk
    refused(bob.get(path(room, "messages") + query), 400, "M_INVALID_PARAM")


def test_a_direction_is_needed(talk):
    _, bob, room = talk
    refused(bob.get(path(room, "messages")), 400, "M_MISSING_PARAM")


def test_too_large_limits_are_clamped(talk):
    _, bob, room = talk
    for limit in (10 ** 9, 2 ** 62, 0):
        assert page(bob, room, f"?dir=b&limit={limit}")["chunk"]


def test_bad_filters_are_refused(talk):
    _, bob, room = talk
    refused(bob.get(path(room, "messages") + "?dir=b&filter={"), 400, "M_NOT_JSON")
    refused(bob.get(path(room, "messages") + '?dir=b&filter={"types":3}'), 400, "M_BAD_JSON")


def test_a_room_that_is_nowhere_is_like_one_that_is_closed(talk, home):
    stranger = home.user(None)
    _, _, room = talk
    room = create(talk[0], preset="private_chat")
    for where in (room, "!nowhere:hs.test"):
        refused(stranger.get(path(where, "messages") + "?dir=b"), 403, "M_FORBIDDEN")
        refused(stranger.get(path(where, "state")), 403, "M_FORBIDDEN")
        refused(stranger.get(path(where, "event", "$nothing")), 404, "M_NOT_FOUND")


def test_history_survives_a_kill(make_home):
    home = make_home().start()
    ann = home.user("ann")
    room = create(ann)
    for number in range(5):
        say(ann, room, str(number))
    before = pages(ann, room, "?dir=b&limit=100")
    home.daemon.kill()
    home.daemon.start()
    assert ids(pages(ann, room, "?dir=b&limit=2")) == ids(before)


# ---- around an event


def context(user, room, event_id, query=""):
    return done(user.get(path(room, "context", event_id) + query))


def test_an_event_stands_in_its_context(talk):
    ann, bob, room = talk
    told = {text: say(ann, room, text) for text in "abcdefg"}
    around = context(bob, room, told["d"], "?limit=4")
    assert around["event"]["event_id"] == told["d"]
    assert bodies(around["events_before"]) == ["c", "b"]
    assert bodies(around["events_after"]) == ["e", "f"]
    assert bodies(page(bob, room, f"?dir=b&limit=1&from={around['start']}")["chunk"]) == ["a"]
    assert bodies(page(bob, room, f"?dir=f&limit=1&from={around['end']}")["chunk"]) == ["g"]


def test_a_context_may_be_the_event_alone(talk):
    ann, bob, room = talk
    event_id = say(ann, room, "alone")
    around = context(bob, room, event_id, "?limit=0")
    assert (around["events_before"], around["events_after"]) == ([], [])
    assert around["event"]["event_id"] == event_id


def test_a_context_has_the_state_of_then(talk):
    ann, bob, room = talk
    set_state(ann, room, "m.room.topic", {"topic": "then"})
    event_id = say(ann, room, "hi")
    set_state(ann, room, "m.room.topic", {"topic": "now"})
    state = context(bob, room, event_id, "?limit=0")["state"]
    assert [told["content"] for told in state if told["type"] == "m.room.topic"] == [
        {"topic": "then"}]
    lazy = context(bob, room, event_id,
                   '?limit=1&filter={"lazy_load_members":true,"types":["m.room.message"]}')["state"]
    assert [told["state_key"] for told in lazy] == [ann.id]


def test_members_of_a_context_are_those_of_its_state(talk):
    ann, bob, room = talk
    event_id = say(bob, room, "who am I")
    done(bob.put(path(room, "state", "m.room.member", bob.id),
                 {"membership": "join", "displayname": "Robert"}))
    lazy = context(ann, room, event_id, '?limit=2&filter={"lazy_load_members":true}')["state"]
    names = {told["state_key"]: told["content"].get("displayname")
             for told in lazy if told["type"] == "m.room.member"}
    assert names[bob.id] == "Robert"


def test_an_unknown_event_has_no_context(talk):
    _, bob, room = talk
    refused(bob.get(path(room, "context", "$nothing")), 404, "M_NOT_FOUND")


# ---- single events


def test_an_event_of_another_room_is_not_found(talk):
    ann, _, room = talk
    elsewhere = say(ann, create(ann), "elsewhere")
    refused(ann.get(path(room, "event", elsewhere)), 404, "M_NOT_FOUND")
    assert done(ann.get(f"/events/{part(elsewhere)}"))["content"]["body"] == "elsewhere"
    refused(ann.get("/events/$nothing"), 404, "M_NOT_FOUND")


def test_a_transaction_id_is_told_to_the_device_that_made_it(talk):
    ann, bob, room = talk
    event_id = done(send(ann, room, "m.room.message", {"body": "mine"}, "mine"))["event_id"]
    tablet = ann.another_device()
    assert event(ann, room, event_id)["unsigned"]["transaction_id"] == "mine"
    for other in (tablet, bob):
        assert "transaction_id" not in event(other, room, event_id)["unsigned"]


def test_a_redacted_event_says_why(talk):
    ann, bob, room = talk
    event_id = say(ann, room, "secret")
    redaction = done(redact(ann, room, event_id, reason="a slip"))["event_id"]
    told = event(bob, room, event_id)
    assert told["content"] == {}
    assert told["unsigned"]["redacted_because"]["event_id"] == redaction
    told = event(bob, room, redaction)
    assert told["redacts"] == told["content"]["redacts"] == event_id


def test_state_says_what_was_before_and_events_what_the_reader_was(talk):
    ann, bob, room = talk
    first = set_state(ann, room, "m.room.topic", {"topic": "cats"})
    second = set_state(ann, room, "m.room.topic", {"topic": "dogs"})
    told = event(bob, room, second)["unsigned"]
    assert told["prev_content"] == {"topic": "cats"}
    assert (told["replaces_state"], told["prev_sender"]) == (first, ann.id)
    assert told["membership"] == "join"
    create_event = page(bob, room, "?dir=f&limit=1")["chunk"][0]
    assert create_event["unsigned"]["membership"] == "leave"
    assert create_event["room_id"] == room


def test_what_was_before_one_came_is_named_and_not_shown(talk, home):
    ann, _, room = talk
    carl = home.user(None)
    set_state(ann, room, "m.room.history_visibility", {"history_visibility": "joined"})
    first = set_state(ann, room, "m.room.topic", {"topic": "before carl"})
    done(put_state(ann, room, "m.room.member", {"membership": "invite"}, carl.id))
    join(carl, room)
    second = set_state(ann, room, "m.room.topic", {"topic": "with carl"})
    told = event(carl, room, second)["unsigned"]
    assert told["replaces_state"] == first and not {"prev_content", "prev_sender"} & set(told)
    assert event(ann, room, second)["unsigned"]["prev_content"] == {"topic": "before carl"}
    joined = page(carl, room, "?dir=b&limit=2")["chunk"][1]
    assert joined["unsigned"]["prev_content"]["membership"] == "invite"


# ---- relations


def related(event_id, rel_type, **more):
    return {"m.relates_to": {"rel_type": rel_type, "event_id": event_id}, **more}


def children(user, room, *rest, query=""):
    return done(user.get(V1 + path(room, "relations", *rest) + query))


def test_children_are_found_by_type_and_kind(talk):
    ann, bob, room = talk
    parent = say(ann, room, "parent")
    reply = say(bob, room, "reply", **related(parent, "m.thread"))
    note = say(bob, room, "note", **related(parent, "m.reference"))
    reaction = done(send(bob, room, "m.reaction", {"m.relates_to": {
        "rel_type": "m.annotation", "event_id": parent, "key": "+1"}}))["event_id"]
    assert ids(children(ann, room, parent)["chunk"]) == [reaction, note, reply]
    assert ids(children(ann, room, parent, query="?dir=f")["chunk"]) == [reply, note, reaction]
    assert ids(children(ann, room, parent, "m.thread")["chunk"]) == [reply]
    assert ids(children(ann, room, parent, "m.annotation", "m.reaction")["chunk"]) == [reaction]
    assert children(ann, room, parent, "m.annotation", "m.room.message")["chunk"] == []


def test_children_come_in_pages(talk):
    ann, _, room = talk
    parent = say(ann, room, "parent")
    told = [say(ann, room, str(n), **related(parent, "m.thread")) for n in range(7)]
    for direction, expected in (("b", list(reversed(told))), ("f", told)):
        for more in ("", "&recurse=true"):
            found, token = [], ""
            while True:
                answer = children(ann, room, parent, "m.thread",
                                  query=f"?limit=3&dir={direction}{more}{token}")
                found += ids(answer["chunk"])
                if "next_batch" not in answer:
                    break
                token = f"&from={answer['next_batch']}"
            assert found == expected
            assert f"&from={answer['prev_batch']}" == token


def test_children_of_children_are_found_three_levels_deep(talk):
    ann, _, room = talk
    chain = [say(ann, room, "parent")]
    for level in range(4):
        chain.append(say(ann, room, f"level {level}", **related(chain[-1], "m.reference")))
    answer = children(ann, room, chain[0], query="?recurse=true&dir=f")
    assert ids(answer["chunk"]) == chain[1:4]
    assert answer["recursion_depth"] == 3
    direct = children(ann, room, chain[0])
    assert ids(direct["chunk"]) == chain[1:2] and "recursion_depth" not in direct
    assert children(ann, room, chain[0], query="?recurse=false")["recursion_depth"] == 1


def test_children_of_what_is_not_asked_for_are_not_found(talk):
    ann, bob, room = talk
    parent = say(ann, room, "parent")
    reply = say(ann, room, "reply", **related(parent, "m.thread"))
    done(send(bob, room, "m.reaction", {"m.relates_to": {
        "rel_type": "m.annotation", "event_id": reply, "key": "+1"}}))
    for rest in (["m.annotation"], ["m.annotation", "m.reaction"]):
        assert children(ann, room, parent, *rest, query="?recurse=true")["chunk"] == []
    assert len(children(ann, room, parent, query="?recurse=true")["chunk"]) == 2


def test_a_redacted_child_is_a_child_no_more(talk):
    ann, _, room = talk
    parent = say(ann, room, "parent")
    child = say(ann, room, "child", **related(parent, "m.reference"))
    done(redact(ann, room, child))
    assert children(ann, room, parent)["chunk"] == []
    assert "m.relations" not in event(ann, room, parent)["unsigned"]


@pytest.mark.parametrize("query", ["?dir=x", "?limit=-1", "?from=nonsense", "?recurse=perhaps"])
def test_bad_questions_for_children_are_refused(talk, query):
    ann, _, room = talk
    parent = say(ann, room, "parent")
    refused(ann.get(V1 + path(room, "relations", parent) + query), 400, "M_INVALID_PARAM")


def test_an_event_comes_with_what_was_said_of_it(talk):
    ann, bob, room = talk
    parent = say(ann, room, "one")
    edit = say(ann, room, "* two", **related(parent, "m.replace", **{
        "m.new_content": {"body": "two"}}))
    say(bob, room, "* bob's", **related(parent, "m.replace", **{"m.new_content": {"body": "no"}}))
    for number in range(3):
        latest = say(ann, room, str(number), **related(parent, "m.thread"))
    told = event(bob, room, parent)["unsigned"]["m.relations"]
    assert told["m.replace"]["event_id"] == edit
    assert (told["m.thread"]["count"], told["m.thread"]["latest_event"]["event_id"]) == (3, latest)
    assert told["m.thread"]["current_user_participated"] is False
    assert event(ann, room, parent)["unsigned"]["m.relations"]["m.thread"][
        "current_user_participated"] is True


# ---- state


def test_state_is_read_in_each_form(talk):
    ann, bob, room = talk
    event_id = set_state(ann, room, "m.room.topic", {"topic": "cats"})
    for slash in ("", "/"):
        where = path(room, "state", "m.room.topic") + slash
        assert done(bob.get(where)) == {"topic": "cats"}
        assert done(bob.get(where + "?format=content")) == {"topic": "cats"}
        assert done(bob.get(where + "?format=event"))["event_id"] == event_id
    refused(bob.get(path(room, "state", "m.room.topic") + "?format=x"), 400, "M_INVALID_PARAM")
    refused(bob.get(path(room, "state", "m.room.topic", "key")), 404, "M_NOT_FOUND")
    assert done(put_state(ann, room, "org.test", {"a": 1}, "a/b c"))
    assert done(bob.get(path(room, "state", "org.test", "a/b c"))) == {"a": 1}


def test_redacted_state_is_empty(talk):
    ann, bob, room = talk
    event_id = set_state(ann, room, "m.room.topic", {"topic": "secret"})
    done(redact(ann, room, event_id))
    assert done(bob.get(path(room, "state", "m.room.topic"))) == {}
    assert "secret" not in str(all_state(bob, room))


# ---- members


def members(user, room, query=""):
    chunk = done(user.get(path(room, "members") + query))["chunk"]
    return {told["state_key"]: told["content"]["membership"] for told in chunk}


def test_members_are_chosen_by_membership(talk, home):
    ann, bob, room = talk
    cat, dan = home.user(None), home.user(None)
    invite(ann, room, cat)
    join(dan, room)
    leave(dan, room)
    everybody = {ann.id: "join", bob.id: "join", cat.id: "invite", dan.id: "leave"}

    def those(*memberships):
        return {user: what for user, what in everybody.items() if what in memberships}

    assert members(ann, room) == everybody
    assert members(ann, room, "?membership=join") == those("join")
    assert members(ann, room, "?not_membership=leave") == those("join", "invite")
    assert members(ann, room, "?membership=leave&not_membership=join") == those("leave", "invite")
    assert members(ann, room, "?membership=join&not_membership=join") == everybody
    refused(ann.get(path(room, "members") + "?membership=friend"), 400, "M_INVALID_PARAM")


def test_members_of_an_earlier_time(talk, home):
    ann, bob, room = talk
    before = page(ann, room, "?dir=b&limit=1")["start"]
    cat = home.user(None)
    join(cat, room)
    leave(bob, room)
    assert members(ann, room, f"?at={before}") == {ann.id: "join", bob.id: "join"}
    assert members(bob, room)[bob.id] == "leave"
    later = page(ann, room, "?dir=b&limit=1")["start"]
    assert members(bob, room, f"?at={later}") == members(bob, room)
    refused(ann.get(path(room, "members") + "?at=nonsense"), 400, "M_INVALID_PARAM")
    assert members(ann, room, "?at=t0_0") == {}


def test_who_is_in_the_room_has_a_name(talk):
    ann, bob, room = talk
    content = {"membership": "join", "displayname": "Bob", "avatar_url": "mxc://hs.test/bob"}
    done(put_state(bob, room, "m.room.member", content, bob.id))
    joined = done(ann.get(path(room, "joined_members")))["joined"]
    assert joined[bob.id] == {"display_name": "Bob", "avatar_url": "mxc://hs.test/bob"}
    assert set(joined) == {ann.id, bob.id}


def test_history_goes_on_from_where_sync_stands(talk):
    ann, bob, room = talk
    for number in range(30):
        say(ann, room, str(number))
    synced = done(bob.get('/sync?filter={"room":{"timeline":{"limit":3}}}'))
    here, now = synced["rooms"]["join"][room]["timeline"]["prev_batch"], synced["next_batch"]
    assert bodies(page(bob, room, f"?dir=b&limit=3&from={here}")["chunk"]) == ["26", "25", "24"]
    assert bodies(page(bob, room, f"?dir=b&limit=2&from={now}")["chunk"]) == ["29", "28"]
    assert page(bob, room, f"?dir=f&from={now}")["chunk"] == []
    say(ann, room, "later")
    for query in (f"?dir=f&from={now}", f"?dir=b&to={now}"):
        assert bodies(page(bob, room, query)["chunk"]) == ["later"]
    leave(bob, room)
    assert members(ann, room, f"?at={now}") == {ann.id: "join", bob.id: "join"}


# ---- time


def test_an_event_is_found_by_its_time(talk):
    ann, bob, room = talk
    first, last = say(ann, room, "first"), say(ann, room, "last")
    ends = {direction: done(bob.get(V1 + path(room, "timestamp_to_event") + query))["event_id"]
            for direction, query in (("f", "?dir=f&ts=0"), ("b", f"?dir=b&ts={2 ** 53}"))}
    assert event(bob, room, ends["f"])["type"] == "m.room.create"
    assert ends["b"] == last
    when = event(bob, room, first)["origin_server_ts"]
    told = done(bob.get(V1 + path(room, "timestamp_to_event") + f"?dir=b&ts={when}"))
    assert told["origin_server_ts"] == when
    refused(bob.get(V1 + path(room, "timestamp_to_event") + "?dir=b&ts=1"), 404, "M_NOT_FOUND")
    for query in ("?dir=b", "?ts=1"):
        refused(bob.get(V1 + path(room, "timestamp_to_event") + query), 400, "M_MISSING_PARAM")


# ---- people one does not want to hear of


def test_who_is_ignored_is_not_read(talk):
    ann, bob, room = talk
    said = say(ann, room, "noise")
    done(bob.put(f"/user/{bob.id}/account_data/m.ignored_user_list",
                 {"ignored_users": {ann.id: {}}}))
    assert messages(bob, room) == []
    refused(bob.get(path(room, "event", said)), 404, "M_NOT_FOUND")
    state = page(bob, room, "?dir=f&limit=1")["chunk"]
    assert state[0]["sender"] == ann.id
