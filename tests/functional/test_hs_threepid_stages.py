"""What a registration may ask for besides a password: a mail, a riddle, documents; by clients that
know these stages, and by pages for those that do not."""

import urllib.parse

import pytest

from contact_world import Page, World
from homeserver_world import PASSWORD, V3, Client, refused
from little_server import LittleServer

FALLBACK = V3 + "/auth/{}/fallback/web"
EVIL = '"><script>alert(1)</script>'


class Riddles:
    """Answers whether a riddle was solved: "right" was, for one who asks with the secret."""

    def __init__(self):
        self.asked, self.status = [], 200
        self.server = LittleServer(self.respond)
        self.url = self.server.url + "/siteverify"

    def respond(self, exchange):
        form = dict(urllib.parse.parse_qsl(exchange.body.decode()))
        self.asked.append(form)
        solved = form["response"] == "right" and form["secret"] == "riddle secret"
        exchange.answer(self.status, {"success": solved})


TERMS = {"documents": [{"id": "privacy", "version": "2", "languages": [
    {"language": "en", "name": "Privacy & more", "url": "https://hs.test/privacy"},
    {"language": "de", "name": "Datenschutz", "url": "https://hs.test/datenschutz"}]}]}


@pytest.fixture(scope="module")
def riddles():
    server = Riddles()
    yield server
    server.server.close()


@pytest.fixture(scope="module")
def careful(tmp_path_factory, riddles):
    """A homeserver that asks for everything."""
    directory = tmp_path_factory.mktemp("careful")
    secret = directory / "riddle-secret"
    secret.write_text("riddle secret\n")
    world = World(directory, {
        "terms": TERMS, "threepids": {"registration_email": True},
        "recaptcha": {"site_key": "site<key>", "secret_file": str(secret),
                      "verify_url": riddles.url, "script_url": "https://riddles.test/api.js"},
        "outbound": {"allow": ["127.0.0.0/8"]},
    }).start()
    yield world
    world.end()


class Registration:
    """One that goes on step by step."""

    def __init__(self, world, name):
        self.world, self.body = world, {"username": name, "password": PASSWORD}
        self.asked = world.anybody.post("/register", self.body)
        assert self.asked.status == 401, self.asked
        self.session = self.asked.json["session"]

    def does(self, type, **more):
        return self.world.anybody.post("/register", {
            **self.body, "auth": {"type": type, "session": self.session, **more}})

    def page(self, stage, session=None):
        query = urllib.parse.urlencode({"session": self.session if session is None else session})
        return self.world.page(f"{FALLBACK.format(stage)}?{query}")


def test_a_registration_asks_for_what_the_operator_wants(careful):
    asked = Registration(careful, "curious").asked.json
    assert asked["flows"] == [{"stages": [
        "m.login.terms", "m.login.recaptcha", "m.login.email.identity"]}]
    assert asked["params"]["m.login.recaptcha"] == {"public_key": "site<key>"}
    assert asked["params"]["m.login.terms"]["policies"]["privacy"]["en"]["name"] == "Privacy & more"


def test_who_does_all_of_it_has_an_account_with_an_address(careful, riddles):
    wish = Registration(careful, "patient")
    assert wish.does("m.login.terms").status == 401
    refused(wish.does("m.login.recaptcha", response="wrong"), 401, "M_FORBIDDEN")
    assert wish.does("m.login.recaptcha", response="right").status == 401
    assert riddles.asked[-1]["remoteip"] == "127.0.0.1"
    mine = careful.address("patient@example.org", "/register").asked()
    refused(wish.does(**mine.stage), 401, "M_THREEPID_AUTH_FAILED")
    mine.confirmed()
    made = wish.does(**mine.stage)
    assert made.status == 200, made
    client = Client(careful, made.json["access_token"])
    item, = client.get("/account/3pid").json["threepids"]
    assert item["address"] == "patient@example.org"


def test_stages_come_in_their_order(careful):
    wish = Registration(careful, "hasty")
    refused(wish.does("m.login.recaptcha", response="right"), 401, "M_FORBIDDEN")
    refused(wish.does("m.login.dummy"), 401, "M_FORBIDDEN")


def test_a_service_that_fails_does_not_let_people_in(careful, riddles):
    wish = Registration(careful, "unlucky")
    wish.does("m.login.terms")
    riddles.status = 500
    try:
        assert wish.does("m.login.recaptcha", response="right").status == 503
    finally:
        riddles.status = 200
    assert wish.does("m.login.recaptcha", response="right").status == 401


# ---- pages


def test_a_person_does_it_all_on_pages(careful):
    wish = Registration(careful, "paged")
    terms = wish.page("m.login.terms")
    assert "https://hs.test/privacy" in terms.text and "Privacy &amp; more" in terms.text
    done = terms.press()
    assert done.status == 200 and "auth-done.js" in done.text
    wrong = wish.page("m.login.recaptcha").press(**{"g-recaptcha-response": "wrong"})
    assert 'role="alert"' in wrong.text
    assert "auth-done.js" in wrong.press(**{"g-recaptcha-response": "right"}).text
    mailed = wish.page("m.login.email.identity").press(email="paged@example.org")
    assert 'role="alert"' in mailed.press().text  # nothing is confirmed yet
    mine = careful.address("paged@example.org", "/register")
    mine.sid = mailed.fields["sid"]
    mine.confirmed()
    assert "auth-done.js" in mailed.press().text
    made = careful.anybody.post("/register", {"auth": {"session": wish.session}})
    assert made.status == 200 and made.json["user_id"] == "@paged:hs.test"


def test_a_page_is_in_the_readers_language(careful):
    wish = Registration(careful, "lesend")
    reply = careful.anybody.get(
        f"{FALLBACK.format('m.login.terms')}?session={wish.session}",
        headers={"Accept-Language": "de"})
    assert "Datenschutz" in reply.body.decode() and '<html lang="de">' in reply.body.decode()


@pytest.mark.parametrize("stage", [
    "m.login.terms", "m.login.recaptcha", "m.login.email.identity", "m.login.dummy",
    "m.login.password", "m.login.registration_token", "m.login.msisdn", "nothing"])
def test_what_the_address_of_a_page_says_is_not_in_it(careful, stage):
    """Nothing of a session that is not there is shown."""
    page = Registration(careful, "x").page(stage, session=EVIL)
    assert page.status == 404 and "alert(1)" not in page.text
    assert "frame-ancestors 'none'" in page.policy and "default-src 'none'" in page.policy


def test_an_address_that_is_typed_in_is_shown_as_text(careful):
    wish = Registration(careful, "typing")
    page = wish.page("m.login.email.identity").press(email=EVIL)
    assert page.status == 200 and "<script>" not in page.text and 'role="alert"' in page.text


def test_the_riddles_page_loads_from_its_own_host_only(careful):
    page = Registration(careful, "looker").page("m.login.recaptcha")
    assert "script-src https://riddles.test https://www.gstatic.com/recaptcha/" in page.policy
    assert 'data-sitekey="site&lt;key&gt;"' in page.text


def test_a_password_is_confirmed_on_a_page(home):
    user = home.user("confirmer")
    asked = user.post("/delete_devices", {"devices": ["NONE"]})
    session = asked.json["session"]
    page = Page(home.anybody, home.anybody.get(
        f"{FALLBACK.format('m.login.password')}?session={session}"))
    assert "@confirmer:hs.test" in page.text
    assert 'role="alert"' in page.press(password="wrong").text
    assert "auth-done.js" in page.press(password=PASSWORD).text
    done = user.post("/delete_devices", {"devices": ["NONE"], "auth": {"session": session}})
    assert done.status == 200, done


# ---- log-in


def test_the_log_in_page_runs_only_its_own_script(home):
    reply = home.anybody.get("/_matrix/static/client/login/")
    assert "script-src 'self'; connect-src 'self'" in reply.headers["Content-Security-Policy"]
    script = home.anybody.get("/_matrix/static/client/login/login.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert b"matrixLogin" in script.body
