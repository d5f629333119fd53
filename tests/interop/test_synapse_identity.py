"""Synapse and the identity service: its users are signed in, bind, are found and invited by
address, and are unbound by its signature; it validates phone numbers through the service."""

import re
import urllib.parse

import pytest
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import synapse
from identity_world import V1, V2
from smtp_sink import SmtpSink
from trinity import eventually

pytestmark = pytest.mark.skipif(synapse.python() is None, reason="Synapse cannot be had from PyPI")

SECRET = "a.client=secret"


@pytest.fixture
def sink():
    with SmtpSink() as made:
        yield made


@pytest.fixture
def identity(story, net, origins, sink, gateway):
    """The identity service 127.0.0.1:PORT, with TLS."""
    certificate, key = net.authority.certificate(["127.0.0.1"])
    made = story.identity(
        {
            "outbound": origins.outbound,
            "mail": sink.conf(story.directory),
            "sms": gateway.conf("webhook", story.directory),
            "invites": {"web_client": "https://web.test"},
        },
        tls=(certificate, key, net.ca_file, "127.0.0.1"),
    )
    made.server_name = f"127.0.0.1:{made.secure.port}"
    made.configuration |= {
        "server_name": made.server_name, "public_base_url": f"https://{made.server_name}"}
    made.write_configuration()
    return made.start()


@pytest.fixture
def homeserver(story, net, identity, sink):
    """homeserver("a"): a Synapse that believes our authority, stopped at the end."""

    def make(name):
        made = synapse.Synapse(story.directory / name, net.authority, {
            "account_threepid_delegates": {"msisdn": f"https://{identity.server_name}"},
            "email": {"smtp_host": "127.0.0.1", "smtp_port": sink.port, "notif_from": "hs@hs.test",
                      "invite_client_location": "https://chosen.test"},
            "caches": {"sync_response_cache_duration": "0s"},
        })
        made.configuration["public_baseurl"] = made.plain.url + "/"
        made.write_configuration()
        story.daemons.append(made)
        return made.start()

    return make


class Member:
    """A user of a Synapse whose client knows the identity service, too."""

    def __init__(self, server, name, identity, sink):
        self.user, self.identity, self.sink = server.register(name), identity, sink
        self.id = self.user.id
        path = f"/user/{urllib.parse.quote(self.id)}/openid/request_token"
        self.token = None
        self.token = self.ask("POST", "/account/register", self.user.do("POST", path, {}))["token"]

    def ask(self, method, target, body=None):
        """The identity service, as a browser does."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        reply = self.identity.secure.request(method, V2 + target, body, headers)
        assert reply.status == 200, reply
        return reply.json

    @property
    def service(self):
        """What clients tell their homeserver of the identity service."""
        return {"id_server": self.identity.server_name, "id_access_token": self.token}

    def proves(self, address):
        """The id of the session in which the address was shown to be this person's."""
        known = len(self.sink.mails)
        sid = self.ask("POST", "/validate/email/requestToken", {
            "client_secret": SECRET, "email": address, "send_attempt": 1})["sid"]
        mail = next(mail for mail in self.sink.wait_for(known + 1) if sid in mail.text)
        proof = {"sid": sid, "client_secret": SECRET, "token": mail.query["token"]}
        assert self.ask("POST", "/validate/email/submitToken", proof) == {"success": True}
        return sid

    def binds(self, address):
        """Through the homeserver, which remembers where it was."""
        self.user.do("POST", "/account/3pid/bind", {
            "sid": self.proves(address), "client_secret": SECRET, **self.service})

    def unbinds(self, address, **service):
        return self.user.do("POST", "/account/3pid/unbind", {
            "medium": "email", "address": address, **service})["id_server_unbind_result"]

    def invites(self, address, room):
        self.user.do("POST", f"/rooms/{urllib.parse.quote(room)}/invite", {
            "medium": "email", "address": address, **self.service})

    def invited_to(self):
        return list(self.user.do("GET", "/sync?timeout=0").get("rooms", {}).get("invite", {}))

    def state(self, room, kind):
        events = self.user.do("GET", f"/rooms/{urllib.parse.quote(room)}/state")
        return [event for event in events if event["type"] == kind]


@pytest.fixture
def member(identity, sink):
    return lambda server, name: Member(server, name, identity, sink)


def found(identity, address):
    """The user whom v1 names for the address, checked as old homeservers do."""
    reply = identity.get(f"{V1}/lookup?medium=email&address={urllib.parse.quote(address)}")
    association = reply.json
    if not association:
        return None
    key = identity.get(f"{V1}/pubkey/ed25519%3A0").json["public_key"]
    verify_signed_json(association, identity.server_name,
                       decode_verify_key_bytes("ed25519:0", decode_base64(key)))
    return association["mxid"]


def private_room(member):
    return member.user.create_room(preset="private_chat", name="A room <b> & more")


# ---- binding


def test_a_user_binds_through_the_homeserver_and_is_unbound_by_its_signature(
    identity, homeserver, member
):
    ann = member(homeserver("a"), "ann")
    ann.binds("Ann@example.org")
    assert found(identity, "ann@example.org") == ann.id
    assert ann.unbinds("ann@example.org", id_server=identity.server_name) == "success"
    assert found(identity, "ann@example.org") is None
    assert ann.unbinds("ann@example.org", id_server=identity.server_name) == "success"

    ann.binds("ann@example.org")
    assert ann.unbinds("ann@example.org") == "success", "it remembers the service by itself"
    assert found(identity, "ann@example.org") is None


def test_who_deactivates_their_account_is_found_no_more(identity, homeserver, member):
    ann = member(homeserver("a"), "ann")
    ann.binds("ann@example.org")
    answer = ann.user.do("POST", "/account/deactivate", {
        "auth": password_of(ann), "id_server": identity.server_name})
    assert answer["id_server_unbind_result"] == "success"
    assert found(identity, "ann@example.org") is None


def password_of(member):
    return {"type": "m.login.password", "password": "secret",
            "identifier": {"type": "m.id.user", "user": member.id}}


# ---- phone numbers


def test_a_phone_number_is_added_with_a_text_message_of_the_service(
    homeserver, member, gateway
):
    server = homeserver("a")
    ann = member(server, "ann")
    asked = ann.user.do("POST", "/account/3pid/msisdn/requestToken", {
        "client_secret": SECRET, "country": "GB", "phone_number": "07700900001",
        "send_attempt": 1})
    assert asked["msisdn"] == "447700900001" and asked["intl_fmt"] == "+44 7700 900001"
    token = re.search(r"\b\d{6}\b", gateway.wait_for(1)[0].text)[0]
    proof = {"client_secret": SECRET, "sid": asked["sid"]}
    submit = urllib.parse.urlsplit(asked["submit_url"]).path
    wrong = server.post(submit, proof | {"token": "0" if token != "000000" else "1"})
    assert wrong.status == 400
    assert server.post(submit, proof | {"token": token}).json == {"success": True}
    ann.user.do("POST", "/account/3pid/add", proof | {"auth": password_of(ann)})
    (added,) = ann.user.do("GET", "/account/3pid")["threepids"]
    assert (added["medium"], added["address"]) == ("msisdn", "447700900001")


# ---- invites


def test_somebody_without_an_account_is_invited_registers_and_finds_the_invite(
    identity, homeserver, member, sink
):
    a, b = homeserver("a"), homeserver("b")
    ann = member(a, "ann")
    room = private_room(ann)
    ann.invites("bob@example.org", room)

    (event,) = ann.state(room, "m.room.third_party_invite")
    assert event["content"]["display_name"] == "b...@exa..."
    assert len(event["content"]["public_keys"]) == 2
    (mail,) = sink.wait_for(1, "bob@example.org")
    assert mail.link.startswith("https://chosen.test/#/room/")
    assert "A room <b> & more" in mail.text and "<b>" not in mail.html.split("A room")[1][:20]

    bob = member(b, "bob")
    assert bob.invited_to() == []
    bob.binds("bob@example.org")
    eventually(lambda: bob.invited_to() == [room])
    bob.user.do("POST", f"/join/{urllib.parse.quote(room)}", {})
    ann.user.say(room, "hello Bob")
    eventually(bob.user.sees(room, ann.user, "hello Bob"))


def test_who_got_the_mail_may_join_with_another_address(identity, homeserver, member, sink):
    """The client signs the invite's token at the address in the mail: it proves nothing else."""
    ann = member(homeserver("a"), "ann")
    room = private_room(ann)
    ann.invites("bob@example.org", room)
    (mail,) = sink.wait_for(1, "bob@example.org")
    sign_url = urllib.parse.parse_qs(mail.link.partition("?")[2])["signurl"][0]
    bob = member(ann.user.server, "bob")
    target = urllib.parse.urlsplit(sign_url)
    query = f"{target.path}?{target.query}&mxid={urllib.parse.quote(bob.id)}"
    signed = identity.secure.request("POST", query, b"").json
    refused = bob.user.request("POST", f"/join/{urllib.parse.quote(room)}", {})
    assert refused.status == 403, refused
    bob.user.do("POST", f"/join/{urllib.parse.quote(room)}", {"third_party_signed": signed})


def test_who_is_found_by_address_is_invited_at_once(identity, homeserver, member, sink):
    a = homeserver("a")
    ann, bob = member(a, "ann"), member(a, "bob")
    bob.binds("bob@example.org")
    mails = len(sink.wait_for(2, "bob@example.org"))
    room = private_room(ann)
    ann.invites("bob@example.org", room)
    eventually(lambda: bob.invited_to() == [room])
    assert ann.state(room, "m.room.third_party_invite") == []
    assert len(sink.mails_to("bob@example.org")) == mails


def test_an_invite_waits_for_a_homeserver_that_is_away(identity, homeserver, member):
    ann = member(homeserver("a"), "ann")
    room = private_room(ann)
    ann.invites("bob@example.org", room)
    b = homeserver("b")
    bob = member(b, "bob")
    sid = bob.proves("bob@example.org")
    b.stop()
    bob.ask("POST", "/3pid/bind", {"sid": sid, "client_secret": SECRET, "mxid": bob.id})
    identity.kill()
    identity.start()
    b.start()
    eventually(lambda: bob.invited_to() == [room])


def test_an_invite_that_was_taken_back_is_no_way_in(identity, homeserver, member):
    """The room's server asks nobody: the room itself forgot the invite."""
    a = homeserver("a")
    ann, bob = member(a, "ann"), member(a, "bob")
    room = private_room(ann)
    ann.invites("bob@example.org", room)
    (event,) = ann.state(room, "m.room.third_party_invite")
    where = urllib.parse.quote(f"/rooms/{room}/state/m.room.third_party_invite/"
                               f"{event['state_key']}")
    ann.user.do("PUT", where, {})
    bob.binds("bob@example.org")
    eventually(lambda: "onbind" in a.log())
    assert bob.invited_to() == []
