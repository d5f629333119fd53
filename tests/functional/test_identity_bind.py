"""Binding an address: who may, what is signed, who is told, and that the newest always wins."""

import concurrent.futures
import json
import re

import pytest
from canonicaljson import encode_canonical_json
from signedjson.key import decode_verify_key_bytes
from signedjson.sign import verify_signed_json
from unpaddedbase64 import decode_base64

import bind_world
from bind_world import SPEC_SEED, hash_of, refused
from identity_world import V1, V2
from mail_world import NO_LIMITS, form

WORLD = bind_world.World
PLENTY = {"burst": 1000000, "per_day": 1000000}
CONFIGURATION = {"limits": NO_LIMITS | {"lookup_misses": PLENTY}}
HUNDRED_YEARS_MS = 3153600000000
SPEC_PUBLIC = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"


# ---- what is signed


@pytest.mark.parametrize("base", [V1, V2])
def test_a_binding_is_a_signed_association_for_a_hundred_years(people, base):
    name = f"ann{base[-1]}"
    ann = people.person(f"@{name}:hs.test")
    bound = ann.has_bound(f"{name}@bind.test", base=base)
    people.verify(bound)
    assert {key: bound[key] for key in ("medium", "address", "mxid")} == {
        "medium": "email", "address": f"{name}@bind.test", "mxid": ann.id}
    assert bound["ts"] == bound["not_before"] <= people.clock.now_ms()
    assert bound["not_after"] - bound["not_before"] == HUNDRED_YEARS_MS
    assert list(bound["signatures"]) == ["id.test"]
    assert people.found(f"{name}@bind.test") == ann.id


def test_an_association_is_signed_byte_by_byte_as_others_would(make_people, tmp_path):
    """The signature is of the first vector of other services' tests, made with the
    specification's key at the vector's time."""
    key_file = tmp_path / "identity.key"
    key_file.write_text(f"ed25519 0 {SPEC_SEED}\n")
    key_file.chmod(0o600)
    people = make_people({"server_name": "id.example.org",
                          "keys": {"signing_file": str(key_file)}}).start()
    alice = people.person("@alice:example.org")
    session = alice.proves("alice@example.com")
    people.clock.freeze(1700000000000)
    reply = session.bind(alice.id)
    assert reply.body == encode_canonical_json(reply.json)
    assert reply.json["signatures"]["id.example.org"]["ed25519:0"] == (
        "qgXUNJb4YHoFXh2YEj4Ril/kq2dt6maehNNyk1xU5YLMpCScjCtFmKJZ7ZQ73tSU5bP0CUqP3CC5IFHajWVvAw")
    key = decode_verify_key_bytes("ed25519:0", decode_base64(SPEC_PUBLIC))
    verify_signed_json(reply.json, "id.example.org", key)


def test_a_binding_says_nothing_of_other_peoples_rooms(people):
    people.person("@host:hs.test").invites("guest@bind.test", "!secret:hs.test")
    reply = people.person("@guest:hs.test").proves("guest@bind.test").bind("@guest:hs.test")
    assert reply.status == 200 and b"!secret" not in reply.body and "invites" not in reply.json
    assert "invites" not in people.lookup_v1("guest@bind.test")


def test_a_binding_outlives_a_kill(make_people):
    people = make_people().start()
    bound = people.person("@ann:hs.test").has_bound("ann@bind.test")
    people.identity.kill()
    people.identity.start()
    assert people.found("ann@bind.test") == "@ann:hs.test"
    assert people.lookup_v1("ann@bind.test") == bound


def test_a_key_that_no_longer_signs_keeps_its_associations_true(make_people):
    people = make_people().start()
    before = people.person("@ann:hs.test").has_bound("ann@bind.test")
    people.rotate_key("ed25519:new")
    after = people.person("@bob:hs.test").has_bound("bob@bind.test")
    for bound in before, after, people.lookup_v1("ann@bind.test"):
        (key_id,) = bound["signatures"]["id.test"]
        people.verify(bound, key_id=key_id)
    assert before["signatures"].keys() == after["signatures"].keys()
    assert before["signatures"]["id.test"].keys() != after["signatures"]["id.test"].keys()


# ---- who may


def test_on_v2_everybody_binds_to_themselves(people):
    session = people.person("@mine:hs.test").proves("mine@bind.test")
    refused(session.bind("@other:hs.test"), 403, "M_UNAUTHORIZED")
    assert people.found("mine@bind.test") is None
    assert session.bind("@mine:hs.test").status == 200


def test_on_v1_the_client_says_who_it_is(people):
    """As in the versions of the specification that had no accounts."""
    session = people.person("@v1:hs.test").proves("v1@bind.test", base=V1)
    fields = {"sid": session.sid, "client_secret": session.secret, "mxid": "@form:hs.test"}
    reply = people.anybody.post(f"{V1}/3pid/bind", form(fields), headers={
        "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200 and reply.json["mxid"] == "@form:hs.test"
    reply = people.anybody.post(f"{V1}/3pid/bind", fields | {"mxid": "@json:hs.test"})
    assert reply.status == 200 and people.found("v1@bind.test") == "@json:hs.test"


@pytest.mark.parametrize("user_id", ["", "ann", "@ann", "ann:hs.test", "@ann:", "@ann:bad host",
                                     "@" + "a" * 300 + ":hs.test", "@a:hs.test\n"])
def test_what_is_no_user_cannot_have_an_address(people, user_id):
    session = people.person("@grammar:hs.test").proves("grammar@bind.test", base=V1)
    refused(session.bind(user_id), 400, "M_INVALID_PARAM")
    assert people.found("grammar@bind.test") is None


@pytest.mark.parametrize("missing", ["sid", "client_secret", "mxid"])
@pytest.mark.parametrize("base", [V1, V2])
def test_what_is_missing_is_named(people, base, missing):
    body = {"sid": "x", "client_secret": "x", "mxid": "@ann:hs.test"}
    del body[missing]
    reply = people.person("@ann:hs.test").post(f"{base}/3pid/bind", body)
    assert missing in refused(reply, 400, "M_MISSING_PARAMS").json["error"]


def test_an_address_must_have_been_proved(people):
    ann, eve = people.person("@proof:hs.test"), people.person("@eve:hs.test")
    session = people.validation(ann, "proof@bind.test", secret="anns-secret").asked()
    refused(session.bind(ann.id), 400, "M_SESSION_NOT_VALIDATED")
    session.submit()
    for sid, secret in ((session.sid, "eves-secret"), ("unknown", "anns-secret")):
        body = {"sid": sid, "client_secret": secret, "mxid": eve.id}
        refused(eve.post("/3pid/bind", body), 404, "M_NO_VALID_SESSION")
    refused(people.anybody.post("/3pid/bind", body), 401, "M_UNAUTHORIZED")
    assert people.found("proof@bind.test") is None


def test_a_proof_is_good_for_a_day(make_people):
    people = make_people().start()
    ann = people.person("@ann:hs.test")
    session = ann.proves("ann@bind.test")
    people.clock.jump(23 * 3600)
    assert session.bind(ann.id).status == 200
    people.clock.jump(25 * 3600)
    refused(session.bind(ann.id), 400, "M_SESSION_EXPIRED")


# ---- the newest wins


def test_an_address_belongs_to_whom_it_was_bound_to_last(people):
    zed, amy = people.person("@zed:hs.test"), people.person("@amy:hs.test")
    first = zed.has_bound("moves@bind.test")
    second = amy.has_bound("moves@bind.test")
    assert people.found("moves@bind.test") == amy.id and first["ts"] < second["ts"]
    third = zed.has_bound("Moves@bind.test")
    assert people.found("moves@bind.test") == zed.id and second["ts"] < third["ts"]


def test_a_clock_that_goes_back_does_not_bring_back_the_past(make_people):
    people = make_people().start()
    zed, amy, _asker = (people.person(f"@{name}:hs.test") for name in ("zed", "amy", "asker"))
    zed.has_bound("moves@bind.test")
    people.clock.jump(-3600)  # the homeserver's certificate is of the future now
    amy.has_bound("moves@bind.test")
    assert people.found("moves@bind.test") == amy.id


def test_an_address_that_is_bound_again_to_the_same_user_stays_theirs(people):
    ann = people.person("@again:hs.test")
    with people.mails_come(2, "again@bind.test"):
        ann.has_bound("again@bind.test")
    with people.mails_come(1, "again@bind.test"):  # the token: nothing else is news
        again = ann.has_bound("again@bind.test")
    assert people.found("again@bind.test") == ann.id
    assert people.lookup_v1("again@bind.test") == again


def test_a_user_may_have_many_addresses(people):
    ann = people.person("@many:hs.test")
    for address in ("one@many.test", "two@many.test"):
        ann.has_bound(address)
    assert people.found("one@many.test") == people.found("two@many.test") == ann.id


def test_of_many_who_bind_at_once_one_wins(people):
    """Every one of them is told the truth: that it was bound. The last one has it."""
    sessions = [people.person(f"@racer{i}:hs.test").proves("race@bind.test") for i in range(5)]
    racers = [session for session in sessions for _ in range(10)]
    with concurrent.futures.ThreadPoolExecutor(len(racers)) as pool:
        replies = list(pool.map(lambda session: session.bind(session.client.id), racers))
    assert {reply.status for reply in replies} == {200}
    stamps = [reply.json["ts"] for reply in replies]
    assert len(set(stamps)) == len(racers), "one after the other"
    newest = max(replies, key=lambda reply: reply.json["ts"]).json
    assert people.lookup_v1("race@bind.test") == newest
    assert people.found("race@bind.test") == newest["mxid"]


# ---- phone numbers


def test_a_phone_number_is_bound_found_and_unbound(make_people, gateway, tmp_path):
    people = make_people({"sms": gateway.conf("webhook", tmp_path)}).start()
    ann, number = people.person("@ann:hs.test"), "447700900001"
    sid = ann.post("/validate/msisdn/requestToken", {
        "client_secret": "s", "country": "GB", "phone_number": "07700 900001",
        "send_attempt": 1}).json["sid"]
    proof = {"sid": sid, "client_secret": "s"}
    code = re.search(r"\b\d{6}\b", gateway.wait_for(1)[0].text)[0]
    assert ann.post("/validate/msisdn/submitToken", proof | {"token": code}).status == 200
    bound = ann.post("/3pid/bind", proof | {"mxid": ann.id}).json
    people.verify(bound)
    assert (bound["medium"], bound["address"]) == ("msisdn", number)

    hashed = hash_of(number, people.pepper, "msisdn")
    assert people.mappings([hashed, hash_of(number, people.pepper)]) == {hashed: ann.id}
    assert people.mappings([f"{number} msisdn"], "none") == {f"{number} msisdn": ann.id}
    assert people.lookup_v1(number, "msisdn") == bound and people.lookup_v1(number) == {}
    invite = {"medium": "msisdn", "address": number, "room_id": "!r:hs.test", "sender": ann.id}
    refused(ann.post("/store-invite", invite), 400, "M_THREEPID_IN_USE")

    content = {"mxid": ann.id, "threepid": {"medium": "msisdn", "address": number}}
    header = people.homeserver("hs.test").authorization(content)
    assert people.unbind(content, header).status == 200
    assert people.mappings([hashed]) == {} and people.lookup_v1(number, "msisdn") == {}
    refused(ann.post("/store-invite", invite), 400, "M_UNRECOGNIZED")


# ---- the owner


def alarms(people, address):
    """Subjects of what the owner was told, in order."""
    return [mail.subject for mail in people.sink.mails_to(address) if "token=" not in mail.text]


def test_the_owner_is_told_whom_the_address_leads_to(people):
    zed, amy = people.person("@zed:owner.test"), people.person("@amy:owner.test")
    with people.mails_come(2, "owner@bind.test"):
        zed.has_bound("owner@bind.test")
    with people.mails_come(2, "owner@bind.test"):
        amy.has_bound("owner@bind.test")
    with people.mails_come(1, "owner@bind.test"):
        content = amy.unbind_content("owner@bind.test")
        server = people.homeserver("owner.test")
        assert people.unbind(content, server.authorization(content)).status == 200
    assert alarms(people, "owner@bind.test") == [
        "Your address now leads to @zed:owner.test",
        "Your address now leads to another account",
        "Your address was disconnected"]
    moved = people.sink.mails_to("owner@bind.test")[-2]
    assert zed.id in moved.text and amy.id in moved.text


def test_the_owner_is_told_in_the_language_of_whoever_did_it(people):
    session = people.person("@hans:hs.test").proves("hans@bind.test")
    with people.mails_come(1, "hans@bind.test"):
        session.client.post("/3pid/bind", headers={"Accept-Language": "de"}, body={
            "sid": session.sid, "client_secret": session.secret, "mxid": "@hans:hs.test"})
    assert "Deine Adresse" in people.sink.mails_to("hans@bind.test")[-1].subject


def test_the_operator_may_leave_owners_in_peace(make_people):
    people = make_people({"binding": {"tell_owner": False}}).start()
    for name in ("zed", "amy"):
        with people.mails_come(1, "ann@bind.test"):
            people.person(f"@{name}:hs.test").has_bound("ann@bind.test")
    content = people.person("@amy:hs.test").unbind_content("ann@bind.test")
    header = people.homeserver("hs.test").authorization(content)
    assert people.unbind(content, header).status == 200
    people.identity.restart()  # what waited would be sent now
    assert alarms(people, "ann@bind.test") == []


def test_an_address_is_bound_although_its_owner_cannot_be_told(make_people):
    import smtp_sink

    people = make_people().start()
    session = people.person("@ann:hs.test").proves("ann@bind.test")
    people.sink.mood = smtp_sink.be_closed
    assert session.bind("@ann:hs.test").status == 200
    assert people.found("ann@bind.test") == "@ann:hs.test"


def test_nobody_is_named_in_the_log(people):
    people.person("@quiet:hs.test").has_bound("quiet@bind.test")
    log = people.identity.log()
    assert "quiet@" not in log and "@quiet" not in log


def test_a_group_that_is_off_binds_nothing(make_people):
    people = make_people({"endpoints": {"off": ["v1_binding", "v1_lookup"]}}).start()
    people.person("@ann:hs.test")
    body = json.dumps({"sid": "x", "client_secret": "x", "mxid": "@ann:hs.test"}).encode()
    for target in ("/3pid/bind", "/3pid/unbind", "/lookup", "/bulk_lookup"):
        refused(people.anybody.post(V1 + target, body), 404, "M_UNRECOGNIZED")
    refused(people.anybody.post("/3pid/bind", body), 401, "M_UNAUTHORIZED")
