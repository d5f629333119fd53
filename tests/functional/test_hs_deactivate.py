"""The end of an account: nothing of it works, nothing of it is shown, and its name stays taken."""

import pytest

from contact_world import World
from homeserver_world import PASSWORD, refused

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
    shown = reader.get(f"/profile/{user.id}")
    assert shown.status == 404 or "displayname" not in shown.json


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
    shown = home.admin("GET", f"/admin/v1/users/{user.id}")
    if shown.status == 200:
        assert shown.json.get("erased", True)


def test_an_end_that_was_cut_short_is_brought_to_its_end(make_home):
    """The account is gone with its transaction; what takes longer goes on after a kill."""
    home = make_home().start()
    user = home.user("victim")
    friend = home.user("witness")
    room = friend.post("/createRoom", {"preset": "public_chat"}).json["room_id"]
    assert user.post(f"/join/{room}").status == 200
    ended(user)
    home.homeserver.kill()
    home.homeserver.start()
    refused(home.log_in("victim"), 403, "M_USER_DEACTIVATED")
    assert friend.get(f"/rooms/{room}/state/m.room.member/{user.id}").json["membership"] == "leave"


@pytest.mark.parametrize("body", [{"erase": "yes"}, {"id_server": 5}])
def test_what_makes_no_sense_is_refused(home, body):
    refused(home.user(None).post(END, body), 400, "M_BAD_JSON")
