"""A homeserver whose disk is full: people read on, are told whom to turn to when they write, and write
on by themselves once there is room. One whose disk dies ends, and has lost nothing when it is started
on another one. Filling a disk needs root."""

import functools
import http.client
import itertools
import random
import signal

import pytest

import preload
from disk import LITTLE, says_full
from homeserver_world import V1, World
from rooms import create, done, join, messages, part, path, put_state, redact, say, send
from syncing import Syncing
from trinity import eventually

CONTACT = {"well_known": {"contacts": [{"role": "m.role.admin", "email_address": "ann@hs.test"}]}}
UPLOAD = "/_matrix/media/v3/upload"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"cat" * 5000
MESSAGES_MAX = 300


@pytest.fixture
def world(disk, request, tmp_path):  # in this order: it ends before its disk goes
    data = disk.path / "data"
    data.mkdir(mode=0o700)
    made = World(tmp_path, {"data_directory": str(data), **CONTACT})
    request.node.trinity_story = made.story
    yield made.start()
    made.end()


def is_refused(reply):
    """Spec: client-server API, "Other error codes"."""
    return (reply.status == 403 and reply.errcode == "M_RESOURCE_LIMIT_EXCEEDED"
            and reply.json["admin_contact"] == "mailto:ann@hs.test")


def upload(user, content):
    return user.post(UPLOAD, content, headers={"Content-Type": "image/png"})


class Chat:
    """Two people in a room, with something of everything."""

    def __init__(self, world):
        self.world, self.ann, self.bob = world, world.user("ann"), world.user("bob")
        self.eve = world.user("eve")
        self.room = create(self.ann, preset="public_chat", name="Cats")
        join(self.bob, self.room)
        self.first = say(self.ann, self.room, "hello")
        self.late = done(self.ann.post("/_matrix/media/v1/create"))["content_uri"]
        self.picture = done(upload(self.ann, PICTURE))["content_uri"]
        done(self.data("kept"))

    def data(self, value):
        return self.ann.put(f"/user/{part(self.ann.id)}/account_data/test.data", {"value": value})

    def writes(self):
        """Requests that leave something behind, each of which is done or refused as a whole."""
        ann, bob, room = self.ann, self.bob, self.room
        profile = f"/profile/{part(ann.id)}/displayname"
        tag = f"/user/{part(ann.id)}/rooms/{part(room)}/tags/u.x"
        alias = "/directory/room/%23cats%3Ahs.test"
        yield lambda: send(ann, room, "m.room.message", {"msgtype": "m.text", "body": "a"}, "txn")
        yield lambda: put_state(ann, room, "m.room.topic", {"topic": "purring"})
        yield lambda: redact(ann, room, self.first, "txn2")
        yield lambda: self.eve.post(path(room, "join"))
        yield lambda: ann.post(path(room, "read_markers"), {"m.fully_read": self.first})
        yield lambda: bob.post(path(room, "receipt", "m.read", self.first))
        yield lambda: ann.post("/createRoom", {"invite": [bob.id]})
        yield lambda: ann.put(profile, {"displayname": "Ann"})
        yield lambda: ann.put(tag, {"order": 0.5})
        yield lambda: ann.put(alias, {"room_id": room})
        yield lambda: ann.put(f"/devices/{ann.device}", {"display_name": "telephone"})
        yield lambda: self.data("other")
        yield lambda: ann.post(f"/user/{part(ann.id)}/filter", {"event_fields": ["type"]})
        yield lambda: upload(ann, b"dog" * 5000)
        yield lambda: ann.post("/_matrix/media/v1/create")
        yield lambda: ann.put(f"{UPLOAD}/{self.late.removeprefix('mxc://')}", b"late")
        yield lambda: self.world.register("late")
        yield lambda: self.world.log_in("bob")

    def reads(self):
        """What is known, as it is answered."""
        ann, room = self.ann, self.room
        known = [
            messages(ann, room),
            done(ann.get(path(room, "state"))),
            done(ann.get(path(room, "members"))),
            done(ann.get(f"/profile/{part(self.bob.id)}")),
            done(ann.get("/joined_rooms")), done(ann.get("/account/whoami")),
            done(ann.get(f"/user/{part(ann.id)}/account_data/test.data")),
            ann.get(f"{V1}/media/download/{self.picture.removeprefix('mxc://')}").body,
            done(ann.get("/publicRooms")), done(ann.get(path(room, "context", self.first)))["state"],
        ]
        assert Syncing(ann).sync().messages(room) == messages(ann, room)
        for event in known[1] + known[2]["chunk"] + known[-1]:
            event["unsigned"].pop("age")
        return known


@pytest.mark.parametrize("leave", [LITTLE, 0], ids=["little_room", "no_room"])
def test_people_read_on_are_told_and_write_on_by_themselves(disk, world, leave):
    chat = Chat(world)
    eyes = Syncing(chat.bob)
    eyes.sync()
    before = chat.reads()
    disk.fill(leave)

    eventually(lambda: says_full(world.homeserver))
    for request in chat.writes():
        reply = request()
        assert is_refused(reply), reply
    assert chat.reads() == before
    assert eyes.sync().says_nothing()
    done(chat.ann.put(path(chat.room, "typing", chat.ann.id), {"typing": True}))

    disk.clear()
    eventually(lambda: not says_full(world.homeserver))
    for request in chat.writes():
        reply = request()
        assert reply.status == 200, reply
    assert eyes.sync().messages(chat.room) == ["a"]
    world.homeserver.kill()
    world.homeserver.start()
    assert messages(chat.ann, chat.room) == ["a"]


def test_it_starts_on_a_full_disk_and_answers(disk, world):
    chat = Chat(world)
    before = chat.reads()
    for leave in LITTLE, 0:
        disk.fill(leave)
        world.homeserver.kill()
        world.homeserver.start()
        assert says_full(world.homeserver)
        assert chat.reads() == before
        assert is_refused(chat.data("other"))
    disk.clear()
    eventually(lambda: not says_full(world.homeserver))
    done(chat.data("other"))


def send_once(user, room, body):
    return send(user, room, "m.room.message", {"msgtype": "m.text", "body": body}, body)


def talk_until_refused(user, room, prefix, acknowledged):
    """What was refused."""
    for number in itertools.count():
        reply = send_once(user, room, f"{prefix}-{number}")
        if reply.status != 200:
            assert is_refused(reply), reply
            return f"{prefix}-{number}"
        acknowledged.append(f"{prefix}-{number}")


def test_nothing_said_is_lost_whenever_the_disk_fills(disk, world):
    """Somebody takes all there is while others talk; some times it is killed then, and started when
    there is room to recover. What was refused is taken later, with the same transaction id."""
    people, said = [world.user(f"p{number}") for number in range(3)], []
    room = create(people[0], preset="public_chat")
    for other in people[1:]:
        join(other, room)
    for point in range(4):
        refused = disk.fill_amid(0.2, *(
            functools.partial(talk_until_refused, user, room, f"{point}-{user.name}", said)
            for user in people))
        if point % 2:
            world.homeserver.kill()
            disk.clear()
            world.homeserver.start()
        assert sorted(everything(people[0], room)) == sorted(said)
        if not point % 2:
            disk.clear()
        eventually(lambda: not says_full(world.homeserver))
        for user, body in zip(people, refused):
            done(send_once(user, room, body))
        said += refused
    assert sorted(everything(people[0], room)) == sorted(said)
    assert len(said) > 4 * len(people)


def everything(user, room):
    """The bodies of all messages, the newest first."""
    bodies, token = [], ""
    while token is not None:
        page = done(user.get(path(room, "messages") + f"?dir=b&limit=1000{token}"))
        bodies += [event["content"]["body"] for event in page["chunk"]
                   if event["type"] == "m.room.message"]
        token = f"&from={page['end']}" if "end" in page else None
    return bodies


# ---- a disk that dies


class DyingWorld(World):
    """Its disk dies at a sync or a write."""

    def start_dying(self, directory, what):
        """Ready, on a disk that dies soon."""
        disk = preload.DyingDisk(directory, what, random.randint(1, 20))
        self.homeserver.environment = disk.environment
        self.homeserver.start()
        self.homeserver.environment = {}
        disk.die()


def talk_until_it_dies(user, room, said):
    for number in range(MESSAGES_MAX):
        say(user, room, f"m{number}")
        said.append(f"m{number}")


@pytest.mark.parametrize("what", ["DISK_SYNC_FAILS", "DISK_WRITE_FAILS"])
def test_a_disk_that_dies_ends_it_and_loses_nothing(request, tmp_path, what):
    world, said = DyingWorld(tmp_path).start(), []
    request.node.trinity_story = world.story
    ann = world.user("ann")
    room = create(ann)
    world.homeserver.stop()
    world.start_dying(tmp_path, what)
    with pytest.raises((OSError, http.client.HTTPException)):
        talk_until_it_dies(ann, room, said)
    assert world.homeserver.wait() == -signal.SIGABRT
    assert "ends and recovers at its next start" in world.homeserver.log()
    world.homeserver.process = None
    world.start()
    there = everything(ann, room)[::-1]
    assert there[:len(said)] == said and len(there) <= len(said) + 1
    world.end()
