"""A notary and the servers that it asks: the first stories, end to end."""

import copy

import pytest
from canonicaljson import encode_canonical_json
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import origins as faults
from trinity import eventually

QUERY = "/_matrix/key/v2/query"


@pytest.fixture
def notary(story, origins):
    return story.notary({"outbound": origins.outbound}).start()


def own_keys(notary):
    """The notary's published keys, as signedjson has them."""
    published = notary.get("/_matrix/key/v2/server").json
    return [
        decode_verify_key_bytes(key_id, decode_base64(key["key"]))
        for key_id, key in published["verify_keys"].items()
    ]


def ask(notary, *names):
    """The entries of a batch for all keys of these servers."""
    reply = notary.post(QUERY, {"server_keys": {name: {} for name in names}})
    assert reply.status == 200
    return reply.json["server_keys"]


def test_its_own_keys_are_signed_by_all_of_them(notary):
    reply = notary.get("/_matrix/key/v2/server")
    published = reply.json
    assert reply.status == 200 and published["server_name"] == "notary.test"
    assert encode_canonical_json(published) == reply.body
    for key in own_keys(notary):
        verify_signed_json(copy.deepcopy(published), "notary.test", key)


def test_an_origins_object_is_handed_out_with_both_signatures(notary, origins):
    a = origins.add("a.test")
    a.extra = {"org.example.größe": [1, None, {"ü": "\u2028"}]}
    (entry,) = notary.get(f"{QUERY}/a.test").json["server_keys"]
    for key in own_keys(notary):
        verify_signed_json(copy.deepcopy(entry), "notary.test", key)
    verify_signed_json(copy.deepcopy(entry), "a.test", a.verify_key("ed25519:a"))
    assert entry["org.example.größe"] == a.extra["org.example.größe"]


def test_a_key_that_is_known_is_not_fetched_again(notary, origins):
    a = origins.add("a.test")
    for _ in range(5):
        assert len(ask(notary, "a.test")) == 1
    assert a.fetches == 1


def test_a_server_that_is_gone_is_answered_for(notary, origins):
    a = origins.add("a.test")
    before = ask(notary, "a.test")
    a.fault = faults.answers(500)
    assert ask(notary, "a.test") == before


@pytest.mark.parametrize("fault", [
    faults.bad_signature, faults.no_signature, faults.with_float, faults.duplicate_keys,
    faults.not_json, faults.truncated, faults.trailing, faults.not_utf8,
    faults.other_server_name("b.test"), faults.huge(), faults.answers(404), faults.answers(500),
    faults.closes, faults.with_object(lambda o: o.pop("valid_until_ts")),
    faults.with_object(lambda o: o.update(verify_keys={})),
], ids=[
    "bad_signature", "no_signature", "with_float", "duplicate_keys", "not_json", "truncated",
    "trailing", "not_utf8", "other_server_name", "huge", "not_found", "internal_error", "closes",
    "no_valid_until_ts", "no_verify_keys",
])
def test_what_an_origin_says_badly_is_left_out_and_spoils_nothing(notary, origins, fault):
    bad, good = origins.add("bad.test"), origins.add("good.test")
    bad.fault = fault
    assert [entry["server_name"] for entry in ask(notary, "bad.test", "good.test")] == ["good.test"]
    assert bad.fetches >= 1 and good.fetches == 1


def test_slow_and_dead_servers_do_not_hold_up_the_others(story, origins):
    notary = story.notary({"outbound": origins.outbound, "query": {"deadline_ms": 2000}}).start()
    origins.add("hangs.test").fault = faults.hang
    origins.add("drips.test").fault = faults.slow_drip()
    origins.add("good.test")
    names = ["hangs.test", "drips.test", "good.test", origins.dead("dead.test"), "unknown.test"]
    assert [entry["server_name"] for entry in ask(notary, *names)] == ["good.test"]


def test_a_key_id_that_comes_back_with_other_bytes_is_refused(notary, origins):
    a = origins.add("a.test")
    before = ask(notary, "a.test")
    a.replace("ed25519:a")
    assert "CONFLICT" in notary.command("refetch", "a.test").stdout
    assert ask(notary, "a.test") == before
    assert "ed25519:a" in notary.command("conflicts").stdout


def test_many_servers_are_answered_for_in_one_batch(notary, origins):
    many = [origin.name for origin in origins.add_many("many.test", 100)]
    assert {entry["server_name"] for entry in ask(notary, *many)} == set(many)


def test_it_speaks_tls_and_takes_a_renewed_certificate(story, net, origins):
    certificate, key = net.authority.certificate(["notary.test"])
    notary = story.notary({"outbound": origins.outbound},
                          tls=(certificate, key, net.ca_file, "notary.test")).start()
    assert notary.secure.request("GET", "/_matrix/key/v2/server").status == 200
    with notary.secure.socket() as before:
        old = before.getpeercert()["serialNumber"]
    renewed, _ = net.authority.certificate(["notary.test"], days=5)
    certificate.write_bytes(renewed.read_bytes())
    notary.reload()

    def is_renewed():
        with notary.secure.socket() as after:
            return after.getpeercert()["serialNumber"] != old

    eventually(is_renewed)


def test_it_remembers_after_a_crash(notary, origins):
    a = origins.add("a.test")
    before = ask(notary, "a.test")
    notary.kill()
    a.fault = faults.answers(500)
    notary.start()
    assert ask(notary, "a.test") == before
