"""What a device is signed in with: access tokens, refresh tokens, tokens for one log-in; and what
an account may when it is locked, suspended or a guest."""

import concurrent.futures
import time

import pytest

import homeserver_world
from homeserver_world import PASSWORD, V1, User, refused
from trinity import eventually

CONFIGURATION = {"registration": {"guests": True}}


def refresh(home, token):
    return home.anybody.post("/refresh", {"refresh_token": token})


def with_token(user, token):
    return homeserver_world.Client(user.world, token)


# ---- refresh


@pytest.fixture
def refreshing(home, request):
    """A new user whose client can refresh."""
    return home.user(f"refresh{abs(hash(request.node.name))}", refresh_token=True)


def test_a_client_that_can_refresh_gets_tokens_that_end(home, refreshing):
    assert refreshing.signed_in["expires_in_ms"] == 60 * 60000
    again = home.log_in(refreshing.name, refresh_token=True).json
    assert again["refresh_token"] and again["expires_in_ms"] == 60 * 60000
    assert "refresh_token" not in home.log_in(refreshing.name).json


def test_the_old_pair_is_good_until_the_new_one_is_used(home, refreshing):
    first = refreshing.signed_in["refresh_token"]
    lost = refresh(home, first).json
    new = refresh(home, first).json  # the client did not get the answer, and asks again
    assert refreshing.get("/account/whoami").status == 200
    refused(with_token(refreshing, lost["access_token"]).get("/account/whoami"), 401,
            "M_UNKNOWN_TOKEN")
    assert with_token(refreshing, new["access_token"]).get("/account/whoami").json[
        "device_id"] == refreshing.device
    over = refused(refreshing.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    assert over.json["soft_logout"] is True


def test_the_new_refresh_token_can_be_the_first_that_is_used(home, refreshing):
    second = refresh(home, refreshing.signed_in["refresh_token"]).json
    third = refresh(home, second["refresh_token"]).json
    assert with_token(refreshing, second["access_token"]).get("/account/whoami").status == 200
    assert with_token(refreshing, third["access_token"]).get("/account/whoami").status == 200


def test_a_refresh_token_that_was_replaced_ends_the_session(home, refreshing):
    first = refreshing.signed_in["refresh_token"]
    new = refresh(home, first).json
    thief = with_token(refreshing, new["access_token"])
    assert thief.get("/account/whoami").status == 200
    refused(refresh(home, first), 401, "M_UNKNOWN_TOKEN")
    over = refused(thief.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    assert over.json["soft_logout"] is True
    refused(refresh(home, new["refresh_token"]), 401, "M_UNKNOWN_TOKEN")
    back = home.log_in(refreshing.name, device_id=refreshing.device)
    assert back.json["device_id"] == refreshing.device


@pytest.mark.parametrize("token", ["", "x", "trr_" + "x" * 55, "a" * 10000])
def test_a_refresh_token_of_nobody_is_unknown(home, token):
    refused(refresh(home, token), 401, "M_UNKNOWN_TOKEN")


def test_an_access_token_is_no_refresh_token(home, refreshing):
    refused(refresh(home, refreshing.token), 401, "M_UNKNOWN_TOKEN")
    other = with_token(refreshing, refreshing.signed_in["refresh_token"])
    refused(other.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


def test_refreshing_survives_a_restart(make_home):
    world = make_home().start()
    ann = world.user("ann", refresh_token=True)
    new = refresh(world, ann.signed_in["refresh_token"]).json
    world.homeserver.kill()
    world.start()
    assert ann.get("/account/whoami").status == 200
    assert with_token(ann, new["access_token"]).get("/account/whoami").status == 200
    refused(ann.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


# ---- a token for one log-in


def log_in_by(home, token):
    return home.anybody.post("/login", {"type": "m.login.token", "token": token})


def test_a_second_client_is_logged_in_by_the_first(home):
    ann = home.user("first.client")
    made = ann.confirm("POST", f"{V1}/login/get_token")
    assert made.json["expires_in_ms"] == 120000
    reply = log_in_by(home, made.json["login_token"])
    assert reply.json["user_id"] == ann.id and reply.json["device_id"] != ann.device
    refused(log_in_by(home, made.json["login_token"]), 403, "M_FORBIDDEN")


def test_each_login_token_needs_the_password(home):
    ann = home.user("asks.twice")
    asked = ann.post(f"{V1}/login/get_token").json
    body = {"auth": {"session": asked["session"], **ann.proof()}}
    assert ann.post(f"{V1}/login/get_token", body).status == 200
    assert ann.post(f"{V1}/login/get_token", {"auth": {"session": asked["session"]}}).status == 401


def test_login_tokens_of_nobody_are_refused(home):
    refused(log_in_by(home, "nonsense"), 403, "M_FORBIDDEN")
    refused(home.anybody.post("/login", {"type": "m.login.token"}), 400, "M_MISSING_PARAM")


def test_a_client_that_waits_is_told_nothing_once_it_is_signed_out(home):
    ann = home.user("waiter")
    other = ann.another_device()
    since = other.get("/sync").json["next_batch"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waits = pool.submit(other.get, f"/sync?since={since}&timeout=20000")
        time.sleep(0.5)  # it is parked by then
        assert not waits.done()
        ann.confirm("DELETE", f"/devices/{other.device}")
        ann.put(f"/user/{ann.id}/account_data/org.example.secret", {"for": "ann"})
        refused(waits.result(), 401, "M_UNKNOWN_TOKEN")


# ---- interactive authentication


def test_devices_are_deleted_with_the_password(home):
    ann = home.user("deleter")
    other = ann.another_device()
    asked = ann.delete(f"/devices/{other.device}", {})
    assert asked.status == 401 and asked.json["flows"] == [{"stages": ["m.login.password"]}]
    assert ann.delete(f"/devices/{other.device}").status == 401
    wrong = ann.delete(f"/devices/{other.device}", {
        "auth": {"session": asked.json["session"], **ann.proof("not the one")}})
    assert (wrong.status, wrong.errcode) == (401, "M_FORBIDDEN")
    assert wrong.json["session"] == asked.json["session"] and "flows" in wrong.json
    assert other.get("/account/whoami").status == 200
    done = ann.delete(f"/devices/{other.device}", {
        "auth": {"session": asked.json["session"], **ann.proof()}})
    assert done.json == {}
    refused(other.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


def test_a_session_is_of_one_user_and_one_request(home):
    ann, bob = home.user("uia.ann"), home.user("uia.bob")
    session = ann.delete("/devices/A", {}).json["session"]
    auth = {"auth": {"session": session, **ann.proof()}}
    other_user = bob.delete("/devices/A", {"auth": {"session": session}})
    assert other_user.status == 401 and other_user.json["session"] != session
    other_path = ann.delete("/devices/B", {"auth": {"session": session}})
    assert other_path.status == 401 and other_path.json["session"] != session
    assert ann.delete("/devices/A", auth).status == 200


def test_the_session_of_another_request_registers_nobody(home):
    ann = home.user("uia.register")
    session = ann.delete("/devices/A", {}).json["session"]
    for _ in range(20):
        reply = home.anybody.post("/register", {"auth": {"session": session, **ann.proof()}})
        assert reply.status == 401 and reply.json["session"] != session


def test_the_body_of_a_session_cannot_be_changed(home):
    ann = home.user("uia.body")
    session = ann.post("/delete_devices", {"devices": ["A"]}).json["session"]
    changed = {"devices": ["B"], "auth": {"session": session, **ann.proof()}}
    refused(ann.post("/delete_devices", changed), 403, "M_FORBIDDEN")


def test_somebody_elses_password_proves_nothing(home):
    ann, bob = home.user("uia.me"), home.user("uia.other")
    session = ann.delete("/devices/A", {}).json["session"]
    for proof in (bob.proof(), {"type": "m.login.password", "user": bob.id, "password": PASSWORD}):
        reply = ann.delete("/devices/A", {"auth": {"session": session, **proof}})
        assert "flows" not in refused(reply, 403, "M_FORBIDDEN").json
    # One's own still does, in the same session.
    assert ann.delete("/devices/A", {"auth": {"session": session, **ann.proof()}}).status == 200


@pytest.mark.parametrize("stage", ["m.login.dummy", "m.login.sso", "nonsense"])
def test_a_stage_that_is_not_offered_does_not_count(home, stage):
    ann = home.user(f"stage.{stage}")
    reply = ann.confirmed("DELETE", "/devices/A", type=stage)
    assert reply.status == 401 and "completed" not in reply.json


@pytest.mark.parametrize("auth", ["x", 7, [], None])
def test_what_is_no_object_authenticates_nothing(home, auth):
    ann = home.user(f"auth{str(auth).lower().strip('[]')}")
    refused(ann.delete("/devices/A", {"auth": auth}), 400, "M_BAD_JSON")


@pytest.mark.parametrize("method, path", [
    ("DELETE", "/devices/A"), ("POST", "/account/deactivate")])
def test_who_asks_without_a_body_confirms_it_with_one(home, method, path):
    ann = home.user(f"bare.{method.lower()}")
    asked = ann.request(method, path)
    assert asked.status == 401 and asked.json["flows"] == [{"stages": ["m.login.password"]}]
    auth = {"session": asked.json["session"], **ann.proof()}
    assert ann.request(method, path, {"auth": auth}).status == 200


def test_devices_that_are_not_there_are_deleted(home):
    ann = home.user("deleter.of.nothing")
    assert ann.confirm("POST", "/delete_devices", {"devices": ["", "NONE", "x" * 600]}).json == {}
    assert ann.confirm("DELETE", f"/devices/{'x' * 600}").json == {}


def test_the_proof_may_come_with_the_first_request(home):
    ann = home.user("eager")
    assert ann.delete("/devices/A", {"auth": ann.proof()}).json == {}


def test_a_session_outlives_a_restart(make_home):
    world = make_home().start()
    ann = world.user("ann")
    session = ann.delete("/devices/A", {}).json["session"]
    world.homeserver.kill()
    world.start()
    reply = ann.delete("/devices/A", {"auth": {"session": session, **ann.proof()}})
    assert reply.json == {}


# ---- devices


def test_devices_are_listed_and_named(home):
    ann = home.user("many", initial_device_display_name="Phone")
    other = ann.another_device(initial_device_display_name="Laptop")
    listed = {d["device_id"]: d["display_name"] for d in ann.get("/devices").json["devices"]}
    assert listed == {ann.device: "Phone", other.device: "Laptop"}
    assert ann.put(f"/devices/{other.device}", {"display_name": "Desk"}).json == {}
    assert ann.put(f"/devices/{other.device}", {}).json == {}
    assert ann.get(f"/devices/{other.device}").json["display_name"] == "Desk"
    refused(ann.get("/devices/NONE"), 404, "M_NOT_FOUND")
    refused(ann.put("/devices/NONE", {"display_name": "x"}), 404, "M_NOT_FOUND")
    refused(ann.put(f"/devices/{ann.device}", {"display_name": "x" * 257}), 400, "M_INVALID_PARAM")


def test_a_device_is_seen(home):
    ann = home.user("seen")
    ann.get("/account/whoami", headers={"User-Agent": "Pigeon/1"})
    shown = eventually(lambda: [d for d in ann.get("/devices").json["devices"]
                                if "last_seen_ts" in d])
    assert shown[0]["last_seen_ip"] == "127.0.0.1"
    whois = ann.get(f"/admin/whois/{ann.id}").json
    connection = whois["devices"][ann.device]["sessions"][0]["connections"][0]
    assert connection == {"ip": "127.0.0.1", "user_agent": "Pigeon/1",
                          "last_seen": shown[0]["last_seen_ts"]}


@pytest.mark.parametrize("device", ["", "x" * 256, "a\nb"])
def test_a_device_id_that_is_none_is_refused(home, device):
    refused(home.register(None, device_id=device), 400, "M_INVALID_PARAM")


# ---- passwords


def test_a_password_is_changed_and_other_devices_leave(home):
    ann = home.user("changer")
    other = ann.another_device()
    reply = ann.confirm("POST", "/account/password", {"new_password": "battery staple"})
    assert reply.json == {}
    assert ann.get("/account/whoami").status == 200
    refused(other.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    refused(home.log_in("changer"), 403, "M_FORBIDDEN")
    assert home.log_in("changer", "battery staple").status == 200


def test_other_devices_may_stay(home):
    ann = home.user("stayer")
    other = ann.another_device()
    ann.confirm("POST", "/account/password",
                {"new_password": "battery staple", "logout_devices": False})
    assert other.get("/account/whoami").status == 200


def test_a_new_password_has_a_length_too(home):
    ann = home.user("weak")
    refused(ann.post("/account/password", {"new_password": "short"}), 400, "M_WEAK_PASSWORD")
    refused(home.anybody.post("/account/password", {"new_password": "long enough"}), 401,
            "M_MISSING_TOKEN")


# ---- guests


def test_a_guest_is_let_in_where_guests_may(home):
    reply = home.anybody.post("/register?kind=guest", {
        "username": "ignored", "device_id": "IGNORED", "initial_device_display_name": "Browser"})
    guest = User(home, reply.json)
    assert guest.name != "ignored" and guest.device != "IGNORED"
    assert guest.get("/account/whoami").json["is_guest"] is True
    assert guest.get(f"/devices/{guest.device}").json["display_name"] == "Browser"
    refused(guest.get(f"/admin/whois/{guest.id}"), 403, "M_GUEST_ACCESS_FORBIDDEN")
    refused(guest.post("/account/password", {"new_password": "long enough"}), 403,
            "M_GUEST_ACCESS_FORBIDDEN")


def test_other_kinds_of_accounts_are_not_known(home):
    refused(home.anybody.post("/register?kind=admin", {}), 400, "M_INVALID_PARAM")


def test_a_server_without_guests_says_so(make_home):
    world = make_home().start()
    refused(world.anybody.post("/register?kind=guest", {}), 403, "M_FORBIDDEN")


# ---- OpenID


def test_an_openid_token_tells_who_one_is(home):
    ann = home.user("openid")
    given = ann.post(f"/user/{ann.id}/openid/request_token").json
    assert given["matrix_server_name"] == "hs.test" and given["expires_in"] == 3600
    info = "/_matrix/federation/v1/openid/userinfo"
    assert home.anybody.get(f"{info}?access_token={given['access_token']}").json == {"sub": ann.id}
    refused(home.anybody.get(f"{info}?access_token=x"), 401, "M_UNKNOWN_TOKEN")
    refused(home.anybody.get(info), 401, "M_MISSING_TOKEN")
    refused(home.anybody.get(f"{info}?access_token={ann.token}"), 401, "M_UNKNOWN_TOKEN")
    refused(with_token(ann, given["access_token"]).get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    refused(ann.post("/user/@other:hs.test/openid/request_token"), 403, "M_FORBIDDEN")
