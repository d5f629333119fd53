"""Homeservers with the same people and rooms: ours, and Synapse on SQLite and on PostgreSQL. What is
asked of them is the same, byte for byte but for names and tokens."""

import contextlib
import json
import pathlib
import shutil
import tempfile
import urllib.parse

import fakenet
import measure
import postgres
import synapse

V3 = "/_matrix/client/v3"
MANY = 1000000
PASSWORD = "correct horse"

# Nobody waits for a limit or for a password.
QUICK = {
    "server_name": "hs.test",
    "limits": {"requests": {"per_second": 0},
               "logins": {"per_minute": MANY, "burst": MANY},
               "registrations": {"per_minute": MANY, "burst": MANY}},
    "password": {"memory_kib": 8, "passes": 1},
    "registration": {"mode": "open"},
}


class Person:
    def __init__(self, home, user_id, token):
        self.home, self.id, self.token = home, user_id, token

    def request(self, method, path, body=None, timeout=120):
        return self.home.server.plain.request(
            method, V3 + path, body, {"Authorization": f"Bearer {self.token}"}, timeout)

    def do(self, method, path, body=None):
        reply = self.request(method, path, body)
        assert reply.status == 200, reply
        return reply.json

    def create_room(self, **more):
        return self.do("POST", "/createRoom", {"preset": "public_chat", **more})["room_id"]

    def join(self, room):
        self.do("POST", f"/join/{in_path(room)}", {})

    def say(self, room, text, txn):
        return self.do("PUT", send_path(room, txn), {"msgtype": "m.text", "body": text})

    def sync(self, **more):
        return self.do("GET", sync_path(**more))


def sync_path(**query):
    return "/sync?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)


def in_path(room):
    return urllib.parse.quote(room)


def send_path(room, txn):
    return f"/rooms/{in_path(room)}/send/m.room.message/{txn}"


class Home:
    """A homeserver that runs."""

    def __init__(self, name, server, register):
        self.name, self.server, self._register = name, server, register

    @property
    def pid(self):
        return self.server.process.pid

    def people(self, count, prefix="p"):
        return [self._register(self, f"{prefix}{i}") for i in range(count)]


def register_ours(home, name):
    reply = home.server.plain.request("POST", V3 + "/register", {
        "username": name, "password": PASSWORD, "auth": {"type": "m.login.dummy"}})
    assert reply.status == 200, reply
    return Person(home, reply.json["user_id"], reply.json["access_token"])


def register_synapse(home, name):
    user = home.server.register(name)
    return Person(home, user.id, user.token)


def ours(bench, configuration=None):
    made = bench.story.homeserver({**QUICK, **(configuration or {})})
    return Home("Trinity", made.unchecked().start(), register_ours)


def start_synapse(bench, name, database=None):
    directory = bench.path / name.replace(" ", "-")
    server = synapse.Quiet(directory, fakenet.Authority(bench.path / f"authority-{name.split()[-1]}"),
                   database=database)
    bench.story.daemons.append(server)
    return Home(name, server.start(seconds=120), register_synapse)


@contextlib.contextmanager
def all_of(bench, configuration=None):
    """Ours, then Synapse's as far as they can be had here."""
    homes = [ours(bench, configuration)]
    if not synapse.python():
        print("Synapse cannot be had here")
        yield homes
        return
    homes.append(start_synapse(bench, "Synapse on SQLite"))
    if not postgres.programs():
        print("PostgreSQL cannot be had here")
        yield homes
        return
    with postgres.Postgres() as database:
        database._psql("CREATE DATABASE synapse ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' "
                       "TEMPLATE template0")
        homes.append(start_synapse(bench, "Synapse on PostgreSQL", {
            "name": "psycopg2",
            "args": {"dbname": "synapse", "user": "trinity", "host": "127.0.0.1",
                     "port": database.port, "cp_min": 5, "cp_max": 10}}))
        yield homes
        for home in homes:
            home.server.stop()
            bench.story.daemons.remove(home.server)


# ---- load by wrk

SEND = """
local tokens, paths, body = {tokens}, {paths}, [[{body}]]
local count = 0
math.randomseed({seed})
request = function()
  count = count + 1
  local who = count % #tokens + 1
  local path = paths[(count * 7919) % #paths + 1] .. "{seed}-" .. count
  return wrk.format("PUT", path, {{["Authorization"] = "Bearer " .. tokens[who],
    ["Content-Type"] = "application/json"}}, body)
end
"""

# Between half of it and one and a half, so that connections do not go together.
PAUSE = """
delay = function()
  return {pause_ms} * (0.5 + math.random())
end
"""

GET = """
local tokens, targets = {tokens}, {targets}
local count = 0
request = function()
  count = count + 1
  local which = count % #tokens + 1
  return wrk.format("GET", targets[which], {{["Authorization"] = "Bearer " .. tokens[which]}})
end
"""


def lua_list(texts):
    return "{" + ", ".join(json.dumps(text) for text in texts) + "}"


def send_script(path, people, rooms, seed, pause_ms=0):
    """Messages by these people into these rooms, in turns; each run wants another seed. pause_ms:
    of each connection before each of its messages."""
    paths = [V3 + send_path(room, "") for room in rooms]
    body = json.dumps({"msgtype": "m.text", "body": "What was said in the room, in a line or two."})
    script = SEND.format(tokens=lua_list(one.token for one in people), paths=lua_list(paths),
                         body=body, seed=seed)
    path.write_text(script + (PAUSE.format(pause_ms=pause_ms) if pause_ms else ""))
    return path


def get_script(path, asked):
    """(person, target) in turns."""
    path.write_text(GET.format(tokens=lua_list(person.token for person, _ in asked),
                               targets=lua_list(V3 + target for _, target in asked)))
    return path


def scratch():
    return contextlib.closing(_Scratch())


class _Scratch:
    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="trinity-bench-"))

    def close(self):
        shutil.rmtree(self.path)


def pinned(homes):
    for home in homes:
        measure.pin(home.pid)
