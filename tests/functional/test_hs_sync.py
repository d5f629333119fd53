"""/sync as a client meets it: tokens, waiting, devices, and all that is not of a room's events."""

import time
import urllib.parse

import pytest

from homeserver_world import refused
from rooms import create, done, invite, join, leave, part, path, redact, say, send, set_state
from syncing import Syncing, first_sync, sync_path


# ---- what may be asked


@pytest.mark.parametrize("since", ["x", "s1", "s1_", "s-1_2", "s01_2", "s1_2_3", "m1~2_3", "t1_2",
                                   "s99999999999999999999_1", "s1_1" + "0" * 100, "%00"])
def test_what_is_no_token_is_refused(home, since):
    ann = home.user(None)
    refused(ann.get("/sync?since=" + urllib.parse.quote(since)), 400, "M_INVALID_PARAM")


def test_a_token_from_the_future_begins_again(talk):
    ann, _, room = talk
    say(ann, room, "hello")
    answer = done(ann.get("/sync?since=s4000000000_1"))
    assert room in answer["rooms"]["join"]


@pytest.mark.parametrize("query", ["timeout=abc", "timeout=1.5", "full_state=1", "full_state=yes",
                                   "set_presence=asleep", "use_state_after=2",
                                   "org.matrix.msc4222.use_state_after=x"])
def test_parameters_are_what_they_should_be(home, query):
    refused(home.user(None).get("/sync?" + query), 400, "M_INVALID_PARAM")


def test_nobody_syncs_without_a_token(home):
    refused(home.anybody.get("/sync"), 401, "M_MISSING_TOKEN")


def test_somebody_elses_token_shows_ones_own(talk, home):
    ann, bob, room = talk
    stranger = home.user(None)
    phone = Syncing(ann)
    phone.sync()
    say(ann, room, "secret")
    answer = done(stranger.get(sync_path(phone.since)))
    assert "rooms" not in answer


# ---- waiting


def test_a_client_that_waits_is_told_at_once(talk):
    ann, bob, room = talk
    phone = Syncing(ann)
    phone.sync()
    waiting = phone.waiting()
    time.sleep(0.2)
    assert not waiting.done()
    say(bob, room, "hello")
    assert waiting.result(5).messages(room) == ["hello"]


def test_waiting_ends_when_its_time_is_over(home):
    ann = home.user(None)
    phone = Syncing(ann)
    phone.sync()
    began = time.monotonic()
    answer = phone.sync(timeout=300)
    assert 0.25 < time.monotonic() - began < 5
    assert answer.says_nothing()
    assert answer["device_one_time_keys_count"] == {}
    assert answer["device_unused_fallback_key_types"] == []


def test_nobody_waits_for_what_is_there(talk):
    ann, bob, room = talk
    phone = Syncing(ann)
    assert phone.sync(timeout=10 ** 12).room(room)
    say(bob, room, "hello")
    assert phone.sync(timeout=10 ** 12).messages(room) == ["hello"]
    assert phone.sync(timeout=10 ** 12, full_state="true").room(room)


def test_what_is_filtered_out_wakes_nobody(talk):
    ann, bob, room = talk
    phone = Syncing(ann, filter={"room": {"timeline": {"not_types": ["org.noise"]},
                                          "ephemeral": {"not_types": ["*"]}}})
    phone.sync()
    waiting = phone.waiting()
    for _ in range(5):
        done(send(bob, room, "org.noise", {}))
    time.sleep(0.2)
    assert not waiting.done()
    say(bob, room, "signal")
    assert waiting.result(5).messages(room) == ["signal"]


def test_many_devices_are_told_each(talk):
    ann, bob, room = talk
    devices = [Syncing(user) for user in
               [ann, ann.another_device(), ann.another_device(), bob, bob.another_device()]]
    for device in devices:
        device.sync()
    waiting = [device.waiting() for device in devices]
    say(ann, room, "to all")
    assert [each.result(5).messages(room) for each in waiting] == [["to all"]] * len(devices)


def test_only_the_device_that_sent_sees_its_transaction(talk):
    ann, bob, room = talk
    devices = [Syncing(ann), Syncing(ann.another_device()), Syncing(bob)]
    for device in devices:
        device.sync()
    done(send(ann, room, "m.room.message", {"body": "x"}, "mine"))
    told = [device.sync().timeline(room)[0]["unsigned"].get("transaction_id")
            for device in devices]
    assert told == ["mine", None, None]


def test_a_device_that_was_signed_out_is_told_nothing(talk):
    ann, bob, room = talk
    laptop = Syncing(ann.another_device())
    laptop.sync()
    waiting = laptop.pool.submit(laptop.ask, timeout=20000)
    time.sleep(0.2)
    assert not waiting.done()
    done(laptop.user.post("/logout"))
    say(bob, room, "secret")
    refused(waiting.result(5), 401, "M_UNKNOWN_TOKEN")


def test_a_client_goes_on_after_a_restart(make_home):
    home = make_home().start()
    ann, bob = home.user("ann"), home.user("bob")
    room = create(ann, preset="public_chat")
    join(bob, room)
    phone = Syncing(ann)
    phone.sync()
    say(bob, room, "before")
    home.homeserver.restart()
    assert phone.sync().messages(room) == ["before"]
    assert phone.sync().says_nothing()
    waiting = phone.waiting()
    say(bob, room, "after")
    assert waiting.result(5).messages(room) == ["after"]


# ---- typing, receipts, presence


def type_in(user, room, typing=True, timeout=20000):
    done(user.put(path(room, "typing", user.id), {"typing": typing, "timeout": timeout}))


def test_who_types_is_shown_while_they_do(talk):
    ann, bob, room = talk
    phone = Syncing(ann)
    phone.sync()
    waiting = phone.waiting()
    type_in(bob, room)
    assert waiting.result(5).ephemeral(room, "m.typing") == [{"user_ids": [bob.id]}]
    type_in(bob, room, False)
    assert phone.sync().ephemeral(room, "m.typing") == [{"user_ids": []}]
    assert phone.sync().says_nothing()


def read(user, room, event_id, kind="m.read", **body):
    done(user.post(path(room, "receipt", kind, event_id), body))


def test_receipts_are_shown_to_all_and_private_ones_to_oneself(talk):
    ann, bob, room = talk
    event_id = say(ann, room, "read me")
    phone, laptop, other = Syncing(ann), Syncing(bob.another_device()), Syncing(bob)
    for device in [phone, laptop, other]:
        device.sync()
    read(bob, room, event_id, "m.read.private")
    assert phone.sync().says_nothing()
    told = laptop.sync().ephemeral(room, "m.receipt")
    assert list(told[0][event_id]["m.read.private"]) == [bob.id]
    read(bob, room, event_id)
    told = phone.sync().ephemeral(room, "m.receipt")
    assert list(told[0][event_id]) == ["m.read"] and list(told[0][event_id]["m.read"]) == [bob.id]
    assert first_sync(ann).ephemeral(room, "m.receipt")


def test_presence_is_shown_to_who_shares_a_room(talk, home):
    ann, bob, room = talk
    stranger = home.user(None)
    phone, strangers = Syncing(ann), Syncing(stranger)
    phone.sync()
    strangers.sync()
    done(bob.put(f"/presence/{part(bob.id)}/status",
                 {"presence": "unavailable", "status_msg": "tea"}))
    assert phone.sync().presence() == {bob.id: "unavailable"}
    assert strangers.sync().presence() == {}
    assert phone.sync(filter={"presence": {"not_types": ["m.presence"]}}).presence() == {}


def test_syncing_makes_one_present(talk):
    ann, bob, _ = talk
    Syncing(bob).sync(set_presence="online")
    assert first_sync(ann).presence()[bob.id] == "online"
    quiet = first_sync(ann, filter={"presence": {"not_senders": [bob.id]}})
    assert bob.id not in quiet.presence()


# ---- account data


def keep(user, event_type, content, room=None):
    place = path(room, "account_data", event_type)[1:] if room else f"account_data/{event_type}"
    done(user.put(f"/user/{part(user.id)}/{place}", content))


def test_account_data_comes_to_all_of_ones_devices(talk):
    ann, bob, room = talk
    phone, other = Syncing(ann.another_device()), Syncing(bob)
    phone.sync()
    other.sync()
    waiting = phone.waiting()
    keep(ann, "org.example", {"a": 1})
    assert waiting.result(5).data() == {"org.example": {"a": 1}}
    keep(ann, "org.example", {"a": 2})
    keep(ann, "org.room", {"b": 1}, room)
    done(ann.put(f"/user/{part(ann.id)}{path(room, 'tags', 'u.work')}", {"order": 0.5}))
    answer = phone.sync()
    assert answer.data() == {"org.example": {"a": 2}}
    assert answer.data(room) == {"org.room": {"b": 1}, "m.tag": {"tags": {"u.work": {"order": 0.5}}}}
    assert other.sync().says_nothing()
    only = first_sync(ann, filter={"account_data": {"types": ["org.*"]},
                                   "room": {"account_data": {"not_types": ["m.tag"]}}})
    assert only.data() == {"org.example": {"a": 2}} and only.data(room) == {"org.room": {"b": 1}}


def test_whom_one_ignores_is_not_heard(talk, home):
    ann, bob, room = talk
    phone = Syncing(ann)
    phone.sync()
    keep(ann, "m.ignored_user_list", {"ignored_users": {bob.id: {}}})
    say(bob, room, "hey")
    set_state(bob, create(bob, preset="public_chat"), "m.room.topic", {"topic": "x"})
    invite(bob, create(bob), ann)
    leave(bob, room)
    answer = phone.sync()
    assert [event["type"] for event in answer.timeline(room)] == ["m.room.member"]
    assert "invite" not in answer["rooms"]
    join(bob, room)
    keep(ann, "m.ignored_user_list", {"ignored_users": {}})
    say(bob, room, "heard again")
    assert phone.sync().messages(room) == ["heard again"]


# ---- events


def test_a_redacted_message_is_shown_without_its_content(talk):
    ann, bob, room = talk
    event_id = say(ann, room, "oh no")
    done(redact(ann, room, event_id))
    shown = [event for event in first_sync(bob).timeline(room) if event["event_id"] == event_id]
    assert shown[0]["content"] == {} and shown[0]["unsigned"]["redacted_because"]


def test_events_come_in_the_form_that_is_wanted(talk):
    ann, bob, room = talk
    say(ann, room, "hello")
    few = first_sync(bob, filter={"event_fields": ["content.body", "type"]})
    assert few.timeline(room)[-1] == {"content": {"body": "hello"}, "type": "m.room.message"}
    raw = first_sync(bob, filter={"event_format": "federation"}).timeline(room)[-1]
    assert raw["hashes"] and raw["signatures"] and raw["auth_events"]
    plain = first_sync(bob).timeline(room)[-1]
    assert "hashes" not in plain and "room_id" not in plain and plain["unsigned"]["age"] >= 0
