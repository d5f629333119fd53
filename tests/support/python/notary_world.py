"""A notary, the origins that it asks, and answers checked as the strictest homeserver checks them.

    def test_a_strangers_keys_are_fetched(world):
        a = world.origins.add("a.test")
        [entry] = world.ask("a.test")
        assert entry["verify_keys"] == {"ed25519:a": {"key": a.public_key("ed25519:a")}}
"""

import json
import pathlib

from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

from fakenet import FakeNet
from operated import Operated
from origins import Origins
from trinity import Story

NAME = "notary.test"
QUERY = "/_matrix/key/v2/query"
SERVER = "/_matrix/key/v2/server"
ALL = {}  # criteria: all keys of a server


def merged(base, more):
    """base with the sections of more, key by key."""
    made = {**base}
    for name, value in (more or {}).items():
        made[name] = merged(made[name], value) if isinstance(made.get(name), dict) else value
    return made


def verify(entry, name, key_id, public_key):
    """Fails unless the entry is signed by name's key."""
    key = decode_verify_key_bytes(key_id, decode_base64(public_key))
    verify_signed_json(entry, name, key)


class World(Operated):
    """One notary on a network of its own, unless a test wants more."""

    def __init__(self, directory, configuration=None, **more):
        self.directory = pathlib.Path(directory)
        self.net = FakeNet(self.directory / "net")
        self.net.__enter__()
        self.origins = Origins(self.net)
        self.story = Story(directory)
        self.notary = self.daemon = self.add_notary(configuration, **more)

    def add_notary(self, configuration=None, **more):
        """A notary on the network, not started."""
        configuration = merged({"outbound": self.origins.outbound}, configuration)
        return self.story.notary(configuration, **more)

    def end(self):
        """Stops everything; the notary must end well, with no fetch left hanging."""
        try:
            self.story.end()
        finally:
            self.net.__exit__()

    # ---- asking

    def own_keys(self):
        """key id → public key, of those that sign now."""
        published = self.notary.get(SERVER).json["verify_keys"]
        return {key_id: key["key"] for key_id, key in published.items()}

    def check(self, entry):
        """An entry must pass with every reader: signed by each of its own keys, and by the notary."""
        for key_id, key in entry["verify_keys"].items():
            if key_id.startswith("ed25519:"):
                verify(entry, entry["server_name"], key_id, key["key"])
        for key_id, public_key in self.own_keys().items():
            verify(entry, NAME, key_id, public_key)
        return entry

    def entries(self, reply):
        """The checked entries of an answer."""
        assert reply.status == 200, reply
        assert list(reply.json) == ["server_keys"]
        return [self.check(entry) for entry in reply.json["server_keys"]]

    def get(self, server, rest="", **more):
        return self.entries(self.notary.get(f"{QUERY}/{server}{rest}", **more))

    def post(self, servers, **more):
        """servers: {name: {key id: criteria}}."""
        return self.entries(self.notary.post(QUERY, {"server_keys": servers}, **more))

    def ask(self, server, key_id=None, minimum=None):
        """One server by POST: all of its keys, or one."""
        criteria = {} if minimum is None else {"minimum_valid_until_ts": minimum}
        return self.post({server: {} if key_id is None else {key_id: criteria}})

    # ---- the operator

    def inspect(self, server):
        return json.loads(self.command("inspect", "--json", server))

    def refetch(self, server):
        """What came of it, whether it went well or not."""
        done = self.notary.command("refetch", "--json", server)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)
