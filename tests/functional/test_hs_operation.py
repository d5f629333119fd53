"""What the operator of a homeserver does with accounts: commands, the admin listener, and what a
server administrator does as a client."""

import concurrent.futures
import hmac

import pytest

from homeserver_world import PASSWORD, V1, User, merged, refused

BY_TOKEN = {"registration": {"mode": "token"}}
STAGE = "m.login.registration_token"


def register_with(world, name, token):
    return world.anybody.confirmed("POST", "/register", {"username": name, "password": PASSWORD},
                                   type=STAGE, token=token)


@pytest.fixture
def by_token(make_home):
    return make_home(BY_TOKEN).start()


@pytest.fixture
def root(home):
    """A server administrator."""
    if home.log_in("root").status != 200:
        home.user("root")
        home.command("user", "admin", "root")
    return User(home, home.log_in("root").json)


# ---- registration tokens


def test_who_has_a_token_registers(by_token):
    token = by_token.command("registration-token", "add", "--uses", 1).strip()
    valid = f"{V1}/register/{STAGE}/validity?token="
    assert by_token.anybody.get(valid + token).json == {"valid": True}
    assert by_token.anybody.get(valid + "other").json == {"valid": False}
    asked = by_token.anybody.post("/register", {"username": "ann", "password": PASSWORD})
    assert asked.json["flows"] == [{"stages": [STAGE]}]
    wrong = register_with(by_token, "ann", "other")
    assert (wrong.status, wrong.errcode) == (401, "M_FORBIDDEN")
    assert register_with(by_token, "ann", token).status == 200
    assert by_token.anybody.get(valid + token).json == {"valid": False}
    assert register_with(by_token, "bob", token).status == 401


def test_a_name_that_was_taken_costs_no_use(by_token):
    by_token.command("registration-token", "add", "--token", "twice", "--uses", 2)
    assert register_with(by_token, "ann", "twice").status == 200
    refused(by_token.anybody.post("/register", {"username": "ann", "password": PASSWORD}), 400,
            "M_USER_IN_USE")
    assert register_with(by_token, "bob", "twice").status == 200


def test_the_last_use_is_had_by_one_of_many(by_token):
    by_token.command("registration-token", "add", "--token", "three", "--uses", 3)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda i: register_with(by_token, f"u{i}", "three"), range(20)))
    assert sum(reply.status == 200 for reply in replies) == 3
    assert "three used 3 times of 3" in by_token.command("registration-token", "list")


def test_tokens_are_listed_and_removed(by_token):
    by_token.command("registration-token", "add", "--token", "a", "--days", 1)
    assert "a used 0 times, until 2" in by_token.command("registration-token", "list")
    by_token.command("registration-token", "remove", "a")
    assert by_token.command("registration-token", "list") == ""
    by_token.command("registration-token", "remove", "a", status=1)
    for wrong in (["add", "--uses", "0"], ["add", "--token", "a b"], ["add", "--days", "x"], []):
        done = by_token.homeserver.command("registration-token", *wrong)
        assert done.returncode != 0 and done.stderr


def test_validity_is_not_told_where_nobody_registers(make_home):
    world = make_home({"registration": {"mode": "closed"}}).start()
    refused(world.anybody.get(f"{V1}/register/{STAGE}/validity?token=x"), 403, "M_FORBIDDEN")


# ---- commands


def test_the_operator_adds_people(make_home):
    world = make_home({"registration": {"mode": "closed"}}).start()
    assert world.command("user", "add", "ann", stdin="correct horse\n") == "@ann:hs.test\n"
    assert world.command("user", "add", "--admin", "boss", stdin="correct horse\n")
    assert world.log_in("ann").status == 200
    listed = world.command("user", "list").splitlines()
    assert listed[0].startswith("@ann:hs.test since 2") and listed[1].endswith(", admin")
    assert "taken" in world.command("user", "add", "ann", stdin="correct horse\n", status=1)
    assert "characters" in world.command("user", "add", "bob", stdin="short\n", status=1)
    world.command("user", "add", "bob", stdin="", status=1)


def test_the_operator_sets_a_password(home):
    ann = home.user("forgetful")
    home.command("user", "password", "forgetful", stdin="battery staple\n")
    refused(ann.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    again = home.log_in("forgetful", "battery staple")
    home.command("user", "password", "--keep", "@forgetful:hs.test", stdin="another one\n")
    assert User(home, again.json).get("/account/whoami").status == 200
    home.command("user", "password", "nobody.here", stdin="battery staple\n", status=1)


def test_the_operator_sees_and_ends_devices(home):
    ann = home.user("shown", initial_device_display_name="Phone")
    shown = home.admin("GET", f"/admin/v1/users/{ann.id}").json
    assert shown["has_password"] is True
    assert [(d["device_id"], d["name"], d["signed_in"]) for d in shown["devices"]] == [
        (ann.device, "Phone", True)]
    assert ann.device in home.command("user", "show", "shown")
    home.command("user", "sign-out", "shown")
    refused(ann.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


def test_users_are_listed_page_by_page(home):
    names = {home.user(f"page{i}").id for i in range(5)}
    seen, after = [], ""
    while True:
        page = home.admin("GET", f"/admin/v1/users?limit=2{after}").json
        seen += [user["user_id"] for user in page["users"]]
        if "next" not in page:
            break
        after = f"&after={page['next']}"
    assert seen == sorted(set(seen)) and names <= set(seen)


# ---- tools made for Synapse


@pytest.fixture
def by_secret(make_home, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef\n")
    return make_home({"registration": {"shared_secret_file": str(secret)}}).start()


SYNAPSE = "/_synapse/admin/v1/register"


def proved(world, name, secret="0123456789abcdef", **more):
    nonce = world.admin("GET", SYNAPSE).json["nonce"]
    text = "\0".join([nonce, name, PASSWORD, "admin" if more.get("admin") else "notadmin"])
    mac = hmac.new(secret.encode(), text.encode(), "sha1").hexdigest()
    return {"nonce": nonce, "username": name, "password": PASSWORD, "mac": mac, **more}


def test_who_knows_the_secret_makes_accounts(by_secret):
    made = by_secret.admin("POST", SYNAPSE, proved(by_secret, "ann", admin=True))
    ann = User(by_secret, made.json)
    assert ann.get("/account/whoami").json["user_id"] == "@ann:hs.test"
    refused(ann.get(f"{V1}/admin/lock/@nobody:hs.test"), 404, "M_NOT_FOUND")
    again = proved(by_secret, "bob")
    assert by_secret.admin("POST", SYNAPSE, again).status == 200
    refused(by_secret.admin("POST", SYNAPSE, again), 400, "M_INVALID_PARAM")
    refused(by_secret.admin("POST", SYNAPSE, proved(by_secret, "bob")), 400, "M_USER_IN_USE")


def test_who_does_not_know_the_secret_makes_none(by_secret, home):
    wrong = proved(by_secret, "carl", secret="0123456789abcdeX")
    refused(by_secret.admin("POST", SYNAPSE, wrong), 403, "M_FORBIDDEN")
    for mac in ("", "zz", "00"):
        refused(by_secret.admin("POST", SYNAPSE, {**proved(by_secret, "carl"), "mac": mac}), 403,
                "M_FORBIDDEN")
    changed = {**proved(by_secret, "carl"), "admin": True}
    refused(by_secret.admin("POST", SYNAPSE, changed), 403, "M_FORBIDDEN")
    refused(by_secret.anybody.get(SYNAPSE), 404, "M_UNRECOGNIZED")
    refused(home.admin("GET", SYNAPSE), 404, "M_UNRECOGNIZED")


# ---- locks and suspensions


def test_who_is_locked_only_logs_out(home, root):
    ann = home.user("locked", refresh_token=True)
    lock = f"{V1}/admin/lock/{ann.id}"
    assert root.get(lock).json == {"locked": False}
    assert root.put(lock, {"locked": True}).json == {"locked": True}
    assert root.get(lock).json == {"locked": True}
    refusal = refused(ann.get("/account/whoami"), 401, "M_USER_LOCKED")
    assert refusal.json["soft_logout"] is True
    refused(home.log_in("locked"), 401, "M_USER_LOCKED")
    refused(home.log_in("locked", "not the one"), 403, "M_FORBIDDEN")
    refresh = {"refresh_token": ann.signed_in["refresh_token"]}
    refused(home.anybody.post("/refresh", refresh), 401, "M_USER_LOCKED")
    root.put(lock, {"locked": False})
    assert home.anybody.post("/refresh", refresh).status == 200
    assert ann.get("/account/whoami").status == 200
    root.put(lock, {"locked": True})
    assert ann.post("/logout").status == 200


def test_who_is_suspended_reads_and_little_more(home, root):
    ann = home.user("suspended")
    suspend = f"{V1}/admin/suspend/{ann.id}"
    assert root.get(suspend).json == {"suspended": False}
    assert root.put(suspend, {"suspended": True}).json == {"suspended": True}
    assert ann.get("/account/whoami").status == 200
    refused(ann.put(f"/devices/{ann.device}", {"display_name": "x"}), 403, "M_USER_SUSPENDED")
    assert home.log_in("suspended").status == 200
    assert ann.confirm("DELETE", "/devices/NONE").json == {}
    home.command("user", "unsuspend", "suspended")
    assert ann.put(f"/devices/{ann.device}", {"display_name": "x"}).status == 200


@pytest.mark.parametrize("what", ["lock", "suspend"])
def test_only_administrators_lock_and_not_each_other(home, root, what):
    ann = home.user(f"subject.{what}")
    body = {f"{what.rstrip('e')}ed": True}
    for target in (ann.id, "@nobody:hs.test", root.id):
        refused(ann.put(f"{V1}/admin/{what}/{target}", body), 403, "M_FORBIDDEN")
        refused(ann.get(f"{V1}/admin/{what}/{target}"), 403, "M_FORBIDDEN")
    refused(root.put(f"{V1}/admin/{what}/@nobody:hs.test", body), 404, "M_NOT_FOUND")
    refused(root.put(f"{V1}/admin/{what}/@ann:elsewhere.test", body), 400, "M_INVALID_PARAM")
    refused(root.put(f"{V1}/admin/{what}/{root.id}", body), 403, "M_FORBIDDEN")
    refused(root.put(f"{V1}/admin/{what}/{ann.id}", {}), 400, "M_MISSING_PARAM")


def test_whois_is_for_oneself_and_administrators(home, root):
    ann, bob = home.user("whois.ann"), home.user("whois.bob")
    assert list(ann.get(f"/admin/whois/{ann.id}").json["devices"]) == [ann.device]
    assert root.get(f"/admin/whois/{ann.id}").json["user_id"] == ann.id
    refused(bob.get(f"/admin/whois/{ann.id}"), 403, "M_FORBIDDEN")
    refused(root.get("/admin/whois/@nobody:hs.test"), 404, "M_NOT_FOUND")


# ---- too much


def test_wrong_passwords_are_stopped(make_home):
    world = make_home({"login": {"failures_burst": 3, "failures_per_minute": 60}}).start()
    world.user("ann")
    for _ in range(3):
        refused(world.log_in("ann", "not the one"), 403, "M_FORBIDDEN")
    stopped = refused(world.log_in("ann"), 429, "M_LIMIT_EXCEEDED")
    assert 0 < stopped.json["retry_after_ms"] <= 1000
    refused(world.log_in("nobody"), 429, "M_LIMIT_EXCEEDED")  # of the same address


def test_log_ins_and_registrations_are_limited(make_home):
    limits = {"logins": {"per_minute": 60, "burst": 2}, "registrations": {"per_minute": 1,
                                                                          "burst": 1}}
    world = make_home({"limits": limits}).start()
    world.user("ann")
    refused(world.register("bob"), 429, "M_LIMIT_EXCEEDED")
    statuses = [world.log_in("ann").status for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_passwords_are_hashed_anew_when_their_price_changes(make_home):
    world = make_home().start()
    world.user("ann")
    world.homeserver.stop()
    world.homeserver.configuration = merged(world.homeserver.configuration,
                                            {"password": {"memory_kib": 16}})
    world.homeserver.write_configuration()
    world.start()
    computed = "homeserver_passwords_total"
    for _ in range(2):
        assert world.log_in("ann").status == 200
    assert world.metrics()[computed] == 2


def test_a_user_who_is_not_there_costs_a_password_too(make_home):
    """Else the time would tell who has an account."""
    world = make_home().start()
    world.user("ann")
    for name in ("ann", "nobody", "@ann:elsewhere.test"):
        before = world.metrics()["homeserver_passwords_total"]
        refused(world.log_in(name, "not the one"), 403, "M_FORBIDDEN")
        assert world.metrics()["homeserver_passwords_total"] == before + 1


def test_fifty_people_log_in_at_once(home):
    people = [home.user(f"crowd{i}") for i in range(10)]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda i: home.log_in(people[i % 10].name), range(50)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.json["device_id"] for reply in replies}) == 50
