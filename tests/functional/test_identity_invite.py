"""Invites by e-mail: storing them, and what rooms and clients ask about them later."""

import socket
import urllib.parse

import pytest

from identity_world import UNLIMITED, V1, V2, World

BOB = "@bob:hs.test"
INVITE = {"medium": "email", "address": "Alice@Example.com", "room_id": "!room:hs.test",
          "sender": BOB}
PLENTY = {"burst": 1000, "per_day": 1000}
CONFIGURATION = {
    "limits": UNLIMITED | {"invites": PLENTY},
    "invites": {"block_keywords": ["casino"], "block_rooms": ["!spam*"]},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as relay:  # never says a word: the mails wait
        mail = {"relay": "127.0.0.1", "port": relay.getsockname()[1], "tls": "plain",
                "from": "id@id.test"}
        world = World(tmp_path_factory.mktemp("invites"), CONFIGURATION | {"mail": mail})
        yield world.start()
        world.end()


@pytest.fixture(scope="module")
def bob(world):
    return world.sign_in(BOB)


def refused(reply, status, errcode):
    assert (reply.status, reply.errcode) == (status, errcode), reply


def is_valid(world, key, spelling=urllib.parse.quote_plus):
    """By the address that came with the key, as the room's server asks."""
    path = urllib.parse.urlsplit(key["key_validity_url"]).path
    reply = world.anybody.get(f"{path}?public_key={spelling(key['public_key'])}")
    assert reply.status == 200
    return reply.json["valid"]


@pytest.mark.parametrize("base", [V1, V2])
def test_an_invite_names_two_keys_that_are_valid(world, bob, base):
    invite = bob.post(f"{base}/store-invite", INVITE).json
    assert invite["display_name"] == "Ali...@Exa..."
    long_term, ephemeral = invite["public_keys"]
    assert invite["public_key"] == long_term["public_key"] != ephemeral["public_key"]
    assert is_valid(world, long_term) and is_valid(world, ephemeral)


def test_a_key_is_known_in_every_spelling(world, bob):
    key = bob.post("/store-invite", INVITE).json["public_keys"][1]
    for spelling in (str, lambda text: text.replace("+", "-").replace("/", "_"),
                     lambda text: text + "=", lambda text: text.replace("+", "%20")):
        assert is_valid(world, key, spelling)


def test_other_keys_are_not_valid(world):
    target = f"{V2}/pubkey/ephemeral/isvalid"
    assert world.anybody.get(f"{target}?public_key={'A' * 43}").json == {"valid": False}
    assert world.anybody.get(f"{target}?public_key=%20").json == {"valid": False}
    refused(world.anybody.get(target), 400, "M_MISSING_PARAMS")


def test_older_homeservers_send_forms(world):
    body = urllib.parse.urlencode(INVITE).encode()
    reply = world.anybody.post(f"{V1}/store-invite", body, headers={
        "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200, reply


def test_more_arguments_of_any_kind_do_no_harm(bob):
    more = {"room_name": {"a": 1}, "sender_display_name": 7, "room_type": None,
            "room_alias": "#a\r\nBcc: x\u202e{{7*7}}%(token)s" * 200}
    assert bob.post("/store-invite", INVITE | more).status == 200
    assert bob.post("/store-invite", INVITE | {"room_id": "$aroom:fake.test"}).status == 200


@pytest.mark.parametrize("more, status, errcode", [
    ({"medium": "msisdn", "address": "447700900001"}, 400, "M_UNRECOGNIZED"),
    ({"medium": "x"}, 400, "M_UNRECOGNIZED"),
    ({"address": "x@y@z"}, 400, "M_INVALID_EMAIL"),
    ({"sender": "@eve:hs.test"}, 403, "M_UNAUTHORIZED"),
    ({"sender": "@bob"}, 400, "M_INVALID_PARAM"),
    ({"sender": "bob:hs.test"}, 400, "M_INVALID_PARAM"),
    ({"room_name": "The CASINO"}, 403, "M_UNAUTHORIZED"),
    ({"room_id": "!spam1:hs.test"}, 403, "M_UNAUTHORIZED"),
    ({"address": 1}, 400, "M_BAD_JSON"),
])
def test_what_is_no_invite_is_refused(bob, more, status, errcode):
    refused(bob.post("/store-invite", INVITE | more), status, errcode)


@pytest.mark.parametrize("name", INVITE)
def test_what_is_missing_is_asked_for(bob, name):
    body = {key: value for key, value in INVITE.items() if key != name}
    refused(bob.post("/store-invite", body), 400, "M_MISSING_PARAMS")


def test_strangers_store_nothing_on_v2(world):
    refused(world.anybody.post("/store-invite", INVITE), 401, "M_UNAUTHORIZED")


@pytest.mark.parametrize("path", [f"{V1}/sign-ed25519", f"{V2}/sign-ed25519"])
def test_only_the_key_of_the_mail_signs(bob, path):
    token = bob.post("/store-invite", INVITE).json["token"]
    query = urllib.parse.urlencode(
        {"mxid": "@alice:hs.test", "token": token, "private_key": "A" * 43})
    refused(bob.post(f"{path}?{query}", b""), 400, "M_INVALID_PARAM")
    refused(bob.post(f"{path}?{query}", b"null"), 400, "M_INVALID_PARAM")
    query = query.replace(token, "unknown")
    refused(bob.post(f"{path}?{query}", b""), 404, "M_UNRECOGNIZED")
    refused(bob.get(f"{path}?{query}"), 405, "M_UNRECOGNIZED")
    refused(bob.post(path, b""), 400, "M_MISSING_PARAMS")


def test_keys_outlive_a_restart(world, bob):
    keys = bob.post("/store-invite", INVITE).json["public_keys"]
    world.identity.restart()
    assert all(is_valid(world, key) for key in keys)
