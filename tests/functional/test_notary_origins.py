"""What origins say about their keys, well or badly, and what the notary makes of it.
Spec: server-server API, "Publishing Keys"."""

import base64
import json

import pytest
from canonicaljson import encode_canonical_json

import fakenet
import origins
from notary_world import NAME, QUERY
from origins import DAY_MS, answers, now_ms, with_object, with_text
from trinity import eventually

CONFIGURATION = {
    "query": {"deadline_ms": 4000},
    "trust": {"one_signature": ["sloppy*.test"]},
}
COMPROMISED = "l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og"
SOME_KEY = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"


def key_of(size):
    """So many bytes in base64, no matter which."""
    return base64.b64encode(b"\xfb" * size).decode().rstrip("=")


def with_key(text):
    """One more verify key, which cannot sign."""
    return with_object(lambda o: o["verify_keys"].update({"ed25519:b": {"key": text}}))


def signed_by_an_unlisted_key(origin, _exchange):
    published = origin.unsigned()
    other = origins.new_key("ed25519:other")
    return origins.send(origins.sign_json(published, origin.name, other))


def with_many_keys(count):
    return with_object(lambda o: o["verify_keys"].update(
        {f"ed25519:k{n}": {"key": key_of(32)} for n in range(count)}))


REFUSED = {
    "no signature": (origins.no_signature, "unsigned"),
    "a signature by a key that is not listed": (signed_by_an_unlisted_key, "unsigned"),
    "a wrong signature": (origins.bad_signature, "bad_signature"),
    "another server's name": (origins.other_server_name("victim.test"), "wrong_server"),
    "no validity": (with_object(lambda o: o.pop("valid_until_ts")), "bad_shape"),
    "a validity that is text": (with_object(lambda o: o.update(valid_until_ts="1")), "bad_shape"),
    "a validity that is null": (with_object(lambda o: o.update(valid_until_ts=None)), "bad_shape"),
    "a validity beyond 64 bits": (with_text(
        lambda t: t.replace(b'"valid_until_ts":', b'"valid_until_ts":9223372036854')), "bad_shape"),
    "a fraction": (origins.with_float, "not_json"),
    "a member twice": (origins.duplicate_keys, "not_json"),
    "no keys": (with_object(lambda o: o.update(verify_keys={})), "bad_shape"),
    "a list of keys": (with_object(lambda o: o.update(verify_keys=[])), "bad_shape"),
    "a key of 31 bytes": (with_key(key_of(31)), "bad_key"),
    "a key of 33 bytes": (with_key(key_of(33)), "bad_key"),
    "a key that signs everything": (with_key(base64.b64encode(b"\1" + b"\0" * 31).decode()[:-1]),
                                    "bad_key"),
    "a key that is no base64": (with_key("*" * 43), "bad_key"),
    "somebody else's key": (with_key(key_of(32)), "bad_key"),
    "only an unknown algorithm": (with_object(
        lambda o: o.update(verify_keys={"rsa:1": {"key": key_of(32)}})), "bad_shape"),
    "only a compromised key": (with_object(
        lambda o: o.update(verify_keys={"ed25519:a": {"key": COMPROMISED}})), "compromised"),
    "an old key without its end": (with_object(lambda o: o["old_verify_keys"].update(
        {"ed25519:old": {"key": key_of(32)}})), "bad_key"),
    "800 keys": (with_many_keys(800), "not_json"),
    "an array": (answers(200, b"[]"), "bad_shape"),
    "a page for people": (answers(200, b"<html><body>Welcome</body></html>"), "not_json"),
    "nothing": (answers(200, b""), "not_json"),
    "half of it": (origins.truncated, "not_json"),
    "more behind it": (origins.trailing, "not_json"),
    "no UTF-8": (origins.not_utf8, "not_json"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_vouched_for_is_left_out(world, case):
    fault, reason = REFUSED[case]
    a = world.origins.add(f"refused{list(REFUSED).index(case)}.test")
    a.fault = fault
    counter = f'notary_key_objects_refused_total{{reason="{reason}"}}'
    before = world.metrics().get(counter, 0)
    assert world.ask(a.name) == []
    assert a.fetches == 1
    assert world.metrics()[counter] == before + 1, world.inspect(a.name)["fetch"]
    a.fault = None
    world.refetch(a.name)
    assert len(world.ask(a.name)) == 1


NO_OBJECT = {
    "a redirect": origins.redirects("/_matrix/key/v2/server?again"),
    "a redirect that stays": origins.redirects("https://other.test/_matrix/key/v2/server", 308),
    "not found": answers(404),
    "an error": answers(500),
    "too busy": answers(429),
    "no content": answers(204, b""),
    "more than 64 KiB": with_object(lambda o: o.update(filling="x" * 70000)),
    "16 MiB": origins.huge(),
    "a closed connection": origins.closes,
}


@pytest.mark.parametrize("case", NO_OBJECT)
def test_a_server_that_does_not_answer_is_left_out(world, case):
    a = world.origins.add(f"silent{list(NO_OBJECT).index(case)}.test")
    a.fault = NO_OBJECT[case]
    assert world.ask(a.name) == []
    assert all(target.startswith("/_matrix/key/v2/server") and "again" not in target
               or target.startswith("/.well-known") for target in a.host.targets())


def test_bad_servers_of_every_kind_do_not_spoil_a_batch(world):
    good = [world.origins.add(f"good{n}.test").name for n in range(3)]
    faults = [fault for fault, _ in REFUSED.values()] + list(NO_OBJECT.values())
    bad = []
    for number, fault in enumerate(faults[::3]):
        bad.append(world.origins.add(f"bad{number}.test"))
        bad[-1].fault = fault
    names = [good[0], *(a.name for a in bad), *good[1:]]
    found = world.post({name: {} for name in names})
    assert [entry["server_name"] for entry in found] == good


def test_nothing_is_stored_under_the_name_that_a_liar_claims(world):
    liar, victim = world.origins.add("liar.test"), world.origins.add("truth.test")
    liar.fault = origins.other_server_name("truth.test")
    assert world.ask("liar.test") == []
    assert world.inspect("truth.test")["versions"] == []
    [entry] = world.ask("truth.test")
    assert entry["verify_keys"]["ed25519:a"]["key"] == victim.public_key("ed25519:a")


def test_several_keys_must_all_have_signed(world):
    a = world.origins.add("two-keys.test", key_ids=("ed25519:a", "ed25519:b"))
    a.fault = origins.one_key_did_not_sign
    assert world.ask(a.name) == []
    a.fault = None
    world.refetch(a.name)
    [entry] = world.ask(a.name)
    assert set(entry["signatures"][a.name]) == {"ed25519:a", "ed25519:b"}


def test_one_signature_is_enough_for_servers_that_the_operator_excepts(world):
    a = world.origins.add("sloppy.test", key_ids=("ed25519:a", "ed25519:b"))
    a.fault = origins.one_key_did_not_sign
    [entry] = world.notary.get(f"{QUERY}/sloppy.test").json["server_keys"]
    assert set(entry["signatures"]["sloppy.test"]) == {"ed25519:a"} and NAME in entry["signatures"]
    wrong = world.origins.add("sloppy2.test")
    wrong.fault = origins.bad_signature
    assert world.ask("sloppy2.test") == []


# ---- odd, but right


def padded(published):
    for key in published["verify_keys"].values():
        key["key"] += "="


def urlsafe(published):
    for key in published["verify_keys"].values():
        key["key"] = key["key"].replace("+", "-").replace("/", "_")


ODD = {
    "padded base64": padded,
    "base64 for addresses": urlsafe,
    "no old keys at all": lambda o: o.pop("old_verify_keys"),
    "a key of another algorithm": lambda o: o["verify_keys"].update({"rsa:1": {"key": "eA"}}),
    "a validity of zero": lambda o: o.update(valid_until_ts=0),
    "a validity in 1970": lambda o: o.update(valid_until_ts=1000),
    "ten years": lambda o: o.update(valid_until_ts=now_ms() + 3650 * DAY_MS),
    "an old key of long ago": lambda o: o["old_verify_keys"].update(
        {"ed25519:0": {"key": SOME_KEY, "expired_ts": 0}}),
    "a compromised old key": lambda o: o["old_verify_keys"].update(
        {"ed25519:0": {"key": COMPROMISED, "expired_ts": 1}}),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_objects_are_handed_out_as_they_are(world, case):
    a = world.origins.add(f"odd{list(ODD).index(case)}.test")
    a.fault = with_object(ODD[case])
    reply = world.notary.get(f"{QUERY}/{a.name}")
    [entry] = reply.json["server_keys"]
    said = a.unsigned()
    ODD[case](said)
    signatures = entry.pop("signatures")
    assert {**entry, "valid_until_ts": 0} == {**said, "valid_until_ts": 0}
    assert set(signatures) == {a.name, NAME}
    assert abs(entry["valid_until_ts"] - said["valid_until_ts"]) < 60_000


def test_an_object_in_another_spelling_keeps_its_signatures(world):
    a = world.origins.add("spelling.test")
    a.fault = lambda origin, _exchange: origins.send(
        json.dumps(origin.published(), indent=2, ensure_ascii=True).encode())
    assert len(world.ask(a.name)) == 1


def test_the_content_type_of_an_origin_does_not_matter(world):
    a = world.origins.add("html.test")
    a.fault = lambda origin, _exchange: fakenet.answer(
        encode_canonical_json(origin.published()), 200, {"Content-Type": "text/html"})
    assert len(world.ask(a.name)) == 1


# ---- keys over time


def test_a_key_id_that_comes_back_with_other_bytes_is_kept_apart(world):
    a = world.origins.add("reused.test")
    before = world.ask(a.name)
    kept = a.public_key("ed25519:a")
    conflicts = world.metrics()["notary_key_conflicts"]
    a.replace("ed25519:a")
    a.add_key("ed25519:new")  # comes with the bad one: goes with it
    world.refetch(a.name)
    assert world.ask(a.name) == before
    assert world.ask(a.name, "ed25519:new") == before
    [conflict] = world.inspect(a.name)["conflicts"]
    assert (conflict["kept"], conflict["refused"]) == (kept, a.public_key("ed25519:a"))
    assert world.metrics()["notary_key_conflicts"] == conflicts + 1
    assert "key id reappeared with other bytes" in world.notary.log()


def test_a_key_id_that_comes_back_as_an_old_key_with_other_bytes_is_kept_apart(world):
    a = world.origins.add("reused-old.test")
    before = world.ask(a.name)
    a.replace("ed25519:a")
    a.rotate("ed25519:b")
    world.refetch(a.name)
    assert world.ask(a.name) == before
    assert len(world.inspect(a.name)["conflicts"]) == 1


def test_keys_that_an_origin_forgets_are_not_forgotten_by_the_notary(world):
    a = world.origins.add("forgetful.test", key_ids=("ed25519:first",))
    for number in range(5):
        world.ask(a.name)
        a.rotate(f"ed25519:n{number}")
        a.forget_old_keys()
        world.refetch(a.name)
    a.fault = origins.closes
    [first, *_] = world.ask(a.name, "ed25519:first")
    assert set(first["verify_keys"]) == {"ed25519:first"}
    assert len(world.ask(a.name)) == 6


def test_a_renewal_replaces_what_was_handed_out(world):
    a = world.origins.add("renewed.test")
    a.valid_until_ts = now_ms() + 3600_000
    world.ask(a.name)
    a.valid_until_ts = now_ms() + DAY_MS
    world.refetch(a.name)
    [entry] = world.ask(a.name)
    assert entry["valid_until_ts"] == a.valid_until_ts


def test_an_earlier_validity_does_not_replace_a_later_one(world):
    a = world.origins.add("shorter.test")
    [before] = world.ask(a.name)
    a.valid_until_ts = now_ms() + 3600_000
    world.refetch(a.name)
    [entry] = world.ask(a.name)
    assert entry["valid_until_ts"] == before["valid_until_ts"]


def test_what_is_asked_for_is_fetched_again_in_the_background(world):
    a = world.origins.add("background.test")
    a.valid_until_ts = now_ms() + 1500
    world.ask(a.name)
    world.admin("POST", f"/admin/v1/servers/{a.name}/prefetch")
    a.valid_until_ts = None
    eventually(lambda: a.fetches >= 2)
    eventually(lambda: world.inspect(a.name)["versions"][0]["valid_until_ts"] > now_ms() + 3600_000)
    a.fault = origins.hang
    [entry] = world.ask(a.name)
    assert entry["valid_until_ts"] > now_ms() + 3600_000
