"""Canonical and signed JSON as the libraries signedjson and canonicaljson see it, both ways."""

import json
import os
import random
import subprocess

import canonicaljson
import pytest
import signedjson.key
import signedjson.sign
from signedjson.sign import SignatureVerifyException

import trinity

ROUNDS = 300
SERVER = "origin.example.org"
# One character of each kind that encoders treat in their own way.
CHARACTERS = (
    "abcXYZ019 ._:-@#!$/<>&'+=~\"\\\b\t\n\f\r\0\x01\x0b\x1f\x7f\x80\xa0éßſ"
    "\u0300\u200b\u2028\u2029\u202e\ud7ff\ue000\ufeff\uffff\U00010000\U0001f600\U0010ffff"
)
INTEGERS = [
    0, 1, -1, 9, -10, 2**31, -(2**31), 2**53 - 1, -(2**53 - 1), 2**53, 2**53 + 1, 2**63 - 1,
    -(2**63), 2**63, 2**64 - 1, 2**64, 10**40 + 1, -(10**99),
]
SAFE_INTEGERS = [n for n in INTEGERS if abs(n) < 2**53]


class Signer:
    """Our side: a command goes in, an answer comes out."""

    def __init__(self):
        self.process = subprocess.Popen(
            [str(trinity.program("mx_sign"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask_text(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()[:-1]

    def ask(self, what, object_text="{}", **members):
        """object_text goes in as it is: its spelling is part of the test."""
        rest = json.dumps({"do": what, **members})
        return self.ask_text(f'{rest[:-1]}, "object": {object_text}}}'.encode())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def signer():
    made = Signer()
    yield made
    made.close()


def some_text(rng):
    return "".join(rng.choices(CHARACTERS, k=rng.choice((0, 1, 1, 2, 3, 8, 30))))


def some_value(rng, depth, integers):
    kind = rng.randrange(8 if depth else 6)
    if kind < 2:
        return some_text(rng)
    if kind < 4:
        return rng.choice(integers) if rng.random() < 0.5 else rng.randrange(-1000, 1000)
    if kind < 6:
        return rng.choice((True, False, None, [], {}))
    if kind == 6:
        return [some_value(rng, depth - 1, integers) for _ in range(rng.randrange(5))]
    return some_object(rng, depth - 1, integers)


def some_object(rng, depth=4, integers=INTEGERS):
    made = {some_text(rng): some_value(rng, depth, integers) for _ in range(rng.randrange(8))}
    if rng.random() < 0.3:
        made["unsigned"] = {"age_ts": rng.randrange(10**12)}
    if rng.random() < 0.3:
        made["signatures"] = {"other.example": {"ed25519:x": "AAAA"}}
    return made


def spelled(rng, value):
    """JSON text for the value, as another program may have written it."""
    return json.dumps(
        value,
        ensure_ascii=rng.random() < 0.5,
        separators=rng.choice(((",", ":"), (", ", ": "), (" ,\t", " : "))),
    )


def some_key(rng, version="a_1"):
    seed = signedjson.key.encode_base64(rng.randbytes(32))
    return seed, signedjson.key.decode_signing_key_base64("ed25519", version, seed)


def public_text(key):
    return signedjson.key.encode_verify_key_base64(signedjson.key.get_verify_key(key))


def cases(seed):
    rng = random.Random(seed)
    for _ in range(ROUNDS):
        yield rng, some_object(rng)


def test_canonical_forms_are_the_same(signer):
    for rng, value in cases("canonical"):
        expected = canonicaljson.encode_canonical_json(value)
        assert signer.ask("canonical", spelled(rng, value)) == expected
        assert signer.ask("canonical", expected.decode()) == expected


def test_they_accept_what_we_sign(signer):
    for rng, value in cases("we sign"):
        seed, key = some_key(rng)
        ours = signer.ask(
            "sign", spelled(rng, value), server=SERVER, key="ed25519:a_1", seed=seed
        )
        signed = json.loads(ours)
        signedjson.sign.verify_signed_json(signed, SERVER, signedjson.key.get_verify_key(key))
        theirs = signedjson.sign.sign_json(json.loads(json.dumps(value)), SERVER, key)
        assert ours == canonicaljson.encode_canonical_json(theirs)


def test_they_accept_the_trees_that_we_sign(signer):
    rng = random.Random("trees")
    for _ in range(ROUNDS):
        # jansson cannot hold a NUL in a name.
        value = json.loads(json.dumps(some_object(rng, 4, SAFE_INTEGERS)).replace("\\u0000", "0"))
        seed, key = some_key(rng)
        ours = signer.ask(
            "sign_tree", json.dumps(value), server=SERVER, key="ed25519:a_1", seed=seed
        )
        theirs = signedjson.sign.sign_json(value, SERVER, key)
        assert ours == canonicaljson.encode_canonical_json(theirs)


def test_we_accept_what_they_sign_and_refuse_what_was_changed(signer):
    for rng, value in cases("they sign"):
        _, key = some_key(rng)
        signed = signedjson.sign.sign_json(value, SERVER, key)
        who = {"server": SERVER, "key": "ed25519:a_1", "public_key": public_text(key)}
        assert signer.ask("verify", spelled(rng, signed), **who) == b'"good"'
        signed["unsigned"] = {"changed": 0.5}
        assert signer.ask("verify", spelled(rng, signed), **who) == b'"good"'
        signed["added by somebody"] = 1
        assert signer.ask("verify", spelled(rng, signed), **who) == b'"bad"'
        with pytest.raises(SignatureVerifyException):
            signedjson.sign.verify_signed_json(
                signed, SERVER, signedjson.key.get_verify_key(key)
            )
        assert signer.ask("verify", spelled(rng, signed), **{**who, "server": "x"}) == b'"absent"'
        assert signer.ask("verify", spelled(rng, signed), **{**who, "key": "ed25519:b"}) == (
            b'"absent"'
        )


def test_our_second_signature_leaves_theirs_good(signer):
    for rng, value in cases("both sign"):
        _, origin = some_key(rng)
        seed, notary = some_key(rng, "n_1")
        signed = signedjson.sign.sign_json(value, SERVER, origin)
        both = json.loads(
            signer.ask(
                "sign", spelled(rng, signed), server="notary.example", key="ed25519:n_1", seed=seed
            )
        )
        verify_key = signedjson.key.get_verify_key
        signedjson.sign.verify_signed_json(both, SERVER, verify_key(origin))
        signedjson.sign.verify_signed_json(both, "notary.example", verify_key(notary))
        assert set(both["signatures"]) >= {SERVER, "notary.example"}
        assert {**both, "signatures": 0} == {**signed, "signatures": 0}


@pytest.mark.parametrize("text", ['{"a":1.0}', '{"a":[1e3]}', '{"a":-0.0}', '{"a":1,"a":2}', "[]"])
def test_what_they_would_read_differently_is_not_signed(signer, text):
    seed, _ = some_key(random.Random(1))
    assert signer.ask("sign", text, server=SERVER, key="ed25519:a_1", seed=seed) in (
        b"!BAD_JSON", b"!NOT_JSON",
    )


def test_we_read_the_key_files_that_they_write(signer, tmp_path):
    rng = random.Random("key files")
    path = tmp_path / "signing.key"
    keys = [some_key(rng, version)[1] for version in ("auto", "a_RXGa", "1")]
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o640), "w") as file:
        signedjson.key.write_signing_keys(file, keys)
    assert json.loads(signer.ask("load_keys", path=str(path))) == {
        f"ed25519:{key.version}": public_text(key) for key in keys
    }


def test_they_read_the_key_files_that_we_write(signer, tmp_path):
    seed, key = some_key(random.Random("our file"))
    path = tmp_path / "signing.key"
    assert signer.ask("save_key", path=str(path), key="ed25519:a_1", seed=seed) == b"{}"
    with open(path) as file:
        (theirs,) = signedjson.key.read_signing_keys(file)
    assert theirs.version == "a_1"
    assert public_text(theirs) == public_text(key)
