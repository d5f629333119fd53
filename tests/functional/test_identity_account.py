"""Accounts of the identity service: versions, keys, signing in with a homeserver's word, terms."""

import concurrent.futures
import json

import pytest

import fakenet
from identity_world import V1, V2, Client
from trinity import eventually

EN, FR = "https://x.test/privacy/en", "https://x.test/privacy/fr"
RULES_EN, RULES_FR = "https://x.test/rules/en", "https://x.test/rules/fr"


def documents(rules_version="1"):
    return [
        {"id": "privacy", "version": "1.2", "languages": [
            {"language": "en", "name": "Privacy", "url": EN},
            {"language": "fr", "name": "Vie privée", "url": FR}]},
        {"id": "rules", "version": rules_version, "languages": [
            {"language": "en", "name": "Rules", "url": RULES_EN},
            {"language": "fr", "name": "Règles", "url": RULES_FR}]},
    ]


def refused(reply, status, errcode):
    assert (reply.status, reply.errcode) == (status, errcode), reply
    return reply


# ---- what everybody may ask


@pytest.mark.parametrize("base", [V1, f"{V1}/", V2, f"{V2}/"])
def test_both_bases_can_be_pinged_with_and_without_a_slash(people, base):
    reply = people.anybody.get(base)
    assert reply.status == 200 and reply.json == {}


def test_all_versions_are_named(people):
    versions = people.anybody.get("/_matrix/identity/versions").json["versions"]
    assert versions[:4] == ["r0.1.0", "r0.2.0", "r0.2.1", "r0.3.0"]
    assert versions[4:] == [f"v1.{minor}" for minor in range(1, 20)]


@pytest.mark.parametrize("base", [V1, V2])
def test_the_signing_key_is_shown_and_valid(people, base):
    key = people.anybody.get(f"{base}/pubkey/ed25519:0").json["public_key"]
    assert people.anybody.get(f"{base}/pubkey/ed25519%3A0").json["public_key"] == key
    for spelling in (key, key + "=", key.replace("+", "-").replace("/", "_")):
        reply = people.anybody.get(f"{base}/pubkey/isvalid?public_key={spelling}")
        assert reply.json == {"valid": True}
    reply = people.anybody.get(f"{base}/pubkey/isvalid?public_key={'A' * 43}")
    assert reply.status == 200 and reply.json == {"valid": False}


def test_other_keys_are_not_there(people):
    refused(people.anybody.get("/pubkey/ed25519:nobody"), 404, "M_NOT_FOUND")
    refused(people.anybody.get("/pubkey/isvalid"), 400, "M_MISSING_PARAMS")


@pytest.mark.parametrize("target", [
    V2, f"{V2}/account", f"{V2}/account/register", f"{V2}/account/logout", f"{V2}/terms",
    f"{V2}/pubkey/ed25519:0", f"{V2}/3pid/unbind", f"{V1}/pubkey/isvalid", "/nonsense",
])
def test_browsers_may_ask_for_everything(people, target):
    reply = people.identity.plain.request("OPTIONS", target)
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("method, target, status", [
    ("GET", "/account", 401), ("PUT", "/account", 405), ("GET", "/nonsense", 404),
    ("POST", "/account/register", 400), ("GET", "/pubkey/ed25519:x", 404),
])
def test_errors_are_json_that_browsers_may_read(people, method, target, status):
    reply = people.anybody.request(method, target, b"" if method == "POST" else None)
    assert reply.status == status and set(reply.json) == {"errcode", "error"}
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    if status in (404, 405) and "pubkey" not in target:
        assert reply.errcode == "M_UNRECOGNIZED"


# ---- signing in


def test_a_user_signs_in_with_the_homeservers_word(people):
    issued = people.homeserver("hs.test").issue("@ann:hs.test")
    reply = people.register(issued)
    assert reply.status == 200 and reply.json["token"] == reply.json["access_token"]
    ann = Client(people.identity, reply.json["token"])
    assert ann.get("/account").json == {"user_id": "@ann:hs.test"}


def test_json_counts_whatever_its_content_type_says(people):
    issued = json.dumps(people.homeserver("types.test").issue("@a:types.test")).encode()
    for headers in ({}, {"Content-Type": "text/plain"},
                    {"Content-Type": "application/x-www-form-urlencoded"}):
        reply = people.anybody.post("/account/register", issued, headers=headers)
        assert reply.status == 200, reply


def test_names_of_servers_keep_their_case(people):
    people.net.dns.set("Case.test", "A", people.homeserver("case.test").host.address)
    issued = people.homeserver("case.test").issue("@a:case.test")
    refused(people.register({**issued, "matrix_server_name": "Case.test"}), 401, "M_UNAUTHORIZED")
    assert people.register(issued).status == 200


def test_a_token_that_the_homeserver_does_not_know_is_refused(people):
    issued = people.homeserver("hs.test").issue("@ann:hs.test")
    refused(people.register({**issued, "access_token": "other"}), 401, "M_UNAUTHORIZED")


@pytest.mark.parametrize("missing", ["access_token", "matrix_server_name"])
def test_what_is_missing_is_named(people, missing):
    issued = people.homeserver("hs.test").issue("@ann:hs.test")
    del issued[missing]
    assert missing in refused(people.register(issued), 400, "M_MISSING_PARAMS").json["error"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{bad", b"", b"a=b"])
def test_what_is_no_object_is_refused(people, body):
    refused(people.anybody.post("/account/register", body), 400, "M_BAD_JSON")


@pytest.mark.parametrize("changes", [
    {"expires_in": -1}, {"matrix_server_name": "a/b"}, {"matrix_server_name": "x:99999"},
    {"matrix_server_name": "a@b"}, {"matrix_server_name": "h" * 300},
    {"matrix_server_name": ""}, {"access_token": ""},
], ids=str)
def test_what_cannot_be_right_is_refused(people, changes):
    issued = people.homeserver("params.test").issue("@ann:params.test")
    before = len(people.net.dns.queries)
    refused(people.register({**issued, **changes}), 400, "M_INVALID_PARAM")
    assert people.homeserver("params.test").userinfo_requests == []
    assert len(people.net.dns.queries) == before


@pytest.mark.parametrize("content", [
    {"sub": "@a:other.test"}, {"sub": "@a:SUB.test"}, {"sub": "@a:sub.test:8448"},
    {"sub": "a"}, {"sub": 17}, {"sub": None}, {}, [], b"<html>", b"",
    {"sub": "@a:sub.test", "more": "x" * 6000}, {"sub": "@a:sub.test", "more": "x" * (1 << 20)},
], ids=lambda content: str(content)[:30])
def test_a_homeserver_is_believed_about_its_own_users_only(people, content):
    issued = people.homeserver("sub.test").issue("@a:sub.test")
    people.homeserver("sub.test").openid = lambda _exchange: fakenet.answer(content)
    refused(people.register(issued), 401, "M_UNAUTHORIZED")


def test_a_homeserver_that_fails_or_is_gone_says_nothing_of_the_user(people):
    broken = people.homeserver("broken.test")
    issued = broken.issue("@a:broken.test")
    broken.openid = lambda _exchange: fakenet.answer({"errcode": "M_UNKNOWN_TOKEN"}, 500)
    refused(people.register(issued), 502, "M_UNKNOWN")
    dead = {**issued, "matrix_server_name": people.homeservers.dead("dead.test")}
    refused(people.register(dead), 502, "M_UNKNOWN")


def test_a_certificate_for_another_name_is_refused(people):
    impostor = people.net.host(["impostor.test"], port=8448, handler=lambda _exchange:
                               fakenet.answer({"sub": "@a:wanted.test"}))
    people.net.dns.set("wanted.test", "A", impostor.address)
    issued = {"access_token": "x", "matrix_server_name": "wanted.test"}
    refused(people.register(issued), 502, "M_UNKNOWN")
    assert impostor.requests == []


def test_a_redirect_is_not_followed(people):
    inner = people.net.host(["inner.test"], handler=lambda _exchange:
                            fakenet.answer({"sub": "@a:redirects.test"}))
    server = people.homeserver("redirects.test")
    server.openid = lambda _exchange: fakenet.redirect(f"https://inner.test:{inner.port}/")
    people.net.dns.set("inner.test", "A", inner.address)
    refused(people.register(server.issue("@a:redirects.test")), 502, "M_UNKNOWN")
    assert inner.requests == []


@pytest.mark.parametrize("name", [
    "127.0.0.1", "127.0.0.1:8448", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0",
    "named.test",
])
def test_homeservers_are_not_looked_for_inside(request, closed, name):
    request.node.trinity_story = closed.story
    reply = closed.register({"access_token": "x", "matrix_server_name": name})
    refused(reply, 400, "M_INVALID_PARAM")
    assert closed.homeserver("named.test").requests == []


def test_localhost_is_nobodys_homeserver(closed):
    port = closed.homeserver("named.test").host.port
    reply = closed.register({"access_token": "x", "matrix_server_name": f"localhost:{port}"})
    assert reply.status in (400, 502), reply  # the resolver may know it or not
    assert closed.homeserver("named.test").requests == []


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    from identity_world import World

    world = World(tmp_path_factory.mktemp("closed"))
    world.identity.configuration["outbound"]["allow"] = []
    world.identity.write_configuration()
    world.homeserver("named.test")
    yield world.start()
    world.end()


def test_the_operator_chooses_whose_users_may_come(make_people):
    people = make_people({"homeservers": {"allow": ["*.good.test"], "deny": ["not.good.test"]}})
    people.start()
    assert people.sign_in("@a:hs.good.test").get("/account").status == 200
    for name in ("hs.test", "not.good.test"):
        refused(people.register(people.homeserver(name).issue(f"@a:{name}")), 403,
                "M_UNAUTHORIZED")
        assert people.homeserver(name).requests == []


def test_a_reload_keeps_a_homeserver_out_at_once_and_lets_it_in_again(make_people):
    people = make_people().start()
    people.sign_in("@a:hs.test")
    for deny, status in ((["*.test"], 403), ([], 200)):
        people.identity.reload(homeservers={"deny": deny})
        issued = people.homeserver("hs.test").issue("@b:hs.test")
        eventually(lambda: people.register(issued).status == status)


# ---- tokens


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "},
    {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer wrong"},
], ids=str)
def test_without_a_token_nobody_is_known(people, headers):
    refused(people.anybody.get("/account", headers=headers), 401, "M_UNAUTHORIZED")


def test_the_token_may_stand_in_a_gets_query(people):
    ann = people.sign_in("@query:hs.test")
    reply = people.anybody.get(f"/account?access_token={ann.token}")
    assert reply.status == 200 and reply.json == {"user_id": "@query:hs.test"}
    refused(people.anybody.post(f"/account/logout?access_token={ann.token}"), 401,
            "M_UNAUTHORIZED")


def test_the_header_wins_over_the_query(people):
    ann = people.sign_in("@header:hs.test")
    refused(Client(people.identity, "wrong").get(f"/account?access_token={ann.token}"), 401,
            "M_UNAUTHORIZED")
    assert ann.get("/account?access_token=wrong").status == 200


def test_signing_out_ends_this_token_and_no_other(people):
    phone, laptop = people.sign_in("@out:hs.test"), people.sign_in("@out:hs.test")
    reply = phone.post("/account/logout")
    assert reply.status == 200 and reply.json == {}
    refused(phone.post("/account/logout"), 401, "M_UNKNOWN_TOKEN")
    refused(phone.get("/account"), 401, "M_UNAUTHORIZED")
    assert laptop.get("/account").status == 200


def test_many_may_sign_in_at_once_as_the_same_user(people):
    issued = [people.homeserver("busy.test").issue("@ann:busy.test") for _ in range(20)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(people.register, issued))
    assert [reply.status for reply in replies] == [200] * 20
    assert len({reply.json["token"] for reply in replies}) == 20
    for reply in replies:
        client = Client(people.identity, reply.json["token"])
        assert client.get("/account").json == {"user_id": "@ann:busy.test"}


def test_tokens_survive_a_restart_and_are_not_on_the_disk(make_people):
    people = make_people().start()
    ann = people.sign_in("@ann:hs.test")
    people.identity.restart()
    assert ann.get("/account").json == {"user_id": "@ann:hs.test"}
    people.identity.stop()
    for path in people.identity.directory.rglob("*"):
        assert not path.is_file() or ann.token.encode() not in path.read_bytes(), path


# ---- terms


@pytest.fixture
def lawyers(make_people):
    return make_people({"terms": {"documents": documents()}}).start()


def test_without_terms_there_is_no_gate(people):
    assert people.anybody.get("/terms").json == {"policies": {}}
    assert people.sign_in("@free:hs.test").get("/account").status == 200


def test_terms_are_shown_to_everybody(lawyers):
    policies = lawyers.anybody.get("/terms").json["policies"]
    assert policies["privacy"] == {"version": "1.2", "en": {"name": "Privacy", "url": EN},
                                   "fr": {"name": "Vie privée", "url": FR}}


def test_a_language_of_each_document_is_enough_and_consent_adds_up(lawyers):
    ann = lawyers.sign_in("@ann:hs.test")
    refused(ann.get("/account"), 403, "M_TERMS_NOT_SIGNED")
    assert ann.post("/terms", {"user_accepts": [EN]}).json == {}
    refused(ann.get("/account"), 403, "M_TERMS_NOT_SIGNED")
    assert ann.post("/terms", {"user_accepts": [RULES_FR]}).json == {}
    assert ann.get("/account").status == 200
    refused(lawyers.sign_in("@bob:hs.test").get("/account"), 403, "M_TERMS_NOT_SIGNED")


def test_an_unknown_url_is_refused_and_nothing_counts(lawyers):
    ann = lawyers.sign_in("@ann:hs.test")
    for urls in ([EN, RULES_EN, "https://x.test/other"], ["javascript:alert(1)"]):
        refused(ann.post("/terms", {"user_accepts": urls}), 400, "M_INVALID_PARAM")
    refused(ann.get("/account"), 403, "M_TERMS_NOT_SIGNED")


@pytest.mark.parametrize("body, errcode", [
    ({}, "M_MISSING_PARAMS"), ({"user_accepts": EN}, "M_BAD_JSON"),
    ({"user_accepts": [17]}, "M_BAD_JSON"),
], ids=str)
def test_what_is_no_list_of_urls_is_refused(lawyers, body, errcode):
    ann = lawyers.sign_in("@ann:hs.test")
    refused(ann.post("/terms", body), 400, errcode)
    refused(lawyers.anybody.post("/terms", {"user_accepts": [EN]}), 401, "M_UNAUTHORIZED")


def test_a_new_version_is_asked_for_again_and_one_may_still_sign_out(lawyers):
    ann = lawyers.sign_in("@ann:hs.test")
    assert ann.post("/terms", {"user_accepts": [EN, RULES_EN]}).status == 200
    assert ann.get("/account").status == 200
    lawyers.identity.reload(terms={"documents": documents(rules_version="2")})
    eventually(lambda: ann.get("/account").status == 403)
    refused(ann.get("/account"), 403, "M_TERMS_NOT_SIGNED")
    assert ann.post("/account/logout").status == 200


# ---- the operator


def test_groups_that_are_off_are_not_there(make_people):
    people = make_people({"endpoints": {"off": ["accounts"]}}).start()
    refused(people.anybody.get("/account"), 404, "M_UNRECOGNIZED")
    refused(people.anybody.post("/account/register", {}), 404, "M_UNRECOGNIZED")
    refused(people.anybody.get("/terms"), 404, "M_UNRECOGNIZED")
    assert people.anybody.get("").status == 200
    assert people.anybody.get("/pubkey/ed25519:0").status == 200


def test_signing_in_is_limited_with_a_hint_when_to_come_back(make_people):
    people = make_people({"limits": {"registers": {"burst": 2, "per_day": 24}}}).start()
    people.sign_in("@a:hs.test")
    people.sign_in("@b:hs.test")
    reply = people.register(people.homeserver("hs.test").issue("@c:hs.test"))
    refused(reply, 429, "M_LIMIT_EXCEEDED")
    assert 0 < reply.json["retry_after_ms"] <= 3600 * 1000
    assert int(reply.headers["Retry-After"]) > 0
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
