"""People who bind their addresses, look each other up, and homeservers that hear of invites.

    def test_a_friend_is_found(people):
        people.person("@ann:hs.test").has_bound("ann@example.org")
        assert people.found("ann@example.org") == "@ann:hs.test"
"""

import base64
import contextlib
import dataclasses
import hashlib
import inspect
import json
import pathlib
import random
import urllib.parse

from signedjson.key import decode_verify_key_bytes, generate_signing_key
from signedjson.sign import sign_json, verify_signed_json
from unpaddedbase64 import decode_base64, encode_base64

import fakenet
from identity_world import V1, V2, Client, Homeserver
from mail_world import NO_LIMITS, MailWorld
from metrics import parse_metrics
from trinity import eventually

ONBIND = "/_matrix/federation/v1/3pid/onbind"
UNBIND = "/3pid/unbind"
SPEC_SEED = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"  # of the specification's appendix


def hash_of(address, pepper, medium="email"):
    text = f"{address} {medium} {pepper}".encode()
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")


def refused(reply, status, errcode):
    assert (reply.status, reply.errcode) == (status, errcode), reply
    return reply


# ---- homeservers


@dataclasses.dataclass
class Notice:
    """What a homeserver was told of a bound invite."""

    method: str
    body: dict
    headers: dict

    @property
    def rooms(self):
        return [invite["room_id"] for invite in self.body["invites"]]


def take(_server, _notice):
    return fakenet.answer({})


def say(status, content=None):
    """A mood: this answer."""
    return lambda _server, _notice: fakenet.answer(content or {}, status)


def only(method):
    """A mood: the other method is not known."""
    return lambda _server, notice: fakenet.answer({}, 200 if notice.method == method else 405)


class RoomServer(Homeserver):
    """A homeserver that is told when an address which was invited is bound."""

    def __init__(self, name, **more):
        super().__init__(name, **more)
        self.notices = []  # that were answered
        self.begun = 0
        self.mood = take

    async def respond(self, exchange):
        if exchange.target != ONBIND:
            return await super().respond(exchange)
        self.begun += 1
        notice = Notice(exchange.method, json.loads(exchange.body), exchange.headers)
        answer = self.mood(self, notice)
        if inspect.isawaitable(answer):
            answer = await answer
        self.notices.append(notice)
        return answer

    def authorization(self, content, target=V2 + UNBIND, destination="id.test",
                      member="destination_is", origin=None):
        """The header of a request to unbind, as this server signs it."""
        (key_id, key), = self.keys.items()
        origin = origin or self.name
        said = {"method": "POST", "uri": target, "origin": origin, member: destination,
                "content": content}
        signature = sign_json(said, origin, key)["signatures"][origin][key_id]
        return f'X-Matrix origin="{origin}",key="{key_id}",sig="{signature}"'


# ---- people


class Person(Client):
    """A user of a homeserver, signed in."""

    def __init__(self, world, user_id, token):
        super().__init__(world.identity, token)
        self.world, self.id = world, user_id

    def proves(self, address, base=V2, secret=None):
        """A session in which the address was shown to be this person's."""
        client = self if base == V2 else self.world.anybody
        secret = secret or f"secret{random.getrandbits(64)}"
        session = self.world.validation(client, address, secret=secret, base=base).asked()
        mail = eventually(lambda: self.world.mail_of(session.sid))
        assert session.submit(mail.query["token"]).status == 200
        return session

    def has_bound(self, address, **more):
        """The association, once it is bound."""
        reply = self.proves(address, **more).bind(self.id)
        assert reply.status == 200, reply
        return reply.json

    def unbind_content(self, address):
        return {"mxid": self.id, "threepid": {"medium": "email", "address": address}}

    def invites(self, address, room_id, **more):
        """What the room gets to know of the invite."""
        reply = self.post("/store-invite", {"medium": "email", "address": address,
                                            "room_id": room_id, "sender": self.id, **more})
        assert reply.status == 200, reply
        return reply.json


class World(MailWorld):
    """An identity service with mail, clock, people and homeservers."""

    def __init__(self, directory, configuration=None, **more):
        configuration = {"server_name": "id.test", **(configuration or {})}
        super().__init__(directory, configuration, **more)
        self.homeservers.kind = RoomServer
        self.everybody = {}

    def person(self, user_id):
        """This user; signed in when first needed."""
        if user_id not in self.everybody:
            self.everybody[user_id] = Person(self, user_id, self.sign_in(user_id).token)
        return self.everybody[user_id]

    def after(self, seconds):
        """So much later. It is started again: what waits looks at the clock when it wakes."""
        self.identity.stop()
        self.clock.jump(self.clock.seconds + seconds)
        self.identity.start()

    def mail_of(self, sid):
        """The newest with this id in its link, if one has come."""
        return next((mail for mail in reversed(self.sink.mails) if sid in mail.text), None)

    # ---- looking up

    @property
    def pepper(self):
        return self.person("@asker:hs.test").get("/hash_details").json["lookup_pepper"]

    def lookup(self, addresses, algorithm="sha256", pepper=None, asker="@asker:hs.test"):
        return self.person(asker).post("/lookup", {
            "addresses": addresses, "algorithm": algorithm, "pepper": pepper or self.pepper})

    def mappings(self, *args, **more):
        reply = self.lookup(*args, **more)
        assert reply.status == 200, reply
        return reply.json["mappings"]

    def lookup_v1(self, address, medium="email"):
        query = urllib.parse.urlencode({"medium": medium, "address": address})
        reply = self.anybody.get(f"{V1}/lookup?{query}")
        assert reply.status == 200, reply
        return reply.json

    def bulk_lookup(self, *pairs):
        reply = self.anybody.post(f"{V1}/bulk_lookup", {"threepids": list(pairs)})
        assert reply.status == 200, reply
        return reply.json["threepids"]

    def found(self, address, pepper=None):
        """The user who has the address, or None: all ways to ask must say the same."""
        pepper = pepper or self.pepper
        hashed = hash_of(address, pepper)
        answers = [
            self.mappings([hashed], pepper=pepper).get(hashed),
            self.mappings([f"{address} email"], "none", pepper).get(f"{address} email"),
            self.lookup_v1(address).get("mxid"),
            *([entry[2] for entry in self.bulk_lookup(["email", address])] or [None]),
        ]
        assert len(set(answers)) == 1, f"{address}: {answers}"
        return answers[0]

    # ---- keys and signatures

    def verify(self, signed, name="id.test", key_id="ed25519:0"):
        """By the key that v1 publishes, as old clients do."""
        text = self.anybody.get(f"{V1}/pubkey/{key_id}").json["public_key"]
        verify_signed_json(signed, name, decode_verify_key_bytes(key_id, decode_base64(text)))

    def rotate_key(self, key_id):
        """Another key signs from now on; the one so far is kept."""
        path = pathlib.Path(self.identity.configuration["keys"]["signing_file"])
        key = generate_signing_key(key_id.partition(":")[2])
        seed = encode_base64(key.encode())
        path.write_text(f"{key_id.replace(':', ' ')} {seed}\n" + path.read_text())
        self.identity.reload()
        eventually(lambda: self.anybody.get(f"/pubkey/{key_id}").status == 200)

    # ---- what is on its way

    def waiting(self, kind):
        """How many things of this kind are to be sent."""
        text = self.identity.admin.request("GET", "/metrics").body.decode()
        return parse_metrics(text)["outbox_waiting"][f'kind="{kind}"']

    # ---- unbinding

    def unbind(self, content, authorization=None, target=V2 + UNBIND):
        headers = {"Authorization": authorization} if authorization else None
        return self.anybody.post(target, content, headers=headers)

    @contextlib.contextmanager
    def mails_come(self, count, address):
        """Exactly so many mails to the address come of what is done inside."""
        before = len(self.sink.mails_to(address))
        yield
        self.sink.wait_for(before + count, address)
        eventually(lambda: self.waiting("mail") == 0)
        assert len(self.sink.mails_to(address)) == before + count


__all__ = ["NO_LIMITS", "ONBIND", "Person", "RoomServer", "SPEC_SEED", "World", "hash_of", "only", "refused",
           "say", "take"]
