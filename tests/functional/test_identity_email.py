"""Showing that an e-mail address is one's own: parameters, tries, lifetimes, and what is mailed."""

import base64
import concurrent.futures
import hashlib
import itertools
import json
import re

import pytest

from identity_world import V1, V2
from mail_world import FORM, MailWorld, form

HOUR_S = 3600
CONFIGURATION = {"validation": {"next_link_hosts": ["ok.example", "*.apps.test"]}}
ASK = "/validate/email/requestToken"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = MailWorld(tmp_path_factory.mktemp("email"), CONFIGURATION)
    yield made.start()
    made.end()


@pytest.fixture(scope="module")
def ann(world):
    return world.sign_in("@ann:hs.test")


@pytest.fixture
def clock(world):
    """Goes back to the true time afterwards."""
    yield world.clock
    world.clock.jump(0)


@pytest.fixture
def mine(world, ann):
    """A validation of an address that no other test has."""
    number = next(NUMBERS)
    return world.validation(ann, f"person{number}@example.org")


def refused(reply, status, errcode):
    assert (reply.status, reply.errcode) == (status, errcode), reply
    return reply


def is_page(reply, status, words):
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store"
    assert words in reply.body.decode(), reply


# ---- how it is asked


def test_json_counts_without_a_content_type(ann):
    body = json.dumps({"client_secret": "x", "email": "bare@example.org", "send_attempt": 1})
    assert ann.post(ASK, body.encode()).status == 200


@pytest.mark.parametrize("base", [V1, V2])
def test_a_form_is_read_with_digits_as_a_number(world, ann, base):
    address = f"form{base[-2:]}@example.org"
    fields = {"client_secret": "x", "email": address, "send_attempt": "1"}
    first = ann.post(base + ASK, form(fields), headers=FORM).json["sid"]
    assert ann.post(ASK, {**fields, "send_attempt": 1}).json["sid"] == first
    assert len(world.sink.mails_to(address)) == 1


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{bad"])
def test_what_is_no_object_is_refused(ann, body):
    refused(ann.post(ASK, body, headers={"Content-Type": "application/json"}), 400, "M_BAD_JSON")


def test_older_clients_send_everything_in_the_query(world):
    query = "client_secret=x&email=query%40example.org&send_attempt=1"
    reply = world.anybody.post(f"{V1}{ASK}?{query}", b"null",
                               headers={"Content-Type": "application/json"})
    assert reply.status == 200, reply
    world.sink.wait_for(1, "query@example.org")


def test_strangers_get_no_mail_on_v2(world, mine):
    mine.client = world.anybody
    refused(mine.ask(), 401, "M_UNAUTHORIZED")
    refused(mine.ask(email=1), 401, "M_UNAUTHORIZED")
    assert mine.mails() == []


@pytest.mark.parametrize("missing", ["client_secret", "email", "send_attempt"])
def test_what_is_missing_is_named(ann, missing):
    body = {"client_secret": "x", "email": "none@example.org", "send_attempt": 1}
    del body[missing]
    reply = refused(ann.post(ASK, body), 400, "M_MISSING_PARAMS")
    assert missing in reply.json["error"]


@pytest.mark.parametrize("attempt", ["x", "", "1.5", 1.5, True, None, -1, "-1", [], 2**53])
def test_an_attempt_is_a_whole_number(mine, attempt):
    reply = mine.ask(attempt)
    assert reply.status == 400, reply
    assert reply.errcode in ("M_INVALID_PARAM", "M_BAD_JSON", "M_MISSING_PARAMS")
    assert reply.errcode == "M_INVALID_PARAM" or attempt is None or attempt == 1.5, reply
    assert mine.mails() == []


@pytest.mark.parametrize("secret", ["", "x" * 256, "a b", "abc\n", "ä", "a\0"])
def test_a_secret_has_its_alphabet_and_length(world, ann, secret):
    refused(world.validation(ann, "no@example.org", secret=secret).ask(), 400, "M_INVALID_PARAM")


@pytest.mark.parametrize("secret", ["x" * 255, "A.=_-0"])
def test_a_secret_may_be_long_and_odd(world, ann, secret):
    mine = world.validation(ann, f"odd{len(secret)}@example.org", secret=secret).asked()
    assert mine.submit().status == 200


@pytest.mark.parametrize("address", [
    "a@b@c", "x@y@z.org", "foo", "<a@example.org>", "Bob <a@example.org>", "a@example.org ",
    "a@example.org\r\nBcc: x@example.org", '"x" <a@example.org>', '"a"@example.org', "a@localhost",
    "a@[127.0.0.1]", "a@127.0.0.1", "@example.org", "a@", "a@b..c", "a@.org", "a b@example.org",
    "a@example.org,c@example.org", "a@example.org;c@example.org", "(c)a@example.org",
    "a\u202eb@example.org", "a@-x.org", "a@x_y.org", "", "x" * 65 + "@y.org",
    "a@" + "x" * 64 + ".org", "a@" + ".".join(["xxxxxxxx"] * 55), "x" * 490 + "@example.org",
])
def test_what_is_no_address_gets_no_mail(world, ann, address):
    visits = len(world.sink.visits)
    refused(world.validation(ann, address).ask(), 400, "M_INVALID_EMAIL")
    refused(world.validation(world.anybody, address, base=V1).ask(), 400, "M_INVALID_EMAIL")
    assert len(world.sink.visits) == visits


def test_nothing_hides_behind_a_nul(mine):
    for fields in ({"email": "a@example.org\0.evil.example"}, {"client_secret": "s\0ecret"}):
        refused(mine.ask(**fields), 400, "M_INVALID_PARAM")
    mine.asked()
    refused(mine.submit(mine.token + "\0"), 400, "M_INVALID_PARAM")


# ---- attempts


def test_one_attempt_is_one_mail(mine):
    sid = mine.asked(1).sid
    assert mine.asked(1).sid == sid and len(mine.mails()) == 1
    assert mine.asked(2).sid == sid and len(mine.mails()) == 2
    assert mine.asked(1).sid == sid and mine.asked(2).sid == sid
    assert len(mine.mails()) == 2
    assert mine.mail(1).query == mine.mail(2).query


def test_many_at_once_are_one_mail(mine):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: mine.ask(1), range(8)))
    assert {reply.status for reply in replies} == {200}, replies
    assert len({reply.json["sid"] for reply in replies}) == 1
    assert len(mine.mails()) == 1


def test_without_an_attempt_it_is_sent_once(world):
    fields = {"client_secret": "x", "email": "once@example.org"}
    sids = {world.anybody.post(V1 + ASK, form(fields), headers=FORM).json["sid"] for _ in "123"}
    assert len(sids) == 1 and len(world.sink.mails_to("once@example.org")) == 1


def test_each_secret_and_each_address_has_its_own_session(world, ann, mine):
    other = world.validation(ann, mine.address, secret="other").asked()
    assert mine.asked().sid != other.sid
    tokens = {mail.query["token"] for mail in world.sink.wait_for(2, mine.address)}
    assert len(tokens) == 2


# ---- tokens


def test_ids_and_tokens_cannot_be_guessed(mine):
    assert re.fullmatch("[0-9a-zA-Z]{32}", mine.asked().sid)
    assert re.fullmatch("[0-9a-zA-Z]{32}", mine.token)
    assert mine.token not in mine.sid + mine.world.identity.log()


@pytest.mark.parametrize("base", [V1, V2])
def test_the_token_of_the_mail_validates_and_stays_right(world, ann, base):
    mine = world.validation(ann, f"right{base[-2:]}@example.org", base=base).asked()
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")
    assert mine.submit().json == {"success": True}
    assert mine.submit().json == {"success": True}
    first = mine.validated().json
    assert (first["medium"], first["address"]) == ("email", mine.address)
    assert mine.validated().json == first


def test_tokens_may_come_as_a_form(mine):
    mine.asked()
    reply = mine.client.post("/validate/email/submitToken", form(mine.proof()), headers=FORM)
    assert reply.json == {"success": True}


def test_five_wrong_tries_kill_a_token(mine):
    mine.asked()
    for _ in range(5):
        refused(mine.submit("x" * 32), 400, "M_TOKEN_INCORRECT")
    refused(mine.submit(), 400, "M_TOKEN_INCORRECT")
    dead, dead_token = mine.sid, mine.token
    assert mine.asked(2).sid != dead
    assert mine.mail(2).query["token"] != dead_token
    assert mine.submit(mine.mail(2).query["token"]).status == 200


def test_four_wrong_tries_do_not_and_pages_count_too(mine):
    mine.asked()
    for _ in range(2):
        refused(mine.submit(mine.token.swapcase()), 400, "M_TOKEN_INCORRECT")
        assert mine.open(token="wrong").status == 400
    assert mine.submit().status == 200


def test_a_hundred_guesses_at_once_are_five(mine):
    mine.asked()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: mine.submit(f"guess{n}"), range(40)))
    assert {reply.status for reply in replies} <= {400, 503}, replies
    refused(mine.submit(), 400, "M_TOKEN_INCORRECT")


def test_nobody_learns_which_sessions_exist(mine):
    mine.asked()
    unknown = mine.submit(sid="unknown").json
    assert mine.submit(client_secret="other").json == unknown
    assert unknown["errcode"] in ("M_INVALID_PARAM", "M_NO_VALID_SESSION")
    refused(mine.validated("other"), 404, "M_NO_VALID_SESSION")
    sid, mine.sid = mine.sid, "unknown"
    assert mine.validated().json == refused(mine.validated("x"), 404, "M_NO_VALID_SESSION").json
    mine.sid = sid
    assert mine.submit().status == 200, "none of this was a try"


def test_a_token_has_at_most_255_characters(mine):
    mine.asked()
    refused(mine.submit("\U0001F600" * 255), 400, "M_TOKEN_INCORRECT")
    refused(mine.submit("\U0001F600" * 256), 400, "M_INVALID_PARAM")


# ---- lifetimes


def test_a_session_lives_a_day_from_its_birth_until_it_is_validated(mine, clock):
    mine.asked()
    clock.jump(23 * HOUR_S)
    mine.asked(2)
    clock.jump(25 * HOUR_S)
    refused(mine.submit(), 400, "M_SESSION_EXPIRED")
    refused(mine.validated(), 400, "M_SESSION_EXPIRED")
    refused(mine.validated("other"), 404, "M_NO_VALID_SESSION")


def test_validated_it_lives_another_day_that_requests_do_not_lengthen(mine, clock):
    mine.asked()
    clock.jump(20 * HOUR_S)
    before = clock.now_ms()
    assert mine.submit().status == 200
    validated_at = mine.validated().json["validated_at"]
    assert before <= validated_at <= clock.now_ms()
    old = mine.sid
    clock.jump(43 * HOUR_S)
    assert mine.asked(2).sid != old, "validated sessions are evidence: another one is opened"
    mine.sid = old
    assert mine.validated().json["validated_at"] == validated_at
    clock.jump(45 * HOUR_S)
    refused(mine.validated(), 400, "M_SESSION_EXPIRED")
    refused(mine.bind("@ann:hs.test"), 400, "M_SESSION_EXPIRED")


def test_what_is_expired_is_remembered_for_five_days(mine, clock):
    mine.asked()
    clock.jump(5 * 24 * HOUR_S)
    refused(mine.validated(), 400, "M_SESSION_EXPIRED")
    clock.jump((6 * 24 + 1) * HOUR_S)
    refused(mine.validated(), 404, "M_NO_VALID_SESSION")
    clock.jump(25 * HOUR_S)
    old = mine.sid
    assert mine.asked(1).sid != old, "and another one may be opened at once"


def test_after_validation_a_request_opens_a_fresh_session(mine):
    mine.asked()
    assert mine.submit().status == 200
    old = mine.sid
    assert mine.asked(1).sid != old
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")
    assert len(mine.mails()) == 2 and mine.mail(2).query["token"] != mine.mail(1).query["token"]


def test_sessions_outlive_a_restart(world, mine):
    mine.asked()
    world.identity.restart()
    assert mine.asked(1) and len(mine.mails()) == 1
    assert mine.submit().status == 200
    world.identity.restart()
    assert mine.validated().status == 200


# ---- addresses


def test_addresses_are_folded_everywhere_but_on_the_envelope(world, ann):
    mine = world.validation(ann, "Strauß@Example.com").asked()
    other = world.validation(ann, "STRAUSS@example.COM").asked()
    assert other.sid == mine.sid
    mail = world.sink.only_mail_to("Strauß@example.com")
    assert mail.options == ["SMTPUTF8"] and "Strauß@" in mail.text
    assert mine.submit(mail.query["token"]).status == 200
    assert mine.validated().json["address"] == "strauss@example.com"
    assert mine.bind("@ann:hs.test").json["address"] == "strauss@example.com"
    details = ann.get("/hash_details").json
    text = f"strauss@example.com email {details['lookup_pepper']}"
    hashed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    found = ann.post("/lookup", {"algorithm": "sha256", "pepper": details["lookup_pepper"],
                                 "addresses": [hashed]}).json["mappings"]
    assert found == {hashed: "@ann:hs.test"}


@pytest.mark.parametrize("given, folded", [
    ("\u017fAM@fold.example", "sam@fold.example"),  # long s
    ("\u212aim@fold.example", "kim@fold.example"),  # Kelvin
    ("\ufb01n@fold.example", "fin@fold.example"),  # a ligature
    ("Νίκος@fold.example", "νίκοσ@fold.example"),  # the last sigma
    ("A.B+tag@Fold.Example", "a.b+tag@fold.example"),  # dots and tags are the provider's
])
def test_folding_is_unicodes(world, ann, given, folded):
    mine = world.validation(ann, given).asked()
    (mail,) = world.sink.mails_to(given.partition("@")[0] + "@fold.example")
    assert mine.submit(mail.query["token"]).status == 200
    assert mine.validated().json["address"] == folded


def test_a_domain_goes_to_the_relay_in_letters_that_it_knows(world, ann):
    mine = world.validation(ann, "ann@Bücher.example").asked()
    mail = world.sink.only_mail_to("ann@xn--bcher-kva.example")
    assert mail.options == []
    assert mine.submit(mail.query["token"]).status == 200
    assert mine.validated().json["address"] == "ann@bücher.example"


# ---- pages, and where they lead


@pytest.mark.parametrize("base", [V1, V2])
def test_links_of_older_mails_validate_without_a_token_of_an_account(mine, base):
    mine.asked()
    is_page(mine.open(f"{base}/validate/email/submitToken"), 200, "Address confirmed")
    assert mine.validated().status == 200


def test_a_link_that_is_wrong_is_told_on_a_page(world, mine):
    mine.asked()
    is_page(mine.open(token="wrong"), 400, "tried too often")
    is_page(mine.open(sid="unknown"), 400, "never valid")
    is_page(mine.open(client_secret="other"), 400, "never valid")
    is_page(world.anybody.get("/validate/email/submitToken"), 400, "incomplete")
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")


def test_heads_and_prefetches_validate_nothing(mine):
    mine.asked()
    assert mine.open(method="HEAD").status == 200
    for name, value in (("Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"),
                        ("X-Moz", "prefetch"), ("X-Purpose", "preview")):
        is_page(mine.open(headers={name: value}), 200, "Yes, confirm")
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")


def test_the_link_in_the_mail_only_shows_a_button(world, mine):
    target = mine.asked().mail().target
    assert target.startswith("/verify/email?")
    for method in ("GET", "HEAD", "GET"):
        assert world.identity.plain.request(method, target).status == 200
    is_page(world.identity.get(target), 200, f"<strong>{mine.address}</strong>")
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")
    reply = world.identity.plain.request("POST", "/verify/email", form(mine.proof()), FORM)
    is_page(reply, 200, "Address confirmed")
    assert mine.validated().status == 200


def press(mine, **more):
    """What the button of the landing page sends."""
    return mine.world.identity.plain.request(
        "POST", "/verify/email", form(mine.proof() | more), FORM)


@pytest.mark.parametrize("link, shown", [
    ("https://ok.example/x?a=1", "https://ok.example/x?a=1&sid={}"),
    ("https://ok.example", "https://ok.example?sid={}"),
    ("https://web.apps.test:8443/#/home", "https://web.apps.test:8443/?sid={}#/home"),
    ("https://ok.example/?sid=mine", "https://ok.example/?sid=mine"),
])
def test_people_are_led_on_to_where_the_client_wants(mine, link, shown):
    mine.asked(next_link=link)
    reply = press(mine)
    assert (reply.status, reply.headers["Location"]) == (302, shown.format(mine.sid)), reply
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    reply = mine.open()
    assert (reply.status, reply.headers["Location"]) == (302, shown.format(mine.sid))
    assert mine.submit().json == {"success": True}, "clients are not led anywhere"


@pytest.mark.parametrize("link", [
    "javascript:alert(1)", "file:///etc/passwd", "//evil.example", "https://evil.example/",
    "http://ok.example/", "https://ok.example@evil.example/", "https://ok.example.evil.example/",
    "https://ok.example\\@evil.example/", "https://ok.example/\r\nX: y", "https://apps.test/",
    "https:/ok.example", "https://ok.example/" + "x" * 2000, "/relative", "https://[::1]/", 7,
])
def test_and_to_nowhere_else(mine, link):
    reply = mine.ask(next_link=link)
    assert reply.status == 400 and reply.errcode in ("M_INVALID_PARAM", "M_BAD_JSON"), reply
    assert mine.mails() == []


@pytest.mark.parametrize("name", ["nextLink", "next_link"])
def test_whoever_adds_a_link_to_a_mail_leads_nobody(mine, name):
    mine.asked()
    reply = mine.open(**{name: "https://evil.example/"})
    is_page(reply, 200, "Address confirmed")
    assert "evil.example" not in reply.body.decode() and not reply.headers["Location"]
    reply = press(mine, **{name: "https://evil.example/"})
    is_page(reply, 200, "Address confirmed")
