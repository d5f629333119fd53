"""/sync beside Synapse: the first one of somebody in many rooms, later ones with nothing new and
with one event; and what a poll that waits takes."""

import concurrent.futures
import contextlib
import json
import resource
import socket
import statistics
import time

import homeservers
import measure

ROOMS = 20 if measure.SHORT else 500
EVENTS = 5 if measure.SHORT else 20  # said in each
POLLS = 100 if measure.SHORT else 4000
WRITERS = 8  # rooms that are filled at once: Synapse takes minutes for all of them
LAZY = json.dumps({"room": {"timeline": {"limit": 20}, "state": {"lazy_load_members": True}}})
FIRST_MS, NOTHING_MS, ONE_MS, POLL_KIB = 300, 0.1, 0.5, 6


class Reader:
    """Somebody in many rooms, and somebody who talks in them."""

    def __init__(self, home):
        self.home = home
        self.reader, self.talker = home.people(2, "s")
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as writers:
            self.rooms = list(writers.map(self.make_room, range(ROOMS)))

    def make_room(self, i):
        room = self.talker.create_room(name=f"Room {i}")
        self.reader.join(room)
        for j in range(EVENTS):
            self.talker.say(room, f"message {j}", f"{i}-{j}")
        return room

    def first(self):
        """(seconds, bytes)"""
        began = time.monotonic()
        reply = self.reader.request("GET", homeservers.sync_path(filter=LAZY))
        took = time.monotonic() - began
        assert reply.status == 200 and len(reply.json["rooms"]["join"]) == ROOMS, reply
        return took, len(reply.body)

    def token(self):
        return self.reader.sync(filter=LAZY)["next_batch"]

    def cost_since(self, path, token):
        """ms of processor time of a /sync since the token, which answers at once."""
        target = homeservers.sync_path(filter=LAZY, since=token, timeout=0)
        script = homeservers.get_script(path / "sync.lua", [(self.reader, target)])
        before = measure.cpu_seconds(self.home.pid)
        _, count = measure.load(self.home.server.plain.url, script, 4)
        return (measure.cpu_seconds(self.home.pid) - before) / count * 1e3


def beside(what, sides, times_ms, goal_ms):
    """Of each side; and how many times ours the others take."""
    for side, time_ms in zip(sides, times_ms):
        measure.figure(f"{what}, {side.home.name}", time_ms,
                       goal_ms if side is sides[0] else None, " ms")
    for side, time_ms in zip(sides[1:], times_ms[1:]):
        measure.figure(f"{what}, {side.home.name} against ours", time_ms / times_ms[0], unit=" ×")


def first_sync(sides):
    measure.heading(f"the first /sync of somebody in {ROOMS} rooms with {EVENTS} messages each, "
                    "lazy members, 20 events a room")
    asked = [[] for _ in sides]
    for _ in range(measure.ROUNDS):
        for side, seen in zip(sides, asked):
            seen.append(side.first())
    beside("the answer", sides,
           [statistics.median(took for took, _ in seen) * 1000 for seen in asked], FIRST_MS)
    measure.figure("bytes of ours", asked[0][0][1] / 1024, unit=" KiB")


def later_syncs(path, sides):
    measure.heading("later ones, processor time of each, asked again and again over 4 connections")
    nothing, one = [], []
    for side in sides:
        nothing.append(side.cost_since(path, side.token()))
        token = side.token()
        side.talker.say(side.rooms[0], "one more", "one")
        one.append(side.cost_since(path, token))
    beside("nothing new", sides, nothing, NOTHING_MS)
    beside("one event", sides, one, ONE_MS)


# ---- polls that wait


def open_poll(side, token, kept):
    """kept: the connection had a request before, as a client's has but for its first."""
    connection = socket.create_connection(("127.0.0.1", side.home.server.plain.port))
    if kept:
        connection.sendall(b"GET /_matrix/client/versions HTTP/1.1\r\nHost: hs.test\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    target = homeservers.V3 + homeservers.sync_path(
        filter=LAZY, since=token, timeout=600000)
    connection.sendall((f"GET {target} HTTP/1.1\r\nHost: hs.test\r\n"
                        f"Authorization: Bearer {side.reader.token}\r\n\r\n").encode())
    return connection


def idle_polls(side, kept):
    token = side.token()
    with contextlib.ExitStack() as stack:
        # What a process takes for its first connections is not a poll's.
        for _ in range(50):
            stack.enter_context(contextlib.closing(open_poll(side, token, kept)))
        time.sleep(1)
        before, _ = measure.memory_mb(side.home.pid)
        for _ in range(POLLS):
            stack.enter_context(contextlib.closing(open_poll(side, token, kept)))
        time.sleep(2)
        after, _ = measure.memory_mb(side.home.pid)
    return (after - before) * 1024 / POLLS


def polls(side):
    """Of a server that was just started: nothing of an earlier connection is used again."""
    measure.heading(f"{POLLS} polls that wait, without TLS")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, POLLS + 500)), hard))
    for kept, what in ((False, "the first request of its connection"), (True, "a later one")):
        side.home.server.restart()
        measure.figure(f"memory of each, {what}", idle_polls(side, kept), POLL_KIB, " KiB")


def main():
    with measure.Bench() as bench, homeservers.all_of(bench) as homes, \
            homeservers.scratch() as scratch:
        measure.heading("memory, just started")
        for home in homes:
            measure.figure(f"resident, {home.name}", measure.memory_mb(home.pid)[0], unit=" MiB")
        with concurrent.futures.ThreadPoolExecutor() as fillers:
            sides = list(fillers.map(Reader, homes))
        homeservers.pinned(homes)
        first_sync(sides)
        later_syncs(scratch.path, sides)
        polls(sides[0])


main()
