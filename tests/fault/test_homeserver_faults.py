"""A homeserver whose surroundings fail: clients send as much as they may, connections take all
descriptors, the clock jumps. People go on talking."""

import concurrent.futures
import json
import os
import socket
import time

import pytest

import preload
from homeserver_world import V1, World, refused
from rooms import create, done, join, messages, part, path, say, send
from syncing import Syncing, sync_path
from trinity import eventually


def world_of(request, directory, configuration=None, **more):
    world = World(directory, configuration, **more)
    request.node.trinity_story = world.story
    return world


# ---- as much as clients may send

ROUNDS, WARM = 5, 2
CLIENTS = 8
BIG = 60_000  # bytes: about what an event may have
FILTER = 900_000  # of a filter's JSON
CEILING_KB = 200_000  # the sanitizer's own share included
GROWTH_KB = 25_000  # of all rounds after the first ones
# What was freed shall not be kept to find its uses, which is tried in every other test.
LITTLE_QUARANTINE = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}


def greedy_filter(number):
    """Another one for each number, with as many rooms as fit."""
    rooms = [f"!{number}-{i}:hs.test" for i in range(FILTER // 30)]
    return {"room": {"not_rooms": rooms, "timeline": {"limit": 100}}}


def be_greedy(user, number):
    """Rooms full of large events, large filters, and looking at all of that at once."""
    for i in range(3):
        room = create(user, name=f"{number}-{i}", topic="t" * 10_000)
        say(user, room, "x" * BIG)
    kept = done(user.post(f"/user/{part(user.id)}/filter", greedy_filter(number)))
    for _ in range(2):
        done(user.get(sync_path(filter=kept["filter_id"])))
        done(user.get(path(room, "messages") + "?dir=b&limit=1000"))


def test_as_much_as_clients_may_send_does_not_fill_the_memory(request, tmp_path):
    world = world_of(request, tmp_path, {"cache_mb": 8}, environment=LITTLE_QUARANTINE).start()
    resident = []
    for round_number in range(ROUNDS):
        users = [world.user(f"u{round_number}-{i}") for i in range(CLIENTS)]
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            numbers = range(round_number * CLIENTS, (round_number + 1) * CLIENTS)
            list(pool.map(be_greedy, users, numbers))
        resident.append(world.homeserver.resident_kb())
    print("resident KiB after each round:", resident)
    assert max(resident) < CEILING_KB, resident
    assert resident[-1] - resident[WARM - 1] < GROWTH_KB, resident
    world.end()


# ---- out of descriptors

FILES = 128
CROWD = 500


def start_with_few_files(world):
    """With a limit that it cannot raise."""
    command = world.homeserver.command_line()
    world.homeserver.command_line = lambda: ["prlimit", f"--nofile={FILES}:{FILES}", *command]
    world.start()


def open_files(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


class Crowd:
    """Connections on which a request has begun; most of them wait to be accepted."""

    def __init__(self, listener):
        self.sockets = []
        for _ in range(CROWD):
            wire = socket.socket()
            wire.setblocking(False)
            wire.connect_ex((listener.host, listener.port))
            self.sockets.append(wire)
        for wire in self.sockets:
            try:
                wire.send(b"GET /_matrix/client/versions HTTP/1.1\r\n")
            except OSError:
                pass  # not connected yet

    def leave(self):
        for wire in self.sockets:
            wire.close()


class KeptAlive:
    """A connection that was there before the crowd."""

    def __init__(self, user):
        self.user = user
        self.connection = user.world.homeserver.plain.connection()

    def ask(self, method, target, body=None):
        self.connection.request(method, "/_matrix/client/v3" + target,
                                body and json.dumps(body),
                                {"Authorization": f"Bearer {self.user.token}"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_a_crowd_that_takes_all_descriptors_stops_nobody_who_is_there(request, tmp_path):
    world = world_of(request, tmp_path)
    start_with_few_files(world)
    ann = world.user("ann")
    room = create(ann)
    old = KeptAlive(ann)
    assert old.ask("GET", "/account/whoami")[0] == 200
    crowd = Crowd(world.homeserver.plain)
    eventually(lambda: open_files(world.homeserver) > FILES // 4)
    before, begin = world.homeserver.cpu_seconds(), time.monotonic()
    time.sleep(1.5)
    used = (world.homeserver.cpu_seconds() - before) / (time.monotonic() - begin)
    assert used < 0.2, f"{used:.0%} of a core while nothing can be accepted"
    assert open_files(world.homeserver) < FILES
    said = old.ask("PUT", path(room, "send", "m.room.message", "t"), {"msgtype": "m.text", "body": "a"})
    assert said[0] == 200, said

    crowd.leave()
    begin = time.monotonic()
    assert messages(ann, room) == ["a"]
    assert time.monotonic() - begin < 10
    world.end()


# ---- a clock that jumps

HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S
JUMPS = [HOUR_S, -HOUR_S, 0, YEAR_S, -YEAR_S, 0]
POLL_MS = 800


@pytest.fixture
def clock(tmp_path):
    return preload.Clock(tmp_path)


def ages(user, room):
    """What the room's events and the other's presence say of how old they are."""
    page = done(user.get(path(room, "messages") + "?dir=b&limit=100"))["chunk"]
    told = [event["unsigned"]["age"] for event in page if "age" in event["unsigned"]]
    presence = done(user.get(f"/presence/{part('@bob:hs.test')}/status"))
    return told + [presence.get("last_active_ago", 0)]


def poll_while(jump, eyes):
    """A long poll under which the clock jumps ends when it should, by everybody else's clock."""
    begin, poll = time.monotonic(), eyes.waiting(timeout=POLL_MS)
    time.sleep(POLL_MS / 4000)
    jump()
    assert poll.result(30).says_nothing()
    assert POLL_MS / 2000 < time.monotonic() - begin < POLL_MS / 1000 + 5


def test_a_clock_that_jumps_stops_nothing(request, tmp_path, clock):
    world = world_of(request, tmp_path, environment=clock.environment).start()
    ann, bob = world.user("ann"), world.user("bob")
    room = create(ann, preset="public_chat")
    join(bob, room)
    eyes, said = Syncing(bob), []
    eyes.sync()
    for seconds in JUMPS:
        poll_while(lambda: clock.jump(seconds), eyes)
        said.append(f"at {seconds} ({len(said)})")
        say(ann, room, said[-1])
        assert eyes.sync(timeout=20000).messages(room) == [said[-1]], seconds
        assert messages(bob, room) == said, "in the order in which they were said"
        assert min(ages(ann, room)) >= 0, seconds
        assert ann.get("/account/whoami").status == 200, "a token of before"
        done(world.log_in("ann"))
        keys = world.homeserver.get("/_matrix/key/v2/server").json
        eventually(lambda: world.homeserver.get("/_matrix/key/v2/server").json["valid_until_ts"]
                   > clock.now_ms() + 1000)
        assert keys["verify_keys"]
    world.homeserver.kill()
    world.homeserver.start()
    assert messages(bob, room) == said and not eyes.sync().messages(room)
    world.end()


def test_what_ends_by_itself_ends_although_the_clock_jumps(request, tmp_path, clock):
    """Typing is counted by a clock that does not jump; tokens end by the one on the wall, as others
    are told when."""
    world = world_of(request, tmp_path, environment=clock.environment).start()
    ann, bob = world.user("ann"), world.user("bob")
    room = create(ann, preset="public_chat")
    join(bob, room)
    eyes = Syncing(bob)
    eyes.sync()
    for seconds in -YEAR_S, YEAR_S:
        done(ann.put(path(room, "typing", ann.id), {"typing": True, "timeout": 3000}))
        assert eyes.sync(timeout=20000).ephemeral(room, "m.typing") == [{"user_ids": [ann.id]}]
        clock.jump(seconds)
        assert eyes.sync(timeout=20000).ephemeral(room, "m.typing") == [{"user_ids": []}], seconds
    token = done(ann.post(f"/user/{part(ann.id)}/openid/request_token"))["access_token"]
    info = f"/_matrix/federation/v1/openid/userinfo?access_token={token}"
    assert world.anybody.get(info).status == 200
    login = done(ann.confirm("POST", f"{V1}/login/get_token"))["login_token"]
    eve = world.user("eve", refresh_token=True)
    clock.jump(YEAR_S + 2 * HOUR_S)
    refused(world.anybody.get(info), 401, "M_UNKNOWN_TOKEN")
    refused(world.anybody.post("/login", {"type": "m.login.token", "token": login}), 403,
            "M_FORBIDDEN")
    over = refused(eve.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    assert over.json["soft_logout"] is True
    done(world.anybody.post("/refresh", {"refresh_token": eve.signed_in["refresh_token"]}))
    done(ann.get("/account/whoami"))
    world.end()
