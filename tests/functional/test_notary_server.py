"""The notary's own key object and its place among other endpoints.
Spec: server-server API, "Publishing Keys"."""

import pytest
from canonicaljson import encode_canonical_json

from notary_world import NAME, QUERY, SERVER, verify
from origins import now_ms
from trinity import eventually

HOUR_MS = 3600 * 1000


def test_the_object_is_canonical_and_signed_by_every_key_of_its_own(world):
    reply = world.notary.get(SERVER)
    assert encode_canonical_json(reply.json) == reply.body
    assert reply.json["server_name"] == NAME and reply.json["old_verify_keys"] == {}
    assert set(reply.json["signatures"]) == {NAME}
    for key_id, public_key in world.own_keys().items():
        verify(reply.json, NAME, key_id, public_key)


def test_its_signature_covers_the_bytes_without_signatures(world):
    """As readers check that take the member out of the text and verify the rest as it is."""
    body = world.notary.get(SERVER).body
    begin = body.index(b',"signatures":')
    end = body.index(b"}}", begin) + 2
    unsigned = {key: value for key, value in world.notary.get(SERVER).json.items()
                if key != "signatures"}
    assert body[:begin] + body[end:] == encode_canonical_json(unsigned)


@pytest.mark.parametrize("rest", ["/", "/ed25519:x", "/ed25519%3Ax", "/anything"])
def test_an_appended_key_id_changes_nothing(world, rest):
    assert world.notary.get(SERVER + rest).body == world.notary.get(SERVER).body


def test_others_may_rely_on_it_for_more_than_an_hour(world):
    published = world.notary.get(SERVER).json
    assert published["valid_until_ts"] > now_ms() + HOUR_MS


def test_the_validity_never_gets_shorter_over_a_restart(make_world):
    world = make_world().start()
    before = world.notary.get(SERVER).json
    world.notary.restart()
    after = world.notary.get(SERVER).json
    assert after["valid_until_ts"] >= before["valid_until_ts"]
    assert after["verify_keys"] == before["verify_keys"]


def test_every_entry_is_signed_with_all_of_the_notarys_keys(make_world, tmp_path):
    signing, pinned = tmp_path / "signing.key", tmp_path / "pinned.key"
    for path, ids in ((signing, "ab"), (pinned, "c")):
        path.write_text("".join(f"ed25519 {i} {i.upper() * 42}A\n" for i in ids))
        path.chmod(0o600)
    keys = {"signing_file": str(signing), "countersign_file": str(pinned)}
    world = make_world({"keys": keys}).start()
    world.origins.add("a.test")
    [entry] = world.ask("a.test")  # ask() verifies those that are published
    assert set(entry["signatures"][NAME]) == {"ed25519:a", "ed25519:b", "ed25519:c"}
    assert set(world.own_keys()) == {"ed25519:a", "ed25519:b"}


def test_entries_of_the_past_are_signed_with_a_new_key_after_a_reload(make_world, tmp_path):
    signing = tmp_path / "signing.key"
    signing.write_text("ed25519 a " + "A" * 43 + "\n")
    signing.chmod(0o600)
    world = make_world({"keys": {"signing_file": str(signing)}}).start()
    a = world.origins.add("a.test")
    world.ask("a.test")
    signing.write_text("ed25519 b " + "B" * 42 + "A\n")
    world.notary.reload()
    eventually(lambda: "ed25519:b" in world.own_keys())
    [entry] = world.ask("a.test")
    assert set(entry["signatures"][NAME]) == {"ed25519:b"}
    assert a.fetches == 1


# ---- other endpoints


def test_it_says_what_it_is(world):
    server = world.notary.get("/_matrix/federation/v1/version").json["server"]
    assert server["name"] == "Trinity notary" and server["version"]


@pytest.mark.parametrize("target", [
    "/_matrix/key/v1", "/_matrix/key/v1/", "/_matrix/key/v1/server", "/_matrix/key/v2",
    "/_matrix/key/v2/query", "/_matrix/key/v2/query/", "/_matrix/key/v3/server",
    "/_matrix/client/versions", "//_matrix/key/v2/server", "/_matrix/key/v2/server/a/b",
])
def test_what_is_not_there_is_said_in_json(world, target):
    reply = world.notary.get(target)
    assert reply.status in ((405,) if target == QUERY else (404,))
    assert reply.errcode == "M_UNRECOGNIZED"


@pytest.mark.parametrize(("method", "target"), [
    ("DELETE", QUERY), ("PUT", QUERY), ("POST", QUERY + "/a.test"), ("POST", SERVER),
    ("DELETE", SERVER), ("PATCH", SERVER),
])
def test_another_method_is_refused(world, method, target):
    reply = world.notary.plain.request(method, target)
    assert (reply.status, reply.errcode) == (405, "M_UNRECOGNIZED")


def test_a_browser_may_ask(world):
    reply = world.notary.plain.request("OPTIONS", QUERY, headers={"Origin": "https://x.test"})
    assert reply.status in (200, 204)
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_an_authenticated_question_is_answered_like_any_other(world):
    """Homeservers sign questions to a notary, with a key that it may not know."""
    authorization = 'X-Matrix origin="x.test",destination="y.test",key="ed25519:a",sig="AAAA"'
    reply = world.notary.post(QUERY, {"server_keys": {NAME: {}}},
                              headers={"Authorization": authorization})
    assert len(world.entries(reply)) == 1
