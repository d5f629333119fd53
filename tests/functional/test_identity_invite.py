"""Invites by e-mail: storing them, and what rooms and clients ask about them later. What happens
when the invited one comes is told in test_identity_onbind.py."""

import urllib.parse

import pytest
from signedjson.key import decode_signing_key_base64, decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import bind_world
from bind_world import refused
from identity_world import V1, V2
from mail_world import NO_LIMITS, form
from trinity import eventually

WORLD = bind_world.World
BOB = "@bob:hs.test"
INVITE = {"medium": "email", "address": "Alice@Example.com", "room_id": "!room:hs.test",
          "sender": BOB}
CONFIGURATION = {"limits": NO_LIMITS, "invites": {"web_client": "https://web.test/app"}}
HOUR_S = 3600


@pytest.fixture
def bob(people):
    return people.person(BOB)


def stored(client, base=V2, **more):
    reply = client.post(f"{base}/store-invite", INVITE | more)
    assert reply.status == 200, reply
    return reply.json


def is_valid(people, key, spelling=urllib.parse.quote_plus):
    """By the address that came with the key, as the room's server asks."""
    path = urllib.parse.urlsplit(key["key_validity_url"]).path
    reply = people.anybody.get(f"{path}?public_key={spelling(key['public_key'])}")
    assert reply.status == 200
    return reply.json["valid"]


# ---- what the room gets


@pytest.mark.parametrize("base", [V1, V2])
def test_an_invite_names_two_keys_that_are_valid(people, bob, base):
    invite = stored(bob, base)
    assert invite["display_name"] == "Ali...@Exa..."
    long_term, ephemeral = invite["public_keys"]
    assert invite["public_key"] == long_term["public_key"] != ephemeral["public_key"]
    assert long_term["public_key"] == bob.get("/pubkey/ed25519:0").json["public_key"]
    assert is_valid(people, long_term) and is_valid(people, ephemeral)
    for key in long_term, ephemeral:
        assert key["key_validity_url"].startswith("http://id.test/_matrix/identity/api/v1/")


def test_two_invites_have_nothing_in_common(bob):
    first, second = stored(bob), stored(bob)
    assert first["token"] != second["token"]
    assert first["public_keys"][1] != second["public_keys"][1]


def test_a_key_is_known_in_every_spelling(people, bob):
    key = stored(bob)["public_keys"][1]
    for spelling in (str, lambda text: text.replace("+", "-").replace("/", "_"),
                     lambda text: text + "=", lambda text: text.replace("+", "%20")):
        assert is_valid(people, key, spelling)


@pytest.mark.parametrize("base", [V1, V2])
@pytest.mark.parametrize("target", ["/pubkey/isvalid", "/pubkey/ephemeral/isvalid"])
def test_other_keys_are_not_valid(people, base, target):
    for key in ("A" * 43, "%20", "A" * 5000, "%C3%BC", ""):
        reply = people.anybody.get(f"{base}{target}?public_key={key}")
        assert (reply.status, reply.json) == (200, {"valid": False}), reply
    refused(people.anybody.get(base + target), 400, "M_MISSING_PARAMS")


def test_an_ephemeral_key_is_no_long_term_key(people, bob):
    long_term, ephemeral = stored(bob)["public_keys"]
    swapped = {**long_term, "public_key": ephemeral["public_key"]}
    assert not is_valid(people, swapped)
    assert not is_valid(people, {**ephemeral, "public_key": long_term["public_key"]})


@pytest.mark.parametrize("address, name", [
    ("foo@bar.baz", "f...@bar..."), ("ab@cd", None), ("bob@x.io", "b...@x.i..."),
    ("alice@example.com", "ali...@exa..."), ("zoë@exämple.test", "z...@exä..."),
])
def test_the_room_sees_an_address_that_is_not_readable(bob, address, name):
    reply = bob.post("/store-invite", INVITE | {"address": address})
    if name is None:
        refused(reply, 400, "M_INVALID_EMAIL")
    else:
        assert reply.json["display_name"] == name


def test_the_operator_says_how_much_of_an_address_is_seen(make_people):
    people = make_people({"invites": {"local_max": 6, "domain_max": 8}}).start()
    bob = people.person(BOB)
    for address, name in (("1234567890@1234567890.com", "123456...@12345678..."),
                          ("1@1.com", "...@1...")):
        assert stored(bob, address=address)["display_name"] == name


def test_keys_outlive_a_restart_and_the_key_that_signed(make_people):
    people = make_people().start()
    invite = stored(people.person(BOB))
    people.rotate_key("ed25519:new")
    people.identity.kill()
    people.identity.start()
    assert all(is_valid(people, key) for key in invite["public_keys"])
    after = stored(people.person(BOB))
    assert after["public_key"] != invite["public_key"]
    people.identity.reload(keys=people.identity.configuration["keys"] | {
        "revoked": [invite["public_key"]]})
    eventually(lambda: not is_valid(people, invite["public_keys"][0]))
    assert is_valid(people, after["public_keys"][0]) and is_valid(people, invite["public_keys"][1])


def test_keys_are_answered_for_whatever_is_switched_off(make_people):
    off = ["accounts", "lookup", "validation", "binding", "invites",
           "v1_lookup", "v1_validation", "v1_binding", "v1_invites"]
    people = make_people().start()
    invite = stored(people.anybody, V1)
    people.identity.stop()
    people.identity.configuration["endpoints"] = {"off": off}
    people.identity.write_configuration()
    people.identity.start()
    assert all(is_valid(people, key) for key in invite["public_keys"])
    refused(people.anybody.post("/store-invite", INVITE), 404, "M_UNRECOGNIZED")
    refused(people.anybody.post(f"{V1}/store-invite", INVITE), 404, "M_UNRECOGNIZED")


# ---- what may be asked


def test_older_homeservers_send_forms(people):
    reply = people.anybody.post(f"{V1}/store-invite", form(INVITE), headers={
        "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200, reply


def test_more_arguments_of_any_kind_do_no_harm(bob):
    more = {"room_name": {"a": 1}, "sender_display_name": 7, "room_type": None,
            "room_alias": "#a\r\nBcc: x\u202e{{7*7}}%(token)s" * 200}
    stored(bob, **more)
    stored(bob, room_id="$aroom:fake.test")


@pytest.mark.parametrize("more, status, errcode", [
    ({"medium": "msisdn", "address": "447700900001"}, 400, "M_UNRECOGNIZED"),
    ({"medium": "x"}, 400, "M_UNRECOGNIZED"),
    ({"address": "x@y@z"}, 400, "M_INVALID_EMAIL"),
    ({"address": "x@y.test\r\nBcc: z@y.test"}, 400, "M_INVALID_EMAIL"),
    ({"sender": "@eve:hs.test"}, 403, "M_UNAUTHORIZED"),
    ({"sender": "@bob"}, 400, "M_INVALID_PARAM"),
    ({"sender": "bob:hs.test"}, 400, "M_INVALID_PARAM"),
    ({"sender": ""}, 400, "M_INVALID_PARAM"),
    ({"room_id": ""}, 400, "M_INVALID_PARAM"),
    ({"room_id": "!" + "r" * 300}, 400, "M_INVALID_PARAM"),
    ({"address": 1}, 400, "M_BAD_JSON"),
], ids=lambda value: str(value)[:40])
def test_what_is_no_invite_is_refused(bob, more, status, errcode):
    refused(bob.post("/store-invite", INVITE | more), status, errcode)


@pytest.mark.parametrize("base", [V1, V2])
@pytest.mark.parametrize("name", INVITE)
def test_what_is_missing_is_asked_for(bob, name, base):
    body = {key: value for key, value in INVITE.items() if key != name}
    reply = bob.post(f"{base}/store-invite", body)
    assert name in refused(reply, 400, "M_MISSING_PARAMS").json["error"]


def test_strangers_store_nothing_on_v2(people):
    refused(people.anybody.post("/store-invite", INVITE), 401, "M_UNAUTHORIZED")
    refused(people.anybody.post("/store-invite", {}), 401, "M_UNAUTHORIZED")


def test_a_number_that_is_bound_is_told_before_its_medium_is_refused(people, bob):
    """Whoever it is, an invite by account is the better one."""
    people.person("@ann:hs.test").has_bound("bound@invite.test")
    mails = len(people.sink.wait_for(2, "bound@invite.test"))
    reply = bob.post("/store-invite", INVITE | {"address": "Bound@invite.test"})
    assert refused(reply, 400, "M_THREEPID_IN_USE").json["mxid"] == "@ann:hs.test"
    eventually(lambda: people.waiting("mail") == 0)
    assert len(people.sink.mails_to("bound@invite.test")) == mails


# ---- what the operator does not want


BLOCKED = {"block_keywords": ["CasINO", "straße"], "block_rooms": ["!spam*"],
           "block_servers": ["*.bad.test"], "block_homeservers": ["evil.test"]}
UNWANTED = [
    {"room_name": "The best casinos"}, {"room_alias": "#CASINO:hs.test"},
    {"sender_display_name": "STRASSE"}, {"org.matrix.web_client_location": "https://casino.test"},
    {"anything": "casino"}, {"room_id": "!spam1:hs.test"}, {"room_id": "!x:rooms.bad.test"},
    {"sender": "@eve:evil.test"},
]
WANTED = [{"room_name": "cas ino"}, {"room_name": {"casino": 1}}, {"room_id": "!x:bad.test"},
          {"room_id": "!nospam:hs.test"}, {"sender": "@eve:notevil.test"}]


def test_what_is_blocked_is_refused_and_leaves_nothing(make_people):
    """From the reload on that names it, and no longer than it is named."""
    people = make_people(CONFIGURATION).start()
    people.person("@asker:hs.test")
    for more in UNWANTED:
        stored(people.anybody, V1, address="before@invite.test", **more)
    people.sink.wait_for(len(UNWANTED), "before@invite.test")

    people.identity.reload(invites=BLOCKED)
    refused_one = INVITE | UNWANTED[0]
    eventually(lambda: people.anybody.post(f"{V1}/store-invite", refused_one).status == 403)
    for more in UNWANTED:
        body = INVITE | {"address": "spam@invite.test"} | more
        refused(people.anybody.post(f"{V1}/store-invite", body), 403, "M_UNAUTHORIZED")
    for more in WANTED:
        stored(people.anybody, V1, address="fine@invite.test", **more)
    people.sink.wait_for(len(WANTED), "fine@invite.test")
    assert people.sink.mails_to("spam@invite.test") == []
    server = people.homeserver("hs.test")
    people.person("@spam:hs.test").has_bound("spam@invite.test")
    eventually(lambda: people.waiting("onbind") == 0)
    assert server.notices == [], "there is no invite to tell of"

    people.identity.reload(invites={})
    eventually(lambda: people.anybody.post(f"{V1}/store-invite", refused_one).status == 200)


def test_a_sender_has_a_budget(make_people):
    limits = NO_LIMITS | {"invites": {"burst": 3, "per_day": 24}}
    people = make_people({"limits": limits}).start()
    bob, ann = people.person(BOB), people.person("@ann:hs.test")
    for _ in range(3):
        stored(bob)
    reply = refused(bob.post("/store-invite", INVITE), 429, "M_LIMIT_EXCEEDED")
    assert 0 < reply.json["retry_after_ms"] <= HOUR_S * 1000 and reply.headers["Retry-After"]
    assert stored(ann, sender=ann.id)
    for sender in ("@a:hs.test", "@b:hs.test", "@c:hs.test"):
        stored(people.anybody, V1, sender=sender)
    reply = people.anybody.post(f"{V1}/store-invite", INVITE | {"sender": "@d:hs.test"})
    refused(reply, 429, "M_LIMIT_EXCEEDED")  # v1 has no accounts: the network pays


def test_an_address_is_not_flooded_by_many_senders(make_people):
    limits = NO_LIMITS | {"invite_address": {"burst": 3, "per_day": 24}}
    people = make_people({"limits": limits}).start()
    senders = [people.person(f"@bot{i}:hs.test") for i in range(4)]
    for sender in senders[:3]:
        stored(sender, sender=sender.id, address="victim@invite.test")
    body = INVITE | {"sender": senders[3].id, "address": "VICTIM@invite.test"}
    reply = refused(senders[3].post("/store-invite", body), 429, "M_LIMIT_EXCEEDED")
    assert 0 < reply.json["retry_after_ms"] <= HOUR_S * 1000
    refused(people.anybody.post(f"{V1}/store-invite", body), 429, "M_LIMIT_EXCEEDED")
    stored(senders[3], sender=senders[3].id, address="other@invite.test")
    people.sink.wait_for(3, "victim@invite.test")
    eventually(lambda: people.waiting("mail") == 0)
    assert len(people.sink.mails_to("victim@invite.test")) == 3


# ---- signing


def mailed(people, bob, address, **more):
    """(token, private key) as the mail's link has them."""
    stored(bob, address=address, **more)
    (mail,) = people.sink.wait_for(1, address)
    assert mail.link.startswith("https://web.test/app/#/room/")
    link = urllib.parse.parse_qs(mail.link.partition("?")[2])
    sign_url = urllib.parse.urlsplit(link["signurl"][0])
    query = urllib.parse.parse_qs(sign_url.query)
    return sign_url.path, query["token"][0], query["private_key"][0]


def query_of(**fields):
    return urllib.parse.urlencode(fields)


def test_the_link_of_the_mail_signs_for_whoever_has_it(people, bob):
    """Clients post everything in the query, with an empty body or null."""
    path, token, seed = mailed(people, bob, "signs@invite.test")
    target = f"{path}?{query_of(token=token, private_key=seed, mxid='@alice:hs.test')}"
    signed = people.anybody.post(target, b"").json
    assert (signed["mxid"], signed["sender"], signed["token"]) == ("@alice:hs.test", BOB, token)
    public = decode_signing_key_base64("ed25519", "0", seed.replace("-", "+").replace("_", "/"))
    key = decode_verify_key_bytes("ed25519:0", bytes(public.verify_key))
    verify_signed_json(dict(signed), "id.test", key)
    for body, headers in ((b"null", {"Content-Type": "application/json"}), (b"null", {})):
        assert people.anybody.post(target, body, headers=headers).json == signed
    padded = seed.replace("-", "+").replace("_", "/") + "="
    for spelling in (padded, seed):
        body = {"token": token, "private_key": spelling, "mxid": "@alice:hs.test"}
        assert people.anybody.post(f"{V1}/sign-ed25519", body).json == signed
        assert bob.post("/sign-ed25519", body).json == signed
    refused(people.anybody.post("/sign-ed25519", body), 401, "M_UNAUTHORIZED")


def test_the_key_that_signs_is_the_one_that_the_room_knows(people, bob):
    invite = stored(bob, address="room@invite.test")
    (mail,) = people.sink.wait_for(1, "room@invite.test")
    link = urllib.parse.parse_qs(mail.link.partition("?")[2])
    seed = urllib.parse.parse_qs(link["signurl"][0].partition("?")[2])["private_key"][0]
    key = decode_signing_key_base64("ed25519", "0", seed.replace("-", "+").replace("_", "/"))
    assert bytes(key.verify_key) == decode_base64(invite["public_keys"][1]["public_key"])


def test_the_link_survives_what_names_are_made_of(people, bob):
    names = {"room_id": "!a#b&c+d%20e:hs.test", "room_name": "Q&A #1 100% <b>+</b>",
             "room_avatar_url": "mxc://hs.test/a%2Fb", "sender_display_name": "Bob & Söhne #+%"}
    stored(bob, address="link@invite.test", **names)
    (mail,) = people.sink.wait_for(1, "link@invite.test")
    fragment = urllib.parse.urlsplit(mail.link).fragment
    path, _, query = fragment.partition("?")
    assert urllib.parse.unquote(path) == f"/room/{names['room_id']}"
    fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    assert fields["room_name"] == names["room_name"]
    assert fields["room_avatar_url"] == names["room_avatar_url"]
    assert fields["email"] == "link@invite.test"


@pytest.mark.parametrize("path", [f"{V1}/sign-ed25519", f"{V2}/sign-ed25519"])
def test_only_the_key_of_the_mail_signs(bob, path):
    token = stored(bob)["token"]

    def sign(**changes):
        fields = {"mxid": "@alice:hs.test", "token": token, "private_key": "A" * 43} | changes
        return bob.post(f"{path}?{query_of(**fields)}", b"")

    for seed in ("A" * 43, "A" * 42, "A" * 200, "", "?", "A" * 43 + "\0"):
        refused(sign(private_key=seed), 400, "M_INVALID_PARAM")
    refused(sign(mxid="alice"), 400, "M_INVALID_PARAM")
    refused(sign(token="unknown"), 404, "M_UNRECOGNIZED")
    refused(bob.get(f"{path}?token={token}"), 405, "M_UNRECOGNIZED")
    refused(bob.post(path, b""), 400, "M_MISSING_PARAMS")


def test_the_key_of_one_mail_does_not_sign_for_another(people, bob):
    path, token, _ = mailed(people, bob, "one@invite.test")
    _, _, seed = mailed(people, bob, "two@invite.test")
    target = f"{path}?{query_of(token=token, private_key=seed, mxid='@alice:hs.test')}"
    refused(people.anybody.post(target, b""), 400, "M_INVALID_PARAM")


def test_an_invite_that_is_over_signs_no_more(make_people):
    people = make_people({"invites": CONFIGURATION["invites"] | {"expire_days": 7}}).start()
    path, token, seed = mailed(people, people.person(BOB), "late@invite.test")
    target = f"{path}?{query_of(token=token, private_key=seed, mxid='@alice:hs.test')}"
    people.clock.jump(6 * 24 * HOUR_S)
    assert people.anybody.post(target, b"").status == 200
    people.clock.jump(8 * 24 * HOUR_S)
    refused(people.anybody.post(target, b""), 404, "M_UNRECOGNIZED")


def test_invites_are_for_ever_by_default(make_people):
    people = make_people(CONFIGURATION).start()
    invite = stored(people.anybody, V1)
    people.after(20 * 365 * 24 * HOUR_S)
    assert all(is_valid(people, key) for key in invite["public_keys"])


def test_nobody_is_named_in_the_log(people, bob):
    path, token, seed = mailed(people, bob, "private@invite.test", room_name="Our secret")
    people.anybody.post(f"{path}?{query_of(token=token, private_key=seed, mxid=BOB)}", b"")
    log = people.identity.log()
    for secret in ("private@", token, seed, "Our secret"):
        assert secret not in log
