"""A homeserver and an identity service of ours, and people of the one who use the other.

    def test_a_friend_is_found(world):
        ann = world.home.user("ann")
        world.bind(ann, "ann@example.org")
        assert world.found(world.home.user("bob"), "ann@example.org") == ann.id
"""

import asyncio
import hashlib
import pathlib
import re

import contact_world
import fakenet
from identity_world import Client as IdentityClient
from identity_world import Homeserver
from mail_world import NO_LIMITS, PLENTY, MailWorld, Validation
from sms_gateway import SmsGateway
from trinity import eventually
from unpaddedbase64 import encode_base64

SERVER, ID_SERVER = "hs.test", "id.test"


class Front(Homeserver):
    """The name and the certificate of our homeserver: other servers meet it here."""

    daemon = None

    async def respond(self, exchange):
        headers = {name: value for name, value in exchange.headers.items()
                   if name in ("authorization", "content-type")}
        reply = await asyncio.to_thread(
            self.daemon.plain.request, exchange.method, exchange.target,
            exchange.body or None, headers)
        return fakenet.answer(reply.body, reply.status,
                              {"Content-Type": reply.headers.get("Content-Type", "")})


class World:
    def __init__(self, directory, identity=None):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.gateway = SmsGateway()
        self.ids = MailWorld(directory / "ids", {
            "server_name": ID_SERVER, "sms": self.gateway.conf("twilio", directory),
            "limits": NO_LIMITS | {f"sms_{kind}": PLENTY for kind in (
                "number", "number_day", "country", "network")}, **(identity or {})})
        self.start_identity()
        self.home = contact_world.World(directory / "home", {
            "identity": {"servers": [{"name": ID_SERVER, "url": self.ids.identity.plain.url}]},
            "outbound": {"allow": ["127.0.0.0/8"]}})
        self.front.daemon = self.home.homeserver
        self.home.start()

    def start_identity(self):
        """Rooms name it by its base URL, which therefore has to lead there."""
        self.ids.homeservers.kind = Front
        self.front = self.ids.homeserver(SERVER)
        daemon = self.ids.identity
        daemon.configuration["public_base_url"] = daemon.plain.url
        allowed = daemon.configuration["outbound"]
        allowed["allow"] = [*allowed.get("allow", []), "127.0.0.1/32"]
        daemon.write_configuration()
        self.ids.start()

    def end(self):
        self.gateway.closing.set()
        try:
            self.home.end()
        finally:
            self.ids.end()
            self.gateway.close()

    def token(self, user):
        """Of the user's account at the identity service."""
        issued = user.post(f"/user/{user.id}/openid/request_token").json
        reply = self.ids.register(issued)
        assert reply.status == 200, reply
        return reply.json["token"]

    def proof(self, user, address):
        """The address is shown to be the user's, at the identity service."""
        token = self.token(user)
        validation = Validation(self.ids, IdentityClient(self.ids.identity, token), address,
                                secret=f"secret-of-{user.name}").asked()
        mail = eventually(lambda: next((mail for mail in self.ids.sink.mails_to(address)
                                        if f"sid={validation.sid}" in mail.text), None))
        assert validation.submit(mail.query["token"]).status == 200
        return {"sid": validation.sid, "client_secret": validation.secret,
                "id_server": ID_SERVER, "id_access_token": token}

    def bind(self, user, address):
        reply = user.post("/account/3pid/bind", self.proof(user, address))
        assert reply.status == 200, reply
        return reply

    def code_to(self, msisdn):
        """Of the last text message to the number."""
        message = eventually(lambda: next(
            (m for m in reversed(self.gateway.messages) if m.to == msisdn), None))
        return re.match("[0-9]{6}", message.text)[0]

    def found(self, user, address, medium="email"):
        """Whom the identity service names to this user; None: nobody."""
        client = IdentityClient(self.ids.identity, self.token(user))
        pepper = client.get("/hash_details").json["lookup_pepper"]
        digest = hashlib.sha256(f"{address} {medium} {pepper}".encode()).digest()
        hashed = encode_base64(digest, urlsafe=True)
        reply = client.post("/lookup", {"algorithm": "sha256", "pepper": pepper,
                                        "addresses": [hashed]})
        assert reply.status == 200, reply
        return reply.json["mappings"].get(hashed)
