"""Unbinding: by whoever proved the address, or by the user's homeserver. Homeservers take a 400,
404 or 501 for "cannot be unbound" and forget the binding, so a proof that fails is 401 or 403."""

import asyncio
import concurrent.futures
import itertools
import json
import threading

import pytest
from signedjson.key import decode_signing_key_base64

import bind_world
from bind_world import refused
from identity_world import V1, V2
from mail_world import NO_LIMITS
from trinity import eventually

WORLD = bind_world.World
PLENTY = {"burst": 1000000, "per_day": 1000000}
CONFIGURATION = {
    "public_base_url": "https://id.test:8090/base",
    "binding": {"names": ["alias.test/path", "[::1]:8090"]},
    "limits": NO_LIMITS | {"lookup_misses": PLENTY},
}
UNBIND = "/3pid/unbind"
_number = itertools.count()


@pytest.fixture
def ann(people):
    """Somebody with a bound address of the test's own."""
    person = people.person(f"@ann{next(_number)}:hs.test")
    person.address = f"{person.id[1:].partition(':')[0]}@unbind.test"
    person.session = person.proves(person.address)
    assert person.session.bind(person.id).status == 200
    person.content = person.unbind_content(person.address)
    return person


@pytest.fixture
def server(people):
    return people.homeserver("hs.test")


def is_unbound(people, person, reply):
    assert reply.status == 200 and reply.json == {}, reply
    return people.found(person.address) is None


def is_refused(people, person, reply, status, errcode):
    refused(reply, status, errcode)
    assert people.found(person.address) == person.id
    return True


# ---- signed by the homeserver


@pytest.mark.parametrize("base", [V1, V2])
@pytest.mark.parametrize("member", ["destination_is", "destination"])
def test_a_homeserver_unbinds_its_users(people, ann, server, base, member):
    header = server.authorization(ann.content, base + UNBIND, member=member)
    assert is_unbound(people, ann, people.unbind(ann.content, header, base + UNBIND))


def test_unbinding_twice_is_no_mistake(people, ann, server):
    header = server.authorization(ann.content)
    assert is_unbound(people, ann, people.unbind(ann.content, header))
    assert is_unbound(people, ann, people.unbind(ann.content, header))


@pytest.mark.parametrize("name", [
    "id.test", "id.test:8090", "id.test:8090/base", "alias.test/path", "[::1]:8090"])
def test_the_service_goes_by_all_its_names(people, ann, server, name):
    """What the user's client typed is what the homeserver signs."""
    header = server.authorization(ann.content, destination=name)
    assert is_unbound(people, ann, people.unbind(ann.content, header))


@pytest.mark.parametrize("name", ["", "alias.test", "other.test", "id.test:8091", "ID.TEST",
                                  "id.test/", "id.test:8090/base/"])
def test_a_signature_for_another_service_is_none(people, ann, server, name):
    header = server.authorization(ann.content, destination=name)
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")
    header = server.authorization(ann.content) + f',destination="{name}"'
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")


SPELLINGS = {
    "other order": 'X-Matrix sig="{sig}",key="{key}",origin="{origin}"',
    "spaces": 'X-Matrix origin="{origin}" , key="{key}" ,  sig="{sig}"',
    "upper case": 'x-matrix ORIGIN="{origin}",Key="{key}",SIG="{sig}"',
    "no quotes": 'X-Matrix origin={origin},key={key},sig="{sig}"',
    "unknown": 'X-Matrix origin="{origin}",key="{key}",sig="{sig}",more="x",destination="id.test"',
    "quoted pair": 'X-Matrix origin="hs\\.test",key="{key}",sig="{sig}"',
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_header_may_be_spelled_in_every_legal_way(people, ann, server, spelling):
    usual = server.authorization(ann.content).removeprefix("X-Matrix ")
    words = dict(word.split("=", 1) for word in usual.split(","))
    header = SPELLINGS[spelling].format(**{name: word.strip('"') for name, word in words.items()})
    assert is_unbound(people, ann, people.unbind(ann.content, header))


def test_what_was_signed_is_what_was_sent(people, ann, server):
    """Its address and query as they are on the wire, its content in any spelling."""
    target = f"{V2}{UNBIND}?a=%20b&c"
    header = server.authorization(ann.content, target)
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")
    header = server.authorization(ann.content, V1 + UNBIND)
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")
    header = server.authorization(ann.content | {"more": 1})
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")
    header = server.authorization(ann.content, target)
    spelled = json.dumps(ann.content, indent=2).replace("@", "\\u0040").encode()
    assert is_unbound(people, ann, people.unbind(spelled, header, target))


@pytest.mark.parametrize("header", [
    None, "", "X-Matrix", "X-Matrix ", "Bearer x", "X-Matrix origin=hs.test", 'X-Matrix sig="',
    'X-Matrix origin="hs.test",key="ed25519:a",sig="AAAA"',
    'X-Matrix origin="hs.test",key="ed25519:a",sig="' + "A" * 86 + '"',
    'X-Matrix origin="hs.test",key="ed25519:unknown",sig="' + "A" * 86 + '"',
    'X-Matrix origin="hs.test",key="rsa:a",sig="' + "A" * 86 + '"',
    'X-Matrix origin="hs.test",key="ed25519:a",sig="' + "A" * 5000 + '"',
], ids=lambda header: str(header)[:50])
def test_without_a_right_signature_nothing_is_unbound(people, ann, header):
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")


@pytest.mark.parametrize("origin, user_id", [
    ("evil.test", "@ann:notevil.test"), ("evil.test", "@ann:evil.test.hs.test"),
    ("evil.test", "@ann:hs.test"), ("evil.test", "@evil.test:hs.test"),
    ("hs.test", "@ann:hs.test:8448"),
])
def test_a_homeserver_speaks_for_its_own_users_only(people, origin, user_id):
    content = {"mxid": user_id, "threepid": {"medium": "email", "address": "x@unbind.test"}}
    header = people.homeserver("evil.test").authorization(content, origin=origin)
    refused(people.unbind(content, header), 403, "M_FORBIDDEN")


def test_a_port_is_not_the_name_of_a_server(people):
    content = {"mxid": "@ann:hs.test:8448", "threepid": {"medium": "email", "address": "a@b.test"}}
    header = people.homeserver("evil.test").authorization(content, origin="8448")
    refused(people.unbind(content, header), 401, "M_FORBIDDEN")


def test_another_servers_key_does_not_sign(people, ann):
    header = people.homeserver("evil.test").authorization(ann.content, origin="hs.test")
    assert is_refused(people, ann, people.unbind(ann.content, header), 401, "M_FORBIDDEN")


def test_a_key_is_asked_for_once_and_its_homeserver_may_be_away(people):
    ann = people.person("@ann:away.test")
    for address in ("one@away.test", "two@away.test"):
        ann.has_bound(address)
    server = people.homeserver("away.test")
    content = ann.unbind_content("one@away.test")
    assert people.unbind(content, server.authorization(content)).status == 200
    assert server.fetches == 1
    server.fault = lambda _origin, exchange: exchange.reset()
    content = ann.unbind_content("two@away.test")
    assert people.unbind(content, server.authorization(content)).status == 200
    assert server.fetches == 1 and people.found("two@away.test") is None


def test_a_homeserver_that_cannot_be_asked_is_not_told_that_it_never_works(people):
    """It would forget the binding: 502 makes it try again."""
    content = {"mxid": "@ann:gone.test", "threepid": {"medium": "email", "address": "x@y.test"}}
    server = people.homeserver("gone.test")
    server.fault = lambda _origin, exchange: exchange.reset()
    reply = people.unbind(content, server.authorization(content))
    refused(reply, 502, "M_UNKNOWN")


def test_servers_that_hang_keep_nobody_from_signing_in(make_people):
    """Anybody may name them, and somebody has to wait for their keys."""
    people = make_people({"limits": NO_LIMITS}).start()
    servers = [people.homeserver(f"hangs{i}.test") for i in range(40)]
    good, released = people.homeserver("good.test"), threading.Event()

    async def hang(_origin, exchange):
        while not released.is_set():
            await asyncio.sleep(0.02)
        exchange.reset()

    for server in servers:
        server.fault = hang

    def unbind(server):
        content = {"mxid": f"@a:{server.name}",
                   "threepid": {"medium": "email", "address": "a@b.test"}}
        return people.unbind(content, server.authorization(content))

    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        futures = [pool.submit(unbind, server) for server in servers]
        eventually(lambda: sum(future.done() for future in futures) > len(servers) / 2)
        assert people.register(good.issue("@x:good.test")).status == 200
        assert not all(future.done() for future in futures), "some still wait"
        released.set()
    replies = [future.result() for future in futures]
    assert {(reply.status, reply.errcode) for reply in replies} == {
        (502, "M_UNKNOWN"), (429, "M_LIMIT_EXCEEDED")}
    assert all(int(reply.headers["Retry-After"]) for reply in replies if reply.status == 429)


def test_the_signed_vector_of_other_services_is_accepted(make_people):
    people = make_people({"server_name": "id.example.org"}).start()
    key = decode_signing_key_base64("ed25519", "a1", bind_world.SPEC_SEED)
    server = people.homeserver("example.org")
    server.keys = {"ed25519:a1": key}
    people.person("@alice:example.org").has_bound("alice@example.com")
    content = {"mxid": "@alice:example.org",
               "threepid": {"address": "alice@example.com", "medium": "email"}}
    for signature in (
        "OMw+ucibeLXcy0xcHxg8PY/GwftAVLgMvToEaFavCAHH5YPwx+aFZQy2nS5DvL92sAwxhRu3i/icS5vZe+UUCQ",
        "SyPCUlnG/Hgo+lfADkvw7VUgnXvLB9GKAQOQjKfGB1eLJ+BYZSWkb87VpkKrRybp6s9ATY9Q/p6eR9u+ZnEVAw"):
        header = f'X-Matrix origin="example.org",key="ed25519:a1",sig="{signature}"'
        assert people.unbind(content, header).json == {}
        assert people.found("alice@example.com") is None
        people.person("@alice:example.org").has_bound("alice@example.com")
        altered = header.replace("OMw", "OMx").replace("SyP", "SyQ")
        refused(people.unbind(content, altered), 401, "M_FORBIDDEN")


# ---- by a session


def by_session(people, person, session, base=V2, **changes):
    body = person.content | {"sid": session.sid, "client_secret": session.secret}
    return people.unbind(body | changes, target=base + UNBIND)


@pytest.mark.parametrize("base", [V1, V2])
def test_who_proved_the_address_may_unbind_it(people, ann, base):
    assert is_unbound(people, ann, by_session(people, ann, ann.session, base))
    assert is_unbound(people, ann, by_session(people, ann, ann.session, base))


def test_another_person_who_proves_it_unbinds_only_themselves(people, ann):
    bob = people.person("@bob:hs.test")
    session = bob.proves(ann.address)
    reply = by_session(people, ann, session, mxid=bob.id)
    assert reply.status == 200 and people.found(ann.address) == ann.id
    assert is_unbound(people, ann, by_session(people, ann, session))


def test_a_session_of_another_address_proves_nothing(people, ann):
    other = people.person("@bob:hs.test").proves("other@unbind.test")
    reply = by_session(people, ann, other)
    assert is_refused(people, ann, reply, 403, "M_FORBIDDEN")


def test_letters_are_folded_on_every_side(people, ann):
    threepid = {"medium": "email", "address": ann.address.upper()}
    assert is_unbound(people, ann, by_session(people, ann, ann.session, threepid=threepid))


def test_who_knows_no_session_proves_nothing(people, ann):
    for changes in ({"client_secret": "wrong"}, {"sid": "unknown"}):
        reply = by_session(people, ann, ann.session, **changes)
        assert is_refused(people, ann, reply, 401, "M_NO_VALID_SESSION")
    unproved = people.validation(ann, ann.address, secret="another").asked()
    reply = by_session(people, ann, unproved)
    assert is_refused(people, ann, reply, 403, "M_SESSION_NOT_VALIDATED")


def test_half_of_a_session_is_none(people, ann, server):
    """Then only a signature counts."""
    for name in ("sid", "client_secret"):
        body = ann.content | {name: "x"}
        assert is_refused(people, ann, people.unbind(body), 401, "M_FORBIDDEN")
    assert is_unbound(people, ann, people.unbind(body, server.authorization(body)))


def test_a_session_is_over_after_a_day(make_people):
    people = make_people(CONFIGURATION).start()
    ann = people.person("@ann:hs.test")
    ann.content = ann.unbind_content("ann@unbind.test")
    session = ann.proves("ann@unbind.test")
    assert session.bind(ann.id).status == 200
    people.clock.jump(25 * 3600)
    refused(by_session(people, ann, session), 403, "M_SESSION_EXPIRED")
    assert people.found("ann@unbind.test") == ann.id


# ---- what is asked for


@pytest.mark.parametrize("change", [
    {"mxid": None}, {"threepid": None}, {"threepid": {}}, {"threepid": {"medium": "email"}},
    {"threepid": {"address": "a@b.test"}}], ids=str)
def test_what_is_missing_is_named(people, change):
    body = {"mxid": "@a:hs.test", "threepid": {"medium": "email", "address": "a@b.test"}} | change
    body = {key: value for key, value in body.items() if value is not None}
    refused(people.unbind(body), 400, "M_MISSING_PARAMS")


@pytest.mark.parametrize("body, errcode", [
    (b"", "M_BAD_JSON"), (b"[]", "M_BAD_JSON"), (b"{bad", "M_BAD_JSON"), (b"null", "M_BAD_JSON"),
    ({"mxid": "ann", "threepid": {"medium": "email", "address": "a@b.test"}}, "M_INVALID_PARAM"),
    ({"mxid": "@a:hs.test", "threepid": "a@b.test"}, "M_BAD_JSON"),
    ({"mxid": "@a:hs.test", "threepid": {"medium": 1, "address": "a@b.test"}}, "M_BAD_JSON"),
    ({"mxid": "@a:hs.test", "threepid": {"medium": "email", "address": "a"}}, "M_INVALID_EMAIL"),
], ids=str)
def test_what_is_no_request_is_refused(people, body, errcode):
    refused(people.unbind(body), 400, errcode)


def test_an_address_that_is_free_may_be_bound_again(people, ann, server):
    assert is_unbound(people, ann, people.unbind(ann.content, server.authorization(ann.content)))
    bob = people.person("@bob:hs.test")
    bob.has_bound(ann.address)
    assert people.found(ann.address) == bob.id
    people.unbind(ann.content, server.authorization(ann.content))
    assert people.found(ann.address) == bob.id, "it is not that user's any more"


def test_browsers_may_read_every_answer(people, ann):
    for reply in (people.unbind({}), people.unbind(ann.content),
                  by_session(people, ann, ann.session)):
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
