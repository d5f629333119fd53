"""Accounts of the homeserver: made, logged into, told apart."""

import concurrent.futures

import pytest

from homeserver_world import PASSWORD, refused

FLOWS = {"flows": [{"stages": ["m.login.dummy"]}], "params": {}}


# ---- registration


def test_a_new_user_is_signed_in(home):
    ann = home.user("ann")
    assert ann.id == "@ann:hs.test" and ann.device and ann.signed_in["home_server"] == "hs.test"
    assert ann.get("/account/whoami").json == {
        "user_id": "@ann:hs.test", "device_id": ann.device, "is_guest": False}


def test_registration_goes_by_interactive_authentication(home):
    asked = home.anybody.post("/register", {"username": "two.steps", "password": PASSWORD})
    assert asked.status == 401 and asked.json == {**FLOWS, "session": asked.json["session"]}
    made = home.anybody.post("/register", {
        "username": "two.steps", "password": PASSWORD,
        "auth": {"type": "m.login.dummy", "session": asked.json["session"]}})
    assert made.status == 200 and made.json["user_id"] == "@two.steps:hs.test"


def test_the_last_step_needs_only_its_proof(home):
    """What the first request said is kept; of the password its hash."""
    asked = home.anybody.post("/register", {
        "username": "kept", "password": PASSWORD, "device_id": "KEPT"})
    made = home.anybody.post("/register", {
        "auth": {"type": "m.login.dummy", "session": asked.json["session"]}})
    assert made.json["user_id"] == "@kept:hs.test" and made.json["device_id"] == "KEPT"
    assert home.log_in("kept").status == 200


@pytest.mark.parametrize("change", [{"username": "other"}, {"password": "something else"},
                                    {"device_id": "OTHER"}])
def test_what_was_begun_cannot_be_changed(home, change):
    first = {"username": "fixed", "password": PASSWORD, "device_id": "D"}
    asked = home.anybody.post("/register", first)
    auth = {"type": "m.login.dummy", "session": asked.json["session"]}
    refused(home.anybody.post("/register", {**first, **change, "auth": auth}), 403, "M_FORBIDDEN")


def test_a_name_is_made_up_for_who_has_none(home):
    one, two = home.user(None), home.user(None)
    assert one.id != two.id and one.id.endswith(":hs.test")


def test_who_asks_so_is_not_signed_in(home):
    reply = home.register("quiet", inhibit_login=True)
    assert reply.json == {"user_id": "@quiet:hs.test", "home_server": "hs.test"}
    assert home.log_in("quiet").status == 200


def test_the_client_may_name_its_device(home):
    reply = home.register("named", device_id="MYDEVICE", initial_device_display_name="A phone")
    assert reply.json["device_id"] == "MYDEVICE"


@pytest.mark.parametrize("name", ["A b", "\u00fc", "a\0b", "x" * 256, "", "_bridge", "a:b",
                                  "@a"])
def test_a_name_that_is_none_is_refused(home, name):
    refused(home.register(name), 400, "M_INVALID_USERNAME")


def test_capitals_of_a_name_become_small(home):
    assert home.register("Upper.Case").json["user_id"] == "@upper.case:hs.test"
    refused(home.register("UPPER.case"), 400, "M_USER_IN_USE")
    refused(home.anybody.get("/register/available?username=Upper.Case"), 400, "M_USER_IN_USE")
    for name in ("Upper.Case", "upper.case", "@UPPER.CASE:hs.test"):
        assert home.log_in(name).json["user_id"] == "@upper.case:hs.test"


def test_a_name_that_is_no_string_is_refused(home):
    refused(home.register(7), 400, "M_BAD_JSON")


def test_names_are_given_once(home):
    home.user("once")
    refused(home.register("once"), 400, "M_USER_IN_USE")
    refused(home.anybody.get("/register/available?username=once"), 400, "M_USER_IN_USE")
    assert home.anybody.get("/register/available?username=never").json == {"available": True}
    refused(home.anybody.get("/register/available?username=A+b"), 400, "M_INVALID_USERNAME")
    refused(home.anybody.get("/register/available"), 400, "M_MISSING_PARAM")


def test_of_fifty_at_once_one_gets_the_name(home):
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: home.register("race"), range(50)))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 49
    assert {reply.errcode for reply in replies if reply.status == 400} == {"M_USER_IN_USE"}


def test_a_password_is_needed_and_has_a_length(home):
    refused(home.anybody.post("/register", {"username": "bare", "auth": {"type": "m.login.dummy"}}),
            400, "M_MISSING_PARAM")
    refused(home.register("short", password="1234567"), 400, "M_WEAK_PASSWORD")
    refused(home.register("long", password="x" * 513), 400, "M_INVALID_PARAM")


def test_a_password_that_is_too_long_is_not_hashed(home):
    home.user("patient")
    for name in ("patient", "nobody.here"):
        refused(home.log_in(name, "x" * 513), 400, "M_INVALID_PARAM")
        refused(home.log_in(name, "x" * 1048576), 413, "M_TOO_LARGE")


def test_a_closed_server_registers_nobody(make_home):
    world = make_home({"registration": {"mode": "closed"}}).start()
    refused(world.register("nobody"), 403, "M_FORBIDDEN")
    refused(world.anybody.get("/register/available?username=nobody"), 403, "M_FORBIDDEN")


# ---- log-in


def test_there_is_a_password_log_in(home):
    assert {"type": "m.login.password"} in home.anybody.get("/login").json["flows"]


@pytest.mark.parametrize("identifier", [
    {"identifier": {"type": "m.id.user", "user": "lou"}},
    {"identifier": {"type": "m.id.user", "user": "@lou:hs.test"}},
    {"identifier": {"type": "m.id.user", "user": "Lou"}},
    {"user": "lou"}, {"user": "@lou:hs.test"}])
def test_a_user_logs_in(home, identifier):
    if home.log_in("lou").status != 200:
        home.user("lou")
    reply = home.anybody.post("/login", {
        "type": "m.login.password", "password": PASSWORD, **identifier})
    assert reply.status == 200 and reply.json["user_id"] == "@lou:hs.test", reply


def test_a_wrong_password_and_an_unknown_user_are_answered_alike(home):
    home.user("alike")
    wrong, unknown = home.log_in("alike", "not the one"), home.log_in("nobody.here")
    refused(wrong, 403, "M_FORBIDDEN")
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    refused(home.log_in("alike", ""), 403, "M_FORBIDDEN")
    other = home.log_in("@alike:elsewhere.test")
    assert (other.status, other.body) == (wrong.status, wrong.body)


def test_unknown_ways_to_log_in_are_refused(home):
    refused(home.anybody.post("/login", {"type": "m.login.magic"}), 400, "M_UNKNOWN")
    refused(home.anybody.post("/login", {}), 400, "M_MISSING_PARAM")
    refused(home.anybody.post("/login", {"type": "m.login.password", "password": "x"}), 400,
            "M_INVALID_PARAM")
    refused(home.log_in("somebody", "x" * 60000), 400, "M_INVALID_PARAM")
    refused(home.log_in("somebody", "x" * 1048576), 413, "M_TOO_LARGE")


def test_logging_in_with_a_device_again_ends_its_token(home):
    ann = home.user("again")
    again = home.log_in("again", device_id=ann.device)
    assert again.json["device_id"] == ann.device
    refused(ann.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


def test_logging_out_ends_one_device_and_all(home):
    one = home.user("leaver")
    two, three = one.another_device(), one.another_device()
    assert one.post("/logout").json == {}
    refused(one.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    assert two.get("/account/whoami").status == 200
    assert two.post("/logout/all").json == {}
    for gone in (two, three):
        refused(gone.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


# ---- tokens


@pytest.mark.parametrize("token", ["", "x" * 4096, "\xff\xfe", "tra_" + "x" * 55, "nonsense"])
def test_a_token_of_nobody_is_unknown(home, token):
    reply = home.anybody.get("/account/whoami", headers={"Authorization": f"Bearer {token}"})
    refused(reply, 401, "M_UNKNOWN_TOKEN")


def test_a_token_is_needed_and_only_one(home):
    ann = home.user("token")
    refused(home.anybody.get("/account/whoami"), 401, "M_MISSING_TOKEN")
    refused(home.anybody.get("/account/whoami", headers={"Authorization": "Basic YTpi"}), 401,
            "M_MISSING_TOKEN")
    assert home.anybody.get(f"/account/whoami?access_token={ann.token}").status == 200
    refused(ann.get(f"/account/whoami?access_token={ann.token}"), 400, "M_INVALID_PARAM")
    refused(home.anybody.get(f"/account/whoami?access_token={ann.token}&access_token=x"), 400,
            "M_INVALID_PARAM")


def test_nothing_secret_is_in_the_log_or_the_store(make_home):
    world = make_home({"log": {"level": "debug"}}).start()
    ann = world.user("secretive", password="canary-password")
    world.log_in("secretive", "canary-wrong")
    world.anybody.post("/register", {"username": "undecided", "password": "canary-undecided"})
    ann.confirm("POST", "/account/password", {"new_password": "canary-new"})
    ann.get(f"/account/whoami?access_token={ann.token}")
    world.homeserver.stop()
    kept = world.homeserver.log().encode()
    for path in (world.homeserver.directory / "data").rglob("*"):
        kept += path.read_bytes() if path.is_file() else b""
    for secret in ("canary-password", "canary-wrong", "canary-undecided", "canary-new", ann.token):
        assert secret.encode() not in kept


def test_accounts_and_tokens_survive_a_kill(make_home):
    world = make_home().start()
    ann = world.user("durable")
    world.homeserver.kill()
    world.start()
    assert ann.get("/account/whoami").json["user_id"] == ann.id
    assert world.log_in("durable").status == 200
