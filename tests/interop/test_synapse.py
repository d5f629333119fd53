"""Synapse and the notary: it is asked for its keys, asks for others', and is taken over from."""

import concurrent.futures
import copy
import json
import random
import time

import pytest
import signedjson.key
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import origins as faults
import postgres
import synapse
from origins import Origin
from trinity import eventually

pytestmark = pytest.mark.skipif(synapse.python() is None, reason="Synapse cannot be had from PyPI")

QUERY = "/_matrix/key/v2/query"
OWN_KEYS = "/_matrix/key/v2/server"
ALL_TIMES = 0
# What no reader of key objects may believe.
BAD = [
    faults.bad_signature, faults.no_signature, faults.not_json, faults.truncated,
    faults.answers(404), faults.answers(500), faults.closes, faults.not_utf8,
    faults.other_server_name("b.test"), faults.with_object(lambda o: o.update(verify_keys={})),
]


@pytest.fixture
def notary(story, net, origins):
    """The notary 127.0.0.1:PORT, with TLS."""
    certificate, key = net.authority.certificate(["127.0.0.1"])
    made = story.notary(
        {
            "outbound": origins.outbound,
            "keys": {
                "signing_file": str(story.directory / "notary.key"),
                "countersign_file": str(story.directory / "former.key"),
            },
        },
        tls=(certificate, key, net.ca_file, "127.0.0.1"),
    )
    made.configuration["server_name"] = made.server_name = f"127.0.0.1:{made.secure.port}"
    made.write_configuration()
    return made.start()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """What Synapse may store in: its section `database`, and where that is for an import if it
    is not Synapse's own file."""
    if request.param == "sqlite":
        yield None, None
        return
    if not postgres.programs():
        pytest.skip("PostgreSQL is not installed")
    with postgres.Postgres() as server:
        address = server.create("synapse")
        yield {"name": "psycopg2", "args": {"dsn": address, "cp_min": 1, "cp_max": 5}}, address


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


def rotate(notary):
    """The notary signs with another key from now on."""
    former = public_keys(notary)
    assert notary.command("key", "rotate").returncode == 0
    notary.reload()
    eventually(lambda: public_keys(notary) != former)


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


# ---- Synapse as another notary


def hand_out(a, notary):
    """What Synapse hands out about the notary, asked for its present key."""
    own = public_keys(notary)
    entries = ask(a, notary.server_name, own[0][0])
    assert keys_of(entries).items() >= dict(own).items()
    for entry in entries:
        verify_signed_json(entry, a.server_name, a.verify_key)
    return keys_of(entries)


def test_it_takes_the_notarys_own_keys_before_and_after_a_rotation(notary, homeserver):
    a = homeserver("a").start()
    before = hand_out(a, notary)
    rotate(notary)
    after = hand_out(a, notary)
    assert after.items() > before.items()  # the former key is there as an old one


# ---- Synapse as a client


def meet(a, b):
    """A user of b joins a room of a user of a, and they talk."""
    ann, bob = a.register("ann"), b.register("bob")
    room = ann.create_room()
    bob.join(room, via=a)
    ann.say(room, "hello Bob")
    bob.say(room, "hello Ann")
    eventually(bob.sees(room, ann, "hello Bob"))
    eventually(ann.sees(room, bob, "hello Ann"))


def told_by(server, teller):
    """Who the servers are whose keys a homeserver has from this one."""
    return {name for name, _, told in server.stored_keys() if told == teller.server_name}


def test_two_servers_meet_in_a_room_through_the_notary(notary, homeserver):
    a = homeserver("a").trust(notary.server_name, public_keys(notary)).start()
    b = homeserver("b").trust(notary.server_name, public_keys(notary)).start()
    meet(a, b)
    assert told_by(b, notary) == {a.server_name} and told_by(a, notary) == {b.server_name}
    assert who_asked(a) == who_asked(b) == {"Trinity"}


def test_who_pinned_the_notarys_former_key_does_not_notice_its_rotation(notary, homeserver):
    b = homeserver("b").trust(notary.server_name, public_keys(notary)).start()
    rotate(notary)
    a = homeserver("a").trust(notary.server_name, public_keys(notary)).start()
    meet(a, b)
    assert told_by(b, notary) == {a.server_name} and told_by(a, notary) == {b.server_name}


def test_what_the_notary_does_not_vouch_for_is_asked_of_the_origin(notary, homeserver):
    a = homeserver("a").trust(notary.server_name, public_keys(notary)).start()
    b = homeserver("b").trust(notary.server_name, public_keys(notary)).start()
    assert notary.command("deny", a.server_name, "an example").returncode == 0
    meet(a, b)
    assert told_by(b, notary) == set() and told_by(b, a) == {a.server_name}
    assert who_asked(a) == {"Synapse"} and who_asked(b) == {"Trinity"}


def test_history_of_a_server_that_is_gone_is_believed_with_the_right_notary_key(
    notary, homeserver
):
    """Its keys have run out, too: what it said while they were valid stays true."""
    a = homeserver("a", configuration={"key_refresh_interval": "2s"}).start()
    b = homeserver("b").trust(notary.server_name, public_keys(notary)).start()
    ann, bob = a.register("ann"), b.register("bob")
    room = ann.create_room()
    bob.join(room, via=a)
    ann.say(room, "signed by my first key")
    first_id = a.key_id
    a.rotate("ed25519:b_2")
    ann.say(room, "signed by my second key")
    eventually(bob.sees(room, ann, "signed by my second key"))
    # Asked while it was away, it is left alone for a while: then bob's server has asked it itself.
    said = int(time.time() * 1000)
    fresh = f"{QUERY}/{a.server_name}?minimum_valid_until_ts={said}"
    eventually(lambda: a.key_id in keys_of(notary.get(fresh).json["server_keys"]), seconds=120)
    a.stop()

    other_key = signedjson.key.encode_verify_key_base64(a.verify_key)
    wrong = [(key_id, other_key) for key_id, _ in public_keys(notary)]
    c = homeserver("c").trust(notary.server_name, wrong).start()
    cid = c.register("cid")
    assert cid.try_to_join(room, via=b).status != 200
    c.stop()
    # Another one: who has failed to get an event does not ask for it again for an hour.
    d = homeserver("d").trust(notary.server_name, public_keys(notary)).start()
    dan = d.register("dan")
    dan.join(room, via=b)
    eventually(dan.sees(room, ann, "signed by my first key"))
    eventually(dan.sees(room, ann, "signed by my second key"))
    for key_id in (first_id, a.key_id):
        assert (a.server_name, key_id, notary.server_name) in d.stored_keys()


def test_bad_and_dead_servers_in_one_batch_cost_the_others_nothing(notary, homeserver, origins):
    b = homeserver("b").trust(notary.server_name, public_keys(notary)).start()
    nobody = f"/_matrix/federation/v1/query/profile?user_id=%40nobody%3A{b.server_name}"

    def is_believed(origin):
        """Whether a request of this server is taken for its own."""
        (key,) = origin.keys.values()
        return b.get_as(origin.name, key, nobody).status == 404

    good = [origins.add_literal() for _ in range(40)]
    others = [Origin(f"{origins.net.address()}:8448")]  # nobody listens there
    for fault in BAD:
        others.append(origins.add_literal())
        others[-1].fault = fault
    # Synapse sends one question, and meanwhile gathers the rest for the next one.
    everybody = random.Random("mixed").sample(good + others, len(good + others))
    with concurrent.futures.ThreadPoolExecutor(len(everybody)) as pool:
        believed = list(pool.map(is_believed, everybody))
    assert believed == [origin in good for origin in everybody]
    assert told_by(b, notary) == {origin.name for origin in good}
    assert all(origin.fetches == 1 for origin in good)


# ---- taking over from Synapse


def test_what_it_knows_of_a_server_that_is_gone_can_be_imported(notary, homeserver, database):
    section, address = database
    a, b = homeserver("a").start(), homeserver("b", database=section).start()
    first = ask(b, a.server_name, a.key_id)
    a.rotate("ed25519:b_2")
    known = first + ask(b, a.server_name, a.key_id)
    a.stop()
    assert ask(notary, a.server_name) == []

    done = notary.command("import", "synapse", address or b.database_path)
    assert done.returncode == 0 and ", 0 conflicting, 0 rejected" in done.stdout
    entries = ask(notary, a.server_name)
    assert keys_of(entries) == keys_of(known) and len(keys_of(known)) == 2
    for entry in entries:
        check_countersigned(notary, entry)
