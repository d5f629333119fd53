"""Addresses of accounts: shown to be somebody's, added, removed; and what is told of them."""

import urllib.parse

import pytest

from contact_world import PAGE, World
from homeserver_world import refused
from smtp_sink import refuse

WORLD = World
CONFIGURATION = {
    "validation": {"next_link_hosts": ["app.test"]},
    "threepids": {"emails": ["*@example.org", "*@example.com"]},
}
ASKED = [("/register", "taken"), ("/account/password", "unknown")]


def threepids(user):
    return [(item["medium"], item["address"])
            for item in user.get("/account/3pid").json["threepids"]]


# ---- adding


def test_an_address_is_added_once_it_is_confirmed(home):
    ann = home.user("ann")
    mine = home.address("Ann@Example.org").asked()
    refused(ann.confirm("POST", "/account/3pid/add", mine.proof), 403, "M_THREEPID_AUTH_FAILED")
    mine.confirmed()
    assert ann.confirm("POST", "/account/3pid/add", mine.proof).status == 200
    item, = ann.get("/account/3pid").json["threepids"]
    assert (item["medium"], item["address"]) == ("email", "ann@example.org")
    assert 0 < item["validated_at"] <= item["added_at"]


def test_adding_needs_the_password_too(home):
    thief = home.user("thief")
    mine = home.address("thief@example.org").asked().confirmed()
    asked = thief.post("/account/3pid/add", mine.proof)
    assert asked.status == 401 and asked.json["flows"] == [{"stages": ["m.login.password"]}]
    refused(thief.confirmed("POST", "/account/3pid/add", mine.proof, **thief.proof("wrong")),
            401, "M_FORBIDDEN")
    assert threepids(thief) == []


def test_the_code_of_the_mail_does_what_the_link_does(home):
    mine = home.address("code@example.org").asked()
    refused(mine.submit("wrong"), 400, "M_TOKEN_INCORRECT")
    assert mine.submit(mine.mail().query["token"]).json == {"success": True}
    user = home.user("coder")
    assert user.confirm("POST", "/account/3pid/add", mine.proof).status == 200


def test_the_endpoint_of_old_clients_adds_too(home):
    user = home.user("oldie")
    mine = home.address("oldie@example.org").asked().confirmed()
    assert user.confirm("POST", "/account/3pid", {"three_pid_creds": mine.proof}).status == 200
    assert threepids(user) == [("email", "oldie@example.org")]


def test_an_address_belongs_to_one_account(home):
    home.user_with("first", "shared@example.org")
    refused(home.address("shared@example.org").ask(), 400, "M_THREEPID_IN_USE")


def test_two_who_prove_the_same_address_do_not_both_get_it(home):
    one, two = home.user("one"), home.user("two")
    mine = home.address("both@example.org", secret="one").asked().confirmed()
    also = home.address("both@example.org", secret="two").asked().confirmed()
    assert one.confirm("POST", "/account/3pid/add", mine.proof).status == 200
    refused(two.confirm("POST", "/account/3pid/add", also.proof), 400, "M_THREEPID_IN_USE")


def test_a_removed_address_is_free_again(home):
    user = home.user_with("mover", "mover@example.org")
    gone = {"medium": "email", "address": "Mover@example.org"}
    assert user.post("/account/3pid/delete", gone).json == {"id_server_unbind_result": "no-support"}
    assert threepids(user) == []
    refused(user.post("/account/3pid/delete", gone), 400, "M_THREEPID_NOT_FOUND")
    home.user_with("mover2", "mover@example.org")


def test_one_logs_in_with_an_address(home):
    home.user_with("mailer", "mailer@example.org")
    reply = home.anybody.post("/login", {
        "type": "m.login.password", "password": "correct horse",
        "identifier": {"type": "m.id.thirdparty", "medium": "email",
                       "address": "MAILER@example.org"}})
    assert reply.json["user_id"] == "@mailer:hs.test"


# ---- asking


def test_a_link_is_not_followed_for_the_reader(home):
    """Programs that look for bad links open each; browsers load pages before they are asked."""
    mine = home.address("looked@example.org").asked()
    for method, headers in [("GET", None), ("HEAD", None), ("GET", {"Purpose": "prefetch"})]:
        reply = home.anybody.request(method, mine.mail().target, headers=headers)
        assert reply.status == 200
    user = home.user("looked")
    refused(user.confirm("POST", "/account/3pid/add", mine.proof), 403, "M_THREEPID_AUTH_FAILED")


def test_the_page_may_not_be_framed_and_runs_nothing(home):
    page = home.address("framed@example.org").asked().page()
    assert "frame-ancestors 'none'" in page.policy and "default-src 'none'" in page.policy
    assert "script-src" not in page.policy
    assert page.reply.headers["Referrer-Policy"] == "no-referrer"


def test_what_a_link_says_is_shown_as_text(home):
    evil = urllib.parse.quote('"><script>alert(1)</script>')
    page = home.page(f"{PAGE}?sid={evil}&client_secret={evil}&token={evil}")
    assert page.status == 400 and "<script" not in page.text


def test_a_person_may_be_sent_on_to_a_place_that_the_operator_allows(home):
    mine = home.address("onward@example.org").asked(next_link="https://app.test/#/done")
    answer = mine.page().press()
    assert answer.status == 302
    assert answer.reply.headers["Location"] == f"https://app.test/?sid={mine.sid}#/done"
    refused(home.address("else@example.org").ask(next_link="https://evil.test/"),
            400, "M_INVALID_PARAM")


@pytest.mark.parametrize("change, status, errcode", [
    ({"email": "a@b@example.org"}, 400, "M_INVALID_PARAM"),
    ({"email": "ann@example.org\r\nBcc: x@example.org"}, 400, "M_INVALID_PARAM"),
    ({"email": "\"ann\"@example.org"}, 400, "M_INVALID_PARAM"),
    ({"email": "ann@elsewhere.test"}, 403, "M_THREEPID_DENIED"),
    ({"email": 5}, 400, "M_BAD_JSON"),
    ({"email": "x" * 60000}, 400, "M_INVALID_PARAM"),
    ({"client_secret": "x" * 256}, 400, "M_INVALID_PARAM"),
    ({"client_secret": "a\n"}, 400, "M_INVALID_PARAM"),
    ({"send_attempt": -1}, 400, "M_INVALID_PARAM"),
    ({"id_server": "evil.test", "id_access_token": "x"}, 400, "M_SERVER_NOT_TRUSTED"),
])
def test_what_makes_no_sense_is_refused(home, change, status, errcode):
    body = {"client_secret": "s3cret", "email": "ann@example.org", "send_attempt": 1}
    for what in ("/register", "/account/password", "/account/3pid"):
        refused(home.anybody.post(f"{what}/email/requestToken", {**body, **change}),
                status, errcode)


def test_text_messages_need_an_identity_server(home):
    refused(home.anybody.post("/register/msisdn/requestToken", {
        "client_secret": "s3cret", "country": "GB", "phone_number": "07700 900001",
        "send_attempt": 1}), 400, "M_THREEPID_MEDIUM_NOT_SUPPORTED")


def test_a_relay_that_refuses_is_told_of(home):
    home.sink.moods["lost@example.org"] = refuse
    refused(home.address("lost@example.org").ask(), 400, "M_EMAIL_SEND_ERROR")


# ---- who has an account is nobody's business


@pytest.mark.parametrize("what, kind", ASKED)
def test_who_asks_does_not_learn_who_has_an_account(home, what, kind):
    home.user_with(f"hidden.{kind}", f"hidden.{kind}@example.org")
    known = home.address(f"hidden.{kind}@example.org", what).ask()
    other = home.address(f"nobody.{kind}@example.org", what).ask()
    assert known.status == other.status == 200
    assert known.json.keys() == other.json.keys()
    assert len(known.json["sid"]) == len(other.json["sid"])


def test_the_owner_of_a_taken_address_is_told_by_mail(home):
    home.user_with("owner", "owner@example.org")
    mine = home.address("owner@example.org", "/register").asked()
    mail = mine.notice("You have an account already")
    assert "@owner:hs.test" in mail.text
    assert "token" not in mail.text


def test_who_forgot_which_address_they_used_is_told_by_mail(home):
    mine = home.address("forgot@example.org", "/account/password").asked()
    assert "forgot@example.org" in mine.notice("There is no account with this address").text


# ---- a new password


def test_a_forgotten_password_is_replaced_by_mail(home):
    user = home.user_with("absent", "absent@example.org")
    mine = home.address("absent@example.org", "/account/password").asked()
    body = {"new_password": "a better horse"}
    asked = home.anybody.post("/account/password", body)
    assert {"stages": ["m.login.email.identity"]} in asked.json["flows"]
    auth = {"session": asked.json["session"], **mine.stage}
    refused(home.anybody.post("/account/password", {**body, "auth": auth}),
            401, "M_THREEPID_AUTH_FAILED")
    mine.confirmed()
    assert home.anybody.post("/account/password", {**body, "auth": auth}).status == 200
    refused(home.log_in("absent"), 403, "M_FORBIDDEN")
    assert home.log_in("absent", "a better horse").status == 200
    refused(user.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN")


def test_a_proof_of_an_address_of_nobody_resets_nothing(home):
    mine = home.address("stranger@example.org", "/register").asked().confirmed()
    body = {"new_password": "a better horse"}
    asked = home.anybody.post("/account/password", body)
    refused(home.anybody.post("/account/password", {
        **body, "auth": {"session": asked.json["session"], **mine.stage}}), 403, "M_FORBIDDEN")


# ---- words


SUBJECTS = {"en": "Confirm your e-mail address", "de": "Bestätige deine E-Mail-Adresse",
            "fr": "Confirmez votre adresse e-mail", "es": "Confirma tu dirección de correo"}


@pytest.mark.parametrize("language", SUBJECTS)
def test_a_mail_is_in_the_readers_language(home, language):
    for what in ("/register", "/account/3pid"):
        mine = home.address(f"{language}{len(what)}@example.org", what)
        mail = mine.asked(headers={"Accept-Language": language}).mail()
        assert mail.subject == SUBJECTS[language]
        assert mail.message["Content-Language"] == language
        assert "hs.test" in mail.text and mail.link.startswith(f"http://hs.test{PAGE}?")
