"""The end of an account: nothing of it works, nothing of it is shown, and its name stays taken."""

import concurrent.futures

import pytest

from contact_world import World
from homeserver_world import PASSWORD, V1, refused
from rooms import create, done, join, membership
from trinity import eventually

WORLD = World
END = "/account/deactivate"


def ended(user, **more):
    reply = user.confirm("POST", END, more)
    assert reply.status == 200, reply
    return reply.json


def test_who_ends_an_account_confirms_it(home):
    user = home.user("hesitant")
    assert user.post(END).status == 401
    refused(user.confirmed("POST", END, {}, **user.proof("wrong")), 401, "M_FORBIDDEN")
    refused(home.anybody.post(END), 401, "M_MISSING_TOKEN")
    assert user.get("/account/whoami").status == 200


def test_nothing_is_left_of_an_account(home):
    user = home.user_with("leaver", "leaver@example.org")
    other = user.another_device()
    user.put(f"/profile/{user.id}/displayname", {"displayname": "Leaver"})
    assert ended(user) == {"id_server_unbind_result": "success"}
    for device in (user, other):
        refused(device.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    refused(home.log_in("leaver"), 403, "M_USER_DEACTIVATED")
    refused(home.register("leaver"), 400, "M_USER_IN_USE")
    reader = home.user("reader")
    assert done(reader.get(f"/profile/{user.id}")) == {}


def test_no_proof_logs_in_to_what_has_ended(home):
    user = home.user("again")
    token = user.confirm("POST", f"{V1}/login/get_token").json["login_token"]
    refresher = user.another_device(refresh_token=True)
    ended(user)
    refused(home.anybody.post("/login", {"type": "m.login.token", "token": token}), 403,
            "M_USER_DEACTIVATED")
    refused(home.anybody.post("/refresh", {"refresh_token": refresher.signed_in["refresh_token"]}),
            401, "M_UNKNOWN_TOKEN")


def test_an_address_does_not_outlive_its_account(home):
    """Neither does a log-in by it, nor a new password."""
    ended(home.user_with("late", "late@example.org"))
    refused(home.anybody.post("/login", {
        "type": "m.login.password", "password": PASSWORD,
        "identifier": {"type": "m.id.thirdparty", "medium": "email",
                       "address": "late@example.org"}}), 403, "M_FORBIDDEN")
    home.address("late@example.org", "/account/password").asked().notice(
        "There is no account with this address")
    home.user_with("heir", "late@example.org")


def test_who_is_gone_has_left_all_rooms(home):
    user, friend = home.user("guest"), home.user("host")
    room = friend.post("/createRoom", {"preset": "public_chat"}).json["room_id"]
    asked = friend.post("/createRoom", {"invite": [user.id]}).json["room_id"]
    assert user.post(f"/join/{room}").status == 200
    ended(user)
    for left in (room, asked):
        state = friend.get(f"/rooms/{left}/state/m.room.member/{user.id}")
        assert state.json["membership"] == "leave", state


def test_account_data_goes_with_who_wants_to_be_forgotten(home):
    user = home.user("forgotten")
    user.put(f"/user/{user.id}/account_data/org.example", {"a": 1})
    assert ended(user, erase=True) == {"id_server_unbind_result": "success"}
    assert done(home.admin("GET", f"/admin/v1/users/{user.id}"))["erased"] is True


def test_an_end_that_was_cut_short_is_brought_to_its_end(make_home):
    """The account is gone with its transaction; the rooms that a kill spared are left after it."""
    home = make_home().start()
    user, friend = home.user("victim"), home.user("witness")
    rooms = [create(user, preset="public_chat") for _ in range(60)]
    for room in (rooms[0], rooms[-1]):
        join(friend, room)
    asked = user.post(END).json["session"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(user.post, END, {"auth": {"session": asked, **user.proof()}})
        eventually(lambda: user.get("/account/whoami").status == 401)
        home.homeserver.kill()
    home.homeserver.start()
    refused(home.log_in("victim"), 403, "M_USER_DEACTIVATED")
    eventually(lambda: all(membership(friend, room, user) == "leave"
                           for room in (rooms[0], rooms[-1])))


def test_the_operator_ends_an_account(home):
    user, friend = home.user("fired"), home.user("keeper")
    room = create(user, preset="public_chat")
    join(friend, room)
    home.command("user", "deactivate", "fired")
    refused(user.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")
    refused(home.log_in("fired"), 403, "M_USER_DEACTIVATED")
    assert membership(friend, room, user) == "leave"
    assert "erased" not in home.admin("GET", f"/admin/v1/users/{user.id}").json
    home.command("user", "deactivate", "--erase", "fired")
    assert home.admin("GET", f"/admin/v1/users/{user.id}").json["erased"] is True
    assert "no such" in home.command("user", "deactivate", "nobody.here", status=1)


def test_media_stay_until_the_operator_removes_them(home):
    """Those who knew what was said may see it whole; who comes later does not learn the id."""
    user, friend = home.user("painter"), home.user("admirer")
    upload = "/_matrix/media/v3/upload?filename=a"
    mine = [user.post(upload, {"n": n}).json["content_uri"][6:] for n in range(3)]
    ended(user, erase=True)
    pictures = [f"/_matrix/client/v1/media/download/{media}" for media in mine]
    assert [friend.get(picture).status for picture in pictures] == [200, 200, 200]
    home.command("media", "remove-all", "painter")
    assert [friend.get(picture).status for picture in pictures] == [404, 404, 404]


@pytest.mark.parametrize("body", [{"erase": "yes"}, {"id_server": 5}])
def test_what_makes_no_sense_is_refused(home, body):
    refused(home.user(None).post(END, body), 400, "M_BAD_JSON")
