"""What is not to be read is not read on another way: redacted content, what was said after somebody
left, people whom one ignores, events of the room next door."""

from homeserver_world import V1, refused
from rooms import (create, done, event, join, leave, part, path, put_state, redact, say, set_state,
                   summary)
from syncing import first_sync


def related(event_id, rel_type, **more):
    return {"m.relates_to": {"rel_type": rel_type, "event_id": event_id}, **more}


def relations_of(user, room, event_id):
    return event(user, room, event_id)["unsigned"].get("m.relations", {})


def ignore(user, *others):
    done(user.put(f"/user/{part(user.id)}/account_data/m.ignored_user_list",
                  {"ignored_users": {other.id: {} for other in others}}))


# ---- what was redacted


def read_everywhere(user, room, event_id, beside):
    """The event, from each endpoint that has it."""
    around = done(user.get(path(room, "context", event_id)))
    seen = [around["event"], event(user, room, event_id),
            done(user.get(f"/events/{part(event_id)}"))]
    lists = [first_sync(user).timeline(room)]
    for where in beside:
        told = done(user.get(path(room, "context", where)))
        lists.append(told["events_before"] + told["events_after"])
    lists += [done(user.get(path(room, "messages") + f"?dir={way}&limit=100"))["chunk"]
              for way in "bf"]
    lists.append(done(user.get(path(room, "initialSync")))["messages"]["chunk"])
    for one in lists:
        seen += [told for told in one if told["event_id"] == event_id]
    assert len(seen) == 3 + len(lists)
    return seen


def test_a_redacted_message_is_redacted_everywhere(talk):
    ann, bob, room = talk
    before = say(ann, room, "before")
    event_id = say(ann, room, "secret")
    after = say(ann, room, "after")
    done(redact(ann, room, event_id))
    for told in read_everywhere(bob, room, event_id, (before, after)):
        assert told["content"] == {} and told["unsigned"]["redacted_because"]


def test_redacted_state_is_redacted_everywhere(talk):
    ann, bob, room = talk
    before = say(ann, room, "before")
    event_id = set_state(ann, room, "m.room.topic", {"topic": "secret"})
    done(redact(ann, room, event_id))
    for told in read_everywhere(bob, room, event_id, [before]):
        assert told["content"] == {}
    assert done(bob.get(path(room, "state", "m.room.topic"))) == {}
    assert done(bob.get(path(room, "state", "m.room.topic") + "?format=event"))["content"] == {}
    assert "secret" not in bob.get(path(room, "state")).body.decode()
    later = set_state(ann, room, "m.room.topic", {"topic": "open"})
    assert event(bob, room, later)["unsigned"]["prev_content"] == {}


def test_the_reason_of_a_redacted_membership_is_gone(talk):
    ann, bob, room = talk
    mine = set_state(bob, room, "m.room.member",
                     {"membership": "join", "displayname": "Secret", "reason": "Secret"}, bob.id)
    done(redact(bob, room, mine))
    for where in ("members", "joined_members", "state", "initialSync"):
        assert "Secret" not in ann.get(path(room, where)).body.decode()
    assert "Secret" not in str(first_sync(ann).room(room))


def test_a_redacted_name_names_the_room_no_more(talk):
    ann, bob, room = talk
    name = set_state(ann, room, "m.room.name", {"name": "Secret"})
    topic = set_state(ann, room, "m.room.topic", {"topic": "Secret"})
    done(ann.put(f"/directory/list/room/{part(room)}", {"visibility": "public"}))
    assert done(summary(bob, room))["name"] == "Secret"
    assert "m.heroes" not in first_sync(bob).room(room)["summary"]
    for event_id in (name, topic):
        done(redact(ann, room, event_id))
    assert not {"name", "topic"} & set(done(summary(bob, room)))
    assert "Secret" not in bob.get("/publicRooms?limit=1000").body.decode()
    assert first_sync(bob).room(room)["summary"]["m.heroes"] == [ann.id]


# ---- what was said later, or by whom one ignores


def test_what_was_said_after_one_left_is_not_bundled(talk):
    ann, bob, room = talk
    parent = say(ann, room, "parent")
    say(bob, room, "reply", **related(parent, "m.thread"))
    leave(bob, room)
    say(ann, room, "later", **related(parent, "m.thread"))
    say(ann, room, "later", **related(parent, "m.reference"))
    say(ann, room, "* edited", **related(parent, "m.replace", **{"m.new_content": {"body": "x"}}))
    assert set(relations_of(ann, room, parent)) == {"m.thread", "m.reference", "m.replace"}
    told = relations_of(bob, room, parent)
    assert set(told) == {"m.thread"} and told["m.thread"]["count"] == 1
    assert told["m.thread"]["latest_event"]["content"]["body"] == "reply"
    chunk = done(bob.get(V1 + path(room, "relations", parent)))["chunk"]
    assert [child["content"]["body"] for child in chunk] == ["reply"]


def test_who_is_ignored_does_not_count(talk, home):
    ann, bob, room = talk
    carl = home.user(None)
    join(carl, room)
    parent = say(ann, room, "parent")
    for user, kind in ((carl, "m.thread"), (bob, "m.thread"), (carl, "m.thread"),
                       (carl, "m.reference")):
        say(user, room, "child", **related(parent, kind))
    assert relations_of(ann, room, parent)["m.thread"]["count"] == 3
    ignore(ann, carl)
    told = relations_of(ann, room, parent)
    assert set(told) == {"m.thread"} and told["m.thread"]["count"] == 1
    assert told["m.thread"]["latest_event"]["sender"] == bob.id
    chunk = done(ann.get(V1 + path(room, "relations", parent)))["chunk"]
    assert [child["sender"] for child in chunk] == [bob.id]


# ---- other rooms


def test_an_event_of_the_room_next_door_is_not_found(talk):
    ann, _, room = talk
    secret = say(ann, create(ann), "secret")
    for reply in (ann.get(path(room, "event", secret)), ann.get(path(room, "context", secret)),
                  ann.get(V1 + path(room, "relations", secret)),
                  ann.post(path(room, "receipt", "m.read", secret)),
                  ann.put(path(room, "redact", secret, "next-door"), {})):
        refused(reply, 404, "M_NOT_FOUND")


def test_a_child_in_another_room_is_no_child(talk):
    ann, bob, room = talk
    parent = say(ann, room, "parent")
    elsewhere = create(bob)
    put_state(bob, elsewhere, "m.room.topic", {"topic": "elsewhere"})
    say(bob, elsewhere, "child", **related(parent, "m.reference"))
    assert relations_of(ann, room, parent) == {}
    assert done(ann.get(V1 + path(room, "relations", parent)))["chunk"] == []
