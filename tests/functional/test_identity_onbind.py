"""Homeservers are told of the invites of those who bind: each once, none lost, whatever fails."""

import asyncio
import concurrent.futures
import itertools
import time
import urllib.parse

import pytest

import bind_world
import fakenet
from bind_world import only, refused, say, take
from identity_world import V1
from mail_world import NO_LIMITS
from trinity import eventually

WORLD = bind_world.World
CONFIGURATION = {"limits": NO_LIMITS}
DAY_S = 24 * 3600
FIRST_PAUSE_S = 7  # five and a bit
_number = itertools.count()


@pytest.fixture
def bob(people):
    return people.person("@bob:inviter.test")


@pytest.fixture
def server(people):
    """A homeserver of the test's own, and somebody there who may be invited."""
    made = people.homeserver(f"guests{next(_number)}.test")
    made.guest = people.person(f"@guest:{made.name}")
    made.address = f"guest@{made.name}"
    return made


def is_valid(people, invite, number=1):
    """The ephemeral key of an invite, or (0) the long-term one, asked for as rooms do."""
    key = invite["public_keys"][number]
    path = urllib.parse.urlsplit(key["key_validity_url"]).path
    query = urllib.parse.urlencode({"public_key": key["public_key"]})
    return people.anybody.get(f"{path}?{query}").json["valid"]


def told(server, count=1):
    """The notices, once there are so many."""
    eventually(lambda: len(server.notices) >= count)
    return server.notices


def all_is_told(people):
    eventually(lambda: people.waiting("onbind") == 0)


def rooms_of(notices):
    return sorted(room for notice in notices for room in notice.rooms)


# ---- what is said


def test_the_homeserver_of_the_user_hears_of_the_invite(people, bob, server):
    invite = bob.invites(server.address, "!room:inviter.test")
    bound = server.guest.has_bound(server.address)
    (notice,) = told(server)
    assert notice.method == "POST" and notice.headers["content-type"] == "application/json"
    assert "authorization" not in notice.headers
    people.verify(notice.body)
    (told_invite,) = notice.body["invites"]
    fields = ("medium", "address", "mxid", "ts", "not_before", "not_after")
    assert {name: notice.body[name] for name in fields} == {name: bound[name] for name in fields}
    proof = told_invite.pop("signed")
    assert told_invite == {"medium": "email", "address": server.address, "sender": bob.id,
                           "room_id": "!room:inviter.test", "token": invite["token"],
                           "mxid": server.guest.id}
    assert proof.keys() == {"mxid", "token", "signatures"}
    assert (proof["mxid"], proof["token"]) == (server.guest.id, invite["token"])
    people.verify(proof)
    assert people.homeserver("inviter.test").notices == []


def test_who_was_not_invited_is_nobodys_news(people, server):
    server.guest.has_bound(server.address)
    all_is_told(people)
    assert server.notices == []


def test_every_room_gets_a_notice_of_its_own(people, bob, server):
    rooms = [f"!room{i}:inviter.test" for i in range(12)]
    for room in rooms:
        bob.invites(server.address, room)
    server.guest.has_bound(server.address)
    all_is_told(people)
    assert rooms_of(server.notices) == sorted(rooms)
    assert {len(notice.rooms) for notice in server.notices} == {1}


@pytest.mark.parametrize("status", [404, 405])
def test_who_does_not_know_post_gets_one_put(people, bob, server, status):
    server.mood = lambda me, notice: (take if notice.method == "PUT" else say(status))(me, notice)
    bob.invites(server.address, "!room:inviter.test")
    server.guest.has_bound(server.address)
    all_is_told(people)
    post, put = server.notices
    assert (post.method, put.method) == ("POST", "PUT") and post.body == put.body


def test_who_only_knows_post_gets_no_put(people, bob, server):
    server.mood = only("POST")
    bob.invites(server.address, "!room:inviter.test")
    server.guest.has_bound(server.address)
    all_is_told(people)
    assert [notice.method for notice in server.notices] == ["POST"]


# ---- what happens to the invite


def test_a_key_is_valid_until_its_invite_has_arrived(people, bob, server):
    invite = bob.invites(server.address, "!room:inviter.test")
    assert is_valid(people, invite)
    server.guest.has_bound(server.address)
    all_is_told(people)
    assert server.notices and not is_valid(people, invite)
    assert is_valid(people, invite, 0), "the long-term key is for ever"


def test_an_address_that_is_bound_again_tells_nobody_again(people, bob, server):
    bob.invites(server.address, "!room:inviter.test")
    server.guest.has_bound(server.address)
    all_is_told(people)
    server.guest.has_bound(server.address)
    other = people.person(f"@other:{server.name}")
    other.has_bound(server.address)
    all_is_told(people)
    assert len(server.notices) == 1


def test_an_invite_after_unbinding_is_the_only_one_that_is_told(people, bob, server):
    bob.invites(server.address, "!old:inviter.test")
    server.guest.has_bound(server.address)
    all_is_told(people)
    content = server.guest.unbind_content(server.address)
    assert people.unbind(content, server.authorization(content)).status == 200
    bob.invites(server.address, "!new:inviter.test")
    server.guest.has_bound(server.address)
    all_is_told(people)
    assert [notice.rooms for notice in server.notices] == [["!old:inviter.test"],
                                                           ["!new:inviter.test"]]


def test_no_invite_slips_past_a_bind(people, bob, server):
    """Whatever comes first: it is stored and told of, or refused because the address is taken."""
    session = server.guest.proves(server.address)
    rooms = [f"!race{i}:inviter.test" for i in range(40)]

    def invite(room):
        return bob.post("/store-invite", {"medium": "email", "address": server.address,
                                          "room_id": room, "sender": bob.id})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = [pool.submit(invite, room) for room in rooms[:20]]
        bound = pool.submit(session.bind, server.guest.id)
        replies += [pool.submit(invite, room) for room in rooms[20:]]
        statuses = [reply.result().status for reply in replies]
    assert bound.result().status == 200 and set(statuses) <= {200, 400}, statuses
    refused(invite("!late:inviter.test"), 400, "M_THREEPID_IN_USE")
    all_is_told(people)
    stored = [room for room, status in zip(rooms, statuses) if status == 200]
    assert rooms_of(server.notices) == sorted(stored)


def test_after_the_bind_the_token_still_signs(people, bob, server):
    bob.invites(server.address, "!room:inviter.test",
                **{"org.matrix.web_client_location": "https://web.test"})
    (mail,) = people.sink.wait_for(1, server.address)
    sign_url = urllib.parse.parse_qs(mail.link.partition("?")[2])["signurl"][0]
    query = urllib.parse.urlsplit(sign_url).query
    target = f"{V1}/sign-ed25519?{query}&mxid={urllib.parse.quote(server.guest.id)}"
    before = people.anybody.post(target, b"").json
    server.guest.has_bound(server.address)
    all_is_told(people)
    reply = people.anybody.post(target, b"")
    assert reply.status == 200 and reply.json == before, reply


def test_the_address_of_an_invite_is_found_in_any_case(people, bob, server):
    bob.invites(f"GUEST@{server.name}", "!room:inviter.test")
    server.guest.has_bound(server.address)
    all_is_told(people)
    assert server.notices[0].body["invites"][0]["address"] == server.address


# ---- what fails


def bind_on_v1(people, address, user_id):
    """v1 has no accounts, so anybody may say anything about the user's server."""
    session = people.person("@bob:inviter.test").proves(address, base=V1)
    assert session.bind(user_id).status == 200


@pytest.fixture
def lonely(make_people):
    """A service that one test may stop, kill, and take through time."""
    made = make_people(CONFIGURATION).start()
    made.bob = made.person("@bob:inviter.test")
    made.server = made.homeserver("guests.test")
    made.guest = made.person("@guest:guests.test")
    made.address = "guest@guests.test"
    made.bob.invites(made.address, "!room:inviter.test")
    return made


def killed(people, seconds):
    people.identity.kill()
    people.clock.jump(people.clock.seconds + seconds)
    people.identity.start()


REFUSALS = {"500": say(500), "403": say(403), "400": say(400), "429": say(429), "405": say(405),
            "307": lambda _server, _notice: fakenet.redirect(
                f"https://says500.test:8448{bind_world.ONBIND}", 307)}


@pytest.mark.parametrize("again", [killed, bind_world.World.after], ids=["killed", "stopped"])
def test_who_could_not_take_it_is_told_later(lonely, again):
    """A key is valid until then: the homeserver asks for that before it lets the user in."""
    servers, invites = [lonely.homeserver(f"says{status}.test") for status in REFUSALS], []
    for server, mood in zip(servers, REFUSALS.values()):
        server.mood = mood
        invites.append(lonely.bob.invites(f"guest@{server.name}", "!room:inviter.test"))
        bind_on_v1(lonely, f"guest@{server.name}", f"@guest:{server.name}")
    eventually(lambda: all(server.notices for server in servers))
    assert {invite["mxid"] for notice in servers[0].notices
            for invite in notice.body["invites"]} == {"@guest:says500.test"}, "no redirect"
    assert all(is_valid(lonely, invite) for invite in invites)
    for server in servers:
        server.mood = take
    again(lonely, FIRST_PAUSE_S)
    all_is_told(lonely)
    assert not any(is_valid(lonely, invite) for invite in invites)
    last = [server.notices[-1] for server in servers]
    assert [server.notices[0].body for server in servers] == [notice.body for notice in last]
    again(lonely, DAY_S)
    all_is_told(lonely)
    assert [server.notices[-1] for server in servers] == last, "and not once more"


async def hang(_server, _notice):
    await asyncio.sleep(60)


def test_nobody_waits_for_a_homeserver_that_hangs_and_a_kill_meanwhile_loses_nothing(lonely):
    lonely.server.mood = hang
    began = time.monotonic()
    lonely.guest.has_bound(lonely.address)
    eventually(lambda: lonely.server.begun == 1)
    other = lonely.homeserver("quick.test")
    lonely.bob.invites("x@quick.test", "!room:inviter.test")
    lonely.person("@x:quick.test").has_bound("x@quick.test")
    assert rooms_of(told(other)) == ["!room:inviter.test"]
    assert time.monotonic() - began < 20 and lonely.server.notices == []
    lonely.server.mood = take
    eventually(lambda: lonely.waiting("onbind") == 1)  # what is not noted yet is told again
    killed(lonely, 0)
    all_is_told(lonely)
    assert rooms_of(lonely.server.notices) == ["!room:inviter.test"] and len(other.notices) == 1


def test_a_room_that_fails_takes_no_other_with_it(lonely):
    rooms = [f"!{name}:inviter.test" for name in ("good", "bad", "fine")]
    for room in rooms:
        lonely.bob.invites(lonely.address, room)

    def moody(me, notice):
        return (say(500) if "!bad:inviter.test" in notice.rooms else take)(me, notice)

    lonely.server.mood = moody
    lonely.guest.has_bound(lonely.address)
    eventually(lambda: lonely.waiting("onbind") == 1 and len(lonely.server.notices) >= 4)
    killed(lonely, FIRST_PAUSE_S)
    eventually(lambda: rooms_of(lonely.server.notices).count("!bad:inviter.test") >= 2)
    lonely.server.mood = take
    killed(lonely, 3 * FIRST_PAUSE_S)
    all_is_told(lonely)
    said = rooms_of(lonely.server.notices)
    assert [said.count(room) for room in ("!good:inviter.test", "!fine:inviter.test")] == [1, 1]


def test_after_two_weeks_it_is_given_up(lonely):
    lonely.server.mood = say(500)
    lonely.guest.has_bound(lonely.address)
    eventually(lambda: lonely.server.notices)
    lonely.after(13 * DAY_S)
    eventually(lambda: len(lonely.server.notices) == 2)
    assert lonely.waiting("onbind") == 1
    lonely.after(2 * DAY_S)
    all_is_told(lonely)
    lonely.server.mood = take
    lonely.after(DAY_S)
    all_is_told(lonely)
    assert len(lonely.server.notices) <= 3
    assert "a homeserver was not told of an invite; it is given up" in lonely.identity.log()


def test_a_homeserver_that_was_away_is_told_when_it_is_back(lonely):
    bind_on_v1(lonely, lonely.address, f"@guest:{lonely.homeservers.dead('late.test')}")
    eventually(lambda: "late.test" in [name for name, _ in lonely.net.dns.queries])
    back = lonely.homeservers.add("late.test")
    lonely.after(FIRST_PAUSE_S)
    assert told(back)[0].rooms == ["!room:inviter.test"]


# ---- who is not told


def test_an_invite_that_was_over_is_not_told(make_people):
    people = make_people(CONFIGURATION | {"invites": {"expire_days": 7}}).start()
    bob, server = people.person("@bob:inviter.test"), people.homeserver("guests.test")
    invite = bob.invites("guest@guests.test", "!old:inviter.test")
    assert is_valid(people, invite)
    people.clock.jump(8 * DAY_S)
    assert not is_valid(people, invite) and is_valid(people, invite, 0)
    bob.invites("guest@guests.test", "!new:inviter.test")
    bind_on_v1(people, "guest@guests.test", "@guest:guests.test")
    all_is_told(people)
    assert rooms_of(server.notices) == ["!new:inviter.test"]


def test_a_server_with_another_servers_certificate_is_not_told(lonely):
    impostor = lonely.homeserver("impostor.test")
    lonely.net.dns.set("wanted.test", "A", impostor.host.address)
    bind_on_v1(lonely, lonely.address, "@guest:wanted.test")
    eventually(lambda: impostor.host.connections > 0)
    lonely.after(FIRST_PAUSE_S)
    eventually(lambda: impostor.host.connections > 1)
    assert impostor.notices == [] and lonely.waiting("onbind") == 1


def test_nobody_inside_is_told(make_people):
    """What looks like a homeserver leads into the operator's own network: no packet, and it is
    tried again as if it were away, because names move."""
    people = make_people(CONFIGURATION)
    inner = people.homeserver("inner.test")
    people.net.dns.set("inside.test", "A", inner.host.address)
    outbound = people.identity.configuration["outbound"]
    outbound["deny"] = [f"{inner.host.address}/32", "127.0.0.1/32"]
    people.identity.write_configuration()
    people.start()
    hosts = "127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", inner.host.address
    names = ["inside.test", *(f"{host}:{inner.host.port}" for host in hosts)]
    for i, name in enumerate(names):
        people.person("@bob:inviter.test").invites(f"guest{i}@x.test", "!room:inviter.test")
        bind_on_v1(people, f"guest{i}@x.test", f"@guest:{name}")
    people.after(FIRST_PAUSE_S)
    people.person("@bob:inviter.test").proves("later@x.test")
    assert people.waiting("onbind") == len(names) and inner.host.connections == 0


def test_what_is_stored_for_a_bound_address_names_its_user(people, bob, server):
    server.guest.has_bound(server.address)
    reply = bob.post("/store-invite", {"medium": "email", "address": server.address.upper(),
                                       "room_id": "!room:inviter.test", "sender": bob.id})
    assert refused(reply, 400, "M_THREEPID_IN_USE").json["mxid"] == server.guest.id
    eventually(lambda: people.waiting("mail") == 0)
    assert len(people.sink.mails_to(server.address)) == 2, "the token, the alarm, and no invite"
