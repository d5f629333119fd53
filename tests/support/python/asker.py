"""Somebody who looks for people.

    asker = Asker(world)
    assert asker.by_hash("ann@example.com") == "@ann:example.org"
"""

import base64
import hashlib
import urllib.parse

from identity_world import V1

INVITE = {"medium": "email", "room_id": "!room:hs.test", "sender": "@bob:hs.test"}


class Asker:
    """Somebody who is signed in and looks for people in every way that there is."""

    def __init__(self, world):
        self.world, self.client = world, world.sign_in("@bob:hs.test")

    def by(self, algorithm, *addresses):
        """{address: user} of e-mail addresses."""
        pepper = self.client.get("/hash_details").json["lookup_pepper"]
        words = {self.word(algorithm, address, pepper): address for address in addresses}
        reply = self.client.post("/lookup", {"algorithm": algorithm, "pepper": pepper,
                                             "addresses": list(words)})
        assert reply.status == 200, reply
        return {words[word]: user for word, user in reply.json["mappings"].items()}

    @staticmethod
    def word(algorithm, address, pepper):
        if algorithm == "none":
            return f"{address} email"
        digest = hashlib.sha256(f"{address} email {pepper}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def by_hash(self, address):
        return self.by("sha256", address).get(address)

    def by_words(self, address):
        return self.by("none", address).get(address)

    def by_v1(self, address, medium="email"):
        query = urllib.parse.urlencode({"medium": medium, "address": address})
        reply = self.world.anybody.get(f"{V1}/lookup?{query}")
        assert reply.status == 200, reply
        return reply.json.get("mxid")

    def by_bulk(self, *addresses):
        reply = self.world.anybody.post(f"{V1}/bulk_lookup", {
            "threepids": [["email", address] for address in addresses]})
        assert reply.status == 200, reply
        return {address: user for _, address, user in reply.json["threepids"]}

    def by_invite(self, address):
        """Who is told to have the address already, instead of an invite."""
        reply = self.client.post("/store-invite", INVITE | {"address": address})
        return reply.json.get("mxid") if reply.errcode == "M_THREEPID_IN_USE" else None

    def in_every_way(self, address):
        """Every way but hashes has to find the same."""
        found = {self.by_words(address), self.by_v1(address),
                 self.by_bulk(address).get(address), self.by_invite(address)}
        assert len(found) == 1, found
        return found.pop()

    def why_warned(self):
        reply = self.world.identity.admin.request("GET", "/health/ready")
        assert reply.status == 200, "a source that fails must not take the service away"
        return [reason["why"] for reason in reply.json["reasons"] if reason["name"] == "sources"]
