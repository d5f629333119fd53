"""Programs of the operator bind and unbind addresses: with the token, and only with it."""

import concurrent.futures
import json

import pytest

from identity_world import V1, Client
from trinity import eventually

BIND, UNBIND = "/_matrix/identity/internal/bind", "/_matrix/identity/internal/unbind"
TOKEN = "an-operators-token-of-40-characters-0123"
ANN = {"medium": "email", "address": "Ann@Example.com", "mxid": "@ann:hs.test"}


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


@pytest.fixture
def world(make_people, token_file):
    return make_people({"internal": {"token_file": str(token_file)}}).start()


def holder(world, address="ann@example.com"):
    return world.anybody.get(f"{V1}/lookup?medium=email&address={address}").json.get("mxid")


def test_an_address_is_bound_and_unbound_without_proof(world):
    program = Client(world.identity, TOKEN)
    reply = program.post(BIND, ANN)
    assert reply.status == 200, reply
    assert (reply.json["address"], reply.json["mxid"]) == ("ann@example.com", "@ann:hs.test")
    assert "id.test" in reply.json["signatures"] and holder(world) == "@ann:hs.test"
    assert program.post(UNBIND, ANN).json == {}
    assert holder(world) is None
    assert program.post(UNBIND, ANN).json == {}


def test_the_audit_log_knows_of_it(world):
    program = Client(world.identity, TOKEN)
    program.post(BIND, ANN)
    program.post(UNBIND, ANN)
    entries = json.loads(world.command("audit", "--json"))["audit"]
    assert [(e["who"], e["what"]) for e in entries] == [
        ("internal", "unbind"), ("internal", "bind")]
    assert "ann@example.com" not in json.dumps(entries)


def test_only_the_binding_that_was_named_is_removed(world):
    program = Client(world.identity, TOKEN)
    program.post(BIND, ANN)
    assert program.post(UNBIND, ANN | {"mxid": "@other:hs.test"}).status == 200
    assert holder(world) == "@ann:hs.test"


def test_without_the_token_nothing_happens(world):
    signed_in = world.sign_in("@ann:hs.test")
    for client in (world.anybody, signed_in, Client(world.identity, TOKEN[:-1]),
                   Client(world.identity, TOKEN + "x")):
        for target in (BIND, UNBIND):
            reply = client.post(target, ANN)
            assert (reply.status, reply.errcode) == (401, "M_UNAUTHORIZED"), reply
    assert world.anybody.post(f"{BIND}?access_token={TOKEN}", ANN).status == 401
    assert holder(world) is None


@pytest.mark.parametrize("body, errcode", [
    ({}, "M_MISSING_PARAMS"), (ANN | {"mxid": "ann"}, "M_INVALID_PARAM"),
    (ANN | {"medium": "fax"}, "M_INVALID_PARAM"), (ANN | {"address": "x"}, "M_INVALID_EMAIL"),
    (ANN | {"address": 5}, "M_BAD_JSON"),
])
def test_what_cannot_be_bound_is_refused(world, body, errcode):
    reply = Client(world.identity, TOKEN).post(BIND, body)
    assert (reply.status, reply.errcode) == (400, errcode), reply


def test_two_programs_at_once_leave_one_winner(world):
    users = [f"@u{i}:hs.test" for i in range(20)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda user: Client(world.identity, TOKEN).post(
            BIND, ANN | {"mxid": user}), users))
    assert {reply.status for reply in replies} == {200}
    assert holder(world) in users


def test_it_has_a_budget_of_its_own(make_people, token_file):
    limits = {"registers": {"burst": 100, "per_day": 100}, "internal": {"burst": 2, "per_day": 1}}
    world = make_people({"internal": {"token_file": str(token_file)}, "limits": limits}).start()
    program = Client(world.identity, TOKEN)
    statuses = [program.post(BIND, ANN).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert world.sign_in("@ann:hs.test").get("/account").status == 200


def test_without_a_file_the_endpoints_are_not_there(make_people):
    world = make_people().start()
    reply = Client(world.identity, TOKEN).post(BIND, ANN)
    assert (reply.status, reply.errcode) == (404, "M_UNRECOGNIZED")


def test_a_token_that_could_be_guessed_is_refused(make_people, token_file):
    token_file.write_text("short")
    identity = make_people({"internal": {"token_file": str(token_file)}}).identity.launch()
    assert identity.wait() == 1
    assert "less than 32 characters" in identity.log_tail()
    identity.kill()


def test_a_reload_takes_another_token(world, token_file):
    other = TOKEN[::-1]
    token_file.write_text(other)
    world.command("reload")
    eventually(lambda: Client(world.identity, other).post(BIND, ANN).status == 200)
    assert Client(world.identity, TOKEN).post(BIND, ANN).status == 401
