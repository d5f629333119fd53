"""Synapse and the notary: it is asked for its keys, asks for others', and is taken over from."""

import copy
import json

import pytest
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import synapse
from trinity import eventually

pytestmark = pytest.mark.skipif(synapse.python() is None, reason="Synapse cannot be had from PyPI")

QUERY = "/_matrix/key/v2/query"
OWN_KEYS = "/_matrix/key/v2/server"
ALL_TIMES = 0


@pytest.fixture
def notary(story, net):
    """The notary 127.0.0.1:PORT, with TLS."""
    certificate, key = net.authority.certificate(["127.0.0.1"])
    made = story.notary(
        {"outbound": {"allow": ["127.0.0.0/8"], "ca_file": str(net.ca_file)}},
        tls=(certificate, key, net.ca_file, "127.0.0.1"),
    )
    made.configuration["server_name"] = made.server_name = f"127.0.0.1:{made.secure.port}"
    made.write_configuration()
    return made.start()


@pytest.fixture
def homeserver(story, net):
    """homeserver("a", …): a Synapse that is not started yet, stopped at the end."""

    def make(name, **more):
        made = synapse.Synapse(story.directory / name, net.authority, **more)
        story.daemons.append(made)
        return made

    return make


def public_keys(notary):
    """(id, base64) of the notary's published keys."""
    return [(i, key["key"]) for i, key in notary.get(OWN_KEYS).json["verify_keys"].items()]


def ask(notary, server, key_id=None):
    """The entries of one server, for one key or for all."""
    wanted = {key_id: {"minimum_valid_until_ts": ALL_TIMES}} if key_id else {}
    reply = notary.post(QUERY, {"server_keys": {server: wanted}})
    assert reply.status == 200
    return reply.json["server_keys"]


def check_countersigned(notary, entry):
    for key_id, text in public_keys(notary):
        key = decode_verify_key_bytes(key_id, decode_base64(text))
        verify_signed_json(copy.deepcopy(entry), notary.server_name, key)


def keys_of(entries):
    """Key id → public key, of all that the entries say."""
    return {
        key_id: key["key"]
        for entry in entries
        for key_id, key in {**entry["old_verify_keys"], **entry["verify_keys"]}.items()
    }


def who_asked(server):
    """The programs that asked a homeserver for its keys."""
    return {agent.partition("/")[0] for _, agent in server.key_requests()}


# ---- Synapse as an origin


def test_its_keys_are_handed_out_with_its_signature_and_the_notarys(notary, homeserver):
    a = homeserver("a").start()
    got = notary.get(f"{QUERY}/{a.server_name}").json["server_keys"]
    assert got == ask(notary, a.server_name) == ask(notary, a.server_name, a.key_id)
    (entry,) = got
    check_countersigned(notary, entry)
    verify_signed_json(copy.deepcopy(entry), a.server_name, a.verify_key)
    published = json.loads(a.secure.request("GET", OWN_KEYS).body)
    assert keys_of([entry]) == keys_of([published])


def test_a_key_that_it_replaced_is_still_answered_for(notary, homeserver):
    a = homeserver("a").start()
    first, first_id = ask(notary, a.server_name), a.key_id
    a.rotate("ed25519:b_2")
    assert notary.command("refetch", a.server_name).returncode == 0
    entries = ask(notary, a.server_name)
    assert len(entries) == 2 and keys_of(entries).items() > keys_of(first).items()
    assert first_id in ask(notary, a.server_name, first_id)[0]["verify_keys"]
    (newest,) = ask(notary, a.server_name, a.key_id)
    assert first_id in newest["old_verify_keys"]
    verify_signed_json(copy.deepcopy(newest), a.server_name, a.verify_key)


# ---- Synapse as a client


def test_two_servers_meet_in_a_room_through_the_notary(notary, homeserver):
    a = homeserver("a").trust(notary.server_name, public_keys(notary)).start()
    b = homeserver("b").trust(notary.server_name, public_keys(notary)).start()
    ann, bob = a.register("ann"), b.register("bob")
    room = ann.create_room()
    bob.join(room, via=a)
    ann.say(room, "hello Bob")
    bob.say(room, "hello Ann")
    eventually(bob.sees(room, ann, "hello Bob"))
    eventually(ann.sees(room, bob, "hello Ann"))
    assert (a.server_name, a.key_id, notary.server_name) in b.stored_keys()
    assert (b.server_name, b.key_id, notary.server_name) in a.stored_keys()
    assert who_asked(a) == who_asked(b) == {"Trinity"}
