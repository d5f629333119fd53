"""An identity server that keeps invites, of our own: it does what it is told, and remembers.

    identity = InviteIdentity()
    identity.bound["ann@example.org"] = "@ann:hs.test"
"""

import base64
import hashlib
import urllib.parse

from signedjson.key import encode_verify_key_base64, generate_signing_key
from signedjson.sign import sign_json

from little_server import LittleServer

NAME = "id.test"
TOKEN = "identity+token/="


class InviteIdentity:
    def __init__(self):
        self.server = LittleServer(lambda exchange: exchange.answer(*self.respond(exchange)))
        self.url = self.server.url
        self.key = generate_signing_key("0")
        self.pepper = "matrixrocks"
        self.bound = {}  # address -> user id
        self.stored = []  # bodies of store-invite
        self.is_key_known = True
        self.refusal = None  # (status, body) of everything

    def stop(self):
        self.server.close()

    @property
    def public_key(self):
        return encode_verify_key_base64(self.key.verify_key)

    def signed(self, user_id, token, sender):
        """What proves that the user is whom the sender meant."""
        return sign_json({"mxid": user_id, "sender": sender, "token": token}, NAME, self.key)

    # ---- answering

    def respond(self, exchange):
        path, _, query = exchange.path.partition("?")
        if path == "/isvalid":
            asked = urllib.parse.parse_qs(query)["public_key"]
            return 200, {"valid": self.is_key_known and asked == [self.public_key]}
        if self.refusal:
            return self.refusal
        if exchange.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"errcode": "M_UNAUTHORIZED", "error": "No such token"}
        name = path.removeprefix("/_matrix/identity/v2/").replace("-", "_")
        return getattr(self, name)(exchange.json())

    def hash_details(self, _):
        return 200, {"algorithms": ["sha256"], "lookup_pepper": self.pepper}

    def lookup(self, body):
        if body["pepper"] != self.pepper:
            return 400, {"errcode": "M_INVALID_PEPPER", "error": "Another one"}
        known = {self.hash(address): user for address, user in self.bound.items()}
        return 200, {"mappings": {hashed: known[hashed] for hashed in body["addresses"]
                                  if hashed in known}}

    def hash(self, address):
        digest = hashlib.sha256(f"{address} email {self.pepper}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def store_invite(self, body):
        self.stored.append(body)
        key = {"public_key": self.public_key, "key_validity_url": f"{self.url}/isvalid"}
        return 200, {"token": f"token{len(self.stored)}", "public_key": self.public_key,
                     "public_keys": [key], "display_name": "b...@e..."}
