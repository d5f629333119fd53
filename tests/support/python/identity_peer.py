"""Another identity service, as Sydent is one: it pushes what it has signed, and takes pushes.

    peer = Peer(authority, "peer.test")
    service = Service(directory, authority).know(peer.entry()).start()
    peer.push(service.port, {1: peer.association("ann@example.com", "@ann:hs.test", ts=1)})
"""

import contextlib
import http.client
import json
import ssl
import time

import signedjson.key
from signedjson.sign import verify_signed_json
from unpaddedbase64 import encode_base64

from identity_world import UNLIMITED, V1, Client, World
from little_server import LittleServer
from sydent_database import association, signed_by
from trinity import free_port

TOKEN = "an-operators-token-of-40-characters-0123"
PLENTY = {"burst": 100000, "per_day": 100000}
PUSH = "/_matrix/identity/replicate/v1/push"
BOTH = "serverAuth,clientAuth"


def certificate(authority, name, **more):
    """For both directions, on loopback."""
    return authority.certificate([name, "127.0.0.1"], purpose=BOTH, subject=name, **more)


def replication(authority, name, port, peers):
    """The section of the service `name`."""
    path, key = certificate(authority, name)
    return {"address": "127.0.0.1", "port": port, "certificate": str(path), "key": str(key),
            "ca_file": str(authority.file), "peers": peers}


class Reply:
    def __init__(self, response):
        self.status, self.json = response.status, json.loads(response.read())
        self.errcode = self.json.get("errcode")

    def __repr__(self):
        return f"<{self.status} {self.json}>"


class Peer:
    """names_it: what its certificate is for, where that is another name."""

    def __init__(self, authority, name, names_it=None):
        self.authority, self.name = authority, name
        self.key = signedjson.key.generate_signing_key("0")
        self.files = certificate(authority, names_it or name)
        self.port = None
        self.pushes = []  # (time, {number: association})
        self.clients = []  # common names
        self.taken = {}  # number -> association
        self.answers = []  # (status, body) instead of success, one for each push
        self.refused = set()  # addresses that it says do not verify
        self.server = None

    @property
    def public_key(self):
        return encode_base64(signedjson.key.get_verify_key(self.key).encode())

    def entry(self, **more):
        """What a service is configured with to know it."""
        url = {"url": f"https://127.0.0.1:{self.port}"} if self.port else {}
        return {"name": self.name, "public_keys": [self.public_key], **url, **more}

    # ---- pushing

    def association(self, address, user_id, ts, key=None, **members):
        said = {**association(address, user_id, ts), **members}
        return signed_by(key or self.key, self.name, said)

    def send(self, port, body, headers=None, files=None):
        """files: another certificate; False: none."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if files is not False:
            context.load_cert_chain(*(files or self.files))
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", PUSH, body,
                               headers or {"Content-Type": "application/json"})
            return Reply(connection.getresponse())

    def push(self, port, associations, **more):
        """number -> signed association"""
        return self.send(port, json.dumps({"sgAssocs": associations}), **more)

    # ---- taking pushes

    def listen(self, port=0):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.files)
        context.load_verify_locations(self.authority.file)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = LittleServer(lambda exchange: exchange.answer(*self.receive(exchange)),
                                   port, context, keeps_alive=False)
        self.port = self.server.port
        return self

    def close(self):
        if self.server:
            self.server.close()
            self.server = None

    def receive(self, exchange):
        """All or nothing, as Sydent answers."""
        subject = dict(pair[0] for pair in exchange.handler.connection.getpeercert()["subject"])
        self.clients.append(subject["commonName"])
        associations = {int(number): said for number, said in exchange.json()["sgAssocs"].items()}
        self.pushes.append((time.monotonic(), associations))
        if self.answers:
            return self.answers.pop(0)
        failed = [str(number) for number, said in associations.items()
                  if said["address"] in self.refused]
        if failed:
            return 400, {"errcode": "M_VERIFICATION_FAILED", "failed_ids": failed}
        self.taken.update(associations)
        return 200, {"success": True}

    def addresses(self):
        return [said["address"] for _, said in sorted(self.taken.items())]

    def verifies(self, name, public_key):
        """What it took bears the signature of the service."""
        key = signedjson.key.decode_verify_key_base64("ed25519", "0", public_key)
        for said in self.taken.values():
            verify_signed_json(said, name, key)


class Service(World):
    """An identity service with peers; the internal endpoints bind."""

    def __init__(self, directory, authority, name="id.test", port=None):
        directory.mkdir(parents=True, exist_ok=True)
        token = directory / "token"
        token.write_text(TOKEN)
        super().__init__(directory, {"server_name": name, "internal": {"token_file": str(token)},
                                     "limits": UNLIMITED | {"internal": PLENTY}})
        self.name, self.authority, self.port = name, authority, port or free_port()

    def know(self, *entries):
        self.identity.configuration["replication"] = replication(
            self.authority, self.name, self.port, list(entries))
        self.identity.write_configuration()
        return self

    def entry(self, other=None):
        key = other or self.public_key()
        return {"name": self.name, "url": f"https://127.0.0.1:{self.port}", "public_keys": [key]}

    def public_key(self):
        return self.anybody.get("/pubkey/ed25519:0").json["public_key"]

    def bind(self, address, user_id, path="bind"):
        reply = Client(self.identity, TOKEN).post(
            f"/_matrix/identity/internal/{path}",
            {"medium": "email", "address": address, "mxid": user_id})
        assert reply.status == 200, reply
        return reply.json

    def unbind(self, address, user_id):
        self.bind(address, user_id, "unbind")

    def holder(self, address):
        return self.association(address).get("mxid")

    def association(self, address):
        return self.anybody.get(f"{V1}/lookup?medium=email&address={address}").json

    def found(self, address):
        """By the look-up of version 2."""
        client = self.sign_in("@asks:hs.test")
        reply = client.post("/lookup", {
            "algorithm": "none", "addresses": [f"{address} email"],
            "pepper": client.get("/hash_details").json["lookup_pepper"]})
        return reply.json["mappings"].get(f"{address} email")
