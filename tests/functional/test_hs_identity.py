"""A homeserver and an identity service, both ours: people are found by their addresses, and no more
once they do not want to be."""

import urllib.parse

import pytest

from homeserver_world import refused
from together_world import ID_SERVER, World
from trinity import eventually

UNBOUND = {"id_server_unbind_result": "success"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("together"))
    yield made
    made.end()


def test_one_is_found_by_an_address_that_one_bound(world):
    ann, bob = world.home.user("ann"), world.home.user("bob")
    assert world.found(bob, "ann@example.org") is None
    world.bind(ann, "ann@example.org")
    assert world.found(bob, "ann@example.org") == ann.id
    # found is not the same as reached: the account has no address yet
    assert ann.get("/account/3pid").json == {"threepids": []}


def test_who_unbinds_is_not_found_any_more(world):
    cat, dan = world.home.user("cat"), world.home.user("dan")
    world.bind(cat, "cat@example.org")
    address = {"medium": "email", "address": "cat@example.org"}
    assert cat.post("/account/3pid/unbind", address).json == UNBOUND
    assert world.found(dan, "cat@example.org") is None
    assert cat.post("/account/3pid/unbind", address).json == {
        "id_server_unbind_result": "no-support"}


def test_an_address_is_unbound_when_it_leaves_the_account(world):
    eve, fay = world.home.user_with("eve", "eve@example.org"), world.home.user("fay")
    world.bind(eve, "eve@example.org")
    assert eve.post("/account/3pid/delete", {"medium": "email", "address": "eve@example.org"}
                    ).json == UNBOUND
    assert world.found(fay, "eve@example.org") is None


def test_who_is_gone_is_found_no_more(world):
    gus, hal = world.home.user("gus"), world.home.user("hal")
    world.bind(gus, "gus@example.org")
    assert gus.confirm("POST", "/account/deactivate").json == UNBOUND
    assert world.found(hal, "gus@example.org") is None


def test_nobody_unbinds_what_is_somebody_elses(world):
    ida, jim = world.home.user("ida"), world.home.user("jim")
    world.bind(ida, "ida@example.org")
    reply = jim.post("/account/3pid/unbind", {
        "medium": "email", "address": "ida@example.org", "id_server": ID_SERVER})
    assert reply.status == 200
    assert world.found(jim, "ida@example.org") == ida.id


@pytest.mark.parametrize("change, status, errcode", [
    ({"id_server": "evil.test"}, 400, "M_SERVER_NOT_TRUSTED"),
    ({"id_access_token": "wrong"}, 403, "M_FORBIDDEN"),
    ({"id_access_token": "a\r\nX: y"}, 400, "M_INVALID_PARAM"),
    ({"client_secret": "wrong"}, 404, "M_NO_VALID_SESSION"),
    ({"sid": "wrong"}, 404, "M_NO_VALID_SESSION"),
])
def test_what_the_identity_server_says_is_never_about_a_token_of_ours(
        world, change, status, errcode):
    user = world.home.user(None)
    proof = world.proof(user, f"{user.name}@example.org")
    refused(user.post("/account/3pid/bind", {**proof, **change}), status, errcode)
    assert user.get("/account/whoami").status == 200


def test_a_server_that_is_away_is_told_as_such(world):
    user = world.home.user(None)
    proof = world.proof(user, f"{user.name}@example.org")
    world.ids.identity.stop()
    try:
        refused(user.post("/account/3pid/bind", proof), 502, "M_UNKNOWN")
        gone = user.post("/account/3pid/unbind", {
            "medium": "email", "address": "x@example.org", "id_server": ID_SERVER})
        assert gone.json == {"id_server_unbind_result": "no-support"}
    finally:
        world.ids.identity.start()


# ---- invites


def test_an_invite_by_address_arrives_when_its_owner_comes(world):
    """Nobody has the address yet; then somebody registers, and shows that it is theirs."""
    kim = world.home.user("kim")
    room = kim.post("/createRoom", {"name": "Cats"}).json["room_id"]
    asked = kim.post(f"/rooms/{room}/invite", {
        "id_server": ID_SERVER, "id_access_token": world.token(kim), "medium": "email",
        "address": "lou@example.org"})
    assert asked.status == 200, asked
    assert "Cats" in world.ids.sink.wait_for(1, "lou@example.org")[0].text
    lou = world.home.user("lou")
    world.bind(lou, "lou@example.org")
    member = f"/rooms/{room}/state/m.room.member/{lou.id}"
    eventually(lambda: kim.get(member).status == 200)
    assert kim.get(member).json["membership"] == "invite"
    assert lou.post(f"/join/{room}").status == 200


def test_nobody_is_invited_by_whoever_says_so(world):
    mia, ned = world.home.user("mia"), world.home.user("ned")
    room = mia.post("/createRoom").json["room_id"]
    signed = {"mxid": ned.id, "token": "made up", "signatures": {"evil.test": {"ed25519:0": "AA"}}}
    told = {"medium": "email", "address": "ned@example.org", "mxid": ned.id, "invites": [{
        "medium": "email", "address": "ned@example.org", "mxid": ned.id, "room_id": room,
        "sender": mia.id, "signed": signed}]}
    onbind = "/_matrix/federation/v1/3pid/onbind"
    world.home.anybody.put(onbind, told)
    refused(mia.get(f"/rooms/{room}/state/m.room.member/{ned.id}"), 404, "M_NOT_FOUND")
    told["invites"][0]["mxid"] = mia.id
    refused(world.home.anybody.put(onbind, told), 400, "M_INVALID_PARAM")
    refused(world.home.anybody.put(onbind, {**told, "mxid": "@nobody:hs.test", "invites": []}),
            404, "M_NOT_FOUND")
    refused(world.home.anybody.put(onbind, {"mxid": ned.id}), 400, "M_MISSING_PARAM")


# ---- phone numbers


def test_a_phone_number_is_confirmed_through_the_identity_service(world):
    ora = world.home.user("ora")
    asked = world.home.anybody.post("/account/3pid/msisdn/requestToken", {
        "client_secret": "s3cret", "country": "GB", "phone_number": "07700 900001",
        "send_attempt": 1, "id_server": ID_SERVER, "id_access_token": world.token(ora)})
    assert asked.status == 200 and asked.json["msisdn"] == "447700900001", asked
    proof = {"sid": asked.json["sid"], "client_secret": "s3cret"}
    refused(ora.confirm("POST", "/account/3pid/add", proof), 403, "M_THREEPID_AUTH_FAILED")
    submit = urllib.parse.urlsplit(asked.json["submit_url"]).path
    refused(world.home.anybody.post(submit, {**proof, "token": "000000"}),
            400, "M_TOKEN_INCORRECT")
    code = world.code_to("447700900001")
    assert world.home.anybody.post(submit, {**proof, "token": code}).json == {"success": True}
    assert ora.confirm("POST", "/account/3pid/add", proof).status == 200
    item, = ora.get("/account/3pid").json["threepids"]
    assert (item["medium"], item["address"]) == ("msisdn", "447700900001")
    reply = world.home.anybody.post("/login", {
        "type": "m.login.password", "password": ora.password,
        "identifier": {"type": "m.id.phone", "country": "GB", "phone": "07700900001"}})
    assert reply.json["user_id"] == ora.id
