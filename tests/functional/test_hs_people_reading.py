"""Receipts, read markers and typing: what others see of somebody's reading and writing."""

import time

from following import Following
from homeserver_world import refused
from rooms import create, done, join, leave, part, path, say, send


def receipt(user, room, event_id, kind="m.read", **body):
    """The answer, whatever it is."""
    return user.post(path(room, "receipt", kind, event_id), body)


def typing(user, room, is_typing=True, whose=None, **more):
    """The answer, whatever it is."""
    where = path(room, "typing", (whose or user).id)
    return user.put(where, {"typing": is_typing, **more})


def pair(home, name):
    """Two people in a room, with a message."""
    ann, bob = home.user(f"{name}.ann"), home.user(f"{name}.bob")
    room = create(ann, preset="public_chat")
    join(bob, room)
    return ann, bob, room, say(ann, room, "hello")


def receipts(room):
    return lambda news: news.ephemeral(room, "m.receipt")


# ---- receipts


def test_others_see_what_was_read(home):
    ann, bob, room, message = pair(home, "read")
    eyes = Following(ann)
    before = time.time() * 1000
    assert receipt(bob, room, message).json == {}
    (told,) = eyes.until(receipts(room))
    mark = told[message]["m.read"][bob.id]
    assert before - 1000 <= mark["ts"] <= time.time() * 1000 + 1000 and "thread_id" not in mark
    (again,) = receipts(room)(Following(ann).first)
    assert again[message]["m.read"][bob.id] == mark


def test_an_empty_body_will_do(home):
    _ann, bob, room, message = pair(home, "nobody")
    where = path(room, "receipt", "m.read", message)
    assert bob.request("POST", where).status == 200


def test_private_receipts_are_private(home):
    ann, bob, room, message = pair(home, "private")
    anns, bobs = Following(ann), Following(bob.another_device())
    assert receipt(bob, room, message, "m.read.private").status == 200
    (told,) = bobs.until(receipts(room))
    assert bob.id in told[message]["m.read.private"]
    assert anns.has_nothing(receipts(room))
    assert not receipts(room)(Following(ann).first)


def test_receipts_do_not_go_back(home):
    ann, bob, room, first = pair(home, "back")
    second = say(ann, room, "again")
    receipt(bob, room, second)
    eyes = Following(ann)
    assert receipt(bob, room, first).status == 200
    assert eyes.has_nothing(receipts(room))
    (told,) = receipts(room)(Following(ann).first)
    assert list(told) == [second]


def test_who_is_not_in_the_room_has_read_nothing(home):
    ann, _bob, room, message = pair(home, "outside")
    eve = home.user("outside.eve")
    for kind in ("m.read", "m.read.private", "m.fully_read"):
        refused(receipt(eve, room, message, kind), 403, "M_FORBIDDEN")
        refused(eve.post(path(room, "read_markers"), {kind: message}), 403, "M_FORBIDDEN")
    refused(receipt(ann, "!unknown:hs.test", message), 403, "M_FORBIDDEN")
    elsewhere = create(ann)
    refused(receipt(ann, elsewhere, message), 404, "M_NOT_FOUND")


def test_receipts_of_other_kinds_are_refused(home):
    ann, _bob, room, message = pair(home, "kinds")
    refused(receipt(ann, room, message, "m.unread"), 400, "M_INVALID_PARAM")
    refused(receipt(ann, room, "hello"), 400, "M_INVALID_PARAM")
    refused(receipt(ann, room, "$unknown"), 404, "M_NOT_FOUND")


def test_a_thread_has_an_id(home):
    ann, _bob, room, message = pair(home, "threadid")
    for thread_id in ("", 1, None, [], {}):
        refused(receipt(ann, room, message, thread_id=thread_id), 400, "M_INVALID_PARAM")


def test_threads_are_read_apart(home):
    ann, bob, room, root = pair(home, "thread")
    in_thread = done(send(ann, room, "m.room.message", {
        "msgtype": "m.text", "body": "more", "m.relates_to": {
            "rel_type": "m.thread", "event_id": root}}))["event_id"]
    assert receipt(bob, room, root, thread_id="main").status == 200
    assert receipt(bob, room, in_thread, thread_id=root).status == 200
    assert receipt(bob, room, root).status == 200
    refused(receipt(bob, room, in_thread, thread_id="main"), 400, "M_INVALID_PARAM")
    refused(receipt(bob, room, in_thread, thread_id="$other"), 400, "M_INVALID_PARAM")
    refused(receipt(bob, room, root, "m.fully_read", thread_id="main"), 400, "M_INVALID_PARAM")
    told = receipts(room)(Following(ann).first)
    marks = [(event_id, mark["m.read"][bob.id].get("thread_id"))
             for one in told for event_id, mark in one.items()]
    assert sorted(marks, key=str) == sorted(
        [(root, None), (root, "main"), (in_thread, root)], key=str)


# ---- read markers


def test_the_marker_is_account_data(home):
    ann, _bob, room, message = pair(home, "marker")
    eyes = Following(ann)
    assert ann.post(path(room, "read_markers"), {"m.fully_read": message}).json == {}
    told = eyes.until(lambda news: news.account_data(room))
    assert told == {"m.fully_read": {"event_id": message}}
    stored = ann.get(f"/user/{part(ann.id)}/rooms/{part(room)}/account_data/m.fully_read")
    assert stored.json == {"event_id": message}


def test_all_marks_are_set_at_once(home):
    ann, bob, room, message = pair(home, "all")
    assert bob.post(path(room, "read_markers"), {
        "m.fully_read": message, "m.read": message, "m.read.private": message}).status == 200
    (anns,) = receipts(room)(Following(ann).first)
    (bobs,) = receipts(room)(Following(bob).first)
    assert list(anns[message]) == ["m.read"]
    assert sorted(bobs[message]) == ["m.read", "m.read.private"]


def test_the_marker_goes_forward_only(home):
    ann, _bob, room, first = pair(home, "forward")
    second = say(ann, room, "again")
    for event_id in (second, first):
        assert receipt(ann, room, event_id, "m.fully_read").status == 200
    told = Following(ann).first.account_data(room)
    assert told["m.fully_read"] == {"event_id": second}


# ---- typing


def typists(room):
    """The last list of an answer, None if it has none."""
    def read(news):
        lists = news.ephemeral(room, "m.typing")
        return lists[-1]["user_ids"] if lists else None
    return read


def types(eyes, room, *users):
    """Waits until exactly these are typing."""
    wanted = sorted(user.id for user in users)
    read = typists(room)

    def is_so(news):
        found = read(news)
        return found is not None and sorted(found) == wanted
    return eyes.until(is_so)


def test_others_see_who_is_typing(home):
    ann, bob, room, _message = pair(home, "typing")
    eyes = Following(ann)
    assert typing(bob, room, timeout=30000).json == {}
    types(eyes, room, bob)
    assert typing(bob, room, False).status == 200
    types(eyes, room)


def test_typing_ends_after_its_time(home):
    ann, bob, room, _message = pair(home, "typingend")
    eyes = Following(ann)
    typing(bob, room, timeout=2000)
    types(eyes, room, bob)
    types(eyes, room)


def test_who_leaves_types_no_more(home):
    ann, bob, room, _message = pair(home, "typingleaver")
    typing(bob, room, timeout=30000)
    eyes = Following(ann)
    assert typists(room)(eyes.first) == [bob.id]
    leave(bob, room)
    assert typists(room)(eyes.next(timeout=0)) == []
    assert not typists(room)(Following(ann).first)


def test_a_first_sync_shows_who_is_typing(home):
    ann, bob, room, _message = pair(home, "typingfirst")
    assert typists(room)(Following(ann).first) is None
    typing(bob, room)
    assert typists(room)(Following(ann).first) == [bob.id]


def test_only_members_type_and_only_for_themselves(home):
    ann, bob, room, _message = pair(home, "typingself")
    eve = home.user("typingself.eve")
    refused(typing(eve, room), 403, "M_FORBIDDEN")
    refused(typing(ann, room, whose=bob), 403, "M_FORBIDDEN")
    refused(typing(ann, "!unknown:hs.test"), 403, "M_FORBIDDEN")
    refused(ann.put(path(room, "typing", ann.id), {}), 400, "M_MISSING_PARAM")
    refused(ann.put(path(room, "typing", ann.id), {"typing": "yes"}), 400, "M_BAD_JSON")
    refused(typing(ann, room, timeout=-1), 400, "M_INVALID_PARAM")


def test_who_was_typing_at_a_restart_is_not_any_more(make_home):
    home = make_home().start()
    ann, bob, room, _message = pair(home, "restart")
    eyes = Following(ann)
    typing(bob, room, timeout=120000)
    types(eyes, room, bob)
    home.daemon.restart()
    types(eyes, room)
