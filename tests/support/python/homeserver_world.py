"""A homeserver, and the people who use it.

    def test_a_name_is_shown(home):
        alice = home.user("alice")
        alice.put("/profile/@alice:hs.test/displayname", {"displayname": "Alice"})
        assert alice.get("/profile/@alice:hs.test").json == {"displayname": "Alice"}

Each test of a file uses names of its own: the fixture `home` is one server for all of them.
"""

from operated import Operated
from trinity import Story

V1 = "/_matrix/client/v1"
V3 = "/_matrix/client/v3"
SERVER = "hs.test"
PASSWORD = "correct horse"

# All clients have one address, and nobody waits for a password.
QUICK = {
    "limits": {"logins": {"per_minute": 1000000, "burst": 1000000},
               "registrations": {"per_minute": 1000000, "burst": 1000000},
               "media_uploads": {"per_minute": 1000000, "burst": 1000000}},
    "password": {"memory_kib": 8, "passes": 1},
    "registration": {"mode": "open"},
}


def refused(reply, status, errcode):
    """The reply, which must be this error."""
    assert (reply.status, reply.errcode) == (status, errcode), reply
    return reply


def merged(below, above):
    """`below` with what `above` says otherwise, section by section."""
    both = dict(below)
    for key, value in above.items():
        both[key] = merged(below[key], value) if isinstance(value, dict) and key in below else value
    return both


class Client:
    """Talks to the homeserver with a token, or without one. Paths are those of v3, unless they
    begin with /_matrix. What it gets is a Reply: status, json, errcode."""

    def __init__(self, world, token=None):
        self.world, self.token = world, token

    def request(self, method, path, body=None, headers=None, **more):
        if not path.startswith("/_matrix"):
            path = V3 + path
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.world.homeserver.plain.request(method, path, body, headers, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, {} if body is None else body, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, {} if body is None else body, **more)

    def delete(self, path, body=None, **more):
        return self.request("DELETE", path, body, **more)

    # ---- interactive authentication

    def confirmed(self, method, path, body=None, **auth):
        """A request that is authenticated interactively: asked once, then sent again with `auth`."""
        asked = self.request(method, path, body or {})
        assert asked.status == 401 and "flows" in asked.json, asked
        return self.request(method, path,
                            {**(body or {}), "auth": {"session": asked.json["session"], **auth}})


class User(Client):
    """Somebody who is signed in with one device."""

    def __init__(self, world, signed_in, password=PASSWORD):
        super().__init__(world, signed_in["access_token"])
        self.signed_in = signed_in
        self.id = signed_in["user_id"]
        self.device = signed_in["device_id"]
        self.password = password

    @property
    def name(self):
        return self.id[1:].partition(":")[0]

    def proof(self, password=None):
        """What m.login.password takes."""
        return {"type": "m.login.password", "password": password or self.password,
                "identifier": {"type": "m.id.user", "user": self.name}}

    def confirm(self, method, path, body=None):
        """A request that needs the password once more."""
        return self.confirmed(method, path, body, **self.proof())

    def another_device(self, **more):
        """The same user, with a new device."""
        return User(self.world, self.world.log_in(self.name, self.password, **more).json,
                    self.password)


class World(Operated):
    """A homeserver that is not started yet."""

    server_name = SERVER

    def __init__(self, directory, configuration=None, **more):
        self.story = Story(directory)
        self.homeserver = self.daemon = self.story.homeserver(
            merged(QUICK, configuration or {}), **more)
        self.anybody = Client(self)

    def end(self):
        self.story.end()

    def id(self, name):
        return f"@{name}:{self.server_name}"

    def register(self, name=None, password=PASSWORD, **more):
        """The answer to a registration that takes one step."""
        body = {"password": password, "auth": {"type": "m.login.dummy"}, **more}
        if name is not None:
            body["username"] = name
        return self.anybody.post("/register", body)

    def log_in(self, name, password=PASSWORD, **more):
        return self.anybody.post("/login", {
            "type": "m.login.password", "password": password,
            "identifier": {"type": "m.id.user", "user": name}, **more})

    def user(self, name, **more):
        """A new user, signed in."""
        reply = self.register(name, **more)
        assert reply.status == 200, reply
        return User(self, reply.json, more.get("password", PASSWORD))
