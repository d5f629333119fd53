"""What the mails say: in the reader's language, in the operator's brand, and never in the words of
whoever made the service write."""

import itertools
import re
import urllib.parse

import pytest

from identity_world import UNLIMITED, V1, V2
from mail_world import FORM, NO_LIMITS, MailWorld, form

BOB = "@bob:hs.test"
NUMBERS = itertools.count(1)
INVITE = {"room_id": "!room:hs.test", "sender": BOB, "medium": "email"}
SUBJECTS = {"en": "Confirm your e-mail address", "de": "Bestätige deine E-Mail-Adresse",
            "fr": "Confirmez votre adresse e-mail", "es": "Confirma tu dirección de correo"}
WHOLE = """Date: %(date)s
From: %(from)s
To: %(to)s
Message-ID: %(messageid)s
Subject: Older service
Content-Type: multipart/alternative; boundary="%(multipart_boundary)s"

--%(multipart_boundary)s
Content-Type: text/plain; charset=UTF-8

%(ipaddress)s wants %(link)s to confirm with %(token)s

--%(multipart_boundary)s
Content-Type: text/html; charset=UTF-8

<a href="%(link_forhtml)s">%(token_forhtml)s</a>
--%(multipart_boundary)s--
"""


def write_brands(directory):
    """Three brands: one with texts of its own, one of an older service, one named like a host."""
    for path, text in {
        "fancy/en/verification.subject": "Fancy in English",
        "fancy/de/verification.subject": "Schick auf Deutsch",
        "fancy/verify.html": "<h1>Fancy page</h1>{{ token }}",
        "older/verification_template.eml": WHOLE,
        "127.0.0.1/verification.subject": "By the name of the host",
    }.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(directory)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = MailWorld(tmp_path_factory.mktemp("message"),
                     {"invites": {"web_client": "https://app.test"}})
    yield made.start()
    made.end()


@pytest.fixture(scope="module")
def branded(tmp_path_factory):
    """Its language is French, and its links have no page between."""
    brands = write_brands(tmp_path_factory.mktemp("brands"))
    made = MailWorld(tmp_path_factory.mktemp("branded"), {
        "templates": {"directory": brands, "language": "fr"},
        "validation": {"landing_page": False, "next_link_hosts": ["ok.example"]}})
    yield made.start()
    made.end()


def mine(world):
    """A validation of an address that nothing else here has."""
    return world.validation(world.sign_in(BOB), f"person{next(NUMBERS)}@example.org")


# ---- languages


@pytest.mark.parametrize("wanted, language", [
    ("de", "de"), ("fr-CH, fr;q=0.9", "fr"), ("es;q=0.1, de;q=0.9, en;q=0.5", "de"),
    ("tlh, es", "es"), ("tlh", "en"), ("*", "en"), (None, "en"), (";;,q=x", "en"),
    ("de;q=0, en", "en"), ("x" * 8000, "en"),
])
def test_the_mail_speaks_the_readers_language(world, wanted, language):
    validation = mine(world)
    mail = validation.asked(headers={"Accept-Language": wanted} if wanted else {}).mail()
    assert mail.subject == SUBJECTS[language]
    assert mail.message["Content-Language"] == language
    assert f'<html lang="{language}">' in mail.html


@pytest.mark.parametrize("language, title", [
    ("de", "Adresse bestätigen"), ("fr", "Confirme"), ("es", "Confirma"), ("en", "Confirm"),
])
def test_the_page_speaks_it_too(world, language, title):
    target = mine(world).asked().mail().target
    page = world.identity.get(target, headers={"Accept-Language": language})
    assert page.headers["Vary"] == "Accept-Language"
    text = page.body.decode()
    assert f'<html lang="{language}">' in text and title in text


# ---- brands


def test_the_operator_chooses_the_language_of_those_who_do_not(branded):
    mail = mine(branded).asked().mail()
    assert mail.message["Content-Language"] == "fr" and "Confirmez votre adresse" in mail.html


@pytest.mark.parametrize("query, language, subject", [
    ("?brand=fancy", "de", "Schick auf Deutsch"), ("?brand=fancy", "en", "Fancy in English"),
    ("?brand=fancy", "es", SUBJECTS["es"]), ("?brand=nobody", "en", "By the name of the host"),
    ("?brand=..%2F..%2Fetc", "en", "By the name of the host"),
    ("?brand=", "en", "By the name of the host"), ("", "en", "By the name of the host"),
])
def test_the_brand_is_in_the_query_or_in_the_name_of_the_host(
        branded, query, language, subject):
    validation = mine(branded)
    mail = validation.asked(query=query, headers={"Accept-Language": language}).mail()
    assert mail.subject == subject
    assert ("&brand=fancy" in mail.link) == ("fancy" in query)


def test_whole_messages_of_an_older_service_are_read(branded):
    mail = mine(branded).asked(query="?brand=older").mail()
    assert mail.subject == "Older service"
    assert mail.text.split()[0] == "127.0.0.1" and mail.query["token"] in mail.html
    assert len(mail.message.get_all("From")) == 1 and "multipart_boundary" not in str(mail.message)


def test_an_operator_may_want_links_without_a_page(branded):
    validation = mine(branded).asked(query="?brand=fancy", next_link="https://ok.example/")
    target = validation.mail().target
    assert target.startswith(f"{V2}/validate/email/submitToken?")
    prefetched = branded.identity.get(target, headers={"Purpose": "prefetch"})
    assert prefetched.status == 200 and "Fancy page" in prefetched.body.decode()
    assert branded.identity.plain.request("HEAD", target).status == 200
    assert validation.validated().errcode == "M_SESSION_NOT_VALIDATED"
    reply = branded.identity.get(target)
    assert reply.status == 302
    assert reply.headers["Location"] == f"https://ok.example/?sid={validation.sid}"
    assert validation.validated().status == 200


# ---- what strangers want said


def invite(world, address, **more):
    """The mail to somebody who is invited by Bob."""
    reply = world.sign_in(BOB).post("/store-invite", INVITE | {"address": address} | more)
    assert reply.status == 200, reply
    return world.sink.only_mail_to(address)


FORGED = "Ann\r\nBcc: eve@example.org\r\n\r\nDear customer {{ token }} %(token)s <b>{% if token %}"


def test_names_do_not_write_the_mail(world):
    mail = invite(world, "names@example.org", sender_display_name=FORGED, room_name=FORGED * 200)
    assert mail.message["Bcc"] is None and mail.bytes.count(b"\nSubject:") == 1
    assert "\n" not in mail.subject and len(mail.subject) < 60
    shown = mail.text.partition("To accept")[0]
    assert shown.startswith("Ann  Bcc: eve@examp… (@bob:hs.test) invites you to join Ann  Bcc:")
    assert "Dear" not in shown and len(shown) < 200
    assert "<b>" not in invite(world, "html@example.org", room_name="<b>x</b>").html


def test_text_is_never_a_template(world):
    mail = invite(world, "template@example.org", sender_display_name="{{ token }}%(token)s",
                  room_name="{{7*7}}{% if token %}a")
    assert "{{ token }}%(token)s" in mail.text and "{{7*7}}{% if token %}a" in mail.text
    assert "{{7*7}}{% if token %}a" in mail.html and "49" not in mail.text.partition("http")[0]


def test_names_do_not_turn_the_line_around(world):
    mail = invite(world, "bidi@example.org", sender_display_name="\u202emoc.live\u2066",
                  room_name="a\u0085b\u200fc")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u0085]", mail.text + mail.subject)


def test_a_web_client_of_the_homeserver_is_a_link_and_nothing_else(world):
    key = "org.matrix.web_client_location"
    good = invite(world, "web1@example.org", **{key: "https://chat.hs.test"})
    assert good.link.startswith("https://chat.hs.test/#/room/")
    for number, bad in enumerate(("https://x.test\n\nDear customer", "javascript:alert(1)",
                                  "https://x.test dear customer", 'https://x.test/"', "x" * 9000)):
        mail = invite(world, f"bad{number}@example.org", **{key: bad})
        assert mail.link.startswith("https://app.test/#/room/"), bad
        assert "ustomer" not in mail.text


def test_who_has_no_name_is_called_by_the_user_id(world):
    for number, names in enumerate(({}, {"sender_display_name": " \r\n"},
                                    {"sender_display_name": 7})):
        mail = invite(world, f"noname{number}@example.org", **names)
        assert mail.subject == "@bob:hs.test invited you to a chat"
        assert mail.text.startswith("@bob:hs.test invites you to join a room on Matrix.")


def test_the_link_of_an_invite_survives_every_letter(world):
    room = "!a#b&c+d%e/f?g:hs.test"
    mail = invite(world, "link+tag@example.org", room_id=room, room_name="R&D #1 100%",
                  sender_display_name="Böb + Co", room_type="m.space")
    path, _, query = urllib.parse.urlsplit(mail.link).fragment.partition("?")
    assert urllib.parse.unquote(path) == f"/room/{room}"
    values = dict(urllib.parse.parse_qsl(query, strict_parsing=False, keep_blank_values=True))
    assert values["email"] == "link+tag@example.org" and values["room_name"] == "R&D #1 100%"
    assert (values["inviter_name"], values["room_type"]) == ("Böb + Co", "m.space")
    sign = urllib.parse.urlsplit(values["signurl"])
    signed = world.anybody.post(f"{sign.path}?{sign.query}&mxid=%40alice%3Ahs.test", b"")
    assert signed.status == 200 and signed.json["sender"] == BOB, signed


def test_ten_thousand_letters_of_anything_make_no_long_mail(world):
    much = {name: "x" * 6000 for name in ("sender_display_name", "room_name", "room_avatar_url",
                                          "room_alias", "guest_user_id", "other")}
    assert len(invite(world, "much@example.org", **much).bytes) < 40000


# ---- how many


def test_mails_have_budgets_and_say_when_to_come_back(tmp_path):
    once_an_hour = {"burst": 3, "per_day": 24}
    world = MailWorld(tmp_path, {"limits": UNLIMITED | {
        "mail_address": once_an_hour, "mail_asker": {"burst": 5, "per_day": 24}}})
    try:
        world.start()
        ann, bob = world.sign_in("@ann:hs.test"), world.sign_in(BOB)
        mine = world.validation(ann, "ann@example.org")
        assert [mine.ask(n).status for n in range(5)] == [200, 200, 200, 429, 429]
        limited = world.validation(bob, "ANN@example.org", secret="other").ask()
        assert (limited.status, limited.errcode) == (429, "M_LIMIT_EXCEEDED")
        assert 0 < limited.json["retry_after_ms"] <= 3600_000
        assert 0 < int(limited.headers["Retry-After"]) <= 3600
        assert limited.headers["Access-Control-Allow-Origin"] == "*"
        assert [world.validation(ann, f"{n}@example.org").ask().status for n in range(3)] == [
            200, 200, 429], "five for one account"
        assert mine.ask(2).status == 200, "what needs no mail is free"
        assert len(world.sink.mails) == 5
        stranger = {"client_secret": "x", "email": "v1@example.org", "send_attempt": 1}
        reply = world.anybody.post(f"{V1}/validate/email/requestToken", form(stranger), headers=FORM)
        assert reply.status == 200, "strangers have their network's own"
    finally:
        world.end()


@pytest.mark.parametrize("trusted, second", [([], 429), (["127.0.0.1/32"], 200)])
def test_only_a_trusted_proxy_says_who_asks(tmp_path, trusted, second):
    world = MailWorld(tmp_path, {"http": {"trusted_proxies": trusted}, "limits": NO_LIMITS | {
        "mail_asker": {"burst": 1, "per_day": 1}}})
    try:
        world.start()
        statuses = [world.anybody.post(f"{V1}/validate/email/requestToken", {
            "client_secret": "x", "email": f"{n}@example.org", "send_attempt": 1},
            headers={"X-Forwarded-For": f"203.0.113.7, 198.51.{n}.1"}).status for n in (1, 2)]
        assert statuses == [200, second]
        asked_from = "198.51.1.1" if trusted else "127.0.0.1"
        assert f"The request came from {asked_from}." in world.sink.mails[0].text
    finally:
        world.end()


def test_links_of_mails_live_without_the_older_endpoints(tmp_path):
    world = MailWorld(tmp_path, {"endpoints": {"off": ["v1_validation"]}})
    try:
        validation = mine(world.start()).asked()
        assert validation.open(f"{V1}/validate/email/submitToken").status == 404
        page = world.identity.plain.request("POST", "/verify/email", form(validation.proof()), FORM)
        assert page.status == 200 and validation.validated().status == 200
    finally:
        world.end()


def test_without_a_relay_no_mail_is_promised(make_people):
    people = make_people({"invites": {}}).start()
    ann = people.sign_in("@ann:hs.test")
    reply = ann.post("/validate/email/requestToken", {
        "client_secret": "x", "email": "ann@example.org", "send_attempt": 1})
    assert (reply.status, reply.errcode) == (400, "M_EMAIL_SEND_ERROR"), reply
