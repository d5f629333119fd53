"""An identity service, and homeservers whose users it serves.

    def test_a_user_is_known_by_the_token(world):
        ann = world.sign_in("@ann:hs.test")
        assert ann.get("/account").json == {"user_id": "@ann:hs.test"}
"""

import pathlib
import urllib.parse

import fakenet
from operated import Operated
from origins import Origin, Origins
from trinity import Story

V1 = "/_matrix/identity/api/v1"
V2 = "/_matrix/identity/v2"
UNLIMITED = {"registers": {"burst": 100000, "per_day": 100000}}  # all clients have one address
USERINFO = "/_matrix/federation/v1/openid/userinfo"


class Homeserver(Origin):
    """A server that vouches for its users. Its state may be changed while it answers."""

    def __init__(self, name, **more):
        super().__init__(name, **more)
        self.users = {}  # OpenID token -> user id
        self.openid = None  # a handler that answers instead

    def issue(self, user_id):
        """What /openid/request_token gives a client."""
        token = f"openid+{len(self.users)}/&="
        self.users[token] = user_id
        return {"access_token": token, "token_type": "Bearer", "matrix_server_name": self.name,
                "expires_in": 3600}

    def userinfo(self, exchange):
        if self.openid:
            return self.openid(exchange)
        query = urllib.parse.parse_qs(exchange.target.partition("?")[2])
        user_id = self.users.get(query.get("access_token", [""])[0])
        if user_id is None:
            return fakenet.answer({"errcode": "M_UNKNOWN_TOKEN", "error": "No"}, 401)
        return fakenet.answer({"sub": user_id})

    @property
    def userinfo_requests(self):
        return [target for _, _, target in self.requests if target.startswith(USERINFO)]

    async def respond(self, exchange):
        if not exchange.target.startswith(USERINFO):
            return await super().respond(exchange)
        self.requests.append((exchange.time, exchange.method, exchange.target))
        return self.userinfo(exchange)


class Homeservers(Origins):
    kind = Homeserver


class Client:
    """Talks to the service with a token, or without one. Targets are those of v2, unless they
    begin with /_matrix."""

    def __init__(self, identity, token=None):
        self.identity, self.token = identity, token

    def request(self, method, target, body=None, headers=None):
        if not target.startswith("/_matrix"):
            target = V2 + target
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.identity.plain.request(method, target, body, headers)

    def get(self, target, **more):
        return self.request("GET", target, **more)

    def post(self, target, body=None, **more):
        return self.request("POST", target, body, **more)


class World(Operated):
    """All of it, on a network of its own. The service is not started yet."""

    def __init__(self, directory, configuration=None, **more):
        self.net = fakenet.FakeNet(pathlib.Path(directory) / "net").__enter__()
        self.homeservers = Homeservers(self.net)
        self.story = Story(directory)
        self.identity = self.daemon = self.story.identity(
            {"outbound": self.homeservers.outbound, "limits": UNLIMITED, **(configuration or {})},
            **more)
        self.anybody = Client(self.identity)

    def end(self):
        try:
            self.story.end()
        finally:
            self.net.__exit__(None, None, None)

    def homeserver(self, name):
        """The homeserver of this name; made if it is new."""
        return self.homeservers.all.get(name) or self.homeservers.add(name)

    def register(self, issued):
        return self.anybody.post("/account/register", issued)

    def sign_in(self, user_id):
        """A client of this user, by the OpenID token of its homeserver."""
        reply = self.register(self.homeserver(user_id.partition(":")[2]).issue(user_id))
        assert reply.status == 200, reply
        return Client(self.identity, reply.json["token"])
