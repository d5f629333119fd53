"""What the homeserver says of itself, to clients, to browsers, and to whoever looks at its domain."""

import base64
import hashlib
import hmac
import time

import pytest

from homeserver_world import V1, V3, refused

WELL_KNOWN = "/.well-known/matrix"
POLICY_KEY = "6yhHGKhCiXTSEN2ksjV7kX/N6rBQZ3Xb+M7LlC6NS+s"
CONTACT = {"role": "m.role.admin", "matrix_id": "@ann:hs.test", "email_address": "ann@hs.test"}
WITHOUT = [
    ("POST", f"{V3}/keys/upload"), ("POST", f"{V3}/keys/claim"),
    ("POST", f"{V3}/keys/device_signing/upload"), ("POST", f"{V3}/keys/signatures/upload"),
    ("PUT", f"{V3}/sendToDevice/m.x/1"), ("POST", f"{V3}/search"),
    ("GET", f"{V1}/rooms/!r:hs.test/hierarchy"), ("GET", f"{V1}/rooms/!r:hs.test/threads"),
    ("GET", f"{V1}/media/preview_url?url=http://x"), ("GET", f"{V1}/auth_metadata"),
    ("GET", f"{V3}/login/sso/redirect"), ("POST", f"{V3}/pushers/set"),
    ("PUT", f"{V3}/pushrules/global/override/x"), ("POST", f"{V3}/room_keys/version"),
]
names = []
EMPTY = [
    ("POST", "/keys/query", {"device_keys": {}, "failures": {}}),
    ("GET", "/keys/changes?from=a&to=b", {"changed": [], "left": []}),
    ("GET", "/pushers", {"pushers": []}), ("GET", "/notifications", {"notifications": []}),
    ("GET", "/thirdparty/protocols", {}), ("GET", "/thirdparty/location", []),
    ("GET", "/thirdparty/user", []),
]


@pytest.fixture
def ann(home):
    names.append(f"ann{len(names)}")
    return home.user(names[-1])


# ---- for everybody


def test_all_versions_of_the_specification_are_named(home):
    said = home.anybody.get("/_matrix/client/versions")
    assert said.headers["Access-Control-Allow-Origin"] == "*"
    older = ["r0.4.0", "r0.5.0", "r0.6.0", "r0.6.1"]
    assert said.json["versions"] == older + [f"v1.{minor}" for minor in range(1, 20)]
    assert said.json["unstable_features"]["org.matrix.msc3916.stable"] is True
    assert all(said.json["unstable_features"].values())


def test_paths_may_be_named_as_before_the_first_common_version(home, ann):
    before = "/_matrix/client/r0"
    assert home.anybody.get(f"{before}/login").json == home.anybody.get(f"{V3}/login").json
    room = ann.post(f"{before}/createRoom", {"preset": "public_chat"}).json["room_id"]
    sent = ann.put(f"{before}/rooms/{room}/send/m.room.message/1", {"body": "hello", "msgtype": "m.text"})
    read = ann.get(f"{before}/rooms/{room}/event/{sent.json['event_id']}")
    assert (read.status, read.json["content"]["body"]) == (200, "hello")
    for old in ("r0", "v1", "v3"):
        assert ann.post(f"/_matrix/media/{old}/upload", {}).status == 200
    refused(ann.get("/_matrix/client/r0/nothing"), 404, "M_UNRECOGNIZED")
    refused(ann.get("/_matrix/client/r1/login"), 404, "M_UNRECOGNIZED")
    refused(home.anybody.post("/_matrix/client/r0/sync"), 405, "M_UNRECOGNIZED")


def test_clients_find_the_server_and_nothing_that_is_not_there(home):
    found = home.homeserver.get(f"{WELL_KNOWN}/client")
    assert found.json == {"m.homeserver": {"base_url": "http://hs.test"}}
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    for document in ("server", "support", "policy_server"):
        refused(home.homeserver.get(f"{WELL_KNOWN}/{document}"), 404, "M_NOT_FOUND")


def test_a_domain_says_what_its_operator_wrote(make_home):
    home = make_home({"well_known": {
        "identity_server": "https://id.test", "server": "matrix.hs.test:443",
        "support_page": "https://hs.test/help", "policy_key": POLICY_KEY,
        "contacts": [CONTACT, {"role": "m.role.security", "email_address": "s@hs.test"}]}}).start()

    def document(name):
        return home.homeserver.get(f"{WELL_KNOWN}/{name}").json

    assert document("client")["m.identity_server"] == {"base_url": "https://id.test"}
    assert document("server") == {"m.server": "matrix.hs.test:443"}
    assert document("policy_server") == {"public_keys": {"ed25519": POLICY_KEY}}
    assert document("support") == {
        "support_page": "https://hs.test/help",
        "contacts": [CONTACT, {"role": "m.role.security", "email_address": "s@hs.test"}]}


@pytest.mark.parametrize("wrong", [
    {"well_known": {"contacts": [{"role": "m.role.admin"}]}},
    {"well_known": {"contacts": [{"role": "m.role.admin", "matrix_id": "ann"}]}},
    {"well_known": {"server": "no name"}}, {"well_known": {"policy_key": "short"}},
    {"well_known": {"identity_server": "id.test"}}, {"turn": {"uris": ["turn:x"]}},
    {"media": {"frozen_from": "2024-13-01"}}, {"media": {"max_upload_mb": 70000}},
], ids=str)
def test_what_makes_no_sense_is_refused(make_home, wrong):
    checked = make_home(wrong).homeserver.command("--check")
    assert checked.returncode == 1 and next(iter(wrong)) in checked.stderr


# ---- for who is signed in


def test_capabilities_name_the_versions_of_rooms(ann):
    capabilities = ann.get("/capabilities").json["capabilities"]
    versions = capabilities["m.room_versions"]
    assert versions["default"] == "12"
    assert versions["available"] == {str(number): "stable" for number in range(1, 13)}
    assert capabilities["m.change_password"] == capabilities["m.get_login_token"] == {"enabled": True}
    assert "m.account_moderation" not in capabilities


def test_what_the_operator_forbids_is_said(make_home):
    home = make_home({"threepids": {"changes": False},
                      "profiles": {"locked": ["displayname", "m.tz"]}}).start()
    capabilities = home.user("ann").get("/capabilities").json["capabilities"]
    assert capabilities["m.3pid_changes"] == capabilities["m.set_displayname"] == {"enabled": False}
    assert capabilities["m.set_avatar_url"] == {"enabled": True}
    assert capabilities["m.profile_fields"] == {
        "enabled": True, "disallowed": ["displayname", "m.tz"]}


def test_administrators_may_moderate(home, ann):
    done = home.homeserver.command("user", "admin", ann.id)
    assert done.returncode == 0, done.stderr
    assert ann.get("/capabilities").json["capabilities"]["m.account_moderation"] == {
        "lock": True, "suspend": True}


def test_strangers_learn_nothing(home):
    for path in ("/capabilities", "/voip/turnServer", "/pushrules/", "/pushers"):
        refused(home.anybody.get(path), 401, "M_MISSING_TOKEN")


def test_without_a_server_of_calls_there_are_none(ann):
    assert ann.get("/voip/turnServer").json == {}


def test_who_calls_gets_a_name_that_the_server_of_calls_believes(make_home, tmp_path):
    secret = tmp_path / "turn-secret"
    secret.write_text("north star\n")
    home = make_home({"turn": {"uris": ["turn:turn.test"], "secret_file": str(secret),
                               "lifetime_hours": 2}}).start()
    ann = home.user("ann")
    got = ann.get("/voip/turnServer").json
    until, _, name = got["username"].partition(":")
    assert got["uris"] == ["turn:turn.test"] and got["ttl"] == 7200 and name == ann.id
    assert abs(int(until) - time.time() - 7200) < 60
    sealed = hmac.new(b"north star", got["username"].encode(), hashlib.sha1).digest()
    assert got["password"] == base64.b64encode(sealed).decode()


def test_the_default_rules_of_notifications_are_there(ann):
    rules = ann.get("/pushrules/").json["global"]
    assert [rule["rule_id"] for rule in rules["override"]][:3] == [
        ".m.rule.master", ".m.rule.suppress_notices", ".m.rule.invite_for_me"]
    assert (len(rules["override"]), len(rules["underride"])) == (10, 5)
    assert ann.get("/pushrules/global/").json == rules
    for kind, of_kind in rules.items():
        for rule in of_kind:
            path = f"/pushrules/global/{kind}/{rule['rule_id']}"
            assert ann.get(path).json == rule
            assert ann.get(f"{path}/enabled").json == {"enabled": rule["enabled"]}
            assert ann.get(f"{path}/actions").json == {"actions": rule["actions"]}
    mention = next(r for r in rules["override"] if r["rule_id"] == ".m.rule.is_user_mention")
    assert mention["conditions"][0]["value"] == ann.id
    refused(ann.get("/pushrules/global/override/none"), 404, "M_NOT_FOUND")


# ---- what is not there


@pytest.mark.parametrize("method, path", WITHOUT)
def test_what_is_not_there_is_said_to_be_unknown(home, method, path):
    refused(home.anybody.request(method, path, {} if method != "GET" else None), 404,
            "M_UNRECOGNIZED")


@pytest.mark.parametrize("method, path, answer", EMPTY)
def test_where_nothing_is_the_answer_is_empty(ann, method, path, answer):
    assert ann.request(method, path, {} if method == "POST" else None).json == answer


def test_there_is_no_copy_of_keys(ann):
    refused(ann.get("/room_keys/version"), 404, "M_NOT_FOUND")
    refused(ann.get("/room_keys/keys?version=1"), 404, "M_NOT_FOUND")
