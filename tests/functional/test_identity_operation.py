"""What an operator does with a running identity service: keys, reloads, its health."""

import re

import nacl.signing
import pytest
from unpaddedbase64 import encode_base64

from identity_world import V1, V2

SEED = bytes(range(32))
PUBLIC = encode_base64(bytes(nacl.signing.SigningKey(SEED).verify_key))
ROW = re.compile(r"^(\S+) +(\S{43})  (.+)\n  fingerprint ((?:[0-9a-f]{4} ?){8})$", re.M)


# ---- keys


def listed(people):
    """{key id: (public key, role)}."""
    rows = ROW.findall(people.command("key", "list"))
    return {key_id: (public_key, role) for key_id, public_key, role, _ in rows}


def signing_key(people):
    """(key id, public key) of the one that signs now."""
    [signs] = [(key_id, key) for key_id, (key, role) in listed(people).items() if role == "signs"]
    return signs


def is_valid(people, key):
    quoted = key.replace("+", "%2B").replace("/", "%2F")
    answers = [people.anybody.get(f"{base}/pubkey/isvalid?public_key={quoted}").json["valid"]
               for base in (V1, V2)]
    assert answers[0] == answers[1]
    return answers[0]


def published(people, key_id):
    reply = people.anybody.get(f"/pubkey/{key_id}")
    return reply.json["public_key"] if reply.status == 200 else None


def key_file(people, name, text):
    path = people.identity.directory / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_listed_key_is_the_published_one(make_people):
    people = make_people().start()
    assert signing_key(people) == ("ed25519:0", published(people, "ed25519:0"))


def test_a_retired_pair_is_valid_until_it_is_revoked(make_people):
    people = make_people().start()
    old_id, old_key = signing_key(people)
    assert "signs from now on" in people.command("key", "rotate")
    assert published(people, signing_key(people)[0]) is None, "nothing changes before the reload"
    people.command("reload")
    new_id, new_key = signing_key(people)
    assert new_id != old_id and published(people, new_id) == new_key
    assert is_valid(people, new_key)
    assert is_valid(people, old_key) and published(people, old_id) == old_key
    assert listed(people)[old_id] == (old_key, "retired, valid")
    people.identity.restart()
    assert is_valid(people, old_key)
    assert old_key in people.command("key", "revoke", old_id)
    people.command("reload")
    assert not is_valid(people, old_key) and published(people, old_id) is None
    assert is_valid(people, new_key)


def test_a_key_that_the_configuration_revokes_is_valid_nowhere(make_people):
    people = make_people().start()
    old_id, old_key = signing_key(people)
    people.command("key", "rotate")
    people.identity.configuration["keys"]["revoked"] = [old_key]
    people.identity.write_configuration()
    people.command("reload")
    assert not is_valid(people, old_key) and published(people, old_id) is None
    assert listed(people)[old_id] == (old_key, "revoked")


def test_the_key_that_signs_is_not_revoked_before_another_one_signs(make_people):
    people = make_people().start()
    key_id, key = signing_key(people)
    assert "first key rotate" in people.command("key", "revoke", key_id, status=1)
    assert "key rotate makes another" in people.command("key", "retire", key_id, status=1)
    people.identity.configuration["keys"]["revoked"] = [key]
    people.identity.write_configuration()
    people.command("reload")
    assert is_valid(people, key), "the old state stays"
    assert f"{key_id}, which signs, is revoked" in people.identity.log()


@pytest.mark.parametrize("text, key_id", [
    (f"ed25519 a_ABCD {encode_base64(SEED)}\n", "ed25519:a_ABCD"),
    (f"[crypto]\ned25519.signingkey = ed25519 1 {encode_base64(SEED)}\n", "ed25519:1"),
], ids=["synapse", "sydent"])
def test_a_key_of_other_software_counts_as_valid_after_a_reload(make_people, text, key_id):
    people = make_people().start()
    before = signing_key(people)
    people.command("key", "import", key_file(people, "other.key", text))
    assert not is_valid(people, PUBLIC)
    people.command("reload")
    assert is_valid(people, PUBLIC) and published(people, key_id) == PUBLIC
    assert signing_key(people) == before
    people.command("key", "retire", key_id)
    people.command("reload")
    assert is_valid(people, PUBLIC) and published(people, key_id) == PUBLIC


def test_a_service_that_never_ran_goes_on_with_the_key_of_its_predecessor(make_people):
    people = make_people()
    people.command("key", "import", key_file(people, "sydent.key", SEED.hex()))
    people.start()
    assert published(people, "ed25519:0") == PUBLIC == signing_key(people)[1]


@pytest.mark.parametrize("line, told", [
    ("key", "usage: trinity-identity key list"),
    ("key retire", "usage: trinity-identity key list"),
    ("key retire ed25519:nobody", "There is no key ed25519:nobody"),
    ("key revoke ed25519:nobody", "There is no key ed25519:nobody"),
    ("key import /nonexistent", "/nonexistent"),
])
def test_what_cannot_be_done_with_keys_says_why(people, line, told):
    status = 2 if told.startswith("usage") else 1
    assert told in people.command(*line.split(), status=status)
