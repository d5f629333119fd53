"""Messages and redactions: sent once however often, by those who may."""

import concurrent.futures

import pytest

from homeserver_world import refused
from rooms import create, done, event, leave, messages, path, redact, say, send, set_state


def reaction(event_id, key="👍"):
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": key}}


# ---- once


def test_what_is_sent_twice_is_said_once(talk):
    ann, bob, room = talk
    content = {"msgtype": "m.text", "body": "once"}
    first = done(send(ann, room, "m.room.message", content, "same"))
    assert done(send(ann, room, "m.room.message", content, "same")) == first
    assert done(send(ann, room, "m.room.message", {"body": "other"}, "same")) == first
    assert messages(bob, room) == ["once"]


def test_the_same_id_elsewhere_is_another_request(talk, home):
    ann, bob, room = talk
    other_room = create(ann)
    sent = [send(ann, room, "m.room.message", {"body": "1"}, "x"),
            send(ann, room, "org.test", {"body": "2"}, "x"),
            send(ann, other_room, "m.room.message", {"body": "3"}, "x"),
            send(bob, room, "m.room.message", {"body": "4"}, "x"),
            send(ann.another_device(), room, "m.room.message", {"body": "5"}, "x")]
    assert len({done(reply)["event_id"] for reply in sent}) == len(sent)
    assert messages(bob, room) == ["1", "4", "5"]


def test_many_at_once_are_one(talk):
    ann, bob, room = talk
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(
            lambda _: send(ann, room, "m.room.message", {"body": "storm"}, "storm"), range(24)))
    assert len({done(reply)["event_id"] for reply in replies}) == 1
    assert messages(bob, room) == ["storm"]


def test_a_kill_between_two_tries_changes_nothing(make_home):
    home = make_home().start()
    ann = home.user("killed")
    room = create(ann)
    first = done(send(ann, room, "m.room.message", {"body": "kept"}, "k"))
    home.daemon.kill()
    home.daemon.start()
    assert done(send(ann, room, "m.room.message", {"body": "again"}, "k")) == first
    assert messages(ann, room) == ["kept"]


# ---- who may say what


def test_only_members_speak(talk, home):
    ann, bob, room = talk
    stranger = home.user(None)
    refused(send(stranger, room, "m.room.message", {"body": "hi"}), 403, "M_FORBIDDEN")
    refused(send(ann, "!nowhere:hs.test", "m.room.message", {}), 403, "M_FORBIDDEN")
    leave(bob, room)
    refused(send(bob, room, "m.room.message", {"body": "hi"}), 403, "M_FORBIDDEN")


def test_levels_are_asked(talk):
    ann, bob, room = talk
    set_state(ann, room, "m.room.power_levels", {"events_default": 50})
    refused(send(bob, room, "m.room.message", {"body": "hi"}), 403, "M_FORBIDDEN")
    say(ann, room, "creators may")


@pytest.mark.parametrize("event_type", ["m.room.member", "m.room.create"])
def test_state_is_no_message(talk, event_type):
    ann, _, room = talk
    refused(send(ann, room, event_type, {"membership": "join"}), 403, "M_FORBIDDEN")


# ---- what can be said


@pytest.mark.parametrize("talk,number,status", [
    ("12", "1.0", 400), ("12", "1e2", 400), ("12", "-0.0", 400), ("12", str(2**53), 400),
    ("12", str(-2**53), 400), ("12", str(2**63), 400), ("12", str(2**53 - 1), 200),
    ("12", "-0", 200), ("12", "9" * 200, 400)], indirect=["talk"])
def test_numbers_are_integers_that_everybody_can_read(talk, number, status):
    ann, _, room = talk
    reply = send(ann, room, "org.test", b'{"n": %s}' % number.encode())
    assert reply.status == status, reply
    if status == 400:
        refused(reply, 400, "M_BAD_JSON")


@pytest.mark.parametrize("talk", ["1", "5"], indirect=True)
def test_old_rooms_take_numbers_with_a_point(talk):
    ann, bob, room = talk
    sent = done(send(ann, room, "org.test", b'{"n": [1.0, 1e2, -0.0, 1.1, 9007199254740992]}'))
    assert event(bob, room, sent["event_id"])["content"] == {
        "n": [1.0, 100.0, -0.0, 1.1, 9007199254740992]}
    refused(send(ann, room, "org.test", b'{"n": 9223372036854775808}'), 400, "M_BAD_JSON")


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b'{"a":1}x', b"{}{}", b"{}\0", b"\xef\xbb\xbf{}", b"{'a': 1}", b'{"a": 1,}',
    b'{"a": NaN}', b'{"a": 01}', b'{"a": "\\ud800"}', b'{"a": "\xed\xa0\x80"}',
    b'{"a": "\x01"}'])
def test_what_is_no_json_is_no_event(talk, body):
    ann, _, room = talk
    refused(send(ann, room, "org.test", body), 400, "M_NOT_JSON")


@pytest.mark.parametrize("body", [
    b"[]", b"1", b'"x"', b"null", b'{"a": 1, "a": 2}', b'{"body": 1, "\\u0062ody": 2}',
    b'{"\\u0000": 1}', b'{"a":' + b"[" * 10000 + b"]" * 10000 + b"}"])
def test_an_event_is_one_object(talk, body):
    ann, _, room = talk
    refused(send(ann, room, "org.test", body), 400, "M_BAD_JSON")


@pytest.mark.parametrize("content", [
    {"m.mentions": 3}, {"m.mentions": {"user_ids": "@a:b"}}, {"m.relates_to": []},
    {"m.relates_to": {"rel_type": "m.thread"}}, {"m.relates_to": {"m.in_reply_to": 1}}])
def test_broken_relations_and_mentions_are_refused(talk, content):
    ann, _, room = talk
    refused(send(ann, room, "m.room.message", content), 400, "M_BAD_JSON")


def test_sizes_have_limits(talk):
    ann, _, room = talk
    assert send(ann, room, "x" * 255, {}).status == 200
    refused(send(ann, room, "x" * 256, {}), 413, "M_TOO_LARGE")
    refused(ann.put(path(room, "state", "org.test", "ü" * 128), {}), 413, "M_TOO_LARGE")
    assert send(ann, room, "org.test", {"x": "y" * 60000}).status == 200
    refused(send(ann, room, "org.test", {"x": "y" * 65400}), 413, "M_TOO_LARGE")
    # Every blank of U+007F that is escaped in the request is shorter when it is stored.
    assert send(ann, room, "org.test", b'{"\\u0041": "' + b"\\u0041" * 9000 + b'"}').status == 200


def test_odd_names_stay_as_they_are(talk):
    ann, _, room = talk
    content = {"__proto__": {"constructor": 1}, "": "empty", "text": "\u2028\x7f/\ufffe\x00."}
    sent = done(send(ann, room, "org.test", content))["event_id"]
    assert event(ann, room, sent)["content"] == content


# ---- reactions and threads


def test_nobody_reacts_twice_with_the_same(talk):
    ann, bob, room = talk
    said = say(ann, room, "look")
    first = done(send(bob, room, "m.reaction", reaction(said), "r1"))
    refused(send(bob, room, "m.reaction", reaction(said)), 400, "M_DUPLICATE_ANNOTATION")
    assert done(send(bob, room, "m.reaction", reaction(said), "r1")) == first
    assert send(bob, room, "m.reaction", reaction(said, "👎")).status == 200
    assert send(ann, room, "m.reaction", reaction(said)).status == 200
    done(redact(bob, room, first["event_id"]))
    assert send(bob, room, "m.reaction", reaction(said)).status == 200


def test_a_thread_does_not_start_from_a_thread(talk):
    ann, _, room = talk
    root = say(ann, room, "root")
    inside = say(ann, room, "inside", **{"m.relates_to": {"rel_type": "m.thread",
                                                          "event_id": root}})
    nested = {"body": "no", "m.relates_to": {"rel_type": "m.thread", "event_id": inside}}
    refused(send(ann, room, "m.room.message", nested), 400, "M_UNKNOWN")


# ---- redactions


@pytest.mark.parametrize("talk", ["1", "10", "11", "12"], indirect=True)
def test_one_takes_back_what_one_said(talk):
    ann, bob, room = talk
    said = say(bob, room, "oops")
    done(redact(bob, room, said, reason="typo"))
    shown = event(ann, room, said)
    assert shown["content"] == {}
    assert shown["unsigned"]["redacted_because"]["content"]["reason"] == "typo"
    assert messages(ann, room) == []


@pytest.mark.parametrize("talk", ["1", "10", "11", "12"], indirect=True)
def test_redactions_are_also_sent_like_messages(talk):
    ann, _, room = talk
    said = say(ann, room, "oops")
    sent = done(send(ann, room, "m.room.redaction", {"redacts": said}))["event_id"]
    assert event(ann, room, said)["content"] == {}
    told = event(ann, room, sent)
    assert said in (told.get("redacts"), told["content"].get("redacts"))
    refused(send(ann, room, "m.room.redaction", {}), 400, "M_BAD_JSON")


@pytest.mark.parametrize("talk", ["2", "12"], indirect=True)
def test_only_the_powerful_redact_others(talk):
    ann, bob, room = talk
    said = say(ann, room, "mine")
    refused(redact(bob, room, said), 403, "M_FORBIDDEN")
    assert messages(bob, room) == ["mine"]
    yours = say(bob, room, "yours")
    done(redact(ann, room, yours))
    assert messages(bob, room) == ["mine"]


def test_who_is_suspended_takes_back_only_their_own(talk, home):
    ann, bob, room = talk
    set_state(ann, room, "m.room.power_levels", {"users": {bob.id: 50}})
    theirs, own = say(ann, room, "theirs"), say(bob, room, "own")
    home.command("user", "suspend", bob.name)
    refused(send(bob, room, "m.room.message", {"body": "no"}), 403, "M_USER_SUSPENDED")
    refused(redact(bob, room, theirs), 403, "M_USER_SUSPENDED")
    done(redact(bob, room, own))
    leave(bob, room)
    assert messages(ann, room) == ["theirs"]


def test_a_rooms_beginning_stays(talk):
    ann, _, room = talk
    create_id = next(told["event_id"] for told in done(ann.get(path(room, "state")))
                     if told["type"] == "m.room.create")
    refused(redact(ann, room, create_id), 403, "M_FORBIDDEN")


def test_redacting_a_redaction_hurts_nobody(talk):
    ann, _, room = talk
    said = say(ann, room, "oops")
    first = done(redact(ann, room, said))["event_id"]
    second = done(redact(ann, room, first))["event_id"]
    done(redact(ann, room, second))
    assert event(ann, room, said)["content"] == {}
    say(ann, room, "still alive")


def test_what_is_not_in_the_room_is_not_redacted(talk):
    ann, _, room = talk
    elsewhere = say(ann, create(ann), "there")
    refused(redact(ann, room, elsewhere), 404, "M_NOT_FOUND")
    refused(redact(ann, room, "$nothing"), 404, "M_NOT_FOUND")
    refused(redact(ann, room, "nothing"), 400, "M_INVALID_PARAM")
    refused(redact(ann, room, elsewhere, redacts="$other"), 400, "M_INVALID_PARAM")


def test_the_same_redaction_is_made_once(talk):
    ann, _, room = talk
    said = say(ann, room, "oops")
    first = done(redact(ann, room, said, "same"))
    assert done(redact(ann, room, said, "same")) == first
