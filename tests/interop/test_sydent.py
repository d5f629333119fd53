"""Sydent and our identity service: we take its place, or stand beside it."""

import re
import types
import urllib.parse

import pytest
import signedjson.key
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import fakenet
import sydent
from authority import Authority
from identity_peer import Service, certificate
from identity_world import V1, V2, Client, World
from smtp_sink import SmtpSink
from trinity import eventually, free_port

pytestmark = pytest.mark.skipif(sydent.python() is None, reason="Sydent cannot be had from PyPI")

SECRET = "s3cret.=_-0"
# A mail says only what is needed to go on.
MAIL = "From: {{ from }}\r\nTo: {{ to }}\r\nSubject: x\r\n\r\n%s\r\n"
TEMPLATES = {
    "verification_template.eml.j2": MAIL % "token={{ token }}",
    "invite_template.eml.j2": MAIL % "token={{ token }} key={{ ephemeral_private_key }} end",
    "verify_response_template.html": "<p>%(message)s</p>",
}


class Old:
    """A Sydent with clients: it validates addresses by mail, binds them and stores invites."""

    def __init__(self, directory, net, sink):
        brand = directory / "templates" / "plain"
        brand.mkdir(parents=True)
        for name, text in TEMPLATES.items():
            (brand / name).write_text(text)
        self.users = {}
        self.homeserver = net.host(handler=self.userinfo)
        self.hs_name = f"{self.homeserver.address}:{self.homeserver.port}"
        self.sink = sink
        self.server = sydent.Sydent(directory / "sydent")
        for section, options in {
            "general": {"templates.path": str(brand.parent), "brand.default": "plain",
                        "ip.whitelist": "127.0.0.0/8"},
            "http": {"federation.verifycerts": "False"},
            "email": {"email.smtphost": "127.0.0.1", "email.smtpport": str(sink.port)},
        }.items():
            self.server.configuration[section].update(options)
        self.server.write_configuration()

    def userinfo(self, exchange):
        """Whose token it is; anything else, which tells of binds, is welcome."""
        if "/openid/" not in exchange.target:
            return fakenet.answer({})
        query = urllib.parse.parse_qs(exchange.target.partition("?")[2])
        return fakenet.answer({"sub": self.users[query["access_token"][0]]})

    def user(self, localpart):
        return f"@{localpart}:{self.hs_name}"

    def sign_in(self, localpart):
        self.users[localpart] = self.user(localpart)
        client = Client(self.server)
        reply = client.post("/account/register", {
            "access_token": localpart, "matrix_server_name": self.hs_name})
        assert reply.status == 200, reply
        return Client(self.server, reply.json["token"])

    def ask(self, client, address):
        """(sid, token of the mail)"""
        before = len(self.sink.mails_to(address))
        reply = client.post("/validate/email/requestToken", {
            "client_secret": SECRET, "email": address, "send_attempt": 1})
        assert reply.status == 200, reply
        mail = self.sink.wait_for(before + 1, address)[-1]
        return reply.json["sid"], re.search(r"token=(\w+)", mail.text)[1]

    def validate(self, client, address):
        sid, token = self.ask(client, address)
        assert submit(client, sid, token).json == {"success": True}
        return sid

    def bind(self, client, localpart, address):
        """The session that proved it; Sydent sends somebody five mails and no more."""
        sid = self.validate(client, address)
        reply = client.post("/3pid/bind", {"sid": sid, "client_secret": SECRET,
                                           "mxid": self.user(localpart)})
        assert reply.status == 200, reply
        return sid

    def unbind(self, client, localpart, address, sid):
        reply = client.post("/3pid/unbind", {
            "sid": sid, "client_secret": SECRET, "mxid": self.user(localpart),
            "threepid": {"medium": "email", "address": address}})
        assert reply.status == 200, reply

    def invite(self, client, localpart, address):
        """What the homeserver gets, and the invited person's token and key by mail."""
        reply = client.post("/store-invite", {
            "medium": "email", "address": address, "room_id": "!room:" + self.hs_name,
            "sender": self.user(localpart)})
        assert reply.status == 200, reply
        text = self.sink.wait_for(1, address)[-1].text
        token, key = re.search(r"token=(\w+) key=(\S+) end", text).groups()
        return reply.json, token, key


def submit(client, sid, token):
    return client.post("/validate/email/submitToken",
                       {"sid": sid, "client_secret": SECRET, "token": token})


def signer(said):
    """Whether sydent.test has signed it with this public key."""
    def check(public):
        verify_signed_json(said, sydent.NAME, signedjson.key.decode_verify_key_bytes(
            "ed25519:0", decode_base64(public)))
    return check


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """All that was done at a Sydent, and the service that took its place."""
    directory = tmp_path_factory.mktemp("sydent")
    world = World(directory, {"server_name": sydent.NAME,
                              "public_base_url": f"http://{sydent.NAME}"})
    with SmtpSink() as sink:
        old = Old(directory, world.net, sink)
        try:
            did = live_through(old)
        finally:
            old.server.stop()
        world.start()
        did.output = world.command("import-sydent", str(old.server.database_path),
                                   str(old.server.conf_path))
        did.new, did.old, did.ann = world, old, Client(world.identity, did.ann.token)
        yield did
        world.end()


def live_through(old):
    old.server.start()
    did = types.SimpleNamespace(ann=old.sign_in("ann"), bob=old.sign_in("bob"))
    did.pepper = did.ann.get("/hash_details").json["lookup_pepper"]
    old.bind(did.bob, "bob", "moved@example.com")
    old.bind(did.ann, "ann", "Ann@Example.com")
    old.bind(did.ann, "ann", "moved@example.com")
    sid = old.bind(did.ann, "ann", "gone@example.com")
    old.unbind(did.ann, "ann", "gone@example.com", sid)
    did.signed = Client(old.server).get(
        f"{V1}/lookup?medium=email&address=ann@example.com").json
    did.asked = old.ask(did.ann, "later@example.com")
    did.validated = old.validate(did.ann, "ready@example.com")
    did.invite = old.invite(did.bob, "bob", "zoe@example.com")
    did.signed_out = old.sign_in("eve")
    assert did.signed_out.request("POST", "/account/logout", {}).status == 200
    return did


def plain_look_up(client, *addresses, pepper):
    reply = client.post("/lookup", {"algorithm": "none", "pepper": pepper,
                                    "addresses": [f"{address} email" for address in addresses]})
    assert reply.status == 200, reply
    return {key.split()[0]: user for key, user in reply.json["mappings"].items()}


def test_nothing_was_left_out(moved):
    assert "left out" not in moved.output
    assert 'server_name: "sydent.test"' in moved.output


def test_clients_are_still_signed_in(moved):
    assert moved.ann.get("/account").json == {"user_id": moved.old.user("ann")}
    assert Client(moved.new.identity, moved.signed_out.token).get("/account").status == 401


def test_people_are_found_as_before(moved):
    found = plain_look_up(moved.ann, "ann@example.com", "moved@example.com", "gone@example.com",
                          pepper=moved.pepper)
    ann = moved.old.user("ann")
    assert found == {"ann@example.com": ann, "moved@example.com": ann}


def test_an_association_is_the_same_to_the_last_byte(moved):
    signed = moved.new.anybody.get(f"{V1}/lookup?medium=email&address=ann@example.com").json
    assert signed == moved.signed
    signer(signed)(moved.new.anybody.get("/pubkey/ed25519:0").json["public_key"])


def test_links_that_rooms_keep_stay_true(moved):
    for key in moved.invite[0]["public_keys"]:
        url = urllib.parse.urlsplit(key["key_validity_url"])
        assert url.netloc == sydent.NAME
        query = urllib.parse.urlencode({"public_key": key["public_key"]})
        assert moved.new.anybody.get(f"{url.path}?{query}").json == {"valid": True}


def test_an_invited_person_gets_a_signature(moved):
    _, token, private_key = moved.invite
    query = urllib.parse.urlencode({"mxid": "@zoe:hs.test", "token": token,
                                    "private_key": private_key})
    signed = moved.new.anybody.post(f"{V1}/sign-ed25519?{query}").json
    assert signed["sender"] == moved.old.user("bob")
    key = signedjson.key.decode_signing_key_base64(
        "ed25519", "0", private_key.replace("-", "+").replace("_", "/"))
    verify_signed_json(signed, sydent.NAME, signedjson.key.get_verify_key(key))


def test_sessions_go_on(moved):
    sid, token = moved.asked
    assert submit(moved.ann, sid, token).json == {"success": True}
    reply = moved.ann.post("/3pid/bind", {"sid": moved.validated, "client_secret": SECRET,
                                          "mxid": moved.old.user("ann")})
    assert reply.json["address"] == "ready@example.com", reply


def test_a_second_import_finds_everything_there(moved):
    output = moved.new.command("import-sydent", str(moved.old.server.database_path),
                               str(moved.old.server.conf_path))
    counted = re.findall(r"^[a-z_ ]+:((?: \d+ \w+)+)$", output, re.M)
    assert counted
    assert {word for words in counted for word in re.findall(r"\d+ (\w+)", words)} <= {
        "known", "older"}
    assert moved.new.anybody.get(f"{V2}/pubkey/ed25519:0").status == 200


# ---- beside it: each tells the other who is who


OURS = "ours.test"
PUSH_SECONDS = 25  # Sydent pushes every ten


class Beside(sydent.Sydent):
    """A Sydent that replicates with the service; its internal endpoints bind."""

    def __init__(self, directory, authority, service):
        super().__init__(directory)
        self.port, self.internal = free_port(), free_port()
        path, key = certificate(authority, sydent.NAME)
        pem = directory / "replication.pem"
        pem.write_text(key.read_text() + path.read_text())
        self.configuration["http"].update({
            "replication.https.certfile": str(pem),
            "replication.https.cacert": str(authority.file),
            "replication.https.port": str(self.port),
            "internalapi.http.port": str(self.internal),
            "internalapi.http.bind_address": "127.0.0.1",
        })
        self.configuration[f"peer.{OURS}"] = {
            "base_replication_url": f"https://127.0.0.1:{service.port}"}
        self.write_configuration()

    def know(self, name, public_key):
        with self.database() as database:
            database.execute("INSERT INTO peers (name, active) VALUES (?, 1)", (name,))
            database.execute("INSERT INTO peer_pubkeys (peername, alg, key) "
                             "VALUES (?, 'ed25519', ?)", (name, public_key))

    def entry(self):
        key = Client(self).get("/pubkey/ed25519:0").json["public_key"]
        return {"name": sydent.NAME, "url": f"https://127.0.0.1:{self.port}", "public_keys": [key]}

    def bind(self, address, user_id, path="bind"):
        body = {"medium": "email", "address": address, "mxid": user_id}
        listener = type(self.plain)("127.0.0.1", self.internal)
        reply = listener.request("POST", f"/_matrix/identity/internal/{path}", body)
        assert reply.status == 200, reply

    def holder(self, address):
        return Client(self).get(f"{V1}/lookup?medium=email&address={address}").json.get("mxid")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """(our service, Sydent), each the other's peer."""
    directory = tmp_path_factory.mktemp("pair")
    authority = Authority(directory / "authority")
    service = Service(directory / "ours", authority, OURS)
    (directory / "sydent").mkdir()
    other = Beside(directory / "sydent", authority, service)
    try:
        other.start()
        service.know().start()
        other.know(OURS, service.public_key())
        service.identity.stop()
        service.know(other.entry()).identity.start()
        yield service, other
    finally:
        other.stop()
        service.end()


def test_sydent_takes_what_is_bound_here(pair):
    service, other = pair
    service.bind("ann@example.com", "@ann:hs.test")
    eventually(lambda: other.holder("ann@example.com") == "@ann:hs.test")
    service.bind("ann@example.com", "@again:hs.test")
    eventually(lambda: other.holder("ann@example.com") == "@again:hs.test")
    service.unbind("ann@example.com", "@again:hs.test")
    eventually(lambda: other.holder("ann@example.com") is None)


def test_what_is_bound_at_sydent_is_found_here(pair):
    service, other = pair
    other.bind("bob@example.com", "@bob:hs.test")
    eventually(lambda: service.holder("bob@example.com") == "@bob:hs.test", PUSH_SECONDS)
    assert service.found("bob@example.com") == "@bob:hs.test"
    said = service.association("bob@example.com")
    signer(said)(other.entry()["public_keys"][0])
    other.bind("bob@example.com", "@bob:hs.test", "unbind")
    eventually(lambda: service.holder("bob@example.com") is None, PUSH_SECONDS)


def test_the_newest_of_both_counts_here_and_there(pair):
    service, other = pair
    other.bind("eve@example.com", "@there:hs.test")
    eventually(lambda: service.holder("eve@example.com") == "@there:hs.test", PUSH_SECONDS)
    service.bind("eve@example.com", "@here:hs.test")
    assert service.holder("eve@example.com") == "@here:hs.test"
    eventually(lambda: other.holder("eve@example.com") == "@here:hs.test")
