"""Profiles: what people tell about themselves, and how rooms hear of it."""

from homeserver_world import User, refused
from rooms import create, done, invite, join, member, part, put_state
from trinity import eventually

AVATAR = "mxc://hs.test/abc"


def profile(user, key=None):
    return f"/profile/{part(user.id)}" + (f"/{part(key)}" if key else "")


def name_is(user, name):
    assert user.put(profile(user, "displayname"), {"displayname": name}).json == {}


# ---- fields


def test_fields_are_set_shown_and_removed(home):
    ann = home.user("fields.ann")
    name_is(ann, "Ann ü")
    assert ann.put(profile(ann, "avatar_url"), {"avatar_url": AVATAR}).status == 200
    assert ann.put(profile(ann, "m.tz"), {"m.tz": "Europe/Paris"}).status == 200
    assert ann.put(profile(ann, "org.example.x"), {"org.example.x": {"a": [None]}}).status == 200
    assert home.anybody.get(profile(ann)).json == {
        "displayname": "Ann ü", "avatar_url": AVATAR, "m.tz": "Europe/Paris",
        "org.example.x": {"a": [None]}}
    assert home.anybody.get(profile(ann, "m.tz")).json == {"m.tz": "Europe/Paris"}
    assert ann.delete(profile(ann, "m.tz")).json == {}
    assert ann.delete(profile(ann, "m.tz")).json == {}
    refused(ann.get(profile(ann, "m.tz")), 404, "M_NOT_FOUND")


def test_a_new_user_has_an_empty_profile(home):
    ann = home.user("empty.ann")
    assert ann.get(profile(ann)).json == {}
    refused(ann.get(profile(ann, "displayname")), 404, "M_NOT_FOUND")


def test_unknown_users_have_none(home):
    refused(home.anybody.get("/profile/@nobody:hs.test"), 404, "M_NOT_FOUND")
    refused(home.anybody.get("/profile/@nobody:hs.test/displayname"), 404, "M_NOT_FOUND")
    refused(home.anybody.get("/profile/@ann:other.example"), 404, "M_NOT_FOUND")
    refused(home.anybody.get("/profile/nobody"), 400, "M_INVALID_PARAM")


def test_an_empty_name_is_none(home):
    ann = home.user("noname.ann")
    name_is(ann, "Ann")
    name_is(ann, "")
    refused(ann.get(profile(ann, "displayname")), 404, "M_NOT_FOUND")


def test_profiles_are_their_users(home):
    ann, bob = home.user("own.ann.p"), home.user("own.bob.p")
    refused(bob.put(profile(ann, "displayname"), {"displayname": "X"}), 403, "M_FORBIDDEN")
    refused(bob.delete(profile(ann, "displayname")), 403, "M_FORBIDDEN")
    refused(home.anybody.put(profile(ann, "displayname"), {"displayname": "X"}),
            401, "M_MISSING_TOKEN")


WRONG = [
    ("displayname", {"displayname": "n" * 257}, "M_INVALID_PARAM"),
    ("displayname", {"displayname": 3}, "M_BAD_JSON"),
    ("displayname", {"name": "Ann"}, "M_MISSING_PARAM"),
    ("avatar_url", {"avatar_url": "http://hs.test/abc"}, "M_INVALID_PARAM"),
    ("avatar_url", {"avatar_url": "mxc://hs.test"}, "M_INVALID_PARAM"),
    ("avatar_url", {"avatar_url": "mxc://hs.test/.."}, "M_INVALID_PARAM"),
    ("avatar_url", {"avatar_url": "mxc://hs.test/a/b"}, "M_INVALID_PARAM"),
    ("avatar_url", {"avatar_url": "mxc://hs.test/a%2Fb"}, "M_INVALID_PARAM"),
    ("avatar_url", {"avatar_url": "mxc://../abc"}, "M_INVALID_PARAM"),
    ("Custom", {"Custom": 1}, "M_INVALID_PARAM"),
    ("org." + "x" * 252, {"org." + "x" * 252: 1}, "M_KEY_TOO_LARGE"),
    ("org.example", {"org.example": "x" * 65536}, "M_PROFILE_TOO_LARGE"),
]


def test_what_may_not_be_in_a_profile(home):
    ann = home.user("wrong.ann")
    for key, body, errcode in WRONG:
        refused(ann.put(profile(ann, key), body), 400, errcode)
    assert ann.get(profile(ann)).json == {}


def test_guests_have_a_name_only(make_home):
    home = make_home({"registration": {"guests": True}}).start()
    guest = User(home, done(home.anybody.post("/register?kind=guest")))
    name_is(guest, "Guest")
    assert guest.get(profile(guest)).json == {"displayname": "Guest"}
    refused(guest.put(profile(guest, "avatar_url"), {"avatar_url": AVATAR}),
            403, "M_GUEST_ACCESS_FORBIDDEN")
    refused(guest.delete(profile(guest, "m.tz")), 403, "M_GUEST_ACCESS_FORBIDDEN")
    assert guest.delete(profile(guest, "displayname")).json == {}


# ---- by configuration


def test_an_operator_may_give_names(make_home):
    home = make_home({"profiles": {"new_displayname": "localpart", "locked": ["displayname"]}}).start()
    ann = home.user("ann")
    assert ann.get(profile(ann)).json == {"displayname": "ann"}
    refused(ann.put(profile(ann, "displayname"), {"displayname": "X"}), 403, "M_FORBIDDEN")
    refused(ann.delete(profile(ann, "displayname")), 403, "M_FORBIDDEN")
    assert ann.put(profile(ann, "m.tz"), {"m.tz": "UTC"}).status == 200
    can = done(ann.get("/capabilities"))["capabilities"]
    assert can["m.profile_fields"] == {"enabled": True, "disallowed": ["displayname"]}
    assert can["m.set_displayname"] == {"enabled": False}
    assert can["m.set_avatar_url"] == {"enabled": True}


def test_profiles_may_be_for_users_only(make_home):
    home = make_home({"profiles": {"look_up": "users"}}).start()
    ann, bob = home.user("ann"), home.user("bob")
    refused(home.anybody.get(profile(ann)), 401, "M_MISSING_TOKEN")
    assert bob.get(profile(ann)).status == 200


def test_profiles_may_be_for_those_one_can_see(make_home):
    home = make_home({"profiles": {"look_up": "visible"}}).start()
    ann, bob, eve = (home.user(name) for name in ("ann", "bob", "eve"))
    room = create(ann)
    invite(ann, room, bob)
    join(bob, room)
    assert bob.get(profile(ann)).status == 200
    assert ann.get(profile(ann)).status == 200
    refused(eve.get(profile(ann)), 403, "M_FORBIDDEN")
    refused(eve.get("/profile/@nobody:hs.test"), 403, "M_FORBIDDEN")
    create(ann, preset="public_chat")
    assert eve.get(profile(ann)).status == 200


# ---- in rooms


def test_who_joins_brings_their_name(home):
    ann, bob = home.user("brings.ann"), home.user("brings.bob")
    name_is(bob, "Bob")
    room = create(ann, preset="public_chat")
    join(bob, room)
    assert member(ann, room, bob) == {"membership": "join", "displayname": "Bob"}


def test_rooms_hear_of_a_new_name(home):
    ann, bob = home.user("hear.ann"), home.user("hear.bob")
    rooms = [create(ann, preset="public_chat") for _ in range(3)]
    for room in rooms:
        join(bob, room)
    name_is(bob, "Bob")
    assert bob.put(profile(bob, "avatar_url"), {"avatar_url": AVATAR}).status == 200
    wanted = {"membership": "join", "displayname": "Bob", "avatar_url": AVATAR}
    eventually(lambda: all(member(ann, room, bob) == wanted for room in rooms))


def test_a_kill_does_not_keep_rooms_from_hearing(make_home):
    home = make_home().start()
    ann = home.user("ann")
    rooms = [create(ann) for _ in range(20)]
    name_is(ann, "Ann")
    home.daemon.kill()
    home.daemon.start()
    eventually(lambda: all(member(ann, room, ann).get("displayname") == "Ann" for room in rooms))


# ---- the user directory


def search(user, term, **more):
    """The names that are found."""
    reply = done(user.post("/user_directory/search", {"search_term": term, **more}))
    return [found["user_id"][1:].partition(":")[0] for found in reply["results"]]


def test_people_are_found_by_their_names(home):
    ann, bob = home.user("dirann"), home.user("dirbob")
    name_is(bob, "Bernard Ülrich")
    join(bob, create(ann, preset="public_chat"))
    assert search(ann, "dirbob") == ["dirbob"]
    assert search(ann, "bernard") == ["dirbob"]
    assert search(ann, "ÜLR BERN") == ["dirbob"]
    assert search(ann, "Bernadette") == []
    assert search(ann, " ") == []
    assert done(ann.post("/user_directory/search", {"search_term": "dirbo"})) == {
        "limited": False,
        "results": [{"user_id": bob.id, "display_name": "Bernard Ülrich"}]}


def test_people_are_found_who_can_be_seen(home):
    ann, bob, eve = (home.user(f"hid{name}") for name in ("ann", "bob", "eve"))
    assert search(ann, "hid") == []
    room = create(ann)
    invite(ann, room, bob)
    assert search(ann, "hid") == []
    join(bob, room)
    assert search(ann, "hid") == ["hidbob"]
    assert search(eve, "hid") == []
    create(bob, preset="public_chat")
    assert search(eve, "hid") == ["hidbob"]


def test_a_name_of_one_room_is_not_for_strangers(home):
    """What somebody is called in a private room stays there."""
    ann, bob, eve = (home.user(f"nick{name}") for name in ("ann", "bob", "eve"))
    room = create(ann)
    invite(ann, room, bob)
    join(bob, room)
    put_state(bob, room, "m.room.member", {"membership": "join", "displayname": "Secret"}, bob.id)
    assert member(ann, room, bob)["displayname"] == "Secret"
    create(bob, preset="public_chat")
    assert search(eve, "secret") == []
    assert eve.get(profile(bob)).json == {}


def test_a_search_has_its_limits(home):
    ann = home.user("limann")
    room = create(ann, preset="public_chat")
    for number in range(3):
        join(home.user(f"limited{number}"), room)
    assert search(ann, "limited", limit=2) == ["limited0", "limited1"]
    reply = done(ann.post("/user_directory/search", {"search_term": "limited", "limit": 2}))
    assert reply["limited"] is True
    assert len(search(ann, "limited", limit=10 ** 9)) == 3
    for body, status, errcode in (({"search_term": "x", "limit": 0}, 400, "M_INVALID_PARAM"),
                                  ({"search_term": 1}, 400, "M_BAD_JSON"),
                                  ({}, 400, "M_MISSING_PARAM"),
                                  ({"search_term": "x" * 2 ** 20}, 413, "M_TOO_LARGE")):
        refused(ann.post("/user_directory/search", body), status, errcode)


def test_an_operator_may_let_everybody_be_found(make_home):
    home = make_home({"user_directory": {"all_users": True}}).start()
    ann, _bob = home.user("ann"), home.user("bob")
    assert search(ann, "bob") == ["bob"]
